#include "proto/dd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* L1T2 of 640x360: two decode targets, three templates, one chain. Packed by hand from the syntax
 * of A.8.2; template 0 is the key frame, 1 the base layer, 2 the upper one. */
static const uint8_t key_frame[] = {0xc0, 0x00, 0x01, 0xc0, 0x01, 0x1e, 0xbc, 0x51,
                                    0x41, 0x01, 0x0c, 0x09, 0xfc, 0x05, 0x9f};
static const uint8_t upper_frame[] = {0xc2, 0x00, 0x02};
/* template 1 with its own DTIs (discardable, switch), fdiff 5, chain diff 7 */
static const uint8_t custom_frame[] = {0xc1, 0x00, 0x03, 0x3b, 0x28, 0x03, 0x80};

static struct slice s(const uint8_t *p, size_t n)
{
    return slice_of(p, n);
}

static void a_key_frame_brings_the_structure(void **state)
{
    (void)state;
    static struct dd_structure st;
    struct dd d;
    assert_int_equal(dd_parse(s(key_frame, sizeof key_frame), NULL, &st, &d), OK);
    assert_true(d.start_of_frame && d.end_of_frame && d.has_structure && d.has_active_targets);
    assert_int_equal(d.frame_number, 1);
    assert_int_equal(d.template_id, 0);
    assert_int_equal(d.active_targets, 3);
    assert_int_equal(st.n_templates, 3);
    assert_int_equal(st.n_targets, 2);
    assert_int_equal(st.n_chains, 1);
    assert_int_equal(st.max_spatial, 0);
    assert_int_equal(st.max_temporal, 1);
    assert_int_equal(st.templates[2].temporal, 1);
    assert_int_equal(st.templates[0].n_fdiffs, 0);
    assert_int_equal(st.templates[1].fdiffs[0], 2);
    assert_int_equal(st.templates[2].fdiffs[0], 1);
    assert_int_equal(st.templates[1].chain_fdiffs[0], 2);
    assert_int_equal(st.templates[0].dtis[0], DD_SWITCH);
    assert_int_equal(st.templates[2].dtis[0], DD_NOT_PRESENT);
    assert_int_equal(st.templates[2].dtis[1], DD_DISCARDABLE);
    assert_int_equal(st.target_temporal[0], 0);
    assert_int_equal(st.target_temporal[1], 1);
    assert_int_equal(d.width, 640);
    assert_int_equal(d.height, 360);
    assert_int_equal(dd_targets_for(&st, 0, 0), 1);
    assert_int_equal(dd_targets_for(&st, 0, 1), 3);
}

static void later_frames_need_the_structure(void **state)
{
    (void)state;
    static struct dd_structure st;
    static struct dd_structure other;
    struct dd d;
    assert_int_equal(dd_parse(s(upper_frame, 3), NULL, &other, &d), ERR_NOT_FOUND);
    assert_int_equal(dd_parse(s(key_frame, sizeof key_frame), NULL, &st, &d), OK);
    assert_int_equal(dd_parse(s(upper_frame, 3), &st, &other, &d), OK);
    assert_false(d.has_structure);
    assert_int_equal(d.frame_number, 2);
    assert_int_equal(d.temporal, 1);
    assert_int_equal(d.n_fdiffs, 1);
    assert_int_equal(d.fdiffs[0], 1);
    assert_int_equal(dd_parse(s(custom_frame, sizeof custom_frame), &st, &other, &d), OK);
    assert_int_equal(d.temporal, 0);
    assert_int_equal(d.dtis[0], DD_DISCARDABLE);
    assert_int_equal(d.dtis[1], DD_SWITCH);
    assert_int_equal(d.n_fdiffs, 1);
    assert_int_equal(d.fdiffs[0], 5);
    assert_int_equal(d.chain_fdiffs[0], 7);
    const uint8_t unknown_template[] = {0xc3, 0x00, 0x04};
    assert_int_equal(dd_parse(s(unknown_template, 3), &st, &other, &d), ERR_NOT_FOUND);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    static struct dd_structure st;
    static struct dd_structure known;
    struct dd d;
    for (size_t n = 0; n < sizeof key_frame; n++)
        assert_int_not_equal(dd_parse(s(key_frame, n), NULL, &st, &d), OK);
    assert_int_equal(dd_parse(s(key_frame, sizeof key_frame), NULL, &known, &d), OK);
    /* the last byte holds only the end of the chain difference */
    for (size_t n = 4; n < sizeof custom_frame; n++)
        assert_int_equal(dd_parse(s(custom_frame, n), &known, &st, &d), ERR_TRUNCATED);
}

