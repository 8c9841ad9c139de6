#include "controller/data/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/log.h"
#include "controller/data/sql_split.h"

enum { SQL_BYTES_MAX = 1024 * 1024 }; /* of one migration */

struct migrate {
    struct db *db;                /* outlives us */
    const struct migration *list; /* outlives us */
    size_t n;
    size_t at;  /* the next one to look at */
    bool again; /* the version was read again after "nothing matched" */
    unsigned flags;
    struct migrate_report report;
    char reason[256];
    struct arena arena; /* the statements of the migration that runs */
    migrate_done_fn *done;
    void *ctx;
};

static enum err read_version(struct migrate *m);
static void go_on(struct migrate *m);

static void finish(struct migrate *m, enum err e, const char *reason)
{
    snprintf(m->reason, sizeof m->reason, "%s", reason);
    m->report.reason = m->reason;
    if (e != OK && m->at < m->n && e != ERR_STATE)
        m->report.failed = m->list[m->at].name;
    if (m->done)
        m->done(m->ctx, e, &m->report);
    arena_fini(&m->arena);
    free(m);
}

/* ---- one migration ---- */

static void applied_cb(void *ctx, enum err e, const struct db_result *r)
{
    (void)r;
    struct migrate *m = ctx;
    if (e == OK) {
        m->report.version = m->list[m->at].version;
        m->report.applied++;
        log_info("db.migrated", "name=%s", m->list[m->at].name);
        m->at++;
        go_on(m);
        return;
    }
    /* Nothing matched: another process was first, or a statement of it points at nothing. */
    if (e == ERR_NOT_FOUND && !m->again) {
        m->again = true;
        e = read_version(m);
        if (e == OK)
            return;
    }
    finish(m, e, db_last_error(m->db));
}

/* Its statements behind the row that says so: all of them or none. */
static enum err apply(struct migrate *m)
{
    const struct migration *mig = &m->list[m->at];
    arena_fini(&m->arena);
    arena_init(&m->arena, SQL_BYTES_MAX);
    struct db_stmt *stmts = arena_array(&m->arena, DB_STMTS_MAX, sizeof *stmts);
    if (!stmts)
        return ERR_NOMEM;
    const struct db_param row[] = {db_int(mig->version), db_text(mig->name),
                                   db_int(clock_wall() / USEC_PER_MSEC)};
    stmts[0] = (struct db_stmt){.sql = "INSERT INTO schema_migrations (version, name, applied_at) "
                                       "VALUES ($1, $2, $3) ON CONFLICT (version) DO NOTHING",
                                .params = row,
                                .n_params = 3,
                                .must_match = true};
    size_t count = 1;
    const char *at = mig->sql;
    size_t len = 0;
    const char *sql = NULL;
    while ((sql = sql_split_next(&at, &len))) {
        if (count == DB_STMTS_MAX)
            return ERR_TOO_LARGE;
        stmts[count].sql = arena_strndup(&m->arena, sql, len);
        if (!stmts[count].sql)
            return ERR_TOO_LARGE;
        count++;
    }
    return db_run(m->db, stmts, count, m->flags | DB_LOCK, applied_cb, m);
}

static void go_on(struct migrate *m)
{
    while (m->at < m->n && m->list[m->at].version <= m->report.version)
        m->at++;
    enum err e = m->at < m->n ? apply(m) : OK;
    if (e != OK || m->at == m->n)
        finish(m, e, e == OK ? "" : err_text(e));
}

/* ---- the version ---- */

static void version_cb(void *ctx, enum err e, const struct db_result *r)
{
    struct migrate *m = ctx;
    if (e != OK) {
        finish(m, e, db_last_error(m->db));
        return;
    }
    int before = m->report.version;
    m->report.version = (int)db_get_int(db_next(r), 0, 0);
    int newest = m->n > 0 ? m->list[m->n - 1].version : 0;
    if (m->report.version > newest) {
        finish(m, ERR_STATE, "the database is of a newer version of this program");
        return;
    }
    if (m->again && m->report.version == before) {
        finish(m, ERR_NOT_FOUND, db_last_error(m->db));
        return;
    }
    m->again = false;
    go_on(m);
}

static enum err read_version(struct migrate *m)
{
    static const struct db_stmt stmts[] = {
        {.sql = "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, "
                "name TEXT NOT NULL, applied_at BIGINT NOT NULL)"},
        {.sql = "SELECT COALESCE(MAX(version), 0) AS version FROM schema_migrations"},
    };
    return db_run(m->db, stmts, 2, m->flags | DB_LOCK, version_cb, m);
}

enum err migrate_run(struct db *db, const struct migration *list, size_t n, unsigned flags,
                     migrate_done_fn *done, void *ctx)
{
    struct migrate *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    m->db = db;
    m->list = list;
    m->n = n;
    m->flags = flags;
    m->done = done;
    m->ctx = ctx;
    arena_init(&m->arena, SQL_BYTES_MAX);
    enum err e = read_version(m);
    if (e != OK)
        free(m);
    return e;
}
