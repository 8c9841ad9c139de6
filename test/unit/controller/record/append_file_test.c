#include "controller/record/append_file.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

static uv_loop_t loop;
static char path[64];
static int failures;
static int why;
static int closings;
static enum err ending;

static void on_failed(void *ctx, int error)
{
    (void)ctx;
    failures++;
    why = error;
}

static void on_closed(void *ctx, enum err e)
{
    (void)ctx;
    closings++;
    ending = e;
}

static struct append_file *opened(void)
{
    struct append_file *f;
    struct append_file_config c = {.loop = &loop, .path = path, .on_failed = on_failed};
    failures = closings = 0;
    assert_int_equal(append_file_open(&c, &f), OK);
    return f;
}

static struct blob *bytes(size_t n, char fill)
{
    struct blob *b = blob_new(n);
    assert_non_null(b);
    memset(b->bytes, fill, n);
    return b;
}

static void closed(struct append_file *f)
{
    append_file_close(f, on_closed, NULL);
    assert_int_equal(closings, 0); /* never from inside */
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closings, 1);
}

static void what_is_added_is_on_disk_in_order(void **state)
{
    (void)state;
    char expected[300];
    char got[301];
    struct append_file *f = opened();
    for (size_t i = 0; i < 300; i++) { /* several batches */
        expected[i] = (char)('a' + i % 26);
        assert_int_equal(append_file_add(f, bytes(1, expected[i])), OK);
        if (i % 100 == 99)
            uv_run(&loop, UV_RUN_ONCE);
    }
    assert_int_equal(append_file_size(f), 300);
    closed(f);
    assert_int_equal(ending, OK);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fread(got, 1, sizeof got, in), 300);
    fclose(in);
    assert_memory_equal(got, expected, 300);
}

static void what_waits_is_bounded(void **state)
{
    (void)state;
    struct append_file *f = opened();
    enum err e = OK;
    size_t taken = 0;
    for (; e == OK && taken < 100; taken += e == OK)
        e = append_file_add(f, bytes(4 * 1024 * 1024, 'x'));
    assert_int_equal(e, ERR_FULL);
    assert_int_equal(taken, APPEND_FILE_QUEUE_MAX / (4 * 1024 * 1024));
    assert_int_equal(append_file_size(f), APPEND_FILE_QUEUE_MAX);
    closed(f);
    assert_int_equal(ending, OK);
    assert_int_equal(failures, 0);
}

static void a_full_disk_is_told_once_and_nothing_more_is_taken(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 1000, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN); /* write says EFBIG instead */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct append_file *f = opened();
    assert_int_equal(append_file_add(f, bytes(600, 'a')), OK);
    assert_int_equal(append_file_add(f, bytes(600, 'b')), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(failures, 1);
    assert_int_equal(why, EFBIG);
    assert_int_equal(append_file_add(f, bytes(1, 'c')), ERR_IO);
    closed(f);
    assert_int_equal(ending, ERR_IO);
    assert_int_equal(failures, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct append_file *f;
    struct append_file_config c = {
        .loop = &loop, .path = "/nonexistent/0001.mp4", .on_failed = on_failed};
    failures = closings = 0;
    assert_int_equal(append_file_open(&c, &f), OK);
    assert_int_equal(append_file_add(f, bytes(1, 'a')), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(failures, 1);
    assert_int_equal(why, ENOENT);
    closed(f);
}

static int open_loop(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/weir-append-XXXXXX");
    close(mkstemp(path));
    return uv_loop_init(&loop);
}

static int close_loop(void **state)
{
    (void)state;
    unlink(path);
    return uv_loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_on_disk_in_order),
        cmocka_unit_test(what_waits_is_bounded),
        cmocka_unit_test(a_full_disk_is_told_once_and_nothing_more_is_taken),
        cmocka_unit_test(a_folder_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, open_loop, close_loop);
}
