/* SQLite on a thread of its own: jobs go in through one list, come back through another, and an
 * async handle wakes the loop. The thread never calls into db.c. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/clock.h"
#include "controller/data/db_engine.h"
#include "controller/data/sqlite_conn.h"

#define OPEN_RETRY_NS (UINT64_C(1000) * 1000 * 1000)

struct sqlite_engine {
    struct db *db;   /* parent, outlives us */
    char *path;      /* owned */
    uv_async_t wake; /* the thread has something for the loop */
    uv_thread_t thread;
    atomic_bool abort;
    struct sqlite_conn conn; /* the thread's alone */
    uv_mutex_t mutex;        /* over everything below */
    uv_cond_t cond;
    struct list in;  /* struct db_job */
    struct list out; /* struct db_job */
    bool stop;
    enum db_state state;
    char reason[256]; /* why it cannot be opened */
};

/* ---- on the thread ---- */

static void give_back(struct sqlite_engine *e, struct db_job *job)
{
    list_remove(&job->link);
    list_add(&e->out, &job->link);
}

/* mutex held */
static void fail_unopened(struct sqlite_engine *e)
{
    bool abort = atomic_load(&e->abort);
    list_each (node, &e->in) {
        struct db_job *job = container_of(node, struct db_job, link);
        if (!abort && (job->flags & DB_WAIT) != 0)
            continue;
        db_job_fail(job, abort ? ERR_CLOSED : ERR_UNAVAILABLE, "%s", e->reason);
        give_back(e, job);
    }
}

/* mutex held at entry and exit, not while it opens */
static void try_open(struct sqlite_engine *e)
{
    char reason[sizeof e->reason] = "closed";
    enum err err = ERR_CLOSED;
    if (!atomic_load(&e->abort)) {
        uv_mutex_unlock(&e->mutex);
        err = sqlite_conn_open(&e->conn, e->path, reason, sizeof reason);
        uv_mutex_lock(&e->mutex);
    }
    e->state = err == OK ? DB_READY : DB_AWAY;
    if (err != OK) {
        memcpy(e->reason, reason, sizeof reason);
        fail_unopened(e);
    }
    uv_async_send(&e->wake);
    if (err != OK && !e->stop)
        uv_cond_timedwait(&e->cond, &e->mutex, OPEN_RETRY_NS);
}

static void thread_main(void *arg)
{
    struct sqlite_engine *e = arg;
    uv_mutex_lock(&e->mutex);
    while (!e->stop) {
        if (!e->conn.handle) {
            try_open(e);
            continue;
        }
        if (list_empty(&e->in)) {
            uv_cond_wait(&e->cond, &e->mutex);
            continue;
        }
        struct db_job *job = container_of(e->in.next, struct db_job, link);
        list_remove(&job->link);
        uv_mutex_unlock(&e->mutex);
        sqlite_conn_run(&e->conn, job);
        uv_mutex_lock(&e->mutex);
        give_back(e, job);
        uv_async_send(&e->wake);
    }
    uv_mutex_unlock(&e->mutex);
    sqlite_conn_close(&e->conn);
}

/* ---- on the loop ---- */

static void wake_cb(uv_async_t *handle)
{
    struct sqlite_engine *e = handle->data;
    struct list ready;
    char reason[sizeof e->reason];
    list_init(&ready);
    uv_mutex_lock(&e->mutex);
    list_each (node, &e->out) {
        list_remove(node);
        list_add(&ready, node);
    }
    enum db_state state = e->state;
    memcpy(reason, e->reason, sizeof reason);
    uv_mutex_unlock(&e->mutex);
    if (state == DB_AWAY)
        db_error_note(e->db, reason);
    db_state_set(e->db, state);
    /* The engine lives on through these: it is closed from a timer only. */
    struct db *db = e->db;
    while (!list_empty(&ready)) {
        struct db_job *job = container_of(ready.next, struct db_job, link);
        list_remove(&job->link);
        db_job_finish(db, job);
    }
}

static enum err sqlite_open(struct db *db, const char *target, void **engine)
{
    struct sqlite_engine *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    e->db = db;
    e->path = strdup(target);
    e->state = DB_CONNECTING;
    list_init(&e->in);
    list_init(&e->out);
    sqlite_conn_init(&e->conn, db->statement_limit, &e->abort);
    if (!e->path)
        goto no_path;
    if (uv_mutex_init(&e->mutex) != 0)
        goto no_path;
    if (uv_cond_init(&e->cond) != 0)
        goto no_cond;
    /* The thread first: a loop's handle cannot be taken back without turning the loop. */
    uv_mutex_lock(&e->mutex);
    if (uv_thread_create(&e->thread, thread_main, e) != 0)
        goto no_thread;
    e->wake.data = e;
    if (uv_async_init(db->loop, &e->wake, wake_cb) != 0)
        goto no_wake;
    uv_mutex_unlock(&e->mutex);
    *engine = e;
    return OK;

no_wake:
    e->stop = true;
    uv_mutex_unlock(&e->mutex);
    uv_thread_join(&e->thread);
    uv_mutex_lock(&e->mutex);
no_thread:
    uv_mutex_unlock(&e->mutex);
    uv_cond_destroy(&e->cond);
no_cond:
    uv_mutex_destroy(&e->mutex);
no_path:
    free(e->path);
    free(e);
    return ERR_IO;
}

static void sqlite_submit(void *engine, struct db_job *job)
{
    struct sqlite_engine *e = engine;
    uv_mutex_lock(&e->mutex);
    list_add(&e->in, &job->link);
    uv_cond_signal(&e->cond);
    uv_mutex_unlock(&e->mutex);
}

static void sqlite_abort(void *engine)
{
    struct sqlite_engine *e = engine;
    atomic_store(&e->abort, true);
    uv_mutex_lock(&e->mutex);
    uv_cond_signal(&e->cond);
    uv_mutex_unlock(&e->mutex);
}

static void wake_closed(uv_handle_t *handle)
{
    struct sqlite_engine *e = handle->data;
    struct db *db = e->db;
    uv_cond_destroy(&e->cond);
    uv_mutex_destroy(&e->mutex);
    free(e->path);
    free(e);
    db_engine_closed(db);
}

/* The thread is idle or about to be: no job is left, so the join waits for a close at most. */
static void sqlite_close_engine(void *engine)
{
    struct sqlite_engine *e = engine;
    atomic_store(&e->abort, true);
    uv_mutex_lock(&e->mutex);
    e->stop = true;
    uv_cond_signal(&e->cond);
    uv_mutex_unlock(&e->mutex);
    uv_thread_join(&e->thread);
    uv_close((uv_handle_t *)&e->wake, wake_closed);
}

const struct db_engine_ops db_sqlite_ops = {
    .name = "sqlite",
    .open = sqlite_open,
    .submit = sqlite_submit,
    .abort = sqlite_abort,
    .close = sqlite_close_engine,
};
