#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/dcep.h"
#include "test/lib/sctp_pair.h"

#define PATIENCE (60 * USEC_PER_SEC)

static struct sctp_pair *pair;

static int set_up(void **state)
{
    (void)state;
    pair = calloc(1, sizeof *pair);
    return pair ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sctp_pair_fini(pair);
    free(pair);
    return 0;
}

static void connect_over(const struct assoc_config *config, const struct link_config *link)
{
    sctp_pair_init(pair, config, link, 7);
    assert_true(sctp_pair_connect(pair, PATIENCE));
}

/* A repeatable message of n bytes. */
static uint8_t *pattern(size_t n, unsigned salt)
{
    uint8_t *p = malloc(n + 1);
    assert_non_null(p);
    uint32_t x = salt * 2654435761u + 12345;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = (uint8_t)(x >> 24);
    }
    return p;
}

static enum err send_n(struct sctp_end *e, struct assoc_sending how, size_t n, unsigned salt)
{
    uint8_t *p = pattern(n, salt);
    enum err r = assoc_send(e->assoc, pair->now, &how, slice_of(p, n));
    free(p);
    return r;
}

static void assert_pattern(const struct sctp_message *m, size_t n, unsigned salt)
{
    uint8_t *p = pattern(n, salt);
    assert_int_equal(m->n, n);
    assert_memory_equal(m->bytes, p, n);
    free(p);
}

static const struct assoc_sending ON_1 = {.stream = 1, .ppid = PPID_BINARY};

/* ---- life cycle ---- */

static void both_sides_may_connect_at_the_same_time(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    struct sctp_end *ends[] = {&pair->a, &pair->b};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ends[i]->n_states, 2);
        assert_int_equal(ends[i]->states[0], ASSOC_CONNECTING);
        assert_int_equal(ends[i]->states[1], ASSOC_CONNECTED);
        assert_int_equal(assoc_out_streams(ends[i]->assoc), 1024);
        assert_int_equal(assoc_in_streams(ends[i]->assoc), 1024);
    }
    assert_true(pair->now < 200 * USEC_PER_SEC);
}

static void a_side_that_starts_late_is_waited_for(void **state)
{
    (void)state;
    sctp_pair_init(pair, NULL, NULL, 1);
    assert_int_equal(assoc_connect(pair->a.assoc), OK);
    sctp_pair_run(pair, 1200 * USEC_PER_MSEC);
    assert_int_equal(assoc_get_state(pair->a.assoc), ASSOC_CONNECTING);
    assert_int_equal(assoc_get_state(pair->b.assoc), ASSOC_NEW);
    assert_int_equal(assoc_connect(pair->b.assoc), OK);
    sctp_pair_run(pair, 500 * USEC_PER_MSEC);
    assert_int_equal(assoc_get_state(pair->a.assoc), ASSOC_CONNECTED);
    assert_int_equal(assoc_get_state(pair->b.assoc), ASSOC_CONNECTED);
}

static void connecting_twice_is_refused(void **state)
{
    (void)state;
    sctp_pair_init(pair, NULL, NULL, 1);
    assert_int_equal(assoc_connect(pair->a.assoc), OK);
    assert_int_equal(assoc_connect(pair->a.assoc), ERR_STATE);
}

static void streams_are_the_smaller_of_both_sides(void **state)
{
    (void)state;
    sctp_pair_init(pair, NULL, NULL, 1);
    struct assoc_config c = sctp_pair_config();
    c.group = &pair->group;
    c.owner = &pair->b;
    c.out_streams = 300;
    c.in_streams = 20;
    assoc_close(pair->b.assoc);
    assert_int_equal(assoc_open(&pair->b.assoc, pair->now, &c), OK);
    assert_true(sctp_pair_connect(pair, PATIENCE));
    assert_int_equal(assoc_out_streams(pair->a.assoc), 20);
    assert_int_equal(assoc_in_streams(pair->a.assoc), 300);
    struct assoc_sending how = {.stream = 20, .ppid = PPID_BINARY};
    assert_int_equal(send_n(&pair->a, how, 10, 1), ERR_RANGE);
    how.stream = 19;
    assert_int_equal(send_n(&pair->a, how, 10, 1), OK);
    assert_true(sctp_pair_until(pair, &pair->b, 1, PATIENCE));
}

