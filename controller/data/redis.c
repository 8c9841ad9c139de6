#include "controller/data/redis.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/log.h"
#include "controller/data/redis_loop.h"
#include "controller/data/redis_url.h"

enum { TICK_MS = 100, BEAT_MS = 1000, QUOTED_MAX = 300 };

/* Legal ways: IDLE → RESOLVING → CONNECTING → UP, and from each back to IDLE. */
enum redis_state { IDLE, RESOLVING, CONNECTING, UP };

struct redis {
    uv_loop_t *loop;
    struct redis_url url;
    struct list observers;
    enum redis_state state;
    redisAsyncContext *commands; /* owned */
    redisAsyncContext *channels; /* owned */
    uv_getaddrinfo_t lookup;
    uv_timer_t tick;
    char self[128];     /* channel */
    unsigned connected; /* of the two */
    unsigned pending;
    unsigned tries; /* one address of the host after the other */
    bool breaking;  /* a connection is going: nothing is sent any more */
    bool closing;
    bool told;         /* that it is away, in the log */
    uint64_t since_ms; /* the state */
    uint64_t beat_ms;  /* sent */
    uint64_t heard_ms;
    uint64_t retry_ms; /* pause before the next try */
    struct metric *is_up;
    struct metric *lost;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct call {
    struct redis *redis;
    redis_reply_fn *done; /* NULL: nobody waits */
    void *ctx;
};

#define TELL(r, member, ...)                                                                       \
    list_each (node, &(r)->observers) {                                                            \
        struct redis_observer *o = container_of(node, struct redis_observer, node);                \
        if (o->member)                                                                             \
            o->member(__VA_ARGS__);                                                                \
    }

static void set_state(struct redis *r, enum redis_state state)
{
    r->state = state;
    r->since_ms = uv_now(r->loop);
    metric_set(r->is_up, state == UP);
}

static void drop(redisAsyncContext **at)
{
    redisAsyncContext *ac = *at;
    *at = NULL;
    if (!ac)
        return;
    ac->data = NULL;
    redisAsyncFree(ac); /* ends what waits */
}

/* Back to the beginning; why: for the log. */
static void give_up(struct redis *r, const char *why)
{
    char quoted[QUOTED_MAX];
    bool was_up = r->state == UP;
    if (r->state == IDLE || r->state == RESOLVING)
        return;
    r->breaking = true;
    set_state(r, IDLE);
    drop(&r->commands);
    drop(&r->channels);
    r->connected = 0;
    r->breaking = false;
    if (was_up) {
        metric_add(r->lost, 1);
        r->retry_ms = REDIS_RETRY_MIN_MS;
    }
    if ((was_up || !r->told) && !r->closing)
        log_warn("redis.away", "why=%s", log_quote(why, quoted, sizeof quoted));
    r->told = true;
    if (was_up)
        TELL(r, down, o->ctx)
}

/* ---- commands ---- */

static void on_reply(redisAsyncContext *ac, void *reply, void *privdata)
{
    struct call c = *(struct call *)privdata;
    redisReply *got = reply;
    free(privdata);
    (void)ac;
    c.redis->pending--;
    enum err e = OK;
    if (!got) {
        c.redis->breaking = true;
        e = ERR_UNAVAILABLE;
    } else if (got->type == REDIS_REPLY_ERROR) {
        char quoted[QUOTED_MAX];
        log_warn("redis.refused", "why=%s", log_quote(got->str, quoted, sizeof quoted));
        e = ERR_IO;
    }
    if (c.done)
        c.done(c.ctx, e, e == OK ? (const struct redis_reply *)got : NULL);
}

static enum err send_command(struct redis *r, const char *const *args, const size_t *lengths,
                             size_t n, redis_reply_fn *done, void *ctx)
{
    if (n > REDIS_ARGS_MAX || r->pending >= REDIS_PENDING_MAX)
        return ERR_FULL;
    struct call *c = malloc(sizeof *c);
    if (!c)
        return ERR_FULL;
    *c = (struct call){r, done, ctx};
    r->pending++;
    /* hiredis does not change the arguments; its prototype lacks a const. */
    if (redisAsyncCommandArgv(r->commands, on_reply, c, (int)n, (const char **)(uintptr_t)args,
                              lengths) == REDIS_OK)
        return OK;
    r->pending--;
    free(c);
    return ERR_UNAVAILABLE;
}

enum err redis_command(struct redis *r, const char *const *args, const size_t *lengths, size_t n,
                       redis_reply_fn *done, void *ctx)
{
    if (!redis_is_up(r))
        return ERR_UNAVAILABLE;
    return send_command(r, args, lengths, n, done, ctx);
}

size_t redis_reply_count(const struct redis_reply *reply)
{
    const redisReply *r = (const redisReply *)reply;
    return r->type == REDIS_REPLY_ARRAY ? r->elements : 1;
}

const char *redis_reply_text(const struct redis_reply *reply, size_t i, size_t *n)
{
    const redisReply *r = (const redisReply *)reply;
    if (r->type == REDIS_REPLY_ARRAY)
        r = i < r->elements ? r->element[i] : NULL;
    if (!r || (r->type != REDIS_REPLY_STRING && r->type != REDIS_REPLY_STATUS))
        return NULL;
    *n = (size_t)r->len;
    return r->str;
}

/* ---- channels ---- */

static void became_up(struct redis *r)
{
    set_state(r, UP);
    r->retry_ms = REDIS_RETRY_MIN_MS;
    r->told = false;
    log_info("redis.up", "host=%s port=%s", r->url.host, r->url.port);
    TELL(r, up, o->ctx)
}

static void beat(struct redis *r)
{
    const char *args[] = {"PUBLISH", r->self, "."};
    r->beat_ms = uv_now(r->loop);
    if (r->commands && !r->breaking)
        (void)send_command(r, args, NULL, 3, NULL, NULL); /* what fails is seen by the silence */
}

static void on_channel(redisAsyncContext *ac, void *reply, void *privdata)
{
    struct redis *r = privdata;
    const redisReply *got = reply;
    if (!got || !ac->data || got->type != REDIS_REPLY_ARRAY || got->elements < 3 ||
        got->element[0]->type != REDIS_REPLY_STRING || got->element[1]->type != REDIS_REPLY_STRING)
        return;
    const char *kind = got->element[0]->str;
    const char *channel = got->element[1]->str;
    bool own = strcmp(channel, r->self) == 0;
    if (strcmp(kind, "message") == 0 && own) {
        r->heard_ms = uv_now(r->loop);
        if (r->state == CONNECTING)
            became_up(r);
    } else if (strcmp(kind, "message") == 0 && got->element[2]->type == REDIS_REPLY_STRING) {
        TELL(r, message, o->ctx, channel, got->element[2]->str, (size_t)got->element[2]->len)
    } else if (strcmp(kind, "subscribe") == 0 && own) {
        beat(r);
    } else if (strcmp(kind, "subscribe") == 0) {
        TELL(r, subscribed, o->ctx, channel)
    }
}

void redis_subscribe(struct redis *r, const char *channel)
{
    if (redis_is_up(r) && r->channels)
        redisAsyncCommand(r->channels, on_channel, r, "SUBSCRIBE %s", channel);
}

void redis_unsubscribe(struct redis *r, const char *channel)
{
    if (redis_is_up(r) && r->channels)
        redisAsyncCommand(r->channels, on_channel, r, "UNSUBSCRIBE %s", channel);
}

/* ---- connecting ---- */

static void on_login(redisAsyncContext *ac, void *reply, void *privdata)
{
    const redisReply *got = reply;
    char quoted[QUOTED_MAX];
    (void)privdata;
    if (got && got->type == REDIS_REPLY_ERROR && ac->data) {
        struct redis *r = ac->data;
        if (!r->told)
            log_warn("redis.refused", "why=%s", log_quote(got->str, quoted, sizeof quoted));
        r->told = true;
    }
}

static void log_in(struct redis *r, redisAsyncContext *ac)
{
    const struct redis_url *u = &r->url;
    if (u->password[0] != '\0' && u->user[0] != '\0')
        redisAsyncCommand(ac, on_login, NULL, "AUTH %s %s", u->user, u->password);
    else if (u->password[0] != '\0')
        redisAsyncCommand(ac, on_login, NULL, "AUTH %s", u->password);
    if (strcmp(u->database, "0") != 0)
        redisAsyncCommand(ac, on_login, NULL, "SELECT %s", u->database);
}

/* hiredis frees a context that broke after these two return. */
static void broke(struct redis *r, const redisAsyncContext *ac)
{
    char why[200];
    snprintf(why, sizeof why, "%s", ac->errstr && ac->errstr[0] ? ac->errstr : "connection closed");
    if (r->commands == ac)
        r->commands = NULL;
    if (r->channels == ac)
        r->channels = NULL;
    give_up(r, why);
}

static void on_disconnected(const redisAsyncContext *ac, int status)
{
    (void)status;
    if (ac->data)
        broke(ac->data, ac);
}

static void on_connected(const redisAsyncContext *ac, int status)
{
    struct redis *r = ac->data;
    if (!r)
        return;
    if (status != REDIS_OK) {
        broke(r, ac);
        return;
    }
    if (++r->connected < 2)
        return;
    log_in(r, r->commands);
    log_in(r, r->channels);
    redisAsyncCommand(r->channels, on_channel, r, "SUBSCRIBE %s", r->self);
}

static redisAsyncContext *open_context(struct redis *r, const char *ip, int port)
{
    redisAsyncContext *ac = redisAsyncConnect(ip, port);
    if (!ac)
        return NULL;
    if (ac->err != 0 || redis_loop_attach(ac, r->loop) != OK) {
        redisAsyncFree(ac);
        return NULL;
    }
    ac->data = r;
    redisAsyncSetConnectCallback(ac, on_connected);
    redisAsyncSetDisconnectCallback(ac, on_disconnected);
    return ac;
}

static void connect_both(struct redis *r, const char *ip)
{
    int port = atoi(r->url.port);
    set_state(r, CONNECTING);
    r->connected = 0;
    r->breaking = false;
    r->commands = open_context(r, ip, port);
    r->channels = r->commands ? open_context(r, ip, port) : NULL;
    if (!r->channels)
        give_up(r, "cannot connect");
}

static void finish_close(struct redis *r);

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct redis *r = req->data;
    char ip[64] = "";
    unsigned n = 0;
    for (const struct addrinfo *a = status == 0 ? list : NULL; a; a = a->ai_next)
        n++;
    const struct addrinfo *chosen = list;
    for (unsigned i = n > 0 ? r->tries++ % n : 0; i > 0; i--)
        chosen = chosen->ai_next;
    if (n > 0)
        (void)getnameinfo(chosen->ai_addr, chosen->ai_addrlen, ip, sizeof ip, NULL, 0,
                          NI_NUMERICHOST);
    uv_freeaddrinfo(list);
    set_state(r, IDLE);
    if (r->closing) {
        finish_close(r);
    } else if (ip[0] != '\0') {
        connect_both(r, ip);
    } else if (!r->told) {
        log_warn("redis.away", "why=\"%s cannot be resolved\"", r->url.host);
        r->told = true;
    }
}

