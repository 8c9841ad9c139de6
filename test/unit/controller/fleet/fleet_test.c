#include "controller/fleet/fleet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

#include "common/log.h"
#include "test/unit/controller/fleet/fake_worker.h"

enum { PATIENCE_MS = 8000 };

struct bench {
    uv_loop_t loop;
    struct fleet *fleet;
    struct fleet_observer observer;
    uv_timer_t alarm;
    bool rang;
    int started; /* calls of on_started */
    enum err started_e;
    char started_text[256];
    int lost;
    int running;
    bool closed;
};

struct call {
    int answers;
    enum err e;
    char reason[128];
};

static void on_started(void *ctx, enum err e, const char *text)
{
    struct bench *b = ctx;
    b->started++;
    b->started_e = e;
    snprintf(b->started_text, sizeof b->started_text, "%s", text);
}

static void on_lost(void *ctx, struct fleet_worker *w)
{
    struct bench *b = ctx;
    assert_false(fleet_worker_running(w));
    assert_int_equal(fleet_worker_load(w), 0);
    b->lost++;
}

static void on_running(void *ctx, struct fleet_worker *w)
{
    struct bench *b = ctx;
    assert_true(fleet_worker_running(w));
    b->running++;
}

static void on_reply(void *ctx, enum err e, const char *reason, const void *data)
{
    struct call *c = ctx;
    (void)data;
    c->answers++;
    c->e = e;
    snprintf(c->reason, sizeof c->reason, "%s", reason);
}

static void on_closed(void *ctx)
{
    struct bench *b = ctx;
    b->closed = true;
}

static void on_alarm(uv_timer_t *t)
{
    struct bench *b = t->data;
    b->rang = true;
}

/* Runs the loop until cond holds; fails after PATIENCE_MS. */
#define RUN_UNTIL(b, cond)                                                                         \
    do {                                                                                           \
        (b)->rang = false;                                                                         \
        uv_update_time(&(b)->loop);                                                                \
        uv_timer_start(&(b)->alarm, on_alarm, PATIENCE_MS, 0);                                     \
        while (!(cond) && !(b)->rang)                                                              \
            uv_run(&(b)->loop, UV_RUN_ONCE);                                                       \
        uv_timer_stop(&(b)->alarm);                                                                \
        assert_true(cond);                                                                         \
    } while (0)

static void run_for(struct bench *b, unsigned ms)
{
    b->rang = false;
    uv_update_time(&b->loop);
    uv_timer_start(&b->alarm, on_alarm, ms, 0);
    while (!b->rang)
        uv_run(&b->loop, UV_RUN_ONCE);
}

static void fake(const char *mode)
{
    setenv("FLEET_FAKE", mode, 1);
}

static void set_up(struct bench *b, const char *mode, unsigned n_workers, const char *program)
{
    memset(b, 0, sizeof *b);
    fake(mode);
    uv_loop_init(&b->loop);
    uv_timer_init(&b->loop, &b->alarm);
    b->alarm.data = b;
    struct fleet_config config = {.loop = &b->loop,
                                  .worker_path = program,
                                  .n_workers = n_workers,
                                  .port_base = 40000,
                                  .listens = {{.ip = "127.0.0.1"}},
                                  .n_listens = 1,
                                  .limits = {.start_ms = 700,
                                             .beat_ms = 50,
                                             .heartbeat_ms = 300,
                                             .request_ms = 1000,
                                             .term_ms = 300},
                                  .on_started = on_started,
                                  .ctx = b};
    assert_int_equal(fleet_open(&config, &b->fleet), OK);
    b->observer = (struct fleet_observer){.on_lost = on_lost, .on_running = on_running, .ctx = b};
    fleet_observe(b->fleet, &b->observer);
    assert_int_equal(b->started, 0); /* never from inside */
}

static void open_bench(struct bench *b, const char *mode, unsigned n_workers)
{
    set_up(b, mode, n_workers, "/proc/self/exe");
}

static void open_running(struct bench *b, const char *mode)
{
    open_bench(b, mode, 1);
    RUN_UNTIL(b, b->started);
    assert_int_equal(b->started_e, OK);
}

static struct fleet_worker *worker(struct bench *b)
{
    return fleet_worker_at(b->fleet, 0);
}

