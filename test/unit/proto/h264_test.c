#include "proto/h264.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void payloads_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        struct h264_info want;
    } rows[] = {
        {"\x41\x9a", 2, {.type = 1, .nal_type = 1, .start = true, .end = true}},
        {"\x65\x88",
         2,
         {.type = 5, .nal_type = 5, .start = true, .end = true, .idr = true, .key_frame = true}},
        {"\x67\x42",
         2,
         {.type = 7, .nal_type = 7, .start = true, .end = true, .sps = true, .key_frame = true}},
        {"\x68\xce", 2, {.type = 8, .nal_type = 8, .start = true, .end = true, .pps = true}},
        {"\x78\x00\x02\x67\x42\x00\x01\x68\x00\x01\x65",
         11,
         {.type = 24,
          .nal_type = 7,
          .start = true,
          .end = true,
          .sps = true,
          .pps = true,
          .idr = true,
          .key_frame = true}},
        {"\x7c\x85\x88",
         3,
         {.type = 28, .nal_type = 5, .start = true, .idr = true, .key_frame = true}},
        {"\x7c\x05\x88", 3, {.type = 28, .nal_type = 5}},
        {"\x7c\x45\x88", 3, {.type = 28, .nal_type = 5, .end = true}},
        {"\x7c\x87\x42",
         3,
         {.type = 28, .nal_type = 7, .start = true, .sps = true, .key_frame = true}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct h264_info h;
        const struct h264_info *w = &rows[i].want;
        assert_int_equal(h264_parse(&h, slice_of(rows[i].bytes, rows[i].n)), OK);
        assert_int_equal(h.type, w->type);
        assert_int_equal(h.nal_type, w->nal_type);
        assert_int_equal(h.start, w->start);
        assert_int_equal(h.end, w->end);
        assert_int_equal(h.sps, w->sps);
        assert_int_equal(h.pps, w->pps);
        assert_int_equal(h.idr, w->idr);
        assert_int_equal(h.key_frame, w->key_frame);
    }
}

static void hostile_payloads_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        enum err want;
    } rows[] = {
        {"", 0, ERR_TRUNCATED},
        {"\xe5\x88", 2, ERR_MALFORMED},               /* forbidden bit */
        {"\x60\x88", 2, ERR_MALFORMED},               /* type 0 */
        {"\x79\x00\x01\x65", 4, ERR_UNSUPPORTED},     /* STAP-B */
        {"\x7d\x85\x00\x00\x88", 5, ERR_UNSUPPORTED}, /* FU-B */
        {"\x7f\x85", 2, ERR_UNSUPPORTED},             /* type 31 */
        {"\x78", 1, ERR_TRUNCATED},                   /* a STAP-A of nothing */
        {"\x78\x00", 2, ERR_TRUNCATED},
        {"\x78\x00\x00", 3, ERR_MALFORMED}, /* an empty unit */
        {"\x78\xff\xff\x67", 4, ERR_TRUNCATED},
        {"\x78\x00\x01\x67\x00", 5, ERR_TRUNCATED},
        {"\x7c", 1, ERR_TRUNCATED},
        {"\x7c\x85", 2, ERR_TRUNCATED},
        {"\x7c\xc5\x88", 3, ERR_MALFORMED}, /* starts and ends */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct h264_info h;
        assert_int_equal(h264_parse(&h, slice_of(rows[i].bytes, rows[i].n)), rows[i].want);
    }
}

static void units_are_walked(void **state)
{
    (void)state;
    struct slice stap = slice_of("\x78\x00\x02\x67\x42\x00\x03\x68\x01\x02", 10);
    struct slice nal;
    size_t at = 0;
    assert_true(h264_next_nal(stap, &at, &nal));
    assert_int_equal(nal.n, 2);
    assert_memory_equal(nal.p, "\x67\x42", 2);
    assert_true(h264_next_nal(stap, &at, &nal));
    assert_memory_equal(nal.p, "\x68\x01\x02", 3);
    assert_false(h264_next_nal(stap, &at, &nal));
    at = 0;
    assert_true(h264_next_nal(slice_of("\x65\x88", 2), &at, &nal));
    assert_int_equal(nal.n, 2);
    assert_false(h264_next_nal(slice_of("\x65\x88", 2), &at, &nal));
    at = 0;
    assert_false(h264_next_nal(slice_of("\x7c\x85\x88", 3), &at, &nal));
}

static struct slice text(const char *s)
{
    return slice_of(s, strlen(s));
}

