/* Redis, asynchronously on the loop: commands, and channels that several controllers share. It
 * comes and goes: connections are made again with growing pauses, and what cannot be sent is said
 * at once. Two connections, since one that subscribes can do nothing else. Does IO; loop's thread
 * only.
 *
 * It is up when a message to oneself went through both connections; that is repeated every second,
 * so a server that hangs is noticed within REDIS_SILENCE_MS. */
#ifndef WEIR_CONTROLLER_DATA_REDIS_H
#define WEIR_CONTROLLER_DATA_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/list.h"
#include "common/metrics.h"
#include "common/rng.h"

struct uv_loop_s;
struct redis;
struct redis_reply;

enum {
    REDIS_SILENCE_MS = 3000,
    REDIS_RETRY_MIN_MS = 100,
    REDIS_RETRY_MAX_MS = 5000,
    REDIS_PENDING_MAX = 20000, /* commands that wait for their answer */
    REDIS_ARGS_MAX = 512
};

struct redis_config {
    const char *url;    /* redis://[[user]:password@]host[:port][/database]; copied */
    const char *prefix; /* of the channel for oneself; borrowed */
    struct metrics *metrics;
    struct rng *rng;
};

/* In its owner's memory; NULL members are not called. */
struct redis_observer {
    void (*up)(void *ctx); /* no subscription is left from before */
    void (*down)(void *ctx);
    void (*subscribed)(void *ctx, const char *channel);
    void (*message)(void *ctx, const char *channel, const char *payload, size_t n);
    void *ctx; /* borrowed */
    struct list node;
};

/* ERR_MALFORMED: url. Connecting goes on behind. */
MUST_CHECK enum err redis_open(struct redis **out, struct uv_loop_s *loop,
                               const struct redis_config *config);
void redis_close(struct redis *r, void (*closed)(void *ctx), void *ctx);
/* For settings: whether a URL can be used; nothing is connected. */
bool redis_url_is_valid(const char *url);

/* If it is up already, up is not called. */
void redis_observe(struct redis *r, struct redis_observer *o);
void redis_unobserve(struct redis_observer *o);
bool redis_is_up(const struct redis *r);

/* reply is NULL unless e is OK. ERR_UNAVAILABLE: the connection broke; whether the command took
 * effect is not known. ERR_IO: the server refused it (logged). */
typedef void redis_reply_fn(void *ctx, enum err e, const struct redis_reply *reply);
/* OK: done is called exactly once, later or while the connection breaks. It may be NULL. Else it is
 * not called: ERR_UNAVAILABLE, ERR_FULL. At most REDIS_ARGS_MAX arguments, copied. */
MUST_CHECK enum err redis_command(struct redis *r, const char *const *args, const size_t *lengths,
                                  size_t n, redis_reply_fn *done, void *ctx);

/* While it is up; else they do nothing. */
void redis_subscribe(struct redis *r, const char *channel);
void redis_unsubscribe(struct redis *r, const char *channel);

/* Of a list: its elements; else 1. */
size_t redis_reply_count(const struct redis_reply *reply);
/* NUL-terminated; NULL: it is no text. */
const char *redis_reply_text(const struct redis_reply *reply, size_t i, size_t *n);

#endif
