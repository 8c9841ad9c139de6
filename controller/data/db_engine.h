/* Inside controller/data: what db.c and the two engines know of each other. An engine takes jobs in
 * order, runs them, and gives every one back exactly once through db_job_finish. */
#ifndef WEIR_CONTROLLER_DATA_DB_ENGINE_H
#define WEIR_CONTROLLER_DATA_DB_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "common/err.h"
#include "common/list.h"
#include "common/time.h"
#include "controller/data/db.h"
#include "controller/data/db_result.h"

enum { DB_LOCK_LIMIT_SEC = 60 }; /* limit of a statement under DB_LOCK, waiting for it included */

/* A job that was handed in, with copies of all that it needs in the same allocation. */
struct db_job {
    struct list link; /* in the engine's queue */
    struct db_stmt *stmts;
    size_t n;
    unsigned flags;
    bool tx;
    db_done_fn *done; /* may be NULL */
    void *ctx;
    usec queued_at;
    /* set by the engine */
    enum err err;
    struct db_result *first; /* owned */
    struct db_result *last;  /* in the chain of first */
    char reason[256];        /* the engine's words when err is not OK */
};

/* NULL when memory is exhausted. The sum of the parameters was checked before. */
struct db_job *db_job_open(const struct db_stmt *stmts, size_t n, unsigned flags, size_t bytes);
void db_job_close(struct db_job *job);
/* Appends a statement's result, which the job owns from now on. */
void db_job_add(struct db_job *job, struct db_result *r);
/* Drops the results and keeps the first reason. */
void db_job_fail(struct db_job *job, enum err e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Whether the statement's must_match holds. */
bool db_job_matched(const struct db_stmt *stmt, const struct db_result *r);

struct db_engine_ops {
    const char *name;
    /* target: the URL after "sqlite:", or the whole PostgreSQL URL. */
    enum err (*open)(struct db *db, const char *target, void **engine);
    void (*submit)(void *engine, struct db_job *job);
    /* The grace is over: end what runs, finish all jobs with ERR_CLOSED, soon. */
    void (*abort)(void *engine);
    /* No job is left: free everything, then db_engine_closed. */
    void (*close)(void *engine);
};

extern const struct db_engine_ops db_sqlite_ops;
extern const struct db_engine_ops db_pg_ops;

struct db {
    uv_loop_t *loop; /* outlives us */
    const struct db_engine_ops *ops;
    void *engine; /* owned */
    usec statement_limit;
    usec connect_limit;
    unsigned queue_max;
    enum db_state state;
    struct db_stats stats;
    unsigned outstanding; /* jobs that the engine has */
    uv_timer_t closer;    /* end of the grace, then the close itself, never inside a callback */
    bool aborted;
    bool closer_used;
    void (*closed)(void *ctx);
    void *closed_ctx;
    char last_error[256];
};

/* By engines, on the loop's thread. Finish may call the user, who may call db_run and db_close: it
 * comes last, or with the engine in order. */
void db_job_finish(struct db *db, struct db_job *job);
void db_state_set(struct db *db, enum db_state state);
/* Why the connection failed, in the engine's words; without secrets. */
void db_error_note(struct db *db, const char *text);
void db_engine_closed(struct db *db);

#endif
