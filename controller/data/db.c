#include "controller/data/db.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/data/db_engine.h"

enum { QUEUE_MAX_DEFAULT = 1024 };
#define LIMIT_DEFAULT (5 * USEC_PER_SEC)

/* ---- life ---- */

static const struct db_engine_ops *ops_for(const char *url, const char **target)
{
    if (strncmp(url, "sqlite:", 7) == 0 && url[7] != '\0') {
        *target = url + 7;
        return &db_sqlite_ops;
    }
    if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0) {
        *target = url;
        return &db_pg_ops;
    }
    return NULL;
}

enum err db_open(struct db **out, struct uv_loop_s *loop, const struct db_config *config)
{
    const char *target = NULL;
    const struct db_engine_ops *ops = ops_for(config->url, &target);
    if (!ops)
        return ERR_MALFORMED;
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return ERR_NOMEM;
    db->loop = loop;
    db->ops = ops;
    db->statement_limit = config->statement_limit > 0 ? config->statement_limit : LIMIT_DEFAULT;
    db->connect_limit = config->connect_limit > 0 ? config->connect_limit : LIMIT_DEFAULT;
    db->queue_max = config->queue_max > 0 ? config->queue_max : QUEUE_MAX_DEFAULT;
    db->state = DB_CONNECTING;
    enum err e = ops->open(db, target, &db->engine);
    if (e != OK) {
        free(db);
        return e;
    }
    *out = db;
    return OK;
}

static void closer_cb(uv_timer_t *timer)
{
    struct db *db = timer->data;
    if (db->outstanding == 0) {
        uv_timer_stop(timer);
        void *engine = db->engine;
        db->engine = NULL;
        if (engine)
            db->ops->close(engine);
        return;
    }
    if (!db->aborted) {
        db->aborted = true;
        db->ops->abort(db->engine);
    }
}

void db_close(struct db *db, usec grace, void (*closed)(void *ctx), void *ctx)
{
    if (!db) {
        if (closed)
            closed(ctx);
        return;
    }
    if (db->closer_used)
        return;
    db->closer_used = true;
    db->state = DB_CLOSING;
    db->closed = closed;
    db->closed_ctx = ctx;
    uv_timer_init(db->loop, &db->closer);
    db->closer.data = db;
    uint64_t ms = db->outstanding > 0 && grace > 0 ? (uint64_t)(grace / USEC_PER_MSEC) : 0;
    uv_timer_start(&db->closer, closer_cb, ms, 0);
}

static void closer_closed(uv_handle_t *handle)
{
    struct db *db = handle->data;
    void (*closed)(void *) = db->closed;
    void *ctx = db->closed_ctx;
    free(db);
    if (closed)
        closed(ctx);
}

void db_engine_closed(struct db *db)
{
    uv_close((uv_handle_t *)&db->closer, closer_closed);
}

enum db_state db_state(const struct db *db)
{
    return db->state;
}

void db_stats(const struct db *db, struct db_stats *out)
{
    *out = db->stats;
    out->queued = db->outstanding;
}

const char *db_last_error(const struct db *db)
{
    return db->last_error;
}

const char *db_engine_name(const struct db *db)
{
    return db->ops->name;
}

/* ---- for engines ---- */

void db_state_set(struct db *db, enum db_state state)
{
    if (db->state == DB_CLOSING || db->state == state)
        return;
    if (db->state == DB_READY && state == DB_AWAY)
        db->stats.lost++;
    db->state = state;
    if (state == DB_READY)
        log_info("db.ready", "engine=%s", db->ops->name);
    if (state == DB_AWAY) {
        char quoted[300];
        log_warn("db.away", "engine=%s reason=%s", db->ops->name,
                 log_quote(db->last_error, quoted, sizeof quoted));
    }
}

void db_error_note(struct db *db, const char *text)
{
    snprintf(db->last_error, sizeof db->last_error, "%s", text);
    size_t n = strcspn(db->last_error, "\n"); /* one line is enough for a message */
    db->last_error[n] = '\0';
}

