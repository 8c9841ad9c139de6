#include "worker/bwe/estimator.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "proto/rtcp.h"
#include "worker/bwe/twcc_receiver.h"

enum { MS = 1000 };

static struct estimator est;
static struct twcc_receiver receiver;
static uint8_t bytes[1500];
static usec now;
static uint16_t seq;

static void start(struct est_config c)
{
    est_fini(&est);
    assert_int_equal(est_init(&est, &c), OK);
    twcc_receiver_init(&receiver);
    now = USEC_PER_SEC;
    seq = 65500;
}

static int setup(void **state)
{
    (void)state;
    start((struct est_config){.source = EST_TRANSPORT_CC});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    est_fini(&est);
    return 0;
}

static void deliver(size_t n)
{
    struct rtcp_reader reader;
    struct rtcp_block block;
    struct twcc t;
    if (n == 0 || rtcp_reader_init(&reader, bytes, n) != OK)
        return;
    while (rtcp_next(&reader, &block))
        if (twcc_parse(&block, &t) == OK)
            est_feedback(&est, now, &t);
}

/* A packet over an empty way, each interval; lossless; feedback each 100 ms. Padding is sent when
 * asked for. */
static void flow(usec time, usec interval, size_t size)
{
    usec end = now + time, next = now;
    while (now < end) {
        est_timeout(&est, now);
        if (now >= next) {
            est_sent(&est, now, seq, size);
            twcc_receiver_input(&receiver, now, seq++);
            next += interval;
        }
        size_t padding = est_next_padding(&est, now);
        if (padding > 0) {
            est_sent(&est, now, seq, padding);
            twcc_receiver_input(&receiver, now, seq++);
        }
        if (now >= twcc_receiver_deadline(&receiver)) {
            struct wr w = wr_of(bytes, sizeof bytes);
            twcc_receiver_timeout(&receiver, now, 1, 2, &w);
            deliver(wr_len(&w));
        }
        now += MS;
    }
}

static void it_begins_with_what_is_configured(void **state)
{
    (void)state;
    assert_int_equal(est_target_bps(&est), EST_INITIAL_BPS);
    assert_int_equal(est_deadline(&est), USEC_NEVER);
    start((struct est_config){.initial_bps = 5000000, .max_bps = 2000000});
    assert_int_equal(est_target_bps(&est), 2000000);
    start((struct est_config){.initial_bps = 1000, .min_bps = 100000});
    assert_int_equal(est_target_bps(&est), 100000);
}

static void nothing_is_padded_when_padding_is_not_possible(void **state)
{
    (void)state;
    flow(3 * USEC_PER_SEC, 10 * MS, 500);
    assert_int_equal(est_next_padding(&est, now), 0);
    assert_null(probe_active(&est.probe));
    assert_true(est_deadline(&est) > now);
}

static void first_probes_find_a_wide_way_within_a_second(void **state)
{
    (void)state;
    est_set_padding(&est, true);
    flow(USEC_PER_SEC, 10 * MS, 500);
    assert_true(est_target_bps(&est) > 3000000);
}

static void it_does_not_look_for_more_than_is_desired(void **state)
{
    (void)state;
    est_set_padding(&est, true);
    est_set_desired(&est, 1000000);
    flow(10 * USEC_PER_SEC, 10 * MS, 500);
    assert_true(est_target_bps(&est) >= 950000);
    assert_true(est_target_bps(&est) <= 1600000);
    est_set_desired(&est, 3000000);
    flow(2 * USEC_PER_SEC, 10 * MS, 500);
    assert_true(est_target_bps(&est) > 2000000);
}

static void nobody_who_wants_anything_means_no_probes(void **state)
{
    (void)state;
    est_set_padding(&est, true);
    est_set_desired(&est, 0);
    flow(3 * USEC_PER_SEC, 100 * MS, 100);
    assert_null(probe_active(&est.probe));
    assert_int_equal(est.probe.last_id, 0);
}

