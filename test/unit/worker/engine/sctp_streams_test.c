/* Associations that take memory for streams when they are used, against one that has it from the
 * start (and so knows nothing of this), and against each other. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/dcep.h"
#include "test/lib/sctp_pair.h"
#include "worker/engine/crc32c.h"
#include "worker/engine/sctp_streams.h"

#define PATIENCE (60 * USEC_PER_SEC)

enum { FIRST = 4, STREAMS = 1024 };

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

/* Of both ends, how many streams have memory at first; 0: all. */
static void connect_with(uint16_t a_first, uint16_t b_first, const struct link_config *link)
{
    struct assoc_config c = sctp_pair_config();
    c.streams_at_first = a_first;
    sctp_pair_init(pair, &c, link, 11);
    c.streams_at_first = b_first;
    c.group = &pair->group;
    c.owner = &pair->b;
    assoc_close(pair->b.assoc);
    assert_int_equal(assoc_open(&pair->b.assoc, pair->now, &c), OK);
    assert_true(sctp_pair_connect(pair, PATIENCE));
}

static void send_on(struct sctp_end *from, uint16_t sid)
{
    const struct assoc_sending how = {.stream = sid, .ppid = PPID_STRING};
    uint8_t bytes[2] = {(uint8_t)(sid >> 8), (uint8_t)sid};
    assert_int_equal(assoc_send(from->assoc, pair->now, &how, slice_of(bytes, 2)), OK);
}

static void assert_arrives(struct sctp_end *from, struct sctp_end *to, uint16_t sid)
{
    size_t n = to->n_messages;
    send_on(from, sid);
    assert_true(sctp_pair_until(pair, to, n + 1, PATIENCE));
    assert_int_equal(to->messages[n].stream, sid);
    assert_int_equal(to->messages[n].bytes[0] << 8 | to->messages[n].bytes[1], sid);
}

static void all_streams_work(void)
{
    static const uint16_t SIDS[] = {0, 3, 4, 900, 5, 1023, 899, 4, 16};
    struct sctp_end *ends[] = {&pair->a, &pair->b};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(assoc_out_streams(ends[i]->assoc), STREAMS);
        assert_int_equal(assoc_in_streams(ends[i]->assoc), STREAMS);
    }
    for (size_t i = 0; i < sizeof SIDS / sizeof SIDS[0]; i++) {
        assert_arrives(&pair->a, &pair->b, SIDS[i]);
        assert_arrives(&pair->b, &pair->a, SIDS[i]);
    }
}

/* ---- numbers ---- */

static void numbers_shift_by_the_requests_in_front_of_them(void **state)
{
    const struct request_shift s = {.at = {UINT32_MAX, 0, 5}, .n = 3};
    static const struct {
        uint32_t peer;
        uint32_t ours;
    } PAIRS[] = {{UINT32_MAX - 1, UINT32_MAX - 1}, {UINT32_MAX, 1}, {2, 4}, {3, 6}, {4, 7}};
    (void)state;
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
        assert_int_equal(request_from_peer(&s, PAIRS[i].peer), PAIRS[i].ours);
        assert_int_equal(request_to_peer(&s, PAIRS[i].ours), PAIRS[i].peer);
    }
    assert_true(request_is_hidden(&s, 0));
    assert_false(request_is_hidden(&s, 1));
}

/* ---- streams ---- */

static void every_stream_works_towards_an_end_that_has_all(void **state)
{
    (void)state;
    connect_with(FIRST, 0, NULL);
    all_streams_work();
}

static void every_stream_works_between_two_that_have_few(void **state)
{
    (void)state;
    connect_with(FIRST, 1, NULL);
    all_streams_work();
}

static void every_stream_works_over_a_link_that_loses(void **state)
{
    const struct link_config lossy = {.delay = 20 * USEC_PER_MSEC, .loss = 0.15};
    (void)state;
    connect_with(FIRST, FIRST, &lossy);
    all_streams_work();
}

static void streams_beyond_what_was_agreed_are_refused(void **state)
{
    const struct assoc_sending how = {.stream = STREAMS, .ppid = PPID_STRING};
    (void)state;
    connect_with(FIRST, 0, NULL);
    assert_int_equal(assoc_send(pair->a.assoc, pair->now, &how, slice_of("x", 1)), ERR_RANGE);
}

/* The numbers of requests go on without a gap for the peer, and for usrsctp. */
static void resets_are_answered_between_additions(void **state)
{
    (void)state;
    connect_with(FIRST, 0, NULL);
    for (uint16_t sid = 1; sid < STREAMS; sid = (uint16_t)(sid * 3 + 1)) {
        struct sctp_end *from = sid & 4 ? &pair->a : &pair->b;
        struct sctp_end *to = sid & 4 ? &pair->b : &pair->a;
        assert_arrives(from, to, sid);
        sctp_end_forget(from);
        sctp_end_forget(to);
        assoc_reset_stream(from->assoc, pair->now, sid);
        sctp_pair_run(pair, 2 * USEC_PER_SEC);
        assert_int_equal(to->n_resets, 1);
        assert_int_equal(to->resets[0], sid);
        assert_int_equal(from->n_resets, 1); /* the other half of the channel */
        assert_int_equal(from->resets[0], sid);
    }
    all_streams_work();
}

static void a_stream_that_never_sent_can_be_reset(void **state)
{
    (void)state;
    connect_with(FIRST, 0, NULL);
    assoc_reset_stream(pair->a.assoc, pair->now, 600);
    sctp_pair_run(pair, 2 * USEC_PER_SEC);
    assert_int_equal(pair->b.n_resets, 1);
    assert_int_equal(pair->b.resets[0], 600);
    assert_int_equal(pair->a.n_resets, 1);
}

