#include "worker/rtp/rate.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void a_steady_stream_has_its_rate(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, USEC_PER_SEC);
    usec now = 123456789;
    for (int i = 0; i < 500; i++, now += 10000)
        rate_add(&r, now, 1250);
    assert_in_range(rate_bps(&r, now), 985000, 1015000);
    assert_in_range(rate_pps(&r, now), 98, 102);
}

static void the_rate_falls_to_zero_after_the_window(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, USEC_PER_SEC);
    rate_add(&r, 0, 1000);
    assert_int_equal(rate_bps(&r, 1), 8000);
    assert_int_equal(rate_bps(&r, 900000), 8000);
    assert_true(rate_bps(&r, 1025000) <= 8000);
    assert_int_equal(rate_bps(&r, 1050000), 0);
    rate_add(&r, 2000000, 500);
    assert_int_equal(rate_bps(&r, 2000000), 4000);
    assert_int_equal(rate_bps(&r, 100 * USEC_PER_SEC), 0);
}

static void the_oldest_bucket_leaves_by_shares(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, USEC_PER_SEC);
    rate_add(&r, 0, 1000);
    assert_int_equal(rate_bps(&r, 1025000), 4000);
}

static void other_windows_scale(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, 2500 * USEC_PER_MSEC);
    for (usec t = 0; t < 10 * USEC_PER_SEC; t += 20000)
        rate_add(&r, t, 100);
    assert_in_range(rate_bps(&r, 10 * USEC_PER_SEC), 39000, 41000);
    assert_in_range(rate_pps(&r, 10 * USEC_PER_SEC), 49, 51);
}

static void time_that_runs_backwards_does_no_harm(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, USEC_PER_SEC);
    rate_add(&r, 5 * USEC_PER_SEC, 1000);
    rate_add(&r, 1 * USEC_PER_SEC, 1000);
    assert_int_equal(rate_bps(&r, 1 * USEC_PER_SEC), 16000);
    rate_reset(&r);
    assert_int_equal(rate_bps(&r, 5 * USEC_PER_SEC), 0);
}

static void rates_saturate(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, USEC_PER_SEC);
    for (int i = 0; i < 4; i++)
        rate_add(&r, i * 100000, 0xffffffff);
    assert_int_equal(rate_bps(&r, 400000), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_stream_has_its_rate),
        cmocka_unit_test(the_rate_falls_to_zero_after_the_window),
        cmocka_unit_test(the_oldest_bucket_leaves_by_shares),
        cmocka_unit_test(other_windows_scale),
        cmocka_unit_test(time_that_runs_backwards_does_no_harm),
        cmocka_unit_test(rates_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
