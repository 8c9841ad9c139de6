#include "controller/data/pg_link.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

enum {
    PAUSE_MS_MIN = 100,
    PAUSE_MS_MAX = 5000,
    ADDRESSES_MAX = 8, /* of one host name */
    OPTIONS_MAX = 64,  /* libpq 15 has 40 */
};

struct pg_dns {
    uv_getaddrinfo_t req;
    struct pg_link *link; /* NULL: nobody waits for it any more */
};

static void connect_now(struct pg_link *l);
static void watch(struct pg_link *l, int events);

/* ---- life ---- */

static const char *option(const struct pg_link *l, const char *name)
{
    for (PQconninfoOption *o = l->options; o->keyword; o++) {
        if (strcmp(o->keyword, name) == 0)
            return o->val;
    }
    return NULL;
}

enum err pg_link_init(struct pg_link *l, uv_loop_t *loop, const char *url, usec connect_limit,
                      const struct pg_link_events *events, void *ctx)
{
    *l = (struct pg_link){
        .loop = loop, .events = *events, .ctx = ctx, .connect_limit = connect_limit};
    /* libpq's message repeats the URL with its password: dropped. */
    l->options = PQconninfoParse(url, NULL);
    return l->options ? OK : ERR_MALFORMED;
}

static void link_free(struct pg_link *l)
{
    PQconninfoFree(l->options);
    free(l->hosts);
    free(l->addresses);
    l->options = NULL;
    l->hosts = l->addresses = NULL;
}

static void handle_gone(struct pg_link *l)
{
    if (--l->handles == 0 && l->closing) {
        link_free(l);
        l->events.closed(l->ctx);
    }
}

static void timer_closed(uv_handle_t *handle)
{
    handle_gone(handle->data);
}

static void poll_closed(uv_handle_t *handle)
{
    struct pg_link *l = handle->data;
    free(handle);
    handle_gone(l);
}

static void unwatch(struct pg_link *l)
{
    if (l->poll)
        uv_close((uv_handle_t *)l->poll, poll_closed);
    l->poll = NULL;
}

/* The socket is unwatched before libpq closes it. */
static void disconnect(struct pg_link *l)
{
    unwatch(l);
    if (l->dns) {
        uv_cancel((uv_req_t *)&l->dns->req);
        l->dns->link = NULL;
        l->dns = NULL;
    }
    PQfinish(l->conn);
    l->conn = NULL;
    l->up = false;
}

void pg_link_close(struct pg_link *l)
{
    l->closing = true;
    disconnect(l);
    uv_close((uv_handle_t *)&l->timer, timer_closed);
}

/* ---- attempts ---- */

static void timer_cb(uv_timer_t *timer)
{
    struct pg_link *l = timer->data;
    if (l->conn || l->dns)
        pg_link_drop(l, "connecting took too long");
    else
        connect_now(l);
}

void pg_link_start(struct pg_link *l)
{
    uv_timer_init(l->loop, &l->timer);
    l->timer.data = l;
    l->handles++;
    uv_timer_start(&l->timer, timer_cb, 0, 0);
}

void pg_link_drop(struct pg_link *l, const char *reason)
{
    char copy[256]; /* reason may be libpq's, which goes with the connection */
    snprintf(copy, sizeof copy, "%s", reason);
    disconnect(l);
    free(l->addresses);
    free(l->hosts);
    l->addresses = l->hosts = NULL; /* the name may lead elsewhere next time */
    uint64_t ms = (uint64_t)PAUSE_MS_MIN << (l->failures < 6 ? l->failures : 6);
    if (ms > PAUSE_MS_MAX)
        ms = PAUSE_MS_MAX;
    l->failures++;
    /* Several programs lost it at the same time; they should not all come back at once. */
    ms += uv_hrtime() / 1000 % (ms / 4 + 1);
    uv_timer_start(&l->timer, timer_cb, ms, 0);
    l->events.down(l->ctx, copy);
}

static void connected(struct pg_link *l)
{
    uv_timer_stop(&l->timer);
    if (PQsetnonblocking(l->conn, 1) != 0 || PQenterPipelineMode(l->conn) != 1) {
        pg_link_drop(l, PQerrorMessage(l->conn));
        return;
    }
    l->failures = 0;
    l->up = true;
    watch(l, UV_READABLE);
    if (l->poll)
        l->events.up(l->ctx);
}

static void connect_step(struct pg_link *l)
{
    /* libpq may close the socket and open another, even of the same number. */
    unwatch(l);
    switch (PQconnectPoll(l->conn)) {
    case PGRES_POLLING_OK:
        connected(l);
        return;
    case PGRES_POLLING_READING:
        watch(l, UV_READABLE);
        return;
    case PGRES_POLLING_WRITING:
    case PGRES_POLLING_ACTIVE:
        watch(l, UV_WRITABLE);
        return;
    case PGRES_POLLING_FAILED:
        break;
    }
    pg_link_drop(l, PQerrorMessage(l->conn));
}

static void on_up_event(struct pg_link *l, int status, int events)
{
    bool fine = true;
    if (status < 0 || (events & UV_READABLE) != 0)
        fine = PQconsumeInput(l->conn) == 1;
    /* What came before the end still counts. */
    l->events.input(l->ctx);
    if (!l->up)
        return;
    if (!fine || PQstatus(l->conn) == CONNECTION_BAD || !pg_link_flush(l))
        pg_link_drop(l, PQerrorMessage(l->conn));
}

