#include "controller/data/redis_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct redis_url u;

static void the_parts_of_a_url_are_found(void **state)
{
    (void)state;
    assert_int_equal(redis_url_parse("redis://cache", &u), OK);
    assert_string_equal(u.host, "cache");
    assert_string_equal(u.port, "6379");
    assert_string_equal(u.database, "0");
    assert_string_equal(u.user, "");
    assert_string_equal(u.password, "");
    assert_int_equal(redis_url_parse("redis://me:p%40ss%2F@10.0.0.7:7000/12", &u), OK);
    assert_string_equal(u.user, "me");
    assert_string_equal(u.password, "p@ss/");
    assert_string_equal(u.host, "10.0.0.7");
    assert_string_equal(u.port, "7000");
    assert_string_equal(u.database, "12");
    assert_int_equal(redis_url_parse("redis://:secret@[::1]:7000/", &u), OK);
    assert_string_equal(u.user, "");
    assert_string_equal(u.password, "secret");
    assert_string_equal(u.host, "::1");
    assert_int_equal(redis_url_parse("redis://[::1]", &u), OK);
    assert_string_equal(u.port, "6379");
}

static void what_is_no_url_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "redis",
                                      "http://a",
                                      "rediss://a",
                                      "redis://",
                                      "redis://:x@",
                                      "redis://a:",
                                      "redis://a:b",
                                      "redis://a:70000",
                                      "redis://a/x",
                                      "redis://a/1/2",
                                      "redis://a?db=1",
                                      "redis://[::1",
                                      "redis://[::1]7",
                                      "redis://u:%zz@a",
                                      "redis://u:%00@a",
                                      "redis://u:%4@a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (redis_url_parse(bad[i], &u) == OK)
            fail_msg("taken: %s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_url_are_found),
        cmocka_unit_test(what_is_no_url_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
