#include "proto/vp9.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void non_flexible_layers_are_read(void **state)
{
    (void)state;
    /* I L B, 15 bits, T2 U S1 D, TL0PICIDX 7 */
    static const char bytes[] = "\xa9\xff\xfe\x53\x07\x00";
    struct vp9_desc d;
    assert_int_equal(vp9_parse(&d, slice_of(bytes, 6)), OK);
    assert_int_equal(d.picture_id, 0x7ffe);
    assert_true(d.picture_id_15);
    assert_int_equal(d.picture_id_at, 1);
    assert_true(d.has_layers && !d.flexible && d.start && !d.end && d.not_upper_reference);
    assert_int_equal(d.layers_at, 3);
    assert_int_equal(d.temporal, 2);
    assert_int_equal(d.spatial, 1);
    assert_true(d.switching_up && d.inter_layer);
    assert_int_equal(d.tl0_at, 4);
    assert_int_equal(d.tl0_pic_idx, 7);
    assert_int_equal(d.header_len, 5);
    assert_false(d.key_frame); /* the upper spatial layer */
    for (size_t n = 0; n < 6; n++)
        assert_int_equal(vp9_parse(&d, slice_of(bytes, n)), ERR_TRUNCATED);
}

static void flexible_mode_has_references_and_no_tl0(void **state)
{
    (void)state;
    /* I P L F B, 7 bits, T1 S0, three references */
    struct vp9_desc d;
    assert_int_equal(vp9_parse(&d, slice_of("\xf8\x05\x20\x03\x05\x08\x00", 7)), OK);
    assert_true(d.flexible && d.inter_picture && !d.picture_id_15);
    assert_int_equal(d.picture_id, 5);
    assert_int_equal(d.temporal, 1);
    assert_int_equal(d.tl0_at, 0);
    assert_int_equal(d.n_refs, 3);
    assert_int_equal(d.refs[0], 1);
    assert_int_equal(d.refs[1], 2);
    assert_int_equal(d.refs[2], 4);
    assert_int_equal(d.header_len, 6);
    assert_int_equal(vp9_parse(&d, slice_of("\xf8\x05\x20\x03\x05\x09\x00\x00", 8)), ERR_MALFORMED);
    assert_int_equal(vp9_parse(&d, slice_of("\xf8\x05\x20\x03", 4)), ERR_TRUNCATED);
}

static void the_scalability_structure_is_read(void **state)
{
    (void)state;
    /* I L B V; 2 layers with sizes, a group of 2 pictures with 1 and 2 references */
    static const char bytes[] = "\xaa\x01\x00\x05"
                                "\x38\x01\x40\x00\xf0\x02\x80\x01\xe0\x02\x04\x01\x28\x01\x02"
                                "\x83";
    struct vp9_desc d;
    assert_int_equal(vp9_parse(&d, slice_of(bytes, sizeof bytes - 1)), OK);
    assert_int_equal(d.ss.n_spatial, 2);
    assert_true(d.ss.has_resolution);
    assert_int_equal(d.ss.width[0], 320);
    assert_int_equal(d.ss.height[0], 240);
    assert_int_equal(d.ss.width[1], 640);
    assert_int_equal(d.ss.height[1], 480);
    assert_int_equal(d.ss.n_group, 2);
    assert_int_equal(d.header_len, sizeof bytes - 2);
    assert_true(d.key_frame);
    for (size_t n = 0; n + 1 < sizeof bytes; n++)
        assert_int_equal(vp9_parse(&d, slice_of(bytes, n)), ERR_TRUNCATED);
}

static void key_frames_are_told_from_others(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        bool key;
    } rows[] = {
        {"\x08\x00", 2, true},          /* B */
        {"\x00\x00", 2, false},         /* not the first packet */
        {"\x48\x00", 2, false},         /* P */
        {"\x28\x00\x00\x00", 4, true},  /* L, S0 */
        {"\x28\x02\x00\x00", 4, false}, /* S1 */
        {"\x28\x01\x00\x00", 4, false}, /* D */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vp9_desc d;
        assert_int_equal(vp9_parse(&d, slice_of(rows[i].bytes, rows[i].n)), OK);
        assert_int_equal(d.key_frame, rows[i].key);
    }
}

static void rewriting_patches_what_is_there(void **state)
{
    (void)state;
    struct vp9_desc d;
    uint8_t wide[] = {0xa8, 0x80, 0x01, 0x00, 0x05, 0x01};
    assert_int_equal(vp9_parse(&d, slice_of(wide, sizeof wide)), OK);
    vp9_rewrite(&d, wide, 0x7fff, 255);
    assert_memory_equal(wide, "\xa8\xff\xff\x00\xff\x01", 6);
    uint8_t narrow[] = {0x88, 0x7f, 0x01};
    assert_int_equal(vp9_parse(&d, slice_of(narrow, sizeof narrow)), OK);
    vp9_rewrite(&d, narrow, 0x81, 9);
    assert_memory_equal(narrow, "\x88\x01\x01", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(non_flexible_layers_are_read),
        cmocka_unit_test(flexible_mode_has_references_and_no_tl0),
        cmocka_unit_test(the_scalability_structure_is_read),
        cmocka_unit_test(key_frames_are_told_from_others),
        cmocka_unit_test(rewriting_patches_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
