#include "worker/bwe/aimd.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

enum { MS = 1000 };

static struct aimd aimd;
static usec now;
static bool fresh; /* feedback speaks of what was sent since the last decrease */

static int setup(void **state)
{
    (void)state;
    aimd_init(&aimd, 1e6, 50e3, INFINITY);
    aimd.rtt = 100 * MS;
    now = USEC_PER_SEC;
    fresh = true;
    return 0;
}

static void feed(unsigned n, enum bandwidth_usage usage, double acked)
{
    for (unsigned i = 0; i < n; i++) {
        now += 100 * MS;
        aimd_update(&aimd, now,
                    &(struct aimd_input){.usage = usage,
                                         .acked_bps = acked,
                                         .peak_bps = acked,
                                         .beta = AIMD_BETA,
                                         .fresh = fresh,
                                         .above = AIMD_ABOVE_ACKED});
    }
}

static bool about(double value, double expected)
{
    return fabs(value - expected) < expected * 0.01;
}

static void without_a_known_capacity_it_grows_eight_percent_a_second(void **state)
{
    (void)state;
    feed(1, USAGE_NORMAL, 1e6);
    double before = aimd.bps;
    feed(10, USAGE_NORMAL, 1e6);
    assert_true(about(aimd.bps, before * 1.08));
}

static void it_stays_near_what_gets_through(void **state)
{
    (void)state;
    feed(300, USAGE_NORMAL, 1e6);
    assert_true(about(aimd.bps, 1.5e6 + 10e3));
}

static void overuse_cuts_to_a_share_of_what_gets_through(void **state)
{
    (void)state;
    feed(1, USAGE_OVERUSE, 900e3);
    assert_true(about(aimd.bps, 0.85 * 900e3));
    assert_int_equal(aimd.state, AIMD_HOLD);
}

static void overuse_of_what_was_sent_before_the_decrease_is_the_same_one(void **state)
{
    (void)state;
    feed(1, USAGE_OVERUSE, 900e3);
    fresh = false;
    feed(5, USAGE_OVERUSE, 700e3);
    assert_true(about(aimd.bps, 0.85 * 900e3));
    fresh = true;
    feed(1, USAGE_OVERUSE, 700e3);
    assert_true(about(aimd.bps, 0.85 * 700e3));
}

static void without_any_measure_overuse_halves(void **state)
{
    (void)state;
    feed(1, USAGE_OVERUSE, 0);
    assert_true(about(aimd.bps, 0.5e6));
}

static void without_any_measure_overuse_goes_by_the_known_capacity(void **state)
{
    (void)state;
    link_capacity_probe(&aimd.capacity, 900e3);
    feed(1, USAGE_OVERUSE, 0);
    assert_true(about(aimd.bps, 0.85 * 900e3));
}

static void near_the_known_capacity_it_adds_half_a_packet_a_response_time(void **state)
{
    (void)state;
    feed(1, USAGE_OVERUSE, 900e3);
    feed(1, USAGE_NORMAL, 800e3);
    double before = aimd.bps;
    feed(10, USAGE_NORMAL, 800e3);
    /* 25,500 bits a frame in 3 packets of 8,500 bits; 400 ms. */
    assert_true(aimd.bps - before > 0.9 * 8500 / 0.4 && aimd.bps - before < 1.1 * 8500 / 0.4);
}

static void far_above_the_known_capacity_it_is_forgotten(void **state)
{
    (void)state;
    feed(1, USAGE_OVERUSE, 900e3);
    assert_true(aimd.capacity.known);
    feed(2, USAGE_NORMAL, 1.2e6);
    assert_false(aimd.capacity.known);
}

static void underuse_holds(void **state)
{
    (void)state;
    feed(20, USAGE_UNDERUSE, 1e6);
    assert_true(about(aimd.bps, 1e6));
}

static void no_great_steps_onto_a_queue(void **state)
{
    (void)state;
    struct aimd_input in = {
        .usage = USAGE_NORMAL, .acked_bps = 1e6, .beta = 0.85, .above = 1.5, .queue = true};
    for (int i = 0; i < 10; i++)
        aimd_update(&aimd, now += 100 * MS, &in);
    assert_true(aimd.bps < 1.04e6);
}

static void the_limits_hold(void **state)
{
    (void)state;
    aimd_set_limits(&aimd, 200e3, 1.1e6);
    feed(100, USAGE_NORMAL, 1e6);
    assert_true(about(aimd.bps, 1.1e6));
    feed(10, USAGE_OVERUSE, 10e3);
    assert_true(about(aimd.bps, 200e3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_known_capacity_it_grows_eight_percent_a_second, setup),
        cmocka_unit_test_setup(it_stays_near_what_gets_through, setup),
        cmocka_unit_test_setup(overuse_cuts_to_a_share_of_what_gets_through, setup),
        cmocka_unit_test_setup(overuse_of_what_was_sent_before_the_decrease_is_the_same_one, setup),
        cmocka_unit_test_setup(without_any_measure_overuse_halves, setup),
        cmocka_unit_test_setup(without_any_measure_overuse_goes_by_the_known_capacity, setup),
        cmocka_unit_test_setup(near_the_known_capacity_it_adds_half_a_packet_a_response_time,
                               setup),
        cmocka_unit_test_setup(far_above_the_known_capacity_it_is_forgotten, setup),
        cmocka_unit_test_setup(underuse_holds, setup),
        cmocka_unit_test_setup(no_great_steps_onto_a_queue, setup),
        cmocka_unit_test_setup(the_limits_hold, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
