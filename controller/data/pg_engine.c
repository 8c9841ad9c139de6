/* PostgreSQL: jobs wait in one list, what was sent waits in another, answers come in that order. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/clock.h"
#include "controller/data/db_engine.h"
#include "controller/data/pg_link.h"
#include "controller/data/pg_steps.h"

enum {
    SENT_MAX = 64, /* jobs on their way at once; beyond, more gain nothing */
    WATCH_MS = 500,
    NULLS_MAX = 4, /* PQgetResult says NULL between results, and for ever when there is none */
};
/* The server's own limit should end a statement first; this is for a server that is silent. */
#define SILENCE_MARGIN (2 * USEC_PER_SEC)

struct pg_engine {
    struct db *db; /* parent, outlives us */
    struct pg_link link;
    struct pg_cache cache;
    struct list waiting; /* struct db_job */
    struct list sent;    /* struct pg_job */
    unsigned n_sent;
    bool tx;         /* the only one in sent is a transaction */
    bool greeted;    /* the settings of the session were confirmed */
    usec heard;      /* when the server last made progress */
    uv_timer_t kick; /* sends what the turn handed in */
    uv_timer_t watch;
    bool watching;
};

static void pump(struct pg_engine *e);

/* ---- end of jobs ---- */

static void watch_cb(uv_timer_t *timer)
{
    struct pg_engine *e = timer->data;
    if (!e->link.up || (e->n_sent == 0 && e->greeted)) {
        uv_timer_stop(timer);
        e->watching = false;
        return;
    }
    usec limit = e->db->statement_limit;
    if (e->tx && (container_of(e->sent.next, struct pg_job, link)->job->flags & DB_LOCK) != 0)
        limit = DB_LOCK_LIMIT_SEC * USEC_PER_SEC;
    if (clock_now() - e->heard > limit + SILENCE_MARGIN)
        pg_link_drop(&e->link, "the server does not answer");
}

static void watch_start(struct pg_engine *e)
{
    e->heard = clock_now();
    if (!e->watching)
        uv_timer_start(&e->watch, watch_cb, WATCH_MS, WATCH_MS);
    e->watching = true;
}

static struct db_job *unsend(struct pg_engine *e, struct pg_job *pj)
{
    struct db_job *job = pj->job;
    list_remove(&pj->link);
    free(pj);
    e->n_sent--;
    e->tx = false;
    return job;
}

/* Takes what fails off the lists first: the callbacks may hand in more. */
static void fail_jobs(struct pg_engine *e, enum err err, const char *reason, bool all)
{
    struct list failed;
    list_init(&failed);
    list_each (node, &e->sent) {
        struct db_job *job = unsend(e, container_of(node, struct pg_job, link));
        list_add(&failed, &job->link);
    }
    list_each (node, &e->waiting) {
        struct db_job *job = container_of(node, struct db_job, link);
        if (!all && (job->flags & DB_WAIT) != 0)
            continue;
        list_remove(node);
        list_add(&failed, node);
    }
    struct db *db = e->db;
    while (!list_empty(&failed)) {
        struct db_job *job = container_of(failed.next, struct db_job, link);
        list_remove(&job->link);
        job->err = OK; /* an error of the statement's own no longer says what became of it */
        db_job_fail(job, err, "%s", reason);
        db_job_finish(db, job);
    }
}

/* ---- the link's events ---- */

static void link_up(void *ctx)
{
    struct pg_engine *e = ctx;
    char sql[80];
    snprintf(sql, sizeof sql, "SET statement_timeout = %lld",
             (long long)(e->db->statement_limit / USEC_PER_MSEC));
    PGconn *conn = e->link.conn;
    e->greeted = false;
    watch_start(e);
    if (PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 0) != 1 ||
        PQpipelineSync(conn) != 1 || !pg_link_flush(&e->link))
        pg_link_drop(&e->link, PQerrorMessage(conn));
}

static void link_down(void *ctx, const char *reason)
{
    struct pg_engine *e = ctx;
    pg_cache_clear(&e->cache);
    e->greeted = false;
    db_error_note(e->db, reason);
    db_state_set(e->db, DB_AWAY);
    fail_jobs(e, ERR_UNAVAILABLE, reason, false);
}

static enum pg_progress take_greeting(struct pg_engine *e, const PGresult *res)
{
    if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
        e->greeted = true;
        db_state_set(e->db, DB_READY);
    }
    return PQresultStatus(res) == PGRES_FATAL_ERROR ? PG_LOST : PG_MORE;
}

