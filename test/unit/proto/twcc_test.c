#include "proto/twcc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum err parse(const void *bytes, size_t n, struct twcc *t)
{
    struct rtcp_reader r;
    struct rtcp_block b;
    assert_int_equal(rtcp_reader_init(&r, bytes, n), OK);
    assert_true(rtcp_next(&r, &b));
    assert_int_equal(b.kind, RTCP_KIND_TWCC);
    return twcc_parse(&b, t);
}

/* As Chrome sent it: one packet, run length, RTCP padding. */
static void a_real_feedback_with_padding_is_read(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xaf, 0xcd, 0x00, 0x05, 0xfa, 0x17, 0xfa, 0x17,
                                    0x43, 0x03, 0x2f, 0xa0, 0x00, 0x99, 0x00, 0x01,
                                    0x3d, 0xe8, 0x02, 0x17, 0x20, 0x01, 0x94, 0x01};
    struct twcc t;
    struct twcc_reader r;
    struct twcc_packet p;
    assert_int_equal(parse(bytes, sizeof bytes, &t), OK);
    assert_int_equal(t.sender_ssrc, 4195875351u);
    assert_int_equal(t.media_ssrc, 1124282272u);
    assert_int_equal(t.base_seq, 153);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.reference, 4057090);
    assert_int_equal(t.feedback_count, 23);
    twcc_reader_init(&r, &t);
    assert_true(twcc_next(&r, &p));
    assert_true(p.received && p.seq == 153 && p.delta == 37000);
    assert_true(p.at == 4057090 * TWCC_REFERENCE_TICK + 37000);
    assert_false(twcc_next(&r, &p));
}

#define FIXED "\x00\x00\x00\x01\x00\x00\x00\x02"

static void every_kind_of_chunk_is_read(void **state)
{
    (void)state;
    /* From 65530: 3 lost; a one-bit vector of 14, its first and last received; a two-bit vector
     * of which 3 count: small, large, lost. Deltas 1, 255, 3, -2. */
    static const char bytes[] = "\x8f\xcd\x00\x07" FIXED "\xff\xfa\x00\x14"
                                "\xff\xff\xff\x07"
                                "\x00\x03"
                                "\xa0\x01"
                                "\xd8\x00"
                                "\x01\xff\x03\xff\xfe\x00";
    static const struct {
        unsigned i;
        int delta; /* ticks */
    } received[] = {{3, 1}, {16, 255}, {17, 3}, {18, -2}};
    struct twcc t;
    struct twcc_reader r;
    struct twcc_packet p;
    usec at = -TWCC_REFERENCE_TICK;
    size_t next = 0;
    assert_int_equal(parse(bytes, sizeof bytes - 1, &t), OK);
    assert_int_equal(t.reference, -1);
    twcc_reader_init(&r, &t);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(twcc_next(&r, &p));
        assert_int_equal(p.seq, (uint16_t)(65530 + i));
        bool hit = next < 4 && received[next].i == i;
        assert_int_equal(p.received, hit);
        if (hit)
            at += received[next++].delta * TWCC_DELTA_TICK;
        assert_true(p.at == at);
    }
    assert_int_equal(next, 4);
    assert_false(twcc_next(&r, &p));
}

