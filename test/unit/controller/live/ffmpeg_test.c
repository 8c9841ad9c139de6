/* Supervision, on small programs in ffmpeg's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "common/log.h"
#include "controller/live/ffmpeg.h"

struct seen {
    struct ffmpeg *ffmpeg;
    int exits;
    int listening;
    int lines;
    int status;
    int signal;
    char last_line[FFMPEG_LINE_MAX];
    char words[FFMPEG_WORDS_MAX];
    void (*when_listening)(struct seen *s);
    void (*at_line)(struct seen *s);
};

static void on_listening(void *ctx)
{
    struct seen *s = ctx;
    s->listening++;
    if (s->when_listening)
        s->when_listening(s);
}

static void on_line(void *ctx, const char *line)
{
    struct seen *s = ctx;
    s->lines++;
    snprintf(s->last_line, sizeof s->last_line, "%s", line);
    if (s->at_line)
        s->at_line(s);
}

static void on_end(void *ctx, const struct ffmpeg_exit *how)
{
    struct seen *s = ctx;
    s->exits++;
    s->status = how->status;
    s->signal = how->signal;
    snprintf(s->words, sizeof s->words, "%s", how->last_words);
}

static uv_loop_t loop;

static int setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    return uv_loop_init(&loop);
}

/* Fails when a handle was left open. */
static int teardown(void **state)
{
    (void)state;
    return uv_loop_close(&loop);
}

