#include "worker/bwe/acked_rate.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MS = 1000 };

static struct acked_rate acked;

static int setup(void **state)
{
    (void)state;
    acked_rate_reset(&acked);
    return 0;
}

/* A packet each interval, so many. Returns the time after. */
static usec arrivals(usec at, unsigned n, usec interval, size_t size)
{
    for (unsigned i = 0; i < n; i++, at += interval)
        acked_rate_add(&acked, at, size, true);
    return at;
}

static void nothing_is_known_before_a_whole_window(void **state)
{
    (void)state;
    arrivals(0, 49, 10 * MS, 1250);
    assert_true(acked_rate_bps(&acked) <= 0);
    assert_true(acked_rate_peak_bps(&acked) <= 0);
}

static void an_even_flow_has_its_rate(void **state)
{
    (void)state;
    arrivals(0, 200, 10 * MS, 1250);
    assert_true(acked_rate_bps(&acked) > 970e3 && acked_rate_bps(&acked) < 1030e3);
}

static void a_burst_shows_in_the_peak(void **state)
{
    (void)state;
    usec at = arrivals(0, 200, 10 * MS, 1250);
    arrivals(at, 75, 2 * MS, 1250); /* 5 Mbit/s for 150 ms */
    assert_true(acked_rate_peak_bps(&acked) > 4.5e6);
    assert_true(acked_rate_bps(&acked) < 2.5e6);
}

static void a_silence_is_not_a_low_rate(void **state)
{
    (void)state;
    usec at = arrivals(0, 200, 10 * MS, 1250);
    acked_rate_add(&acked, at + 2 * USEC_PER_SEC, 1250, true);
    assert_true(acked_rate_bps(&acked) <= 0);
}

static void a_clock_set_back_begins_anew(void **state)
{
    (void)state;
    usec at = arrivals(USEC_PER_SEC * 100, 200, 10 * MS, 1250);
    at = arrivals(at - 30 * USEC_PER_SEC, 200, 10 * MS, 1250);
    assert_true(acked_rate_bps(&acked) > 970e3 && acked_rate_bps(&acked) < 1030e3);
}

/* 1 Mbit/s for two seconds; of each twenty packets these never arrive. */
static void holes(unsigned from, unsigned n)
{
    bool before = false;
    for (unsigned i = 0; i < 200; i++) {
        bool lost = i % 20 >= from && i % 20 < from + n;
        if (!lost)
            acked_rate_add(&acked, i * 10 * MS, 1250, before);
        before = !lost;
    }
}

static void what_is_lost_behind_the_bottleneck_makes_it_no_slower(void **state)
{
    (void)state;
    holes(5, 4);
    assert_true(acked_rate_bps(&acked) > 970e3 && acked_rate_bps(&acked) < 1030e3);
    assert_true(acked_rate_arrived_bps(&acked) > 750e3 && acked_rate_arrived_bps(&acked) < 850e3);
}

static void what_a_full_queue_drops_makes_it_no_faster(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++) /* 2 Mbit/s sent, every third dropped, 1 Mbit/s comes out */
        acked_rate_add(&acked, i * 10 * MS, 1250, i % 2 == 0);
    assert_true(acked_rate_bps(&acked) > 970e3 && acked_rate_bps(&acked) < 1030e3);
}

static void too_few_neighbours_say_nothing(void **state)
{
    (void)state;
    holes(0, 18);
    assert_true(acked_rate_bps(&acked) <= 0);
    assert_true(acked_rate_peak_bps(&acked) <= 0);
    assert_true(acked_rate_arrived_bps(&acked) > 50e3);
}

static void neighbours_that_overtook_each_other_count_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        unsigned at = i % 4 == 1 ? i + 1 : i % 4 == 2 ? i - 1 : i;
        acked_rate_add(&acked, at * 10 * MS, 1250, true);
    }
    assert_true(acked_rate_bps(&acked) > 950e3 && acked_rate_bps(&acked) < 1050e3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_known_before_a_whole_window, setup),
        cmocka_unit_test_setup(an_even_flow_has_its_rate, setup),
        cmocka_unit_test_setup(a_burst_shows_in_the_peak, setup),
        cmocka_unit_test_setup(a_silence_is_not_a_low_rate, setup),
        cmocka_unit_test_setup(a_clock_set_back_begins_anew, setup),
        cmocka_unit_test_setup(what_is_lost_behind_the_bottleneck_makes_it_no_slower, setup),
        cmocka_unit_test_setup(what_a_full_queue_drops_makes_it_no_faster, setup),
        cmocka_unit_test_setup(too_few_neighbours_say_nothing, setup),
        cmocka_unit_test_setup(neighbours_that_overtook_each_other_count_once, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
