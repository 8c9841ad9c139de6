#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/net/target.h"

static struct slice text(const char *s)
{
    return slice_of(s, strlen(s));
}

static void paths_are_decoded(void **state)
{
    (void)state;
    char out[64];
    assert_int_equal(target_decode_path(text("/a%20b/%C3%BC+c"), out), OK);
    assert_string_equal(out, "/a b/\xc3\xbc+c");
    assert_int_equal(target_decode_path(text("/..a/.b/c../..."), out), OK);
    assert_string_equal(out, "/..a/.b/c../...");
}

static void paths_that_lead_elsewhere_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"/..",   "/../a",   "/a/../b", "/a/..",  "/.",
                                      "/./a",  "/%2e%2e", "/.%2E/a", "/a%2fb", "/a%2Fb",
                                      "/a%00", "/a%0ab",  "/a\\b",   "/a%5cb", "/a%5C..",
                                      "/%",    "/%a",     "/%zz",    "/a%7f"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char out[64];
        if (target_decode_path(text(bad[i]), out) == OK)
            fail_msg("%s became %s", bad[i], out);
    }
}

static void a_target_splits_at_the_question_mark(void **state)
{
    (void)state;
    assert_int_equal(target_path(text("/a?b?c#d")).n, 2);
    struct slice q = target_query(text("/a?b?c#d"));
    assert_int_equal(q.n, 3);
    assert_memory_equal(q.p, "b?c", 3);
    assert_int_equal(target_query(text("/a")).n, 0);
    assert_int_equal(target_query(text("/a#?b")).n, 0);
    assert_int_equal(target_query(text("/a?")).n, 0);
}

static void queries_are_decoded_into_pairs(void **state)
{
    (void)state;
    const char *q = "a=1&&b=x%20y+z%26&c&=d&a=2&e=%zz&f=%00&g==";
    char block[128];
    size_t n = query_decode(text(q), block);
    assert_int_equal(n, 8);
    assert_string_equal(query_find(block, n, "a"), "1");
    assert_string_equal(query_find(block, n, "b"), "x y z&");
    assert_string_equal(query_find(block, n, "c"), "");
    assert_string_equal(query_find(block, n, ""), "d");
    assert_string_equal(query_find(block, n, "e"), "%zz");
    assert_string_equal(query_find(block, n, "f"), "%00");
    assert_string_equal(query_find(block, n, "g"), "=");
    assert_null(query_find(block, n, "h"));
}

static void the_longest_query_fits_its_room(void **state)
{
    (void)state;
    /* every character a pair of its own: two NULs each */
    const char *q = "a&b&c&d";
    char block[2 * 7 + 2];
    memset(block, '#', sizeof block);
    assert_int_equal(query_decode(text(q), block), 4);
    assert_int_equal(query_decode(text("a"), block), 1); /* "a", "", end: 1 + 1 + 1 + 1 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_decoded),
        cmocka_unit_test(paths_that_lead_elsewhere_are_refused),
        cmocka_unit_test(a_target_splits_at_the_question_mark),
        cmocka_unit_test(queries_are_decoded_into_pairs),
        cmocka_unit_test(the_longest_query_fits_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
