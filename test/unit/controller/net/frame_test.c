#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "controller/net/frame.h"
#include "controller/net/ws.h"

/* A masked client frame in out; its length. */
static size_t masked(uint8_t *out, uint8_t first, const char *payload, size_t n)
{
    uint8_t header[WS_FRAME_MAX_HEADER];
    size_t h = ws_frame_header(header, WS_FRAME_TEXT, n);
    header[0] = first;
    header[1] |= 0x80;
    memcpy(out, header, h);
    static const uint8_t mask[4] = {1, 2, 3, 4};
    memcpy(out + h, mask, 4);
    for (size_t i = 0; i < n; i++)
        out[h + 4 + i] = (uint8_t)payload[i] ^ mask[i & 3];
    return h + 4 + n;
}

/* The first event of bytes given in pieces of `step`. */
static struct ws_frame_out first_event(struct ws_frame_reader *r, const uint8_t *p, size_t n,
                                       size_t step)
{
    struct ws_frame_out f = {.event = WS_FRAME_NONE};
    for (size_t at = 0; at < n && f.event == WS_FRAME_NONE;) {
        size_t piece = n - at < step ? n - at : step;
        at += ws_frame_input(r, p + at, piece, &f);
    }
    return f;
}

static void messages_of_all_lengths_are_read_in_any_pieces(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536};
    static uint8_t bytes[65536 + 32];
    static char text[65536];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t step = 1; step < 70000; step = step * 7 + 3) {
            struct ws_frame_reader r;
            ws_frame_reader_init(&r, 65536);
            size_t n = masked(bytes, 0x81, text, sizes[i]);
            struct ws_frame_out f = first_event(&r, bytes, n, step);
            assert_int_equal(f.event, WS_FRAME_MESSAGE);
            assert_int_equal(f.data.n, sizes[i]);
            assert_memory_equal(f.data.p, text, sizes[i]);
            assert_int_equal(f.data.p[f.data.n], 0);
            ws_frame_reader_fini(&r);
        }
    }
}

static void fragments_are_joined_and_controls_come_between(void **state)
{
    (void)state;
    uint8_t bytes[128];
    size_t n = masked(bytes, 0x01, "ab", 2);
    n += masked(bytes + n, 0x89, "p", 1);
    n += masked(bytes + n, 0x00, "", 0);
    n += masked(bytes + n, 0x80, "c", 1);
    struct ws_frame_reader r;
    ws_frame_reader_init(&r, 3);
    struct ws_frame_out f;
    size_t at = ws_frame_input(&r, bytes, n, &f);
    assert_int_equal(f.event, WS_FRAME_CONTROL);
    assert_int_equal(f.op, WS_FRAME_PING);
    assert_int_equal(f.data.n, 1);
    at += ws_frame_input(&r, bytes + at, n - at, &f);
    assert_int_equal(f.event, WS_FRAME_MESSAGE);
    assert_string_equal((const char *)f.data.p, "abc");
    assert_int_equal(at, n);
    ws_frame_reader_fini(&r);
}

static int code_of(const uint8_t *p, size_t n, size_t max)
{
    struct ws_frame_reader r;
    ws_frame_reader_init(&r, max);
    struct ws_frame_out f = first_event(&r, p, n, n);
    ws_frame_reader_fini(&r);
    return f.event == WS_FRAME_ERROR ? f.code : 0;
}

static void a_message_over_the_limit_is_refused_by_its_header_alone(void **state)
{
    (void)state;
    uint8_t bytes[64];
    masked(bytes, 0x81, "12345678901", 11);
    assert_int_equal(code_of(bytes, 6, 10), WS_CLOSE_TOO_LARGE);
    assert_int_equal(code_of(bytes, 6, 11), 0);
    static const uint8_t huge[] = {0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0,    0,    0,    0};
    assert_int_equal(code_of(huge, sizeof huge, 1 << 20), WS_CLOSE_TOO_LARGE);
    size_t n = masked(bytes, 0x01, "123456", 6);
    n += masked(bytes + n, 0x80, "12345", 5);
    assert_int_equal(code_of(bytes, n, 10), WS_CLOSE_TOO_LARGE);
}

static void broken_frames_are_protocol_errors(void **state)
{
    (void)state;
    static const uint8_t cases[][2] = {
        {0x81, 0x01}, /* no mask */
        {0xc1, 0x81}, /* RSV1 without an extension */
        {0x83, 0x81}, /* reserved opcode */
        {0x8b, 0x81}, /* reserved control opcode */
        {0x80, 0x81}, /* continues nothing */
        {0x09, 0x81}, /* control in fragments */
        {0x89, 0xfe}, /* control too long */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(code_of(cases[i], 2, 100), WS_CLOSE_PROTOCOL);
    uint8_t bytes[32];
    size_t n = masked(bytes, 0x01, "a", 1);
    n += masked(bytes + n, 0x81, "b", 1);
    assert_int_equal(code_of(bytes, n, 100), WS_CLOSE_PROTOCOL);
}

static uint8_t utf8(const char *s)
{
    return utf8_check(UTF8_START, (const uint8_t *)s, strlen(s));
}

static void utf8_is_checked_as_unicode_says(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "plain ascii that is longer than eight bytes",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "12345678\xc3\xbc"
                                       "12345678"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\xaf",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xc3(",
                                      "12345678\xff"
                                      "12345678"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(utf8(good[i]), UTF8_START);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(utf8(bad[i]), UTF8_BAD);
    uint8_t half = utf8("\xf0\x9f\x98");
    assert_int_not_equal(half, UTF8_START);
    assert_int_not_equal(half, UTF8_BAD);
    assert_int_equal(utf8_check(half, (const uint8_t *)"\x80", 1), UTF8_START);
}

static void close_codes_are_those_of_the_registry(void **state)
{
    (void)state;
    static const int good[] = {1000, 1001, 1002, 1003, 1007, 1009, 1011, 1014, 3000, 4999};
    static const int bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
    for (size_t i = 0; i < 10; i++) {
        assert_true(ws_frame_close_code_ok(good[i]));
        assert_false(ws_frame_close_code_ok(bad[i]));
    }
}

static void the_accept_key_is_the_one_of_the_rfc(void **state)
{
    (void)state;
    char out[29];
    assert_true(ws_frame_accept_key(slice_of("dGhlIHNhbXBsZSBub25jZQ==", 24), out));
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); /* RFC 6455 1.3 */
    assert_false(ws_frame_accept_key(slice_of("dGhlIHNhbXBsZSBub25jZQ", 22), out));
    assert_false(ws_frame_accept_key(slice_of("!!!!IHNhbXBsZSBub25jZQ==", 24), out));
    assert_false(ws_frame_accept_key(slice_of("", 0), out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_all_lengths_are_read_in_any_pieces),
        cmocka_unit_test(fragments_are_joined_and_controls_come_between),
        cmocka_unit_test(a_message_over_the_limit_is_refused_by_its_header_alone),
        cmocka_unit_test(broken_frames_are_protocol_errors),
        cmocka_unit_test(utf8_is_checked_as_unicode_says),
        cmocka_unit_test(close_codes_are_those_of_the_registry),
        cmocka_unit_test(the_accept_key_is_the_one_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
