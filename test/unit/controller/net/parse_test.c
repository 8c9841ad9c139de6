#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/net/parse.h"

/* The status, or 0 for a head that is fine, or -1 for one that is not whole. */
static int parse(const char *text, struct http_head *h)
{
    size_t scanned = 0;
    size_t used = 0;
    int status = 0;
    switch (parse_head((const uint8_t *)text, strlen(text), &scanned, h, &used, &status)) {
    case PARSE_MORE:
        return -1;
    case PARSE_DONE:
        return used <= strlen(text) ? 0 : -2;
    case PARSE_BAD:
        return status;
    }
    return -3;
}

static void assert_slice(struct slice s, const char *text)
{
    assert_int_equal(s.n, strlen(text));
    assert_memory_equal(s.p, text, s.n);
}

static void a_head_is_taken_apart(void **state)
{
    (void)state;
    struct http_head h;
    assert_int_equal(parse("\r\nPOST /a?b=c HTTP/1.1\r\nHost: example\r\nX-Empty:\r\n"
                           "Content-Length:  12 \r\n\r\nbody",
                           &h),
                     0);
    assert_int_equal(h.method, HTTP_POST);
    assert_slice(h.target, "/a?b=c");
    assert_slice(h.authority, "example");
    assert_int_equal(h.n_fields, 3);
    assert_slice(head_field(&h, "x-empty"), "");
    assert_true(h.has_length);
    assert_int_equal(h.length, 12);
    assert_true(h.keep_alive);
    assert_false(h.chunked);
}

static void a_head_comes_in_any_pieces(void **state)
{
    (void)state;
    const char *text = "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n";
    size_t scanned = 0;
    size_t used = 0;
    int status = 0;
    struct http_head h;
    for (size_t n = 0; n < strlen(text); n++) {
        /* a copy of exactly n bytes, so that the sanitizer sees reads beyond */
        uint8_t *part = malloc(n + (n == 0));
        memcpy(part, text, n);
        assert_int_equal(parse_head(part, n, &scanned, &h, &used, &status), PARSE_MORE);
        free(part);
    }
    assert_int_equal(parse_head((const uint8_t *)text, strlen(text), &scanned, &h, &used, &status),
                     PARSE_DONE);
    assert_int_equal(used, strlen(text));
}

static void keep_alive_follows_version_and_connection(void **state)
{
    (void)state;
    struct http_head h;
    assert_int_equal(parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: a, CLOSE\r\n\r\n", &h), 0);
    assert_false(h.keep_alive);
    assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n", &h), 0);
    assert_false(h.keep_alive);
    assert_int_equal(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &h), 0);
    assert_true(h.keep_alive);
}

static void an_upgrade_needs_both_fields(void **state)
{
    (void)state;
    struct http_head h;
    assert_int_equal(parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n"
                           "Upgrade: WebSocket\r\n\r\n",
                           &h),
                     0);
    assert_true(h.upgrade_websocket);
    assert_int_equal(parse("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n", &h), 0);
    assert_false(h.upgrade_websocket);
    assert_int_equal(
        parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", &h), 0);
    assert_false(h.upgrade_websocket);
}

static void the_absolute_form_is_split(void **state)
{
    (void)state;
    struct http_head h;
    assert_int_equal(parse("GET http://a.b:8/c?d HTTP/1.1\r\nHost: other\r\n\r\n", &h), 0);
    assert_slice(h.target, "/c?d");
    assert_slice(h.authority, "a.b:8");
    assert_int_equal(parse("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", &h), 0);
    assert_slice(h.target, "/");
    assert_int_equal(parse("GET http:///c HTTP/1.1\r\nHost: a\r\n\r\n", &h), 400);
    assert_int_equal(parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &h), 0);
    assert_int_equal(parse("GET * HTTP/1.1\r\nHost: a\r\n\r\n", &h), 400);
}

static void what_invites_smuggling_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\nHost: x\n\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400},
        {"GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/11\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505},
        {"get / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999999999\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
         "Transfer-Encoding: chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n", 417},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_head h;
        if (parse(cases[i].text, &h) != cases[i].status)
            fail_msg("case %zu: %s", i, cases[i].text);
    }
}

static char *repeat(const char *before, const char *part, size_t times, const char *after)
{
    size_t n = strlen(part);
    char *text = malloc(strlen(before) + n * times + strlen(after) + 1);
    char *p = stpcpy(text, before);
    for (size_t i = 0; i < times; i++)
        p = stpcpy(p, part);
    strcpy(p, after);
    return text;
}

