/* The pipe protocol as a real worker speaks it: good and bad frames, and a pipe that fails. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "test/integration/live.h"

enum { EXIT_USAGE = 2, EXIT_LISTEN = 3, EXIT_PIPE = 4, PIPE_QUEUE_MAX = 32 << 20 };

static struct worker_driver *driver_of(void **state)
{
    return &((struct net *)*state)->driver;
}

/* Nothing but one router "r" is there. */
static void assert_only_router(struct worker_driver *d)
{
    json_t *dump = driver_call(d, "worker.dump", "", NULL);
    assert_non_null(dump);
    assert_int_equal(json_array_size(json_at(dump, "routerIds")), 1);
    assert_string_equal(json_text_at(dump, "routerIds.0"), "r");
    json_decref(dump);
    dump = driver_call(d, "router.dump", "r", NULL);
    assert_non_null(dump);
    assert_int_equal(json_array_size(json_at(dump, "transportIds")), 0);
    json_decref(dump);
}

static void says_first_that_it_runs_and_where(void **state)
{
    struct worker_driver *d = driver_of(state);
    json_t *running = driver_last_event(d, "", "worker.running");
    assert_non_null(running);
    assert_int_equal(json_number_at(running, "protocolVersion"), PIPE_PROTOCOL_VERSION);
    assert_int_equal(json_number_at(running, "pid"), d->pid);
    assert_int_equal(json_array_size(json_at(running, "sockets")), 2);
    for (int i = 0; i < 2; i++) {
        const json_t *s = json_array_get(json_at(running, "sockets"), (size_t)i);
        assert_string_equal(json_text_at(s, "protocol"), i == 0 ? "udp" : "tcp");
        assert_string_equal(json_text_at(s, "ip"), "127.0.0.1");
        assert_int_equal(json_number_at(s, "port"), d->port);
    }
}

static void answers_structs_with_structs(void **state)
{
    struct worker_driver *d = driver_of(state);
    struct worker_create_router_request create = {.router_id = "r"};
    assert_true(driver_request(d, METHOD_WORKER_CREATE_ROUTER, "", &create, NULL));
    struct worker_dump_response dump;
    assert_true(driver_request(d, METHOD_WORKER_DUMP, "", NULL, &dump));
    assert_int_equal(dump.pid, d->pid);
    assert_int_equal(dump.n_router_ids, 1);
    assert_string_equal(dump.router_ids[0], "r");
    struct worker_get_metrics_response before;
    struct worker_get_metrics_response after;
    assert_true(driver_request(d, METHOD_WORKER_GET_METRICS, "", NULL, &before));
    assert_true(driver_request(d, METHOD_WORKER_GET_METRICS, "", NULL, &after));
    assert_int_equal(before.routers, 1);
    assert_true(after.uptime_usec > before.uptime_usec);
    struct worker_ping_response pong;
    assert_true(driver_request(d, METHOD_WORKER_PING, "", NULL, &pong));
    assert_true(pong.uptime_usec > after.uptime_usec);
    assert_false(driver_request(d, METHOD_WORKER_CREATE_ROUTER, "", &create, NULL));
    assert_prefix(d->error, "AlreadyExists routerId");
}

/* Frames that are no requests: the text, and how the answer must begin. A worker that takes one of
 * them for more than an error would show in assert_only_router. */
