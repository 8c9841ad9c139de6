#include "worker/bwe/twcc_receiver.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "proto/twcc.h"

enum { MS = 1000, US = 1, THEM = 2 };

static struct twcc_receiver receiver;
static uint8_t bytes[1400];

/* What the sender learns. */
static int reported[65536]; /* times reported as received */
static int lost[65536];     /* times reported as lost */
static usec arrival[65536]; /* on the receiver's clock */
static int messages;
static uint8_t last_count;

static int setup(void **state)
{
    (void)state;
    twcc_receiver_init(&receiver);
    memset(reported, 0, sizeof reported);
    memset(lost, 0, sizeof lost);
    messages = 0;
    return 0;
}

static void feedback(usec now)
{
    struct wr w = wr_of(bytes, sizeof bytes);
    twcc_receiver_timeout(&receiver, now, US, THEM, &w);
    struct rtcp_reader reader;
    struct rtcp_block block;
    if (wr_len(&w) == 0)
        return;
    assert_int_equal(rtcp_reader_init(&reader, bytes, wr_len(&w)), OK);
    while (rtcp_next(&reader, &block)) {
        struct twcc t;
        struct twcc_reader packets;
        struct twcc_packet p;
        assert_int_equal(block.kind, RTCP_KIND_TWCC);
        assert_int_equal(twcc_parse(&block, &t), OK);
        assert_int_equal(t.sender_ssrc, US);
        assert_int_equal(t.media_ssrc, THEM);
        last_count = t.feedback_count;
        messages++;
        twcc_reader_init(&packets, &t);
        while (twcc_next(&packets, &p)) {
            if (p.received) {
                reported[p.seq]++;
                arrival[p.seq] = p.at;
            } else {
                lost[p.seq]++;
            }
        }
    }
}

static void nothing_received_nothing_owed(void **state)
{
    (void)state;
    assert_true(twcc_receiver_deadline(&receiver) == USEC_NEVER);
    feedback(1000 * MS);
    assert_int_equal(messages, 0);
}

static void feedback_comes_every_hundred_milliseconds(void **state)
{
    (void)state;
    usec now = 1000 * MS;
    usec previous = 0;
    for (uint16_t seq = 0; seq < 500; seq++, now += 5 * MS) {
        twcc_receiver_input(&receiver, now, seq);
        usec due = twcc_receiver_deadline(&receiver);
        assert_true(due != USEC_NEVER);
        if (due <= now) {
            if (previous && seq > 50)
                assert_in_range(now - previous, 95 * MS, 105 * MS);
            previous = now;
            feedback(now);
        }
    }
    feedback(twcc_receiver_deadline(&receiver));
    assert_in_range(messages, 24, 28);
    assert_int_equal(last_count, messages - 1);
    for (uint16_t seq = 0; seq < 500; seq++) {
        assert_int_equal(reported[seq], 1);
        assert_int_equal(lost[seq], 0);
    }
    assert_true(twcc_receiver_deadline(&receiver) == USEC_NEVER);
}

static void losses_and_arrival_times_are_told_over_the_wrap(void **state)
{
    (void)state;
    usec now = 5000 * MS;
    for (uint32_t i = 0; i < 100; i++, now += 3250) {
        uint16_t seq = (uint16_t)(65500 + i);
        if (i % 7 != 3)
            twcc_receiver_input(&receiver, now, seq);
        if (twcc_receiver_deadline(&receiver) <= now)
            feedback(now);
    }
    feedback(now + 200 * MS);
    for (uint32_t i = 0; i < 99; i++) {
        uint16_t seq = (uint16_t)(65500 + i);
        assert_int_equal(reported[seq], i % 7 != 3);
        assert_int_equal(lost[seq], i % 7 == 3);
        if (i % 7 != 3)
            assert_in_range(arrival[seq] - (5000 * MS + i * 3250) + 250, 0, 500);
    }
}

static void a_late_packet_is_reported_after_all(void **state)
{
    (void)state;
    for (uint16_t seq = 0; seq < 10; seq++)
        if (seq != 4)
            twcc_receiver_input(&receiver, 1000 * MS + seq * MS, seq);
    feedback(1100 * MS);
    assert_int_equal(lost[4], 1);
    assert_int_equal(reported[4], 0);
    twcc_receiver_input(&receiver, 1150 * MS, 4);
    twcc_receiver_input(&receiver, 1151 * MS, 10);
    feedback(1250 * MS);
    assert_int_equal(reported[4], 1);
    assert_int_equal(lost[4], 1);
    assert_int_equal(reported[10], 1);
    assert_in_range(arrival[4], 1149 * MS, 1151 * MS);
}

