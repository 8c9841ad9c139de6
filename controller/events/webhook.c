/* OpenSSL has an ERR_STATE of its own. */
#define ERR_STATE openssl_ERR_STATE
#include <openssl/evp.h>
#include <openssl/hmac.h>
#undef ERR_STATE

#include "controller/events/webhook.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/clock.h"
#include "common/list.h"
#include "common/log.h"

enum { CONNECT_S = 5, TAKES_S = 10, PAUSE_MAX_S = 300, HEADER_MAX = 200 };

struct delivery {
    struct list node;
    char id[40];
    char event[40];
    char *body; /* owned */
};

struct webhook {
    struct webhook_config config;
    uv_thread_t thread;
    uv_async_t ended; /* the thread's last word */
    uv_mutex_t mutex; /* of what follows */
    uv_cond_t changed;
    struct list waiting;
    unsigned n_waiting;
    bool closing;
    usec until; /* when closing: no delivery begins after it, none goes on */
    struct webhook_stats stats;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- signature ---- */

enum err webhook_sign(const char *secret, int64_t now_s, const char *body,
                      char out[WEBHOOK_SIGNATURE_LEN])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    size_t size = strlen(body) + 32;
    char *text = malloc(size);
    if (!text)
        return ERR_NOMEM;
    int len = snprintf(text, size, "%lld.%s", (long long)now_s, body);
    bool made = HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text,
                     (size_t)len, mac, &n) != NULL;
    free(text);
    if (!made)
        return ERR_CRYPTO;
    for (unsigned i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", mac[i]);
    return OK;
}

/* ---- on the thread ---- */

static size_t on_answer(char *bytes, size_t one, size_t n, void *ctx)
{
    (void)bytes;
    (void)ctx;
    return one * n; /* whatever it says */
}

/* Not zero: break off. */
static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct webhook *w = ctx;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    uv_mutex_lock(&w->mutex);
    bool late = w->closing && clock_now() >= w->until;
    uv_mutex_unlock(&w->mutex);
    return late;
}

static struct curl_slist *headers_of(const struct webhook *w, const struct delivery *d)
{
    char line[HEADER_MAX];
    char signature[WEBHOOK_SIGNATURE_LEN];
    int64_t now_s = clock_wall() / USEC_PER_SEC;
    struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
    snprintf(line, sizeof line, "Weir-Event: %s", d->event);
    list = curl_slist_append(list, line);
    snprintf(line, sizeof line, "Weir-Delivery: %s", d->id);
    list = curl_slist_append(list, line);
    if (w->config.secret[0] && webhook_sign(w->config.secret, now_s, d->body, signature) == OK) {
        snprintf(line, sizeof line, "Weir-Signature: t=%lld,v1=%s", (long long)now_s, signature);
        list = curl_slist_append(list, line);
    }
    return curl_slist_append(list, "Expect:");
}

static bool deliver(struct webhook *w, const struct delivery *d)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        return false;
    long status = 0;
    struct curl_slist *headers = headers_of(w, d);
    curl_easy_setopt(curl, CURLOPT_URL, w->config.url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, d->body);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "weir");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TAKES_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, w);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    bool taken = code == CURLE_OK && status >= 200 && status < 300;
    if (!taken)
        log_info("webhook.failed", "event=%s status=%ld why=\"%s\"", d->event, status,
                 code == CURLE_OK ? "answered so" : curl_easy_strerror(code));
    return taken;
}

/* With the mutex held. False: it is over. */
static bool pause_before_next(struct webhook *w, usec pause)
{
    usec until = clock_now() + pause;
    while (!w->closing && clock_now() < until)
        uv_cond_timedwait(&w->changed, &w->mutex, (uint64_t)(until - clock_now()) * 1000);
    return !w->closing;
}

/* With the mutex held, but not while it is sent. */
static bool deliver_at_last(struct webhook *w, const struct delivery *d)
{
    usec pause = w->config.pause;
    for (unsigned i = 0; i < w->config.attempts; i++) {
        if (w->closing && clock_now() >= w->until)
            return false;
        uv_mutex_unlock(&w->mutex);
        bool taken = deliver(w, d);
        uv_mutex_lock(&w->mutex);
        if (taken)
            return true;
        w->stats.failed++;
        if (i + 1 < w->config.attempts && !pause_before_next(w, pause))
            return false;
        pause = usec_min(2 * pause, PAUSE_MAX_S * USEC_PER_SEC);
    }
    return false;
}

