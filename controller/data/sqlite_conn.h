/* Inside controller/data: one SQLite connection and how it runs a job. Used by one thread; does
 * file IO and blocks. */
#ifndef WEIR_CONTROLLER_DATA_SQLITE_CONN_H
#define WEIR_CONTROLLER_DATA_SQLITE_CONN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/time.h"
#include "controller/data/db_engine.h"

struct sqlite3;
struct sqlite_cached;

struct sqlite_conn {
    struct sqlite3 *handle;      /* owned; NULL: not open */
    struct sqlite_cached *cache; /* owned: prepared statements by text */
    const atomic_bool *abort;    /* set by the loop's thread: end at once */
    usec limit;                  /* of one statement */
    usec deadline;               /* of the statement that runs */
};

void sqlite_conn_init(struct sqlite_conn *c, usec limit, const atomic_bool *abort);
/* reason: what went wrong, n bytes. */
MUST_CHECK enum err sqlite_conn_open(struct sqlite_conn *c, const char *path, char *reason,
                                     size_t n);
void sqlite_conn_close(struct sqlite_conn *c);
/* Fills in the job's results or its error. */
void sqlite_conn_run(struct sqlite_conn *c, struct db_job *job);

#endif
