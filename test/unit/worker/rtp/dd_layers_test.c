/* Layers of AV1, by the dependency descriptor as it stands on the wire. */
#include "worker/rtp/layer_selector.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

/* A sender with S spatial layers of T temporal ones; decode target s * T + t. */
struct sender {
    struct dd_structure structure;
    struct layer_stream stream;
    uint8_t n_temporal;
    bool key_svc;
    uint8_t element[DD_LEN_MAX]; /* of the last packet */
    size_t len;
};

static bool in_target(const struct sender *s, unsigned sp, unsigned t, bool key, unsigned target)
{
    unsigned ts = target / s->n_temporal;
    return t <= target % s->n_temporal && (sp == ts || (sp < ts && (key || !s->key_svc)));
}

static void sender_init(struct sender *s, uint8_t n_spatial, uint8_t n_temporal, bool key_svc)
{
    memset(s, 0, sizeof *s);
    s->n_temporal = n_temporal;
    s->key_svc = key_svc;
    struct dd_structure *d = &s->structure;
    d->id_offset = 5;
    d->n_targets = (uint8_t)(n_spatial * n_temporal);
    d->max_spatial = (uint8_t)(n_spatial - 1);
    d->max_temporal = (uint8_t)(n_temporal - 1);
    for (unsigned sp = 0; sp < n_spatial; sp++)
        for (unsigned k = 0; k <= n_temporal; k++) {
            struct dd_template *t = &d->templates[d->n_templates++];
            t->spatial = (uint8_t)sp;
            t->temporal = (uint8_t)(k == 0 ? 0 : k - 1);
            for (unsigned i = 0; i < d->n_targets; i++)
                t->dtis[i] = in_target(s, sp, t->temporal, k == 0, i) ? DD_SWITCH : DD_NOT_PRESENT;
        }
    assert_int_equal(layer_stream_init(&s->stream, CODEC_AV1, true), OK);
}

enum { KEY = 1, REQUIRED = 2, LAST = 4 };

/* One frame in one packet; picture at, frame number, references as distances (0: none). */
static struct layer_packet frame(struct sender *s, uint32_t at, uint16_t number, uint8_t spatial,
                                 uint8_t temporal, unsigned flags, uint16_t ref1, uint16_t ref2)
{
    bool key = (flags & KEY) != 0;
    unsigned index = spatial * (s->n_temporal + 1U) + (key ? 0 : 1U + temporal);
    struct dd d = {.start_of_frame = true,
                   .end_of_frame = true,
                   .frame_number = number,
                   .template_id = (uint8_t)((s->structure.id_offset + index) % 64),
                   .has_structure = key && spatial == 0,
                   .custom_dtis = (flags & REQUIRED) != 0,
                   .custom_fdiffs = true,
                   .n_fdiffs = (uint8_t)((ref1 != 0) + (ref2 != 0)),
                   .fdiffs = {ref1, ref2}};
    for (unsigned i = 0; i < s->structure.n_targets; i++)
        d.dtis[i] = in_target(s, spatial, temporal, key, i) ? DD_REQUIRED : DD_NOT_PRESENT;
    struct wr w = wr_of(s->element, sizeof s->element);
    assert_int_equal(dd_write(&w, &s->structure, &d), OK);
    s->len = wr_len(&w);
    struct rtp_view v = {.timestamp = at, .seq = number, .marker = (flags & LAST) != 0};
    struct layer_packet p;
    layer_stream_packet(&s->stream, &v, slice_of(s->element, s->len), d.has_structure, &p);
    return p;
}

static struct dd patched(struct sender *s, layer_patch patch)
{
    static struct dd_structure fresh;
    uint8_t scratch[DD_LEN_MAX];
    struct dd d;
    struct slice e = layer_patch_dd(&s->stream, patch, slice_of(s->element, s->len), scratch);
    assert_int_equal(dd_parse(e, &s->structure, &fresh, &d), OK);
    return d;
}

static struct selector begin(struct sender *s, int8_t spatial, int8_t temporal)
{
    struct selector sel;
    selector_init(&sel, CODEC_AV1, false);
    selector_set_target(&sel, (struct layers){.spatial = spatial, .temporal = temporal});
    struct layer_packet p = frame(s, 0, 100, 0, 0, KEY, 0, 0);
    selector_sync(&sel, &p);
    return sel;
}

static struct layer_choice give(struct selector *sel, struct layer_packet p)
{
    return selector_packet(sel, &p);
}

static void want(struct selector *sel, int8_t spatial, int8_t temporal)
{
    selector_set_target(sel, (struct layers){.spatial = spatial, .temporal = temporal});
}

static void frames_of_the_decode_target_pass_with_the_marker_on_the_last(void **state)
{
    (void)state;
    struct sender s;
    sender_init(&s, 2, 1, false);
    struct selector sel = begin(&s, 0, 0);
    assert_true(give(&sel, frame(&s, 0, 100, 0, 0, KEY, 0, 0)).marker);
    assert_int_equal(give(&sel, frame(&s, 0, 101, 1, 0, KEY | LAST, 1, 0)).verdict, LAYER_DROP);
    struct layer_choice c = give(&sel, frame(&s, 3000, 102, 0, 0, 0, 2, 0));
    assert_int_equal(c.verdict, LAYER_FORWARD);
    assert_true(c.marker);
    layer_stream_fini(&s.stream);
}

