#include "worker/bwe/probe.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

enum { MS = 1000 };

static struct probe probe;
static usec now;

static int setup(void **state)
{
    (void)state;
    probe_init(&probe);
    now = USEC_PER_SEC;
    return 0;
}

/* Sends the active cluster's padding; returns its bytes. */
static size_t send_cluster(void)
{
    const struct probe_cluster *c = probe_active(&probe);
    uint8_t id = c ? c->id : 0;
    size_t sum = 0;
    while ((c = probe_active(&probe)) && c->id == id) {
        now = probe_deadline(&probe) > now ? probe_deadline(&probe) : now;
        size_t n = probe_padding(&probe, now);
        if (n == 0)
            continue;
        probe_sent(&probe, now, n);
        sum += n;
    }
    return sum;
}

static void the_first_clusters_are_three_and_six_times_the_start(void **state)
{
    (void)state;
    probe_start(&probe, now, 600e3);
    assert_true(fabs(probe_active(&probe)->bps - 1.8e6) < 1);
    usec from = now;
    size_t bytes = send_cluster();
    assert_true(bytes >= 1.8e6 * 0.015 / 8 && bytes < 1.8e6 * 0.02 / 8);
    assert_true(now - from >= 11 * MS && now - from <= 16 * MS); /* paced */
    assert_true(fabs(probe_active(&probe)->bps - 3.6e6) < 1);
    send_cluster();
    assert_null(probe_active(&probe));
    assert_int_equal(probe_deadline(&probe), USEC_NEVER);
}

static void a_result_that_keeps_up_leads_on_and_another_does_not(void **state)
{
    (void)state;
    probe_start(&probe, now, 600e3);
    send_cluster();
    send_cluster();
    probe_answer(&probe, now, 1.8e6); /* of the first: not yet */
    assert_null(probe_active(&probe));
    probe_answer(&probe, now, 3.5e6);
    assert_true(fabs(probe_active(&probe)->bps - 7e6) < 1);
    send_cluster();
    probe_answer(&probe, now, 4e6);
    assert_null(probe_active(&probe));
}

static void no_cluster_exceeds_the_cap_nor_follows_one_that_reached_it(void **state)
{
    (void)state;
    probe_set_cap(&probe, 1.5e6);
    probe_start(&probe, now, 600e3);
    assert_int_equal(probe.n, 1);
    assert_true(probe_active(&probe)->bps <= 1.5e6);
    send_cluster();
    probe_answer(&probe, now, 1.5e6);
    assert_null(probe_active(&probe));
}

static void only_one_at_a_time_is_requested(void **state)
{
    (void)state;
    probe_request(&probe, now, 1e6, 2, PROBE_DURATION_US);
    probe_request(&probe, now, 1e6, 2, PROBE_DURATION_US);
    assert_int_equal(probe.n, 1);
    send_cluster();
    assert_true(probe_busy(&probe, now + 500 * MS)); /* it may still be answered */
    assert_false(probe_busy(&probe, now + PROBE_ANSWER_US));
    probe_repeat(&probe, now);
    assert_true(fabs(probe_active(&probe)->bps - 2e6) < 1);
}

static void media_counts_and_what_nobody_sends_is_dropped(void **state)
{
    (void)state;
    probe_request(&probe, now, 1e6, 2, PROBE_DURATION_US);
    for (int i = 0; i < 4; i++)
        probe_sent(&probe, now + i * 4 * MS, 1200);
    assert_non_null(probe_active(&probe));
    probe_sent(&probe, now + 16 * MS, 1200);
    assert_null(probe_active(&probe));
    now += USEC_PER_SEC;
    probe_repeat(&probe, now);
    assert_true(probe_padding(&probe, now) > 0);
    assert_int_equal(probe_padding(&probe, now + 1 * MS),
                     0); /* it was not sent: not at once again */
    assert_int_equal(probe_deadline(&probe), now + PROBE_RETRY_US);
    probe_timeout(&probe, now + PROBE_PATIENCE_US);
    assert_null(probe_active(&probe));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        T(the_first_clusters_are_three_and_six_times_the_start),
        T(a_result_that_keeps_up_leads_on_and_another_does_not),
        T(no_cluster_exceeds_the_cap_nor_follows_one_that_reached_it),
        T(only_one_at_a_time_is_requested),
        T(media_counts_and_what_nobody_sends_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
