/* What only a server can do: be away, die, fall silent, talk nonsense. */
#include "test/unit/controller/data/db_fixture.h"

#include "common/clock.h"

static void open_url(struct fixture *f, const char *url, usec statement_limit, usec connect_limit)
{
    fixture_close_db(f);
    struct db_config config = {
        .url = url, .statement_limit = statement_limit, .connect_limit = connect_limit};
    assert_int_equal(db_open(&f->db, &f->loop, &config), OK);
}

static void open_tcp(struct fixture *f, const char *host, int port, usec connect_limit)
{
    char url[256];
    snprintf(url, sizeof url, "postgresql://postgres:hunter2@%s:%d/postgres", host, port);
    open_url(f, url, 0, connect_limit);
}

static struct answer wait_ask(struct fixture *f, const char *sql)
{
    struct db_stmt stmt = {.sql = sql};
    return run_job(f, &stmt, 1, DB_WAIT);
}

static void refused_connections_fail_jobs_at_once(void **state)
{
    struct fixture *f = *state;
    open_tcp(f, "127.0.0.1", pg_free_port(), 0);
    assert_int_equal(db_state(f->db), DB_CONNECTING);
    usec start = clock_now();
    assert_int_equal(ASK0(f, "SELECT 1").e, ERR_UNAVAILABLE);
    assert_true(clock_now() - start < USEC_PER_SEC);
    assert_int_equal(db_state(f->db), DB_AWAY);
    assert_non_null(strstr(db_last_error(f->db), "refused"));
    assert_null(strstr(db_last_error(f->db), "hunter2"));
    assert_int_equal(db_query(f->db, "SELECT 1", NULL, 0, NULL, NULL), ERR_UNAVAILABLE);
}

static void waiting_jobs_are_closed_with_the_rest(void **state)
{
    struct fixture *f = *state;
    open_tcp(f, "127.0.0.1", pg_free_port(), 0);
    struct answer a = {0};
    struct db_stmt s = {.sql = "SELECT 1"};
    assert_int_equal(db_run(f->db, &s, 1, DB_WAIT, answered, &a), OK);
    assert_int_equal(ASK0(f, "SELECT 1").e, ERR_UNAVAILABLE);
    assert_int_equal(a.calls, 0);
    fixture_close_db(f);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.e, ERR_CLOSED);
}

static void jobs_wait_for_a_server_that_comes_later(void **state)
{
    struct fixture *f = *state;
    pg_server_stop(SIGINT);
    open_url(f, f->url, 0, 0);
    struct answer a[3] = {0};
    struct db_stmt s = {.sql = "SELECT 1"};
    for (int i = 0; i < 3; i++)
        assert_int_equal(db_run(f->db, &s, 1, DB_WAIT, answered, &a[i]), OK);
    assert_int_equal(ASK0(f, "SELECT 1").e, ERR_UNAVAILABLE);
    pg_server_start();
    for (int i = 0; i < 3; i++) {
        assert_true(turn_until(&f->loop, &a[i].calls, 1));
        assert_int_equal(a[i].e, OK);
    }
    assert_int_equal(db_state(f->db), DB_READY);
    assert_int_equal(ASK0(f, "SELECT 1").e, OK);
}

static void a_killed_server_fails_the_job_and_comes_back(void **state)
{
    struct fixture *f = *state;
    ASK0(f, "CREATE TABLE t (x BIGINT)");
    assert_int_equal(ASK0(f, "INSERT INTO t (x) VALUES (1)").e, OK);
    struct answer slow = {0};
    struct answer next = {0};
    struct answer waits = {0};
    struct db_stmt tx[] = {{.sql = "INSERT INTO t (x) VALUES (2)"}, {.sql = "SELECT pg_sleep(4)"}};
    assert_int_equal(db_run(f->db, tx, 2, 0, answered, &slow), OK);
    assert_int_equal(db_query(f->db, "SELECT 1", NULL, 0, answered, &next), OK);
    struct db_stmt s = {.sql = "SELECT COUNT(*) FROM t"};
    assert_int_equal(db_run(f->db, &s, 1, DB_WAIT, answered, &waits), OK);
    for (int i = 0; i < 50; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        usleep(2000);
    }
    assert_int_equal(slow.calls, 0);
    pg_server_stop(SIGQUIT); /* immediate shutdown: as if it crashed */
    assert_true(turn_until(&f->loop, &slow.calls, 1));
    assert_int_equal(slow.e, ERR_UNAVAILABLE);
    assert_int_equal(next.calls, 1);
    assert_int_equal(next.e, ERR_UNAVAILABLE);
    assert_int_equal(waits.calls, 0);
    assert_int_equal(db_state(f->db), DB_AWAY);
    pg_server_start();
    assert_true(turn_until(&f->loop, &waits.calls, 1));
    assert_int_equal(waits.e, OK);
    assert_string_equal(waits.cell[0][0], "1");
    struct db_stats stats;
    db_stats(f->db, &stats);
    assert_int_equal(stats.lost, 1);
}