static void no_answer_is_a_failure(void **state)
{
    (void)state;
    const struct link_config dead = {.loss = 1};
    sctp_pair_init(pair, NULL, &dead, 1);
    assert_false(sctp_pair_connect(pair, 300 * USEC_PER_SEC));
    sctp_pair_run(pair, USEC_PER_SEC);
    assert_int_equal(assoc_get_state(pair->a.assoc), ASSOC_FAILED);
    assert_int_equal(pair->a.states[pair->a.n_states - 1], ASSOC_FAILED);
    assert_true(pair->a.packets >= 5);
    assert_int_equal(send_n(&pair->a, ON_1, 10, 1), ERR_STATE);
}

static void an_abort_closes_the_other_side(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    assoc_abort(pair->a.assoc);
    assert_int_equal(assoc_get_state(pair->a.assoc), ASSOC_CLOSED);
    sctp_pair_run(pair, USEC_PER_SEC);
    assert_int_equal(assoc_get_state(pair->b.assoc), ASSOC_CLOSED);
    assert_int_equal(pair->b.states[pair->b.n_states - 1], ASSOC_CLOSED);
    assert_int_equal(pair->a.n_states, 2); /* it knows */
    assert_int_equal(send_n(&pair->a, ON_1, 10, 1), ERR_STATE);
    assert_int_equal(send_n(&pair->b, ON_1, 10, 1), ERR_STATE);
}

static void closing_in_the_middle_of_a_message_leaves_nothing(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(send_n(&pair->a, ON_1, 256 * 1024, i), OK);
    sctp_pair_run(pair, 60 * USEC_PER_MSEC);
    assoc_close(pair->b.assoc);
    pair->b.assoc = NULL;
    sctp_pair_run(pair, USEC_PER_SEC);
    assoc_abort(pair->a.assoc);
    assert_int_equal(assoc_buffered(pair->a.assoc, 1), 0);
}

static void a_peer_that_falls_silent_is_closed(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    pair->a.out.config.loss = pair->b.out.config.loss = 1;
    assert_int_equal(send_n(&pair->a, ON_1, 1000, 1), OK);
    sctp_pair_run(pair, 200 * USEC_PER_SEC);
    assert_int_equal(assoc_get_state(pair->a.assoc), ASSOC_CLOSED);
}

/* ---- messages ---- */

static void messages_arrive_in_order_with_their_ppids(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    struct assoc_sending text = {.stream = 3, .ppid = PPID_STRING};
    assert_int_equal(assoc_send(pair->a.assoc, pair->now, &text, slice_of("hello", 5)), OK);
    assert_int_equal(send_n(&pair->a, ON_1, 700, 1), OK);
    assert_int_equal(send_n(&pair->b, ON_1, 800, 2), OK);
    assert_true(sctp_pair_until(pair, &pair->b, 2, PATIENCE));
    assert_true(sctp_pair_until(pair, &pair->a, 1, PATIENCE));
    assert_int_equal(pair->b.messages[0].stream, 3);
    assert_int_equal(pair->b.messages[0].ppid, PPID_STRING);
    assert_string_equal(pair->b.messages[0].bytes, "hello");
    assert_int_equal(pair->b.messages[1].stream, 1);
    assert_int_equal(pair->b.messages[1].ppid, PPID_BINARY);
    assert_pattern(&pair->b.messages[1], 700, 1);
    assert_pattern(&pair->a.messages[0], 800, 2);
    assert_int_equal(assoc_get_stats(pair->a.assoc)->messages_sent, 2);
    assert_int_equal(assoc_get_stats(pair->a.assoc)->messages_received, 1);
}

