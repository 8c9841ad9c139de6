#include "controller/data/sqlite_conn.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "common/clock.h"

enum {
    CACHE_MAX = 256,           /* statements; the program has fewer, so that overflow is a rarity */
    PROGRESS_OPS = 2000,       /* of SQLite's machine between looks at the clock: some 20 us */
    BUSY_SLEEP_US_MAX = 10000, /* between tries to get a lock of another process */
};

struct sqlite_cached {
    char *sql;          /* owned, the key */
    sqlite3_stmt *stmt; /* owned */
    UT_hash_handle hh;
};

/* ---- open and close ---- */

static bool out_of_time(const struct sqlite_conn *c)
{
    return atomic_load(c->abort) || clock_now() > c->deadline;
}

static int progress_cb(void *ctx)
{
    return out_of_time(ctx);
}

static int busy_cb(void *ctx, int tries)
{
    if (out_of_time(ctx))
        return 0;
    int us = 200 << (tries < 6 ? tries : 6);
    usleep((useconds_t)(us < BUSY_SLEEP_US_MAX ? us : BUSY_SLEEP_US_MAX));
    return 1;
}

void sqlite_conn_init(struct sqlite_conn *c, usec limit, const atomic_bool *abort)
{
    *c = (struct sqlite_conn){.limit = limit, .abort = abort};
}

static bool is_file(const char *path)
{
    return path[0] != ':' && strncmp(path, "file:", 5) != 0;
}

static int configure(struct sqlite_conn *c)
{
    sqlite3 *db = c->handle;
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_handler(db, busy_cb, c);
    sqlite3_progress_handler(db, PROGRESS_OPS, progress_cb, c);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* "x" is a name, never a text: as in PostgreSQL. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    c->deadline = clock_now() + c->limit;
    int rc = SQLITE_BUSY;
    /* SQLite does not ask the busy handler when two processes change to WAL at the same time. */
    for (int tries = 0; (rc & 0xff) == SQLITE_BUSY; tries++) {
        rc = sqlite3_exec(db,
                          "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
                          "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF",
                          NULL, NULL, NULL);
        if ((rc & 0xff) == SQLITE_BUSY && !busy_cb(c, tries))
            break;
    }
    return rc;
}

enum err sqlite_conn_open(struct sqlite_conn *c, const char *path, char *reason, size_t n)
{
    if (is_file(path)) {
        /* It holds secrets: nobody else's to read. SQLite gives its side files the same mode. */
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0)
            close(fd);
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    int rc = sqlite3_open_v2(path, &c->handle, flags, NULL);
    if (rc == SQLITE_OK)
        rc = configure(c);
    if (rc == SQLITE_OK)
        return OK;
    snprintf(reason, n, "%s: %s", path, c->handle ? sqlite3_errmsg(c->handle) : sqlite3_errstr(rc));
    sqlite_conn_close(c);
    return ERR_UNAVAILABLE;
}

static void cache_clear(struct sqlite_conn *c)
{
    struct sqlite_cached *entry = NULL;
    struct sqlite_cached *tmp = NULL;
    HASH_ITER(hh, c->cache, entry, tmp)
    {
        HASH_DEL(c->cache, entry);
        sqlite3_finalize(entry->stmt);
        free(entry->sql);
        free(entry);
    }
}

void sqlite_conn_close(struct sqlite_conn *c)
{
    cache_clear(c);
    sqlite3_close(c->handle);
    c->handle = NULL;
}

/* ---- errors ---- */

static enum err err_of(const struct sqlite_conn *c, int rc)
{
    switch (rc) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return ERR_EXISTS;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return ERR_NOT_FOUND;
    default:
        break;
    }
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_INTERRUPT:
        return atomic_load(c->abort) ? ERR_CLOSED : ERR_TIMEOUT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        if (atomic_load(c->abort))
            return ERR_CLOSED;
        return clock_now() > c->deadline ? ERR_TIMEOUT : ERR_BUSY;
    case SQLITE_CONSTRAINT:
        return ERR_RANGE;
    case SQLITE_MISMATCH:
        return ERR_MALFORMED;
    case SQLITE_TOOBIG:
        return ERR_TOO_LARGE;
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return ERR_UNAVAILABLE;
    default:
        return ERR_IO;
    }
}