static void a_terminated_backend_is_replaced(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        struct answer slow = {0};
        assert_int_equal(db_query(f->db, "SELECT pg_sleep(4)", NULL, 0, answered, &slow), OK);
        for (int k = 0; k < 20; k++) {
            uv_run(&f->loop, UV_RUN_NOWAIT);
            usleep(2000);
        }
        assert_true(pg_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                            "WHERE application_name = 'weir'"));
        assert_true(turn_until(&f->loop, &slow.calls, 1));
        assert_int_equal(slow.e, ERR_UNAVAILABLE);
        assert_int_equal(wait_ask(f, "SELECT 1").e, OK);
    }
}

static void a_connection_lost_in_idleness_is_noticed(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(ASK0(f, "SELECT 1").e, OK);
    assert_true(pg_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE application_name = 'weir'"));
    for (int i = 0; i < 500 && db_state(f->db) == DB_READY; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        usleep(2000);
    }
    assert_int_equal(db_state(f->db), DB_AWAY);
    assert_int_equal(wait_ask(f, "SELECT 1").e, OK);
}

static void a_silent_server_is_given_up(void **state)
{
    struct fixture *f = *state;
    open_url(f, f->url, 100 * USEC_PER_MSEC, 0);
    struct answer a = ASK0(f, "SELECT pg_backend_pid()");
    pid_t backend = (pid_t)atof(a.cell[0][0]);
    assert_true(backend > 1);
    kill(backend, SIGSTOP);
    usec start = clock_now();
    a = ASK0(f, "SELECT 1");
    kill(backend, SIGCONT);
    assert_int_equal(a.e, ERR_UNAVAILABLE);
    assert_true(clock_now() - start < 4 * USEC_PER_SEC);
    assert_int_equal(wait_ask(f, "SELECT 1").e, OK);
}

/* A server of our own in a child: accepts, and writes text to everybody (NULL: says nothing). */
static pid_t impostor(int *port, const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(fd, 5), 0);
    getsockname(fd, (struct sockaddr *)&in, &n);
    *port = ntohs(in.sin_port);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            int conn = accept(fd, NULL, NULL);
            if (text && write(conn, text, strlen(text)) > 0)
                close(conn);
        }
    }
    close(fd);
    return pid;
}

static void end_impostor(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void a_server_that_never_answers_is_given_up(void **state)
{
    struct fixture *f = *state;
    int port = 0;
    pid_t pid = impostor(&port, NULL);
    open_tcp(f, "127.0.0.1", port, 200 * USEC_PER_MSEC);
    usec start = clock_now();
    struct answer a = ASK0(f, "SELECT 1");
    end_impostor(pid);
    assert_int_equal(a.e, ERR_UNAVAILABLE);
    assert_true(clock_now() - start < 2 * USEC_PER_SEC);
    assert_non_null(strstr(db_last_error(f->db), "too long"));
}

static void a_server_that_talks_nonsense_is_given_up(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"HTTP/1.1 400 Bad Request\r\n\r\n", "N", "Nfoo", "",
                                        "R\x01\x02\x03\x04\x05\x06\x07\x08"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int port = 0;
        pid_t pid = impostor(&port, texts[i]);
        open_tcp(f, "127.0.0.1", port, 300 * USEC_PER_MSEC);
        struct answer a = ASK0(f, "SELECT 1");
        end_impostor(pid);
        assert_int_equal(a.e, ERR_UNAVAILABLE);
    }
}

static void host_names_are_resolved(void **state)
{
    struct fixture *f = *state;
    open_tcp(f, "localhost", pg_server.port, 0);
    assert_int_equal(ASK0(f, "SELECT 1").e, OK);
    char too_long[80];
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    open_tcp(f, too_long, pg_server.port, 0);
    assert_int_equal(ASK0(f, "SELECT 1").e, ERR_UNAVAILABLE);
}

