#include "proto/rtx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* One CSRC, a one-byte extension, the payload "hello", two bytes of padding. */
static const char original[] = "\xb1\xe0\xff\xff\x00\x00\x10\x00\xde\xad\xbe\xef"
                               "CSRC"
                               "\xbe\xde\x00\x01\x10"
                               "a\x00\x00"
                               "hello"
                               "\x00\x02";
enum { ORIGINAL_LEN = sizeof original - 1 };

static void original_view(struct rtp_view *v, uint8_t *buf)
{
    memcpy(buf, original, ORIGINAL_LEN);
    assert_int_equal(rtp_parse(v, buf, ORIGINAL_LEN), OK);
}

static void expect_rtx(uint8_t *data, size_t len)
{
    struct rtp_view v;
    uint16_t osn = 0;
    assert_int_equal(rtp_parse(&v, data, len), OK);
    assert_int_equal(v.payload_type, 97);
    assert_int_equal(v.ssrc, 0x11223344);
    assert_int_equal(v.seq, 5);
    assert_true(v.marker);
    assert_int_equal(v.padding, 0);
    assert_int_equal(v.payload_len, 7);
    assert_memory_equal(rtp_payload(&v),
                        "\xff\xff"
                        "hello",
                        7);
    assert_int_equal(rtx_osn(&v, &osn), OK);
    assert_int_equal(osn, 0xffff);
}

static void an_encoded_packet_carries_the_original_number(void **state)
{
    (void)state;
    uint8_t buf[64];
    uint8_t out[64];
    struct rtp_view v;
    struct rtp_view made;
    original_view(&v, buf);
    struct wr w = wr_of(out, sizeof out);
    assert_int_equal(rtx_encode(&w, &v, 97, 0x11223344, 5, &made), OK);
    assert_int_equal(wr_len(&w), ORIGINAL_LEN);
    assert_int_equal(made.len, ORIGINAL_LEN);
    expect_rtx(out, wr_len(&w));
    assert_memory_equal(buf, original, ORIGINAL_LEN); /* untouched */
    for (size_t n = 0; n < ORIGINAL_LEN; n++) {
        w = wr_of(out, n);
        assert_int_equal(rtx_encode(&w, &v, 97, 1, 5, NULL), ERR_TOO_LARGE);
    }
}

static void wrapping_in_place_gives_the_same(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct rtp_view v;
    original_view(&v, buf);
    assert_int_equal(rtx_wrap(&v, 97, 1, 5, ORIGINAL_LEN - 1), ERR_TOO_LARGE);
    assert_memory_equal(buf, original, ORIGINAL_LEN);
    assert_int_equal(rtx_wrap(&v, 97, 0x11223344, 5, ORIGINAL_LEN), OK);
    expect_rtx(buf, v.len);
}

static void decoding_gives_the_original_without_padding(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct rtp_view v;
    struct rtp_view again;
    original_view(&v, buf);
    assert_int_equal(rtx_wrap(&v, 97, 0x11223344, 5, sizeof buf), OK);
    assert_int_equal(rtx_decode(&v, 96, 0xdeadbeef), OK);
    assert_int_equal(v.len, ORIGINAL_LEN - 2);
    assert_int_equal(rtp_parse(&again, buf, v.len), OK);
    buf[0] |= 0x20; /* but for the P bit */
    assert_memory_equal(buf, original, ORIGINAL_LEN - 2);
    assert_int_equal(again.seq, 0xffff);
}

static void a_packet_without_payload_is_no_retransmission(void **state)
{
    (void)state;
    uint16_t osn = 0;
    struct rtp_view v;
    uint8_t probe[] = {0xa0, 97, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 0, 2};
    assert_int_equal(rtp_parse(&v, probe, sizeof probe), OK);
    assert_int_equal(v.payload_len, 1);
    assert_int_equal(rtx_osn(&v, &osn), ERR_TRUNCATED);
    assert_int_equal(rtx_decode(&v, 96, 1), ERR_TRUNCATED);
    assert_int_equal(v.ssrc, 3);
    assert_int_equal(v.padding, 2);
    probe[14] = 1; /* two bytes of payload: the number alone */
    assert_int_equal(rtp_parse(&v, probe, sizeof probe), OK);
    assert_int_equal(rtx_decode(&v, 96, 1), OK);
    assert_int_equal(v.payload_len, 0);
    assert_int_equal(v.seq, 0x0900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_encoded_packet_carries_the_original_number),
        cmocka_unit_test(wrapping_in_place_gives_the_same),
        cmocka_unit_test(decoding_gives_the_original_without_padding),
        cmocka_unit_test(a_packet_without_payload_is_no_retransmission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
