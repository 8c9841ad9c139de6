#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "controller/events/webhook.h"

static void a_signature_is_hmac_over_time_and_body(void **state)
{
    (void)state;
    char out[WEBHOOK_SIGNATURE_LEN];
    /* printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key */
    assert_int_equal(webhook_sign("key", 1700000000, "{\"a\":1}", out), OK);
    assert_string_equal(out, "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03");
    assert_int_equal(webhook_sign("key", 1700000001, "{\"a\":1}", out), OK);
    assert_string_not_equal(out,
                            "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03");
}

static int closed;

static void on_closed(void *ctx)
{
    (void)ctx;
    closed++;
}

/* A port where nobody listens: what is handed in is given up, and closing does not take long. */
static void what_nobody_takes_is_given_up(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct webhook *w;
    struct webhook_stats stats = {0};
    uv_loop_init(&loop);
    const struct webhook_config config = {
        .loop = &loop, .url = "http://127.0.0.1:1/", .secret = "key", .attempts = 3, .pause = 1000};
    assert_int_equal(webhook_open(&config, &w), OK);
    webhook_send(w, "1", "stream.started", "{}");
    webhook_send(w, "2", "stream.ended", "{}");
    while (stats.dropped < 2)
        webhook_get_stats(w, &stats);
    assert_int_equal(stats.failed, 6);
    assert_int_equal(stats.delivered, 0);
    closed = 0;
    webhook_close(w, USEC_PER_SEC, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void no_more_than_so_many_wait(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct webhook *w;
    struct webhook_stats stats = {0};
    uv_loop_init(&loop);
    const struct webhook_config config = {.loop = &loop,
                                          .url = "http://127.0.0.1:1/",
                                          .secret = "",
                                          .attempts = 100,
                                          .pause = 3600 * USEC_PER_SEC};
    assert_int_equal(webhook_open(&config, &w), OK);
    for (int i = 0; i < WEBHOOK_WAITING_MAX + 10; i++)
        webhook_send(w, "1", "stream.started", "{}");
    webhook_get_stats(w, &stats);
    assert_in_range(stats.dropped, 9, 10); /* one may be on its way */
    closed = 0;
    webhook_close(w, 0, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_hmac_over_time_and_body),
        cmocka_unit_test(what_nobody_takes_is_given_up),
        cmocka_unit_test(no_more_than_so_many_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
