#include "worker/rtp/layer_selector.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

static void codecs_without_layers_pass_unchanged(void **state)
{
    (void)state;
    static const enum codec codecs[] = {CODEC_H264, CODEC_AV1, CODEC_OPUS};
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        struct selector s;
        struct layer_packet p = {.picture = 1, .key_frame = true};
        selector_init(&s, codecs[i], false);
        assert_int_equal(selector_packet(&s, &p).verdict, LAYER_DROP);
        selector_set_target(&s, (struct layers){0});
        selector_sync(&s, &p);
        for (int k = 0; k < 10; k++) {
            p = (struct layer_packet){.picture = 2 + k, .marker = k % 2 == 0};
            struct layer_choice c = selector_packet(&s, &p);
            assert_int_equal(c.verdict, LAYER_FORWARD);
            assert_int_equal(c.marker, p.marker);
            assert_int_equal(c.patch, 0);
        }
        assert_int_equal(selector_current(&s).spatial, 0);
    }
}

static void key_svc_is_told_to_vp9(void **state)
{
    (void)state;
    struct selector s;
    selector_init(&s, CODEC_VP9, true);
    assert_true(s.vp9.key_svc);
    selector_init(&s, CODEC_VP9, false);
    assert_false(s.vp9.key_svc);
}

static void what_cannot_be_parsed_passes_but_starts_nothing(void **state)
{
    (void)state;
    static const enum codec codecs[] = {CODEC_VP8, CODEC_VP9};
    uint8_t empty[RTP_HEADER_LEN] = {0x80};
    for (size_t i = 0; i < 2; i++) {
        struct layer_stream stream;
        struct layer_packet p;
        struct rtp_view v;
        assert_int_equal(layer_stream_init(&stream, codecs[i], true), OK);
        assert_null(stream.dd);
        assert_int_equal(rtp_parse(&v, empty, sizeof empty), OK);
        layer_stream_packet(&stream, &v, slice_of(NULL, 0), false, &p);
        assert_int_equal(p.info, LAYER_INFO_MISSING);
        struct selector s;
        selector_init(&s, codecs[i], false);
        assert_int_equal(selector_packet(&s, &p).verdict, LAYER_DROP);
        layer_stream_fini(&stream);
    }
}

static void pictures_are_counted_over_the_wrap_of_their_timestamps(void **state)
{
    (void)state;
    struct layer_stream s;
    struct layer_packet a;
    struct layer_packet b;
    struct rtp_view v = {.timestamp = UINT32_MAX - 10};
    assert_int_equal(layer_stream_init(&s, CODEC_H264, false), OK);
    layer_stream_packet(&s, &v, slice_of(NULL, 0), true, &a);
    v.timestamp = 5;
    layer_stream_packet(&s, &v, slice_of(NULL, 0), false, &b);
    assert_int_equal(b.picture - a.picture, 16);
    assert_true(a.key_frame && !b.key_frame);
    layer_stream_fini(&s);
}

static void a_patch_changes_vp9_in_place_and_nothing_else(void **state)
{
    (void)state;
    uint8_t payload[] = {0xac, 0x85, 0x01, 0x30, 0x07, 0xff};
    uint8_t before[sizeof payload];
    struct vp9_desc d;
    memcpy(before, payload, sizeof payload);
    layer_patch_payload(CODEC_H264, layer_patch_picture(1, 1), payload, sizeof payload);
    layer_patch_payload(CODEC_VP9, LAYER_PATCH_EMPTY, payload, sizeof payload);
    assert_memory_equal(payload, before, sizeof payload);
    layer_patch_payload(CODEC_VP9, layer_patch_picture(0x4567, 0x89), payload, sizeof payload);
    assert_int_equal(vp9_parse(&d, slice_of(payload, sizeof payload)), OK);
    assert_int_equal(d.picture_id, 0x4567);
    assert_int_equal(d.tl0_pic_idx, 0x89);
    assert_int_equal(payload[5], 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codecs_without_layers_pass_unchanged),
        cmocka_unit_test(key_svc_is_told_to_vp9),
        cmocka_unit_test(what_cannot_be_parsed_passes_but_starts_nothing),
        cmocka_unit_test(pictures_are_counted_over_the_wrap_of_their_timestamps),
        cmocka_unit_test(a_patch_changes_vp9_in_place_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
