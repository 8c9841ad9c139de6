#include "test/unit/controller/data/db_fixture.h"

#include "controller/data/migrate.h"
#include "controller/data/sql_split.h"

struct migrated {
    int calls;
    enum err e;
    int version;
    int applied;
    char failed[64];
    char reason[256];
};

static void take_report(void *ctx, enum err e, const struct migrate_report *report)
{
    struct migrated *m = ctx;
    m->calls++;
    m->e = e;
    m->version = report->version;
    m->applied = report->applied;
    snprintf(m->failed, sizeof m->failed, "%s", report->failed ? report->failed : "");
    snprintf(m->reason, sizeof m->reason, "%s", report->reason);
}

static struct migrated migrate(struct fixture *f, const struct migration *list, size_t n)
{
    struct migrated m = {0};
    assert_int_equal(migrate_run(f->db, list, n, 0, take_report, &m), OK);
    assert_true(turn_until(&f->loop, &m.calls, 1));
    return m;
}

static void builtin_ones_apply_to_an_empty_database_once(void **state)
{
    struct fixture *f = *state;
    struct migrated m = migrate(f, migrations_builtin, migrations_builtin_count);
    assert_string_equal(m.reason, "");
    assert_int_equal(m.e, OK);
    assert_int_equal(m.applied, migrations_builtin_count);
    assert_int_equal(m.version, migrations_builtin_count);
    m = migrate(f, migrations_builtin, migrations_builtin_count);
    assert_int_equal(m.e, OK);
    assert_int_equal(m.applied, 0);
    assert_int_equal(m.version, migrations_builtin_count);
    static const char *const tables[] = {"users", "livestreams", "livestream_viewers",
                                         "livestream_chat"};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM %s", tables[i]);
        assert_int_equal(ASK0(f, sql).e, OK);
    }
    assert_string_equal(ASK0(f, "SELECT name FROM schema_migrations").cell[0][0], "0001_streams");
}

static void builtin_ones_are_numbered_without_gaps(void **state)
{
    (void)state;
    for (size_t i = 0; i < migrations_builtin_count; i++)
        assert_int_equal(migrations_builtin[i].version, i + 1);
}

static const struct migration three[] = {
    {1, "0001_a", "CREATE TABLE a (x TEXT); INSERT INTO a (x) VALUES ('one; -- two');"},
    {2, "0002_b", "-- only b\nCREATE TABLE b (x BIGINT);"},
    {3, "0003_c", "CREATE TABLE c (x BIGINT);\nINSERT INTO a (x) VALUES ('three');\n"},
};

static void later_ones_are_added(void **state)
{
    struct fixture *f = *state;
    struct migrated m = migrate(f, three, 1);
    assert_int_equal(m.version, 1);
    m = migrate(f, three, 3);
    assert_int_equal(m.e, OK);
    assert_int_equal(m.applied, 2);
    assert_int_equal(m.version, 3);
    struct answer a = ASK0(f, "SELECT x FROM a ORDER BY x");
    assert_int_equal(a.rows, 2);
    assert_string_equal(a.cell[0][0], "one; -- two");
}

static void a_failing_one_leaves_nothing_half_done(void **state)
{
    struct fixture *f = *state;
    log_init(LOG_ERROR + 1, "test");
    const struct migration bad[] = {
        three[0],
        {2, "0002_bad",
         "CREATE TABLE half (x BIGINT); DELETE FROM a; INSERT INTO nowhere (x) VALUES (1);"},
        three[2],
    };
    struct migrated m = migrate(f, bad, 3);
    assert_int_equal(m.e, ERR_IO);
    assert_int_equal(m.applied, 1);
    assert_int_equal(m.version, 1);
    assert_string_equal(m.failed, "0002_bad");
    assert_non_null(strstr(m.reason, "nowhere"));
    assert_int_equal(ASK0(f, "SELECT x FROM half").e, ERR_IO);
    assert_int_equal(ASK0(f, "SELECT x FROM c").e, ERR_IO);
    assert_int_equal(ASK0(f, "SELECT x FROM a").rows, 1);
    /* Corrected, it goes on from there. */
    m = migrate(f, three, 3);
    assert_int_equal(m.e, OK);
    assert_int_equal(m.applied, 2);
    log_init(LOG_ERROR, "test");
}