static void silence_makes_it_back_off_again_and_again(void **state)
{
    (void)state;
    flow(2 * USEC_PER_SEC, 10 * MS, 500);
    uint64_t before = est_target_bps(&est);
    est_sent(&est, now, seq++, 500);
    usec deadline = est_deadline(&est);
    assert_true(deadline <= now + EST_SILENCE_US && deadline > now);
    est_timeout(&est, deadline - 1);
    assert_int_equal(est_target_bps(&est), before);
    est_timeout(&est, deadline);
    assert_true(est_target_bps(&est) <= before / 2 + 1);
    est_timeout(&est, est_deadline(&est));
    assert_true(est_target_bps(&est) <= before / 4 + 1);
    for (int i = 0; i < 20; i++)
        est_timeout(&est, est_deadline(&est));
    assert_int_equal(est_target_bps(&est), EST_MIN_BPS);
}

static void without_anything_sent_there_is_nothing_to_wait_for(void **state)
{
    (void)state;
    flow(2 * USEC_PER_SEC, 10 * MS, 500);
    /* What arrived is answered; the rest of the last 100 ms still comes. */
    struct wr w = wr_of(bytes, sizeof bytes);
    now += 200 * MS;
    twcc_receiver_timeout(&receiver, now, 1, 2, &w);
    deliver(wr_len(&w));
    assert_int_equal(est_deadline(&est), USEC_NEVER);
    uint64_t before = est_target_bps(&est);
    est_timeout(&est, now + 60 * USEC_PER_SEC);
    assert_int_equal(est_target_bps(&est), before);
}

static void foreign_feedback_changes_nothing(void **state)
{
    (void)state;
    flow(USEC_PER_SEC, 10 * MS, 500);
    uint64_t before = est_target_bps(&est), feedbacks = est.feedbacks;
    struct wr w = wr_of(bytes, sizeof bytes);
    size_t taken;
    struct twcc_arrival far = {.seq = (uint16_t)(seq + 20000), .at = 0};
    assert_int_equal(twcc_write(&w, 1, 2, 0, far.seq, &far, 1, &taken), OK);
    deliver(wr_len(&w));
    assert_int_equal(est_target_bps(&est), before);
    assert_int_equal(est.feedbacks, feedbacks);
    assert_int_equal(est.rejected, 1);
}

static void a_remb_limits_what_feedback_allows(void **state)
{
    (void)state;
    est_set_padding(&est, true);
    flow(USEC_PER_SEC, 10 * MS, 500);
    est_remb(&est, 700000);
    assert_int_equal(est_target_bps(&est), 700000);
}

static void the_round_trip_comes_from_reports_once_there_are_any(void **state)
{
    (void)state;
    flow(USEC_PER_SEC, 10 * MS, 500);
    assert_true(est.rtt < 100 * MS);
    est_rr(&est, now, 0, 250 * MS);
    assert_int_equal(est.rtt, 250 * MS);
    flow(USEC_PER_SEC, 10 * MS, 500);
    assert_int_equal(est.rtt, 250 * MS);
}

static void with_remb_alone_it_says_what_the_peer_says(void **state)
{
    (void)state;
    start((struct est_config){.source = EST_REMB});
    assert_int_equal(est_target_bps(&est), EST_INITIAL_BPS);
    est_remb(&est, 2000000);
    assert_int_equal(est_target_bps(&est), 2000000);
    est_remb(&est, 0);
    assert_int_equal(est_target_bps(&est), EST_MIN_BPS);
    assert_int_equal(est_deadline(&est), USEC_NEVER);
}

