/* Inside controller/data: one connection to PostgreSQL on the loop: resolves, connects, watches the
 * socket, and connects again with growing pauses after it was lost. Does IO, never blocks (except
 * in libpq's own name resolution where the URL lists several hosts). */
#ifndef WEIR_CONTROLLER_DATA_PG_LINK_H
#define WEIR_CONTROLLER_DATA_PG_LINK_H

#include <stdbool.h>
#include <uv.h>

#include "common/err.h"
#include "common/time.h"

struct pg_conn; /* PGconn, libpq-fe.h */
struct pg_dns;
struct _PQconninfoOption;

struct pg_link_events {
    /* Connected, non-blocking and in pipeline mode. */
    void (*up)(void *ctx);
    /* Bytes came in: see PQisBusy. */
    void (*input)(void *ctx);
    /* The connection is gone, or could not be made; a new attempt is scheduled. */
    void (*down)(void *ctx, const char *reason);
    /* After pg_link_close: nothing of the link is in the loop any more. */
    void (*closed)(void *ctx);
};

struct pg_link {
    uv_loop_t *loop; /* outlives us */
    struct pg_link_events events;
    void *ctx;
    struct _PQconninfoOption *options; /* owned: the parsed URL */
    char *hosts;                       /* owned: what names resolved to; NULL: as in the URL */
    char *addresses;                   /* owned */
    usec connect_limit;
    struct pg_conn *conn; /* owned; NULL between attempts */
    uv_poll_t *poll;      /* owned, by the loop after uv_close */
    struct pg_dns *dns;   /* runs; NULL: none */
    uv_timer_t timer;     /* end of an attempt, or of the pause before the next */
    unsigned failures;    /* attempts in a row */
    unsigned handles;     /* that the loop still knows */
    bool up;
    bool closing;
};

/* ERR_MALFORMED: libpq cannot parse the URL. Nothing runs before pg_link_start. */
MUST_CHECK enum err pg_link_init(struct pg_link *l, uv_loop_t *loop, const char *url,
                                 usec connect_limit, const struct pg_link_events *events,
                                 void *ctx);
void pg_link_start(struct pg_link *l);
/* Sends what libpq has buffered. False: the connection is lost; the caller then drops it. */
bool pg_link_flush(struct pg_link *l);
/* Ends the connection, calls down. */
void pg_link_drop(struct pg_link *l, const char *reason);
void pg_link_close(struct pg_link *l);

#endif
