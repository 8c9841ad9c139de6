#include "worker/rtp/keyframe.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MS = 1000 };

static void a_need_is_requested_once(void **state)
{
    (void)state;
    struct keyframe k;
    keyframe_init(&k, 0);
    assert_true(keyframe_deadline(&k) == USEC_NEVER);
    assert_true(keyframe_need(&k, 0, 0, false));
    assert_false(keyframe_need(&k, 10 * MS, 0, false));
    assert_true(keyframe_waiting(&k));
    keyframe_received(&k);
    assert_false(keyframe_waiting(&k));
    assert_true(keyframe_deadline(&k) == USEC_NEVER);
    assert_true(keyframe_need(&k, 20 * MS, 0, false));
    assert_int_equal(k.requests, 2);
}

static void it_is_repeated_until_the_key_frame_arrives(void **state)
{
    (void)state;
    struct keyframe k;
    keyframe_init(&k, 0);
    assert_true(keyframe_need(&k, 0, 0, false));
    for (int i = 1; i <= 30; i++) {
        assert_int_equal(keyframe_deadline(&k), i * 1000 * MS);
        assert_false(keyframe_timeout(&k, i * 1000 * MS - 1, 0));
        assert_true(keyframe_timeout(&k, i * 1000 * MS, 0));
    }
    keyframe_received(&k);
    assert_false(keyframe_timeout(&k, 100000 * MS, 0));
}

static void a_known_round_trip_repeats_sooner(void **state)
{
    (void)state;
    struct keyframe k;
    keyframe_init(&k, 0);
    assert_true(keyframe_need(&k, 0, 50 * MS, false));
    assert_int_equal(keyframe_deadline(&k), 400 * MS);
    assert_true(keyframe_timeout(&k, 400 * MS, 5000 * MS));
    assert_int_equal(keyframe_deadline(&k), 1400 * MS);
}

static void needs_within_the_delay_are_put_off(void **state)
{
    (void)state;
    struct keyframe k;
    keyframe_init(&k, 2000 * MS);
    assert_true(keyframe_need(&k, 0, 0, false));
    keyframe_received(&k);
    assert_false(keyframe_need(&k, 100 * MS, 0, false));
    assert_false(keyframe_need(&k, 200 * MS, 0, false));
    assert_int_equal(keyframe_deadline(&k), 2000 * MS);
    assert_true(keyframe_timeout(&k, 2000 * MS, 0));
    assert_int_equal(k.requests, 2);
    /* The retry keeps the delay too. */
    assert_int_equal(keyframe_deadline(&k), 4000 * MS);
}

static void a_key_frame_in_between_serves_those_who_were_put_off(void **state)
{
    (void)state;
    struct keyframe k;
    keyframe_init(&k, 1000 * MS);
    assert_true(keyframe_need(&k, 0, 0, false));
    keyframe_received(&k);
    assert_false(keyframe_need(&k, 100 * MS, 0, false));
    keyframe_received(&k);
    assert_true(keyframe_deadline(&k) == USEC_NEVER);
}

static void forced_requests_ignore_delay_and_pending(void **state)
{
    (void)state;
    struct keyframe k;
    keyframe_init(&k, 1000 * MS);
    assert_true(keyframe_need(&k, 0, 0, false));
    assert_true(keyframe_need(&k, 1 * MS, 0, true));
    assert_int_equal(keyframe_deadline(&k), 1001 * MS);
}

static void cancelling_stops_the_retries(void **state)
{
    (void)state;
    struct keyframe k;
    keyframe_init(&k, 0);
    assert_true(keyframe_need(&k, 0, 0, false));
    keyframe_cancel(&k);
    assert_false(keyframe_timeout(&k, 10000 * MS, 0));
}

static void the_next_request_is_so_far_off(void **state)
{
    (void)state;
    struct keyframe k;
    keyframe_init(&k, 1000 * MS);
    assert_int_equal(keyframe_wait(&k, 0, 0), 0);
    assert_true(keyframe_need(&k, 0, 0, false));
    /* On its way, then overdue: it will be repeated. */
    assert_int_equal(keyframe_wait(&k, 99 * MS, 0), 0);
    assert_int_equal(keyframe_wait(&k, 100 * MS, 0), 900 * MS);
    assert_int_equal(keyframe_wait(&k, 100 * MS, 50 * MS), 0);
    keyframe_received(&k);
    assert_int_equal(keyframe_wait(&k, 150 * MS, 0), 850 * MS);
    assert_int_equal(keyframe_wait(&k, 1000 * MS, 0), 0);
    /* A need that was put off does not change it. */
    assert_false(keyframe_need(&k, 400 * MS, 0, false));
    assert_int_equal(keyframe_wait(&k, 400 * MS, 0), 600 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_need_is_requested_once),
        cmocka_unit_test(it_is_repeated_until_the_key_frame_arrives),
        cmocka_unit_test(a_known_round_trip_repeats_sooner),
        cmocka_unit_test(needs_within_the_delay_are_put_off),
        cmocka_unit_test(a_key_frame_in_between_serves_those_who_were_put_off),
        cmocka_unit_test(forced_requests_ignore_delay_and_pending),
        cmocka_unit_test(cancelling_stops_the_retries),
        cmocka_unit_test(the_next_request_is_so_far_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