static void with_remb_alone_loss_in_reports_lowers_it(void **state)
{
    (void)state;
    start((struct est_config){.source = EST_REMB});
    est_remb(&est, 2000000);
    est_rr(&est, now, 0, 100 * MS);
    est_rr(&est, now + 1 * USEC_PER_SEC, 51, 100 * MS); /* 20 % */
    assert_true(est_target_bps(&est) > 1790000 && est_target_bps(&est) < 1810000);
    est_rr(&est, now + 1100 * MS, 51, 100 * MS); /* too soon again */
    assert_true(est_target_bps(&est) > 1790000);
    est_rr(&est, now + 2 * USEC_PER_SEC, 13, 100 * MS); /* 5 %: unchanged */
    assert_true(est_target_bps(&est) > 1790000 && est_target_bps(&est) < 1810000);
    est_rr(&est, now + 4 * USEC_PER_SEC, 0, 100 * MS);
    assert_true(est_target_bps(&est) > 1880000 && est_target_bps(&est) < 1900000);
    for (int i = 5; i < 60; i++)
        est_rr(&est, now + i * USEC_PER_SEC, 0, 100 * MS);
    assert_int_equal(est_target_bps(&est), 2000000);
}

/* ---- feedback was promised, and never comes ---- */

/* Packets and, each second, a receiver report. */
static void reported(unsigned seconds, uint8_t lost, bool reports)
{
    for (unsigned i = 0; i < seconds * 100; i++, now += 10 * MS) {
        est_sent(&est, now, seq++, 1000);
        est_timeout(&est, now);
        if (reports && i % 100 == 99)
            est_rr(&est, now, lost, 50 * MS);
    }
}

static void without_feedback_it_goes_by_reports_and_does_not_back_off(void **state)
{
    (void)state;
    reported(4, 0, true);
    assert_true(est_target_bps(&est) >= EST_INITIAL_BPS);
    uint64_t before = est_target_bps(&est);
    reported(10, 0, true);
    assert_true(est_target_bps(&est) > before);
    before = est_target_bps(&est);
    reported(10, 64, true); /* a quarter is lost */
    assert_true(est_target_bps(&est) < before / 2);
}

static void without_feedback_it_grows_no_further_than_is_desired(void **state)
{
    (void)state;
    est_set_desired(&est, 800000);
    reported(60, 0, true);
    assert_int_equal(est_target_bps(&est), 1200000);
}

static void without_feedback_it_goes_by_remb(void **state)
{
    (void)state;
    est_remb(&est, 450000);
    reported(3, 0, false);
    assert_int_equal(est_target_bps(&est), 450000);
}

static void when_the_reports_end_too_it_backs_off(void **state)
{
    (void)state;
    reported(5, 0, true);
    reported(30, 0, false);
    assert_int_equal(est_target_bps(&est), EST_MIN_BPS);
}

static void reports_do_not_replace_feedback_that_has_come_before(void **state)
{
    (void)state;
    flow(2 * USEC_PER_SEC, 10 * MS, 1000);
    reported(20, 0, true);
    assert_int_equal(est_target_bps(&est), EST_MIN_BPS);
}

static void feedback_that_comes_late_takes_over(void **state)
{
    (void)state;
    reported(6, 0, true);
    assert_true(est.by_report);
    uint64_t before = est_target_bps(&est);
    flow(1 * USEC_PER_SEC, 10 * MS, 1000);
    assert_false(est.by_report);
    assert_true(est_target_bps(&est) > before / 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(it_begins_with_what_is_configured),
        T(nothing_is_padded_when_padding_is_not_possible),
        T(first_probes_find_a_wide_way_within_a_second),
        T(it_does_not_look_for_more_than_is_desired),
        T(nobody_who_wants_anything_means_no_probes),
        T(silence_makes_it_back_off_again_and_again),
        T(without_anything_sent_there_is_nothing_to_wait_for),
        T(foreign_feedback_changes_nothing),
        T(a_remb_limits_what_feedback_allows),
        T(the_round_trip_comes_from_reports_once_there_are_any),
        T(with_remb_alone_it_says_what_the_peer_says),
        T(with_remb_alone_loss_in_reports_lowers_it),
        T(without_feedback_it_goes_by_reports_and_does_not_back_off),
        T(without_feedback_it_grows_no_further_than_is_desired),
        T(without_feedback_it_goes_by_remb),
        T(when_the_reports_end_too_it_backs_off),
        T(reports_do_not_replace_feedback_that_has_come_before),
        T(feedback_that_comes_late_takes_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
