/* SCTP associations over links that lose, reorder, repeat and delay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "proto/dcep.h"
#include "test/lib/sctp_pair.h"

#define PATIENCE (300 * USEC_PER_SEC)

static const struct link_config ROUGH = {.delay = 25 * USEC_PER_MSEC,
                                         .jitter = 5 * USEC_PER_MSEC,
                                         .loss = 0.1,
                                         .reorder = 0.1,
                                         .reorder_by = 20 * USEC_PER_MSEC,
                                         .duplicate = 0.05};

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

static void connect_over(const struct link_config *link, uint64_t seed)
{
    sctp_pair_init(pair, NULL, link, seed);
    assert_true(sctp_pair_connect(pair, PATIENCE));
}

/* A message of n bytes that begins with its number. */
static void send_number(struct sctp_end *e, struct assoc_sending how, uint32_t number, size_t n)
{
    uint8_t *p = malloc(n);
    assert_non_null(p);
    memset(p, (int)(number * 7 + 1), n);
    put_u32(p, number);
    how.ppid = PPID_BINARY;
    assert_int_equal(assoc_send(e->assoc, pair->now, &how, slice_of(p, n)), OK);
    free(p);
}

static uint32_t number_of(const struct sctp_message *m, size_t n)
{
    assert_int_equal(m->n, n);
    struct rd r = rd_of(m->bytes, m->n);
    uint32_t number = rd_u32(&r);
    for (size_t i = 4; i < n; i++)
        assert_int_equal(m->bytes[i], (uint8_t)(number * 7 + 1));
    return number;
}

/* n messages, one every `gap`. */
static void send_paced(struct assoc_sending how, uint32_t n, size_t bytes, usec gap)
{
    for (uint32_t i = 0; i < n; i++) {
        send_number(&pair->a, how, i, bytes);
        sctp_pair_run(pair, gap);
    }
}

static void assert_increasing(const struct sctp_end *e, size_t bytes)
{
    for (size_t i = 1; i < e->n_messages; i++)
        assert_true(number_of(&e->messages[i], bytes) > number_of(&e->messages[i - 1], bytes));
}

static void the_handshake_survives_heavy_loss(void **state)
{
    (void)state;
    struct link_config bad = ROUGH;
    bad.loss = 0.3;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        sctp_pair_init(pair, NULL, &bad, seed);
        assert_true(sctp_pair_connect(pair, PATIENCE));
        if (seed < 30)
            sctp_pair_fini(pair);
    }
}

static void reliable_ordered_messages_all_arrive_in_order(void **state)
{
    (void)state;
    connect_over(&ROUGH, 11);
    send_paced((struct assoc_sending){.stream = 4}, 500, 900, 2 * USEC_PER_MSEC);
    assert_true(sctp_pair_until(pair, &pair->b, 500, PATIENCE));
    sctp_pair_run(pair, 2 * USEC_PER_SEC);
    assert_int_equal(pair->b.n_messages, 500);
    for (uint32_t i = 0; i < 500; i++)
        assert_int_equal(number_of(&pair->b.messages[i], 900), i);
}

static void unordered_messages_all_arrive_once_and_overtake_each_other(void **state)
{
    (void)state;
    connect_over(&ROUGH, 12);
    send_paced((struct assoc_sending){.stream = 4, .unordered = true}, 500, 900, 2 * USEC_PER_MSEC);
    assert_true(sctp_pair_until(pair, &pair->b, 500, PATIENCE));
    sctp_pair_run(pair, 2 * USEC_PER_SEC);
    assert_int_equal(pair->b.n_messages, 500);
    bool seen[500] = {false};
    size_t overtaken = 0;
    for (uint32_t i = 0; i < 500; i++) {
        uint32_t number = number_of(&pair->b.messages[i], 900);
        assert_true(number < 500);
        assert_false(seen[number]);
        seen[number] = true;
        overtaken += number < i;
    }
    assert_true(overtaken > 10);
}

static void without_retransmissions_what_is_lost_stays_lost(void **state)
{
    (void)state;
    connect_over(&ROUGH, 13);
    send_paced((struct assoc_sending){.stream = 2, .reliability = ASSOC_MAX_RETRANSMITS}, 500, 900,
               5 * USEC_PER_MSEC);
    sctp_pair_run(pair, 20 * USEC_PER_SEC);
    assert_true(pair->b.n_messages > 400 && pair->b.n_messages < 500);
    assert_increasing(&pair->b, 900);
    assert_int_equal(assoc_buffered(pair->a.assoc, 2), 0);
}

static void a_few_retransmissions_lose_less(void **state)
{
    (void)state;
    connect_over(&ROUGH, 13);
    send_paced(
        (struct assoc_sending){.stream = 2, .reliability = ASSOC_MAX_RETRANSMITS, .limit = 3}, 500,
        900, 5 * USEC_PER_MSEC);
    sctp_pair_run(pair, 20 * USEC_PER_SEC);
    assert_true(pair->b.n_messages >= 497);
    assert_increasing(&pair->b, 900);
}

