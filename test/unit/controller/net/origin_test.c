#include "controller/net/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct origin_policy none;

static void who_sends_no_origin_is_no_browser(void **state)
{
    (void)state;
    assert_true(origin_allowed(&none, NULL, "a.example", false));
    assert_true(origin_allowed(&none, NULL, NULL, true));
}

static void pages_of_this_site_may(void **state)
{
    (void)state;
    assert_true(origin_allowed(&none, "http://a.example", "a.example", false));
    assert_true(origin_allowed(&none, "http://A.example:8080", "a.EXAMPLE:8080", false));
    assert_true(origin_allowed(&none, "http://a.example", "a.example:80", false));
    assert_true(origin_allowed(&none, "http://a.example:80", "a.example", false));
    assert_true(origin_allowed(&none, "https://a.example", "a.example:443", true));
    assert_true(origin_allowed(&none, "http://[::1]:8080", "[::1]:8080", false));
    /* TLS ended at a proxy that is not trusted to say so. */
    assert_true(origin_allowed(&none, "https://a.example", "a.example", false));
}

static void pages_of_other_sites_may_not(void **state)
{
    (void)state;
    static const char *const foreign[] = {"http://b.example",
                                          "http://a.example.b.example",
                                          "http://xa.example",
                                          "http://a.example:81",
                                          "https://a.example:8443",
                                          "null",
                                          "",
                                          "a.example",
                                          "ftp://a.example",
                                          "http://",
                                          "file://",
                                          "http://a.example@b.example",
                                          "http://a.exampl"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        assert_false(origin_allowed(&none, foreign[i], "a.example", false));
    assert_false(origin_allowed(&none, "http://a.example", NULL, false));
    assert_false(origin_allowed(&none, "http://a.example", "", false));
}

static void a_page_without_tls_may_not_on_a_site_with_tls(void **state)
{
    (void)state;
    assert_false(origin_allowed(&none, "http://a.example", "a.example", true));
}

static void listed_sites_may(void **state)
{
    (void)state;
    static const char *const list[] = {"https://b.example", "http://c.example:8000/"};
    struct origin_policy p = {.allowed = list, .n_allowed = 2};
    assert_true(origin_allowed(&p, "https://b.example", "a.example", true));
    assert_true(origin_allowed(&p, "https://b.example:443", "a.example", true));
    assert_true(origin_allowed(&p, "http://c.example:8000", "a.example", false));
    assert_false(origin_allowed(&p, "http://b.example", "a.example", false));
    assert_false(origin_allowed(&p, "http://c.example", "a.example", false));
    assert_false(origin_allowed(&p, "null", "a.example", false));
    assert_true(origin_allowed(&p, "https://a.example", "a.example", true));
}

static void a_star_lets_all_in(void **state)
{
    (void)state;
    static const char *const list[] = {"*"};
    struct origin_policy p = {.allowed = list, .n_allowed = 1};
    assert_true(origin_allowed(&p, "http://b.example", "a.example", true));
    assert_true(origin_allowed(&p, "null", NULL, false));
}

static void the_public_address_is_this_site(void **state)
{
    (void)state;
    struct origin_policy p = {.public_url = "https://live.example.org/weir/"};
    assert_true(origin_allowed(&p, "https://live.example.org", "10.0.0.5:8080", false));
    assert_false(origin_allowed(&p, "http://live.example.org", "10.0.0.5:8080", false));
    assert_false(origin_allowed(&p, "https://example.org", "10.0.0.5:8080", false));
    p.public_url = "";
    assert_false(origin_allowed(&p, "https://live.example.org", "10.0.0.5:8080", false));
}

static void what_carries_cookies_needs_an_origin_that_is_known_by_name(void **state)
{
    (void)state;
    static const char *const list[] = {"*", "https://b.example"};
    struct origin_policy p = {.allowed = list, .n_allowed = 2};
    assert_true(origin_trusted(&p, "https://b.example", "a.example", true));
    assert_true(origin_trusted(&p, "https://a.example", "a.example", true));
    assert_false(origin_trusted(&p, "https://c.example", "a.example", true));
    assert_false(origin_trusted(&p, "null", "a.example", true));
    assert_false(origin_trusted(&p, NULL, "a.example", true));
    assert_int_equal(origin_listed(&p, "https://b.example"), ORIGIN_NAMED);
    assert_int_equal(origin_listed(&p, "https://c.example"), ORIGIN_ANY);
    assert_int_equal(origin_listed(&none, "https://c.example"), ORIGIN_FOREIGN);
    assert_int_equal(origin_listed(&none, NULL), ORIGIN_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_sends_no_origin_is_no_browser),
        cmocka_unit_test(pages_of_this_site_may),
        cmocka_unit_test(pages_of_other_sites_may_not),
        cmocka_unit_test(a_page_without_tls_may_not_on_a_site_with_tls),
        cmocka_unit_test(listed_sites_may),
        cmocka_unit_test(a_star_lets_all_in),
        cmocka_unit_test(the_public_address_is_this_site),
        cmocka_unit_test(what_carries_cookies_needs_an_origin_that_is_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
