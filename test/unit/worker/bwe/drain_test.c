#include "worker/bwe/drain.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MS = 1000 };

static struct drain drain;
static usec now;

static int setup(void **state)
{
    (void)state;
    drain = (struct drain){0};
    now = USEC_PER_SEC;
    return 0;
}

static void a_long_queue_is_cut_deeper_again_and_again(void **state)
{
    (void)state;
    assert_int_equal(drain_update(&drain, now, 100 * MS, 1e6, 1e6, true), DRAIN_NOTHING);
    assert_true(drain_beta(&drain, 100 * MS) > 0.84);
    assert_int_equal(drain_update(&drain, now, 300 * MS, 1e6, 1e6, true), DRAIN_CUT);
    double beta = drain_beta(&drain, 300 * MS);
    assert_true(beta > 0.6 && beta < 0.75);
    assert_true(drain_beta(&drain, 800 * MS) < 0.51);
    assert_int_equal(drain_update(&drain, now + 500 * MS, 300 * MS, 1e6, 1e6, true), DRAIN_NOTHING);
    assert_int_equal(drain_update(&drain, now + 1000 * MS, 300 * MS, 1e6, 1e6, true), DRAIN_CUT);
    assert_int_equal(drain_update(&drain, now + 1100 * MS, 50 * MS, 1e6, 1e6, true), DRAIN_NOTHING);
    assert_false(drain.active);
    assert_int_equal(drain_update(&drain, now + 1200 * MS, 10 * MS, 1e6, 1e6, true), DRAIN_DONE);
    assert_int_equal(drain_update(&drain, now + 1300 * MS, 10 * MS, 1e6, 1e6, true), DRAIN_NOTHING);
}

static void a_queue_that_stays_is_somebody_elses(void **state)
{
    (void)state;
    assert_int_equal(drain_update(&drain, now, 300 * MS, 1e6, 1e6, true), DRAIN_CUT);
    now += DRAIN_GIVE_UP_US + 1;
    assert_int_equal(drain_update(&drain, now, 300 * MS, 9e5, 1e6, true), DRAIN_GAVE_UP);
    assert_true(drain_resting(&drain, now + 29 * USEC_PER_SEC));
    assert_int_equal(drain_update(&drain, now + 29 * USEC_PER_SEC, 300 * MS, 9e5, 1e6, true),
                     DRAIN_NOTHING);
    assert_true(drain_beta(&drain, 300 * MS) > 0.84);
    now += 31 * USEC_PER_SEC;
    assert_int_equal(drain_update(&drain, now, 300 * MS, 9e5, 1e6, true), DRAIN_CUT);
    /* Giving way to a third of the rate did not help either: longer now. */
    assert_int_equal(drain_update(&drain, now + MS, 300 * MS, 3e5, 1e6, true), DRAIN_GAVE_UP);
    assert_true(drain_resting(&drain, now + 50 * USEC_PER_SEC));
    /* Once it is gone, all is forgotten. */
    drain_update(&drain, now + 51 * USEC_PER_SEC, 5 * MS, 3e5, 1e6, true);
    assert_false(drain_resting(&drain, now + 51 * USEC_PER_SEC));
}

/* A link that halves: what got through before fills the first window, and says nothing. */
static void what_the_way_carries_is_known_when_the_cut_has_reached_the_far_end(void **state)
{
    (void)state;
    drain_update(&drain, now, 300 * MS, 2e6, 2e6, false);
    drain_update(&drain, now + 100 * MS, 400 * MS, 1e6, 1e6, false);
    assert_int_equal(drain_update(&drain, now + 600 * MS, 400 * MS, 5e5, 1e6, true), DRAIN_NOTHING);
    /* From now on it shrinks with our rate, if the queue is another's. */
    assert_int_equal(drain_update(&drain, now + 700 * MS, 400 * MS, 3e5, 4e5, false),
                     DRAIN_GAVE_UP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_long_queue_is_cut_deeper_again_and_again, setup),
        cmocka_unit_test_setup(a_queue_that_stays_is_somebody_elses, setup),
        cmocka_unit_test_setup(what_the_way_carries_is_known_when_the_cut_has_reached_the_far_end,
                               setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
