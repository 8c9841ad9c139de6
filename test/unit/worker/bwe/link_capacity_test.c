#include "worker/bwe/link_capacity.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

static void capacity_deviation_widens_with_what_differs(void **state)
{
    (void)state;
    struct link_capacity c;
    link_capacity_reset(&c);
    assert_true(isinf(link_capacity_upper_bps(&c)));
    assert_true(link_capacity_lower_bps(&c) <= 0);
    link_capacity_overuse(&c, 1e6);
    double narrow = link_capacity_upper_bps(&c) - 1e6;
    for (int i = 0; i < 20; i++)
        link_capacity_overuse(&c, i % 2 ? 900e3 : 1100e3);
    assert_true(link_capacity_upper_bps(&c) - c.estimate * 1000 > 1.5 * narrow);
    link_capacity_probe(&c, 2e6);
    assert_true(c.estimate > 1450);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_deviation_widens_with_what_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
