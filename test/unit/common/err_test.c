#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

static void every_code_has_a_name_and_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < ERR_COUNT; i++) {
        assert_true(strlen(err_name((enum err)i)) > 1);
        assert_true(strlen(err_text((enum err)i)) > 1);
        assert_null(strchr(err_name((enum err)i), ' '));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(err_name((enum err)i), err_name((enum err)j));
    }
    assert_int_equal(OK, 0);
    assert_string_equal(err_name(ERR_TYPE), "TypeError");
}

static void a_code_out_of_range_is_named_too(void **state)
{
    (void)state;
    assert_non_null(err_name(ERR_COUNT));
    assert_non_null(err_text((enum err)1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_name_and_a_text_of_its_own),
        cmocka_unit_test(a_code_out_of_range_is_named_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
