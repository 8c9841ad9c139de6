#include "proto/opus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_toc_gives_mode_bandwidth_and_duration(void **state)
{
    (void)state;
    static const struct {
        uint8_t toc;
        enum opus_mode mode;
        uint32_t hz;
        uint32_t usec;
        uint8_t channels;
    } rows[] = {
        {0 << 3, OPUS_SILK, 4000, 10000, 1},         {3 << 3, OPUS_SILK, 4000, 60000, 1},
        {5 << 3 | 4, OPUS_SILK, 6000, 20000, 2},     {11 << 3, OPUS_SILK, 8000, 60000, 1},
        {12 << 3, OPUS_HYBRID, 12000, 10000, 1},     {13 << 3, OPUS_HYBRID, 12000, 20000, 1},
        {15 << 3 | 4, OPUS_HYBRID, 20000, 20000, 2}, {16 << 3, OPUS_CELT, 4000, 2500, 1},
        {23 << 3, OPUS_CELT, 8000, 20000, 1},        {31 << 3 | 4, OPUS_CELT, 20000, 20000, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t packet[3] = {rows[i].toc, 1, 2};
        struct opus_info o;
        assert_int_equal(opus_parse(&o, slice_of(packet, 3)), OK);
        assert_int_equal(o.mode, rows[i].mode);
        assert_int_equal(o.bandwidth_hz, rows[i].hz);
        assert_int_equal(o.frame_usec, rows[i].usec);
        assert_int_equal(o.duration_usec, rows[i].usec);
        assert_int_equal(o.channels, rows[i].channels);
        assert_int_equal(o.n_frames, 1);
        assert_false(o.dtx);
    }
}

static void frame_codes_follow_rfc_6716(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        enum err want;
        uint8_t frames;
        bool dtx;
    } rows[] = {
        {"", 0, ERR_TRUNCATED, 0, false},
        {"\x78", 1, OK, 1, true},
        {"\x78"
         "a",
         2, OK, 1, true},
        {"\x78"
         "ab",
         3, OK, 1, false},
        {"\x79"
         "abcd",
         5, OK, 2, false},
        {"\x79"
         "abc",
         4, ERR_MALFORMED, 0, false}, /* R3 */
        {"\x79", 1, OK, 2, true},
        {"\x7a\x01"
         "ab",
         4, OK, 2, true},
        {"\x7a\x02"
         "ab",
         4, OK, 2, false},
        {"\x7a\x03"
         "ab",
         4, ERR_MALFORMED, 0, false}, /* R4 */
        {"\x7a", 1, ERR_MALFORMED, 0, false},
        {"\x7a\xfc", 2, ERR_MALFORMED, 0, false},
        {"\x7b", 1, ERR_MALFORMED, 0, false},     /* R6 */
        {"\x7b\x00", 2, ERR_MALFORMED, 0, false}, /* R5: no frame */
        {"\x7b\x01"
         "ab",
         4, OK, 1, false},
        {"\x7b\x02"
         "ab",
         4, OK, 2, true},
        {"\x7b\x02"
         "abc",
         5, ERR_MALFORMED, 0, false},
        {"\x7b\x06"
         "abcdef",
         8, OK, 6, true},
        {"\x7b\x07"
         "abcdefg",
         9, ERR_MALFORMED, 0, false}, /* R5: 140 ms */
        {"\x7b\x82\x02"
         "abcd",
         7, OK, 2, false}, /* VBR */
        {"\x7b\x82\x05"
         "abcd",
         7, ERR_MALFORMED, 0, false},
        {"\x7b\x41\x02"
         "ab\0\0",
         7, OK, 1, false}, /* padding */
        {"\x7b\x41\x05"
         "ab\0\0",
         7, ERR_MALFORMED, 0, false},
        {"\x7b\x41\xff", 3, ERR_MALFORMED, 0, false},
        {"\x83\x3f", 2, ERR_MALFORMED, 0, false}, /* 63 frames of 2.5 ms */
        {"\x83\x30", 2, OK, 48, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct opus_info o;
        assert_int_equal(opus_parse(&o, slice_of(rows[i].bytes, rows[i].n)), rows[i].want);
        if (rows[i].want != OK)
            continue;
        assert_int_equal(o.n_frames, rows[i].frames);
        assert_int_equal(o.dtx, rows[i].dtx);
    }
    static uint8_t large[1 + OPUS_FRAME_BYTES_MAX + 1] = {0x78};
    struct opus_info o;
    assert_int_equal(opus_parse(&o, slice_of(large, sizeof large - 1)), OK);
    assert_int_equal(opus_parse(&o, slice_of(large, sizeof large)), ERR_MALFORMED); /* R2 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_toc_gives_mode_bandwidth_and_duration),
        cmocka_unit_test(frame_codes_follow_rfc_6716),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
