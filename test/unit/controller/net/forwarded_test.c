#include "controller/net/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/net/ip_limit.h"

static struct forwarded_proxies proxies(const char *a, const char *b)
{
    struct forwarded_proxies p = {0};
    assert_int_equal(addr_range_parse(&p.ranges[p.n++], a), OK);
    if (b)
        assert_int_equal(addr_range_parse(&p.ranges[p.n++], b), OK);
    return p;
}

static struct addr ip(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(&a, text, 0), OK);
    return a;
}

static void check(const struct forwarded_proxies *p, const char *peer, const char *list,
                  const char *expected)
{
    char text[ADDR_TEXT_MAX];
    struct addr from = ip(peer);
    struct addr who = forwarded_peer(p, &from, list);
    assert_string_equal(addr_ip_text(&who, text, sizeof text), expected);
}

static void only_trusted_proxies_are_believed(void **state)
{
    (void)state;
    struct forwarded_proxies p = proxies("10.0.0.0/8", "::1");
    check(&p, "8.8.8.8", "127.0.0.1", "8.8.8.8");
    check(&p, "10.0.0.1", "1.2.3.4", "1.2.3.4");
    check(&p, "::1", "1.2.3.4", "1.2.3.4");
    check(&p, "10.0.0.1", NULL, "10.0.0.1");
    check(&p, "10.0.0.1", "", "10.0.0.1");
    check(&(struct forwarded_proxies){0}, "127.0.0.1", "1.2.3.4", "127.0.0.1");
}

static void what_a_client_wrote_itself_is_not_believed(void **state)
{
    (void)state;
    struct forwarded_proxies p = proxies("10.0.0.0/8", NULL);
    check(&p, "10.0.0.1", "127.0.0.1, 203.0.113.7", "203.0.113.7");
    check(&p, "10.0.0.1", "127.0.0.1,203.0.113.7 , 10.0.0.2", "203.0.113.7");
    check(&p, "10.0.0.1", "10.0.0.9, 203.0.113.7", "203.0.113.7");
}

static void what_is_no_address_ends_the_list(void **state)
{
    (void)state;
    struct forwarded_proxies p = proxies("10.0.0.0/8", NULL);
    check(&p, "10.0.0.1", "unknown", "10.0.0.1");
    check(&p, "10.0.0.1", "1.2.3.4, unknown", "10.0.0.1");
    check(&p, "10.0.0.1", "1.2.3.4, , 10.0.0.2", "10.0.0.2");
    check(&p, "10.0.0.1", ",", "10.0.0.1");
    check(&p, "10.0.0.1", "[::1", "10.0.0.1");
    check(&p, "10.0.0.1", "[]", "10.0.0.1");
}

static void ports_and_brackets_are_taken_off(void **state)
{
    (void)state;
    struct forwarded_proxies p = proxies("10.0.0.0/8", NULL);
    check(&p, "10.0.0.1", "1.2.3.4:5678", "1.2.3.4");
    check(&p, "10.0.0.1", "2001:db8::1", "2001:db8::1");
    check(&p, "10.0.0.1", "[2001:db8::1]", "2001:db8::1");
    check(&p, "10.0.0.1", "[2001:db8::1]:443", "2001:db8::1");
}

static void the_last_protocol_counts(void **state)
{
    (void)state;
    assert_true(forwarded_tls("https"));
    assert_true(forwarded_tls("HTTPS "));
    assert_true(forwarded_tls("http, https"));
    assert_false(forwarded_tls("https, http"));
    assert_false(forwarded_tls("httpsx"));
    assert_false(forwarded_tls(""));
    assert_false(forwarded_tls(NULL));
}

static void an_address_gets_as_many_as_it_may_have(void **state)
{
    (void)state;
    struct ip_limit l = {.max = 2};
    struct addr a = ip("1.2.3.4");
    struct addr b = ip("1.2.3.5");
    a.port = 1000; /* the port does not make it another one */
    assert_true(ip_limit_take(&l, &a));
    a.port = 1001;
    assert_true(ip_limit_take(&l, &a));
    assert_false(ip_limit_take(&l, &a));
    assert_true(ip_limit_take(&l, &b));
    ip_limit_give(&l, &a);
    assert_true(ip_limit_take(&l, &a));
    assert_int_equal(ip_limit_count(&l, &a), 2);
    ip_limit_give(&l, &a);
    ip_limit_give(&l, &a);
    ip_limit_give(&l, &b);
    assert_null(l.by_addr); /* nothing is kept of who went */
    ip_limit_fini(&l);
}

static void an_ipv6_customer_is_a_64(void **state)
{
    (void)state;
    struct ip_limit l = {.max = 1};
    struct addr a = ip("2001:db8:1:2::1");
    struct addr same = ip("2001:db8:1:2:ffff::9");
    struct addr other = ip("2001:db8:1:3::1");
    assert_true(ip_limit_take(&l, &a));
    assert_false(ip_limit_take(&l, &same));
    assert_true(ip_limit_take(&l, &other));
    ip_limit_fini(&l);
}

static void without_a_limit_nothing_is_counted(void **state)
{
    (void)state;
    struct ip_limit l = {0};
    struct addr a = ip("1.2.3.4");
    for (int i = 0; i < 1000; i++)
        assert_true(ip_limit_take(&l, &a));
    assert_null(l.by_addr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_trusted_proxies_are_believed),
        cmocka_unit_test(what_a_client_wrote_itself_is_not_believed),
        cmocka_unit_test(what_is_no_address_ends_the_list),
        cmocka_unit_test(ports_and_brackets_are_taken_off),
        cmocka_unit_test(the_last_protocol_counts),
        cmocka_unit_test(an_address_gets_as_many_as_it_may_have),
        cmocka_unit_test(an_ipv6_customer_is_a_64),
        cmocka_unit_test(without_a_limit_nothing_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