static void the_receiver_is_told_which_targets_it_still_gets(void **state)
{
    (void)state;
    struct sender s;
    sender_init(&s, 2, 2, false);
    struct selector sel = begin(&s, 0, 1);
    struct layer_choice c = give(&sel, frame(&s, 0, 100, 0, 0, KEY, 0, 0));
    struct dd d = patched(&s, c.patch);
    assert_true(d.has_structure && d.has_active_targets);
    assert_int_equal(d.active_targets, 0x3);
    assert_int_equal(d.frame_number, 100);
    want(&sel, 0, 0);
    c = give(&sel, frame(&s, 3000, 102, 0, 0, 0, 2, 0));
    assert_int_equal(patched(&s, c.patch).active_targets, 0x1);
    c = give(&sel, frame(&s, 6000, 104, 0, 0, 0, 2, 0));
    assert_int_equal(c.patch, 0);
    layer_stream_fini(&s.stream);
}

static void with_everything_nothing_is_patched(void **state)
{
    (void)state;
    struct sender s;
    sender_init(&s, 2, 2, false);
    struct selector sel = begin(&s, LAYER_ANY, LAYER_ANY);
    assert_int_equal(give(&sel, frame(&s, 0, 100, 0, 0, KEY, 0, 0)).patch, 0);
    assert_int_equal(give(&sel, frame(&s, 0, 101, 1, 0, KEY | LAST, 1, 0)).patch, 0);
    layer_stream_fini(&s.stream);
}

static void a_higher_layer_needs_frames_that_were_dropped_so_it_asks_for_a_key_frame(void **state)
{
    (void)state;
    struct sender s;
    sender_init(&s, 2, 1, false);
    struct selector sel = begin(&s, 0, 0);
    give(&sel, frame(&s, 0, 100, 0, 0, KEY, 0, 0));
    give(&sel, frame(&s, 0, 101, 1, 0, KEY | LAST, 1, 0));
    want(&sel, 1, 0);
    assert_false(give(&sel, frame(&s, 3000, 102, 0, 0, REQUIRED, 2, 0)).want_key_frame);
    struct layer_choice c = give(&sel, frame(&s, 3000, 103, 1, 0, LAST, 2, 1));
    assert_int_equal(c.verdict, LAYER_DROP);
    assert_true(c.want_key_frame);
    /* On the layer below alone it can be joined. */
    give(&sel, frame(&s, 6000, 104, 0, 0, REQUIRED, 2, 0));
    c = give(&sel, frame(&s, 6000, 105, 1, 0, LAST, 1, 0));
    assert_int_equal(c.verdict, LAYER_FORWARD);
    assert_int_equal(selector_current(&sel).spatial, 1);
    layer_stream_fini(&s.stream);
}

static void key_svc_goes_down_at_key_frames_only(void **state)
{
    (void)state;
    struct sender s;
    sender_init(&s, 2, 1, true);
    struct selector sel = begin(&s, 1, 0);
    assert_int_equal(give(&sel, frame(&s, 0, 100, 0, 0, KEY, 0, 0)).verdict, LAYER_FORWARD);
    assert_int_equal(give(&sel, frame(&s, 0, 101, 1, 0, KEY | LAST, 1, 0)).verdict, LAYER_FORWARD);
    assert_int_equal(give(&sel, frame(&s, 3000, 102, 0, 0, 0, 2, 0)).verdict, LAYER_DROP);
    assert_int_equal(give(&sel, frame(&s, 3000, 103, 1, 0, LAST, 2, 0)).verdict, LAYER_FORWARD);
    want(&sel, 0, 0);
    struct layer_choice c = give(&sel, frame(&s, 6000, 104, 0, 0, 0, 2, 0));
    assert_int_equal(c.verdict, LAYER_DROP);
    assert_true(c.want_key_frame);
    assert_int_equal(give(&sel, frame(&s, 6000, 105, 1, 0, LAST, 2, 0)).verdict, LAYER_FORWARD);
    assert_int_equal(give(&sel, frame(&s, 9000, 106, 0, 0, KEY, 0, 0)).verdict, LAYER_FORWARD);
    assert_int_equal(give(&sel, frame(&s, 9000, 107, 1, 0, KEY | LAST, 1, 0)).verdict, LAYER_DROP);
    layer_stream_fini(&s.stream);
}