static bool is_gone(int pid)
{
    return kill(pid, 0) != 0 && errno == ESRCH;
}

/* Closes, and finds that nothing is left: no handle on the loop, no process. */
static void close_bench(struct bench *b)
{
    int pids[8] = {0};
    size_t n = fleet_size(b->fleet);
    for (size_t i = 0; i < n && i < 8; i++)
        pids[i] = fleet_worker_pid(fleet_worker_at(b->fleet, i));
    fleet_close(b->fleet, on_closed, b);
    assert_false(b->closed); /* never from inside */
    RUN_UNTIL(b, b->closed);
    uv_close((uv_handle_t *)&b->alarm, NULL);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    for (size_t i = 0; i < n && i < 8; i++)
        assert_true(pids[i] == 0 || is_gone(pids[i]));
}

static enum err ask(struct bench *b, struct call *c)
{
    struct worker_create_router_request request = {.router_id = "r"};
    *c = (struct call){0};
    enum err e = fleet_request(worker(b), METHOD_WORKER_CREATE_ROUTER, "", &request, on_reply, c);
    assert_int_equal(c->answers, 0); /* never from inside */
    return e;
}

/* ---- starting ---- */

static void all_workers_start_and_end(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b, "good", 3);
    RUN_UNTIL(&b, b.started);
    assert_int_equal(b.started_e, OK);
    assert_int_equal(b.running, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(fleet_worker_running(fleet_worker_at(b.fleet, i)));
        assert_int_equal(fleet_worker_restarts(fleet_worker_at(b.fleet, i)), 0);
    }
    assert_null(fleet_worker_at(b.fleet, 3));
    close_bench(&b);
    assert_int_equal(b.started, 1);
    assert_int_equal(b.lost, 0); /* closing is no loss */
}

static void start_fails(const char *mode, const char *expected)
{
    struct bench b;
    open_bench(&b, mode, 2);
    RUN_UNTIL(&b, b.started);
    assert_int_not_equal(b.started_e, OK);
    assert_non_null(strstr(b.started_text, expected));
    assert_null(strstr(b.started_text, "worker-0")); /* what is for machines */
    run_for(&b, 100);
    assert_int_equal(b.started, 1);
    close_bench(&b);
}

static void a_worker_that_cannot_start_is_told_with_its_own_words(void **state)
{
    (void)state;
    start_fails("absent", "port 40000 is taken");
}

static void a_worker_that_never_says_a_word_fails_the_start(void **state)
{
    (void)state;
    start_fails("mute", "did not start in time");
}

static void a_worker_of_another_version_fails_the_start(void **state)
{
    (void)state;
    start_fails("old", "version");
}

static void a_program_that_is_not_there_fails_the_start(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b, "good", 1, "/nonexistent/weir-worker");
    RUN_UNTIL(&b, b.started);
    assert_int_not_equal(b.started_e, OK);
    assert_non_null(strstr(b.started_text, "/nonexistent/weir-worker"));
    close_bench(&b);
}

static void numbers_that_cannot_be_are_refused(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct fleet *fleet;
    uv_loop_init(&loop);
    struct fleet_config c = {.loop = &loop,
                             .worker_path = "/proc/self/exe",
                             .n_workers = 0,
                             .port_base = 40000,
                             .listens = {{.ip = "127.0.0.1"}},
                             .n_listens = 1};
    assert_int_equal(fleet_open(&c, &fleet), ERR_RANGE);
    c.n_workers = FLEET_WORKERS_MAX + 1;
    assert_int_equal(fleet_open(&c, &fleet), ERR_RANGE);
    c.n_workers = 2;
    c.port_base = 65535;
    assert_int_equal(fleet_open(&c, &fleet), ERR_RANGE);
    c.port_base = 40000;
    c.n_listens = 0;
    assert_int_equal(fleet_open(&c, &fleet), ERR_RANGE);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* ---- requests ---- */

static void requests_are_answered_once(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        enum err e;
    } rows[] = {{"good", OK}, {"refuses", ERR_NOT_FOUND}, {"twice", OK}, {"stranger", OK}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench b;
        struct call c;
        open_running(&b, rows[i].mode);
        assert_int_equal(ask(&b, &c), OK);
        RUN_UNTIL(&b, c.answers);
        assert_int_equal(c.e, rows[i].e);
        run_for(&b, 60);
        assert_int_equal(c.answers, 1);
        assert_int_equal(b.lost, 0);
        close_bench(&b);
        assert_int_equal(c.answers, 1);
    }
}

