#include "proto/rtp_ext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HEADER "\x80\x60\x12\x34\x00\x00\x10\x00\xde\xad\xbe\xef"

static void view_of(struct rtp_view *v, uint8_t *buf, const char *block, size_t n)
{
    memcpy(buf, HEADER, 12);
    buf[0] |= 0x10;
    memcpy(buf + 12, block, n);
    assert_int_equal(rtp_parse(v, buf, 12 + n), OK);
}

/* RFC 8285 4.2: lengths 1, 2 and 4 with padding between them */
static void one_byte_elements_are_found(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct rtp_view v;
    struct rtp_ext_index x;
    view_of(&v, buf,
            "\xbe\xde\x00\x03\x10"
            "a\x21"
            "bc\x00\x00\x33"
            "defg"
            "\x00",
            17);
    assert_int_equal(rtp_ext_index_build(&x, &v), OK);
    assert_int_equal(rtp_ext_at(&x, &v, 1).n, 1);
    assert_memory_equal(rtp_ext_at(&x, &v, 1).p, "a", 1);
    assert_int_equal(rtp_ext_at(&x, &v, 2).n, 2);
    assert_memory_equal(rtp_ext_at(&x, &v, 2).p, "bc", 2);
    assert_int_equal(rtp_ext_at(&x, &v, 3).n, 4);
    assert_memory_equal(rtp_ext_find(&v, 3).p, "defg", 4);
    assert_null(rtp_ext_at(&x, &v, 4).p);
    assert_null(rtp_ext_find(&v, 4).p);
    assert_null(rtp_ext_at(&x, &v, 0).p);
    assert_null(rtp_ext_at(&x, &v, 15).p);
    assert_null(rtp_ext_at(&x, &v, 255).p);
}

static void two_byte_elements_may_be_empty_and_have_high_ids(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct rtp_view v;
    struct rtp_ext_index x;
    view_of(&v, buf,
            "\x10\x05\x00\x03\x01\x00\x00\x02\x03"
            "abc"
            "\xc8\x02"
            "de",
            16);
    assert_int_equal(rtp_ext_index_build(&x, &v), OK);
    assert_non_null(rtp_ext_at(&x, &v, 1).p);
    assert_int_equal(rtp_ext_at(&x, &v, 1).n, 0);
    assert_memory_equal(rtp_ext_at(&x, &v, 2).p, "abc", 3);
    assert_int_equal(rtp_ext_find(&v, 200).n, 2);
    assert_memory_equal(rtp_ext_find(&v, 200).p, "de", 2);
}

static void an_element_over_the_end_is_left_out(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct rtp_view v;
    struct rtp_ext_index x;
    view_of(&v, buf,
            "\xbe\xde\x00\x01\x10"
            "a\x2f"
            "b"
            "payload.",
            16);
    assert_int_equal(rtp_ext_index_build(&x, &v), ERR_TRUNCATED);
    assert_int_equal(rtp_ext_at(&x, &v, 1).n, 1);
    assert_null(rtp_ext_at(&x, &v, 2).p);
    assert_null(rtp_ext_find(&v, 2).p);
    view_of(&v, buf,
            "\x10\x00\x00\x01\x01\x03"
            "ab",
            8);
    assert_int_equal(rtp_ext_index_build(&x, &v), ERR_TRUNCATED);
    assert_null(rtp_ext_find(&v, 1).p);
    view_of(&v, buf,
            "\x10\x00\x00\x01\x01\x01"
            "a\x02",
            8); /* a length byte is missing */
    assert_int_equal(rtp_ext_index_build(&x, &v), ERR_TRUNCATED);
    assert_non_null(rtp_ext_find(&v, 1).p);
}

static void id_15_ends_the_one_byte_form(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct rtp_view v;
    struct rtp_ext_index x;
    view_of(&v, buf,
            "\xbe\xde\x00\x02\x10"
            "a\xf0\x00\x20"
            "b\x00\x00",
            12);
    assert_int_equal(rtp_ext_index_build(&x, &v), OK);
    assert_non_null(rtp_ext_at(&x, &v, 1).p);
    assert_null(rtp_ext_at(&x, &v, 2).p);
}

