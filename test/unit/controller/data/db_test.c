#include "test/unit/controller/data/db_fixture.h"

#include <math.h>

#include "common/clock.h"

/* A statement that runs for seconds; the engines have nothing in common here. */
static const char *slow_sql(const struct fixture *f)
{
    if (f->engine == ENGINE_PG)
        return "SELECT pg_sleep(20)";
    return "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000000000) "
           "SELECT COUNT(*) FROM c";
}

static void make_table(struct fixture *f)
{
    struct answer a = ASK0(f, "CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT UNIQUE, "
                              "weight DOUBLE PRECISION, good BOOLEAN NOT NULL DEFAULT FALSE, "
                              "bytes BYTEA, CHECK (weight >= 0))");
    assert_int_equal(a.e, OK);
    a = ASK0(f, "CREATE TABLE parts (thing BIGINT REFERENCES things (id))");
    assert_int_equal(a.e, OK);
}

#define INSERT "INSERT INTO things (id, name) VALUES ($1, $2)"

struct values {
    int calls;
    int64_t i64;
    double f64;
    bool b;
    bool null;
    unsigned char blob[300];
    size_t n_blob;
    char text[64];
};

static void take_values(void *ctx, enum err e, const struct db_result *r)
{
    struct values *v = ctx;
    v->calls++;
    if (e != OK || db_rows(r) != 1)
        return;
    v->i64 = db_get_int(r, 0, db_col(r, "id"));
    v->f64 = db_get_double(r, 0, db_col(r, "weight"));
    v->b = db_get_bool(r, 0, db_col(r, "good"));
    const void *blob = db_get_blob(r, 0, db_col(r, "bytes"), &v->n_blob);
    v->null = blob == NULL;
    if (v->n_blob > 0 && v->n_blob <= sizeof v->blob)
        memcpy(v->blob, blob, v->n_blob);
    snprintf(v->text, sizeof v->text, "%s", db_get_text(r, 0, db_col(r, "name")));
}

static void every_type_comes_back_as_it_went_in(void **state)
{
    struct fixture *f = *state;
    make_table(f);
    unsigned char blob[256];
    for (size_t i = 0; i < sizeof blob; i++)
        blob[i] = (unsigned char)i;
    struct answer a =
        ASK(f,
            "INSERT INTO things (id, name, weight, good, bytes) "
            "VALUES ($1, $2, $3, $4, $5)",
            db_int(INT64_MAX), db_text("gr\xc3\xbc\xc3\x9f' \"x\\ $1 \xf0\x9f\x8c\x8a"),
            db_double(0.1), db_bool(true), db_blob(blob, sizeof blob));
    assert_int_equal(a.e, OK);
    assert_int_equal(a.affected, 1);
    struct values v = {0};
    assert_int_equal(db_query(f->db, "SELECT * FROM things", NULL, 0, take_values, &v), OK);
    assert_true(turn_until(&f->loop, &v.calls, 1));
    assert_true(v.i64 == INT64_MAX);
    assert_true(v.f64 == 0.1);
    assert_true(v.b);
    assert_int_equal(v.n_blob, sizeof blob);
    assert_memory_equal(v.blob, blob, sizeof blob);
    assert_string_equal(v.text, "gr\xc3\xbc\xc3\x9f' \"x\\ $1 \xf0\x9f\x8c\x8a");
}

static void null_and_empty_are_not_the_same(void **state)
{
    struct fixture *f = *state;
    make_table(f);
    ASK(f, "INSERT INTO things (id, name, bytes) VALUES ($1, $2, $3)", db_int(1), db_text(""),
        db_blob("", 0));
    ASK(f, "INSERT INTO things (id, name, bytes) VALUES ($1, $2, $3)", db_int(2), db_text(NULL),
        db_blob(NULL, 0));
    struct answer a = ASK0(f, "SELECT id FROM things WHERE name = '' AND bytes IS NOT NULL");
    assert_int_equal(a.rows, 1);
    assert_string_equal(a.cell[0][0], "1");
    a = ASK0(f, "SELECT name, weight, bytes FROM things WHERE id = 2");
    for (int i = 0; i < 3; i++)
        assert_string_equal(a.cell[0][i], "NULL");
    struct values v = {.null = false};
    assert_int_equal(db_query(f->db, "SELECT * FROM things WHERE id = 1", NULL, 0, take_values, &v),
                     OK);
    assert_true(turn_until(&f->loop, &v.calls, 1));
    assert_false(v.null);
    assert_int_equal(v.n_blob, 0);
}

