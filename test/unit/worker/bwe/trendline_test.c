#include "worker/bwe/trendline.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MS = 1000 };

static struct trendline trend;
static usec now;

static int setup(void **state)
{
    (void)state;
    trendline_init(&trend);
    now = USEC_PER_SEC;
    return 0;
}

/* n groups of 20 ms, each so much later than the one before. */
static void groups(unsigned n, usec later)
{
    for (unsigned i = 0; i < n; i++) {
        now += 20 * MS + later;
        trendline_add(&trend, 20 * MS, 20 * MS + later, now);
    }
}

static void an_even_flow_is_normal(void **state)
{
    (void)state;
    groups(200, 0);
    assert_int_equal(trend.usage, USAGE_NORMAL);
    assert_true(trendline_offset(&trend) < 0.01);
}

static void a_growing_queue_is_overuse_within_half_a_second(void **state)
{
    (void)state;
    groups(100, 0);
    unsigned n = 0;
    while (trend.usage != USAGE_OVERUSE && n < 100) {
        groups(1, 2 * MS);
        n++;
    }
    assert_int_equal(trend.usage, USAGE_OVERUSE);
    assert_true(n * 22 < 500);
}

static void a_shrinking_queue_is_underuse(void **state)
{
    (void)state;
    groups(60, 1 * MS);
    groups(40, -4 * MS);
    assert_int_equal(trend.usage, USAGE_UNDERUSE);
}

static void jitter_without_a_trend_is_normal(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        groups(1, i % 2 ? 8 * MS : -8 * MS);
        assert_int_not_equal(trend.usage, USAGE_OVERUSE);
    }
}

static void the_threshold_follows_what_it_sees_within_its_limits(void **state)
{
    (void)state;
    assert_true(trend.threshold > 12.4 && trend.threshold < 12.6);
    groups(400, 0);
    assert_true(trend.threshold > 5.9 && trend.threshold < 6.1);
    /* A steady slow growth, as beside a flow that fills the queue. */
    groups(400, MS);
    assert_true(trend.threshold > 8);
    assert_true(trend.threshold <= 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_even_flow_is_normal, setup),
        cmocka_unit_test_setup(a_growing_queue_is_overuse_within_half_a_second, setup),
        cmocka_unit_test_setup(a_shrinking_queue_is_underuse, setup),
        cmocka_unit_test_setup(jitter_without_a_trend_is_normal, setup),
        cmocka_unit_test_setup(the_threshold_follows_what_it_sees_within_its_limits, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