static void a_missing_database_is_an_error_without_secrets(void **state)
{
    struct fixture *f = *state;
    char url[256];
    snprintf(url, sizeof url, "postgresql://postgres:hunter2@127.0.0.1:%d/nodb", pg_server.port);
    open_url(f, url, 0, 0);
    assert_int_equal(ASK0(f, "SELECT 1").e, ERR_UNAVAILABLE);
    assert_non_null(strstr(db_last_error(f->db), "nodb"));
    assert_null(strstr(db_last_error(f->db), "hunter2"));
}

static void more_statements_than_are_kept_prepared(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 600; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "SELECT %d", i % 300);
        struct answer a = ASK0(f, sql);
        assert_int_equal(a.e, OK);
        assert_int_equal(atoi(a.cell[0][0]), i % 300);
    }
    assert_int_equal(atoi(ASK0(f, "SELECT COUNT(*) FROM pg_prepared_statements").cell[0][0]), 256);
}

static void failing_statements_leave_nothing_in_the_server(void **state)
{
    struct fixture *f = *state;
    ASK0(f, "CREATE TABLE t (x BIGINT PRIMARY KEY)");
    struct answer before = ASK0(f, "SELECT COUNT(*) FROM pg_prepared_statements");
    ASK(f, "INSERT INTO t (x) VALUES ($1)", db_int(1));
    for (int i = 0; i < 20; i++)
        assert_int_equal(ASK(f, "INSERT INTO t (x) VALUES ($1)", db_int(1)).e, ERR_EXISTS);
    struct answer after = ASK0(f, "SELECT COUNT(*) FROM pg_prepared_statements");
    assert_int_equal(atoi(after.cell[0][0]), atoi(before.cell[0][0]) + 1);
}

static void a_statement_that_outlived_its_table_is_prepared_again(void **state)
{
    struct fixture *f = *state;
    log_init(LOG_ERROR + 1, "test");
    ASK0(f, "CREATE TABLE t (x BIGINT)");
    assert_int_equal(ASK0(f, "SELECT * FROM t").cols, 1);
    assert_true(pg_exec("ALTER TABLE t ADD COLUMN y BIGINT"));
    assert_int_equal(ASK0(f, "SELECT * FROM t").e, ERR_IO);
    assert_int_equal(ASK0(f, "SELECT * FROM t").cols, 2);
    log_init(LOG_ERROR, "test");
}

static void large_values_both_ways(void **state)
{
    struct fixture *f = *state;
    size_t n = DB_JOB_BYTES_MAX - 1000;
    char *big = malloc(n + 1);
    memset(big, 'x', n);
    big[n] = '\0';
    /* More than the sockets hold: sending and receiving take turns. */
    struct answer a[4] = {0};
    for (int i = 0; i < 4; i++) {
        struct db_param p = db_text(big);
        assert_int_equal(
            db_query(f->db, "SELECT LENGTH($1::text) AS n, $1::text AS t", &p, 1, answered, &a[i]),
            OK);
    }
    free(big);
    for (int i = 0; i < 4; i++) {
        assert_true(turn_until(&f->loop, &a[i].calls, 1));
        assert_int_equal(a[i].e, OK);
        assert_int_equal((size_t)atof(a[i].cell[0][0]) / 1000, n / 1000);
    }
}

#define ROW(f)                                                                                     \
    {                                                                                              \
#f, f, fixture_setup, fixture_teardown, &engine                                            \
    }

int main(void)
{
    static enum engine engine = ENGINE_PG;
    static struct CMUnitTest tests[] = {
        ROW(refused_connections_fail_jobs_at_once),
        ROW(waiting_jobs_are_closed_with_the_rest),
        ROW(jobs_wait_for_a_server_that_comes_later),
        ROW(a_killed_server_fails_the_job_and_comes_back),
        ROW(a_terminated_backend_is_replaced),
        ROW(a_connection_lost_in_idleness_is_noticed),
        ROW(a_silent_server_is_given_up),
        ROW(a_server_that_never_answers_is_given_up),
        ROW(a_server_that_talks_nonsense_is_given_up),
        ROW(host_names_are_resolved),
        ROW(a_missing_database_is_an_error_without_secrets),
        ROW(more_statements_than_are_kept_prepared),
        ROW(failing_statements_leave_nothing_in_the_server),
        ROW(a_statement_that_outlived_its_table_is_prepared_again),
        ROW(large_values_both_ways),
    };
    log_init(LOG_ERROR, "test");
    pg_server_open();
    return cmocka_run_group_tests_name("pg", tests, NULL, NULL);
}