static const struct {
    const char *frame;
    int64_t id; /* of the answer; -1: null */
    const char *error;
} bad_frames[] = {
    {"{", -1, "Malformed"},
    {"null", -1, "Malformed"},
    {"[]", -1, "Malformed"},
    {"7", -1, "Malformed"},
    {"'text'", -1, "Malformed"},
    {"{'id':1,'id':2,'method':'worker.dump'}", -1, "Malformed"},
    {"{}", -1, "TypeError id"},
    {"{'id':-1,'method':'worker.dump'}", -1, "TypeError id"},
    {"{'id':'7','method':'worker.dump'}", -1, "TypeError id"},
    {"{'id':1.5,'method':'worker.dump'}", -1, "TypeError id"},
    {"{'id':7}", 7, "TypeError method"},
    {"{'id':8,'method':5}", 8, "TypeError method"},
    {"{'id':9,'method':'worker.selfDestruct'}", 9, "UnsupportedError method"},
    {"{'id':10,'method':'worker.dump','handlerId':5}", 10, "TypeError handlerId"},
    {"{'id':11,'method':'worker.dump','handlerId':'r'}", 11, "TypeError handlerId"},
    {"{'id':12,'method':'router.dump'}", 12, "NotFound handlerId"},
    {"{'id':13,'method':'router.dump','handlerId':'nobody'}", 13, "NotFound handlerId"},
    {"{'id':14,'method':'worker.createRouter'}", 14, "TypeError data"},
    {"{'id':15,'method':'worker.createRouter','data':[]}", 15, "TypeError data"},
    {"{'id':16,'method':'worker.createRouter','data':{}}", 16, "TypeError routerId"},
    {"{'id':17,'method':'worker.createRouter','data':{'routerId':5}}", 17, "TypeError routerId"},
    {"{'id':18,'method':'worker.createRouter','data':{'routerId':''}}", 18, "RangeError routerId"},
    {"{'id':19,'method':'router.createWebRtcTransport','handlerId':'r','data':{'transportId':'t',"
     "'options':{'listen':{'type':'telepathy'}}}}",
     19, "TypeError options.listen.type"},
    {"{'id':20,'method':'router.createPlainTransport','handlerId':'r','data':{'transportId':'t',"
     "'options':{'listenInfo':{'ip':'999.0.0.1'}}}}",
     20, "TypeError options.listenInfo.ip"},
    {"{'id':21,'method':'router.createPlainTransport','handlerId':'r','data':{'transportId':'t',"
     "'options':{'listenInfo':{'ip':'127.0.0.1','port':65536}}}}",
     21, "RangeError options.listenInfo.port"},
    {"{'id':22,'method':'router.closeTransport','handlerId':'r','data':{'transportId':'t'}}", 22,
     "NotFound transportId"},
};

static void bad_frames_get_errors_that_name_the_field_and_change_nothing(void **state)
{
    struct worker_driver *d = driver_of(state);
    driver_do(d, "worker.createRouter", "", "{'routerId':'r'}");
    for (size_t i = 0; i < sizeof bad_frames / sizeof bad_frames[0]; i++) {
        char got[600];
        assert_true(driver_write_frame(d, "%s", bad_frames[i].frame));
        json_t *m = driver_next_response(d, DRIVER_PATIENCE);
        assert_non_null(m);
        assert_int_equal(json_number_at(m, "id"), bad_frames[i].id);
        snprintf(got, sizeof got, "%s %s", json_text_at(m, "error"), json_text_at(m, "reason"));
        assert_prefix(got, bad_frames[i].error);
        json_decref(m);
    }
    assert_only_router(d);
}

static void nesting_without_end_is_refused(void **state)
{
    struct worker_driver *d = driver_of(state);
    enum { DEPTH = 100000 };
    char *text = malloc(DEPTH + 1);
    assert_non_null(text);
    memset(text, '[', DEPTH);
    text[DEPTH] = '\0';
    assert_true(driver_write_frame(d, "%s", text));
    free(text);
    json_t *m = driver_next_response(d, DRIVER_PATIENCE);
    assert_string_equal(json_text_at(m, "error"), "Malformed");
    json_decref(m);
    driver_do(d, "worker.ping", "", NULL);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    struct worker_driver *d = driver_of(state);
    static const uint8_t frame[] = {16,  0,   0,   0,    '{',  '"', 'i', 'd', '"', ':',
                                    '1', ',', '"', 0xff, 0xfe, '"', ':', 0,   '2', '}'};
    assert_true(driver_write(d, frame, sizeof frame));
    json_t *m = driver_next_response(d, DRIVER_PATIENCE);
    assert_string_equal(json_text_at(m, "error"), "Malformed");
    json_decref(m);
    driver_do(d, "worker.ping", "", NULL);
}