/* The worker ends its life, or is ended, with a request unanswered. */
static void lost_with_a_request(const char *mode)
{
    struct bench b;
    struct call c;
    open_running(&b, mode);
    int pid = fleet_worker_pid(worker(&b));
    fleet_worker_add_load(worker(&b), 5);
    assert_int_equal(ask(&b, &c), OK);
    fake("good"); /* the next one */
    RUN_UNTIL(&b, b.lost);
    assert_int_equal(c.answers, 1); /* before observers are told */
    assert_int_equal(c.e, ERR_CLOSED);
    struct call late;
    assert_int_equal(ask(&b, &late), ERR_CLOSED);
    RUN_UNTIL(&b, b.running == 2);
    assert_true(is_gone(pid));
    assert_int_not_equal(fleet_worker_pid(worker(&b)), pid);
    assert_int_equal(fleet_worker_restarts(worker(&b)), 1);
    assert_int_equal(late.answers, 0);
    assert_int_equal(ask(&b, &late), OK);
    RUN_UNTIL(&b, late.answers);
    assert_int_equal(late.e, OK);
    close_bench(&b);
    assert_int_equal(c.answers, 1);
    assert_int_equal(b.lost, 1);
    assert_int_equal(b.started, 1);
}

static void a_worker_that_dies_is_replaced_and_its_requests_fail(void **state)
{
    (void)state;
    lost_with_a_request("dies");
}

static void a_worker_that_talks_garbage_is_replaced(void **state)
{
    (void)state;
    lost_with_a_request("garbage");
}

static void a_worker_that_sends_too_large_a_frame_is_replaced(void **state)
{
    (void)state;
    lost_with_a_request("oversize");
}

static void a_worker_that_dies_in_the_middle_of_a_frame_is_replaced(void **state)
{
    (void)state;
    lost_with_a_request("half");
}

static void a_worker_that_asks_instead_of_answering_is_replaced(void **state)
{
    (void)state;
    lost_with_a_request("asks");
}

static void a_worker_that_hangs_misses_its_heartbeat_and_is_replaced(void **state)
{
    (void)state;
    lost_with_a_request("hangs");
}

static void a_request_that_is_never_answered_times_out(void **state)
{
    (void)state;
    struct bench b;
    struct call c;
    open_running(&b, "silent");
    assert_int_equal(ask(&b, &c), OK);
    RUN_UNTIL(&b, c.answers);
    assert_int_equal(c.e, ERR_TIMEOUT);
    assert_int_equal(b.lost, 0); /* it answers pings */
    close_bench(&b);
    assert_int_equal(c.answers, 1);
}

static void replies_that_are_not_wanted_any_more_do_not_come(void **state)
{
    (void)state;
    struct bench b;
    struct call c;
    struct call other;
    open_running(&b, "good");
    assert_int_equal(ask(&b, &c), OK);
    assert_int_equal(ask(&b, &other), OK);
    fleet_forget(worker(&b), &c);
    RUN_UNTIL(&b, other.answers);
    assert_int_equal(c.answers, 0);
    assert_int_equal(ask(&b, &c), OK);
    fleet_forget(worker(&b), &c);
    close_bench(&b);
    assert_int_equal(c.answers, 0);
}

static void a_full_pipe_refuses_and_the_worker_is_replaced(void **state)
{
    (void)state;
    struct bench b;
    struct call c = {0};
    open_running(&b, "hangs");
    static char handler[64 * 1024]; /* longer than any, to fill it sooner */
    memset(handler, 'h', sizeof handler - 1);
    enum err e = OK;
    int sent = 0;
    while (e == OK && sent < 10 * 1000) {
        e = fleet_request(worker(&b), METHOD_ROUTER_DUMP, handler, NULL, on_reply, &c);
        sent += e == OK;
    }
    assert_int_equal(e, ERR_UNAVAILABLE);
    fake("good");
    RUN_UNTIL(&b, b.running == 2);
    assert_int_equal(c.answers, sent);
    assert_int_equal(c.e, ERR_CLOSED);
    close_bench(&b);
}