static void parameters_are_values_never_sql(void **state)
{
    struct fixture *f = *state;
    make_table(f);
    const char *evil = "x'); DROP TABLE things; --";
    assert_int_equal(ASK(f, INSERT, db_int(1), db_text(evil)).e, OK);
    struct answer a = ASK(f, "SELECT name FROM things WHERE name = $1", db_text(evil));
    assert_int_equal(a.rows, 1);
    assert_string_equal(a.cell[0][0], evil);
}

static void a_parameter_may_be_used_twice_and_in_any_order(void **state)
{
    struct fixture *f = *state;
    make_table(f);
    assert_int_equal(
        ASK(f, "INSERT INTO things (name, id) VALUES ($2, $1)", db_int(7), db_text("n")).e, OK);
    struct answer a = ASK(f, "SELECT id FROM things WHERE name = $2 AND id >= $1 AND id <= $1",
                          db_int(7), db_text("n"));
    assert_int_equal(a.rows, 1);
}

static void broken_statements_are_errors_and_change_nothing(void **state)
{
    struct fixture *f = *state;
    log_init(LOG_ERROR + 1, "test");
    make_table(f);
    assert_int_equal(ASK0(f, "SELEKT 1").e, ERR_IO);
    assert_true(strlen(db_last_error(f->db)) > 0);
    assert_int_equal(ASK0(f, "SELECT nothing FROM nowhere").e, ERR_IO);
    assert_int_equal(ASK0(f, "DELETE FROM things; DELETE FROM parts").e, ERR_IO);
    assert_int_equal(ASK(f, "SELECT id FROM things WHERE id = $1", db_int(1), db_int(2)).e, ERR_IO);
    assert_int_equal(ASK0(f, "SELECT id FROM things WHERE id = $1").e, ERR_IO);
    assert_int_equal(ASK0(f, "SELECT COUNT(*) FROM things").e, OK);
    log_init(LOG_ERROR, "test");
}

static void constraints_have_errors_of_their_own(void **state)
{
    struct fixture *f = *state;
    make_table(f);
    assert_int_equal(ASK(f, INSERT, db_int(1), db_text("a")).e, OK);
    assert_int_equal(ASK(f, INSERT, db_int(1), db_text("b")).e, ERR_EXISTS);
    assert_int_equal(ASK(f, INSERT, db_int(2), db_text("a")).e, ERR_EXISTS);
    assert_int_equal(ASK(f, "INSERT INTO parts (thing) VALUES ($1)", db_int(9)).e, ERR_NOT_FOUND);
    assert_int_equal(
        ASK(f, "INSERT INTO things (id, weight) VALUES ($1, $2)", db_int(3), db_double(-1)).e,
        ERR_RANGE);
    assert_int_equal(ASK(f, "UPDATE things SET good = $1", db_null()).e, ERR_RANGE);
    assert_int_equal(ASK0(f, "SELECT COUNT(*) FROM things").cell[0][0][0], '1');
}

static void text_must_be_utf8(void **state)
{
    struct fixture *f = *state;
    make_table(f);
    static const char *const bad[] = {
        "\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80", "\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct db_param p[] = {db_int(1), db_text(bad[i])};
        assert_int_equal(db_query(f->db, INSERT, p, 2, NULL, NULL), ERR_MALFORMED);
    }
    assert_int_equal(ASK(f, INSERT, db_int(1), db_text("\xf4\x8f\xbf\xbf \xe2\x82\xac")).e, OK);
}

static void returning_gives_rows_and_counts(void **state)
{
    struct fixture *f = *state;
    make_table(f);
    ASK(f, INSERT, db_int(1), db_text("a"));
    ASK(f, INSERT, db_int(2), db_text("b"));
    struct answer a = ASK0(f, "UPDATE things SET good = TRUE RETURNING id, good");
    assert_int_equal(a.rows, 2);
    assert_int_equal(a.affected, 2);
    assert_string_equal(a.cell[0][1], "1");
    assert_int_equal(ASK0(f, "UPDATE things SET good = TRUE WHERE id = 3").affected, 0);
    assert_int_equal(ASK0(f, "SELECT id FROM things").affected, 0);
    a = ASK(f, INSERT " ON CONFLICT (id) DO NOTHING", db_int(1), db_text("z"));
    assert_int_equal(a.e, OK);
    assert_int_equal(a.affected, 0);
}

