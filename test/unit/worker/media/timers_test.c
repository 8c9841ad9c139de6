#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/list.h"
#include "common/rng.h"
#include "worker/media/timers.h"

static usec fired[64];
static size_t n_fired;

static void note(struct timer *timer, usec now)
{
    (void)now;
    if (n_fired < 64)
        fired[n_fired] = timer->at;
    n_fired++;
}

static void again_at_once(struct timer *timer, usec now)
{
    n_fired++;
    timer_set(timer, now);
}

static void fire_in_order_of_time_whatever_the_order_of_setting(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seeded(&rng, 7);
    for (int round = 0; round < 200; round++) {
        struct timers heap;
        struct timer t[32];
        timers_init(&heap);
        for (size_t i = 0; i < 32; i++)
            assert_int_equal(timer_add(&heap, &t[i], note), OK);
        usec want[32] = {0};
        size_t n_want = 0;
        for (int move = 0; move < 100; move++) {
            struct timer *one = &t[rng_u32(&rng) % 32];
            timer_set(one, rng_u32(&rng) % 4 ? (usec)(rng_u32(&rng) % 50) : USEC_NEVER);
        }
        for (size_t i = 0; i < 32; i++)
            n_want += timer_at(&t[i]) != USEC_NEVER;
        usec first = USEC_NEVER;
        for (size_t i = 0; i < 32; i++)
            first = usec_min(first, timer_at(&t[i]));
        assert_int_equal(timers_deadline(&heap), first);
        n_fired = 0;
        timers_run(&heap, 100);
        assert_int_equal(n_fired, n_want);
        for (size_t i = 1; i < n_fired; i++)
            assert_true(fired[i - 1] <= fired[i]);
        assert_int_equal(timers_deadline(&heap), USEC_NEVER);
        for (size_t i = 0; i < 32; i++)
            timer_drop(&t[i]);
        timers_fini(&heap);
        (void)want;
    }
}

static void a_timer_that_sets_itself_due_does_not_hold_up_the_run(void **state)
{
    (void)state;
    struct timers heap;
    struct timer t;
    timers_init(&heap);
    assert_int_equal(timer_add(&heap, &t, again_at_once), OK);
    timer_set(&t, 5);
    n_fired = 0;
    timers_run(&heap, 10);
    assert_int_equal(n_fired, 1);
    assert_int_equal(timers_deadline(&heap), 10);
    timer_drop(&t);
    timer_drop(&t);
    timers_fini(&heap);
}

static void only_the_earlier_of_two_times_is_kept_by_set_earlier(void **state)
{
    (void)state;
    struct timers heap;
    struct timer t;
    timers_init(&heap);
    assert_int_equal(timer_add(&heap, &t, note), OK);
    timer_set_earlier(&t, 20);
    timer_set_earlier(&t, 30);
    assert_int_equal(timer_at(&t), 20);
    timer_set_earlier(&t, 10);
    assert_int_equal(timer_at(&t), 10);
    n_fired = 0;
    timers_run(&heap, 9);
    assert_int_equal(n_fired, 0);
    timer_drop(&t);
    timers_fini(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fire_in_order_of_time_whatever_the_order_of_setting),
        cmocka_unit_test(a_timer_that_sets_itself_due_does_not_hold_up_the_run),
        cmocka_unit_test(only_the_earlier_of_two_times_is_kept_by_set_earlier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