static void a_long_id_of_an_object_is_refused_by_name(void **state)
{
    struct worker_driver *d = driver_of(state);
    char id[1000];
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    assert_prefix(driver_refused(d, "worker.createRouter", "", "{'routerId':'%s'}", id),
                  "RangeError routerId");
    assert_prefix(driver_refused(d, "router.dump", id, NULL), "NotFound handlerId");
}

static void unknown_keys_are_ignored(void **state)
{
    struct worker_driver *d = driver_of(state);
    driver_do(d, "worker.createRouter", "", "{'routerId':'r','colour':'green','n':{'a':[1,2]}}");
    assert_true(driver_write_frame(d, "{'id':77,'method':'worker.dump','later':true}"));
    json_t *m = driver_next_response(d, DRIVER_PATIENCE);
    assert_int_equal(json_number_at(m, "id"), 77);
    assert_true(json_is_true(json_at(m, "accepted")));
    json_decref(m);
    assert_only_router(d);
}

static void a_frame_may_come_byte_by_byte(void **state)
{
    struct worker_driver *d = driver_of(state);
    static const char frame[] = "\x21\0\0\0{\"id\":500,\"method\":\"worker.ping\"}";
    assert_int_equal(frame[0], sizeof frame - 1 - 4);
    for (size_t i = 0; i < sizeof frame - 1; i++) {
        assert_true(driver_write(d, frame + i, 1));
        usleep(200); /* so that the worker reads them apart */
    }
    json_t *m = driver_next_response(d, DRIVER_PATIENCE);
    assert_int_equal(json_number_at(m, "id"), 500);
    json_decref(m);
}

static void many_frames_may_come_in_one_write(void **state)
{
    struct worker_driver *d = driver_of(state);
    enum { FRAMES = 300 };
    uint8_t *all = malloc(FRAMES * 64);
    size_t n = 0;
    assert_non_null(all);
    for (int i = 0; i < FRAMES; i++) {
        int len = snprintf((char *)all + n + 4, 60, "{\"id\":%d,\"method\":\"worker.ping\"}", i);
        memcpy(all + n, (uint8_t[]){(uint8_t)len, 0, 0, 0}, 4);
        n += 4 + (size_t)len;
    }
    /* Cut in the middle of a frame. */
    assert_true(driver_write(d, all, n / 2 + 3));
    assert_true(driver_write(d, all + n / 2 + 3, n - n / 2 - 3));
    free(all);
    for (int i = 0; i < FRAMES; i++) {
        json_t *m = driver_next_response(d, DRIVER_PATIENCE);
        assert_non_null(m);
        assert_int_equal(json_number_at(m, "id"), i);
        json_decref(m);
    }
}

static void a_large_frame_is_taken(void **state)
{
    struct worker_driver *d = driver_of(state);
    enum { LONG = 3 << 20 };
    char *text = malloc(LONG + 1);
    assert_non_null(text);
    memset(text, 'x', LONG);
    text[LONG] = '\0';
    assert_true(driver_write_frame(d, "{'id':1,'method':'worker.ping','pad':'%s'}", text));
    free(text);
    json_t *m = driver_next_response(d, DRIVER_PATIENCE);
    assert_true(json_is_true(json_at(m, "accepted")));
    json_decref(m);
}

/* The stream cannot be read on after these: the worker ends, as if the pipe had closed. */
static void a_broken_stream_ends_the_worker(void **state)
{
    static const uint8_t heads[][4] = {{0, 0, 0, 0}, {1, 0, 0x40, 0}, {0xff, 0xff, 0xff, 0xff}};
    struct net *net = *state;
    assert_null(driver_stop(&net->driver));
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        (void)driver_start(&net->driver, NULL);
        assert_true(driver_write(&net->driver, heads[i], 4));
        assert_int_equal(driver_wait_exit(&net->driver, DRIVER_PATIENCE), 0);
        assert_int_equal(driver_log_lines(&net->driver, "worker.pipe_ended"), 1);
        assert_null(driver_stop_expecting(&net->driver, 0));
    }
}