static void the_first_of_a_repeated_id_counts_and_other_profiles_have_none(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct rtp_view v;
    struct rtp_ext_index x;
    view_of(&v, buf,
            "\xbe\xde\x00\x01\x10"
            "a\x10"
            "b",
            8);
    assert_int_equal(rtp_ext_index_build(&x, &v), OK);
    assert_memory_equal(rtp_ext_at(&x, &v, 1).p, "a", 1);
    assert_memory_equal(rtp_ext_find(&v, 1).p, "a", 1);
    view_of(&v, buf,
            "\xbe\xdf\x00\x01\x10"
            "a\x10"
            "b",
            8);
    assert_int_equal(rtp_ext_index_build(&x, &v), OK);
    assert_null(rtp_ext_find(&v, 1).p);
    assert_null(rtp_ext_at(&x, &v, 1).p);
}

static void an_element_can_be_patched_in_the_packet(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct rtp_view v;
    size_t n = 0;
    view_of(&v, buf, "\xbe\xde\x00\x01\x52\x01\x02\x03", 8);
    uint8_t *p = rtp_ext_find_mut(&v, 5, &n);
    assert_non_null(p);
    assert_int_equal(n, 3);
    put_u24(p, 0xabcdef);
    assert_memory_equal(buf + 17, "\xab\xcd\xef", 3);
    assert_null(rtp_ext_find_mut(&v, 6, &n));
    assert_int_equal(n, 0);
}

static void blocks_are_written_in_the_form_that_items_need(void **state)
{
    (void)state;
    static const uint8_t long_value[17] = {1};
    uint8_t buf[64];
    const struct rtp_ext_item small[] = {{1, slice_of("a", 1)}, {14, slice_of("bcd", 3)}};
    const struct rtp_ext_item large[] = {{1, slice_of(long_value, 17)}, {3, slice_of("", 0)}};
    struct wr w = wr_of(buf, sizeof buf);
    assert_int_equal(rtp_ext_form_for(small, 2), RTP_EXT_ONE_BYTE);
    assert_int_equal(rtp_ext_size(RTP_EXT_ONE_BYTE, small, 2), 12);
    assert_int_equal(rtp_ext_write(&w, RTP_EXT_ONE_BYTE, small, 2), OK);
    assert_int_equal(wr_len(&w), 12);
    assert_memory_equal(buf,
                        "\xbe\xde\x00\x02\x10"
                        "a\xe2"
                        "bcd\x00\x00",
                        12);
    w = wr_of(buf, sizeof buf);
    assert_int_equal(rtp_ext_form_for(large, 2), RTP_EXT_TWO_BYTE);
    assert_int_equal(rtp_ext_write(&w, RTP_EXT_ONE_BYTE, large, 2), ERR_RANGE);
    assert_int_equal(rtp_ext_write(&w, RTP_EXT_TWO_BYTE, large, 2), OK);
    assert_int_equal(wr_len(&w), rtp_ext_size(RTP_EXT_TWO_BYTE, large, 2));
    assert_int_equal(wr_len(&w), 28);
    w = wr_of(buf, 11);
    assert_int_equal(rtp_ext_write(&w, RTP_EXT_ONE_BYTE, small, 2), ERR_TOO_LARGE);
    assert_int_equal(wr_len(&w), 0);
    const struct rtp_ext_item bad[] = {{15, slice_of("a", 1)}, {0, slice_of("a", 1)}};
    w = wr_of(buf, sizeof buf);
    assert_int_equal(rtp_ext_write(&w, RTP_EXT_ONE_BYTE, bad, 1), ERR_RANGE);
    assert_int_equal(rtp_ext_write(&w, RTP_EXT_TWO_BYTE, bad + 1, 1), ERR_RANGE);
    assert_int_equal(rtp_ext_write(&w, RTP_EXT_TWO_BYTE, bad, 0), OK);
    assert_int_equal(wr_len(&w), 0);
}

