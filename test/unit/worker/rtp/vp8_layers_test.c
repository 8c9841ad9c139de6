#include "worker/rtp/layer_selector.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { NO_TL0 = 256 };

static struct layer_packet picture(int64_t at, uint16_t id, int tl0, uint8_t temporal, bool sync)
{
    struct layer_packet p = {.picture = at,
                             .marker = true,
                             .temporal = temporal,
                             .info = LAYER_INFO_VP8,
                             .vp8 = {.picture_id = id,
                                     .picture_id_at = 2,
                                     .picture_id_15 = true,
                                     .tl0_at = tl0 == NO_TL0 ? 0 : 4,
                                     .tl0_pic_idx = (uint8_t)tl0,
                                     .has_temporal = true,
                                     .temporal = temporal,
                                     .layer_sync = sync}};
    return p;
}

static struct layer_packet key(int64_t at, uint16_t id, int tl0)
{
    struct layer_packet p = picture(at, id, tl0, 0, true);
    p.key_frame = true;
    return p;
}

static struct selector begin(int8_t temporal, uint16_t id, uint8_t tl0)
{
    struct selector s;
    struct layer_packet p = key(1000, id, tl0);
    selector_init(&s, CODEC_VP8, false);
    selector_set_target(&s, (struct layers){.spatial = LAYER_ANY, .temporal = temporal});
    selector_sync(&s, &p);
    assert_int_equal(selector_packet(&s, &p).verdict, LAYER_FORWARD);
    return s;
}

static void dropped(struct selector *s, struct layer_packet p)
{
    assert_int_equal(selector_packet(s, &p).verdict, LAYER_DROP);
}

static layer_patch forwarded(struct selector *s, struct layer_packet p)
{
    struct layer_choice c = selector_packet(s, &p);
    assert_int_equal(c.verdict, LAYER_FORWARD);
    return c.patch;
}

static void what_is_not_changed_has_no_patch(void **state)
{
    (void)state;
    struct selector s = begin(2, 77, 8);
    assert_int_equal(forwarded(&s, picture(1001, 78, 8, 2, true)), 0);
    assert_int_equal(forwarded(&s, picture(1002, 79, 8, 1, true)), 0);
}

static void pictures_above_the_layer_are_left_out_and_ids_close_up(void **state)
{
    (void)state;
    struct selector s = begin(0, 32766, 255);
    dropped(&s, picture(1001, 32767, 255, 1, true));
    assert_int_equal(forwarded(&s, picture(1002, 0, 0, 0, false)), layer_patch_picture(32767, 0));
    dropped(&s, picture(1003, 1, 0, 1, false));
    assert_int_equal(forwarded(&s, picture(1004, 2, 1, 0, false)), layer_patch_picture(0, 1));
}

static void a_layer_is_joined_only_where_it_depends_on_the_lowest_alone(void **state)
{
    (void)state;
    struct selector s = begin(0, 10, 1);
    selector_set_target(&s, LAYERS_ANY);
    dropped(&s, picture(1001, 11, 1, 1, false));
    dropped(&s, picture(1002, 12, 1, 2, true)); /* one step at a time */
    forwarded(&s, picture(1003, 13, 1, 1, true));
    assert_int_equal(selector_current(&s).temporal, 1);
    dropped(&s, picture(1004, 14, 1, 2, false));
    forwarded(&s, picture(1005, 15, 1, 2, true));
    forwarded(&s, picture(1006, 16, 1, 2, false));
}

static void a_key_frame_opens_all_layers(void **state)
{
    (void)state;
    struct selector s = begin(0, 10, 1);
    selector_set_target(&s, LAYERS_ANY);
    forwarded(&s, key(1001, 11, 2));
    forwarded(&s, picture(1002, 12, 2, 2, false));
}

static void a_layer_is_left_at_once_but_not_in_the_middle_of_a_picture(void **state)
{
    (void)state;
    struct selector s = begin(2, 10, 1);
    forwarded(&s, picture(1001, 11, 1, 2, false));
    selector_set_target(&s, (struct layers){.spatial = LAYER_ANY, .temporal = 0});
    forwarded(&s, picture(1001, 11, 1, 2, false));
    dropped(&s, picture(1002, 12, 1, 1, false));
    forwarded(&s, picture(1001, 11, 1, 2, false)); /* its last packet, late */
}

