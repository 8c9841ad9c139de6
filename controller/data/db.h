/* The database: one asynchronous interface over SQLite (a thread of its own) and PostgreSQL (libpq
 * on the loop). Everything here is called on the loop's thread, and answers there. Does IO.
 *
 * Statements keep to what both engines understand: $1.. for parameters, ON CONFLICT, RETURNING,
 * text ids, times as 64-bit milliseconds UTC. They run in the order in which they were handed in,
 * one after the other. A statement that takes longer than the limit is ended with ERR_TIMEOUT. */
#ifndef WEIR_CONTROLLER_DATA_DB_H
#define WEIR_CONTROLLER_DATA_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/time.h"

struct uv_loop_s;
struct db;
struct db_result;

enum {
    DB_PARAMS_MAX = 32,                 /* of one statement */
    DB_STMTS_MAX = 256,                 /* of one batch */
    DB_JOB_BYTES_MAX = 4 * 1024 * 1024, /* of the parameters of one job */
    DB_RESULT_ROWS_MAX = 100 * 1000,    /* more: ERR_TOO_LARGE */
    DB_RESULT_BYTES_MAX = 64 * 1024 * 1024,
};

/* ---- life ---- */

struct db_config {
    const char *url;      /* "sqlite:var/weir.db", "sqlite::memory:", "postgresql://..." */
    usec statement_limit; /* longest that one statement may run; 0: 5 s */
    usec connect_limit;   /* PostgreSQL: longest that connecting may take; 0: 5 s */
    unsigned queue_max;   /* jobs that may wait or run; 0: 1024 */
};

enum db_state {
    DB_CONNECTING, /* for the first time: jobs wait */
    DB_READY,
    DB_AWAY, /* lost or refused; reconnects by itself with growing pauses of 0.1 to 5 s */
    DB_CLOSING,
};

struct db_stats {
    uint64_t jobs_ok;
    uint64_t jobs_failed;
    uint64_t jobs_refused; /* not even queued: queue full or database away */
    uint64_t lost;         /* times that the connection was lost */
    usec busy_total;       /* between handing in and answer, summed over all jobs */
    unsigned queued;       /* now */
};

/* Returns at once, the connection is made in the background. ERR_MALFORMED: the URL is of neither
 * form. Strings of config are copied. */
MUST_CHECK enum err db_open(struct db **out, struct uv_loop_s *loop,
                            const struct db_config *config);

/* What is queued may still run for `grace`; what is then left fails with ERR_CLOSED. New jobs are
 * refused from now on. closed is called once, on the loop, after every job had its answer; the db
 * is gone when it runs. NULL is fine (closed is then called at once). closed may be NULL. */
void db_close(struct db *db, usec grace, void (*closed)(void *ctx), void *ctx);

enum db_state db_state(const struct db *db);
void db_stats(const struct db *db, struct db_stats *out);
/* Why the last connection or job failed, in the engine's words, without secrets. "" when nothing
 * did. For logs and operators, not for remote users. */
const char *db_last_error(const struct db *db);
/* "sqlite" or "postgresql". */
const char *db_engine_name(const struct db *db);

/* ---- statements ---- */

enum db_type { DB_NULL, DB_TEXT, DB_INT, DB_DOUBLE, DB_BOOL, DB_BLOB };

struct db_param {
    enum db_type type;
    union {
        const char *text; /* UTF-8; copied when the job is handed in, as blobs are */
        int64_t i64;
        double f64;
        bool b;
        const void *blob;
    } u;
    size_t n; /* bytes of the blob */
};

struct db_stmt {
    const char *sql; /* exactly one statement; prepared once and kept by its text */
    const struct db_param *params;
    size_t n_params;
    /* When this statement touches and returns no row, the job ends with ERR_NOT_FOUND, and a batch
     * is rolled back. */
    bool must_match;
};

enum db_flags {
    DB_TX = 1 << 0,   /* as one transaction; implied by more than one statement */
    DB_WAIT = 1 << 1, /* while the database is away, keep the job queued instead of failing it */
    /* A transaction under the one lock that all processes on this database share; it may take 60 s.
     * For migrations. */
    DB_LOCK = 1 << 2,
};

