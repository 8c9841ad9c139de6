#include "worker/rtp/layer_selector.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { INTRA = 1, INTER_LAYER = 2, UP = 4, KEY = 8, LAST = 16 };

static struct layer_packet frame(int64_t at, uint8_t spatial, uint8_t temporal, unsigned flags)
{
    struct layer_packet p = {.picture = at,
                             .spatial = spatial,
                             .temporal = temporal,
                             .marker = (flags & LAST) != 0,
                             .key_frame = (flags & KEY) != 0,
                             .info = LAYER_INFO_VP9,
                             .vp9 = {.picture_id = (uint16_t)at & 0x7fff,
                                     .picture_id_at = 1,
                                     .picture_id_15 = true,
                                     .has_layers = true,
                                     .tl0_at = 4,
                                     .tl0_pic_idx = (uint8_t)at,
                                     .spatial = spatial,
                                     .temporal = temporal,
                                     .start = true,
                                     .end = true,
                                     .switching_up = (flags & UP) != 0,
                                     .inter_layer = (flags & INTER_LAYER) != 0,
                                     .inter_picture = (flags & (INTRA | KEY)) == 0,
                                     .key_frame = (flags & KEY) != 0}};
    return p;
}

static struct selector begin(bool key_svc, struct layers target)
{
    struct selector s;
    struct layer_packet p = frame(1000, 0, 0, KEY);
    selector_init(&s, CODEC_VP9, key_svc);
    selector_set_target(&s, target);
    selector_sync(&s, &p);
    assert_int_equal(selector_packet(&s, &p).verdict, LAYER_FORWARD);
    return s;
}

static struct selector begin_at(bool key_svc, int8_t spatial, int8_t temporal)
{
    return begin(key_svc, (struct layers){.spatial = spatial, .temporal = temporal});
}

static struct layer_choice give(struct selector *s, int64_t at, uint8_t spatial, uint8_t temporal,
                                unsigned flags)
{
    struct layer_packet p = frame(at, spatial, temporal, flags);
    return selector_packet(s, &p);
}

static bool passes(struct selector *s, int64_t at, uint8_t spatial, uint8_t temporal,
                   unsigned flags)
{
    return give(s, at, spatial, temporal, flags).verdict == LAYER_FORWARD;
}

static void want(struct selector *s, int8_t spatial, int8_t temporal)
{
    selector_set_target(s, (struct layers){.spatial = spatial, .temporal = temporal});
}

static void the_marker_moves_to_the_highest_layer_that_is_sent(void **state)
{
    (void)state;
    struct selector s = begin_at(false, 1, 0);
    assert_false(give(&s, 1001, 0, 0, 0).marker);
    assert_true(give(&s, 1001, 1, 0, INTER_LAYER).marker);
    assert_false(passes(&s, 1001, 2, 0, INTER_LAYER | LAST));
    /* A picture with fewer layers keeps its own. */
    assert_true(give(&s, 1002, 0, 0, LAST).marker);
}

static void a_lower_layer_is_taken_at_the_next_picture(void **state)
{
    (void)state;
    struct selector s = begin_at(false, 2, 0);
    assert_true(passes(&s, 1001, 0, 0, 0));
    want(&s, 0, 0);
    assert_true(passes(&s, 1001, 2, 0, INTER_LAYER | LAST));
    struct layer_choice c = give(&s, 1002, 0, 0, 0);
    assert_true(c.marker);
    assert_false(c.want_key_frame);
    assert_false(passes(&s, 1002, 1, 0, INTER_LAYER));
    /* The last packet of the picture before, late. */
    assert_true(passes(&s, 1001, 2, 0, INTER_LAYER | LAST));
}

static void a_higher_layer_asks_for_a_key_frame_only_when_it_is_there(void **state)
{
    (void)state;
    struct selector s = begin_at(false, 0, 0);
    want(&s, 2, 0);
    assert_false(give(&s, 1001, 0, 0, 0).want_key_frame);
    struct layer_choice c = give(&s, 1001, 1, 0, INTER_LAYER);
    assert_int_equal(c.verdict, LAYER_DROP);
    assert_true(c.want_key_frame);
    assert_true(passes(&s, 1002, 0, 0, KEY));
    assert_true(passes(&s, 1002, 1, 0, INTRA | INTER_LAYER));
    assert_true(passes(&s, 1002, 2, 0, INTRA | INTER_LAYER | LAST));
    assert_true(passes(&s, 1003, 2, 0, INTER_LAYER | LAST));
}

static void a_layer_that_begins_anew_on_the_one_below_is_joined(void **state)
{
    (void)state;
    struct selector s = begin_at(false, 0, 1);
    want(&s, 2, 1);
    assert_true(passes(&s, 1001, 0, 1, 0));
    /* Not on a higher temporal layer: what follows may depend on what was left out. */
    assert_false(passes(&s, 1001, 1, 1, INTRA | INTER_LAYER));
    assert_true(passes(&s, 1002, 0, 0, 0));
    assert_true(passes(&s, 1002, 1, 0, INTRA | INTER_LAYER));
    assert_false(passes(&s, 1002, 2, 0, INTER_LAYER | LAST));
    assert_int_equal(selector_current(&s).spatial, 1);
}