static void a_late_picture_meets_the_fate_of_its_time(void **state)
{
    (void)state;
    struct selector s = begin(0, 10, 1);
    forwarded(&s, picture(1002, 12, NO_TL0, 0, false));
    selector_set_target(&s, LAYERS_ANY);
    forwarded(&s, picture(1004, 14, 2, 1, true));
    dropped(&s, picture(1003, 13, 2, 1, true)); /* before the layer was joined */
    assert_int_equal(forwarded(&s, picture(1005, 15, 2, 1, false)), 0);
}

static void lost_pictures_of_layers_that_are_not_wanted_leave_no_hole(void **state)
{
    (void)state;
    struct selector s = begin(0, 10, 1);
    assert_int_equal(forwarded(&s, picture(1004, 14, 2, 0, false)), layer_patch_picture(11, 2));
    dropped(&s, picture(1002, 12, 1, 0, false)); /* it cannot be what it says */
    /* TL0PICIDX tells that a picture of the lowest layer is missing. */
    assert_int_equal(forwarded(&s, picture(1009, 19, 4, 0, false)), layer_patch_picture(16, 4));
}

static void numbers_go_on_over_a_change_of_source(void **state)
{
    (void)state;
    struct selector s = begin(2, 32767, 255);
    struct layer_packet p = key(5, 400, 9);
    selector_sync(&s, &p);
    assert_int_equal(forwarded(&s, p), layer_patch_picture(0, 0));
    assert_int_equal(forwarded(&s, picture(6, 401, 10, 0, false)), layer_patch_picture(1, 1));
    dropped(&s, picture(4, 399, 9, 0, false));
}

static void ids_of_seven_bits_stay_seven_bits(void **state)
{
    (void)state;
    struct selector s;
    struct layer_packet p = key(1, 126, 1);
    p.vp8.picture_id_15 = false;
    selector_init(&s, CODEC_VP8, false);
    selector_set_target(&s, (struct layers){.spatial = LAYER_ANY, .temporal = 0});
    selector_sync(&s, &p);
    assert_int_equal(forwarded(&s, p), 0);
    struct layer_packet up = picture(2, 127, 1, 1, false);
    up.vp8.picture_id_15 = false;
    dropped(&s, up);
    for (uint16_t i = 0; i < 1000; i++) {
        struct layer_packet q = picture(3 + i, i & 0x7f, 2 + i, 0, false);
        q.vp8.picture_id_15 = false;
        assert_int_equal(forwarded(&s, q),
                         layer_patch_picture((uint16_t)(i + 127) & 0x7f, (uint8_t)(2 + i)));
    }
}

static void the_patch_is_applied_to_a_copy(void **state)
{
    (void)state;
    uint8_t payload[] = {0x90, 0xe0, 0x81, 0x02, 0x03, 0x40, 0x01, 0x00};
    struct vp8_desc d;
    layer_patch_payload(CODEC_VP8, layer_patch_picture(0x7123, 0xfe), payload, sizeof payload);
    assert_int_equal(vp8_parse(&d, slice_of(payload, sizeof payload)), OK);
    assert_int_equal(d.picture_id, 0x7123);
    assert_int_equal(d.tl0_pic_idx, 0xfe);
    assert_int_equal(d.temporal, 1);
    layer_patch_payload(CODEC_VP8, 0, payload, sizeof payload);
    layer_patch_payload(CODEC_VP8, LAYER_PATCH_REWRITE, payload, 1); /* cut short: untouched */
    assert_int_equal(payload[2], 0xf1);
}

static void before_a_sync_nothing_passes(void **state)
{
    (void)state;
    struct selector s;
    selector_init(&s, CODEC_VP8, false);
    dropped(&s, picture(1, 1, 1, 0, false));
    assert_true(layers_equal(selector_current(&s), LAYERS_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_changed_has_no_patch),
        cmocka_unit_test(pictures_above_the_layer_are_left_out_and_ids_close_up),
        cmocka_unit_test(a_layer_is_joined_only_where_it_depends_on_the_lowest_alone),
        cmocka_unit_test(a_key_frame_opens_all_layers),
        cmocka_unit_test(a_layer_is_left_at_once_but_not_in_the_middle_of_a_picture),
        cmocka_unit_test(a_late_picture_meets_the_fate_of_its_time),
        cmocka_unit_test(lost_pictures_of_layers_that_are_not_wanted_leave_no_hole),
        cmocka_unit_test(numbers_go_on_over_a_change_of_source),
        cmocka_unit_test(ids_of_seven_bits_stay_seven_bits),
        cmocka_unit_test(the_patch_is_applied_to_a_copy),
        cmocka_unit_test(before_a_sync_nothing_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
