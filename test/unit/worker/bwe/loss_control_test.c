#include "worker/bwe/loss_control.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include "common/rng.h"

enum { MS = 1000, SIZE = 1000 };

static struct loss_control loss;
static struct rng rng;
static usec now;

static int setup(void **state)
{
    (void)state;
    loss_control_init(&loss);
    rng_init_seeded(&rng, 7);
    now = USEC_PER_SEC;
    return 0;
}

static bool chance(double p)
{
    return (double)(rng_u64(&rng) >> 11) / (double)(1ULL << 53) < p;
}

/* Seconds at a rate, through a bandwidth that drops the excess, with random loss in runs. Feedback
 * each 100 ms. True: it said overflow. */
static bool flow(double seconds, double bps, double bandwidth, double random, unsigned run,
                 bool congested)
{
    bool overflow = false;
    usec interval = (usec)(SIZE * 8 * USEC_PER_SEC / bps);
    usec end = now + (usec)(seconds * USEC_PER_SEC), feedback = now;
    unsigned left = 0;
    while (now < end) {
        bool excess = bps > bandwidth && chance(1 - bandwidth / bps);
        if (left == 0 && chance(random / run))
            left = run;
        bool lost = excess || left > 0;
        left -= left > 0;
        loss_control_packet(&loss, now, SIZE, lost);
        now += interval;
        if (now - feedback >= 100 * MS) {
            feedback = now;
            double acked = fmin(bps, bandwidth) * (1 - random);
            overflow = loss_control_update(&loss, now, congested, acked) || overflow;
        }
    }
    return overflow;
}

static void without_loss_there_is_no_limit(void **state)
{
    (void)state;
    flow(10, 2e6, INFINITY, 0, 1, false);
    assert_true(isinf(loss.limit_bps));
    assert_true(loss.inherent <= 0);
}

static void ten_percent_at_random_is_no_limit_and_is_learned(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        flow(1.5, i % 2 ? 2e6 : 1.5e6, INFINITY, 0.1, 1, false);
        assert_true(isinf(loss.limit_bps));
    }
    assert_true(loss.inherent > 0.07 && loss.inherent < 0.13);
}

static void ten_percent_in_runs_of_five_is_no_limit(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        flow(1.5, i % 2 ? 2e6 : 1.5e6, INFINITY, 0.1, 5, false);
        assert_true(isinf(loss.limit_bps));
    }
}

static void loss_that_comes_with_the_rate_is_a_limit(void **state)
{
    (void)state;
    flow(5, 1.8e6, 2e6, 0, 1, false);
    flow(2, 2.4e6, 2e6, 0, 1, false);
    assert_true(loss.limit_bps > 1.9e6 && loss.limit_bps < 2.3e6);
}

static void the_limit_is_found_beside_random_loss(void **state)
{
    (void)state;
    flow(5, 1.8e6, 2e6, 0.05, 1, false);
    assert_true(isinf(loss.limit_bps));
    flow(3, 2.6e6, 2e6, 0.05, 1, false);
    assert_true(loss.limit_bps > 1.7e6 && loss.limit_bps < 2.5e6);
}

static void more_than_chance_ever_takes_is_a_limit_whatever_the_reason(void **state)
{
    (void)state;
    flow(5, 4e6, 2e6, 0, 1, false);
    assert_true(loss.limit_bps > 1.9e6 && loss.limit_bps < 2.6e6);
}

static void a_limit_without_proof_is_released(void **state)
{
    (void)state;
    flow(5, 4e6, 2e6, 0, 1, false);
    double limit = loss.limit_bps;
    flow(20, 1.9e6, INFINITY, 0, 1, false);
    assert_true(limit < 3e6);
    assert_true(isinf(loss.limit_bps));
}

static void a_limit_yields_to_a_probe_that_passed(void **state)
{
    (void)state;
    flow(5, 4e6, 2e6, 0, 1, false);
    loss_control_passed(&loss, 1e6);
    assert_true(loss.limit_bps > 1.9e6);
    loss_control_passed(&loss, 3e6);
    assert_true(loss.limit_bps >= 3e6);
}

static void one_long_run_is_an_accident_and_no_limit(void **state)
{
    (void)state;
    flow(0.02, 1e6, INFINITY, 0, 1, false);
    flow(0.8, 1e6, 1, 0, 1, false);
    assert_true(isinf(loss.limit_bps));
}

static void a_full_queue_overflows_and_teaches_no_random_loss(void **state)
{
    (void)state;
    assert_true(flow(3, 2.4e6, 2e6, 0, 1, true));
    assert_true(loss.inherent <= 0);
}

static void random_loss_beside_a_queue_is_no_overflow(void **state)
{
    (void)state;
    flow(10, 2e6, INFINITY, 0.1, 1, false);
    assert_false(flow(2, 2e6, INFINITY, 0.08, 1, true));
}

static void a_packet_that_was_found_is_not_lost(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        loss_control_packet(&loss, now += 10 * MS, SIZE, i % 2);
        if (i % 2)
            loss_control_found(&loss);
    }
    loss_control_update(&loss, now, false, 8e5);
    assert_int_equal(loss.past[0].lost, 0);
    assert_int_equal(loss.past[0].runs, 0);
    assert_true(loss.inherent <= 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        T(without_loss_there_is_no_limit),
        T(ten_percent_at_random_is_no_limit_and_is_learned),
        T(ten_percent_in_runs_of_five_is_no_limit),
        T(loss_that_comes_with_the_rate_is_a_limit),
        T(the_limit_is_found_beside_random_loss),
        T(more_than_chance_ever_takes_is_a_limit_whatever_the_reason),
        T(a_limit_without_proof_is_released),
        T(a_limit_yields_to_a_probe_that_passed),
        T(one_long_run_is_an_accident_and_no_limit),
        T(a_full_queue_overflows_and_teaches_no_random_loss),
        T(random_loss_beside_a_queue_is_no_overflow),
        T(a_packet_that_was_found_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
