#include "worker/rtp/codec.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define BYTES(...) slice_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void mime_types_are_found_whatever_their_case(void **state)
{
    (void)state;
    assert_int_equal(codec_of_mime("audio/opus"), CODEC_OPUS);
    assert_int_equal(codec_of_mime("VIDEO/vp8"), CODEC_VP8);
    assert_int_equal(codec_of_mime("video/h264"), CODEC_H264);
    assert_int_equal(codec_of_mime("video/rtx"), CODEC_VIDEO_RTX);
    assert_int_equal(codec_of_mime("video/H266"), CODEC_UNKNOWN);
    assert_int_equal(codec_of_mime(""), CODEC_UNKNOWN);
    for (int i = CODEC_UNKNOWN + 1; i < CODEC_COUNT; i++)
        assert_int_equal(codec_of_mime(codec_mime((enum codec)i)), i);
    assert_string_equal(codec_mime(CODEC_UNKNOWN), "");
    assert_int_equal(codec_kind(CODEC_OPUS), MEDIA_KIND_AUDIO);
    assert_int_equal(codec_kind(CODEC_AV1), MEDIA_KIND_VIDEO);
    assert_true(codec_is_rtx(CODEC_AUDIO_RTX));
    assert_false(codec_is_rtx(CODEC_VP8));
}

static void vp8_key_frames_begin_with_the_p_bit_clear(void **state)
{
    (void)state;
    struct slice key = BYTES(0x10, 0x50, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00);
    struct slice later = BYTES(0x00, 0x50, 0x01, 0x00);
    struct slice delta = BYTES(0x10, 0x51, 0x01, 0x00);
    assert_true(codec_is_key_frame(CODEC_VP8, key));
    assert_false(codec_is_key_frame(CODEC_VP8, later));
    assert_false(codec_is_key_frame(CODEC_VP8, delta));
    assert_true(codec_may_start(CODEC_VP8, key));
    assert_false(codec_may_start(CODEC_VP8, delta));
}

static void vp9_key_frames_begin_with_b_and_without_p(void **state)
{
    (void)state;
    /* I, L, B, E: not predicted; TID 0, SID 0; TL0PICIDX */
    assert_true(codec_is_key_frame(CODEC_VP9, BYTES(0xac, 0x05, 0x00, 0x00, 0x82)));
    assert_false(codec_is_key_frame(CODEC_VP9, BYTES(0xec, 0x05, 0x00, 0x00, 0x82)));
    assert_false(codec_is_key_frame(CODEC_VP9, BYTES(0xa4, 0x05, 0x00, 0x00, 0x82)));
}

static void h264_key_frames_begin_with_sps_or_idr(void **state)
{
    (void)state;
    struct slice sps = BYTES(0x67, 0x42, 0xe0, 0x1f);
    struct slice idr = BYTES(0x65, 0x88, 0x80);
    struct slice fu_start = BYTES(0x7c, 0x85, 0x88);
    struct slice fu_middle = BYTES(0x7c, 0x05, 0x88);
    struct slice slice_nal = BYTES(0x41, 0x9a, 0x00);
    struct slice stap = BYTES(0x78, 0x00, 0x02, 0x67, 0x42, 0x00, 0x02, 0x68, 0xce);
    assert_true(codec_is_key_frame(CODEC_H264, sps));
    assert_true(codec_is_key_frame(CODEC_H264, idr));
    assert_true(codec_is_key_frame(CODEC_H264, fu_start));
    assert_true(codec_is_key_frame(CODEC_H264, stap));
    assert_false(codec_is_key_frame(CODEC_H264, fu_middle));
    assert_false(codec_is_key_frame(CODEC_H264, slice_nal));
    assert_true(codec_has_parameter_sets(CODEC_H264, stap));
    assert_false(codec_has_parameter_sets(CODEC_H264, idr));
}

static void av1_key_frames_begin_a_coded_video_sequence(void **state)
{
    (void)state;
    /* W=1, N; a sequence header OBU */
    assert_true(codec_is_key_frame(CODEC_AV1, BYTES(0x18, 0x08, 0x00, 0x00)));
    assert_false(codec_is_key_frame(CODEC_AV1, BYTES(0x10, 0x30, 0x00, 0x00)));
}

static void audio_may_start_anywhere(void **state)
{
    (void)state;
    assert_true(codec_may_start(CODEC_OPUS, BYTES(0x78, 0x01)));
    assert_false(codec_is_key_frame(CODEC_OPUS, BYTES(0x78, 0x01)));
    assert_false(codec_has_key_frames(CODEC_PCMU));
    assert_true(codec_has_key_frames(CODEC_VP9));
}

static void opus_filler_is_told_from_speech(void **state)
{
    (void)state;
    assert_true(codec_is_dtx(CODEC_OPUS, BYTES(0x78)));
    assert_false(codec_is_dtx(CODEC_OPUS, BYTES(0x78, 0x01, 0x02, 0x03, 0x04)));
    assert_false(codec_is_dtx(CODEC_PCMU, BYTES(0x78)));
    assert_false(codec_is_dtx(CODEC_OPUS, slice_of(NULL, 0)));
}

static void empty_and_broken_payloads_are_no_key_frames(void **state)
{
    (void)state;
    for (int c = CODEC_UNKNOWN; c < CODEC_COUNT; c++) {
        assert_false(codec_is_key_frame((enum codec)c, slice_of(NULL, 0)));
        assert_false(codec_is_key_frame((enum codec)c, BYTES(0xff)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mime_types_are_found_whatever_their_case),
        cmocka_unit_test(vp8_key_frames_begin_with_the_p_bit_clear),
        cmocka_unit_test(vp9_key_frames_begin_with_b_and_without_p),
        cmocka_unit_test(h264_key_frames_begin_with_sps_or_idr),
        cmocka_unit_test(av1_key_frames_begin_a_coded_video_sequence),
        cmocka_unit_test(audio_may_start_anywhere),
        cmocka_unit_test(opus_filler_is_told_from_speech),
        cmocka_unit_test(empty_and_broken_payloads_are_no_key_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