static void empty_messages_travel_as_one_byte(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    struct assoc_sending how = {.stream = 0, .ppid = PPID_STRING};
    assert_int_equal(assoc_send(pair->a.assoc, pair->now, &how, slice_of("", 0)), OK);
    how.ppid = PPID_BINARY;
    assert_int_equal(assoc_send(pair->a.assoc, pair->now, &how, slice_of("", 0)), OK);
    assert_true(sctp_pair_until(pair, &pair->b, 2, PATIENCE));
    assert_int_equal(pair->b.messages[0].ppid, PPID_STRING_EMPTY);
    assert_int_equal(pair->b.messages[0].n, 1);
    assert_int_equal(pair->b.messages[1].ppid, PPID_BINARY_EMPTY);
    assert_int_equal(pair->b.messages[1].n, 1);
}

static void a_message_of_256_kib_arrives_whole(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    assert_int_equal(send_n(&pair->a, ON_1, 256 * 1024, 5), OK);
    assert_int_equal(send_n(&pair->a, ON_1, 256 * 1024 + 1, 5), ERR_TOO_LARGE);
    assert_true(sctp_pair_until(pair, &pair->b, 1, PATIENCE));
    assert_pattern(&pair->b.messages[0], 256 * 1024, 5);
    assert_true(pair->a.largest <= ASSOC_PACKET_MAX);
    assert_true(pair->a.largest > ASSOC_PACKET_MAX - 8);
}

static void messages_over_the_receivers_limit_are_dropped_and_counted(void **state)
{
    (void)state;
    struct assoc_config c = sctp_pair_config();
    c.max_receive_message = 100 * 1000;
    connect_over(&c, NULL);
    assert_int_equal(send_n(&pair->a, ON_1, 100 * 1000 + 1, 1), OK);
    assert_int_equal(send_n(&pair->a, ON_1, 250 * 1000, 2), OK);
    assert_int_equal(send_n(&pair->a, ON_1, 100 * 1000, 3), OK);
    assert_true(sctp_pair_until(pair, &pair->b, 1, PATIENCE));
    assert_pattern(&pair->b.messages[0], 100 * 1000, 3);
    assert_int_equal(assoc_get_stats(pair->b.assoc)->dropped_messages, 2);
}

static void large_messages_of_several_streams_take_turns(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    struct assoc_sending how = {.ppid = PPID_BINARY};
    for (unsigned i = 0; i < 7; i++) {
        how.stream = i < 6 ? 10 : 11;
        assert_int_equal(send_n(&pair->a, how, 250 * 1000, i), OK);
    }
    assert_true(sctp_pair_until(pair, &pair->b, 7, PATIENCE));
    unsigned seen = 0, at_11 = 99;
    for (unsigned i = 0; i < 7; i++) {
        const struct sctp_message *m = &pair->b.messages[i];
        if (m->stream == 11)
            at_11 = i;
        else
            assert_pattern(m, 250 * 1000, seen++);
    }
    assert_true(at_11 < 4); /* of six before it in the queue */
    assert_pattern(&pair->b.messages[at_11], 250 * 1000, 6);
}

static void what_does_not_fit_the_buffers_is_refused(void **state)
{
    (void)state;
    struct assoc_config c = sctp_pair_config();
    c.send_buffer = 500 * 1000;
    c.stream_send_buffer = 300 * 1000;
    connect_over(&c, NULL);
    struct assoc_sending on_2 = {.stream = 2, .ppid = PPID_BINARY};
    assert_int_equal(send_n(&pair->a, ON_1, 200 * 1000, 1), OK);
    assert_int_equal(send_n(&pair->a, ON_1, 200 * 1000, 2), ERR_FULL);
    assert_int_equal(send_n(&pair->a, on_2, 250 * 1000, 3), OK);
    assert_int_equal(send_n(&pair->a, on_2, 45 * 1000 + 200 * 1000, 4), ERR_FULL);
    assert_true(sctp_pair_until(pair, &pair->b, 2, PATIENCE));
    sctp_pair_run(pair, USEC_PER_SEC);
    assert_int_equal(pair->b.n_messages, 2);
    assert_int_equal(send_n(&pair->a, ON_1, 200 * 1000, 5), OK);
    assert_true(sctp_pair_until(pair, &pair->b, 3, PATIENCE));
    assert_pattern(&pair->b.messages[2], 200 * 1000, 5);
}