static void key_svc_sends_one_layer_between_key_pictures(void **state)
{
    (void)state;
    struct selector s = begin_at(true, 1, 0);
    assert_true(passes(&s, 1000, 1, 0, INTRA | INTER_LAYER));
    assert_false(passes(&s, 1000, 2, 0, INTRA | INTER_LAYER | LAST));
    assert_false(passes(&s, 1001, 0, 0, 0));
    assert_true(give(&s, 1001, 1, 0, 0).marker);
    assert_false(passes(&s, 1001, 2, 0, LAST));
}

static void key_svc_changes_layers_at_key_pictures_only(void **state)
{
    (void)state;
    struct selector s = begin_at(true, 1, 0);
    assert_true(passes(&s, 1000, 1, 0, INTRA | INTER_LAYER));
    want(&s, 0, 0);
    assert_true(give(&s, 1001, 0, 0, 0).want_key_frame);
    assert_true(passes(&s, 1001, 1, 0, 0));
    assert_true(passes(&s, 1002, 0, 0, KEY));
    assert_false(passes(&s, 1002, 1, 0, INTRA | INTER_LAYER));
    assert_true(passes(&s, 1003, 0, 0, 0));
}

static void key_svc_without_its_layer_asks_and_takes_what_there_is(void **state)
{
    (void)state;
    struct selector s = begin_at(true, 2, 0);
    assert_true(passes(&s, 1000, 2, 0, INTRA | INTER_LAYER | LAST));
    bool asked = false;
    for (int64_t at = 1001; at < 1020; at++) {
        asked |= give(&s, at, 0, 0, 0).want_key_frame;
        asked |= give(&s, at, 1, 0, LAST).want_key_frame;
        assert_true(at > 1005 || !asked);
    }
    assert_true(asked);
    assert_true(passes(&s, 1020, 0, 0, KEY));
    assert_true(passes(&s, 1020, 1, 0, INTRA | INTER_LAYER | LAST));
    assert_true(passes(&s, 1021, 1, 0, LAST));
}

static void a_structure_says_how_many_layers_there_are(void **state)
{
    (void)state;
    struct selector s;
    struct layer_packet p = frame(1, 0, 0, KEY);
    p.vp9.ss.n_spatial = 2;
    selector_init(&s, CODEC_VP9, true);
    selector_sync(&s, &p);
    assert_int_equal(selector_packet(&s, &p).verdict, LAYER_FORWARD);
    assert_int_equal(selector_current(&s).spatial, 1);
}

static void temporal_layers_are_joined_at_switching_points(void **state)
{
    (void)state;
    struct selector s = begin_at(false, 0, 0);
    want(&s, 0, 2);
    assert_false(passes(&s, 1001, 0, 2, UP)); /* one step at a time */
    assert_false(passes(&s, 1002, 0, 1, 0));
    assert_true(passes(&s, 1003, 0, 1, UP));
    assert_false(passes(&s, 1004, 0, 2, 0));
    assert_true(passes(&s, 1005, 0, 2, UP));
    want(&s, 0, 0);
    assert_false(passes(&s, 1006, 0, 1, UP));
    want(&s, 0, 2);
    /* On the lowest layer: nothing above depends on what was before. */
    assert_true(passes(&s, 1007, 0, 0, UP));
    assert_true(passes(&s, 1008, 0, 2, 0));
}

static void picture_ids_keep_their_holes_and_go_on_over_a_change_of_source(void **state)
{
    (void)state;
    struct selector s = begin_at(false, 0, 0);
    assert_false(passes(&s, 1001, 0, 1, 0));
    assert_int_equal(give(&s, 1002, 0, 0, 0).patch, 0);
    struct layer_packet p = frame(40, 0, 0, KEY);
    selector_sync(&s, &p);
    assert_int_equal(selector_packet(&s, &p).patch, layer_patch_picture(1003, (uint8_t)(1002 + 1)));
    assert_int_equal(give(&s, 42, 0, 0, 0).patch, layer_patch_picture(1005, (uint8_t)(1002 + 3)));
    assert_false(passes(&s, 39, 0, 0, 0));
}

static void a_stream_without_layer_indices_passes(void **state)
{
    (void)state;
    struct selector s = begin_at(false, 0, 0);
    struct layer_packet p = frame(1001, 0, 0, 0);
    p.vp9.has_layers = false;
    assert_int_equal(selector_packet(&s, &p).verdict, LAYER_FORWARD);
    assert_false(selector_packet(&s, &p).marker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_marker_moves_to_the_highest_layer_that_is_sent),
        cmocka_unit_test(a_lower_layer_is_taken_at_the_next_picture),
        cmocka_unit_test(a_higher_layer_asks_for_a_key_frame_only_when_it_is_there),
        cmocka_unit_test(a_layer_that_begins_anew_on_the_one_below_is_joined),
        cmocka_unit_test(key_svc_sends_one_layer_between_key_pictures),
        cmocka_unit_test(key_svc_changes_layers_at_key_pictures_only),
        cmocka_unit_test(key_svc_without_its_layer_asks_and_takes_what_there_is),
        cmocka_unit_test(a_structure_says_how_many_layers_there_are),
        cmocka_unit_test(temporal_layers_are_joined_at_switching_points),
        cmocka_unit_test(picture_ids_keep_their_holes_and_go_on_over_a_change_of_source),
        cmocka_unit_test(a_stream_without_layer_indices_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
