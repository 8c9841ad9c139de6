#include "controller/data/pg_steps.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "controller/data/pg_values.h"

enum { CACHE_MAX = 256 }; /* further texts are sent unprepared */

/* Any number will do, if all programs that share the database use the same. */
#define LOCK_SQL "SELECT pg_advisory_xact_lock(7738254910036321)"

struct pg_prepared {
    char *sql; /* owned, the key */
    char name[16];
    UT_hash_handle hh;
};

/* ---- prepared statements ---- */

static void prepared_free(struct pg_cache *cache, struct pg_prepared *entry)
{
    HASH_DEL(cache->entries, entry);
    free(entry->sql);
    free(entry);
}

void pg_cache_clear(struct pg_cache *cache)
{
    struct pg_prepared *entry = NULL;
    struct pg_prepared *tmp = NULL;
    HASH_ITER(hh, cache->entries, entry, tmp)
    prepared_free(cache, entry);
}

static void cache_forget(struct pg_cache *cache, const char *sql)
{
    struct pg_prepared *entry = NULL;
    HASH_FIND_STR(cache->entries, sql, entry);
    if (entry)
        prepared_free(cache, entry);
}

/* NULL: send it unprepared. */
static struct pg_prepared *cache_add(struct pg_cache *cache, const char *sql)
{
    if (HASH_COUNT(cache->entries) >= CACHE_MAX)
        return NULL;
    struct pg_prepared *entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    entry->sql = strdup(sql);
    if (entry->sql) {
        snprintf(entry->name, sizeof entry->name, "weir_%u", ++cache->next_id);
        HASH_ADD_KEYPTR(hh, cache->entries, entry->sql, strlen(entry->sql), entry);
        if (entry->hh.tbl)
            return entry;
    }
    free(entry->sql);
    free(entry);
    return NULL;
}

/* ---- sending ---- */

static bool send_plain(PGconn *conn, const char *sql)
{
    return PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 0) == 1 &&
           PQpipelineSync(conn) == 1;
}

static bool send_stmt(PGconn *conn, struct pg_cache *cache, const struct db_job *job,
                      const struct db_stmt *s)
{
    struct pg_params params;
    pg_params_init(&params, s);
    int n = (int)s->n_params;
    struct pg_prepared *entry = NULL;
    if ((job->flags & DB_LOCK) == 0) {
        HASH_FIND_STR(cache->entries, s->sql, entry);
        if (!entry) {
            entry = cache_add(cache, s->sql);
            if (entry && PQsendPrepare(conn, entry->name, s->sql, 0, NULL) != 1)
                return false;
        }
    }
    int sent = entry ? PQsendQueryPrepared(conn, entry->name, n, params.values, params.lengths,
                                           params.formats, 0)
                     : PQsendQueryParams(conn, s->sql, n, NULL, params.values, params.lengths,
                                         params.formats, 0);
    return sent == 1 && PQpipelineSync(conn) == 1;
}

static bool send_step(struct pg_job *pj, PGconn *conn, struct pg_cache *cache)
{
    char sql[64];
    switch (pj->stage) {
    case PG_BEGIN:
        return send_plain(conn, "BEGIN");
    case PG_LOCK_LIMIT:
        snprintf(sql, sizeof sql, "SET LOCAL statement_timeout = '%ds'", DB_LOCK_LIMIT_SEC);
        return send_plain(conn, sql);
    case PG_LOCK:
        return send_plain(conn, LOCK_SQL);
    case PG_STMT:
        return send_stmt(conn, cache, pj->job, &pj->job->stmts[pj->stmt]);
    case PG_END:
        return send_plain(conn, pj->job->err == OK ? "COMMIT" : "ROLLBACK");
    }
    return false;
}

enum pg_progress pg_job_start(struct pg_job *pj, struct pg_conn *conn, struct pg_cache *cache)
{
    pj->stage = pj->job->tx ? PG_BEGIN : PG_STMT;
    pj->stmt = 0;
    return send_step(pj, conn, cache) ? PG_MORE : PG_LOST;
}

/* ---- receiving ---- */

static void take_rows(struct pg_job *pj, const PGresult *res)
{
    struct db_job *job = pj->job;
    if (pj->stage != PG_STMT || job->err != OK)
        return;
    struct db_result *r = NULL;
    enum err e = pg_result_read(res, &r);
    if (e != OK) {
        db_job_fail(job, e, "the result: %s", err_text(e));
        return;
    }
    db_job_add(job, r);
    if (!db_job_matched(&job->stmts[pj->stmt], r))
        db_job_fail(job, ERR_NOT_FOUND, "nothing matched");
}

/* Whether the statement is perhaps not prepared, or no longer fits the tables: it does not parse,
 * no statement of that name, its result type changed. After other errors it is prepared still, and
 * another name for it would only fill the server's memory. */
static bool not_prepared(const char *state)
{
    return state && (strncmp(state, "42", 2) == 0 || strcmp(state, "26000") == 0 ||
                     strcmp(state, "0A000") == 0);
}

static void take_error(struct pg_job *pj, struct pg_cache *cache, const PGresult *res)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    if (pj->stage == PG_STMT && not_prepared(state))
        cache_forget(cache, pj->job->stmts[pj->stmt].sql);
    /* Without a SQLSTATE it is libpq that speaks: the connection broke. */
    enum err e = state ? pg_err_of(state) : ERR_UNAVAILABLE;
    db_job_fail(pj->job, e, "%s", message ? message : PQresultErrorMessage(res));
}

static enum pg_progress next_step(struct pg_job *pj, PGconn *conn, struct pg_cache *cache)
{
    struct db_job *job = pj->job;
    if (!job->tx || pj->stage == PG_END)
        return PG_DONE;
    if (job->err != OK) {
        pj->stage = PG_END;
    } else if (pj->stage == PG_STMT) {
        pj->stmt++;
        if (pj->stmt == job->n)
            pj->stage = PG_END;
    } else if (pj->stage == PG_BEGIN) {
        pj->stage = (job->flags & DB_LOCK) != 0 ? PG_LOCK_LIMIT : PG_STMT;
    } else {
        pj->stage = pj->stage == PG_LOCK_LIMIT ? PG_LOCK : PG_STMT;
    }
    return send_step(pj, conn, cache) ? PG_MORE : PG_LOST;
}

enum pg_progress pg_job_result(struct pg_job *pj, struct pg_conn *conn, struct pg_cache *cache,
                               const struct pg_result *res)
{
    switch (PQresultStatus(res)) {
    case PGRES_PIPELINE_SYNC:
        return next_step(pj, conn, cache);
    case PGRES_TUPLES_OK:
        take_rows(pj, res);
        return PG_MORE;
    case PGRES_COMMAND_OK:
        /* The answer to Prepare has no command tag: "" there. */
        if (PQcmdStatus((PGresult *)(uintptr_t)res)[0] != '\0')
            take_rows(pj, res);
        return PG_MORE;
    case PGRES_PIPELINE_ABORTED:
        return PG_MORE; /* the error itself came before */
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
        take_error(pj, cache, res);
        return PG_MORE;
    case PGRES_EMPTY_QUERY:
    case PGRES_COPY_OUT:
    case PGRES_COPY_IN:
    case PGRES_COPY_BOTH:
    case PGRES_NONFATAL_ERROR:
    case PGRES_SINGLE_TUPLE:
        break;
    }
    db_job_fail(pj->job, ERR_IO, "an answer of an unexpected kind");
    return PG_MORE;
}