static void fail(struct sqlite_conn *c, struct db_job *job, int rc)
{
    db_job_fail(job, err_of(c, rc), "%s", sqlite3_errmsg(c->handle));
}

/* ---- statements ---- */

/* What is left behind the first statement may only be a semicolon and white space. */
static bool tail_is_empty(const char *tail)
{
    return tail[strspn(tail, "; \t\r\n")] == '\0';
}

static sqlite3_stmt *prepare(struct sqlite_conn *c, struct db_job *job, const char *sql, bool keep)
{
    struct sqlite_cached *entry = NULL;
    HASH_FIND_STR(c->cache, sql, entry);
    if (entry)
        return entry->stmt;
    sqlite3_stmt *stmt = NULL;
    const char *tail = "";
    unsigned flags = keep ? SQLITE_PREPARE_PERSISTENT : 0;
    int rc = sqlite3_prepare_v3(c->handle, sql, -1, flags, &stmt, &tail);
    if (rc != SQLITE_OK) {
        fail(c, job, rc);
        return NULL;
    }
    if (!stmt || !tail_is_empty(tail)) {
        sqlite3_finalize(stmt);
        db_job_fail(job, ERR_IO, "expected exactly one statement");
        return NULL;
    }
    if (!keep)
        return stmt;
    if (HASH_COUNT(c->cache) >= CACHE_MAX)
        cache_clear(c);
    entry = calloc(1, sizeof *entry);
    if (entry)
        entry->sql = strdup(sql);
    if (entry && entry->sql) {
        entry->stmt = stmt;
        HASH_ADD_KEYPTR(hh, c->cache, entry->sql, strlen(entry->sql), entry);
        if (entry->hh.tbl)
            return stmt;
    }
    if (entry)
        free(entry->sql);
    free(entry);
    sqlite3_finalize(stmt);
    db_job_fail(job, ERR_NOMEM, "out of memory");
    return NULL;
}

static int bind_one(sqlite3_stmt *stmt, int at, const struct db_param *p)
{
    switch (p->type) {
    case DB_NULL:
        return sqlite3_bind_null(stmt, at);
    case DB_TEXT:
        return sqlite3_bind_text64(stmt, at, p->u.text, p->n, SQLITE_STATIC, SQLITE_UTF8);
    case DB_INT:
        return sqlite3_bind_int64(stmt, at, p->u.i64);
    case DB_DOUBLE:
        return sqlite3_bind_double(stmt, at, p->u.f64);
    case DB_BOOL:
        return sqlite3_bind_int(stmt, at, p->u.b);
    case DB_BLOB:
        return p->n > 0 ? sqlite3_bind_blob64(stmt, at, p->u.blob, p->n, SQLITE_STATIC)
                        : sqlite3_bind_zeroblob(stmt, at, 0);
    }
    return SQLITE_MISUSE;
}

/* To SQLite "$1" is a name like any other. */
static bool bind_all(struct sqlite_conn *c, struct db_job *job, sqlite3_stmt *stmt,
                     const struct db_stmt *s)
{
    if (sqlite3_bind_parameter_count(stmt) != (int)s->n_params) {
        db_job_fail(job, ERR_IO, "the statement has %d parameters, %zu were given",
                    sqlite3_bind_parameter_count(stmt), s->n_params);
        return false;
    }
    for (size_t i = 0; i < s->n_params; i++) {
        char name[24];
        snprintf(name, sizeof name, "$%zu", i + 1);
        int at = sqlite3_bind_parameter_index(stmt, name);
        if (at == 0) {
            db_job_fail(job, ERR_IO, "the statement has no parameter %s", name);
            return false;
        }
        int rc = bind_one(stmt, at, &s->params[i]);
        if (rc != SQLITE_OK) {
            fail(c, job, rc);
            return false;
        }
    }
    return true;
}

static enum err take_cell(struct db_result *r, sqlite3_stmt *stmt, int col)
{
    struct db_cell *cell = NULL;
    enum err e = db_result_cell(r, &cell);
    if (e != OK)
        return e;
    switch (sqlite3_column_type(stmt, col)) {
    case SQLITE_INTEGER:
        *cell = (struct db_cell){.type = DB_INT, .u.i64 = sqlite3_column_int64(stmt, col)};
        return OK;
    case SQLITE_FLOAT:
        *cell = (struct db_cell){.type = DB_DOUBLE, .u.f64 = sqlite3_column_double(stmt, col)};
        return OK;
    case SQLITE_TEXT: {
        const void *text = sqlite3_column_text(stmt, col);
        return db_cell_text(r, cell, text, (size_t)sqlite3_column_bytes(stmt, col));
    }
    case SQLITE_BLOB: {
        const void *blob = sqlite3_column_blob(stmt, col);
        return db_cell_blob(r, cell, blob, (size_t)sqlite3_column_bytes(stmt, col));
    }
    default:
        return OK;
    }
}