static void closing_the_pipe_ends_it(void **state)
{
    struct worker_driver *d = driver_of(state);
    driver_do(d, "worker.createRouter", "", "{'routerId':'r'}");
    driver_close_requests(d);
    assert_null(driver_stop_expecting(d, 0));
}

static void closing_the_pipe_in_the_middle_of_a_frame_ends_it(void **state)
{
    struct worker_driver *d = driver_of(state);
    assert_true(driver_write(d, "\x40\0\0\0{\"id\"", 9));
    driver_close_requests(d);
    assert_null(driver_stop_expecting(d, 0));
}

/* The controller died: both ends close at once, answers cannot be written. */
static void a_controller_that_dies_in_the_middle_ends_it(void **state)
{
    struct worker_driver *d = driver_of(state);
    for (int i = 0; i < 100; i++)
        assert_true(driver_write_frame(d, "{'id':%d,'method':'worker.dump'}", i));
    driver_close_answers(d);
    driver_close_requests(d);
    assert_null(driver_stop_expecting(d, 0));
}

static void the_close_command_ends_it_with_0(void **state)
{
    struct worker_driver *d = driver_of(state);
    driver_do(d, "worker.createRouter", "", "{'routerId':'r'}");
    assert_true(driver_write_frame(d, "{'event':'worker.close','handlerId':''}"));
    assert_int_equal(driver_wait_exit(d, DRIVER_PATIENCE), 0);
    assert_null(driver_stop_expecting(d, 0));
}

static void unknown_commands_change_nothing(void **state)
{
    struct worker_driver *d = driver_of(state);
    assert_true(driver_write_frame(d, "{'event':'worker.reboot','handlerId':''}"));
    assert_true(driver_write_frame(d, "{'event':7}"));
    assert_true(driver_write_frame(d, "{'event':'producer.send','handlerId':'x','data':{}}"));
    driver_do(d, "worker.ping", "", NULL);
}

static void sigterm_ends_it_with_0(void **state)
{
    struct worker_driver *d = driver_of(state);
    driver_do(d, "worker.createRouter", "", "{'routerId':'r'}");
    driver_signal(d, SIGTERM);
    assert_null(driver_stop_expecting(d, 0));
}

/* Ctrl-C reaches the whole group of processes; what ends when is the controller's choice. */
static void signals_of_the_terminal_leave_it_alone(void **state)
{
    struct worker_driver *d = driver_of(state);
    static const int signals[] = {SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        driver_signal(d, signals[i]);
        driver_do(d, "worker.ping", "", NULL);
    }
}

/* Asks and asks and never reads an answer. */
static void a_controller_that_does_not_read_is_given_up_with_bounded_memory(void **state)
{
    struct worker_driver *d = driver_of(state);
    char frame[512];
    size_t most = 0;
    bool writable = true;
    size_t before = driver_memory(d);
    for (int i = 0; i < 2000; i++)
        driver_do(d, "worker.createRouter", "",
                  "{'routerId':'a-router-with-a-rather-long-name-%d'}", i);
    fcntl(d->to, F_SETFL, O_NONBLOCK);
    uint32_t n =
        (uint32_t)snprintf(frame + 4, sizeof frame - 4, "{\"id\":1,\"method\":\"worker.dump\"}");
    memcpy(frame, &n, 4);
    for (usec since = clock_now(); writable && clock_now() - since < 3 * DRIVER_PATIENCE;) {
        ssize_t wrote = write(d->to, frame, 4 + n); /* under PIPE_BUF: whole or not at all */
        writable = wrote > 0 || errno == EAGAIN;
        if (wrote < 0)
            usleep(1000);
        size_t now = driver_memory(d);
        most = now > most ? now : most;
    }
    assert_false(writable);
    assert_int_equal(driver_wait_exit(d, DRIVER_PATIENCE), EXIT_PIPE);
    assert_int_equal(driver_log_lines(d, "worker.pipe_full"), 1);
    /* The queue, its twin while it grows, and what a sanitizer keeps back. */
    assert_true(most > before);
    assert_true(most < before + 12 * (size_t)PIPE_QUEUE_MAX);
    assert_null(driver_stop_expecting(d, EXIT_PIPE));
}