/* ---- this process stands still ---- */

static void a_pause_of_this_process_costs_no_worker(void **state)
{
    (void)state;
    struct bench b;
    open_running(&b, "slow"); /* most of the time a ping is on its way */
    for (int i = 0; i < 4; i++) {
        run_for(&b, 80);
        usleep(450 * 1000); /* longer than the heartbeat's limit, with the loop not running */
    }
    run_for(&b, 400);
    assert_int_equal(b.lost, 0);
    close_bench(&b);
}

/* ---- replacing ---- */

static void a_killed_worker_is_back_at_once(void **state)
{
    (void)state;
    struct bench b;
    open_running(&b, "good");
    uint64_t before = uv_hrtime();
    kill(fleet_worker_pid(worker(&b)), SIGKILL);
    RUN_UNTIL(&b, b.running == 2);
    assert_true((uv_hrtime() - before) / 1000000 < 1500);
    assert_int_equal(b.lost, 1);
    close_bench(&b);
}

static void a_worker_that_keeps_dying_is_started_less_and_less_often(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b, "young", 1);
    uint64_t at[7] = {0};
    for (int i = 0; i < 6; i++) {
        RUN_UNTIL(&b, b.lost == i + 1);
        at[i] = uv_hrtime() / 1000000;
    }
    /* 0, 100, 200, 400, 800 ms between them, and what a start takes. */
    assert_true(at[5] - at[0] >= 100 + 200 + 400 + 800 - 20);
    assert_true(at[5] - at[4] >= 800 - 10);
    assert_int_equal(fleet_worker_restarts(worker(&b)), 6);
    assert_int_equal(b.started, 1); /* it did run */
    assert_int_equal(b.started_e, OK);
    close_bench(&b);
}

/* ---- placing ---- */

static void the_least_loaded_running_worker_is_chosen(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b, "good", 2);
    assert_null(fleet_least_loaded(b.fleet)); /* none runs yet */
    RUN_UNTIL(&b, b.started);
    struct fleet_worker *first = fleet_worker_at(b.fleet, 0);
    struct fleet_worker *second = fleet_worker_at(b.fleet, 1);
    fleet_worker_add_load(first, 2);
    fleet_worker_add_load(second, 1);
    assert_ptr_equal(fleet_least_loaded(b.fleet), second);
    fleet_worker_add_load(second, 5);
    assert_ptr_equal(fleet_least_loaded(b.fleet), first);
    fleet_worker_add_load(second, -50);
    assert_int_equal(fleet_worker_load(second), 0);
    kill(fleet_worker_pid(first), SIGKILL);
    RUN_UNTIL(&b, b.lost == 1);
    assert_ptr_equal(fleet_least_loaded(b.fleet), second);
    close_bench(&b);
}

/* ---- events ---- */

struct heard {
    struct fleet_listener listener;
    int n;
    bool leaves;
};

static void on_event(void *ctx, enum pipe_event event, const void *data)
{
    struct heard *h = ctx;
    assert_int_equal(event, EVENT_PRODUCER_SCORE);
    assert_non_null(data);
    h->n++;
    if (h->leaves)
        fleet_unlisten(&h->listener);
}

static void events_go_to_their_listener_and_bad_ones_nowhere(void **state)
{
    (void)state;
    struct bench b;
    struct call c;
    struct heard h1 = {0};
    struct heard h2 = {0};
    open_running(&b, "event");
    fleet_listen(&h1.listener, worker(&b), "h1", on_event, &h1);
    fleet_listen(&h2.listener, worker(&b), "h2", on_event, &h2);
    assert_int_equal(ask(&b, &c), OK);
    RUN_UNTIL(&b, c.answers);
    assert_int_equal(h1.n, 1);
    assert_int_equal(h2.n, 0);
    h1.leaves = true;
    assert_int_equal(ask(&b, &c), OK);
    RUN_UNTIL(&b, c.answers);
    assert_int_equal(ask(&b, &c), OK);
    RUN_UNTIL(&b, c.answers);
    assert_int_equal(h1.n, 2);
    assert_int_equal(b.lost, 0);
    fleet_unlisten(&h1.listener); /* again is fine */
    fleet_unlisten(&h2.listener);
    close_bench(&b);
}

