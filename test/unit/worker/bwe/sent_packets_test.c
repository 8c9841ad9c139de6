#include "worker/bwe/sent_packets.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "proto/rtcp.h"

enum { MS = 1000, SIZE = 1000 };

static struct sent_packets sent;

static int setup(void **state)
{
    (void)state;
    return sent_packets_init(&sent) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sent_packets_fini(&sent);
    return 0;
}

static uint8_t bytes[1500];

/* Feedback about base .. the last of the arrivals. */
static struct twcc feedback(uint16_t base, const struct twcc_arrival *arrivals, size_t n)
{
    struct wr w = wr_of(bytes, sizeof bytes);
    size_t taken;
    struct rtcp_reader reader;
    struct rtcp_block block;
    struct twcc t = {0};
    assert_int_equal(twcc_write(&w, 1, 2, 0, base, arrivals, n, &taken), OK);
    assert_int_equal(taken, n);
    assert_int_equal(rtcp_reader_init(&reader, bytes, wr_len(&w)), OK);
    assert_true(rtcp_next(&reader, &block));
    assert_int_equal(twcc_parse(&block, &t), OK);
    return t;
}

static void send_from(uint16_t first, unsigned n, usec at)
{
    for (unsigned i = 0; i < n; i++)
        sent_packets_add(&sent, at + i * MS, (uint16_t)(first + i), SIZE, PROBE_NONE);
}

static void a_packet_comes_back_with_what_it_was_sent_with(void **state)
{
    (void)state;
    struct sent_report r;
    struct packet_result p;
    sent_packets_add(&sent, 70 * MS, 5, 321, 9);
    struct twcc t = feedback(5, &(struct twcc_arrival){5, 650 * MS}, 1);
    assert_true(sent_packets_report(&sent, 100 * MS, &t, &r));
    assert_true(sent_packets_next(&sent, &r, &p));
    assert_int_equal(p.sent_at, 70 * MS);
    assert_int_equal(p.arrived_at, 10 * MS); /* since the first reference time */
    assert_int_equal(p.size, 321);
    assert_int_equal(p.cluster, 9);
    assert_false(p.late);
    assert_false(sent_packets_next(&sent, &r, &p));
    assert_int_equal(sent.in_flight, 0);
}

static void what_is_missing_is_lost_and_may_be_found_later(void **state)
{
    (void)state;
    struct sent_report r;
    struct packet_result p;
    send_from(65534, 4, 0);
    assert_int_equal(sent.in_flight, 4 * SIZE);
    const struct twcc_arrival first[] = {{65534, 100 * MS}, {1, 110 * MS}};
    struct twcc t = feedback(65534, first, 2);
    assert_true(sent_packets_report(&sent, 50 * MS, &t, &r));
    unsigned lost = 0, arrived = 0;
    usec last = 0;
    while (sent_packets_next(&sent, &r, &p)) {
        *(p.arrived_at == USEC_NEVER ? &lost : &arrived) += 1;
        last = p.arrived_at;
    }
    assert_int_equal(lost, 2);
    assert_int_equal(arrived, 2);
    t = feedback(65535, &(struct twcc_arrival){65535, 130 * MS}, 1);
    assert_true(sent_packets_report(&sent, 60 * MS, &t, &r));
    assert_true(sent_packets_next(&sent, &r, &p));
    assert_true(p.late);
    assert_int_equal(p.arrived_at - last, 20 * MS);
    /* Said twice, it is no news. */
    assert_true(sent_packets_report(&sent, 61 * MS, &t, &r));
    assert_false(sent_packets_next(&sent, &r, &p));
}

static void feedback_about_nothing_sent_is_refused(void **state)
{
    (void)state;
    struct sent_report r;
    struct twcc t = feedback(10, &(struct twcc_arrival){10, 0}, 1);
    assert_false(sent_packets_report(&sent, 0, &t, &r));
    send_from(100, 10, 0);
    assert_false(sent_packets_report(&sent, 10 * MS, &t, &r)); /* before the first */
    t = feedback(110, &(struct twcc_arrival){110, 0}, 1);
    assert_false(sent_packets_report(&sent, 10 * MS, &t, &r)); /* after the last */
    t = feedback(105, &(struct twcc_arrival){105, 0}, 1);
    assert_true(sent_packets_report(&sent, 10 * MS, &t, &r));
    /* Too long ago for the times that are kept. */
    assert_false(sent_packets_report(&sent, 10 * MS + SENT_PACKETS_AGE_US + 10 * MS, &t, &r));
}

