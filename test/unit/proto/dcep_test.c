#include "proto/dcep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void an_open_message_is_read_and_written(void **state)
{
    (void)state;
    static const char bytes[] = "\x03\x82\x01\x00\x00\x00\x03\xe8\x00\x04\x00\x05"
                                "chatproto";
    struct slice message = slice_of(bytes, sizeof bytes - 1);
    struct dcep_open o;
    uint8_t out[32];
    struct wr w = wr_of(out, sizeof out);
    assert_int_equal(dcep_type(message), DCEP_OPEN);
    assert_int_equal(dcep_parse_open(&o, message), OK);
    assert_int_equal(o.reliability, DCEP_MAX_LIFETIME);
    assert_true(o.unordered);
    assert_int_equal(o.limit, 1000);
    assert_int_equal(o.priority, 256);
    assert_int_equal(o.label.n, 4);
    assert_memory_equal(o.label.p, "chat", 4);
    assert_memory_equal(o.protocol.p, "proto", 5);
    assert_int_equal(dcep_write_open(&w, &o), OK);
    assert_int_equal(wr_len(&w), message.n);
    assert_memory_equal(out, bytes, message.n);
    for (size_t n = 0; n < message.n; n++) {
        w = wr_of(out, n);
        assert_int_equal(dcep_write_open(&w, &o), ERR_TOO_LARGE);
        assert_int_equal(wr_len(&w), 0);
    }
}

static void every_channel_type_is_known_and_no_other(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t m[12] = {DCEP_OPEN, (uint8_t)type, 0, 0, 0, 0, 0, 9};
        struct dcep_open o;
        bool known = (type & 0x7f) <= 2;
        assert_int_equal(dcep_parse_open(&o, slice_of(m, 12)), known ? OK : ERR_MALFORMED);
        if (!known)
            continue;
        assert_int_equal(o.unordered, type >= 0x80);
        assert_int_equal(o.limit, o.reliability == DCEP_RELIABLE ? 0 : 9);
    }
}

static void hostile_messages_are_refused(void **state)
{
    (void)state;
    struct dcep_open o;
    static const char bytes[] = "\x03\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x05"
                                "chatproto!";
    for (size_t n = 0; n < 21; n++)
        assert_int_equal(dcep_parse_open(&o, slice_of(bytes, n)), ERR_TRUNCATED);
    assert_int_equal(dcep_parse_open(&o, slice_of(bytes, 21)), OK);
    assert_int_equal(dcep_parse_open(&o, slice_of(bytes, 22)), ERR_MALFORMED); /* left over */
    assert_int_equal(dcep_parse_open(&o, slice_of("\x02", 1)), ERR_TYPE);
    assert_int_equal(dcep_type(slice_of("", 0)), 0);
}

static void an_acknowledgement_is_one_byte(void **state)
{
    (void)state;
    uint8_t out[2];
    struct wr w = wr_of(out, sizeof out);
    dcep_write_ack(&w);
    assert_int_equal(wr_len(&w), 1);
    assert_int_equal(dcep_type(slice_of(out, 1)), DCEP_ACK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_message_is_read_and_written),
        cmocka_unit_test(every_channel_type_is_known_and_no_other),
        cmocka_unit_test(hostile_messages_are_refused),
        cmocka_unit_test(an_acknowledgement_is_one_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
