#include "controller/storage/storage.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/clock.h"
#include "common/list.h"
#include "common/log.h"
#include "controller/storage/s3_client.h"

#define RETRY_MAX (60 * USEC_PER_SEC)

struct job {
    struct list node;
    struct storage *parent;
    char key[STORAGE_KEY_MAX];
    char *path;               /* owned; NULL: delete */
    const char *content_type; /* borrowed */
    storage_done_fn *done;
    void *ctx;
    enum err e;
    unsigned retries;
};

struct storage {
    struct storage_config config;
    struct s3_client *client; /* owned; NULL: local. The thread's, but for its addresses */
    uv_thread_t thread;
    uv_async_t async;
    uv_mutex_t lock; /* for the next two, and cond */
    struct list waiting;
    struct list ready; /* answers for the loop */
    uv_cond_t cond;
    atomic_bool cancel;
    struct metric *puts;
    struct metric *retries;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- in the thread ---- */

static bool worth_retrying(enum err e)
{
    return e == ERR_UNAVAILABLE || e == ERR_TIMEOUT;
}

static enum err do_once(struct storage *s, const struct job *j, char why[S3_WHY_MAX])
{
    why[0] = '\0';
    if (j->path)
        return s3_client_put(s->client, j->key, j->path, j->content_type, why);
    return s3_client_delete(s->client, j->key, why);
}

/* False: it is being closed. */
static bool wait_for(struct storage *s, usec how_long)
{
    uv_mutex_lock(&s->lock);
    if (!atomic_load(&s->cancel))
        (void)uv_cond_timedwait(&s->cond, &s->lock, (uint64_t)how_long * 1000);
    uv_mutex_unlock(&s->lock);
    return !atomic_load(&s->cancel);
}

static void do_job(struct storage *s, struct job *j)
{
    char why[S3_WHY_MAX];
    usec pause = s->config.retry_min;
    while ((j->e = do_once(s, j, why)) != OK && worth_retrying(j->e)) {
        log_warn("storage.retry", "key=%s in_ms=%lld why=\"%s\"", j->key,
                 (long long)(pause / USEC_PER_MSEC), why);
        j->retries++;
        usec until = clock_now() + pause;
        /* New jobs wake it, too. */
        while (clock_now() < until) {
            if (!wait_for(s, until - clock_now())) {
                j->e = ERR_CLOSED;
                return;
            }
        }
        pause = pause * 2 < RETRY_MAX ? pause * 2 : RETRY_MAX;
    }
    if (j->e != OK && j->e != ERR_CLOSED && j->e != ERR_NOT_FOUND)
        log_error("storage.refused", "key=%s why=\"%s\"", j->key, why);
}

static void run_thread(void *ctx)
{
    struct storage *s = ctx;
    uv_mutex_lock(&s->lock);
    for (;;) {
        while (list_empty(&s->waiting) && !atomic_load(&s->cancel))
            uv_cond_wait(&s->cond, &s->lock);
        if (list_empty(&s->waiting))
            break;
        struct job *j = container_of(s->waiting.next, struct job, node);
        list_remove(&j->node);
        uv_mutex_unlock(&s->lock);
        if (atomic_load(&s->cancel))
            j->e = ERR_CLOSED;
        else
            do_job(s, j);
        uv_mutex_lock(&s->lock);
        list_add(&s->ready, &j->node);
        uv_async_send(&s->async);
    }
    uv_mutex_unlock(&s->lock);
}

/* ---- on the loop ---- */

static void on_ready(uv_async_t *async)
{
    struct storage *s = async->data;
    struct list ready;
    list_init(&ready);
    uv_mutex_lock(&s->lock);
    while (!list_empty(&s->ready)) {
        struct list *node = s->ready.next;
        list_remove(node);
        list_add(&ready, node);
    }
    uv_mutex_unlock(&s->lock);
    while (!list_empty(&ready)) {
        struct job *j = container_of(ready.next, struct job, node);
        storage_done_fn *done = j->done;
        void *ctx = j->ctx;
        enum err e = j->e;
        metric_add(s->retries, j->retries);
        if (e == OK && j->path)
            metric_add(s->puts, 1);
        list_remove(&j->node);
        free(j->path);
        free(j);
        if (done)
            done(ctx, e);
    }
}

static enum err add_job(struct storage *s, const char *key, const char *path,
                        const char *content_type, storage_done_fn *done, void *ctx)
{
    struct job *j = calloc(1, sizeof *j);
    if (!j || strlen(key) >= sizeof j->key || (path && !(j->path = strdup(path)))) {
        free(j);
        return strlen(key) >= STORAGE_KEY_MAX ? ERR_TOO_LARGE : ERR_NOMEM;
    }
    snprintf(j->key, sizeof j->key, "%s", key);
    j->parent = s;
    j->content_type = content_type;
    j->done = done;
    j->ctx = ctx;
    uv_mutex_lock(&s->lock);
    /* Local ones are done before they begin. */
    list_add(s->client ? &s->waiting : &s->ready, &j->node);
    uv_cond_signal(&s->cond);
    uv_mutex_unlock(&s->lock);
    if (!s->client)
        uv_async_send(&s->async);
    return OK;
}

enum err storage_put(struct storage *s, const char *key, const char *path, const char *content_type,
                     storage_done_fn *done, void *ctx)
{
    return add_job(s, key, path, content_type, done, ctx);
}

enum err storage_delete(struct storage *s, const char *key, storage_done_fn *done, void *ctx)
{
    return add_job(s, key, NULL, NULL, done, ctx);
}

bool storage_is_remote(const struct storage *s)
{
    return s->client != NULL;
}

enum err storage_url(const struct storage *s, const char *key, const char *disposition,
                     char out[STORAGE_URL_MAX])
{
    if (!s->client)
        return ERR_UNSUPPORTED;
    return s3_client_url(s->client, key, clock_wall() / USEC_PER_SEC,
                         (unsigned)(s->config.url_lifetime / USEC_PER_SEC), disposition, out);
}

/* ---- life ---- */

static enum err open_remote(struct storage *s)
{
    const struct storage_config *c = &s->config;
    struct s3_config config = {.endpoint = c->endpoint,
                               .region = c->region,
                               .bucket = c->bucket,
                               .prefix = c->prefix,
                               .access_key = c->access_key,
                               .secret_key = c->secret_key,
                               .path_style = c->path_style,
                               .part_size = c->part_size,
                               .cancel = &s->cancel};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return ERR_NOMEM;
    enum err e = s3_client_open(&config, &s->client);
    if (e == OK && uv_thread_create(&s->thread, run_thread, s) != 0)
        e = ERR_IO;
    return e;
}

/* libcurl looks at cancel at least once a second. */
static void stop_thread(struct storage *s)
{
    uv_mutex_lock(&s->lock);
    atomic_store(&s->cancel, true);
    uv_cond_signal(&s->cond);
    uv_mutex_unlock(&s->lock);
    if (s->client)
        uv_thread_join(&s->thread);
}

enum err storage_open(const struct storage_config *config, struct storage **out)
{
    struct storage *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->config = *config;
    list_init(&s->waiting);
    list_init(&s->ready);
    atomic_init(&s->cancel, false);
    if (uv_mutex_init(&s->lock) != 0 || uv_cond_init(&s->cond) != 0) {
        free(s);
        return ERR_NOMEM;
    }
    s->puts = metric_counter(config->metrics, "weir_storage_puts_total",
                             "Files that storage has taken.", NULL, 0);
    s->retries = metric_counter(config->metrics, "weir_storage_retries_total",
                                "Tries that storage did not answer as hoped.", NULL, 0);
    enum err e = config->endpoint[0] ? open_remote(s) : OK;
    if (e == OK && uv_async_init(config->loop, &s->async, on_ready) != 0) {
        e = ERR_NOMEM;
        stop_thread(s);
    }
    if (e != OK) {
        s3_client_close(s->client);
        uv_cond_destroy(&s->cond);
        uv_mutex_destroy(&s->lock);
        free(s);
        return e;
    }
    s->async.data = s;
    *out = s;
    return OK;
}

static void on_closed(uv_handle_t *h)
{
    struct storage *s = h->data;
    void (*closed)(void *) = s->closed;
    void *ctx = s->closed_ctx;
    s3_client_close(s->client);
    uv_cond_destroy(&s->cond);
    uv_mutex_destroy(&s->lock);
    free(s);
    if (closed)
        closed(ctx);
}

void storage_close(struct storage *s, void (*closed)(void *ctx), void *ctx)
{
    s->closed = closed;
    s->closed_ctx = ctx;
    stop_thread(s);
    on_ready(&s->async);
    uv_close((uv_handle_t *)&s->async, on_closed);
}