void db_job_finish(struct db *db, struct db_job *job)
{
    assert(db->outstanding > 0);
    db->outstanding--;
    db->stats.busy_total += clock_now() - job->queued_at;
    if (job->err == OK)
        db->stats.jobs_ok++;
    else
        db->stats.jobs_failed++;
    if (job->reason[0] != '\0')
        db_error_note(db, job->reason);
    if (job->err == ERR_IO || job->err == ERR_TIMEOUT) {
        char sql[200];
        char reason[300];
        log_error("db.failed", "error=%s reason=%s sql=%s", err_name(job->err),
                  log_quote(job->reason, reason, sizeof reason),
                  log_quote(job->stmts[0].sql, sql, sizeof sql));
    }
    if (db->outstanding == 0 && db->closer_used)
        uv_timer_start(&db->closer, closer_cb, 0, 0);
    if (job->done)
        job->done(job->ctx, job->err, job->err == OK ? job->first : NULL);
    db_job_close(job);
}

/* ---- statements ---- */

/* RFC 3629 3: no surrogates, nothing beyond U+10FFFF, shortest form only. */
static bool is_utf8(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s != '\0') {
        if (*s < 0x80) {
            s++;
            continue;
        }
        int more = *s >= 0xf0 ? 3 : *s >= 0xe0 ? 2 : 1;
        if (*s < 0xc2 || *s > 0xf4)
            return false;
        if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
            (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
            return false;
        for (int i = 1; i <= more; i++) {
            if ((s[i] & 0xc0) != 0x80)
                return false;
        }
        s += more + 1;
    }
    return true;
}

static enum err params_check(const struct db_stmt *stmts, size_t n, size_t *bytes)
{
    *bytes = 0;
    for (size_t i = 0; i < n; i++) {
        assert(stmts[i].sql && stmts[i].n_params <= DB_PARAMS_MAX);
        *bytes += strlen(stmts[i].sql) + 1;
        for (size_t k = 0; k < stmts[i].n_params; k++) {
            const struct db_param *p = &stmts[i].params[k];
            if (p->type == DB_TEXT && !is_utf8(p->u.text))
                return ERR_MALFORMED;
            size_t len = p->type == DB_TEXT ? strlen(p->u.text) + 1 : 0;
            if (p->type == DB_BLOB)
                len = p->n;
            if (len > DB_JOB_BYTES_MAX || *bytes + len > DB_JOB_BYTES_MAX)
                return ERR_TOO_LARGE;
            *bytes += len;
        }
    }
    return OK;
}

enum err db_run(struct db *db, const struct db_stmt *stmts, size_t n, unsigned flags,
                db_done_fn *done, void *ctx)
{
    assert(n > 0 && n <= DB_STMTS_MAX);
    size_t bytes = 0;
    enum err e = params_check(stmts, n, &bytes);
    if (e == OK && db->state == DB_CLOSING)
        e = ERR_CLOSED;
    if (e == OK && db->state == DB_AWAY && (flags & DB_WAIT) == 0)
        e = ERR_UNAVAILABLE;
    if (e == OK && db->outstanding >= db->queue_max)
        e = ERR_FULL;
    struct db_job *job = NULL;
    if (e == OK) {
        job = db_job_open(stmts, n, flags, bytes);
        e = job ? OK : ERR_NOMEM;
    }
    if (e != OK) {
        db->stats.jobs_refused++;
        return e;
    }
    job->done = done;
    job->ctx = ctx;
    db->outstanding++;
    db->ops->submit(db->engine, job);
    return OK;
}

enum err db_query(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                  db_done_fn *done, void *ctx)
{
    struct db_stmt stmt = {.sql = sql, .params = params, .n_params = n_params};
    return db_run(db, &stmt, 1, 0, done, ctx);
}
