#include "common/addr_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool has(const char *range, const char *ip)
{
    struct addr_range r;
    struct addr a;
    assert_int_equal(addr_range_parse(&r, range), OK);
    assert_int_equal(addr_parse(&a, ip, 4711), OK);
    return addr_range_has(&r, &a);
}

static void a_range_has_what_agrees_in_its_bits(void **state)
{
    (void)state;
    assert_true(has("10.0.0.0/8", "10.255.1.2"));
    assert_false(has("10.0.0.0/8", "11.0.0.0"));
    assert_true(has("172.16.0.0/12", "172.31.255.255"));
    assert_false(has("172.16.0.0/12", "172.32.0.0"));
    assert_true(has("192.168.7.9", "192.168.7.9"));
    assert_false(has("192.168.7.9", "192.168.7.8"));
    assert_true(has("192.168.7.9/31", "192.168.7.8"));
    assert_true(has("0.0.0.0/0", "8.8.8.8"));
    assert_true(has("fd00::/8", "fd12::1"));
    assert_false(has("fd00::/8", "fe80::1"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("::1", "::1"));
}

static void families_do_not_mix_but_mapped_addresses_are_ipv4(void **state)
{
    (void)state;
    assert_false(has("0.0.0.0/0", "::1"));
    assert_false(has("::/0", "1.2.3.4"));
    assert_true(has("10.0.0.0/8", "::ffff:10.1.1.1"));
}

static void what_is_no_range_is_refused(void **state)
{
    (void)state;
    struct addr_range r;
    static const char *const bad[] = {"",          "/8",          "localhost",
                                      "10.0.0.0/", "10.0.0/8",    "10.0.0.0/x",
                                      "::/8x",     "10.0.0.0/-1", "10.0.0.0/ 8"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(addr_range_parse(&r, bad[i]), ERR_MALFORMED);
    assert_int_equal(addr_range_parse(&r, "10.0.0.0/33"), ERR_RANGE);
    assert_int_equal(addr_range_parse(&r, "::/129"), ERR_RANGE);
    assert_int_equal(addr_range_parse(&r, "10.0.0.0/99999999999999999999"), ERR_RANGE);
}

static void loopback_is_known_in_both_families(void **state)
{
    (void)state;
    struct addr a;
    assert_int_equal(addr_parse(&a, "127.9.9.9", 0), OK);
    assert_true(addr_is_loopback(&a));
    assert_int_equal(addr_parse(&a, "::1", 0), OK);
    assert_true(addr_is_loopback(&a));
    assert_int_equal(addr_parse(&a, "::2", 0), OK);
    assert_false(addr_is_loopback(&a));
    assert_int_equal(addr_parse(&a, "128.0.0.1", 0), OK);
    assert_false(addr_is_loopback(&a));
    assert_false(addr_is_loopback(&(struct addr){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_has_what_agrees_in_its_bits),
        cmocka_unit_test(families_do_not_mix_but_mapped_addresses_are_ipv4),
        cmocka_unit_test(what_is_no_range_is_refused),
        cmocka_unit_test(loopback_is_known_in_both_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
