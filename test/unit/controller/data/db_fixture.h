/* What tests over both engines share: a loop, a fresh database, and answers to look at. */
#ifndef WEIR_TEST_DB_FIXTURE_H
#define WEIR_TEST_DB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <uv.h>

#include "common/log.h"
#include "controller/data/db.h"
#include "test/unit/controller/data/pg_server.h"

enum engine { ENGINE_MEMORY, ENGINE_FILE, ENGINE_PG, ENGINES };
static const char *const engine_names[] = {"sqlite, in memory", "sqlite, in a file", "postgresql"};

struct fixture {
    uv_loop_t loop;
    struct db *db;
    enum engine engine;
    char dir[32]; /* of the file */
    char url[256];
    bool closed;
};

enum { CELLS = 8, CELL_BYTES = 80 };

/* One job's answer. */
struct answer {
    int calls;
    enum err e;
    size_t rows;
    size_t cols;
    int64_t affected;
    size_t results;                      /* in the chain */
    char cell[CELLS][CELLS][CELL_BYTES]; /* of the last result, "NULL" for NULL */
};

static inline void cell_text(const struct db_result *r, size_t row, size_t col, char *out)
{
    const char *text = db_get_text(r, row, col);
    if (db_is_null(r, row, col))
        snprintf(out, CELL_BYTES, "NULL");
    else if (text)
        snprintf(out, CELL_BYTES, "%s", text);
    else
        snprintf(out, CELL_BYTES, "%g", db_get_double(r, row, col));
}

static inline void answered(void *ctx, enum err e, const struct db_result *r)
{
    struct answer *a = ctx;
    a->calls++;
    a->e = e;
    a->results = 0;
    for (; r; r = db_next(r)) {
        a->results++;
        a->rows = db_rows(r);
        a->cols = db_cols(r);
        a->affected = db_affected(r);
        for (size_t i = 0; i < a->rows && i < CELLS; i++) {
            for (size_t k = 0; k < a->cols && k < CELLS; k++)
                cell_text(r, i, k, a->cell[i][k]);
        }
    }
}

static inline void guard_cb(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static inline void guard_closed(uv_handle_t *handle)
{
    *(bool *)handle->data = true;
}

/* Turns the loop until *value reaches at least `want`; false after ten seconds. */
static inline bool turn_until(uv_loop_t *loop, const int *value, int want)
{
    bool late = false;
    uv_timer_t guard;
    uv_timer_init(loop, &guard);
    guard.data = &late;
    uv_timer_start(&guard, guard_cb, 10000, 0);
    while (*value < want && !late)
        uv_run(loop, UV_RUN_ONCE);
    bool gone = false;
    guard.data = &gone;
    uv_close((uv_handle_t *)&guard, guard_closed);
    while (!gone)
        uv_run(loop, UV_RUN_NOWAIT);
    return !late;
}

/* Runs a job and waits for its answer. What db_run refuses counts as an answer too. */
static inline struct answer run_job(struct fixture *f, const struct db_stmt *stmts, size_t n,
                                    unsigned flags)
{
    struct answer a = {0};
    enum err e = db_run(f->db, stmts, n, flags, answered, &a);
    if (e != OK) {
        a.e = e;
        return a;
    }
    assert_int_equal(a.calls, 0);
    assert_true(turn_until(&f->loop, &a.calls, 1));
    assert_int_equal(a.calls, 1);
    return a;
}

static inline struct answer ask(struct fixture *f, const char *sql, const struct db_param *params,
                                size_t n)
{
    struct db_stmt stmt = {.sql = sql, .params = params, .n_params = n};
    return run_job(f, &stmt, 1, 0);
}

#define ASK(f, sql, ...)                                                                           \
    ask(f, sql, (struct db_param[]){__VA_ARGS__},                                                  \
        sizeof((struct db_param[]){__VA_ARGS__}) / sizeof(struct db_param))
#define ASK0(f, sql) ask(f, sql, NULL, 0)

static int reach_count; /* of closed handles */

static inline void db_gone(void *ctx)
{
    (void)ctx;
    reach_count++;
}

static inline void fixture_close_db(struct fixture *f)
{
    if (!f->db)
        return;
    reach_count = 0;
    db_close(f->db, 0, db_gone, NULL);
    f->db = NULL;
    assert_true(turn_until(&f->loop, &reach_count, 1));
}

static inline void fixture_open_db(struct fixture *f, usec limit, unsigned queue_max)
{
    struct db_config config = {.url = f->url, .statement_limit = limit, .queue_max = queue_max};
    assert_int_equal(db_open(&f->db, &f->loop, &config), OK);
}

/* state is the engine. */
static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->engine = *(const enum engine *)*state;
    uv_loop_init(&f->loop);
    switch (f->engine) {
    case ENGINE_PG:
        if (pg_server.pid == 0)
            pg_server_start();
        if (!pg_exec("SET client_min_messages = warning; DROP SCHEMA public CASCADE; "
                     "CREATE SCHEMA public"))
            return -1;
        pg_url(f->url, sizeof f->url);
        break;
    case ENGINE_FILE:
        snprintf(f->dir, sizeof f->dir, "/tmp/weir-db-XXXXXX");
        if (!mkdtemp(f->dir))
            return -1;
        snprintf(f->url, sizeof f->url, "sqlite:%s/test.db", f->dir);
        break;
    case ENGINE_MEMORY:
    case ENGINES:
        snprintf(f->url, sizeof f->url, "sqlite::memory:");
        break;
    }
    fixture_open_db(f, 0, 0);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_close_db(f);
    int left = -1;
    for (int i = 0; i < 1000 && left != 0; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        left = uv_loop_close(&f->loop);
        if (left != 0)
            usleep(1000);
    }
    if (f->dir[0] != '\0') {
        char cmd[64];
        snprintf(cmd, sizeof cmd, "rm -rf '%s'", f->dir);
        left |= system(cmd);
    }
    free(f);
    return left;
}

struct named_test {
    const char *name;
    CMUnitTestFunction body;
    bool not_memory; /* needs two connections to the same database */
};

/* Every test with every engine. */
static inline int run_on_all_engines(const char *group, const struct named_test *tests, size_t n)
{
    static enum engine engines[ENGINES] = {ENGINE_MEMORY, ENGINE_FILE, ENGINE_PG};
    static char names[200][128];
    static struct CMUnitTest list[200];
    size_t count = 0;
    for (size_t e = 0; e < ENGINES; e++) {
        for (size_t i = 0; i < n; i++) {
            if (tests[i].not_memory && e == ENGINE_MEMORY)
                continue;
            snprintf(names[count], sizeof names[count], "%s: %s", engine_names[e], tests[i].name);
            list[count] = (struct CMUnitTest){names[count], tests[i].body, fixture_setup,
                                              fixture_teardown, &engines[e]};
            count++;
        }
    }
    log_init(getenv("WEIR_TEST_LOG") ? LOG_DEBUG : LOG_ERROR, "test");
    pg_server_open();
    return _cmocka_run_group_tests(group, list, count, NULL, NULL);
}

#endif