static void start(struct redis *r)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    r->lookup.data = r;
    if (uv_getaddrinfo(r->loop, &r->lookup, on_resolved, r->url.host, r->url.port, &hints) == 0)
        set_state(r, RESOLVING);
}

static void on_tick(uv_timer_t *timer)
{
    struct redis *r = timer->data;
    uint64_t now = uv_now(r->loop);
    switch (r->state) {
    case IDLE:
        if (now - r->since_ms >= r->retry_ms) {
            r->retry_ms =
                r->retry_ms * 2 < REDIS_RETRY_MAX_MS ? r->retry_ms * 2 : REDIS_RETRY_MAX_MS;
            start(r);
        }
        break;
    case RESOLVING:
        break;
    case CONNECTING:
        if (now - r->since_ms >= REDIS_SILENCE_MS)
            give_up(r, "no answer");
        break;
    case UP:
        if (now - r->heard_ms >= REDIS_SILENCE_MS)
            give_up(r, "no answer");
        else if (now - r->beat_ms >= BEAT_MS)
            beat(r);
        break;
    }
}

/* ---- life ---- */

bool redis_url_is_valid(const char *url)
{
    struct redis_url parsed;
    return redis_url_parse(url, &parsed) == OK;
}

enum err redis_open(struct redis **out, struct uv_loop_s *loop, const struct redis_config *config)
{
    struct redis *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    enum err e = redis_url_parse(config->url, &r->url);
    if (e != OK) {
        free(r);
        return e;
    }
    char id[37];
    rng_uuid(config->rng, id);
    snprintf(r->self, sizeof r->self, "%.64snode:%s", config->prefix, id);
    r->loop = loop;
    list_init(&r->observers);
    r->is_up = metric_gauge(config->metrics, "weir_redis_up", "Redis can be used now.", NULL, 0);
    r->lost = metric_counter(config->metrics, "weir_redis_lost_total",
                             "Times that Redis went away.", NULL, 0);
    uv_timer_init(loop, &r->tick);
    r->tick.data = r;
    uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
    set_state(r, IDLE);
    r->retry_ms = REDIS_RETRY_MIN_MS;
    start(r);
    *out = r;
    return OK;
}

void redis_observe(struct redis *r, struct redis_observer *o)
{
    list_add(&r->observers, &o->node);
}

void redis_unobserve(struct redis_observer *o)
{
    list_remove(&o->node);
}

bool redis_is_up(const struct redis *r)
{
    return r->state == UP && !r->breaking;
}

static void on_tick_closed(uv_handle_t *h)
{
    struct redis *r = h->data;
    void (*closed)(void *) = r->closed;
    void *ctx = r->closed_ctx;
    free(r);
    if (closed)
        closed(ctx);
}

static void finish_close(struct redis *r)
{
    if (r->state != RESOLVING)
        uv_close((uv_handle_t *)&r->tick, on_tick_closed);
}

void redis_close(struct redis *r, void (*closed)(void *ctx), void *ctx)
{
    r->closing = true;
    r->closed = closed;
    r->closed_ctx = ctx;
    uv_timer_stop(&r->tick);
    give_up(r, "closing");
    finish_close(r);
}