static enum err start(struct seen *s, const char *const *args, const char *input, uint16_t port)
{
    char why[FFMPEG_WORDS_MAX] = "";
    struct ffmpeg_config config = {.path = args[0],
                                   .args = args,
                                   .input = input,
                                   .ports = {port},
                                   .n_ports = port != 0,
                                   .name = "test",
                                   .on_listening = on_listening,
                                   .on_line = on_line,
                                   .on_exit = on_end,
                                   .ctx = s};
    enum err e = ffmpeg_start(&loop, &config, &s->ffmpeg, why);
    if (e != OK)
        snprintf(s->words, sizeof s->words, "%s", why);
    return e;
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void input_lines_and_exit_status_come_through(void **state)
{
    (void)state;
    struct seen s = {0};
    assert_int_equal(start(&s, ARGS("cat"), "first\nsecond\nunfinished", 0), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s.exits, 1);
    assert_int_equal(s.status, 0);
    assert_int_equal(s.signal, 0);
    assert_int_equal(s.lines, 3);
    assert_string_equal(s.last_line, "unfinished");
}

static void arguments_are_not_read_by_a_shell(void **state)
{
    (void)state;
    struct seen s = {0};
    assert_int_equal(start(&s, ARGS("echo", "$HOME `id`; exit 3 > x"), NULL, 0), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(s.last_line, "$HOME `id`; exit 3 > x");
    assert_int_equal(s.status, 0);
}

static void last_words_and_failure_are_told(void **state)
{
    (void)state;
    struct seen s = {0};
    assert_int_equal(start(&s, ARGS("ls", "/no/such \"place\""), NULL, 0), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s.exits, 1);
    assert_int_not_equal(s.status, 0);
    assert_non_null(strstr(s.words, "No such file"));
    assert_null(strchr(s.words, '"'));
}

static void a_program_that_is_not_there_is_an_error_at_once(void **state)
{
    (void)state;
    struct seen s = {0};
    assert_int_equal(start(&s, ARGS("/no/such/program"), "x", 0), ERR_NOT_FOUND);
    assert_non_null(strstr(s.words, "/no/such/program"));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s.exits, 0);
}

static void much_output_and_endless_lines_are_taken_in_pieces(void **state)
{
    (void)state;
    struct seen s = {0};
    assert_int_equal(start(&s, ARGS("seq", "1", "20000"), NULL, 0), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s.lines, 20000);
    assert_string_equal(s.last_line, "20000");
    s = (struct seen){0};
    assert_int_equal(start(&s, ARGS("head", "-c", "1000000", "/dev/zero"), NULL, 0), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s.lines, 1);
    assert_int_equal(s.exits, 1);
}

static void stop_now(struct seen *s)
{
    ffmpeg_stop(s->ffmpeg, 0);
}

static void stop_gently(struct seen *s)
{
    ffmpeg_stop(s->ffmpeg, 5000);
}

static void stopping_gently_is_sigterm(void **state)
{
    (void)state;
    struct seen s = {.when_listening = stop_gently};
    assert_int_equal(start(&s, ARGS("sleep", "60"), NULL, 0), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s.listening, 1); /* it has no ports, so at once */
    assert_int_equal(s.exits, 1);
    assert_int_equal(s.signal, SIGTERM);
}

/* Prints lines for ever, and takes no SIGTERM. */
#define DEAF ARGS("env", "--ignore-signal=TERM", "yes")

static void stop_quickly(struct seen *s)
{
    ffmpeg_stop(s->ffmpeg, 30);
}

static void a_process_that_does_not_react_is_killed(void **state)
{
    (void)state;
    struct seen s = {.at_line = stop_quickly};
    assert_int_equal(start(&s, DEAF, NULL, 0), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s.exits, 1);
    assert_int_equal(s.signal, SIGKILL);
}

static void stop_twice(struct seen *s)
{
    ffmpeg_stop(s->ffmpeg, 600000);
    ffmpeg_stop(s->ffmpeg, 600000);
    ffmpeg_stop(s->ffmpeg, 0);
}

static void a_second_stop_makes_it_shorter(void **state)
{
    (void)state;
    struct seen s = {.at_line = stop_twice};
    assert_int_equal(start(&s, DEAF, NULL, 0), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s.exits, 1);
    assert_int_equal(s.signal, SIGKILL);
}

static void stopping_in_the_last_lines_callback_is_fine(void **state)
{
    (void)state;
    struct seen s = {.at_line = stop_now};
    assert_int_equal(start(&s, ARGS("seq", "1", "3"), NULL, 0), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s.exits, 1);
}

/* Running, that is: not gone, and no zombie that nobody collects. */
static bool runs(const char *pid)
{
    char path[64];
    char text[256] = "";
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    const char *name_end = strrchr(text, ')');
    return name_end && name_end[2] != 'Z' && name_end[2] != 'X';
}

static void its_children_end_with_it(void **state)
{
    (void)state;
    struct seen s = {.at_line = stop_now};
    assert_int_equal(start(&s, ARGS("sh", "-c", "sleep 60 & echo $!; wait"), NULL, 0), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(s.exits, 1);
    for (int i = 0; i < 200 && runs(s.last_line); i++)
        usleep(10000);
    assert_false(runs(s.last_line));
}

static void bind_port(uv_timer_t *t)
{
    struct sockaddr_in a;
    uv_udp_t *udp = t->data;
    uv_ip4_addr("127.0.0.1", (int)(intptr_t)udp->data, &a);
    assert_int_equal(uv_udp_bind(udp, (const struct sockaddr *)&a, 0), 0);
    uv_close((uv_handle_t *)t, NULL);
}

static void listening_is_told_when_the_port_is_bound_and_not_before(void **state)
{
    (void)state;
    struct seen s = {.when_listening = stop_now};
    uint16_t port = (uint16_t)(11000 + getpid() % 900);
    uv_udp_t udp;
    uv_timer_t timer;
    uv_udp_init(&loop, &udp);
    uv_timer_init(&loop, &timer);
    udp.data = (void *)(intptr_t)port;
    timer.data = &udp;
    assert_int_equal(start(&s, ARGS("sleep", "60"), NULL, port), OK);
    for (int i = 0; i < 3; i++)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(s.listening, 0);
    uv_timer_start(&timer, bind_port, 0, 0);
    while (s.exits == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(s.listening, 1);
    uv_close((uv_handle_t *)&udp, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        TEST(input_lines_and_exit_status_come_through),
        TEST(arguments_are_not_read_by_a_shell),
        TEST(last_words_and_failure_are_told),
        TEST(a_program_that_is_not_there_is_an_error_at_once),
        TEST(much_output_and_endless_lines_are_taken_in_pieces),
        TEST(stopping_gently_is_sigterm),
        TEST(a_process_that_does_not_react_is_killed),
        TEST(a_second_stop_makes_it_shorter),
        TEST(stopping_in_the_last_lines_callback_is_fine),
        TEST(its_children_end_with_it),
        TEST(listening_is_told_when_the_port_is_bound_and_not_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