/* One result; PG_LOST: nothing more may be done with the connection. */
static enum pg_progress take_result(struct pg_engine *e, const PGresult *res)
{
    e->heard = clock_now();
    if (!e->greeted)
        return take_greeting(e, res);
    if (list_empty(&e->sent))
        return PG_MORE;
    struct pg_job *pj = container_of(e->sent.next, struct pg_job, link);
    enum pg_progress progress = pg_job_result(pj, e->link.conn, &e->cache, res);
    if (progress == PG_DONE)
        db_job_finish(e->db, unsend(e, pj));
    return progress;
}

static void link_input(void *ctx)
{
    struct pg_engine *e = ctx;
    int nulls = 0;
    /* A callback may end the connection: look again every time. */
    while (e->link.up && nulls < NULLS_MAX && (!e->greeted || e->n_sent > 0) &&
           PQisBusy(e->link.conn) == 0) {
        PGresult *res = PQgetResult(e->link.conn);
        if (!res) {
            nulls++;
            continue;
        }
        nulls = 0;
        enum pg_progress progress = take_result(e, res);
        if (progress == PG_LOST) {
            char reason[256];
            snprintf(reason, sizeof reason, "%s", PQresultErrorMessage(res));
            PQclear(res);
            pg_link_drop(&e->link, reason[0] ? reason : PQerrorMessage(e->link.conn));
            return;
        }
        PQclear(res);
    }
    pump(e);
}

/* ---- sending ---- */

static bool may_send(const struct pg_engine *e)
{
    if (!e->link.up || !e->greeted || list_empty(&e->waiting) || e->tx || e->n_sent >= SENT_MAX)
        return false;
    return e->n_sent == 0 || !container_of(e->waiting.next, struct db_job, link)->tx;
}

static void pump(struct pg_engine *e)
{
    while (may_send(e)) {
        struct pg_job *pj = calloc(1, sizeof *pj);
        struct db_job *job = container_of(e->waiting.next, struct db_job, link);
        list_remove(&job->link);
        if (!pj) {
            db_job_fail(job, ERR_NOMEM, "out of memory");
            db_job_finish(e->db, job);
            continue;
        }
        pj->job = job;
        list_add(&e->sent, &pj->link);
        if (e->n_sent++ == 0)
            watch_start(e);
        e->tx = job->tx;
        if (pg_job_start(pj, e->link.conn, &e->cache) == PG_LOST) {
            pg_link_drop(&e->link, PQerrorMessage(e->link.conn));
            break;
        }
    }
    if (e->link.up && !pg_link_flush(&e->link))
        pg_link_drop(&e->link, PQerrorMessage(e->link.conn));
}

static void kick_cb(uv_timer_t *timer)
{
    pump(timer->data);
}

/* ---- what db.c calls ---- */

static void watch_closed(uv_handle_t *handle)
{
    struct pg_engine *e = handle->data;
    struct db *db = e->db;
    pg_cache_clear(&e->cache);
    free(e);
    db_engine_closed(db);
}

static void kick_closed(uv_handle_t *handle)
{
    struct pg_engine *e = handle->data;
    uv_close((uv_handle_t *)&e->watch, watch_closed);
}

static void link_closed(void *ctx)
{
    struct pg_engine *e = ctx;
    uv_close((uv_handle_t *)&e->kick, kick_closed);
}

static const struct pg_link_events link_events = {link_up, link_input, link_down, link_closed};

static enum err pg_open(struct db *db, const char *target, void **engine)
{
    struct pg_engine *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    e->db = db;
    list_init(&e->waiting);
    list_init(&e->sent);
    enum err err = pg_link_init(&e->link, db->loop, target, db->connect_limit, &link_events, e);
    if (err != OK) {
        free(e);
        return err;
    }
    uv_timer_init(db->loop, &e->watch);
    e->watch.data = e;
    uv_timer_init(db->loop, &e->kick);
    e->kick.data = e;
    pg_link_start(&e->link);
    *engine = e;
    return OK;
}

static void pg_submit(void *engine, struct db_job *job)
{
    struct pg_engine *e = engine;
    list_add(&e->waiting, &job->link);
    /* Not at once: a connection that breaks while it is written to calls back, db_run never does.
     * So a turn's jobs also leave together. */
    if (may_send(e))
        uv_timer_start(&e->kick, kick_cb, 0, 0);
}

static void pg_abort(void *engine)
{
    struct pg_engine *e = engine;
    fail_jobs(e, ERR_CLOSED, "closed", true);
}

static void pg_close(void *engine)
{
    struct pg_engine *e = engine;
    pg_link_close(&e->link);
}

const struct db_engine_ops db_pg_ops = {
    .name = "postgresql",
    .open = pg_open,
    .submit = pg_submit,
    .abort = pg_abort,
    .close = pg_close,
};
