#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "worker/rtp/picture_size.h"

#define SIZE(codec, ...)                                                                           \
    size_of(codec, (const uint8_t[]){__VA_ARGS__}, sizeof(uint8_t[]){__VA_ARGS__})

/* width << 16 | height; 0: not known. */
static uint32_t size_of(enum codec codec, const uint8_t *p, size_t n)
{
    struct picture_size s;
    if (!picture_size_read(codec, slice_of(p, n), &s))
        return 0;
    return (uint32_t)s.width << 16 | s.height;
}

static void vp8_says_it_in_the_key_frame(void **state)
{
    (void)state;
    assert_int_equal(SIZE(CODEC_VP8, 0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01),
                     640 << 16 | 360);
    assert_int_equal(SIZE(CODEC_VP8, 0x10, 0x11, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01),
                     0);
    assert_int_equal(SIZE(CODEC_VP8, 0x10, 0x10, 0, 0, 0x9d), 0);
}

static void vp9_says_it_in_the_frame_header_or_for_all_layers_before_it(void **state)
{
    (void)state;
    /* As libvpx wrote it: 322x182. */
    assert_int_equal(SIZE(CODEC_VP9, 0x08, 0xa2, 0x49, 0x83, 0x42, 0xe0, 0x14, 0x10, 0x0b, 0x56),
                     0);
    assert_int_equal(SIZE(CODEC_VP9, 0x08, 0x82, 0x49, 0x83, 0x42, 0x20, 0x14, 0x10, 0x0b, 0x50),
                     322 << 16 | 182);
    assert_int_equal(SIZE(CODEC_VP9, 0x08, 0x82, 0x49, 0x83, 0x42, 0x20, 0x14), 0);
    /* Two layers with their sizes: N_S 1, Y. */
    assert_int_equal(
        SIZE(CODEC_VP9, 0x0a, 0x30, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68, 0x82),
        640 << 16 | 360);
}

static void h264_says_it_in_the_sps(void **state)
{
    (void)state;
    assert_int_equal(SIZE(CODEC_H264, 0x67, 0x42, 0xc0, 0x16, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0xc0,
                          0x44, 0, 0, 3, 0, 4, 0, 0, 3, 0, 0x28, 0x3c, 0x58, 0xba, 0x80),
                     640 << 16 | 360);
    /* 638x362, by cropping; behind another NAL unit of a STAP-A. */
    assert_int_equal(SIZE(CODEC_H264, 0x78, 0, 2, 0x09, 0xf0, 0, 24, 0x67, 0x42, 0xc0, 0x16, 0xda,
                          0x02, 0x80, 0xbf, 0xa9, 0x30, 0x11, 0, 0, 3, 0, 1, 0, 0, 3, 0, 0x0a, 0x0f,
                          0x16, 0x2e),
                     638 << 16 | 362);
    assert_int_equal(SIZE(CODEC_H264, 0x65, 1, 2, 3), 0);
    assert_int_equal(SIZE(CODEC_H264, 0x67, 0x42), 0);
}

static void others_do_not_say_it(void **state)
{
    (void)state;
    assert_int_equal(SIZE(CODEC_OPUS, 0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01),
                     0);
    assert_int_equal(size_of(CODEC_VP8, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vp8_says_it_in_the_key_frame),
        cmocka_unit_test(vp9_says_it_in_the_frame_header_or_for_all_layers_before_it),
        cmocka_unit_test(h264_says_it_in_the_sps),
        cmocka_unit_test(others_do_not_say_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
