#include "worker/rtp/reception.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static struct reception r;

static int setup(void **state)
{
    (void)state;
    reception_init(&r, 90000);
    return 0;
}

static enum reception_verdict in(uint16_t seq)
{
    int64_t n;
    return reception_input(&r, seq, &n);
}

static void the_first_packet_counts(void **state)
{
    (void)state;
    int64_t n = 0;
    assert_int_equal(reception_input(&r, 5, &n), RECEPTION_NEW);
    assert_int_equal(n & 0xffff, 5);
    assert_int_equal(reception_expected(&r), 1);
    assert_int_equal(reception_lost(&r), 0);
}

static void packets_that_the_first_overtook_are_taken(void **state)
{
    (void)state;
    in(2);
    assert_int_equal(in(65535), RECEPTION_LATE);
    assert_int_equal(in(1), RECEPTION_LATE);
    assert_int_equal(reception_expected(&r), 4);
    assert_int_equal(reception_lost(&r), 1);
    assert_int_equal(in(0), RECEPTION_LATE);
    assert_int_equal(reception_lost(&r), 0);
    assert_int_equal(in(65000), RECEPTION_OLD);
}

static void duplicates_are_told_within_the_window(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 5000; i++)
        assert_int_equal(in((uint16_t)(64000 + i)), RECEPTION_NEW);
    for (uint32_t i = 5000 - RECEPTION_MAX_MISORDER; i < 5000; i++)
        assert_int_equal(in((uint16_t)(64000 + i)), RECEPTION_DUPLICATE);
    assert_int_equal(reception_expected(&r), 5000);
    assert_int_equal(reception_lost(&r), 0);
}

static void late_packets_fill_holes_once(void **state)
{
    (void)state;
    in(65534);
    assert_int_equal(in(1), RECEPTION_NEW);
    assert_int_equal(reception_lost(&r), 2);
    assert_int_equal(in(65535), RECEPTION_LATE);
    assert_int_equal(in(65535), RECEPTION_DUPLICATE);
    assert_int_equal(reception_lost(&r), 1);
}

static void reports_count_cycles_and_losses(void **state)
{
    (void)state;
    struct rtcp_report report;
    in(65530);
    for (uint32_t i = 1; i < 100; i++)
        if (i % 4 != 0)
            in((uint16_t)(65530 + i));
    reception_report(&r, &report);
    assert_int_equal(report.highest_seq, 65536 + (uint16_t)(65530 + 99));
    assert_int_equal(report.lost, 24);
    assert_int_equal(report.fraction_lost, 24 * 256 / 100);
    /* The next interval is its own. */
    for (uint32_t i = 100; i < 200; i++)
        in((uint16_t)(65530 + i));
    reception_report(&r, &report);
    assert_int_equal(report.fraction_lost, 0);
    assert_int_equal(report.lost, 24);
    reception_report(&r, &report);
    assert_int_equal(report.fraction_lost, 0);
}

static void a_gap_of_a_thousand_goes_on(void **state)
{
    (void)state;
    in(100);
    assert_int_equal(in(1101), RECEPTION_NEW);
    assert_int_equal(reception_lost(&r), 1000);
    assert_int_equal(in(101), RECEPTION_LATE);
}

static void one_far_packet_is_ignored_two_in_a_row_restart(void **state)
{
    (void)state;
    int64_t before;
    int64_t after;
    in(100);
    reception_input(&r, 102, &before);
    assert_int_equal(in(30000), RECEPTION_JUMP);
    assert_int_equal(in(103), RECEPTION_NEW);
    assert_int_equal(in(30001), RECEPTION_JUMP);
    assert_int_equal(in(30005), RECEPTION_JUMP);
    assert_int_equal(reception_input(&r, 30006, &after), RECEPTION_RESTARTED);
    assert_true(after > before);
    assert_int_equal(in(30007), RECEPTION_NEW);
    assert_int_equal(reception_lost(&r), 1);
    assert_int_equal(reception_expected(&r), 6);
    struct rtcp_report report;
    reception_report(&r, &report);
    assert_int_equal(report.highest_seq, 30007);
}

static void a_restart_backwards_is_noticed(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 100; i++)
        in((uint16_t)(20000 + i));
    assert_int_equal(in(5), RECEPTION_JUMP);
    assert_int_equal(in(6), RECEPTION_RESTARTED);
    assert_int_equal(in(7), RECEPTION_NEW);
    assert_int_equal(in(20100), RECEPTION_JUMP);
}

static void repairs_fill_but_do_not_count_as_received(void **state)
{
    (void)state;
    int64_t n;
    assert_int_equal(reception_repair(&r, 1, &n), RECEPTION_JUMP);
    in(10);
    in(13);
    assert_int_equal(reception_repair(&r, 11, &n), RECEPTION_LATE);
    assert_int_equal(reception_repair(&r, 11, &n), RECEPTION_DUPLICATE);
    assert_int_equal(reception_repair(&r, 13, &n), RECEPTION_DUPLICATE);
    assert_int_equal(reception_repair(&r, 9, &n), RECEPTION_OLD);
    assert_int_equal(reception_repair(&r, 40000, &n), RECEPTION_JUMP);
    assert_int_equal(reception_repair(&r, 40001, &n), RECEPTION_JUMP);
    assert_int_equal(reception_lost(&r), 2);
    assert_int_equal(in(11), RECEPTION_DUPLICATE);
    assert_int_equal(reception_repair(&r, 14, &n), RECEPTION_NEW);
    assert_int_equal(reception_expected(&r), 5);
    assert_int_equal(reception_lost(&r), 3);
}

static void steady_packets_have_no_jitter(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        reception_timing(&r, (usec)i * 20000 + 77777777, UINT32_MAX - 50000 + i * 1800);
    assert_int_equal(reception_jitter(&r), 0);
}

static void jitter_approaches_the_mean_deviation(void **state)
{
    (void)state;
    /* Every other packet is 10 ms late: |D| is 900 ticks. */
    for (uint32_t i = 0; i < 500; i++)
        reception_timing(&r, (usec)i * 20000 + (i % 2) * 10000, i * 1800);
    assert_in_range(reception_jitter(&r), 890, 910);
}

static void a_jump_of_the_timestamps_is_not_jitter(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 50; i++)
        reception_timing(&r, (usec)i * 20000, i * 1800);
    reception_timing(&r, 50 * 20000, 0x7fffffff);
    reception_timing(&r, 51 * 20000, 0x7fffffffU + 1800);
    assert_int_equal(reception_jitter(&r), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        T(the_first_packet_counts),
        T(packets_that_the_first_overtook_are_taken),
        T(duplicates_are_told_within_the_window),
        T(late_packets_fill_holes_once),
        T(reports_count_cycles_and_losses),
        T(a_gap_of_a_thousand_goes_on),
        T(one_far_packet_is_ignored_two_in_a_row_restart),
        T(a_restart_backwards_is_noticed),
        T(repairs_fill_but_do_not_count_as_received),
        T(steady_packets_have_no_jitter),
        T(jitter_approaches_the_mean_deviation),
        T(a_jump_of_the_timestamps_is_not_jitter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
