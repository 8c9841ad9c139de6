/* Inside controller/data: what is sent to PostgreSQL for a job and what comes back, over one
 * connection in pipeline mode. Writes into libpq's buffer only; the sockets are pg_engine.c's.
 *
 * A job is a row of steps, each ended by a Sync: just its statement, or BEGIN, the statements one
 * by one, and COMMIT or ROLLBACK. Single statements follow each other without waiting; a
 * transaction has the connection for itself. */
#ifndef WEIR_CONTROLLER_DATA_PG_STEPS_H
#define WEIR_CONTROLLER_DATA_PG_STEPS_H

#include <stdbool.h>

#include "common/err.h"
#include "controller/data/db_engine.h"

struct pg_conn;   /* PGconn, libpq-fe.h */
struct pg_result; /* PGresult */
struct pg_prepared;

/* Prepared statements of one connection, by text. */
struct pg_cache {
    struct pg_prepared *entries; /* owned */
    unsigned next_id;            /* names are never used again */
};

void pg_cache_clear(struct pg_cache *cache);

enum pg_stage { PG_BEGIN, PG_LOCK_LIMIT, PG_LOCK, PG_STMT, PG_END };

/* The job that runs. */
struct pg_job {
    struct list link;   /* in the engine's list of what was sent */
    struct db_job *job; /* owned until it is finished */
    enum pg_stage stage;
    size_t stmt; /* index, in PG_STMT */
};

enum pg_progress {
    PG_MORE, /* another step was sent, or this one is not over */
    PG_DONE, /* the job is over */
    PG_LOST, /* the connection is of no use any more */
};

/* Sends the job's first step. */
MUST_CHECK enum pg_progress pg_job_start(struct pg_job *pj, struct pg_conn *conn,
                                         struct pg_cache *cache);
/* Takes one result (a PGresult, which stays the caller's); at the end of a step sends the next. */
MUST_CHECK enum pg_progress pg_job_result(struct pg_job *pj, struct pg_conn *conn,
                                          struct pg_cache *cache, const struct pg_result *result);

#endif