static void messages_past_their_lifetime_are_given_up(void **state)
{
    (void)state;
    const struct link_config clean = {.delay = 20 * USEC_PER_MSEC};
    const usec gap = 10 * USEC_PER_MSEC;
    connect_over(&clean, 14);
    struct assoc_sending how = {.stream = 2, .reliability = ASSOC_MAX_LIFETIME, .limit = 200};
    usec start = pair->now;
    for (uint32_t i = 0; i < 600; i++) {
        /* Nothing gets through from 1 s to 2 s. */
        pair->a.out.config.loss = i >= 100 && i < 200 ? 1 : 0;
        send_number(&pair->a, how, i, 900);
        sctp_pair_run(pair, gap);
    }
    sctp_pair_run(pair, 5 * USEC_PER_SEC);
    assert_increasing(&pair->b, 900);
    size_t before = 0, during = 0, later = 0;
    for (size_t i = 0; i < pair->b.n_messages; i++) {
        const struct sctp_message *m = &pair->b.messages[i];
        uint32_t number = number_of(m, 900);
        before += number < 100;
        during += number >= 100 && number < 180;
        if (number >= 400) { /* the retransmission timer has backed off until then */
            later++;
            assert_true(m->at - start - number * gap < 30 * USEC_PER_MSEC);
        }
    }
    assert_int_equal(before, 100);
    assert_true(during < 8);
    assert_int_equal(later, 200);
    assert_true(assoc_get_stats(pair->a.assoc)->expired > 0);
    assert_int_equal(assoc_buffered(pair->a.assoc, 2), 0);
}

static void large_messages_survive_loss(void **state)
{
    (void)state;
    struct link_config rough = ROUGH;
    rough.loss = 0.02;
    connect_over(&rough, 15);
    for (uint32_t i = 0; i < 4; i++) {
        send_number(&pair->a, (struct assoc_sending){.stream = (uint16_t)(i % 2)}, i, 256 * 1024);
        send_number(&pair->b, (struct assoc_sending){.unordered = true}, i, 256 * 1024);
    }
    assert_true(sctp_pair_until(pair, &pair->b, 4, PATIENCE));
    assert_true(sctp_pair_until(pair, &pair->a, 4, PATIENCE));
    bool seen[2][4] = {{false}};
    for (int i = 0; i < 4; i++) {
        seen[0][number_of(&pair->a.messages[i], 256 * 1024)] = true;
        seen[1][number_of(&pair->b.messages[i], 256 * 1024)] = true;
    }
    for (int i = 0; i < 8; i++)
        assert_true(seen[i / 4][i % 4]);
}

static void a_large_message_that_is_given_up_does_not_stop_its_stream(void **state)
{
    (void)state;
    connect_over(&ROUGH, 16);
    struct assoc_sending partial = {.stream = 1, .reliability = ASSOC_MAX_RETRANSMITS};
    for (uint32_t i = 0; i < 5; i++)
        send_number(&pair->a, partial, i, 200 * 1000);
    send_number(&pair->a, (struct assoc_sending){.stream = 1}, 77, 500);
    send_number(&pair->a, (struct assoc_sending){.stream = 5}, 78, 500);
    assert_true(sctp_pair_until(pair, &pair->b, 2, PATIENCE));
    sctp_pair_run(pair, 30 * USEC_PER_SEC);
    size_t n = pair->b.n_messages;
    assert_true(n >= 2 && n < 7);
    bool last = false, other = false;
    for (size_t i = 0; i < n; i++) {
        const struct sctp_message *m = &pair->b.messages[i];
        last |= m->n == 500 && number_of(m, 500) == 77;
        other |= m->n == 500 && number_of(m, 500) == 78;
    }
    assert_true(last && other);
    assert_int_equal(assoc_buffered(pair->a.assoc, 1), 0);
}

static void a_clean_link_is_filled(void **state)
{
    (void)state;
    const struct link_config clean = {
        .rate_bps = 20 * 1000 * 1000, .queue_bytes = 200 * 1000, .delay = 20 * USEC_PER_MSEC};
    connect_over(&clean, 17);
    usec start = pair->now;
    uint32_t sent = 0;
    while (pair->now - start < 10 * USEC_PER_SEC) {
        while (assoc_buffered(pair->a.assoc, 0) < 1000 * 1000)
            send_number(&pair->a, (struct assoc_sending){.stream = 0}, sent++, 50 * 1000);
        sctp_pair_run(pair, 10 * USEC_PER_MSEC);
    }
    double bps = (double)pair->b.n_messages * 50e3 * 8 / 10;
    assert_true(bps > 14e6);
}

static void resets_survive_loss(void **state)
{
    (void)state;
    connect_over(&ROUGH, 18);
    for (uint32_t i = 0; i < 20; i++) {
        send_number(&pair->a, (struct assoc_sending){.stream = 6}, i, 100);
        assert_true(sctp_pair_until(pair, &pair->b, i + 1, PATIENCE));
        assoc_reset_stream(pair->a.assoc, pair->now, 6);
        sctp_pair_run(pair, 10 * USEC_PER_SEC);
        assert_int_equal(pair->b.n_resets, i + 1);
        assert_int_equal(pair->a.n_resets, i + 1);
    }
}

static int end_of_process(void **state)
{
    (void)state;
    assocs_fini();
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_handshake_survives_heavy_loss),
        T(reliable_ordered_messages_all_arrive_in_order),
        T(unordered_messages_all_arrive_once_and_overtake_each_other),
        T(without_retransmissions_what_is_lost_stays_lost),
        T(a_few_retransmissions_lose_less),
        T(messages_past_their_lifetime_are_given_up),
        T(large_messages_survive_loss),
        T(a_large_message_that_is_given_up_does_not_stop_its_stream),
        T(a_clean_link_is_filled),
        T(resets_survive_loss),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_process);
}
