#include "worker/rtp/sr_map.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "worker/rtp/ntp.h"

#define NTP_AT(s) ((uint64_t)(s) << 32)

static void ntp_conversions_round_trip(void **state)
{
    (void)state;
    assert_int_equal(ntp_of_usec(1500000), NTP_AT(1) | 1ULL << 31);
    for (usec t = 0; t < 5000000; t += 12347) {
        assert_int_equal(ntp_diff(ntp_of_usec(t), ntp_of_usec(1000000)), t - 1000000);
        assert_in_range(ntp_diff(ntp_add(NTP_AT(100), t - 2500000), NTP_AT(100)) - t + 2500001, 0,
                        2);
    }
    assert_int_equal(ntp_mid(0x0123456789abcdefULL), 0x456789ab);
    assert_int_equal(ntp_mid_to_usec(65536), 1000000);
    assert_int_equal(ntp_mid_of_usec(2500000), 163840);
    assert_int_equal(ntp_mid_of_usec(-5), 0);
}

static void before_the_first_report_nothing_is_known(void **state)
{
    (void)state;
    struct sr_map m;
    uint64_t ntp;
    uint32_t rtp;
    sr_map_init(&m, 90000);
    assert_false(sr_map_ntp(&m, 0, &ntp));
    assert_false(sr_map_rtp(&m, 0, &rtp));
    assert_false(sr_map_now(&m, 0, &ntp, &rtp));
    sr_map_update(&m, 0, 0, 5); /* a sender without a clock */
    assert_false(sr_map_ntp(&m, 0, &ntp));
}

static void times_map_both_ways_over_the_wrap(void **state)
{
    (void)state;
    struct sr_map m;
    uint64_t ntp;
    uint32_t rtp;
    sr_map_init(&m, 90000);
    sr_map_update(&m, 0, NTP_AT(1000), UINT32_MAX - 44999);
    assert_true(sr_map_ntp(&m, 45000, &ntp));
    assert_int_equal(ntp, NTP_AT(1001));
    assert_true(sr_map_rtp(&m, NTP_AT(1001), &rtp));
    assert_int_equal(rtp, 45000);
    assert_true(sr_map_ntp(&m, UINT32_MAX - 89999, &ntp));
    assert_int_equal(ntp, NTP_AT(999) | 1ULL << 31);
    assert_true(sr_map_rtp(&m, NTP_AT(999), &rtp));
    assert_int_equal(rtp, UINT32_MAX - 44999 - 90000);
}

static void the_point_for_now_stays_on_the_senders_line(void **state)
{
    (void)state;
    struct sr_map m;
    uint64_t ntp;
    uint32_t rtp;
    sr_map_init(&m, 48000);
    sr_map_update(&m, 7000000, NTP_AT(5000), 100);
    assert_true(sr_map_now(&m, 9500000, &ntp, &rtp));
    assert_int_equal(ntp, NTP_AT(5002) | 1ULL << 31);
    assert_int_equal(rtp, 100 + 120000);
    /* The report came late by 80 ms: another point, the same line. */
    sr_map_update(&m, 7080000, NTP_AT(5000), 100);
    assert_true(sr_map_now(&m, 9500000, &ntp, &rtp));
    uint64_t back;
    assert_true(sr_map_ntp(&m, rtp, &back));
    assert_in_range(ntp_diff(back, ntp) + 11, 0, 22); /* half a tick */
    assert_int_equal(rtp, 100 + 116160);
}

static void a_clock_that_drifts_is_followed_from_report_to_report(void **state)
{
    (void)state;
    /* The sender's media clock runs 200 ppm fast against its wall clock. */
    struct sr_map m;
    sr_map_init(&m, 90000);
    for (int s = 0; s < 600; s += 5) {
        sr_map_update(&m, s * USEC_PER_SEC, NTP_AT(10000 + s), (uint32_t)(s * 90018LL));
        uint64_t ntp;
        assert_true(sr_map_ntp(&m, (uint32_t)((s + 4) * 90018LL), &ntp));
        usec error = ntp_diff(ntp, NTP_AT(10000 + s + 4));
        assert_in_range(error, 700, 900); /* 4 s of drift, never more */
    }
}

static void simulcast_encodings_align_by_the_wall_clock(void **state)
{
    (void)state;
    struct sr_map low;
    struct sr_map high;
    uint32_t offset;
    sr_map_init(&low, 90000);
    sr_map_init(&high, 90000);
    sr_map_update(&low, 0, NTP_AT(100), 1000);
    assert_false(sr_map_offset(&low, &high, &offset));
    sr_map_update(&high, 0, NTP_AT(102), 500000);
    assert_true(sr_map_offset(&low, &high, &offset));
    /* At 102 s low's clock says 181000. */
    assert_int_equal(181000 + offset, 500000);
    assert_true(sr_map_offset(&high, &low, &offset));
    assert_int_equal((uint32_t)(500000 + offset), 181000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntp_conversions_round_trip),
        cmocka_unit_test(before_the_first_report_nothing_is_known),
        cmocka_unit_test(times_map_both_ways_over_the_wrap),
        cmocka_unit_test(the_point_for_now_stays_on_the_senders_line),
        cmocka_unit_test(a_clock_that_drifts_is_followed_from_report_to_report),
        cmocka_unit_test(simulcast_encodings_align_by_the_wall_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
