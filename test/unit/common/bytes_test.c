#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"

static void what_is_written_is_read_back_in_network_order(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct wr w = wr_of(buf, sizeof buf);
    wr_u8(&w, 0x01);
    wr_u16(&w, 0x0203);
    wr_u24(&w, 0x040506);
    wr_u32(&w, 0x0708090a);
    wr_u64(&w, UINT64_C(0x0b0c0d0e0f101112));
    wr_bytes(&w, "ab", 2);
    wr_zeros(&w, 3);
    assert_false(w.bad);
    assert_int_equal(wr_len(&w), 23);
    assert_int_equal(wr_left(&w), sizeof buf - 23);
    for (uint8_t i = 0; i < 18; i++)
        assert_int_equal(buf[i], i + 1);

    struct rd r = rd_of(buf, wr_len(&w));
    assert_int_equal(rd_u8(&r), 0x01);
    assert_int_equal(rd_u16(&r), 0x0203);
    assert_int_equal(rd_u24(&r), 0x040506);
    assert_int_equal(rd_u32(&r), 0x0708090a);
    assert_true(rd_u64(&r) == UINT64_C(0x0b0c0d0e0f101112));
    struct slice ab = rd_bytes(&r, 2);
    assert_int_equal(ab.n, 2);
    assert_memory_equal(ab.p, "ab", 2);
    rd_skip(&r, 3);
    assert_false(r.bad);
    assert_int_equal(rd_left(&r), 0);
}

static void an_overrun_of_the_reader_sticks_and_reads_zeros(void **state)
{
    (void)state;
    struct rd r = rd_slice(slice_of("\xff\xff\xff", 3));
    assert_int_equal(rd_u16(&r), 0xffff);
    assert_int_equal(rd_u16(&r), 0);
    assert_true(r.bad);
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(rd_left(&r), 0);
    struct slice none = rd_bytes(&r, 0);
    assert_null(none.p);
    assert_true(r.bad);
}

static void an_absurd_length_is_an_overrun(void **state)
{
    (void)state;
    struct rd r = rd_of("abc", 3);
    struct slice s = rd_bytes(&r, SIZE_MAX);
    assert_null(s.p);
    assert_int_equal(s.n, 0);
    assert_true(r.bad);
}

static void an_overflow_of_the_writer_sticks_and_writes_nothing(void **state)
{
    (void)state;
    uint8_t buf[4] = {9, 9, 9, 9};
    struct wr w = wr_of(buf, 3);
    wr_u16(&w, 0);
    wr_u16(&w, 0x0101);
    assert_true(w.bad);
    wr_u8(&w, 1);
    assert_int_equal(wr_len(&w), 2);
    assert_memory_equal(buf, "\0\0\x09\x09", 4);
    assert_null(wr_take(&w, 0));
}

static void empty_input_is_no_error_until_it_is_read(void **state)
{
    (void)state;
    struct rd r = rd_of(NULL, 0);
    assert_int_equal(rd_left(&r), 0);
    assert_false(r.bad);
    assert_int_equal(rd_u64(&r), 0);
    assert_true(r.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back_in_network_order),
        cmocka_unit_test(an_overrun_of_the_reader_sticks_and_reads_zeros),
        cmocka_unit_test(an_absurd_length_is_an_overrun),
        cmocka_unit_test(an_overflow_of_the_writer_sticks_and_writes_nothing),
        cmocka_unit_test(empty_input_is_no_error_until_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