static void limits_hold_before_the_head_is_whole(void **state)
{
    (void)state;
    struct http_head h;
    char *text = repeat("GET /", "a", HTTP_MAX_TARGET + 40, "");
    assert_int_equal(parse(text, &h), 414);
    free(text);
    text = repeat("GET / HTTP/1.1\r\n", "A: b\r\n", HTTP_MAX_HEADERS / 6 + 2, "");
    assert_int_equal(parse(text, &h), 431);
    free(text);
    text = repeat("GET / HTTP/1.1\r\nHost: x\r\n", "A: b\r\n", PARSE_MAX_FIELDS, "\r\n");
    assert_int_equal(parse(text, &h), 431);
    free(text);
    text = repeat("GET / HTTP/1.1\r\nHost: x\r\n", "A: b\r\n", PARSE_MAX_FIELDS - 1, "\r\n");
    assert_int_equal(parse(text, &h), 0);
    free(text);
    assert_int_equal(parse("\x16\x03\x01", &h), 400); /* a TLS hello */
}

/* Feeds text in pieces of `step` bytes; the data, or NULL when it is bad or does not end. */
static const char *unchunk(const char *text, size_t step, size_t *rest)
{
    static char out[256];
    size_t out_n = 0;
    struct http_head h = {.chunked = true};
    struct body b;
    body_init(&b, &h);
    size_t n = strlen(text);
    size_t at = 0;
    while (at < n && !body_done(&b) && b.state != BODY_BAD) {
        size_t piece = n - at < step ? n - at : step;
        struct slice data;
        size_t used = body_input(&b, (const uint8_t *)text + at, piece, &data);
        memcpy(out + out_n, data.p, data.n);
        out_n += data.n;
        at += used;
    }
    *rest = n - at;
    out[out_n] = '\0';
    return body_done(&b) ? out : NULL;
}

static void chunks_are_joined_whatever_the_pieces(void **state)
{
    (void)state;
    const char *text =
        "3\r\nabc\r\n0A;x=\"y\"\r\n0123456789\r\n1 \r\nz\r\n000\r\nT: u\r\nV: w\r\n\r\nnext";
    for (size_t step = 1; step < strlen(text); step++) {
        size_t rest;
        assert_string_equal(unchunk(text, step, &rest), "abc0123456789z");
        assert_int_equal(rest, 4);
    }
}

static void bad_chunks_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "\r\n",      "g\r\n",          "-1\r\n",   "1\nx\r\n", "1\r\nxy\r\n0\r\n\r\n",
        "1\r\nx\n0", "0\r\n\nX",       "0\r\nA\n", "0x1\r\n",  "1111111111111111\r\n",
        "1;a\nx",    "0\r\nA: b\r\n\n"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t rest;
        if (unchunk(cases[i], 99, &rest))
            fail_msg("case %zu: %s", i, cases[i]);
    }
}

static void trailers_are_bounded(void **state)
{
    (void)state;
    struct http_head h = {.chunked = true};
    struct body b;
    body_init(&b, &h);
    char *text = repeat("0\r\n", "A: b\r\n", PARSE_MAX_TRAILERS, "\r\n");
    struct slice data;
    size_t used = body_input(&b, (const uint8_t *)text, strlen(text), &data);
    assert_int_equal(b.state, BODY_BAD);
    assert_true(used < 2 * PARSE_MAX_TRAILERS);
    free(text);
}

static void a_length_counts_down(void **state)
{
    (void)state;
    struct http_head h = {.has_length = true, .length = 5};
    struct body b;
    body_init(&b, &h);
    struct slice data;
    assert_int_equal(body_input(&b, (const uint8_t *)"abc", 3, &data), 3);
    assert_false(body_done(&b));
    assert_int_equal(body_input(&b, (const uint8_t *)"defg", 4, &data), 2);
    assert_slice(data, "de");
    assert_true(body_done(&b));
    h.length = 0;
    body_init(&b, &h);
    assert_true(body_done(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_taken_apart),
        cmocka_unit_test(a_head_comes_in_any_pieces),
        cmocka_unit_test(keep_alive_follows_version_and_connection),
        cmocka_unit_test(an_upgrade_needs_both_fields),
        cmocka_unit_test(the_absolute_form_is_split),
        cmocka_unit_test(what_invites_smuggling_is_refused),
        cmocka_unit_test(limits_hold_before_the_head_is_whole),
        cmocka_unit_test(chunks_are_joined_whatever_the_pieces),
        cmocka_unit_test(bad_chunks_are_refused),
        cmocka_unit_test(trailers_are_bounded),
        cmocka_unit_test(a_length_counts_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