static void duplicates_change_nothing(void **state)
{
    (void)state;
    twcc_receiver_input(&receiver, 1000 * MS, 7);
    feedback(1100 * MS);
    twcc_receiver_input(&receiver, 1110 * MS, 7);
    assert_true(twcc_receiver_deadline(&receiver) == USEC_NEVER);
    assert_int_equal(receiver.received, 1);
}

static void many_packets_do_not_wait(void **state)
{
    (void)state;
    for (uint16_t seq = 0; seq < TWCC_PENDING_MAX; seq++)
        twcc_receiver_input(&receiver, 1000 * MS + seq, seq);
    assert_true(twcc_receiver_deadline(&receiver) <= 1000 * MS + TWCC_PENDING_MAX);
    feedback(1000 * MS + TWCC_PENDING_MAX);
    for (uint16_t seq = 0; seq < TWCC_PENDING_MAX; seq++)
        assert_int_equal(reported[seq], 1);
}

static void a_small_writer_gets_the_rest_later(void **state)
{
    (void)state;
    for (uint16_t seq = 0; seq < 100; seq++)
        twcc_receiver_input(&receiver, 1000 * MS + seq * 70 * MS, (uint16_t)(seq * 3));
    uint8_t tiny[8];
    struct wr w = wr_of(tiny, sizeof tiny);
    twcc_receiver_timeout(&receiver, 9000 * MS, US, THEM, &w);
    assert_int_equal(wr_len(&w), 0);
    assert_true(twcc_receiver_deadline(&receiver) <= 9000 * MS);
    feedback(9000 * MS);
    assert_true(twcc_receiver_deadline(&receiver) == USEC_NEVER);
    for (uint16_t seq = 0; seq < 100; seq++)
        assert_int_equal(reported[seq * 3], 1);
}

static void a_jump_forgets_what_the_window_cannot_hold(void **state)
{
    (void)state;
    twcc_receiver_input(&receiver, 1000 * MS, 0);
    twcc_receiver_input(&receiver, 1001 * MS, 30000);
    twcc_receiver_input(&receiver, 1002 * MS, 30000 - TWCC_WINDOW);
    feedback(1200 * MS);
    assert_int_equal(reported[0], 0);
    assert_int_equal(reported[30000], 1);
    assert_int_equal(reported[30000 - TWCC_WINDOW], 0);
}

static void losses_a_window_after_arrivals_are_losses(void **state)
{
    (void)state;
    for (uint16_t seq = 0; seq < TWCC_WINDOW; seq++)
        twcc_receiver_input(&receiver, 1000 * MS + seq, seq);
    feedback(1100 * MS);
    twcc_receiver_input(&receiver, 1110 * MS, TWCC_WINDOW + 10);
    feedback(1300 * MS);
    for (uint16_t seq = TWCC_WINDOW; seq < TWCC_WINDOW + 10; seq++) {
        assert_int_equal(lost[seq], 1);
        assert_int_equal(reported[seq], 0);
    }
    assert_int_equal(reported[TWCC_WINDOW + 10], 1);
}

static void a_sender_that_begins_anew_is_followed(void **state)
{
    (void)state;
    usec now = 1000 * MS;
    for (uint16_t seq = 0; seq < 100; seq++)
        twcc_receiver_input(&receiver, now++, (uint16_t)(20000 + seq));
    feedback(1200 * MS);
    now = 2000 * MS;
    for (uint16_t seq = 0; seq < 200; seq++)
        twcc_receiver_input(&receiver, now++, seq);
    feedback(2300 * MS);
    assert_int_equal(reported[TWCC_STALE_MAX - 2], 0);
    for (uint16_t seq = TWCC_STALE_MAX - 1; seq < 200; seq++)
        assert_int_equal(reported[seq], 1);
}

static void random_input_never_breaks_it(void **state)
{
    (void)state;
    uint32_t x = 99;
    usec now = 1;
    for (uint32_t i = 0; i < 200000; i++) {
        x = x * 1664525 + 1013904223;
        uint16_t seq = x & 0x40000000 ? (uint16_t)(x >> 8) : (uint16_t)(i + (x >> 26));
        now += x >> 22 & 0x3ff;
        twcc_receiver_input(&receiver, now, seq);
        if (twcc_receiver_deadline(&receiver) <= now)
            feedback(now);
    }
    assert_true(messages > 100);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        T(nothing_received_nothing_owed),
        T(feedback_comes_every_hundred_milliseconds),
        T(losses_and_arrival_times_are_told_over_the_wrap),
        T(a_late_packet_is_reported_after_all),
        T(duplicates_change_nothing),
        T(many_packets_do_not_wait),
        T(a_small_writer_gets_the_rest_later),
        T(a_jump_forgets_what_the_window_cannot_hold),
        T(losses_a_window_after_arrivals_are_losses),
        T(a_sender_that_begins_anew_is_followed),
        T(random_input_never_breaks_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
