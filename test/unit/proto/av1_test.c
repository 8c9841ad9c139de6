#include "proto/av1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void aggregation_headers_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        struct av1_desc want;
    } rows[] = {
        /* N, W = 2: a sequence header with its length, a frame without */
        {"\x28\x02\x0a\x0b\x32\x00",
         6,
         {.count = 2,
          .n_obus = 2,
          .new_sequence = true,
          .sequence_header = true,
          .key_frame = true}},
        /* W = 0: every element has a length */
        {"\x08\x02\x0a\x0b\x01\x32",
         6,
         {.n_obus = 2, .new_sequence = true, .sequence_header = true, .key_frame = true}},
        {"\x10\x32\x00", 3, {.count = 1, .n_obus = 1}},
        {"\x50\x32\x00", 3, {.count = 1, .n_obus = 1, .continued = true}},
        /* what goes on from the packet before only looks like a sequence header */
        {"\x90\x0a\x00", 3, {.count = 1, .n_obus = 1, .continues = true}},
        /* a sequence header that is no start of a sequence */
        {"\x10\x0a\x00", 3, {.count = 1, .n_obus = 1, .sequence_header = true}},
        {"\x18\x32\x00", 3, {.count = 1, .n_obus = 1, .new_sequence = true}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct av1_desc d;
        const struct av1_desc *w = &rows[i].want;
        assert_int_equal(av1_parse(&d, slice_of(rows[i].bytes, rows[i].n)), OK);
        assert_int_equal(d.count, w->count);
        assert_int_equal(d.n_obus, w->n_obus);
        assert_int_equal(d.continues, w->continues);
        assert_int_equal(d.continued, w->continued);
        assert_int_equal(d.new_sequence, w->new_sequence);
        assert_int_equal(d.sequence_header, w->sequence_header);
        assert_int_equal(d.key_frame, w->key_frame);
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
        {"\x10", 1, ERR_TRUNCATED},
        {"\x98\x0a", 2, ERR_MALFORMED},     /* Z and N */
        {"\x00\x02\x0a", 3, ERR_TRUNCATED}, /* a length over the end */
        {"\x20\x05\x0a\x00", 4, ERR_TRUNCATED},
        {"\x00\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, ERR_TRUNCATED}, /* leb128 without end */
        {"\x00\xff\xff\xff\xff\x7f", 6, ERR_TRUNCATED},                  /* over 32 bits */
        {"\x30\x01\x0a", 3, ERR_TRUNCATED},                              /* W = 3, one element */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct av1_desc d;
        assert_int_equal(av1_parse(&d, slice_of(rows[i].bytes, rows[i].n)), rows[i].want);
    }
    static const uint8_t empties[AV1_OBUS_MAX + 2] = {0};
    struct av1_desc d;
    assert_int_equal(av1_parse(&d, slice_of(empties, sizeof empties)), ERR_TOO_LARGE);
    assert_int_equal(av1_parse(&d, slice_of(empties, sizeof empties - 1)), OK);
}

static void elements_are_walked(void **state)
{
    (void)state;
    struct slice payload = slice_of("\x28\x02\x0a\x0b\x32\x01\x02", 7);
    struct slice obu;
    size_t at = 0;
    uint8_t index = 0;
    assert_true(av1_next_obu(payload, &at, &index, &obu));
    assert_int_equal(obu.n, 2);
    assert_memory_equal(obu.p, "\x0a\x0b", 2);
    assert_true(av1_next_obu(payload, &at, &index, &obu));
    assert_int_equal(obu.n, 3);
    assert_memory_equal(obu.p, "\x32\x01\x02", 3);
    assert_false(av1_next_obu(payload, &at, &index, &obu));
    assert_int_equal(index, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregation_headers_are_read),
        cmocka_unit_test(hostile_payloads_are_refused),
        cmocka_unit_test(elements_are_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
