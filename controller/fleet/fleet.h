/* The media workers: spawned, spoken to, watched, replaced. One worker per core unless configured
 * otherwise. Everything runs on the controller's loop. A worker that exits, misses its heartbeat,
 * or does not read its pipe is killed and replaced; its objects are gone, and whoever had some is
 * told by on_lost. */
#ifndef WEIR_CONTROLLER_FLEET_FLEET_H
#define WEIR_CONTROLLER_FLEET_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/list.h"
#include "common/metrics.h"
#include "proto/pipe.h"

struct uv_loop_s;
struct fleet;
struct fleet_worker;

enum { FLEET_WORKERS_MAX = 256, FLEET_LISTENS_MAX = 8 };

struct fleet_listen {
    const char *ip;
    const char *announced; /* NULL: ip */
};

/* Milliseconds; 0: the default in brackets. */
struct fleet_limits {
    unsigned start_ms;     /* from its start to worker.running (10,000) */
    unsigned beat_ms;      /* between two pings (500) */
    unsigned heartbeat_ms; /* for the answer to a ping (1,500) */
    unsigned request_ms;   /* for the answer to any other request (10,000) */
    unsigned term_ms;      /* from SIGTERM to SIGKILL (2,000) */
};

struct fleet_config {
    struct uv_loop_s *loop;
    struct metrics *metrics; /* NULL: none */
    const char *worker_path; /* the executable */
    unsigned n_workers;      /* 1 .. FLEET_WORKERS_MAX */
    uint16_t port_base;      /* worker i listens on UDP and TCP port_base + i */
    struct fleet_listen listens[FLEET_LISTENS_MAX];
    size_t n_listens;
    const char *log_level;
    struct fleet_limits limits;
    /* Once, when all workers run for the first time, or with an error that says why one could not
     * start; no worker is started after that, the fleet is to be closed. */
    void (*on_started)(void *ctx, enum err e, const char *text);
    void *ctx;
};

/* Strings are copied. The workers start at once. */
MUST_CHECK enum err fleet_open(const struct fleet_config *config, struct fleet **out);
/* Ends the workers (SIGTERM, SIGKILL after 2 s); closed is called once, when all are gone. */
void fleet_close(struct fleet *f, void (*closed)(void *ctx), void *ctx);

/* The running worker with the least load, or NULL when none runs. */
struct fleet_worker *fleet_least_loaded(struct fleet *f);
size_t fleet_size(const struct fleet *f);
struct fleet_worker *fleet_worker_at(struct fleet *f, size_t i);

unsigned fleet_worker_index(const struct fleet_worker *w);
bool fleet_worker_running(const struct fleet_worker *w);
int fleet_worker_pid(const struct fleet_worker *w);
/* How often it was replaced. */
unsigned fleet_worker_restarts(const struct fleet_worker *w);
/* Load is counted by who uses a worker: transports, producers and consumers, one each. */
void fleet_worker_add_load(struct fleet_worker *w, int delta);
int fleet_worker_load(const struct fleet_worker *w);
/* Routers that rooms have in it, counted likewise. */
void fleet_worker_add_routers(struct fleet_worker *w, int delta);
int fleet_worker_routers(const struct fleet_worker *w);

/* ---- requests ---- */

/* data: the method's response struct, or NULL where it has none or e is not OK; borrowed for the
 * call. reason: a sentence from the worker, or "" .  e: the worker's answer, or ERR_CLOSED: the
 * worker was lost; ERR_TIMEOUT. */
typedef void fleet_reply_fn(void *ctx, enum err e, const char *reason, const void *data);

/* data: the method's request struct, or NULL. reply may be NULL. It is called once, later, never
 * from inside. Not OK: reply is not called; ERR_CLOSED: the worker does not run; ERR_NOMEM. */
enum err fleet_request(struct fleet_worker *w, enum pipe_method method, const char *handler_id,
                       const void *data, fleet_reply_fn *reply, void *ctx);
/* Replies for this ctx are not wanted any more: its owner is going. */
void fleet_forget(struct fleet_worker *w, const void *ctx);

/* ---- events ---- */

/* data: the event's struct, borrowed for the call, or NULL. */
typedef void fleet_event_fn(void *ctx, enum pipe_event event, const void *data);

/* In its owner's memory; events of one handler (a transport, producer, consumer ...). */
struct fleet_listener {
    struct fleet_worker *worker; /* NULL: not listening */
    char handler_id[64];
    fleet_event_fn *on_event;
    void *ctx;             /* borrowed */
    struct list same_hash; /* in the worker's table */
};

void fleet_listen(struct fleet_listener *l, struct fleet_worker *w, const char *handler_id,
                  fleet_event_fn *on_event, void *ctx);
/* Also for one that does not listen, if it was zeroed. */
void fleet_unlisten(struct fleet_listener *l);

/* ---- losses ---- */

/* In its owner's memory. on_lost: all objects in the worker are gone, its requests were answered
 * with ERR_CLOSED. on_running: it runs again. Either may be NULL. */
struct fleet_observer {
    void (*on_lost)(void *ctx, struct fleet_worker *w);
    void (*on_running)(void *ctx, struct fleet_worker *w);
    void *ctx; /* borrowed */
    struct list node;
};

void fleet_observe(struct fleet *f, struct fleet_observer *o);
void fleet_unobserve(struct fleet_observer *o);

#endif
