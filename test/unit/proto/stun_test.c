#include "proto/stun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* RFC 5769 2.1 .. 2.3 */
static const uint8_t request[] =
    "\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
    "\x80\x22\x00\x10STUN test client"
    "\x00\x24\x00\x04\x6e\x00\x01\xff"
    "\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
    "\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20"
    "\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71"
    "\xa2"
    "\x80\x28\x00\x04\xe5\x7a\x3b\xcf";
static const uint8_t response4[] =
    "\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
    "\x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20"
    "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
    "\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7"
    "\xd7"
    "\x80\x28\x00\x04\xc0\x7d\x4c\x96";
static const uint8_t response6[] =
    "\x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
    "\x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20"
    "\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9"
    "\xd9"
    "\x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3\xed"
    "\x41"
    "\x80\x28\x00\x04\xc8\xfb\x0b\x4c";
static const struct slice password = {(const uint8_t *)"VOkJxbRl1RmTxUk/WvJxBt", 22};
static const uint8_t tid[STUN_TID_LEN] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static void the_rfc_5769_request_parses_and_authenticates(void **state)
{
    (void)state;
    struct stun_msg m;
    assert_int_equal(stun_parse(&m, request, sizeof request - 1), OK);
    assert_int_equal(m.class, STUN_REQUEST);
    assert_int_equal(m.method, STUN_BINDING);
    assert_int_equal(m.username.n, 9);
    assert_memory_equal(m.username.p, "evtj:h6vY", 9);
    assert_true(m.has_priority);
    assert_int_equal(m.priority, 0x6e0001ff);
    assert_true(m.controlled);
    assert_false(m.controlling);
    assert_true(m.tie_breaker == 0x932ff9b151263b36);
    assert_true(m.has_fingerprint);
    assert_int_equal(m.software.n, 16);
    assert_int_equal(stun_check_integrity(&m, password), OK);
    assert_int_equal(stun_check_integrity(&m, slice_of("wrong", 5)), ERR_AUTH);
    assert_int_equal(stun_check_integrity(&m, slice_of("", 0)), ERR_AUTH);
}

static void the_rfc_5769_responses_give_the_mapped_address(void **state)
{
    (void)state;
    struct stun_msg m;
    struct addr want;
    assert_int_equal(stun_parse(&m, response4, sizeof response4 - 1), OK);
    assert_int_equal(m.class, STUN_SUCCESS);
    assert_int_equal(addr_parse(&want, "192.0.2.1", 32853), OK);
    assert_true(addr_eq(&m.mapped, &want));
    assert_int_equal(stun_check_integrity(&m, password), OK);

    assert_int_equal(stun_parse(&m, response6, sizeof response6 - 1), OK);
    assert_int_equal(addr_parse(&want, "2001:db8:1234:5678:11:2233:4455:6677", 32853), OK);
    assert_true(addr_eq(&m.mapped, &want));
    assert_int_equal(stun_check_integrity(&m, password), OK);
}

static void every_truncation_and_every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct stun_msg m;
    uint8_t copy[sizeof request];
    for (size_t n = 0; n + 1 < sizeof request; n++)
        assert_int_not_equal(stun_parse(&m, request, n), OK);
    for (size_t i = 0; i < 8 * (sizeof request - 1); i++) {
        size_t from_end = sizeof request - 1 - i / 8;
        if (from_end == 8 || from_end == 7) /* makes FINGERPRINT another attribute: ignored */
            continue;
        memcpy(copy, request, sizeof request);
        copy[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_true(stun_parse(&m, copy, sizeof request - 1) != OK ||
                    stun_check_integrity(&m, password) != OK);
    }
}