/* Called exactly once for every job that was accepted, on the loop, never from within db_run. r is
 * NULL unless e is OK, and lives until the callback returns. Of a batch, r is the first statement's
 * result, the others' follow by db_next.
 *   ERR_EXISTS       a unique key is taken
 *   ERR_NOT_FOUND    a foreign key points at nothing; a must_match statement matched nothing
 *   ERR_RANGE        a NOT NULL or CHECK constraint refused a value
 *   ERR_MALFORMED    the engine cannot convert a value
 *   ERR_BUSY         gave way to another transaction, may be tried again
 *   ERR_TIMEOUT      the limit of time
 *   ERR_UNAVAILABLE  the database is away. If it was lost while the job ran, whether the job took
 *                    effect is not known.
 *   ERR_CLOSED       db_close came first
 *   ERR_IO           anything else (logged): wrong SQL, disk full */
typedef void db_done_fn(void *ctx, enum err e, const struct db_result *r);

/* Hands in one job: statements that run in order, as one transaction unless there is just one
 * without DB_TX. done may be NULL. When the return value is not OK, done is not called:
 * ERR_FULL (queue), ERR_TOO_LARGE (parameters), ERR_MALFORMED (text that is not UTF-8),
 * ERR_UNAVAILABLE (away, and no DB_WAIT), ERR_CLOSED, ERR_NOMEM. */
MUST_CHECK enum err db_run(struct db *db, const struct db_stmt *stmts, size_t n, unsigned flags,
                           db_done_fn *done, void *ctx);
/* One statement, no flags. */
MUST_CHECK enum err db_query(struct db *db, const char *sql, const struct db_param *params,
                             size_t n_params, db_done_fn *done, void *ctx);

/* ---- results ---- */

size_t db_rows(const struct db_result *r);
size_t db_cols(const struct db_result *r);
/* Rows that INSERT, UPDATE or DELETE touched; also when RETURNING gives them back. */
int64_t db_affected(const struct db_result *r);
/* The result of the next statement of a batch, or NULL. */
const struct db_result *db_next(const struct db_result *r);

/* Index of the column of that name. A name that is not in the result is a bug of ours: asserts. */
size_t db_col(const struct db_result *r, const char *name);
/* row < db_rows, col < db_cols: asserts. Views live as long as the result. */
bool db_is_null(const struct db_result *r, size_t row, size_t col);
/* NULL for SQL NULL; text only of columns of text. */
const char *db_get_text(const struct db_result *r, size_t row, size_t col);
/* Numbers and booleans convert among each other; SQL NULL and text that is no number give 0. */
int64_t db_get_int(const struct db_result *r, size_t row, size_t col);
double db_get_double(const struct db_result *r, size_t row, size_t col);
bool db_get_bool(const struct db_result *r, size_t row, size_t col);
/* NULL and *n = 0 for SQL NULL. */
const void *db_get_blob(const struct db_result *r, size_t row, size_t col, size_t *n);

/* ---- parameters ---- */

static inline struct db_param db_null(void)
{
    return (struct db_param){.type = DB_NULL};
}

/* NULL becomes SQL NULL. */
static inline struct db_param db_text(const char *s)
{
    return s ? (struct db_param){.type = DB_TEXT, .u.text = s} : db_null();
}

static inline struct db_param db_int(int64_t v)
{
    return (struct db_param){.type = DB_INT, .u.i64 = v};
}

static inline struct db_param db_double(double v)
{
    return (struct db_param){.type = DB_DOUBLE, .u.f64 = v};
}

static inline struct db_param db_bool(bool v)
{
    return (struct db_param){.type = DB_BOOL, .u.b = v};
}

static inline struct db_param db_blob(const void *p, size_t n)
{
    return p ? (struct db_param){.type = DB_BLOB, .u.blob = p, .n = n} : db_null();
}

#endif