static void profile_level_ids_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err want;
        enum h264_profile profile;
        uint8_t level;
    } rows[] = {
        {"42e01f", OK, H264_CONSTRAINED_BASELINE, 31},
        {"42C02A", OK, H264_CONSTRAINED_BASELINE, 42},
        {"4de01f", OK, H264_CONSTRAINED_BASELINE, 31},
        {"58f01f", OK, H264_CONSTRAINED_BASELINE, 31},
        {"42a01f", OK, H264_BASELINE, 31},
        {"42001f", OK, H264_BASELINE, 31},
        {"58a01f", OK, H264_BASELINE, 31},
        {"4d401f", OK, H264_MAIN, 31},
        {"4d001f", OK, H264_MAIN, 31},
        {"64001f", OK, H264_HIGH, 31},
        {"640c1f", OK, H264_CONSTRAINED_HIGH, 31},
        {"640c34", OK, H264_CONSTRAINED_HIGH, 52},
        {"f40028", OK, H264_PREDICTIVE_HIGH_444, 40},
        {"42f00b", OK, H264_CONSTRAINED_BASELINE, H264_LEVEL_1B},
        {"42e00b", OK, H264_CONSTRAINED_BASELINE, 11},
        {"64000b", OK, H264_HIGH, 11},
        {"", ERR_MALFORMED, 0, 0},
        {"42e01", ERR_MALFORMED, 0, 0},
        {"42e01fa", ERR_MALFORMED, 0, 0},
        {"gggggg", ERR_MALFORMED, 0, 0},
        {"000000", ERR_UNSUPPORTED, 0, 0},
        {"42e000", ERR_UNSUPPORTED, 0, 0},
        {"42e0ff", ERR_UNSUPPORTED, 0, 0},
        {"42e11f", ERR_UNSUPPORTED, 0, 0},
        {"58601f", ERR_UNSUPPORTED, 0, 0},
        {"64e01f", ERR_UNSUPPORTED, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct h264_profile_level pl;
        assert_int_equal(h264_profile_level_parse(&pl, text(rows[i].text)), rows[i].want);
        if (rows[i].want != OK)
            continue;
        assert_int_equal(pl.profile, rows[i].profile);
        assert_int_equal(pl.level, rows[i].level);
    }
}

static void profile_level_ids_are_written(void **state)
{
    (void)state;
    static const struct {
        struct h264_profile_level pl;
        const char *want;
    } rows[] = {
        {{H264_CONSTRAINED_BASELINE, 31}, "42e01f"},
        {{H264_BASELINE, 10}, "42000a"},
        {{H264_MAIN, 31}, "4d001f"},
        {{H264_CONSTRAINED_HIGH, 42}, "640c2a"},
        {{H264_HIGH, 42}, "64002a"},
        {{H264_PREDICTIVE_HIGH_444, 30}, "f4001e"},
        {{H264_CONSTRAINED_BASELINE, H264_LEVEL_1B}, "42f00b"},
        {{H264_BASELINE, H264_LEVEL_1B}, "42100b"},
        {{H264_MAIN, H264_LEVEL_1B}, "4d100b"},
        {{H264_HIGH, H264_LEVEL_1B}, NULL},
        {{H264_HIGH, 255}, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[H264_PROFILE_LEVEL_TEXT];
        enum err e = h264_profile_level_print(rows[i].pl, out);
        assert_int_equal(e, rows[i].want ? OK : ERR_UNSUPPORTED);
        if (rows[i].want)
            assert_string_equal(out, rows[i].want);
    }
}

static void answers_keep_to_the_lower_level_unless_both_allow_asymmetry(void **state)
{
    (void)state;
    static const struct {
        const char *local;
        bool local_asymmetry;
        const char *remote;
        bool remote_asymmetry;
        const char *want;
    } rows[] = {
        {"42e015", false, "42e01f", false, "42e015"},
        {"42e01f", false, "42e015", false, "42e015"},
        {"42e01f", true, "42e015", true, "42e01f"},
        {"42e01f", true, "42e015", false, "42e015"},
        {"42e015", true, "42e01f", true, "42e015"},
        {"42e00a", false, "42f00b", false, "42e00a"}, /* 1 is below 1b */
        {"42e00b", false, "42f00b", false, "42f00b"}, /* 1b is below 1.1 */
        {"", false, "", false, "42e01f"},
        {"42e01f", false, "640c1f", false, NULL},
        {"42e01f", false, "junk", false, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[H264_PROFILE_LEVEL_TEXT];
        enum err e = h264_answer_profile_level(text(rows[i].local), rows[i].local_asymmetry,
                                               text(rows[i].remote), rows[i].remote_asymmetry, out);
        assert_int_equal(e == OK, rows[i].want != NULL);
        assert_int_equal(h264_same_profile(text(rows[i].local), text(rows[i].remote)),
                         rows[i].want != NULL);
        if (rows[i].want)
            assert_string_equal(out, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_are_told_apart),
        cmocka_unit_test(hostile_payloads_are_refused),
        cmocka_unit_test(units_are_walked),
        cmocka_unit_test(profile_level_ids_are_read),
        cmocka_unit_test(profile_level_ids_are_written),
        cmocka_unit_test(answers_keep_to_the_lower_level_unless_both_allow_asymmetry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