static void delivery_free(struct delivery *d)
{
    free(d->body);
    free(d);
}

static void run(void *arg)
{
    struct webhook *w = arg;
    uv_mutex_lock(&w->mutex);
    for (;;) {
        while (list_empty(&w->waiting) && !w->closing)
            uv_cond_wait(&w->changed, &w->mutex);
        if (list_empty(&w->waiting))
            break;
        struct delivery *d = container_of(w->waiting.next, struct delivery, node);
        list_remove(&d->node);
        w->n_waiting--;
        bool taken = deliver_at_last(w, d);
        if (taken)
            w->stats.delivered++;
        else
            w->stats.dropped++;
        if (!taken)
            log_warn("webhook.given_up", "event=%s id=%s", d->event, d->id);
        delivery_free(d);
    }
    uv_mutex_unlock(&w->mutex);
    uv_async_send(&w->ended);
}

/* ---- on the loop ---- */

void webhook_send(struct webhook *w, const char *id, const char *event, const char *body)
{
    struct delivery *d = calloc(1, sizeof *d);
    char *copy = strdup(body);
    uv_mutex_lock(&w->mutex);
    if (d && copy && w->n_waiting < WEBHOOK_WAITING_MAX && !w->closing) {
        snprintf(d->id, sizeof d->id, "%s", id);
        snprintf(d->event, sizeof d->event, "%s", event);
        d->body = copy;
        list_add(&w->waiting, &d->node);
        w->n_waiting++;
        uv_cond_signal(&w->changed);
        d = NULL;
        copy = NULL;
    } else {
        w->stats.dropped++;
    }
    uv_mutex_unlock(&w->mutex);
    free(copy);
    free(d);
}

void webhook_get_stats(struct webhook *w, struct webhook_stats *out)
{
    uv_mutex_lock(&w->mutex);
    *out = w->stats;
    uv_mutex_unlock(&w->mutex);
}

static void ignore(void *ctx)
{
    (void)ctx;
}

static void on_async_closed(uv_handle_t *h)
{
    struct webhook *w = h->data;
    void (*closed)(void *) = w->closed;
    void *ctx = w->closed_ctx;
    uv_cond_destroy(&w->changed);
    uv_mutex_destroy(&w->mutex);
    free(w);
    curl_global_cleanup();
    closed(ctx);
}

static void on_thread_ended(uv_async_t *async)
{
    struct webhook *w = async->data;
    uv_thread_join(&w->thread);
    uv_close((uv_handle_t *)async, on_async_closed);
}

enum err webhook_open(const struct webhook_config *config, struct webhook **out)
{
    struct webhook *w = calloc(1, sizeof *w);
    if (!w || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(w);
        return ERR_NOMEM;
    }
    w->config = *config;
    list_init(&w->waiting);
    bool made = uv_mutex_init(&w->mutex) == 0;
    bool cond = made && uv_cond_init(&w->changed) == 0;
    if (!cond || uv_async_init(config->loop, &w->ended, on_thread_ended) != 0) {
        if (cond)
            uv_cond_destroy(&w->changed);
        if (made)
            uv_mutex_destroy(&w->mutex);
        free(w);
        curl_global_cleanup();
        return ERR_NOMEM;
    }
    w->ended.data = w;
    if (uv_thread_create(&w->thread, run, w) != 0) {
        w->closed = ignore;
        uv_close((uv_handle_t *)&w->ended, on_async_closed);
        return ERR_UNAVAILABLE;
    }
    *out = w;
    return OK;
}

void webhook_close(struct webhook *w, usec grace, void (*closed)(void *ctx), void *ctx)
{
    w->closed = closed;
    w->closed_ctx = ctx;
    uv_mutex_lock(&w->mutex);
    w->closing = true;
    w->until = clock_now() + grace;
    uv_cond_signal(&w->changed);
    uv_mutex_unlock(&w->mutex);
}