/* ---- closing ---- */

static void closing_works_in_every_state(void **state)
{
    (void)state;
    static const char *const modes[] = {"good",    "absent", "mute",  "old",
                                        "garbage", "hangs",  "young", "stubborn"};
    static const unsigned waits[] = {0, 2, 30, 150};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        for (size_t k = 0; k < sizeof waits / sizeof waits[0]; k++) {
            struct bench b;
            struct call c = {0};
            open_bench(&b, modes[i], 2);
            if (waits[k] > 0)
                run_for(&b, waits[k]);
            bool asked = fleet_worker_running(worker(&b)) && ask(&b, &c) == OK;
            close_bench(&b);
            assert_int_equal(c.answers, asked);
        }
    }
}

static void closing_while_a_dead_worker_is_not_buried(void **state)
{
    (void)state;
    struct bench b;
    open_running(&b, "good");
    kill(fleet_worker_pid(worker(&b)), SIGKILL);
    close_bench(&b);
}

static void a_worker_that_ignores_sigterm_is_killed(void **state)
{
    (void)state;
    struct bench b;
    open_running(&b, "stubborn");
    uint64_t before = uv_hrtime();
    close_bench(&b);
    uint64_t ms = (uv_hrtime() - before) / 1000000;
    assert_true(ms >= 250 && ms < 3000);
}

static void closing_twice_is_closing_once(void **state)
{
    (void)state;
    struct bench b;
    open_running(&b, "good");
    fleet_close(b.fleet, NULL, NULL);
    fleet_close(b.fleet, on_closed, &b);
    uv_close((uv_handle_t *)&b.alarm, NULL);
    uv_run(&b.loop, UV_RUN_DEFAULT);
    assert_false(b.closed);
    assert_int_equal(uv_loop_close(&b.loop), 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--name") == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        return fake_main();
    }
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    log_set_level(getenv("WEIR_TEST_LOG") ? LOG_DEBUG : LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_workers_start_and_end),
        cmocka_unit_test(a_worker_that_cannot_start_is_told_with_its_own_words),
        cmocka_unit_test(a_worker_that_never_says_a_word_fails_the_start),
        cmocka_unit_test(a_worker_of_another_version_fails_the_start),
        cmocka_unit_test(a_program_that_is_not_there_fails_the_start),
        cmocka_unit_test(numbers_that_cannot_be_are_refused),
        cmocka_unit_test(requests_are_answered_once),
        cmocka_unit_test(a_worker_that_dies_is_replaced_and_its_requests_fail),
        cmocka_unit_test(a_worker_that_talks_garbage_is_replaced),
        cmocka_unit_test(a_worker_that_sends_too_large_a_frame_is_replaced),
        cmocka_unit_test(a_worker_that_dies_in_the_middle_of_a_frame_is_replaced),
        cmocka_unit_test(a_worker_that_asks_instead_of_answering_is_replaced),
        cmocka_unit_test(a_worker_that_hangs_misses_its_heartbeat_and_is_replaced),
        cmocka_unit_test(a_request_that_is_never_answered_times_out),
        cmocka_unit_test(replies_that_are_not_wanted_any_more_do_not_come),
        cmocka_unit_test(a_full_pipe_refuses_and_the_worker_is_replaced),
        cmocka_unit_test(a_pause_of_this_process_costs_no_worker),
        cmocka_unit_test(a_killed_worker_is_back_at_once),
        cmocka_unit_test(a_worker_that_keeps_dying_is_started_less_and_less_often),
        cmocka_unit_test(the_least_loaded_running_worker_is_chosen),
        cmocka_unit_test(events_go_to_their_listener_and_bad_ones_nowhere),
        cmocka_unit_test(closing_works_in_every_state),
        cmocka_unit_test(closing_while_a_dead_worker_is_not_buried),
        cmocka_unit_test(a_worker_that_ignores_sigterm_is_killed),
        cmocka_unit_test(closing_twice_is_closing_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
