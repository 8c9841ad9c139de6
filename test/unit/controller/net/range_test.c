#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/net/range.h"

static void ranges_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        uint64_t size;
        enum range_result result;
        uint64_t first;
        uint64_t last;
    } cases[] = {
        {"bytes=0-0", 10, RANGE_ONE, 0, 0},
        {"bytes=0-", 10, RANGE_ONE, 0, 9},
        {"Bytes=3-5", 10, RANGE_ONE, 3, 5},
        {"bytes=3-99", 10, RANGE_ONE, 3, 9},
        {"bytes=9-9", 10, RANGE_ONE, 9, 9},
        {"bytes=-1", 10, RANGE_ONE, 9, 9},
        {"bytes=-10", 10, RANGE_ONE, 0, 9},
        {"bytes=-11", 10, RANGE_ONE, 0, 9},
        {"bytes=5-99999999999999999999999999", 10, RANGE_ONE, 5, 9},
        {"bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=99999999999999999999999999-", 10, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-0", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-5", 0, RANGE_UNSATISFIABLE, 0, 0},
        {NULL, 10, RANGE_NONE, 0, 0},
        {"", 10, RANGE_NONE, 0, 0},
        {"bytes=", 10, RANGE_NONE, 0, 0},
        {"bytes=-", 10, RANGE_NONE, 0, 0},
        {"bytes=5-4", 10, RANGE_NONE, 0, 0},
        {"bytes=a-4", 10, RANGE_NONE, 0, 0},
        {"bytes=1-4x", 10, RANGE_NONE, 0, 0},
        {"bytes=0-1,3-4", 10, RANGE_NONE, 0, 0},
        {"seconds=1-4", 10, RANGE_NONE, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t first = 0;
        uint64_t last = 0;
        enum range_result r = range_parse(cases[i].header, cases[i].size, &first, &last);
        if (r != cases[i].result ||
            (r == RANGE_ONE && (first != cases[i].first || last != cases[i].last)))
            fail_msg("case %zu: %s", i, cases[i].header);
    }
}

static void tags_are_found_in_lists(void **state)
{
    (void)state;
    assert_true(etag_listed("\"a\"", "\"a\""));
    assert_true(etag_listed("\"x\" , W/\"a\"", "\"a\""));
    assert_true(etag_listed("*", "\"a\""));
    assert_true(etag_listed("\"x,y\",\"a\"", "\"a\""));
    assert_false(etag_listed("\"ab\"", "\"a\""));
    assert_false(etag_listed("a", "\"a\""));
    assert_false(etag_listed("\"a", "\"a\""));
    assert_false(etag_listed("", "\"a\""));
}

static void dates_go_both_ways(void **state)
{
    (void)state;
    char text[30];
    http_date(784111777, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT"); /* RFC 9110 5.6.7 */
    time_t t = 0;
    assert_true(http_date_parse(text, &t));
    assert_int_equal(t, 784111777);
    assert_false(http_date_parse("Sunday, 06-Nov-94 08:49:37 GMT", &t));
    assert_false(http_date_parse("Sun, 06 Xyz 1994 08:49:37 GMT", &t));
    assert_false(http_date_parse("Sun, 06 anF 1994 08:49:37 GMT", &t));
    assert_false(http_date_parse("", &t));
}

static void gzip_is_taken_only_where_it_is_accepted(void **state)
{
    (void)state;
    assert_true(accepts_gzip("gzip"));
    assert_true(accepts_gzip("deflate, gzip;q=1.0, *;q=0.5"));
    assert_true(accepts_gzip("br , GZIP"));
    assert_true(accepts_gzip("*"));
    assert_false(accepts_gzip(NULL));
    assert_false(accepts_gzip(""));
    assert_false(accepts_gzip("br"));
    assert_false(accepts_gzip("gzip;q=0"));
    assert_false(accepts_gzip("gzip; q=0.0"));
    assert_false(accepts_gzip("x-gzip"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read),
        cmocka_unit_test(tags_are_found_in_lists),
        cmocka_unit_test(dates_go_both_ways),
        cmocka_unit_test(gzip_is_taken_only_where_it_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