static void a_packet_is_copied_with_other_extensions(void **state)
{
    (void)state;
    uint8_t buf[64];
    uint8_t out[64];
    struct rtp_view v;
    struct rtp_view made;
    struct rtp_view again;
    const struct rtp_ext_item items[] = {{4, slice_of("mid0", 4)}};
    memcpy(buf,
           "\xb1\xe0\x12\x34\x00\x00\x10\x00\xde\xad\xbe\xef"
           "CSRC"
           "\x10\x00\x00\x01\x01\x02"
           "xy"
           "payload"
           "\x00\x02",
           33);
    assert_int_equal(rtp_parse(&v, buf, 33), OK);
    struct wr w = wr_of(out, sizeof out);
    assert_int_equal(rtp_ext_copy_packet(&w, &v, RTP_EXT_ONE_BYTE, items, 1, &made), OK);
    assert_int_equal(rtp_parse(&again, out, wr_len(&w)), OK);
    assert_int_equal(made.len, again.len);
    assert_int_equal(made.payload_at, again.payload_at);
    assert_int_equal(made.ext_at, again.ext_at);
    assert_int_equal(made.ext_len, again.ext_len);
    assert_int_equal(made.ext_profile, again.ext_profile);
    assert_int_equal(again.padding, 0);
    assert_int_equal(again.csrc_count, 1);
    assert_memory_equal(rtp_payload(&again), "payload", 7);
    assert_memory_equal(rtp_ext_find(&again, 4).p, "mid0", 4);
    assert_null(rtp_ext_find(&again, 1).p);
    w = wr_of(out, sizeof out);
    assert_int_equal(rtp_ext_copy_packet(&w, &v, RTP_EXT_ONE_BYTE, NULL, 0, &made), OK);
    assert_int_equal(rtp_parse(&again, out, wr_len(&w)), OK);
    assert_int_equal(again.ext_at, 0);
    assert_int_equal(again.payload_len, 7);
    for (size_t n = 0; n < 31; n++) {
        w = wr_of(out, n);
        assert_int_equal(rtp_ext_copy_packet(&w, &v, RTP_EXT_ONE_BYTE, items, 1, NULL),
                         ERR_TOO_LARGE);
    }
}

static void uris_and_kinds_match(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RTP_EXT_KIND_COUNT; i++) {
        const char *uri = rtp_ext_uri((enum rtp_ext_kind)i);
        assert_int_equal(rtp_ext_kind_of(slice_of(uri, strlen(uri))), i);
        assert_int_equal(rtp_ext_kind_of(slice_of(uri, strlen(uri) - 1)), RTP_EXT_KIND_COUNT);
    }
    assert_int_equal(RTP_EXT_KIND_COUNT, 11);
    assert_int_equal(rtp_ext_kind_of(slice_of("", 0)), RTP_EXT_KIND_COUNT);
}

static void texts_are_tokens_that_fit(void **state)
{
    (void)state;
    char out[5];
    assert_int_equal(rtp_ext_read_text(slice_of("ab-1", 4), out, sizeof out), OK);
    assert_string_equal(out, "ab-1");
    assert_int_equal(rtp_ext_read_text(slice_of("abcde", 5), out, sizeof out), ERR_TOO_LARGE);
    assert_int_equal(rtp_ext_read_text(slice_of("a b", 3), out, sizeof out), ERR_MALFORMED);
    assert_int_equal(rtp_ext_read_text(slice_of("a\0", 2), out, sizeof out), ERR_MALFORMED);
    assert_int_equal(rtp_ext_read_text(slice_of("\xc3\xa4", 2), out, sizeof out), ERR_MALFORMED);
    assert_int_equal(rtp_ext_read_text(slice_of("", 0), out, sizeof out), ERR_MALFORMED);
    assert_int_equal(rtp_ext_read_text((struct slice){0}, out, sizeof out), ERR_NOT_FOUND);
}

static void abs_send_time_is_6_18_fixed_point(void **state)
{
    (void)state;
    assert_int_equal(abs_send_time_of(0), 0);
    assert_int_equal(abs_send_time_of(USEC_PER_SEC), 1 << 18);
    assert_int_equal(abs_send_time_of(USEC_PER_SEC / 2), 1 << 17);
    assert_int_equal(abs_send_time_of(64 * USEC_PER_SEC), 0);            /* wraps */
    assert_int_equal(abs_send_time_of(63 * USEC_PER_SEC + 999999), 0);   /* rounds up */
    assert_int_equal(abs_send_time_of(1000000LL * 3600 * 24 * 365 * 50), /* whole seconds */
                     3600LL * 24 * 365 * 50 % 64 << 18);
    for (usec t = 0; t < 64 * USEC_PER_SEC - 10; t += 123457) {
        usec back = abs_send_time_to_usec(abs_send_time_of(t));
        assert_true(back - t <= 4 && t - back <= 4);
    }
}