static void a_claim_of_65535_packets_ends_at_what_was_sent(void **state)
{
    (void)state;
    struct sent_report r;
    struct packet_result p;
    send_from(1000, 10, 0);
    /* Runs of 8,191 lost packets each. */
    uint8_t claim[] = {0x8f, 205,  0,         0,          0,    0,    0,    1,    0,    0,
                       0,    2,    1005 >> 8, 1005 & 255, 0xff, 0xff, 0,    0,    0,    0,
                       0x1f, 0xff, 0x1f,      0xff,       0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff,
                       0x1f, 0xff, 0x1f,      0xff,       0x1f, 0xff, 0x1f, 0xff, 0,    0};
    claim[3] = sizeof claim / 4 - 1;
    struct rtcp_reader reader;
    struct rtcp_block block;
    struct twcc t;
    assert_int_equal(rtcp_reader_init(&reader, claim, sizeof claim), OK);
    assert_true(rtcp_next(&reader, &block));
    assert_int_equal(twcc_parse(&block, &t), OK);
    assert_int_equal(t.count, 65535);
    assert_true(sent_packets_report(&sent, 20 * MS, &t, &r));
    unsigned n = 0;
    while (sent_packets_next(&sent, &r, &p))
        n++;
    assert_int_equal(n, 5);
}

static void a_ring_that_was_too_small_grows_to_its_limit(void **state)
{
    (void)state;
    struct sent_report r;
    struct packet_result p;
    for (unsigned i = 0; i < 4 * SENT_PACKETS_MAX; i++) {
        sent_packets_add(&sent, i, (uint16_t)i, 1, PROBE_NONE);
        sent_packets_grow(&sent);
    }
    assert_int_equal(sent.cap, SENT_PACKETS_MAX);
    assert_int_equal(sent.in_flight, SENT_PACKETS_MAX);
    assert_int_equal(sent.newest - sent.oldest + 1, SENT_PACKETS_MAX);
    uint16_t oldest = (uint16_t)sent.oldest;
    struct twcc t = feedback(oldest, &(struct twcc_arrival){oldest, 5 * MS}, 1);
    assert_true(sent_packets_report(&sent, 4 * SENT_PACKETS_MAX, &t, &r));
    assert_true(sent_packets_next(&sent, &r, &p));
    assert_int_equal(p.sent_at, 3 * SENT_PACKETS_MAX);
}

static void the_receivers_clock_is_followed_over_its_wrap(void **state)
{
    (void)state;
    struct sent_report r;
    struct packet_result p;
    send_from(0, 2, 0);
    usec wrap = (usec)(1 << 24) * TWCC_REFERENCE_TICK;
    struct twcc t = feedback(0, &(struct twcc_arrival){0, wrap / 2 - 64 * MS}, 1);
    assert_true(sent_packets_report(&sent, 10 * MS, &t, &r));
    assert_true(sent_packets_next(&sent, &r, &p));
    usec first = p.arrived_at;
    t = feedback(1, &(struct twcc_arrival){1, wrap / 2 + 64 * MS}, 1);
    assert_true(sent_packets_report(&sent, 138 * MS, &t, &r));
    assert_false(r.clock_jump);
    assert_true(sent_packets_next(&sent, &r, &p));
    assert_int_equal(p.arrived_at - first, 128 * MS);
}

static void a_clock_that_jumps_is_reported(void **state)
{
    (void)state;
    struct sent_report r;
    struct packet_result p;
    send_from(0, 2, 0);
    struct twcc t = feedback(0, &(struct twcc_arrival){0, 64 * MS}, 1);
    assert_true(sent_packets_report(&sent, 10 * MS, &t, &r));
    assert_true(sent_packets_next(&sent, &r, &p));
    usec first = p.arrived_at;
    t = feedback(1, &(struct twcc_arrival){1, 100 * 60 * USEC_PER_SEC}, 1);
    assert_true(sent_packets_report(&sent, 20 * MS, &t, &r));
    assert_true(r.clock_jump);
    assert_true(sent_packets_next(&sent, &r, &p));
    assert_true(p.arrived_at - first < USEC_PER_SEC);
}

static void a_jump_of_the_numbers_forgets_what_was_before(void **state)
{
    (void)state;
    struct sent_report r;
    send_from(0, 5, 0);
    send_from(1000, 2, 10 * MS);
    assert_int_equal(sent.in_flight, 2 * SIZE);
    struct twcc t = feedback(3, &(struct twcc_arrival){3, 0}, 1);
    assert_false(sent_packets_report(&sent, 20 * MS, &t, &r));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_packet_comes_back_with_what_it_was_sent_with),
        T(what_is_missing_is_lost_and_may_be_found_later),
        T(feedback_about_nothing_sent_is_refused),
        T(a_claim_of_65535_packets_ends_at_what_was_sent),
        T(a_ring_that_was_too_small_grows_to_its_limit),
        T(the_receivers_clock_is_followed_over_its_wrap),
        T(a_clock_that_jumps_is_reported),
        T(a_jump_of_the_numbers_forgets_what_was_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