static void hostile_feedback_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        enum err want;
    } rows[] = {
        {"\x8f\xcd\x00\x01\x00\x00\x00\x01", 8, ERR_TRUNCATED},
        {"\x8f\xcd\x00\x04" FIXED "\x00\x00\x00\x01\x00\x00\x00\x00", 20, ERR_TRUNCATED},
        {"\x8f\xcd\x00\x04" FIXED "\x00\x00\x00\x00\x00\x00\x00\x00", 20, ERR_MALFORMED},
        /* a count that the chunks do not cover: 65535 packets by a run of 1 and zeros */
        {"\x8f\xcd\x00\x05" FIXED "\x00\x00\xff\xff\x00\x00\x00\x00\x20\x01\x00\x00", 24,
         ERR_TRUNCATED},
        /* deltas that are not there: a run of 8191 */
        {"\x8f\xcd\x00\x05" FIXED "\x00\x00\x1f\xff\x00\x00\x00\x00\x3f\xff\x00\x00", 24,
         ERR_TRUNCATED},
        /* the reserved symbol, in a run and in a vector */
        {"\x8f\xcd\x00\x05" FIXED "\x00\x00\x00\x01\x00\x00\x00\x00\x60\x01\x00\x00", 24,
         ERR_MALFORMED},
        {"\x8f\xcd\x00\x05" FIXED "\x00\x00\x00\x01\x00\x00\x00\x00\xf0\x00\x00\x00", 24,
         ERR_MALFORMED},
        /* but not beyond the count */
        {"\x8f\xcd\x00\x05" FIXED "\x00\x00\x00\x01\x00\x00\x00\x00\xdc\x00\x00\x00", 24, OK},
        /* 65535 lost packets in nine runs is much for little, and valid */
        {"\x8f\xcd\x00\x09" FIXED "\x00\x00\xff\xff\x00\x00\x00\x00"
         "\x1f\xff\x1f\xff\x1f\xff\x1f\xff\x1f\xff\x1f\xff\x1f\xff\x1f\xff\x1f\xff\x00\x00",
         40, OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct twcc t;
        assert_int_equal(parse(rows[i].bytes, rows[i].n, &t), rows[i].want);
    }
}

/* Writes all of the list in messages of at most room bytes and reads them again. */
static size_t round_trip(uint16_t base, const struct twcc_arrival *list, size_t n, size_t room)
{
    size_t messages = 0;
    for (size_t done = 0; done < n; messages++) {
        uint8_t buf[2048];
        struct wr w = wr_of(buf, room);
        struct twcc t;
        struct twcc_reader r;
        struct twcc_packet p;
        size_t taken = 0;
        size_t heard = 0;
        assert_int_equal(
            twcc_write(&w, 1, 2, (uint8_t)messages, base, list + done, n - done, &taken), OK);
        assert_int_equal(parse(buf, wr_len(&w), &t), OK);
        assert_int_equal(t.base_seq, base);
        assert_int_equal(t.feedback_count, (uint8_t)messages);
        twcc_reader_init(&r, &t);
        while (twcc_next(&r, &p)) {
            if (!p.received)
                continue;
            assert_int_equal(p.seq, list[done + heard].seq);
            usec error = list[done + heard].at - p.at;
            assert_true(error >= 0 && error < TWCC_DELTA_TICK);
            heard++;
        }
        assert_int_equal(heard, taken);
        done += taken;
        base = (uint16_t)(list[done - 1].seq + 1);
    }
    return messages;
}

static void arrivals_come_back_from_what_is_written(void **state)
{
    (void)state;
    static struct twcc_arrival list[3000];
    uint64_t random = 42;
    for (unsigned pattern = 0; pattern < 60; pattern++) {
        uint16_t seq = (uint16_t)(65000 + pattern * 100);
        usec at = 1000000 * (usec)pattern;
        size_t n = 1 + pattern * 50;
        for (size_t i = 0; i < n; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            unsigned dice = (unsigned)(random >> 33);
            unsigned lossy = pattern % 4;
            seq = (uint16_t)(seq + 1 + (dice % 8 < lossy ? dice / 8 % 5 : 0) +
                             (dice % 211 == 7 ? 9000 : 0));
            at += dice / 64 % (pattern % 3 == 0 ? 3000 : 90000);
            if (dice % 10 == 3 && at > 20000)
                at -= 20000; /* reordered */
            list[i] = (struct twcc_arrival){.seq = seq, .at = at};
        }
        round_trip((uint16_t)(list[0].seq - pattern % 3 * 20), list, n, 1200);
        round_trip(list[0].seq, list, n, 60);
    }
}

