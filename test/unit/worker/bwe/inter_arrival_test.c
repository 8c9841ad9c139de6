#include "worker/bwe/inter_arrival.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MS = 1000 };

static struct inter_arrival groups;
static struct arrival_delta delta;

static int setup(void **state)
{
    (void)state;
    inter_arrival_reset(&groups);
    return 0;
}

static bool add(usec sent, usec arrival)
{
    return inter_arrival_add(&groups, arrival, sent, arrival, 100, &delta);
}

static void packets_of_five_milliseconds_are_one_group(void **state)
{
    (void)state;
    assert_false(add(0, 50 * MS));
    assert_false(add(5 * MS, 58 * MS));
    assert_false(add(20 * MS, 71 * MS)); /* the second group begins */
    assert_false(add(24 * MS, 75 * MS));
    assert_true(add(40 * MS, 90 * MS)); /* and is complete */
    assert_int_equal(delta.sent, 19 * MS);
    assert_int_equal(delta.arrival, 17 * MS);
}

static void what_an_outage_held_back_comes_as_one_group(void **state)
{
    (void)state;
    assert_false(add(0, 50 * MS));
    assert_false(add(20 * MS, 150 * MS));
    assert_false(add(40 * MS, 151 * MS)); /* sent 20 ms later, arrives 1 ms later */
    assert_false(add(60 * MS, 152 * MS));
    assert_true(add(120 * MS, 190 * MS));
    assert_int_equal(delta.sent, 60 * MS);
    assert_int_equal(delta.arrival, 102 * MS);
}

static void a_packet_of_an_earlier_group_is_ignored(void **state)
{
    (void)state;
    assert_false(add(0, 50 * MS));
    assert_false(add(20 * MS, 70 * MS));
    assert_false(add(3 * MS, 72 * MS));
    assert_true(add(40 * MS, 90 * MS));
    assert_int_equal(delta.arrival, 20 * MS);
}

static void what_overtakes_joins_the_group_before(void **state)
{
    (void)state;
    assert_false(add(0, 50 * MS));
    assert_false(add(20 * MS, 49 * MS));
    assert_false(add(80 * MS, 135 * MS));
    assert_true(add(100 * MS, 160 * MS));
    assert_int_equal(delta.sent, 60 * MS);
    assert_int_equal(delta.arrival, 85 * MS);
}

static void one_that_seems_long_before_is_skipped_without_losing_delay(void **state)
{
    (void)state;
    assert_false(add(0, 550 * MS));
    assert_false(add(20 * MS, 50 * MS));
    assert_false(add(40 * MS, 590 * MS));
    assert_true(add(60 * MS, 620 * MS));
    assert_int_equal(delta.sent, 40 * MS);
    assert_int_equal(delta.arrival, 40 * MS);
}

static void an_arrival_clock_set_back_begins_anew(void **state)
{
    (void)state;
    bool told = false;
    for (int i = 0; i < 4; i++)
        told = add(i * 20 * MS, 20 * USEC_PER_SEC + i * 20 * MS);
    assert_true(told);
    told = false;
    for (int i = 4; i < 12; i++)
        told = add(i * 20 * MS, 10 * USEC_PER_SEC + i * 21 * MS);
    assert_true(told);
    assert_int_equal(delta.arrival, 21 * MS);
}

static void an_arrival_clock_ahead_of_ours_begins_anew(void **state)
{
    (void)state;
    bool told = false;
    for (int i = 0; i < 4; i++)
        told = inter_arrival_add(&groups, i * 20 * MS, i * 20 * MS, i * 20 * MS, 100, &delta);
    assert_true(told);
    for (int i = 4; i < 10; i++) {
        usec arrival = 10 * USEC_PER_SEC + i * 20 * MS;
        told = inter_arrival_add(&groups, i * 20 * MS, i * 20 * MS, arrival, 100, &delta);
        assert_false(told && delta.arrival > USEC_PER_SEC);
    }
    assert_true(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(packets_of_five_milliseconds_are_one_group, setup),
        cmocka_unit_test_setup(what_an_outage_held_back_comes_as_one_group, setup),
        cmocka_unit_test_setup(a_packet_of_an_earlier_group_is_ignored, setup),
        cmocka_unit_test_setup(what_overtakes_joins_the_group_before, setup),
        cmocka_unit_test_setup(one_that_seems_long_before_is_skipped_without_losing_delay, setup),
        cmocka_unit_test_setup(an_arrival_clock_set_back_begins_anew, setup),
        cmocka_unit_test_setup(an_arrival_clock_ahead_of_ours_begins_anew, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
