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
    assert_int_equal(drain_update(&drain, now + MS, 300 * MS, 3e5, 3e5, true), DRAIN_GAVE_UP);
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
    /* Another's queue: what comes out is what we send. */
    assert_int_equal(drain_update(&drain, now + 700 * MS, 400 * MS, 4e5, 4e5, false),
                     DRAIN_NOTHING);
    assert_int_equal(drain_update(&drain, now + 800 * MS, 400 * MS, 3e5, 3e5, false),
                     DRAIN_GAVE_UP);
}

static void from_a_queue_of_our_own_comes_more_than_we_send_and_it_is_not_given_up(void **state)
{
    (void)state;
    drain_update(&drain, now, 800 * MS, 2e6, 1e6, true);
    now += DRAIN_GIVE_UP_US + 1;
    assert_int_equal(drain_update(&drain, now, 300 * MS, 3e5, 1e6, true), DRAIN_CUT);
    assert_int_equal(drain_update(&drain, now + MS, 300 * MS, 3e5, 3e5, true), DRAIN_GAVE_UP);
}

/* Two of one frame rate: one's packets always come after the other's, and find more queue. */
static void a_queue_that_wavers_around_the_bound_is_given_up_too(void **state)
{
    (void)state;
    enum drain_advice advice = DRAIN_NOTHING;
    for (unsigned i = 0; i < 60 && advice != DRAIN_GAVE_UP; i++, now += 100 * MS)
        advice = drain_update(&drain, now, (i % 5 ? 110 : 80) * MS, 1e6, 1e6, true);
    assert_int_equal(advice, DRAIN_GAVE_UP);
}

static void a_queue_that_was_half_gone_begins_anew(void **state)
{
    (void)state;
    drain_update(&drain, now, 110 * MS, 1e6, 1e6, true);
    drain_update(&drain, now + 4000 * MS, 40 * MS, 1e6, 1e6, true);
    assert_int_equal(drain_update(&drain, now + 6000 * MS, 110 * MS, 1e6, 1e6, true), DRAIN_CUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_long_queue_is_cut_deeper_again_and_again, setup),
        cmocka_unit_test_setup(a_queue_that_stays_is_somebody_elses, setup),
        cmocka_unit_test_setup(what_the_way_carries_is_known_when_the_cut_has_reached_the_far_end,
                               setup),
        cmocka_unit_test_setup(
            from_a_queue_of_our_own_comes_more_than_we_send_and_it_is_not_given_up, setup),
        cmocka_unit_test_setup(a_queue_that_wavers_around_the_bound_is_given_up_too, setup),
        cmocka_unit_test_setup(a_queue_that_was_half_gone_begins_anew, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
