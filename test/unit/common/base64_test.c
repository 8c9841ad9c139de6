#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base64.h"

static void the_vectors_of_rfc_4648_go_both_ways(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const char *plain = vectors[i][0];
        char text[BASE64_TEXT_MAX(6)];
        uint8_t bytes[6];
        base64_write((const uint8_t *)plain, strlen(plain), text);
        assert_string_equal(text, vectors[i][1]);
        assert_int_equal(base64_read(text, bytes, sizeof bytes), strlen(plain));
        assert_memory_equal(bytes, plain, strlen(plain));
    }
}

static void all_bytes_survive(void **state)
{
    (void)state;
    uint8_t in[256], out[256];
    char text[BASE64_TEXT_MAX(256)];
    for (int i = 0; i < 256; i++)
        in[i] = (uint8_t)i;
    base64_write(in, sizeof in, text);
    assert_int_equal(strlen(text) + 1, sizeof text);
    assert_int_equal(base64_read(text, out, sizeof out), sizeof out);
    assert_memory_equal(in, out, sizeof in);
}

static void what_is_not_base64_is_refused(void **state)
{
    (void)state;
    uint8_t out[8];
    assert_true(base64_read("Zm9v!", out, sizeof out) == BASE64_BAD);
    assert_true(base64_read("Zm9vA", out, sizeof out) == BASE64_BAD);
    assert_true(base64_read("Zm=v", out, sizeof out) == BASE64_BAD);
    assert_true(base64_read("====", out, sizeof out) == BASE64_BAD);
    assert_true(base64_read("Zm9vYmFy", out, 5) == BASE64_BAD);
    assert_int_equal(base64_read("Zm9vYg", out, sizeof out), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_4648_go_both_ways),
        cmocka_unit_test(all_bytes_survive),
        cmocka_unit_test(what_is_not_base64_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