static void a_batch_is_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    make_table(f);
    struct db_param one[] = {db_int(1), db_text("a")};
    struct db_param two[] = {db_int(2), db_text("b")};
    struct db_stmt good[] = {{.sql = INSERT, .params = one, .n_params = 2},
                             {.sql = INSERT, .params = two, .n_params = 2},
                             {.sql = "SELECT COUNT(*) FROM things"}};
    struct db_stmt bad[] = {{.sql = "DELETE FROM things"},
                            {.sql = INSERT, .params = one, .n_params = 2},
                            {.sql = INSERT, .params = one, .n_params = 2}};
    struct answer a = run_job(f, good, 3, 0);
    assert_int_equal(a.e, OK);
    assert_int_equal(a.results, 3);
    assert_string_equal(a.cell[0][0], "2");
    a = run_job(f, bad, 3, 0);
    assert_int_equal(a.e, ERR_EXISTS);
    assert_int_equal(a.results, 0);
    assert_string_equal(ASK0(f, "SELECT COUNT(*) FROM things").cell[0][0], "2");
}

static void a_batch_stops_where_nothing_matches(void **state)
{
    struct fixture *f = *state;
    make_table(f);
    ASK(f, INSERT, db_int(1), db_text("a"));
    struct db_stmt stmts[] = {
        {.sql = "UPDATE things SET name = 'changed' WHERE id = 1", .must_match = true},
        {.sql = "UPDATE things SET name = 'x' WHERE id = 2", .must_match = true},
        {.sql = "this would be an error"},
    };
    assert_int_equal(run_job(f, stmts, 3, 0).e, ERR_NOT_FOUND);
    assert_string_equal(ASK0(f, "SELECT name FROM things").cell[0][0], "a");
    assert_int_equal(run_job(f, &stmts[1], 1, 0).e, ERR_NOT_FOUND);
    assert_int_equal(run_job(f, &stmts[0], 1, DB_TX).e, OK);
    assert_string_equal(ASK0(f, "SELECT name FROM things").cell[0][0], "changed");
}

struct order {
    int calls;
    int ok;
    int64_t last;
    bool disordered;
};

static void take_order(void *ctx, enum err e, const struct db_result *r)
{
    struct order *o = ctx;
    o->calls++;
    if (e != OK)
        return;
    o->ok++;
    int64_t n = db_get_int(r, 0, 0);
    /* SQLite counts the row that goes in, PostgreSQL does not. */
    o->disordered |= o->ok > 1 && n != o->last + 1;
    o->last = n;
}

static void a_thousand_jobs_run_in_order(void **state)
{
    struct fixture *f = *state;
    make_table(f);
    struct order o = {0};
    usec start = clock_now();
    for (int i = 0; i < 1000; i++) {
        struct db_param p[] = {db_int(i)};
        struct db_stmt s = {
            .sql =
                "INSERT INTO things (id) VALUES ($1) RETURNING (SELECT COUNT(*) FROM things) + 1 "
                "AS n",
            .params = p,
            .n_params = 1};
        /* Transactions in between keep the order too. */
        assert_int_equal(db_run(f->db, &s, 1, i % 100 == 50 ? DB_TX : 0, take_order, &o), OK);
    }
    assert_true(turn_until(&f->loop, &o.calls, 1000));
    print_message("1000 inserts: %.1f ms\n", (double)(clock_now() - start) / 1000);
    assert_int_equal(o.ok, 1000);
    assert_false(o.disordered);
    assert_string_equal(ASK0(f, "SELECT COUNT(*) FROM things").cell[0][0], "1000");
}

static void the_queue_is_bounded(void **state)
{
    struct fixture *f = *state;
    fixture_close_db(f);
    fixture_open_db(f, 0, 10);
    struct answer a = {0};
    int accepted = 0;
    enum err e = OK;
    while ((e = db_query(f->db, "SELECT 1", NULL, 0, answered, &a)) == OK)
        accepted++;
    assert_int_equal(e, ERR_FULL);
    assert_int_equal(accepted, 10);
    assert_true(turn_until(&f->loop, &a.calls, 10));
    assert_int_equal(a.e, OK);
    assert_int_equal(ASK0(f, "SELECT 1").e, OK);
    struct db_stats stats;
    db_stats(f->db, &stats);
    assert_int_equal(stats.jobs_refused, 1);
    assert_int_equal(stats.jobs_ok, 11);
    assert_int_equal(stats.queued, 0);
}

