#include "worker/bwe/probe_meter.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "worker/bwe/probe.h"

enum { MS = 1000 };

static struct probe_meter meter;
static usec now;

static int setup(void **state)
{
    (void)state;
    probe_meter_init(&meter);
    now = USEC_PER_SEC;
    return 0;
}

/* A cluster of n packets through a way of bandwidth in, after which one packet more arrives. Every
 * second packet is smaller, and so waits less_us less. */
static struct probe_result through(usec duration, unsigned n, double out, double in,
                                   unsigned lost_every, usec less_us)
{
    struct probe_result r = {0};
    usec sent = now, arrival = now + 50 * MS;
    usec out_each = (usec)(1000 * 8 * 1e6 / out), in_each = (usec)(1000 * 8 * 1e6 / in);
    probe_meter_add(&meter, 0, sent - 20 * MS, arrival - 20 * MS, 1000, 0, &r);
    probe_meter_expect(&meter, 1, n * 1000 - 1000, duration);
    usec free = arrival;
    for (unsigned i = 0; i < n; i++) {
        usec at = sent + i * out_each;
        arrival = at + 50 * MS > free ? at + 50 * MS : free;
        free = arrival + in_each;
        if (lost_every > 0 && i % lost_every == 1)
            probe_meter_lost(&meter, 1, 1000);
        else
            probe_meter_add(&meter, 1, at, arrival - i % 2 * less_us, 1000, 0.2, &r);
        assert_false(r.ended);
    }
    now += USEC_PER_SEC;
    probe_meter_add(&meter, 0, now, now + 50 * MS, 1000, 0.2, &r);
    assert_true(r.ended);
    return r;
}

static double measured(usec duration, unsigned n, double out, double in, unsigned lost_every)
{
    return through(duration, n, out, in, lost_every, 0).bps;
}

static void a_short_cluster_measures_what_the_way_carries(void **state)
{
    (void)state;
    double bps = measured(PROBE_DURATION_US, 10, 4e6, 10e6, 0);
    assert_true(bps > 3.9e6 && bps < 4.1e6); /* it kept up */
    bps = measured(PROBE_DURATION_US, 10, 4e6, 2e6, 0);
    assert_true(bps > 1.85e6 && bps < 1.95e6); /* full: a little less than it carries */
}

static void random_loss_inside_does_not_count_as_slowness(void **state)
{
    (void)state;
    double bps = measured(PROBE_DURATION_US, 20, 4e6, 10e6, 6);
    assert_true(bps > 3.9e6 && bps < 4.1e6);
}

static void too_much_loss_measures_nothing(void **state)
{
    (void)state;
    assert_true(measured(PROBE_DURATION_US, 10, 4e6, 10e6, 2) <= 0);
}

static void a_long_cluster_measures_by_the_growth_of_delay(void **state)
{
    (void)state;
    double bps = measured(PROBE_LONG_US, 40, 4e6, 10e6, 0);
    assert_true(bps > 3.8e6 && bps < 4.2e6);
    bps = measured(PROBE_LONG_US, 40, 4e6, 2.5e6, 0);
    assert_true(bps > 2.2e6 && bps < 2.5e6);
}

static void what_is_less_than_was_sent_is_all_there_is(void **state)
{
    (void)state;
    assert_false(through(PROBE_DURATION_US, 10, 4e6, 10e6, 0, 0).full);
    assert_true(through(PROBE_DURATION_US, 10, 4e6, 2e6, 0, 0).full);
    assert_false(through(PROBE_LONG_US, 40, 4e6, 10e6, 0, 0).full);
    assert_true(through(PROBE_LONG_US, 40, 4e6, 2.5e6, 0, 0).full);
}

/* Without a queue, nothing but their sizes makes packets wait: the least may be anywhere. */
static void small_packets_among_large_ones_do_not_spoil_a_long_cluster(void **state)
{
    (void)state;
    struct probe_result r = through(PROBE_LONG_US, 40, 4e6, 40e6, 0, 1500);
    assert_true(r.bps > 3.8e6 && r.bps < 4.2e6);
    assert_false(r.full);
}

static void half_of_a_long_cluster_measures_nothing(void **state)
{
    (void)state;
    assert_true(measured(PROBE_LONG_US, 20, 4e6, 10e6, 0) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_short_cluster_measures_what_the_way_carries, setup),
        cmocka_unit_test_setup(random_loss_inside_does_not_count_as_slowness, setup),
        cmocka_unit_test_setup(too_much_loss_measures_nothing, setup),
        cmocka_unit_test_setup(a_long_cluster_measures_by_the_growth_of_delay, setup),
        cmocka_unit_test_setup(what_is_less_than_was_sent_is_all_there_is, setup),
        cmocka_unit_test_setup(small_packets_among_large_ones_do_not_spoil_a_long_cluster, setup),
        cmocka_unit_test_setup(half_of_a_long_cluster_measures_nothing, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
