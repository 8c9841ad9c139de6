#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "controller/account/token.h"

static const char secret[] = "a secret of at least thirty-two characters";
static const struct token sample = {.session_id = "0b9f5a52-6a5c-4b0e-9f57-3f9a5c2f1d11",
                                    .user_id = "7d1d3c3e-5f66-4b39-8f53-0f4e0a6b9c22",
                                    .issued_s = 1700000000,
                                    .expires_s = 1700003600};

static void what_is_made_is_read(void **state)
{
    (void)state;
    char text[TOKEN_MAX];
    struct token t;
    assert_int_equal(token_make(&sample, secret, text), OK);
    assert_int_equal(token_read(text, secret, 1700000001, &t), OK);
    assert_string_equal(t.session_id, sample.session_id);
    assert_string_equal(t.user_id, sample.user_id);
    assert_int_equal(t.issued_s, sample.issued_s);
    assert_int_equal(t.expires_s, sample.expires_s);
}

static void a_token_expires(void **state)
{
    (void)state;
    char text[TOKEN_MAX];
    struct token t;
    assert_int_equal(token_make(&sample, secret, text), OK);
    assert_int_equal(token_read(text, secret, sample.expires_s - 1, &t), OK);
    assert_int_equal(token_read(text, secret, sample.expires_s, &t), ERR_AUTH);
}

static void another_secret_does_not_fit(void **state)
{
    (void)state;
    char text[TOKEN_MAX];
    struct token t;
    assert_int_equal(token_make(&sample, secret, text), OK);
    assert_int_equal(token_read(text, "another secret of thirty-two characters!", 1700000001, &t),
                     ERR_AUTH);
}

/* Every character is signed; only the unused bits of the last one may differ. */
static void a_token_that_was_changed_anywhere_does_not_fit(void **state)
{
    (void)state;
    char text[TOKEN_MAX];
    struct token t;
    assert_int_equal(token_make(&sample, secret, text), OK);
    size_t n = strlen(text);
    for (size_t i = 0; i + 1 < n; i++) {
        char changed[TOKEN_MAX];
        memcpy(changed, text, n + 1);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(token_read(changed, secret, 1700000001, &t), ERR_AUTH);
    }
    for (size_t i = 0; i < n; i++) {
        char cut[TOKEN_MAX] = "";
        memcpy(cut, text, i);
        assert_int_equal(token_read(cut, secret, 1700000001, &t), ERR_AUTH);
    }
}

static void url_base64(const char *text, char *out)
{
    base64_write((const uint8_t *)text, strlen(text), out);
    for (char *p = out; *p; p++)
        *p = (char)(*p == '+' ? '-' : *p == '/' ? '_' : *p);
    out[strcspn(out, "=")] = '\0';
}

/* RFC 8725 2.1: the header is the sender's to choose. */
static void a_token_without_a_signature_does_not_fit(void **state)
{
    (void)state;
    static const char *const headers[] = {"{\"alg\":\"none\"}",
                                          "{\"alg\":\"None\",\"typ\":\"JWT\"}",
                                          "{\"typ\":\"JWT\"}",
                                          "{\"alg\":\"HS512\"}",
                                          "{\"alg\":\"RS256\"}",
                                          "{}",
                                          "[]",
                                          "null"};
    char claims[300];
    snprintf(
        claims, sizeof claims,
        "{\"iss\":\"weir\",\"sub\":\"%s\",\"jti\":\"%s\",\"iat\":1700000000,\"exp\":9999999999}",
        sample.user_id, sample.session_id);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        char head[200];
        char body[600];
        char text[TOKEN_MAX];
        struct token t;
        url_base64(headers[i], head);
        url_base64(claims, body);
        static const char *const ends[] = {"", ".", ".AAAA", "."};
        for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
            snprintf(text, sizeof text, "%s.%s%s", head, body, ends[k]);
            assert_int_equal(token_read(text, secret, 1700000001, &t), ERR_AUTH);
        }
    }
}

static void what_is_no_token_does_not_fit(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        ".",
                                        "..",
                                        "...",
                                        "a",
                                        "a.b.c",
                                        "e30.e30.e30",
                                        "\xff\xfe.\x80.",
                                        "eyJhbGciOiJIUzI1NiJ9.e30."};
    struct token t;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(token_read(texts[i], secret, 1700000001, &t), ERR_AUTH);
    char longest[8 * TOKEN_MAX];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    longest[100] = longest[200] = '.';
    assert_int_equal(token_read(longest, secret, 1700000001, &t), ERR_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_is_read),
        cmocka_unit_test(a_token_expires),
        cmocka_unit_test(another_secret_does_not_fit),
        cmocka_unit_test(a_token_that_was_changed_anywhere_does_not_fit),
        cmocka_unit_test(a_token_without_a_signature_does_not_fit),
        cmocka_unit_test(what_is_no_token_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
