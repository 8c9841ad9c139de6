#include "worker/bwe/pacer.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MS = 1000 };

static struct pacer pacer;
static usec now;

static int setup(void **state)
{
    (void)state;
    pacer_init(&pacer, 2 * PACER_BURST_US);
    now = USEC_PER_SEC;
    return 0;
}

static void without_a_target_nothing_waits(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_true(pacer_may_send(&pacer, now, 0));
        pacer_spend(&pacer, now, 1200);
    }
    assert_int_equal(pacer_next(&pacer, now, 0), now);
}

static void a_burst_leaves_at_two_and_a_half_times_the_target(void **state)
{
    (void)state;
    pacer_set_target(&pacer, now, 1000000);
    usec from = now;
    size_t left = 60 * 1200; /* a key frame of 72 kB at 1 Mbit/s */
    size_t at_once = 0;
    while (left > 0) {
        if (!pacer_may_send(&pacer, now, 0)) {
            usec next = pacer_next(&pacer, now, 0);
            assert_true(next > now);
            now = next;
            continue;
        }
        pacer_spend(&pacer, now, 1200);
        left -= 1200;
        if (now == from)
            at_once += 1200;
    }
    double burst = 1e6 * PACER_FACTOR / 8 * 2 * PACER_BURST_US / 1e6;
    assert_true((double)at_once >= burst && (double)at_once <= burst + 1200);
    double rate = (60 * 1200 - burst) * 8 * 1e6 / (double)(now - from);
    assert_true(rate > 2.35e6 && rate < 2.65e6);
}

static void a_smooth_flow_below_the_rate_never_waits(void **state)
{
    (void)state;
    pacer_set_target(&pacer, now, 1000000);
    for (int i = 0; i < 1000; i++, now += 9600) {
        assert_true(pacer_may_send(&pacer, now, 0));
        pacer_spend(&pacer, now, 1200);
    }
}

static void audio_goes_ahead_and_delays_what_waits_by_a_bounded_time(void **state)
{
    (void)state;
    pacer_set_target(&pacer, now, 1000000);
    for (int i = 0; i < 1000; i++)
        pacer_spend(&pacer, now, 1200); /* not asked before */
    assert_false(pacer_may_send(&pacer, now, 0));
    assert_true(pacer_next(&pacer, now, 0) <= now + PACER_DEBT_US + 1);
}

static void a_long_queue_leaves_within_half_a_second(void **state)
{
    (void)state;
    pacer_set_target(&pacer, now, 300000);
    usec from = now;
    size_t queued = 500 * 1200;
    while (queued > 0) {
        now = pacer_next(&pacer, now, queued) > now ? pacer_next(&pacer, now, queued) : now;
        if (!pacer_may_send(&pacer, now, queued))
            continue;
        pacer_spend(&pacer, now, 1200);
        queued -= 1200;
    }
    /* The rate falls with the queue, so that the end takes some time constants. */
    assert_true(now - from < 5 * PACER_QUEUE_US);
}

static void a_new_target_holds_from_now_on(void **state)
{
    (void)state;
    pacer_set_target(&pacer, now, 1000000);
    while (pacer_may_send(&pacer, now, 0))
        pacer_spend(&pacer, now, 1200);
    usec slow = pacer_next(&pacer, now, 0) - now;
    pacer_set_target(&pacer, now, 4000000);
    usec fast = pacer_next(&pacer, now, 0) - now;
    assert_true(fast <= slow / 4 + 1);
    pacer_set_target(&pacer, now, 0);
    assert_true(pacer_may_send(&pacer, now, 0));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        T(without_a_target_nothing_waits),
        T(a_burst_leaves_at_two_and_a_half_times_the_target),
        T(a_smooth_flow_below_the_rate_never_waits),
        T(audio_goes_ahead_and_delays_what_waits_by_a_bounded_time),
        T(a_long_queue_leaves_within_half_a_second),
        T(a_new_target_holds_from_now_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