static void too_many_bytes_are_refused(void **state)
{
    struct fixture *f = *state;
    char *big = malloc(DB_JOB_BYTES_MAX + 1);
    memset(big, 'a', DB_JOB_BYTES_MAX);
    big[DB_JOB_BYTES_MAX] = '\0';
    struct db_param p = db_text(big);
    enum err e = db_query(f->db, "SELECT LENGTH($1)", &p, 1, NULL, NULL);
    free(big);
    assert_int_equal(e, ERR_TOO_LARGE);
}

static void too_many_rows_are_refused(void **state)
{
    struct fixture *f = *state;
    struct answer a = ASK0(f, "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
                              "WHERE n < 100001) SELECT n FROM c");
    assert_int_equal(a.e, ERR_TOO_LARGE);
    a = ASK0(f, "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
                "WHERE n < 100000) SELECT n FROM c");
    assert_int_equal(a.e, OK);
    assert_int_equal(a.rows, 100000);
}

static void a_slow_statement_is_ended(void **state)
{
    struct fixture *f = *state;
    log_init(LOG_ERROR + 1, "test");
    fixture_close_db(f);
    fixture_open_db(f, 100 * USEC_PER_MSEC, 0);
    assert_int_equal(ASK0(f, "SELECT 1").e, OK);
    usec start = clock_now();
    assert_int_equal(ASK0(f, slow_sql(f)).e, ERR_TIMEOUT);
    assert_true(clock_now() - start < 3 * USEC_PER_SEC);
    /* In a transaction too, and the next job finds everything in order. */
    struct db_stmt stmts[] = {{.sql = "CREATE TABLE t (x BIGINT)"}, {.sql = slow_sql(f)}};
    assert_int_equal(run_job(f, stmts, 2, 0).e, ERR_TIMEOUT);
    assert_int_equal(ASK0(f, "CREATE TABLE t (x BIGINT)").e, OK);
    log_init(LOG_ERROR, "test");
}

static void closing_answers_every_job_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ASK0(f, "SELECT 1").e, OK);
    struct answer slow = {0};
    struct answer after[5] = {0};
    assert_int_equal(db_query(f->db, slow_sql(f), NULL, 0, answered, &slow), OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(db_query(f->db, "SELECT 1", NULL, 0, answered, &after[i]), OK);
    usec start = clock_now();
    reach_count = 0;
    db_close(f->db, 50 * USEC_PER_MSEC, db_gone, NULL);
    assert_int_equal(db_query(f->db, "SELECT 1", NULL, 0, answered, &slow), ERR_CLOSED);
    assert_int_equal(db_state(f->db), DB_CLOSING);
    f->db = NULL;
    assert_true(turn_until(&f->loop, &reach_count, 1));
    assert_true(clock_now() - start < 2 * USEC_PER_SEC);
    assert_int_equal(slow.calls, 1);
    assert_int_equal(slow.e, ERR_CLOSED);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(after[i].calls, 1);
        assert_int_equal(after[i].e, ERR_CLOSED);
    }
}

static void closing_with_grace_finishes_what_is_queued(void **state)
{
    struct fixture *f = *state;
    struct answer a = {0};
    for (int i = 0; i < 100; i++)
        assert_int_equal(db_query(f->db, "SELECT 1", NULL, 0, answered, &a), OK);
    reach_count = 0;
    db_close(f->db, 10 * USEC_PER_SEC, db_gone, NULL);
    f->db = NULL;
    assert_true(turn_until(&f->loop, &reach_count, 1));
    assert_int_equal(a.calls, 100);
    assert_int_equal(a.e, OK);
}

static void closing_at_once_after_opening_is_fine(void **state)
{
    struct fixture *f = *state;
    fixture_close_db(f);
    fixture_open_db(f, 0, 0);
    fixture_close_db(f);
    reach_count = 0;
    db_close(NULL, 0, db_gone, NULL);
    assert_int_equal(reach_count, 1);
}

struct chain {
    struct fixture *f;
    int left;
    int done;
};

static void ask_again(void *ctx, enum err e, const struct db_result *r)
{
    (void)r;
    struct chain *c = ctx;
    if (e == OK && c->left-- > 0)
        e = db_query(c->f->db, "SELECT 1", NULL, 0, ask_again, c);
    else if (e == OK)
        db_close(c->f->db, 0, db_gone, NULL);
    c->done = e != OK;
}

static void callbacks_may_ask_and_close(void **state)
{
    struct fixture *f = *state;
    struct chain c = {.f = f, .left = 50};
    reach_count = 0;
    assert_int_equal(db_query(f->db, "SELECT 1", NULL, 0, ask_again, &c), OK);
    assert_true(turn_until(&f->loop, &reach_count, 1));
    f->db = NULL;
    assert_int_equal(c.left, -1);
    assert_int_equal(c.done, 0);
}

