#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "controller/live/silence_splice.h"

enum { PT = 100, SSRC = 0x11223344, FRAME = 960 };

#define MS USEC_PER_MSEC

struct sent {
    uint16_t seq;
    uint32_t timestamp;
    uint32_t ssrc;
    size_t n;
};

static struct sent read_sent(const uint8_t *p, size_t n)
{
    struct rd r = rd_slice(slice_of(p, n));
    struct sent s = {.n = n};
    assert_int_equal(rd_u8(&r), 0x80);
    assert_int_equal(rd_u8(&r) & 0x7f, PT);
    s.seq = rd_u16(&r);
    s.timestamp = rd_u32(&r);
    s.ssrc = rd_u32(&r);
    return s;
}

static struct silence_splice splice(void)
{
    struct silence_splice s;
    silence_splice_init(&s, silence_payload("audio/opus"), PT, SSRC, 48000);
    return s;
}

static struct sent packet(struct silence_splice *s, usec now, uint16_t seq, uint32_t timestamp)
{
    uint8_t p[20] = {0x80, PT};
    put_u16(p + 2, seq);
    put_u32(p + 4, timestamp);
    assert_true(silence_splice_packet(s, now, p, sizeof p));
    return read_sent(p, sizeof p);
}

static struct sent silence(struct silence_splice *s, usec now)
{
    uint8_t p[SILENCE_PACKET_MAX];
    size_t n = silence_splice_fill(s, now, p);
    return n > 0 ? read_sent(p, n) : (struct sent){0};
}

static void what_comes_in_time_is_not_added_to(void **state)
{
    struct silence_splice s = splice();
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        struct sent p = packet(&s, i * 20 * MS, (uint16_t)(65500 + i), 4294960000u + i * FRAME);
        assert_int_equal(p.seq, (uint16_t)(65500 + i));
        assert_int_equal(p.timestamp, 4294960000u + i * FRAME);
        assert_int_equal(p.ssrc, SSRC);
        assert_int_equal(silence(&s, i * 20 * MS + 15 * MS).n, 0);
    }
}

static void a_pause_is_silence_and_numbers_go_on_over_it_and_after_it(void **state)
{
    struct silence_splice s = splice();
    (void)state;
    struct sent last = packet(&s, 0, 10, 1000);
    assert_int_equal(silence(&s, 59 * MS).n, 0);
    usec now = 60 * MS;
    for (int i = 0; i < 50; i++, now += 20 * MS) {
        struct sent p = silence(&s, now);
        assert_int_equal(p.n, 12 + 3);
        assert_int_equal(p.seq, (uint16_t)(last.seq + 1));
        assert_int_equal(p.timestamp - last.timestamp, i == 0 ? 3 * FRAME : FRAME);
        assert_int_equal(p.ssrc, SSRC);
        assert_int_equal(silence(&s, now + 19 * MS).n, 0);
        last = p;
    }
    /* The worker goes on where it was. */
    struct sent back = packet(&s, now, 11, 2000);
    assert_int_equal(back.seq, (uint16_t)(last.seq + 1));
    assert_int_equal(back.timestamp - last.timestamp, FRAME);
    struct sent next = packet(&s, now + 20 * MS, 12, 2960);
    assert_int_equal(next.seq, (uint16_t)(back.seq + 1));
    assert_int_equal(next.timestamp - back.timestamp, FRAME);
}

static void who_is_muted_from_the_start_begins_with_silence(void **state)
{
    struct silence_splice s = splice();
    (void)state;
    struct sent a = silence(&s, 5 * MS);
    struct sent b = silence(&s, 25 * MS);
    assert_int_equal(b.seq, (uint16_t)(a.seq + 1));
    struct sent c = packet(&s, 45 * MS, 40000, 77);
    assert_int_equal(c.seq, (uint16_t)(b.seq + 1));
    assert_int_equal(c.timestamp - b.timestamp, FRAME);
}

static void what_was_overtaken_keeps_its_place(void **state)
{
    struct silence_splice s = splice();
    (void)state;
    (void)silence(&s, 0);
    struct sent first = packet(&s, 20 * MS, 100, 0);
    struct sent third = packet(&s, 40 * MS, 102, 2 * FRAME);
    struct sent second = packet(&s, 41 * MS, 101, FRAME);
    struct sent fourth = packet(&s, 60 * MS, 103, 3 * FRAME);
    assert_int_equal(second.seq, (uint16_t)(first.seq + 1));
    assert_int_equal(third.seq, (uint16_t)(first.seq + 2));
    assert_int_equal(fourth.seq, (uint16_t)(first.seq + 3));
    assert_int_equal(silence(&s, 200 * MS).seq, (uint16_t)(first.seq + 4));
}

static void what_is_no_packet_of_the_stream_is_left_out(void **state)
{
    struct silence_splice s = splice();
    uint8_t rtcp[28] = {0x80, 200};
    uint8_t other[20] = {0x80, PT + 1};
    uint8_t old[20] = {0x40, PT};
    uint8_t marked[20] = {0x80, 0x80 | PT};
    (void)state;
    assert_false(silence_splice_packet(&s, 0, rtcp, sizeof rtcp));
    assert_false(silence_splice_packet(&s, 0, other, sizeof other));
    assert_false(silence_splice_packet(&s, 0, old, sizeof old));
    assert_false(silence_splice_packet(&s, 0, marked, 11));
    assert_true(silence_splice_packet(&s, 0, marked, sizeof marked));
}

static void silence_is_known_of_some_codecs(void **state)
{
    (void)state;
    assert_int_equal(silence_payload("audio/OPUS").n, 3);
    assert_int_equal(silence_payload("audio/PCMU").n, 160);
    assert_int_equal(silence_payload("audio/PCMU").p[159], 0xff);
    assert_int_equal(silence_payload("audio/PCMA").p[0], 0xd5);
    assert_int_equal(silence_payload("audio/G722").n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_in_time_is_not_added_to),
        cmocka_unit_test(a_pause_is_silence_and_numbers_go_on_over_it_and_after_it),
        cmocka_unit_test(who_is_muted_from_the_start_begins_with_silence),
        cmocka_unit_test(what_was_overtaken_keeps_its_place),
        cmocka_unit_test(what_is_no_packet_of_the_stream_is_left_out),
        cmocka_unit_test(silence_is_known_of_some_codecs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
