#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "controller/live/sender_clock.h"

/* 2027-01-15T08:00:00Z; NTP's seconds are 2208988800 ahead of it. */
#define DAY (INT64_C(1800000000) * USEC_PER_SEC)

static struct live_track reported(usec wall, uint32_t rtp)
{
    uint64_t s = (uint64_t)(wall / USEC_PER_SEC) + UINT64_C(2208988800);
    uint64_t fraction = ((uint64_t)(wall % USEC_PER_SEC) << 32) / (uint64_t)USEC_PER_SEC;
    return (struct live_track){
        .has_clock = true, .clock_ntp = s << 32 | fraction, .clock_rtp = rtp};
}

static void assert_near(usec a, usec b)
{
    assert_in_range(a - b + 2, 0, 4); /* fractions of NTP are not microseconds */
}

static void a_picture_has_the_time_of_its_senders_clock(void **state)
{
    (void)state;
    struct live_track t = reported(DAY + 250000, 90000);
    assert_near(sender_clock_time(&t, 90000, 90000, DAY), DAY + 250000);
    assert_near(sender_clock_time(&t, 180000, 90000, DAY), DAY + 1250000);
    assert_near(sender_clock_time(&t, 45000, 90000, DAY), DAY - 250000);
}

static void timestamps_wrap_around(void **state)
{
    (void)state;
    struct live_track t = reported(DAY, UINT32_MAX - 44999);
    assert_near(sender_clock_time(&t, 45000, 90000, DAY), DAY + USEC_PER_SEC);
}

static void without_a_report_the_arrival_counts(void **state)
{
    (void)state;
    struct live_track t = {.has_clock = false};
    assert_int_equal(sender_clock_time(&t, 1, 90000, DAY), DAY);
}

static void a_clock_that_is_far_off_does_not_count(void **state)
{
    (void)state;
    struct live_track t = reported(DAY + 9 * 60 * USEC_PER_SEC, 0);
    assert_near(sender_clock_time(&t, 0, 90000, DAY), DAY + 9 * 60 * USEC_PER_SEC);
    t = reported(DAY - 11 * 60 * USEC_PER_SEC, 0);
    assert_int_equal(sender_clock_time(&t, 0, 90000, DAY), DAY);
    t.clock_ntp = UINT64_C(5) << 32; /* since the sender was started */
    assert_int_equal(sender_clock_time(&t, 0, 90000, DAY), DAY);
    t.clock_ntp = UINT64_MAX;
    assert_int_equal(sender_clock_time(&t, 0, 90000, DAY), DAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_has_the_time_of_its_senders_clock),
        cmocka_unit_test(timestamps_wrap_around),
        cmocka_unit_test(without_a_report_the_arrival_counts),
        cmocka_unit_test(a_clock_that_is_far_off_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