static void typed_values_round_trip(void **state)
{
    (void)state;
    uint8_t b[16];
    uint32_t u32 = 0;
    uint16_t u16 = 0;
    struct audio_level level;
    assert_int_equal(rtp_ext_read_audio_level(slice_of("\xff", 1), &level), OK);
    assert_true(level.voice && level.level == 127);
    b[0] = rtp_ext_audio_level_byte((struct audio_level){.level = 200, .voice = false});
    assert_int_equal(b[0], 127);

    struct video_orientation o;
    assert_int_equal(rtp_ext_read_video_orientation(slice_of("\x0f", 1), &o), OK);
    assert_true(o.camera_back && o.flip && o.rotation == 270);
    assert_int_equal(rtp_ext_video_orientation_byte(o), 0x0f);

    static const int32_t offsets[] = {0, 1, -1, 0x7fffff, -0x800000};
    for (size_t i = 0; i < 5; i++) {
        int32_t back = 0;
        rtp_ext_put_toffset(b, offsets[i]);
        assert_int_equal(rtp_ext_read_toffset(slice_of(b, 3), &back), OK);
        assert_int_equal(back, offsets[i]);
    }

    struct abs_capture_time t = {.ntp = 0xe123456789abcdef, .offset = -5, .has_offset = true};
    struct abs_capture_time back;
    assert_int_equal(rtp_ext_put_abs_capture_time(b, &t), 16);
    assert_int_equal(rtp_ext_read_abs_capture_time(slice_of(b, 16), &back), OK);
    assert_true(back.ntp == t.ntp && back.offset == -5 && back.has_offset);
    assert_int_equal(rtp_ext_read_abs_capture_time(slice_of(b, 8), &back), OK);
    assert_true(back.ntp == t.ntp && !back.has_offset);
    assert_int_equal(rtp_ext_read_abs_capture_time(slice_of(b, 12), &back), ERR_MALFORMED);

    struct playout_delay d;
    rtp_ext_put_playout_delay(b, (struct playout_delay){.min_10ms = 4095, .max_10ms = 1});
    assert_int_equal(rtp_ext_read_playout_delay(slice_of(b, 3), &d), OK);
    assert_true(d.min_10ms == 4095 && d.max_10ms == 1);

    assert_int_equal(rtp_ext_read_twcc(slice_of("\xff\xfe", 2), &u16), OK);
    assert_int_equal(u16, 0xfffe);
    assert_int_equal(rtp_ext_read_twcc(slice_of("\xff", 1), &u16), ERR_MALFORMED);
    assert_int_equal(rtp_ext_read_twcc((struct slice){0}, &u16), ERR_NOT_FOUND);
    assert_int_equal(rtp_ext_read_abs_send_time(slice_of("\x01\x02\x03", 3), &u32), OK);
    assert_int_equal(u32, 0x010203);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_byte_elements_are_found),
        cmocka_unit_test(two_byte_elements_may_be_empty_and_have_high_ids),
        cmocka_unit_test(an_element_over_the_end_is_left_out),
        cmocka_unit_test(id_15_ends_the_one_byte_form),
        cmocka_unit_test(the_first_of_a_repeated_id_counts_and_other_profiles_have_none),
        cmocka_unit_test(an_element_can_be_patched_in_the_packet),
        cmocka_unit_test(blocks_are_written_in_the_form_that_items_need),
        cmocka_unit_test(a_packet_is_copied_with_other_extensions),
        cmocka_unit_test(uris_and_kinds_match),
        cmocka_unit_test(texts_are_tokens_that_fit),
        cmocka_unit_test(abs_send_time_is_6_18_fixed_point),
        cmocka_unit_test(typed_values_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