static void a_taken_port_is_one_clear_line_and_exit_code_3(void **state)
{
    struct worker_driver *d = driver_of(state);
    struct worker_driver second;
    struct driver_options options = {.port = d->port, .may_fail = true};
    assert_false(driver_start(&second, &options));
    assert_int_equal(driver_wait_exit(&second, DRIVER_PATIENCE), EXIT_LISTEN);
    assert_int_equal(driver_log_lines(&second, ""), 1);
    assert_int_equal(driver_log_lines(&second, "the port is taken"), 1);
    assert_null(driver_stop_expecting(&second, EXIT_LISTEN));
    driver_do(d, "worker.ping", "", NULL);
}

static void an_address_of_another_machine_is_one_clear_line(void **state)
{
    (void)state;
    struct worker_driver d;
    struct driver_options options = {.listens = {"192.0.2.1"}, .may_fail = true};
    assert_false(driver_start(&d, &options));
    assert_int_equal(driver_wait_exit(&d, DRIVER_PATIENCE), EXIT_LISTEN);
    assert_int_equal(driver_log_lines(&d, ""), 1);
    assert_int_equal(driver_log_lines(&d, "not an address of this machine"), 1);
    assert_null(driver_stop_expecting(&d, EXIT_LISTEN));
}

static void what_is_no_address_is_one_clear_line(void **state)
{
    (void)state;
    struct worker_driver d;
    struct driver_options options = {.listens = {"localhost"}, .may_fail = true};
    assert_false(driver_start(&d, &options));
    assert_int_equal(driver_log_lines(&d, ""), 1);
    assert_int_equal(driver_log_lines(&d, "localhost is no IP address"), 1);
    assert_null(driver_stop_expecting(&d, EXIT_LISTEN));
}

static void a_bad_option_is_told_with_the_usage(void **state)
{
    (void)state;
    struct worker_driver d;
    struct driver_options options = {.log_level = "loud", .may_fail = true};
    assert_false(driver_start(&d, &options));
    assert_true(strstr(driver_log(&d), "usage: weir-worker") != NULL);
    assert_null(driver_stop_expecting(&d, EXIT_USAGE));
}

int main(void)
{
    /* The workers' memory is measured: what was freed is not to be kept back for long. */
    setenv("ASAN_OPTIONS", "quarantine_size_mb=16", 0);
    const struct CMUnitTest tests[] = {
        live_test(says_first_that_it_runs_and_where),
        live_test(answers_structs_with_structs),
        live_test(bad_frames_get_errors_that_name_the_field_and_change_nothing),
        live_test(nesting_without_end_is_refused),
        live_test(bytes_that_are_no_text_are_refused),
        live_test(a_long_id_of_an_object_is_refused_by_name),
        live_test(unknown_keys_are_ignored),
        live_test(a_frame_may_come_byte_by_byte),
        live_test(many_frames_may_come_in_one_write),
        live_test(a_large_frame_is_taken),
        live_test(a_broken_stream_ends_the_worker),
        live_test(closing_the_pipe_ends_it),
        live_test(closing_the_pipe_in_the_middle_of_a_frame_ends_it),
        live_test(a_controller_that_dies_in_the_middle_ends_it),
        live_test(the_close_command_ends_it_with_0),
        live_test(unknown_commands_change_nothing),
        live_test(sigterm_ends_it_with_0),
        live_test(signals_of_the_terminal_leave_it_alone),
        live_test(a_controller_that_does_not_read_is_given_up_with_bounded_memory),
        live_test(a_taken_port_is_one_clear_line_and_exit_code_3),
        cmocka_unit_test(an_address_of_another_machine_is_one_clear_line),
        cmocka_unit_test(what_is_no_address_is_one_clear_line),
        cmocka_unit_test(a_bad_option_is_told_with_the_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