static void temporal_layers_change_at_switch_indications(void **state)
{
    (void)state;
    struct sender s;
    sender_init(&s, 1, 2, false);
    struct selector sel = begin(&s, 0, 0);
    give(&sel, frame(&s, 0, 100, 0, 0, KEY | LAST, 0, 0));
    assert_int_equal(give(&sel, frame(&s, 3000, 101, 0, 1, LAST, 1, 0)).verdict, LAYER_DROP);
    want(&sel, 0, 1);
    give(&sel, frame(&s, 6000, 102, 0, 0, REQUIRED | LAST, 2, 0));
    assert_int_equal(give(&sel, frame(&s, 9000, 103, 0, 1, LAST, 1, 2)).verdict, LAYER_DROP);
    give(&sel, frame(&s, 12000, 104, 0, 0, LAST, 2, 0));
    assert_int_equal(give(&sel, frame(&s, 15000, 105, 0, 1, LAST, 1, 0)).verdict, LAYER_FORWARD);
    layer_stream_fini(&s.stream);
}

static void frame_numbers_go_on_over_a_change_of_source(void **state)
{
    (void)state;
    struct sender s;
    struct sender other;
    sender_init(&s, 1, 1, false);
    sender_init(&other, 1, 1, false);
    struct selector sel = begin(&s, 0, 0);
    give(&sel, frame(&s, 0, 100, 0, 0, KEY, 0, 0));
    give(&sel, frame(&s, 3000, 101, 0, 0, 0, 1, 0));
    struct layer_packet p = frame(&other, 50, 65535, 0, 0, KEY, 0, 0);
    selector_sync(&sel, &p);
    assert_int_equal(patched(&other, give(&sel, p).patch).frame_number, 102);
    struct layer_choice c = give(&sel, frame(&other, 60, 1, 0, 0, 0, 2, 0));
    assert_int_equal(patched(&other, c.patch).frame_number, 104);
    layer_stream_fini(&s.stream);
    layer_stream_fini(&other.stream);
}

static void a_frame_without_its_structure_is_put_off(void **state)
{
    (void)state;
    struct sender s;
    sender_init(&s, 1, 1, false);
    struct selector sel = begin(&s, 0, 0);
    give(&sel, frame(&s, 0, 100, 0, 0, KEY, 0, 0));
    s.structure.id_offset = 20;
    struct layer_choice c = give(&sel, frame(&s, 6000, 103, 0, 0, 0, 1, 0));
    assert_int_equal(c.verdict, LAYER_UNKNOWN);
    assert_true(c.want_key_frame);
    give(&sel, frame(&s, 3000, 102, 0, 0, KEY, 0, 0));
    assert_int_equal(give(&sel, frame(&s, 6000, 103, 0, 0, 0, 1, 0)).verdict, LAYER_FORWARD);
    /* A frame from before, by its own structure. */
    s.structure.id_offset = 5;
    assert_int_equal(give(&sel, frame(&s, 1500, 101, 0, 0, 0, 1, 0)).verdict, LAYER_FORWARD);
    layer_stream_fini(&s.stream);
}

static void without_descriptors_everything_passes(void **state)
{
    (void)state;
    struct selector sel;
    struct layer_packet p = {.picture = 5, .marker = true, .key_frame = true};
    selector_init(&sel, CODEC_AV1, false);
    selector_sync(&sel, &p);
    assert_int_equal(selector_packet(&sel, &p).verdict, LAYER_FORWARD);
    assert_int_equal(selector_packet(&sel, &p).patch, 0);
    /* A key frame with one that cannot be read: better all than nothing. */
    p.info = LAYER_INFO_MISSING;
    selector_sync(&sel, &p);
    p.key_frame = false;
    p.picture = 6;
    assert_int_equal(selector_packet(&sel, &p).verdict, LAYER_FORWARD);
}

static void bad_descriptors_are_missing_ones(void **state)
{
    (void)state;
    struct layer_stream s;
    struct rtp_view v = {.timestamp = 1};
    struct layer_packet p;
    static const uint8_t bytes[] = {0xc0, 0, 1, 0x80};
    assert_int_equal(layer_stream_init(&s, CODEC_AV1, true), OK);
    for (size_t n = 1; n <= sizeof bytes; n++) {
        layer_stream_packet(&s, &v, slice_of(bytes, n), false, &p);
        assert_int_equal(p.info, LAYER_INFO_MISSING);
    }
    layer_stream_packet(&s, &v, slice_of(bytes, 0), false, &p);
    assert_int_equal(p.info, LAYER_INFO_NONE);
    layer_stream_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_the_decode_target_pass_with_the_marker_on_the_last),
        cmocka_unit_test(the_receiver_is_told_which_targets_it_still_gets),
        cmocka_unit_test(with_everything_nothing_is_patched),
        cmocka_unit_test(a_higher_layer_needs_frames_that_were_dropped_so_it_asks_for_a_key_frame),
        cmocka_unit_test(key_svc_goes_down_at_key_frames_only),
        cmocka_unit_test(temporal_layers_change_at_switch_indications),
        cmocka_unit_test(frame_numbers_go_on_over_a_change_of_source),
        cmocka_unit_test(a_frame_without_its_structure_is_put_off),
        cmocka_unit_test(without_descriptors_everything_passes),
        cmocka_unit_test(bad_descriptors_are_missing_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
