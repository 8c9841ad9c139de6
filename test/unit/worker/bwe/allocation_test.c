#include "worker/bwe/allocation.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static struct alloc_consumer c[4];
static usec now;

static void layers(unsigned i, uint8_t priority, uint32_t a, uint32_t b, uint32_t d)
{
    alloc_consumer_init(&c[i]);
    c[i].priority = priority;
    c[i].layer_bps[0] = a;
    c[i].layer_bps[1] = b;
    c[i].layer_bps[2] = d;
    c[i].n_layers = (uint8_t)(1 + (b > 0) + (d > 0));
}

static int setup(void **state)
{
    (void)state;
    now = 100 * USEC_PER_SEC;
    for (unsigned i = 0; i < 4; i++)
        layers(i, 1, 100, 300, 1000);
    return 0;
}

static void everyone_gets_a_lowest_layer_before_anyone_gets_more(void **state)
{
    (void)state;
    assert_int_equal(alloc_share(c, 4, 500, now), 400);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(c[i].layer, 0);
}

static void the_higher_priority_is_served_first(void **state)
{
    (void)state;
    c[2].priority = 5;
    assert_int_equal(alloc_share(c, 4, 130, now), 100);
    assert_int_equal(c[2].layer, 0);
    assert_int_equal(c[0].layer, ALLOC_NONE);
}

static void a_round_gives_as_many_layers_as_the_priority_says(void **state)
{
    (void)state;
    c[1].priority = 2;
    /* 200 for two lowest layers; 900 more lift one of them by two. */
    alloc_share(c, 2, 1300, now);
    assert_int_equal(c[1].layer, 2);
    assert_int_equal(c[0].layer, 0);
}

static void equal_priorities_rise_together(void **state)
{
    (void)state;
    assert_int_equal(alloc_share(c, 2, 700, now), 600);
    assert_int_equal(c[0].layer, 1);
    assert_int_equal(c[1].layer, 1);
}

static void an_upgrade_wants_a_margin_and_keeping_does_not(void **state)
{
    (void)state;
    alloc_share(c, 1, 320, now);
    assert_int_equal(c[0].layer, 0); /* 300 and 15 % are 345 */
    alloc_share(c, 1, 345, now);
    assert_int_equal(c[0].layer, 1);
    alloc_share(c, 1, 300, now);
    assert_int_equal(c[0].layer, 1);
    alloc_share(c, 1, 299, now);
    assert_int_equal(c[0].layer, 0);
}

static void soon_after_a_downgrade_the_margin_is_wider(void **state)
{
    (void)state;
    alloc_share(c, 1, 345, now);
    alloc_share(c, 1, 200, now);
    alloc_share(c, 1, 345, now + USEC_PER_SEC);
    assert_int_equal(c[0].layer, 0);
    alloc_share(c, 1, 390, now + USEC_PER_SEC);
    assert_int_equal(c[0].layer, 1);
    alloc_share(c, 1, 200, now + USEC_PER_SEC);
    alloc_share(c, 1, 345, now + USEC_PER_SEC + ALLOC_CAREFUL_US);
    assert_int_equal(c[0].layer, 1);
}

static void what_is_always_sent_comes_off_first(void **state)
{
    (void)state;
    layers(3, 1, 64, 0, 0);
    c[3].always = true;
    assert_int_equal(alloc_share(c, 4, 20, now), 64);
    assert_int_equal(c[3].layer, 0);
    assert_int_equal(c[0].layer, ALLOC_NONE);
    /* 164 are left: one lowest layer with its margin, and not a second. */
    assert_int_equal(alloc_share(c, 4, 64 + 164, now), 164);
}

static void layers_that_do_not_flow_are_left_out(void **state)
{
    (void)state;
    layers(0, 1, 0, 300, 1000);
    c[0].n_layers = 3;
    alloc_share(c, 1, 2000, now);
    assert_int_equal(c[0].layer, 2);
    c[0].layer_bps[2] = 0;
    alloc_share(c, 1, 2000, now);
    assert_int_equal(c[0].layer, 1);
    assert_true(now - c[0].lowered_at >= ALLOC_CAREFUL_US); /* not for want of bandwidth */
    c[0].n_layers = 0;
    assert_int_equal(alloc_share(c, 1, 2000, now), 0);
    assert_int_equal(c[0].layer, ALLOC_NONE);
}

static void the_desired_rate_is_the_sum_of_the_highest(void **state)
{
    (void)state;
    layers(3, 1, 64, 0, 0);
    assert_int_equal(alloc_desired(c, 4), 3064);
}

static void more_is_never_given_than_there_is(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        layers(i, (uint8_t)(i * 80 + 1), 100 + i, 200 + 3 * i, 900);
    for (uint64_t bps = 0; bps < 5000; bps += 7)
        assert_true(alloc_share(c, 4, bps, now) <= bps);
    for (uint64_t bps = 5000; bps > 7; bps -= 7)
        assert_true(alloc_share(c, 4, bps, now) <= bps);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        T(everyone_gets_a_lowest_layer_before_anyone_gets_more),
        T(the_higher_priority_is_served_first),
        T(a_round_gives_as_many_layers_as_the_priority_says),
        T(equal_priorities_rise_together),
        T(an_upgrade_wants_a_margin_and_keeping_does_not),
        T(soon_after_a_downgrade_the_margin_is_wider),
        T(what_is_always_sent_comes_off_first),
        T(layers_that_do_not_flow_are_left_out),
        T(the_desired_rate_is_the_sum_of_the_highest),
        T(more_is_never_given_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