static void hostile_structures_are_bounded(void **state)
{
    (void)state;
    static struct dd_structure st;
    struct dd d;
    uint8_t e[DD_LEN_MAX + 1];
    memset(e, 0, sizeof e);
    e[3] = 0x80; /* a structure; layers: 00 for ever */
    assert_int_equal(dd_parse(s(e, DD_LEN_MAX), NULL, &st, &d), ERR_TOO_LARGE);
    memset(e + 4, 0x55, sizeof e - 4); /* 01 for ever: temporal layers without end */
    assert_int_equal(dd_parse(s(e, DD_LEN_MAX), NULL, &st, &d), ERR_MALFORMED);
    memset(e + 4, 0xaa, sizeof e - 4); /* 10 for ever: spatial layers without end */
    assert_int_equal(dd_parse(s(e, DD_LEN_MAX), NULL, &st, &d), ERR_MALFORMED);
    memset(e + 4, 0xff, sizeof e - 4); /* one template with references without end */
    assert_int_equal(dd_parse(s(e, DD_LEN_MAX), NULL, &st, &d), ERR_TOO_LARGE);
    assert_int_equal(dd_parse(s(e, DD_LEN_MAX + 1), NULL, &st, &d), ERR_TOO_LARGE);
}

static void what_is_written_is_what_was_read(void **state)
{
    (void)state;
    static struct dd_structure st;
    static struct dd_structure other;
    struct dd d;
    uint8_t out[64];
    struct wr w = wr_of(out, sizeof out);
    assert_int_equal(dd_parse(s(key_frame, sizeof key_frame), NULL, &st, &d), OK);
    assert_int_equal(dd_write(&w, &st, &d), OK);
    assert_int_equal(wr_len(&w), sizeof key_frame);
    assert_memory_equal(out, key_frame, sizeof key_frame);
    assert_int_equal(dd_parse(s(custom_frame, sizeof custom_frame), &st, &other, &d), OK);
    w = wr_of(out, sizeof out);
    assert_int_equal(dd_write(&w, &st, &d), OK);
    assert_int_equal(wr_len(&w), sizeof custom_frame);
    assert_memory_equal(out, custom_frame, sizeof custom_frame);
}

static void a_forwarder_can_name_the_active_targets(void **state)
{
    (void)state;
    static struct dd_structure st;
    static struct dd_structure other;
    struct dd d;
    struct dd back;
    uint8_t out[64];
    struct wr w = wr_of(out, sizeof out);
    assert_int_equal(dd_parse(s(key_frame, sizeof key_frame), NULL, &st, &d), OK);
    assert_int_equal(dd_parse(s(upper_frame, 3), &st, &other, &d), OK);
    d.has_active_targets = true;
    d.active_targets = dd_targets_for(&st, 0, 0);
    assert_int_equal(dd_write(&w, &st, &d), OK);
    assert_int_equal(dd_parse(s(out, wr_len(&w)), &st, &other, &back), OK);
    assert_true(back.has_active_targets);
    assert_int_equal(back.active_targets, 1);
    for (size_t n = 0; n < wr_len(&w); n++) {
        uint8_t small[8];
        struct wr v = wr_of(small, n);
        assert_int_equal(dd_write(&v, &st, &d), ERR_TOO_LARGE);
    }
    d.template_id = 9;
    w = wr_of(out, sizeof out);
    assert_int_equal(dd_write(&w, &st, &d), ERR_RANGE);
    assert_int_equal(wr_len(&w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_frame_brings_the_structure),
        cmocka_unit_test(later_frames_need_the_structure),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(hostile_structures_are_bounded),
        cmocka_unit_test(what_is_written_is_what_was_read),
        cmocka_unit_test(a_forwarder_can_name_the_active_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
