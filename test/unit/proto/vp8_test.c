#include "proto/vp8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KEY "\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01"

static void descriptors_of_every_shape_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        struct vp8_desc want;
    } rows[] = {
        {"\x10\x01", 2, {.header_len = 1, .start = true}},
        {"\x33\x01", 2, {.header_len = 1, .start = true, .non_reference = true, .partition = 3}},
        {"\x80\x00\x01", 3, {.header_len = 2}},
        {"\x80\x80\x7f\x01", 4, {.header_len = 3, .picture_id_at = 2, .picture_id = 127}},
        {"\x80\x80\xff\xff\x01",
         5,
         {.header_len = 4, .picture_id_at = 2, .picture_id = 32767, .picture_id_15 = true}},
        {"\x80\x40\xfe\x01", 4, {.header_len = 3, .tl0_at = 2, .tl0_pic_idx = 254}},
        {"\x80\x20\xa7\x01",
         4,
         {.header_len = 3, .has_temporal = true, .temporal = 2, .layer_sync = true}},
        {"\x80\x10\xe7\x01", 4, {.header_len = 3, .has_key_idx = true, .key_idx = 7}},
        {"\x90\xf0\x92\x34\x05\x5f\x01",
         7,
         {.header_len = 6,
          .picture_id_at = 2,
          .picture_id = 0x1234,
          .picture_id_15 = true,
          .tl0_at = 4,
          .tl0_pic_idx = 5,
          .has_temporal = true,
          .temporal = 1,
          .has_key_idx = true,
          .key_idx = 31,
          .start = true}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vp8_desc d;
        const struct vp8_desc *w = &rows[i].want;
        assert_int_equal(vp8_parse(&d, slice_of(rows[i].bytes, rows[i].n)), OK);
        assert_int_equal(d.header_len, w->header_len);
        assert_int_equal(d.picture_id_at, w->picture_id_at);
        assert_int_equal(d.picture_id, w->picture_id);
        assert_int_equal(d.picture_id_15, w->picture_id_15);
        assert_int_equal(d.tl0_at, w->tl0_at);
        assert_int_equal(d.tl0_pic_idx, w->tl0_pic_idx);
        assert_int_equal(d.has_temporal, w->has_temporal);
        assert_int_equal(d.temporal, w->temporal);
        assert_int_equal(d.layer_sync, w->layer_sync);
        assert_int_equal(d.has_key_idx, w->has_key_idx);
        assert_int_equal(d.key_idx, w->key_idx);
        assert_int_equal(d.start, w->start);
        assert_int_equal(d.non_reference, w->non_reference);
        assert_int_equal(d.partition, w->partition);
        assert_false(d.key_frame);
        /* and not with one byte less */
        for (size_t n = 0; n < rows[i].n; n++)
            assert_int_equal(vp8_parse(&d, slice_of(rows[i].bytes, n)), ERR_TRUNCATED);
    }
}

static void a_key_frame_gives_its_size(void **state)
{
    (void)state;
    struct vp8_desc d;
    assert_int_equal(vp8_parse(&d, slice_of("\x10" KEY, 11)), OK);
    assert_true(d.key_frame);
    assert_int_equal(d.width, 640);
    assert_int_equal(d.height, 480);
    assert_int_equal(vp8_parse(&d, slice_of("\x10" KEY, 10)), OK); /* cut: key, size unknown */
    assert_true(d.key_frame);
    assert_int_equal(d.width, 0);
    assert_int_equal(vp8_parse(&d, slice_of("\x10\x10\x02\x00\x9d\x01\x2b\x80\x02\xe0\x01", 11)),
                     OK);
    assert_int_equal(d.width, 0);
}

static void only_the_start_of_the_first_partition_is_a_key_frame(void **state)
{
    (void)state;
    struct vp8_desc d;
    assert_int_equal(vp8_parse(&d, slice_of("\x00" KEY, 11)), OK);
    assert_false(d.key_frame);
    assert_int_equal(vp8_parse(&d, slice_of("\x11" KEY, 11)), OK);
    assert_false(d.key_frame);
    assert_int_equal(vp8_parse(&d, slice_of("\x10\x11", 2)), OK); /* P: an interframe */
    assert_false(d.key_frame);
}

static void rewriting_keeps_the_width_of_the_picture_id(void **state)
{
    (void)state;
    struct vp8_desc d;
    uint8_t wide[] = {0x90, 0xc0, 0x80, 0x01, 0x05, 0x01};
    assert_int_equal(vp8_parse(&d, slice_of(wide, sizeof wide)), OK);
    vp8_rewrite(&d, wide, 0x7fff, 255);
    assert_memory_equal(wide, "\x90\xc0\xff\xff\xff\x01", 6);
    uint8_t narrow[] = {0x90, 0x80, 0x7f, 0x01};
    assert_int_equal(vp8_parse(&d, slice_of(narrow, sizeof narrow)), OK);
    vp8_rewrite(&d, narrow, 0x0180, 9);
    assert_memory_equal(narrow, "\x90\x80\x00\x01", 4);
    uint8_t none[4] = {0x10, 0x01};
    assert_int_equal(vp8_parse(&d, slice_of(none, 2)), OK);
    vp8_rewrite(&d, none, 5, 5);
    assert_memory_equal(none, "\x10\x01", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_of_every_shape_are_read),
        cmocka_unit_test(a_key_frame_gives_its_size),
        cmocka_unit_test(only_the_start_of_the_first_partition_is_a_key_frame),
        cmocka_unit_test(rewriting_keeps_the_width_of_the_picture_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
