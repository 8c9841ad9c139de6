#include "worker/rtp/nack.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MS = 1000 };

static struct nack nack;
static uint16_t seqs[NACK_MAX_OUTSTANDING];

static int setup(void **state)
{
    (void)state;
    nack_init(&nack, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nack_fini(&nack);
    return 0;
}

static struct nack_verdict received(usec now, uint16_t seq)
{
    return nack_received(&nack, now, seq, false);
}

static size_t collect(usec now)
{
    return nack_collect(&nack, now, 100 * MS, seqs, NACK_MAX_OUTSTANDING);
}

static void nothing_is_missing_in_order(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 70000; i++)
        received(0, (uint16_t)(65000 + i));
    assert_true(nack_deadline(&nack) == USEC_NEVER);
    assert_int_equal(collect(1000 * MS), 0);
}

static void a_gap_is_asked_for_at_once(void **state)
{
    (void)state;
    received(5 * MS, 65534);
    received(6 * MS, 2);
    assert_int_equal(nack_deadline(&nack), 6 * MS);
    assert_int_equal(collect(6 * MS), 3);
    assert_int_equal(seqs[0], 65535);
    assert_int_equal(seqs[1], 0);
    assert_int_equal(seqs[2], 1);
    assert_int_equal(collect(6 * MS), 0);
}

static void a_delay_lets_gaps_settle(void **state)
{
    (void)state;
    nack_init(&nack, 15 * MS);
    received(0, 1);
    received(0, 3);
    assert_int_equal(nack_deadline(&nack), 15 * MS);
    assert_int_equal(collect(14 * MS), 0);
    struct nack_verdict v = received(14 * MS, 2);
    assert_true(v.was_missing);
    assert_int_equal(v.tries, 0);
    assert_int_equal(collect(100 * MS), 0);
    assert_true(nack_deadline(&nack) == USEC_NEVER);
}

static void arrival_cancels(void **state)
{
    (void)state;
    received(0, 10);
    received(0, 14);
    assert_int_equal(collect(0), 3);
    struct nack_verdict v = received(50 * MS, 12);
    assert_true(v.was_missing);
    assert_int_equal(v.tries, 1);
    assert_false(received(50 * MS, 12).was_missing);
    assert_int_equal(collect(200 * MS), 2);
    assert_int_equal(seqs[0], 11);
    assert_int_equal(seqs[1], 13);
    received(201 * MS, 11);
    received(201 * MS, 13);
    assert_true(nack_deadline(&nack) == USEC_NEVER);
}

static void it_asks_again_after_a_round_trip_and_never_faster_than_the_tick(void **state)
{
    (void)state;
    received(0, 1);
    received(0, 3);
    assert_int_equal(nack_collect(&nack, 0, 200 * MS, seqs, 10), 1);
    assert_int_equal(nack_collect(&nack, 199 * MS, 200 * MS, seqs, 10), 0);
    assert_int_equal(nack_collect(&nack, 230 * MS, 200 * MS, seqs, 10), 1);
    /* A tiny round trip does not make it faster than the tick. */
    assert_int_equal(nack_collect(&nack, 460 * MS, 1, seqs, 10), 1);
    assert_int_equal(nack_deadline(&nack), 500 * MS);
    assert_int_equal(nack_collect(&nack, 499 * MS, 1, seqs, 10), 0);
    assert_int_equal(nack_collect(&nack, 500 * MS, 1, seqs, 10), 1);
    /* A new gap is asked for at once; the old one is not dragged along. */
    received(510 * MS, 5);
    assert_int_equal(nack_collect(&nack, 510 * MS, 1, seqs, 10), 1);
    assert_int_equal(seqs[0], 4);
}

static void it_gives_up_after_ten_tries(void **state)
{
    (void)state;
    received(0, 1);
    received(0, 3);
    int tries = 0;
    for (usec now = 0; nack_deadline(&nack) != USEC_NEVER; now = nack_deadline(&nack)) {
        tries += (int)collect(now);
        assert_true(now < 10000 * MS);
    }
    assert_int_equal(tries, NACK_MAX_TRIES);
    assert_int_equal(nack.gave_up, 1);
    assert_int_equal(nack.requested, 10);
    assert_false(received(2000 * MS, 2).was_missing);
}

static void too_many_missing_ask_for_a_key_frame(void **state)
{
    (void)state;
    received(0, 0);
    assert_false(received(0, 601).request_key_frame);
    assert_int_equal(nack.n, 600);
    assert_true(received(0, 1100).request_key_frame);
    assert_int_equal(nack.n, 0);
    assert_true(nack_deadline(&nack) == USEC_NEVER);
    /* And goes on from there. */
    assert_false(received(0, 1102).request_key_frame);
    assert_int_equal(collect(0), 1);
    assert_int_equal(seqs[0], 1101);
}

static void what_came_before_a_key_frame_makes_room_first(void **state)
{
    (void)state;
    received(0, 0);
    received(0, 601);
    nack_received(&nack, 0, 602, true);
    assert_false(received(0, 1103).request_key_frame);
    assert_int_equal(nack.n, 500);
    assert_int_equal(nack.entries[0].seq, 603);
}

static void a_jump_of_more_than_a_thousand_starts_anew(void **state)
{
    (void)state;
    received(0, 65000);
    received(0, 65002);
    assert_true(received(0, 3000).request_key_frame);
    assert_int_equal(nack.n, 0);
    received(0, 3003);
    assert_int_equal(collect(0), 2);
}

static void exactly_a_thousand_are_still_asked_for(void **state)
{
    (void)state;
    received(0, 65500);
    assert_false(received(0, (uint16_t)(65500 + 1001)).request_key_frame);
    assert_int_equal(collect(0), 1000);
    assert_int_equal(seqs[0], 65501);
    assert_int_equal(seqs[999], (uint16_t)(65500 + 1000));
}

static void old_gaps_are_forgotten(void **state)
{
    (void)state;
    received(0, 0);
    received(0, 2);
    for (uint32_t i = 3; i <= NACK_MAX_AGE + 5; i++)
        received(0, (uint16_t)i);
    assert_int_equal(nack.n, 0);
    assert_int_equal(nack.gave_up, 1);
}

static void what_does_not_fit_stays_due(void **state)
{
    (void)state;
    received(0, 0);
    received(0, 11);
    assert_int_equal(nack_collect(&nack, 0, 0, seqs, 4), 4);
    assert_int_equal(nack_deadline(&nack), 0);
    assert_int_equal(nack_collect(&nack, 0, 0, seqs, 4), 4);
    assert_int_equal(seqs[0], 5);
    assert_int_equal(nack_collect(&nack, 0, 0, seqs, 4), 2);
    assert_true(nack_deadline(&nack) > 0);
}

static void a_reset_forgets(void **state)
{
    (void)state;
    received(0, 0);
    received(0, 100);
    nack_reset(&nack);
    assert_true(nack_deadline(&nack) == USEC_NEVER);
    received(0, 5000);
    assert_int_equal(collect(0), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(nothing_is_missing_in_order),
        T(a_gap_is_asked_for_at_once),
        T(a_delay_lets_gaps_settle),
        T(arrival_cancels),
        T(it_asks_again_after_a_round_trip_and_never_faster_than_the_tick),
        T(it_gives_up_after_ten_tries),
        T(too_many_missing_ask_for_a_key_frame),
        T(what_came_before_a_key_frame_makes_room_first),
        T(a_jump_of_more_than_a_thousand_starts_anew),
        T(exactly_a_thousand_are_still_asked_for),
        T(old_gaps_are_forgotten),
        T(what_does_not_fit_stays_due),
        T(a_reset_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