static void the_buffered_amount_falls_and_low_is_told_once(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    assert_int_equal(assoc_set_low_threshold(pair->a.assoc, 1, 100 * 1000), OK);
    assert_int_equal(assoc_buffered(pair->a.assoc, 1), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(send_n(&pair->a, ON_1, 200 * 1000, i), OK);
    uint32_t before = assoc_buffered(pair->a.assoc, 1);
    assert_true(before > 700 * 1000 && before <= 800 * 1000);
    assert_int_equal(assoc_buffered(pair->a.assoc, 2), 0);
    sctp_pair_run(pair, 45 * USEC_PER_MSEC);
    assert_true(assoc_buffered(pair->a.assoc, 1) < before);
    assert_int_equal(pair->a.lows, 0);
    assert_true(sctp_pair_until(pair, &pair->b, 4, PATIENCE));
    sctp_pair_run(pair, USEC_PER_SEC);
    assert_int_equal(assoc_buffered(pair->a.assoc, 1), 0);
    assert_int_equal(pair->a.lows, 1);
    assert_true(pair->a.low_buffered <= 100 * 1000);
    assert_true(pair->a.low_buffered > 90 * 1000);
}

/* ---- resets ---- */

static void a_reset_stream_is_answered_and_can_be_used_again(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    assert_int_equal(send_n(&pair->a, ON_1, 500, 1), OK);
    assert_true(sctp_pair_until(pair, &pair->b, 1, PATIENCE));
    assoc_reset_stream(pair->a.assoc, pair->now, 1);
    sctp_pair_run(pair, 2 * USEC_PER_SEC);
    assert_int_equal(pair->b.n_resets, 1);
    assert_int_equal(pair->b.resets[0], 1);
    assert_int_equal(pair->a.n_resets, 1); /* the answer, and no answer to that */
    assert_int_equal(pair->a.resets[0], 1);
    sctp_end_forget(&pair->b);
    assert_int_equal(send_n(&pair->a, ON_1, 600, 2), OK);
    assert_int_equal(send_n(&pair->b, ON_1, 600, 2), OK);
    assert_true(sctp_pair_until(pair, &pair->b, 1, PATIENCE));
    assert_true(sctp_pair_until(pair, &pair->a, 1, PATIENCE));
    assert_pattern(&pair->b.messages[0], 600, 2);
    /* And closed again, now by the other side. */
    assoc_reset_stream(pair->b.assoc, pair->now, 1);
    sctp_pair_run(pair, 2 * USEC_PER_SEC);
    assert_int_equal(pair->a.n_resets, 2);
    assert_int_equal(pair->b.n_resets, 1);
}

static void many_streams_reset_at_once_are_all_reset(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    for (uint16_t i = 0; i < 40; i++) {
        struct assoc_sending how = {.stream = i, .ppid = PPID_STRING};
        assert_int_equal(send_n(&pair->a, how, 50, i), OK);
    }
    assert_true(sctp_pair_until(pair, &pair->b, 40, PATIENCE));
    for (uint16_t i = 0; i < 40; i++)
        assoc_reset_stream(pair->a.assoc, pair->now, i);
    sctp_pair_run(pair, 20 * USEC_PER_SEC);
    assert_int_equal(pair->b.n_resets, 40);
    assert_int_equal(pair->a.n_resets, 40);
}

static void messages_wait_while_their_stream_is_being_reset(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    assert_int_equal(send_n(&pair->a, ON_1, 500, 1), OK);
    assert_true(sctp_pair_until(pair, &pair->b, 1, PATIENCE));
    assoc_reset_stream(pair->a.assoc, pair->now, 1);
    assert_int_equal(send_n(&pair->a, ON_1, 500, 2), OK);
    struct assoc_sending on_2 = {.stream = 2, .ppid = PPID_BINARY};
    assert_int_equal(send_n(&pair->a, on_2, 500, 3), OK);
    assert_true(sctp_pair_until(pair, &pair->b, 3, PATIENCE));
    assert_int_equal(pair->b.messages[1].stream, 2);
    assert_int_equal(pair->b.messages[2].stream, 1);
    assert_pattern(&pair->b.messages[2], 500, 2);
}

static void a_reset_drops_what_waits(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(send_n(&pair->a, ON_1, 250 * 1000, i), OK);
    assoc_reset_stream(pair->a.assoc, pair->now, 1);
    sctp_pair_run(pair, 10 * USEC_PER_SEC);
    assert_true(pair->b.n_messages < 4);
    assert_int_equal(assoc_buffered(pair->a.assoc, 1), 0);
    assert_int_equal(pair->a.lows, 0);
    assert_int_equal(pair->b.n_resets, 1);
}

/* ---- what a peer may send ---- */

static void garbage_changes_nothing(void **state)
{
    (void)state;
    connect_over(NULL, NULL);
    struct rng r;
    rng_init_seeded(&r, 3);
    uint8_t packet[600];
    for (int i = 0; i < 5000; i++) {
        size_t n = rng_u32(&r) % sizeof packet;
        rng_bytes(&r, packet, n);
        if (n > 4 && i % 2) { /* our ports */
            packet[0] = packet[2] = ASSOC_PORT >> 8;
            packet[1] = packet[3] = ASSOC_PORT & 0xff;
        }
        assoc_input(pair->a.assoc, pair->now, slice_of(packet, n));
    }
    sctp_pair_run(pair, USEC_PER_SEC);
    assert_int_equal(assoc_get_state(pair->a.assoc), ASSOC_CONNECTED);
    assert_int_equal(send_n(&pair->a, ON_1, 3000, 1), OK);
    assert_true(sctp_pair_until(pair, &pair->b, 1, PATIENCE));
}

static void bad_configurations_are_refused(void **state)
{
    (void)state;
    sctp_pair_init(pair, NULL, NULL, 1);
    struct assoc *a = NULL;
    struct assoc_config c = sctp_pair_config();
    c.out_streams = 0;
    assert_int_equal(assoc_open(&a, pair->now, &c), ERR_RANGE);
    c = sctp_pair_config();
    c.in_streams = 0;
    assert_int_equal(assoc_open(&a, pair->now, &c), ERR_RANGE);
    c = sctp_pair_config();
    c.port = 0;
    assert_int_equal(assoc_open(&a, pair->now, &c), ERR_RANGE);
    assoc_close(NULL);
}

static void without_associations_no_timer_runs(void **state)
{
    (void)state;
    assert_true(assocs_deadline() == USEC_NEVER);
    sctp_pair_init(pair, NULL, NULL, 1);
    assert_true(assocs_deadline() == pair->now + 10 * USEC_PER_MSEC);
    assoc_close(pair->a.assoc);
    assoc_close(pair->b.assoc);
    pair->a.assoc = pair->b.assoc = NULL;
    assert_true(assocs_deadline() == USEC_NEVER);
    assert_null(assocs_ready(&pair->group));
}

static int end_of_process(void **state)
{
    (void)state;
    assocs_fini();
    assocs_fini(); /* twice is fine */
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(both_sides_may_connect_at_the_same_time),
        T(a_side_that_starts_late_is_waited_for),
        T(connecting_twice_is_refused),
        T(streams_are_the_smaller_of_both_sides),
        T(no_answer_is_a_failure),
        T(an_abort_closes_the_other_side),
        T(closing_in_the_middle_of_a_message_leaves_nothing),
        T(a_peer_that_falls_silent_is_closed),
        T(messages_arrive_in_order_with_their_ppids),
        T(empty_messages_travel_as_one_byte),
        T(a_message_of_256_kib_arrives_whole),
        T(messages_over_the_receivers_limit_are_dropped_and_counted),
        T(large_messages_of_several_streams_take_turns),
        T(what_does_not_fit_the_buffers_is_refused),
        T(the_buffered_amount_falls_and_low_is_told_once),
        T(a_reset_stream_is_answered_and_can_be_used_again),
        T(many_streams_reset_at_once_are_all_reset),
        T(messages_wait_while_their_stream_is_being_reset),
        T(a_reset_drops_what_waits),
        T(garbage_changes_nothing),
        T(bad_configurations_are_refused),
        T(without_associations_no_timer_runs),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_process);
}