static void runs_and_vectors_keep_the_message_small(void **state)
{
    (void)state;
    static struct twcc_arrival list[1000];
    uint8_t buf[2048];
    size_t taken = 0;
    for (size_t i = 0; i < 1000; i++)
        list[i] = (struct twcc_arrival){.seq = (uint16_t)i, .at = (usec)i * 1000};
    struct wr w = wr_of(buf, sizeof buf);
    assert_int_equal(twcc_write(&w, 1, 2, 3, 0, list, 1000, &taken), OK);
    assert_int_equal(taken, 1000);
    assert_int_equal(wr_len(&w), 20 + 1000 + 4); /* one run and its padding */
    for (size_t i = 0; i < 1000; i++)
        list[i].seq = (uint16_t)(2 * i); /* every other one is lost: one-bit vectors */
    w = wr_of(buf, sizeof buf);
    assert_int_equal(twcc_write(&w, 1, 2, 3, 0, list, 1000, &taken), OK);
    assert_int_equal(taken, 1000);
    assert_true(wr_len(&w) <= 20 + 1000 + 2 * (1999 / 14 + 1) + 3);
}

static void a_delta_too_great_for_one_message_begins_another(void **state)
{
    (void)state;
    const struct twcc_arrival list[] = {
        {10, 0}, {11, 8 * USEC_PER_SEC}, {12, 20 * USEC_PER_SEC}, {13, 5 * USEC_PER_SEC}};
    assert_int_equal(round_trip(10, list, 4, 1200), 3);
    const struct twcc_arrival wide[] = {{0, 0}, {30000, 1}, {60000, 2}, {65534, 3}, {65535, 4}};
    assert_int_equal(round_trip(0, wide, 5, 1200), 2);
}

static void the_reference_time_wraps_as_24_bits(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct twcc t;
    size_t taken = 0;
    const struct twcc_arrival one = {7, ((usec)1 << 24) * TWCC_REFERENCE_TICK + 64000 * 5};
    struct wr w = wr_of(buf, sizeof buf);
    assert_int_equal(twcc_write(&w, 1, 2, 3, 7, &one, 1, &taken), OK);
    assert_int_equal(parse(buf, wr_len(&w), &t), OK);
    assert_int_equal(t.reference, 5);
}

static void what_cannot_be_written_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    uint8_t buf[64];
    size_t taken = 9;
    const struct twcc_arrival twice[] = {{5, 0}, {5, 0}};
    const struct twcc_arrival back[] = {{5, 0}, {4, 0}};
    struct wr w = wr_of(buf, sizeof buf);
    assert_int_equal(twcc_write(&w, 1, 2, 3, 5, twice, 0, &taken), ERR_TYPE);
    assert_int_equal(twcc_write(&w, 1, 2, 3, 5, twice, 2, &taken), ERR_RANGE);
    assert_int_equal(twcc_write(&w, 1, 2, 3, 5, back, 2, &taken), ERR_RANGE);
    assert_int_equal(twcc_write(&w, 1, 2, 3, 6, back, 1, &taken), ERR_RANGE);
    for (size_t n = 0; n < 24; n++) {
        w = wr_of(buf, n);
        assert_int_equal(twcc_write(&w, 1, 2, 3, 5, back, 1, &taken), ERR_TOO_LARGE);
        assert_int_equal(wr_len(&w), 0);
        assert_false(w.bad);
    }
    w = wr_of(buf, 24);
    assert_int_equal(twcc_write(&w, 1, 2, 3, 5, back, 1, &taken), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_feedback_with_padding_is_read),
        cmocka_unit_test(every_kind_of_chunk_is_read),
        cmocka_unit_test(hostile_feedback_is_refused),
        cmocka_unit_test(arrivals_come_back_from_what_is_written),
        cmocka_unit_test(runs_and_vectors_keep_the_message_small),
        cmocka_unit_test(a_delta_too_great_for_one_message_begins_another),
        cmocka_unit_test(the_reference_time_wraps_as_24_bits),
        cmocka_unit_test(what_cannot_be_written_is_an_error_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