static void hostile_messages_are_refused(void **state)
{
    (void)state;
#define HEAD(type, len)                                                                            \
    type len "\x21\x12\xa4\x42"                                                                    \
             "abcdefghijkl"
    static const struct {
        const char *bytes;
        size_t n;
        enum err want;
    } rows[] = {
        {HEAD("\x00\x01", "\x00\x00"), 20, OK},
        {HEAD("\x40\x01", "\x00\x00"), 20, ERR_MALFORMED},
        {HEAD("\x00\x01", "\x00\x02") "xx", 22, ERR_MALFORMED},
        {HEAD("\x00\x01", "\x00\x00") "xxxx", 24, ERR_MALFORMED},
        {HEAD("\x00\x01", "\xff\xfc"), 20, ERR_TRUNCATED},
        /* an attribute that runs over the end */
        {HEAD("\x00\x01", "\x00\x08") "\x00\x06\xff\xff"
                                      "xxxx",
         28, ERR_TRUNCATED},
        {HEAD("\x00\x01", "\x00\x08") "\x00\x06\x00\x05"
                                      "xxxx",
         28, ERR_TRUNCATED},
        /* PRIORITY, USE-CANDIDATE, ICE-CONTROLLING, MESSAGE-INTEGRITY of a wrong length */
        {HEAD("\x00\x01", "\x00\x08") "\x00\x24\x00\x03"
                                      "xxxx",
         28, ERR_MALFORMED},
        {HEAD("\x00\x01", "\x00\x08") "\x00\x25\x00\x04"
                                      "xxxx",
         28, ERR_MALFORMED},
        {HEAD("\x00\x01", "\x00\x08") "\x80\x2a\x00\x04"
                                      "xxxx",
         28, ERR_MALFORMED},
        {HEAD("\x00\x01", "\x00\x08") "\x00\x08\x00\x04"
                                      "xxxx",
         28, ERR_MALFORMED},
        /* XOR-MAPPED-ADDRESS of an unknown family; ERROR-CODE of class 2 and of number 100 */
        {HEAD("\x01\x01", "\x00\x0c") "\x00\x20\x00\x08\x00\x03xxxxxx", 32, ERR_MALFORMED},
        {HEAD("\x01\x11", "\x00\x08") "\x00\x09\x00\x04\x00\x00\x02\x00", 28, ERR_MALFORMED},
        {HEAD("\x01\x11", "\x00\x08") "\x00\x09\x00\x04\x00\x00\x04\x64", 28, ERR_MALFORMED},
        /* a wrong FINGERPRINT, and one that is not last */
        {HEAD("\x00\x01", "\x00\x08") "\x80\x28\x00\x04"
                                      "xxxx",
         28, ERR_MALFORMED},
        {HEAD("\x00\x01", "\x00\x0c") "\x80\x28\x00\x04"
                                      "xxxx"
                                      "\x80\x22\x00\x00",
         32, ERR_MALFORMED},
    };
#undef HEAD
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stun_msg m;
        assert_int_equal(stun_parse(&m, rows[i].bytes, rows[i].n), rows[i].want);
    }
    static const uint8_t large[STUN_MESSAGE_MAX + 4];
    struct stun_msg m;
    assert_int_equal(stun_parse(&m, large, sizeof large), ERR_TOO_LARGE);
}

static void a_request_that_is_written_parses_and_authenticates(void **state)
{
    (void)state;
    uint8_t buf[256];
    struct wr w = wr_of(buf, sizeof buf);
    struct stun_msg m;
    struct stun_request q = {.username = slice_of("them:us", 7),
                             .key = slice_of("theirpassword", 13),
                             .tie_breaker = 0x0102030405060708,
                             .priority = 1845501695,
                             .nomination = 3,
                             .controlling = true,
                             .use_candidate = true};
    memcpy(q.tid, tid, sizeof tid);
    assert_int_equal(stun_write_request(&w, &q), OK);
    assert_int_equal(stun_parse(&m, buf, wr_len(&w)), OK);
    assert_int_equal(m.class, STUN_REQUEST);
    assert_memory_equal(m.tid, tid, sizeof tid);
    assert_memory_equal(m.username.p, "them:us", 7);
    assert_true(m.controlling && !m.controlled && m.use_candidate && m.has_nomination);
    assert_int_equal(m.nomination, 3);
    assert_true(m.tie_breaker == q.tie_breaker);
    assert_true(m.has_fingerprint);
    assert_int_equal(stun_check_integrity(&m, q.key), OK);
}

static void a_role_conflict_answer_carries_its_code(void **state)
{
    (void)state;
    uint8_t buf[256];
    struct stun_msg q;
    struct stun_msg m;
    assert_int_equal(stun_parse(&q, request, sizeof request - 1), OK);
    struct wr w = wr_of(buf, sizeof buf);
    assert_int_equal(stun_write_error(&w, &q, STUN_CODE_ROLE_CONFLICT, password), OK);
    assert_int_equal(stun_parse(&m, buf, wr_len(&w)), OK);
    assert_int_equal(m.class, STUN_ERROR);
    assert_int_equal(m.error_code, 487);
    assert_memory_equal(m.reason.p, "Role Conflict", 13);
    assert_memory_equal(m.tid, q.tid, STUN_TID_LEN);
    assert_int_equal(stun_check_integrity(&m, password), OK);

    w = wr_of(buf, sizeof buf);
    assert_int_equal(stun_write_error(&w, &q, STUN_CODE_UNAUTHENTICATED, slice_of(NULL, 0)), OK);
    assert_int_equal(stun_parse(&m, buf, wr_len(&w)), OK);
    assert_int_equal(m.error_code, 401);
    assert_int_equal(stun_check_integrity(&m, password), ERR_NOT_FOUND);
}

