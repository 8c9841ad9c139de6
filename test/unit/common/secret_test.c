#include "common/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void only_the_same_text_fits(void **state)
{
    (void)state;
    assert_true(secret_fits("abc", "abc"));
    assert_true(secret_fits("", ""));
    assert_false(secret_fits("abc", "abd"));
    assert_false(secret_fits("abc", "xbc"));
    assert_false(secret_fits("abc", "ab"));
    assert_false(secret_fits("abc", "abcd"));
    assert_false(secret_fits("abc", ""));
}

static void nothing_fits_nothing(void **state)
{
    (void)state;
    assert_false(secret_fits(NULL, "abc"));
    assert_false(secret_fits("abc", NULL));
    assert_false(secret_fits(NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_same_text_fits),
        cmocka_unit_test(nothing_fits_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
