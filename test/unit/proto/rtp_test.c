#include "proto/rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HEADER "\x12\x34\x00\x00\x10\x00\xde\xad\xbe\xef"

static enum err parse(struct rtp_view *v, uint8_t *buf, const char *bytes, size_t n)
{
    memcpy(buf, bytes, n);
    return rtp_parse(v, buf, n);
}

static void a_packet_gives_its_fields(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct rtp_view v;
    static const char bytes[] = "\xb2\xe0" HEADER "AAAABBBB"
                                "\xbe\xde\x00\x01\x10\x05\x00\x00"
                                "payload"
                                "\x00\x00\x03";
    assert_int_equal(parse(&v, buf, bytes, sizeof bytes - 1), OK);
    assert_true(v.marker);
    assert_int_equal(v.payload_type, 96);
    assert_int_equal(v.seq, 0x1234);
    assert_int_equal(v.timestamp, 0x1000);
    assert_int_equal(v.ssrc, 0xdeadbeef);
    assert_int_equal(v.csrc_count, 2);
    assert_int_equal(v.ext_profile, 0xbede);
    assert_int_equal(v.ext_at, 24);
    assert_int_equal(v.ext_len, 4);
    assert_int_equal(v.payload_at, 28);
    assert_int_equal(v.payload_len, 7);
    assert_int_equal(v.padding, 3);
    assert_memory_equal(rtp_payload(&v), "payload", 7);
}

static void hostile_packets_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        enum err want;
    } rows[] = {
        {"\x80\x60" HEADER, 12, OK},
        {"\x80\x60" HEADER, 11, ERR_TRUNCATED},
        {"", 0, ERR_TRUNCATED},
        {"\x40\x60" HEADER, 12, ERR_MALFORMED}, /* version 1 */
        {"\xc0\x60" HEADER, 12, ERR_MALFORMED},
        {"\x81\x60" HEADER, 12, ERR_TRUNCATED}, /* a CSRC is missing */
        {"\x8f\x60" HEADER "AAAABBBB", 20, ERR_TRUNCATED},
        {"\x90\x60" HEADER, 12, ERR_TRUNCATED}, /* the extension's header is missing */
        {"\x90\x60" HEADER "\xbe\xde\x00", 15, ERR_TRUNCATED},
        {"\x90\x60" HEADER "\xbe\xde\x00\x00", 16, OK},
        {"\x90\x60" HEADER "\xbe\xde\x00\x01", 16, ERR_TRUNCATED},
        {"\x90\x60" HEADER "\xbe\xde\xff\xff"
         "AAAA",
         20, ERR_TRUNCATED},
        {"\xa0\x60" HEADER, 12, ERR_MALFORMED},         /* padding without a byte */
        {"\xa0\x60" HEADER "a\x00", 14, ERR_MALFORMED}, /* zero padding */
        {"\xa0\x60" HEADER "a\x02", 14, OK},            /* all is padding */
        {"\xa0\x60" HEADER "a\x03", 14, ERR_MALFORMED}, /* longer than what is there */
        {"\xa0\x60" HEADER "a\xff", 14, ERR_MALFORMED},
        {"\xb0\x60" HEADER "\xbe\xde\x00\x01\x00\x00\x00\x04", 20, ERR_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t buf[64];
        struct rtp_view v;
        assert_int_equal(parse(&v, buf, rows[i].bytes, rows[i].n), rows[i].want);
    }
    static uint8_t large[RTP_PACKET_MAX + 1] = {0x80};
    struct rtp_view v;
    assert_int_equal(rtp_parse(&v, large, sizeof large), ERR_TOO_LARGE);
    assert_int_equal(rtp_parse(&v, large, sizeof large - 1), OK);
    assert_int_equal(v.payload_len, RTP_PACKET_MAX - 12);
}

static void patches_change_view_and_bytes(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct rtp_view v;
    struct rtp_view again;
    assert_int_equal(parse(&v, buf, "\x80\xe0" HEADER "xyz", 15), OK);
    rtp_set_seq(&v, 65535);
    rtp_set_timestamp(&v, UINT32_MAX);
    rtp_set_ssrc(&v, 7);
    rtp_set_payload_type(&v, 0xff); /* the marker is not a payload type's business */
    rtp_set_marker(&v, false);
    assert_int_equal(rtp_parse(&again, buf, 15), OK);
    assert_int_equal(again.seq, 65535);
    assert_int_equal(again.timestamp, UINT32_MAX);
    assert_int_equal(again.ssrc, 7);
    assert_int_equal(again.payload_type, 127);
    assert_false(again.marker);
    rtp_set_marker(&v, true);
    rtp_set_payload_type(&v, 1);
    assert_int_equal(buf[1], 0x81);
}

static void padding_comes_and_goes(void **state)
{
    (void)state;
    uint8_t buf[300];
    struct rtp_view v;
    struct rtp_view again;
    memset(buf, 0xaa, sizeof buf);
    assert_int_equal(parse(&v, buf, "\x80\x60" HEADER "xyz", 15), OK);
    assert_int_equal(rtp_set_padding(&v, 0, sizeof buf), ERR_TOO_LARGE);
    assert_int_equal(rtp_set_padding(&v, 256, sizeof buf), ERR_TOO_LARGE);
    assert_int_equal(rtp_set_padding(&v, 6, 20), ERR_TOO_LARGE);
    assert_int_equal(rtp_set_padding(&v, 255, sizeof buf), OK);
    assert_int_equal(v.len, 270);
    assert_int_equal(rtp_parse(&again, buf, v.len), OK);
    assert_int_equal(again.padding, 255);
    assert_int_equal(again.payload_len, 3);
    assert_int_equal(rtp_set_padding(&v, 1, sizeof buf), OK); /* replaces */
    assert_int_equal(v.len, 16);
    rtp_drop_padding(&v);
    assert_int_equal(v.len, 15);
    assert_int_equal(rtp_parse(&again, buf, v.len), OK);
    assert_int_equal(again.padding, 0);
}

static void a_header_that_is_written_parses(void **state)
{
    (void)state;
    uint8_t buf[12];
    struct wr w = wr_of(buf, sizeof buf);
    struct rtp_view v;
    rtp_write_header(&w, true, 111, 65535, 0x80000000, 0xffffffff);
    assert_false(w.bad);
    assert_int_equal(rtp_parse(&v, buf, wr_len(&w)), OK);
    assert_true(v.marker && v.payload_type == 111 && v.seq == 65535);
    assert_true(v.timestamp == 0x80000000 && v.ssrc == 0xffffffff && v.payload_len == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_gives_its_fields),
        cmocka_unit_test(hostile_packets_are_refused),
        cmocka_unit_test(patches_change_view_and_bytes),
        cmocka_unit_test(padding_comes_and_goes),
        cmocka_unit_test(a_header_that_is_written_parses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