/* SQLITE_DONE, or the error; *e is for errors of ours. */
static int collect(sqlite3_stmt *stmt, struct db_result *r, enum err *e)
{
    int cols = (int)r->cols;
    for (int i = 0; i < cols && *e == OK; i++)
        *e = db_result_name(r, (size_t)i, sqlite3_column_name(stmt, i));
    int rc = SQLITE_ROW;
    while (*e == OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < cols && *e == OK; i++)
            *e = take_cell(r, stmt, i);
    }
    return rc;
}

static void execute(struct sqlite_conn *c, struct db_job *job, const struct db_stmt *s,
                    sqlite3_stmt *stmt)
{
    if (!bind_all(c, job, stmt, s))
        return;
    struct db_result *r = db_result_open((size_t)sqlite3_column_count(stmt));
    if (!r) {
        db_job_fail(job, ERR_NOMEM, "out of memory");
        return;
    }
    int64_t before = sqlite3_total_changes64(c->handle);
    enum err e = OK;
    int rc = collect(stmt, r, &e);
    if (e != OK) {
        db_job_fail(job, e, "the result: %s", err_text(e));
    } else if (rc != SQLITE_DONE) {
        fail(c, job, rc);
    } else if (sqlite3_total_changes64(c->handle) != before) {
        r->affected = sqlite3_changes64(c->handle);
    }
    if (job->err == OK) {
        db_job_add(job, r);
        if (!db_job_matched(s, r))
            db_job_fail(job, ERR_NOT_FOUND, "nothing matched");
    } else {
        db_result_close(r);
    }
}

static void run_stmt(struct sqlite_conn *c, struct db_job *job, const struct db_stmt *s)
{
    /* Migrations run once and would only push out what is in use. */
    bool keep = (job->flags & DB_LOCK) == 0;
    usec limit = keep ? c->limit : DB_LOCK_LIMIT_SEC * USEC_PER_SEC;
    c->deadline = clock_now() + limit;
    sqlite3_stmt *stmt = prepare(c, job, s->sql, keep);
    if (!stmt)
        return;
    execute(c, job, s, stmt);
    if (keep) {
        sqlite3_reset(stmt);
        sqlite3_clear_bindings(stmt);
    } else {
        sqlite3_finalize(stmt);
    }
}

static bool run_plain(struct sqlite_conn *c, struct db_job *job, const char *sql)
{
    int rc = sqlite3_exec(c->handle, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        fail(c, job, rc);
    return rc == SQLITE_OK;
}

void sqlite_conn_run(struct sqlite_conn *c, struct db_job *job)
{
    if (atomic_load(c->abort)) {
        db_job_fail(job, ERR_CLOSED, "closed");
        return;
    }
    if (!job->tx) {
        run_stmt(c, job, &job->stmts[0]);
        return;
    }
    bool lock = (job->flags & DB_LOCK) != 0;
    c->deadline = clock_now() + (lock ? DB_LOCK_LIMIT_SEC * USEC_PER_SEC : c->limit);
    /* Never deferred: a transaction that first reads and then writes may fail in its middle. */
    if (!run_plain(c, job, lock ? "BEGIN EXCLUSIVE" : "BEGIN IMMEDIATE"))
        return;
    for (size_t i = 0; i < job->n && job->err == OK; i++)
        run_stmt(c, job, &job->stmts[i]);
    c->deadline = clock_now() + c->limit;
    if (job->err == OK && run_plain(c, job, "COMMIT"))
        return;
    /* Some errors roll back by themselves. An abort must not keep the rollback from running. */
    sqlite3_progress_handler(c->handle, 0, NULL, NULL);
    if (!sqlite3_get_autocommit(c->handle))
        sqlite3_exec(c->handle, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_progress_handler(c->handle, PROGRESS_OPS, progress_cb, c);
}