static void what_was_written_is_there_after_opening_again(void **state)
{
    struct fixture *f = *state;
    make_table(f);
    assert_int_equal(ASK(f, INSERT, db_int(5), db_text("kept")).e, OK);
    fixture_close_db(f);
    fixture_open_db(f, 0, 0);
    assert_string_equal(ASK0(f, "SELECT name FROM things").cell[0][0], "kept");
    assert_int_equal(db_state(f->db), DB_READY);
}

/* Two handles, as two processes would have them. */
static void the_lock_shuts_others_out(void **state)
{
    struct fixture *f = *state;
    const char *pause = f->engine == ENGINE_PG
                            ? "SELECT pg_sleep(0.3)"
                            : "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
                              "WHERE n < 1000000) SELECT COUNT(*) FROM c";
    ASK0(f, "CREATE TABLE t (x BIGINT)");
    struct db *other = NULL;
    struct db_config config = {.url = f->url};
    assert_int_equal(db_open(&other, &f->loop, &config), OK);
    struct db_stmt writes[] = {{.sql = "INSERT INTO t (x) VALUES (1)"},
                               {.sql = pause},
                               {.sql = "INSERT INTO t (x) VALUES (2)"}};
    struct db_stmt reads[] = {{.sql = "SELECT COUNT(*) FROM t"}};
    struct answer w = {0};
    struct answer r = {0};
    struct answer ready = {0};
    assert_int_equal(db_query(other, "SELECT 1", NULL, 0, answered, &ready), OK);
    assert_true(turn_until(&f->loop, &ready.calls, 1));
    assert_int_equal(db_run(f->db, writes, 3, DB_LOCK, answered, &w), OK);
    for (int i = 0; i < 20; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_int_equal(w.calls, 0);
    assert_int_equal(db_run(other, reads, 1, DB_LOCK, answered, &r), OK);
    assert_true(turn_until(&f->loop, &r.calls, 1));
    reach_count = 0;
    db_close(other, 0, db_gone, NULL);
    assert_true(turn_until(&f->loop, &reach_count, 1));
    assert_int_equal(w.e, OK);
    assert_int_equal(r.e, OK);
    assert_string_equal(r.cell[0][0], "2");
}

static void unknown_urls_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"", "mysql://x", "sqlite:", "var/weir.db",
                                      "postgresql://h/?nonsense=1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct db *db = NULL;
        struct db_config config = {.url = bad[i]};
        assert_int_equal(db_open(&db, &f->loop, &config), ERR_MALFORMED);
    }
}

int main(void)
{
    static const struct named_test tests[] = {
        {"every type comes back as it went in", every_type_comes_back_as_it_went_in, false},
        {"NULL and empty are not the same", null_and_empty_are_not_the_same, false},
        {"parameters are values, never SQL", parameters_are_values_never_sql, false},
        {"a parameter may be used twice and in any order",
         a_parameter_may_be_used_twice_and_in_any_order, false},
        {"broken statements are errors and change nothing",
         broken_statements_are_errors_and_change_nothing, false},
        {"constraints have errors of their own", constraints_have_errors_of_their_own, false},
        {"text must be UTF-8", text_must_be_utf8, false},
        {"RETURNING gives rows and counts", returning_gives_rows_and_counts, false},
        {"a batch is all or nothing", a_batch_is_all_or_nothing, false},
        {"a batch stops where nothing matches", a_batch_stops_where_nothing_matches, false},
        {"a thousand jobs run in order", a_thousand_jobs_run_in_order, false},
        {"the queue is bounded", the_queue_is_bounded, false},
        {"too many bytes are refused", too_many_bytes_are_refused, false},
        {"too many rows are refused", too_many_rows_are_refused, false},
        {"a slow statement is ended", a_slow_statement_is_ended, false},
        {"closing answers every job once", closing_answers_every_job_once, false},
        {"closing with grace finishes what is queued", closing_with_grace_finishes_what_is_queued,
         false},
        {"closing at once after opening is fine", closing_at_once_after_opening_is_fine, false},
        {"callbacks may ask and close", callbacks_may_ask_and_close, false},
        {"what was written is there after opening again",
         what_was_written_is_there_after_opening_again, true},
        {"the lock shuts others out", the_lock_shuts_others_out, true},
        {"unknown URLs are refused", unknown_urls_are_refused, false},
    };
    return run_on_all_engines("db", tests, sizeof tests / sizeof tests[0]);
}
