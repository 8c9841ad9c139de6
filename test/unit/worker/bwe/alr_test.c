#include "worker/bwe/alr.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MS = 1000 };

static void an_application_that_sends_little_is_the_limit(void **state)
{
    (void)state;
    struct alr alr = {0};
    usec now = 0;
    for (int i = 0; i < 300; i++)
        alr_sent(&alr, now += 10 * MS, 1250, 1.2e6); /* 1 of 1.2 Mbit/s */
    assert_false(alr.limited);
    for (int i = 0; i < 300; i++)
        alr_sent(&alr, now += 10 * MS, 375, 1.2e6);
    assert_true(alr.limited);
    for (int i = 0; i < 300; i++)
        alr_sent(&alr, now += 10 * MS, 1250, 1.2e6);
    assert_false(alr.limited);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_application_that_sends_little_is_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