static void poll_cb(uv_poll_t *poll, int status, int events)
{
    struct pg_link *l = poll->data;
    if (l->up)
        on_up_event(l, status, events);
    else
        connect_step(l); /* also when status < 0: libpq finds the error itself, or goes on */
}

/* On failure the connection is dropped. */
static void watch(struct pg_link *l, int events)
{
    if (!l->poll) {
        uv_poll_t *poll = malloc(sizeof *poll);
        if (!poll || uv_poll_init(l->loop, poll, PQsocket(l->conn)) != 0) {
            free(poll);
            pg_link_drop(l, "the socket cannot be watched");
            return;
        }
        poll->data = l;
        l->poll = poll;
        l->handles++;
    }
    uv_poll_start(l->poll, events, poll_cb);
}

bool pg_link_flush(struct pg_link *l)
{
    int left = PQflush(l->conn);
    if (left < 0)
        return false;
    watch(l, left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
    return true;
}

/* ---- names ---- */

static void notice(void *ctx, const char *message)
{
    (void)ctx;
    char quoted[300];
    log_debug("db.notice", "text=%s", log_quote(message, quoted, sizeof quoted));
}

static void connect_libpq(struct pg_link *l)
{
    const char *keys[OPTIONS_MAX + 4];
    const char *values[OPTIONS_MAX + 4];
    int n = 0;
    for (PQconninfoOption *o = l->options; o->keyword && n < OPTIONS_MAX; o++) {
        bool replaced = l->addresses && strcmp(o->keyword, "host") == 0;
        if (!o->val || replaced || strcmp(o->keyword, "client_encoding") == 0)
            continue;
        keys[n] = o->keyword;
        values[n++] = o->val;
    }
    if (l->addresses) {
        keys[n] = "host";
        values[n++] = l->hosts;
        keys[n] = "hostaddr";
        values[n++] = l->addresses;
    }
    keys[n] = "client_encoding";
    values[n++] = "UTF8";
    keys[n] = "fallback_application_name";
    values[n++] = "weir";
    keys[n] = values[n] = NULL;
    l->conn = PQconnectStartParams(keys, values, 0);
    if (!l->conn || PQstatus(l->conn) == CONNECTION_BAD) {
        pg_link_drop(l, l->conn ? PQerrorMessage(l->conn) : "out of memory");
        return;
    }
    PQsetNoticeProcessor(l->conn, notice, NULL);
    watch(l, UV_WRITABLE);
}

/* libpq's form of several addresses of one name: two lists of the same length. */
static bool keep_addresses(struct pg_link *l, const char *host, const struct addrinfo *list)
{
    size_t size = ADDRESSES_MAX * (strlen(host) + 1 + INET6_ADDRSTRLEN + 1) + 1;
    l->hosts = calloc(1, size);
    l->addresses = calloc(1, size);
    if (!l->hosts || !l->addresses)
        return false;
    int n = 0;
    for (const struct addrinfo *a = list; a && n < ADDRESSES_MAX; a = a->ai_next) {
        char text[INET6_ADDRSTRLEN];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0)
            continue;
        snprintf(l->hosts + strlen(l->hosts), size - strlen(l->hosts), n > 0 ? ",%s" : "%s", host);
        snprintf(l->addresses + strlen(l->addresses), size - strlen(l->addresses),
                 n > 0 ? ",%s" : "%s", text);
        n++;
    }
    return n > 0;
}

static void dns_cb(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct pg_dns *dns = req->data;
    struct pg_link *l = dns->link;
    if (l) {
        l->dns = NULL;
        const char *host = option(l, "host");
        if (status == 0 && keep_addresses(l, host, list))
            connect_libpq(l);
        else
            pg_link_drop(l, status < 0 ? uv_strerror(status) : "the host has no address");
    }
    uv_freeaddrinfo(list);
    free(dns);
}

/* A single name that libpq would resolve, and block the loop with. */
static bool must_resolve(const struct pg_link *l, const char *host)
{
    unsigned char ip[16];
    const char *hostaddr = option(l, "hostaddr");
    return host && host[0] != '\0' && host[0] != '/' && host[0] != '@' && !strchr(host, ',') &&
           (!hostaddr || hostaddr[0] == '\0') && inet_pton(AF_INET, host, ip) != 1 &&
           inet_pton(AF_INET6, host, ip) != 1;
}

static void connect_now(struct pg_link *l)
{
    uv_timer_start(&l->timer, timer_cb, (uint64_t)(l->connect_limit / USEC_PER_MSEC), 0);
    const char *host = option(l, "host");
    if (!must_resolve(l, host)) {
        connect_libpq(l);
        return;
    }
    struct pg_dns *dns = calloc(1, sizeof *dns);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    if (dns) {
        dns->link = l;
        dns->req.data = dns;
        if (uv_getaddrinfo(l->loop, &dns->req, dns_cb, host, NULL, &hints) == 0) {
            l->dns = dns;
            return;
        }
    }
    free(dns);
    pg_link_drop(l, "the name cannot be looked up");
}