/* usrsctp asks for one thing at a time. */
static void a_new_stream_waits_for_a_reset_and_others_do_not_wait_for_it(void **state)
{
    (void)state;
    connect_with(FIRST, 0, NULL);
    send_on(&pair->a, 1);
    sctp_pair_run(pair, USEC_PER_SEC); /* acknowledged: the reset goes out at once */
    assoc_reset_stream(pair->a.assoc, pair->now, 1);
    send_on(&pair->a, 700);
    send_on(&pair->a, 2);
    assert_true(sctp_pair_until(pair, &pair->b, 2, PATIENCE));
    assert_int_equal(pair->b.messages[1].stream, 2);
    assert_true(sctp_pair_until(pair, &pair->b, 3, PATIENCE));
    assert_int_equal(pair->b.messages[2].stream, 700);
}

/* RFC 3758: the FORWARD-TSN is the first that is heard of the stream. */
static void a_message_that_was_given_up_does_not_hold_a_new_stream(void **state)
{
    const struct assoc_sending once = {
        .stream = 500, .ppid = PPID_STRING, .reliability = ASSOC_MAX_RETRANSMITS};
    (void)state;
    connect_with(FIRST, FIRST, NULL);
    pair->a.out.config.loss = 1;
    assert_int_equal(assoc_send(pair->a.assoc, pair->now, &once, slice_of("lost", 4)), OK);
    sctp_pair_run(pair, 100 * USEC_PER_MSEC);
    pair->a.out.config.loss = 0;
    sctp_pair_run(pair, 2 * USEC_PER_SEC);
    assert_int_equal(pair->b.n_messages, 0);
    assert_arrives(&pair->a, &pair->b, 500);
}

/* ---- a peer by hand ---- */

/* The next packet that an association wants sent; 0: none. */
static size_t next_packet(struct assoc *a, uint8_t *out)
{
    struct assoc_item it;
    while (assoc_poll(a, pair->now, &it)) {
        if (it.kind == ASSOC_PACKET) {
            memcpy(out, it.bytes.p, it.bytes.n);
            return it.bytes.n;
        }
    }
    return 0;
}

static void hand(struct assoc *to, const uint8_t *packet, size_t n)
{
    assert_true(n > 0);
    assoc_input(to, pair->now, slice_of(packet, n));
}

/* RFC 9260 5.1: a COOKIE ECHO may be followed by DATA in its packet. */
static void data_beside_the_cookie_may_use_any_stream(void **state)
{
    enum { TSN_AT = 12 + 16, SID = 900 };
    uint8_t packet[2048];
    uint8_t tsn[4];
    (void)state;
    struct assoc_config c = sctp_pair_config();
    c.streams_at_first = FIRST;
    sctp_pair_init(pair, &c, NULL, 1);
    struct assoc *a = pair->a.assoc;
    struct assoc *b = pair->b.assoc;
    assert_int_equal(assoc_connect(a), OK);
    assert_int_equal(assoc_connect(b), OK);
    (void)next_packet(b, packet); /* its INIT gets lost */
    size_t n = next_packet(a, packet);
    memcpy(tsn, packet + TSN_AT, sizeof tsn);
    hand(b, packet, n);
    n = next_packet(b, packet);
    hand(a, packet, n);
    n = next_packet(a, packet);
    assert_int_equal(packet[12], 10);
    struct wr w = wr_of(packet + n, sizeof packet - n);
    wr_u8(&w, 0);
    wr_u8(&w, 3); /* whole */
    wr_u16(&w, 18);
    wr_bytes(&w, tsn, sizeof tsn);
    wr_u16(&w, SID);
    wr_u16(&w, 0);
    wr_u32(&w, PPID_STRING);
    wr_bytes(&w, "hi\0\0", 4);
    n += wr_len(&w);
    crc32c_sctp_write(packet, n);
    hand(b, packet, n);
    struct assoc_item it = {.kind = ASSOC_PACKET};
    while (it.kind != ASSOC_MESSAGE)
        assert_true(assoc_poll(b, pair->now, &it));
    assert_int_equal(it.stream, SID);
    assert_memory_equal(it.bytes.p, "hi", it.bytes.n);
}

#ifdef __SANITIZE_ADDRESS__
size_t __sanitizer_get_current_allocated_bytes(void); /* gcc brings no header for it */
#endif

static size_t allocated(void)
{
#ifdef __SANITIZE_ADDRESS__
    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks;
#endif
}

static void few_streams_take_little_memory(void **state)
{
    size_t used[2];
    (void)state;
    for (int few = 0; few < 2; few++) {
        size_t before = allocated();
        connect_with(few ? FIRST : 0, few ? FIRST : 0, NULL);
        used[few] = allocated() - before;
        if (!few)
            sctp_pair_fini(pair);
    }
    /* Two ends, 104 bytes a stream. */
    assert_true(used[0] > used[1] + (size_t)2 * (STREAMS - FIRST) * 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_shift_by_the_requests_in_front_of_them),
        TEST(every_stream_works_towards_an_end_that_has_all),
        TEST(every_stream_works_between_two_that_have_few),
        TEST(every_stream_works_over_a_link_that_loses),
        TEST(streams_beyond_what_was_agreed_are_refused),
        TEST(resets_are_answered_between_additions),
        TEST(a_stream_that_never_sent_can_be_reset),
        TEST(a_new_stream_waits_for_a_reset_and_others_do_not_wait_for_it),
        TEST(a_message_that_was_given_up_does_not_hold_a_new_stream),
        TEST(data_beside_the_cookie_may_use_any_stream),
        TEST(few_streams_take_little_memory),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    assocs_fini();
    return failed;
}