static void one_that_matches_nothing_is_not_taken_for_done(void **state)
{
    struct fixture *f = *state;
    /* Its error is the same as that of a version that is there already. */
    const struct migration bad[] = {
        {1, "0001_bad",
         "CREATE TABLE p (x BIGINT PRIMARY KEY); CREATE TABLE q (x BIGINT REFERENCES p (x)); "
         "INSERT INTO q (x) VALUES (1);"},
    };
    struct migrated m = migrate(f, bad, 1);
    assert_int_equal(m.e, ERR_NOT_FOUND);
    assert_int_equal(m.applied, 0);
    assert_string_equal(m.failed, "0001_bad");
}

static void a_newer_database_is_left_alone(void **state)
{
    struct fixture *f = *state;
    migrate(f, three, 3);
    struct migrated m = migrate(f, three, 2);
    assert_int_equal(m.e, ERR_STATE);
    assert_int_equal(m.version, 3);
    assert_non_null(strstr(m.reason, "newer"));
}

/* In a child: connects, says so, waits for all the others, migrates. */
static void migrate_in_child(const struct fixture *f, int ready, int go)
{
    struct fixture own = {.engine = f->engine};
    char byte = 0;
    memcpy(own.url, f->url, sizeof own.url);
    uv_loop_init(&own.loop);
    fixture_open_db(&own, 0, 0);
    ASK0(&own, "SELECT 1");
    if (write(ready, "", 1) != 1 || read(go, &byte, 1) != 0)
        _exit(101);
    struct migrated m = migrate(&own, three, 3);
    if (m.e != OK)
        fprintf(stderr, "%s: %s %s\n", engine_names[f->engine], err_name(m.e), m.reason);
    _exit(m.e == OK ? m.applied : 100);
}

/* Several programs start at the same time: each in a process of its own, with its own connection.
 */
static void several_processes_apply_each_once(void **state)
{
    struct fixture *f = *state;
    enum { PROCESSES = 6 };
    int ready[2];
    int go[2];
    fixture_close_db(f);
    assert_int_equal(pipe(ready) | pipe(go), 0);
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            close(go[1]);
            migrate_in_child(f, ready[1], go[0]);
        }
    }
    close(ready[1]);
    char byte = 0;
    for (int i = 0; i < PROCESSES; i++)
        assert_int_equal(read(ready[0], &byte, 1), 1);
    close(go[1]); /* they all see the end of the pipe at once */
    int applied = 0;
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        waitpid(pids[i], &status, 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 3);
        applied += WEXITSTATUS(status);
    }
    close(ready[0]);
    close(go[0]);
    assert_int_equal(applied, 3);
    fixture_open_db(f, 0, 0);
    assert_int_equal(ASK0(f, "SELECT x FROM a").rows, 2);
    assert_int_equal(ASK0(f, "SELECT version FROM schema_migrations").rows, 3);
}

static void statements_are_cut_where_they_end(void **state)
{
    (void)state;
    const char *at = " ;; -- c;\n/* d; */ SELECT 'a;''b' /* ; */ , \"x;y\" ; SELECT 2 -- e;\n;"
                     "\n-- the end; \n";
    size_t n = 0;
    const char *s = sql_split_next(&at, &n);
    assert_int_equal(n, strlen("SELECT 'a;''b' /* ; */ , \"x;y\" "));
    assert_memory_equal(s, "SELECT 'a;''b'", 14);
    s = sql_split_next(&at, &n);
    assert_memory_equal(s, "SELECT 2", 8);
    assert_null(sql_split_next(&at, &n));
    assert_null(sql_split_next(&at, &n));
    at = "SELECT 'open; text";
    assert_non_null(sql_split_next(&at, &n));
    assert_int_equal(n, strlen("SELECT 'open; text"));
    at = "/* open";
    assert_null(sql_split_next(&at, &n));
}

int main(void)
{
    static const struct named_test tests[] = {
        {"built-in ones apply to an empty database once",
         builtin_ones_apply_to_an_empty_database_once, false},
        {"built-in ones are numbered without gaps", builtin_ones_are_numbered_without_gaps, false},
        {"later ones are added", later_ones_are_added, false},
        {"a failing one leaves nothing half done", a_failing_one_leaves_nothing_half_done, false},
        {"one that matches nothing is not taken for done",
         one_that_matches_nothing_is_not_taken_for_done, false},
        {"a newer database is left alone", a_newer_database_is_left_alone, false},
        {"several processes apply each once", several_processes_apply_each_once, true},
        {"statements are cut where they end", statements_are_cut_where_they_end, false},
    };
    return run_on_all_engines("migrate", tests, sizeof tests / sizeof tests[0]);
}