static void unknown_required_attributes_are_listed_in_a_420(void **state)
{
    (void)state;
    uint8_t buf[256];
    uint8_t answer[256];
    struct stun_msg q;
    struct stun_msg m;
    struct wr w = wr_of(buf, sizeof buf);
    stun_begin(&w, STUN_REQUEST, STUN_BINDING, tid);
    stun_put_u32(&w, (enum stun_attr)0x7001, 1);
    stun_put_u32(&w, (enum stun_attr)0xc0de, 1); /* optional to understand */
    stun_put_u32(&w, (enum stun_attr)0x7002, 1);
    assert_int_equal(stun_finish(&w, password), OK);
    assert_int_equal(stun_parse(&q, buf, wr_len(&w)), OK);
    assert_int_equal(q.n_unknown, 2);
    assert_int_equal(q.unknown[0], 0x7001);
    assert_int_equal(q.unknown[1], 0x7002);
    w = wr_of(answer, sizeof answer);
    assert_int_equal(stun_write_error(&w, &q, STUN_CODE_UNKNOWN_ATTRIBUTE, password), OK);
    assert_int_equal(stun_parse(&m, answer, wr_len(&w)), OK);
    assert_int_equal(m.error_code, 420);
    static const uint8_t list[] = {0x00, 0x0a, 0x00, 0x04, 0x70, 0x01, 0x70, 0x02};
    assert_non_null(memmem(answer, wr_len(&w), list, sizeof list));
}

static void what_follows_the_integrity_is_not_believed(void **state)
{
    (void)state;
    uint8_t buf[256];
    struct stun_msg m;
    struct wr w = wr_of(buf, sizeof buf);
    stun_begin(&w, STUN_REQUEST, STUN_BINDING, tid);
    assert_int_equal(stun_finish(&w, password), OK);
    w.p -= 8; /* in place of the FINGERPRINT */
    stun_put_bytes(&w, STUN_USE_CANDIDATE, NULL, 0);
    stun_put_u32(&w, (enum stun_attr)0x7001, 1);
    put_u16(buf + 2, (uint16_t)(wr_len(&w) - STUN_HEADER_LEN));
    assert_int_equal(stun_parse(&m, buf, wr_len(&w)), OK);
    assert_false(m.use_candidate);
    assert_int_equal(m.n_unknown, 0);
    assert_int_equal(stun_check_integrity(&m, password), OK);
}

static void a_right_fingerprint_that_is_not_last_is_refused(void **state)
{
    (void)state;
    uint8_t buf[256];
    struct stun_msg m;
    struct wr w = wr_of(buf, sizeof buf);
    stun_begin(&w, STUN_REQUEST, STUN_BINDING, tid);
    assert_int_equal(stun_finish(&w, password), OK);
    assert_int_equal(stun_parse(&m, buf, wr_len(&w)), OK);
    stun_put_bytes(&w, STUN_SOFTWARE, NULL, 0);
    put_u16(buf + 2, (uint16_t)(wr_len(&w) - STUN_HEADER_LEN));
    assert_int_equal(stun_parse(&m, buf, wr_len(&w)), ERR_MALFORMED);
}

static void a_message_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    uint8_t buf[128];
    struct stun_msg q;
    struct addr to = {.family = 6, .port = 1};
    assert_int_equal(stun_parse(&q, request, sizeof request - 1), OK);
    for (size_t n = 0; n < 76; n++) {
        struct wr w = wr_of(buf, n);
        assert_int_equal(stun_write_success(&w, &q, &to, password), ERR_TOO_LARGE);
    }
    struct wr w = wr_of(buf, 76); /* 20 + 24 + 24 + 8 */
    assert_int_equal(stun_write_success(&w, &q, &to, password), OK);
}

static void classes_and_methods_survive_their_spread_over_the_type(void **state)
{
    (void)state;
    static const uint16_t methods[] = {0, 1, 0x0f, 0x10, 0x70, 0x80, 0xabc, 0xfff};
    for (unsigned c = 0; c < 4; c++) {
        for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
            uint8_t buf[64];
            struct wr w = wr_of(buf, sizeof buf);
            struct stun_msg m;
            stun_begin(&w, (enum stun_class)c, methods[i], tid);
            assert_int_equal(stun_finish(&w, slice_of(NULL, 0)), OK);
            assert_int_equal(stun_parse(&m, buf, wr_len(&w)), OK);
            assert_int_equal(m.class, c);
            assert_int_equal(m.method, methods[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfc_5769_request_parses_and_authenticates),
        cmocka_unit_test(the_rfc_5769_responses_give_the_mapped_address),
        cmocka_unit_test(every_truncation_and_every_flipped_bit_is_refused),
        cmocka_unit_test(hostile_messages_are_refused),
        cmocka_unit_test(a_request_that_is_written_parses_and_authenticates),
        cmocka_unit_test(a_role_conflict_answer_carries_its_code),
        cmocka_unit_test(unknown_required_attributes_are_listed_in_a_420),
        cmocka_unit_test(what_follows_the_integrity_is_not_believed),
        cmocka_unit_test(a_right_fingerprint_that_is_not_last_is_refused),
        cmocka_unit_test(a_message_that_does_not_fit_is_an_error),
        cmocka_unit_test(classes_and_methods_survive_their_spread_over_the_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
