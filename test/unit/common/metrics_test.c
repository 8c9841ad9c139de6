#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/metrics.h"

static char *render(struct metrics *m)
{
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(metrics_render(m, &text, &n), OK);
    assert_int_equal(strlen(text), n);
    return text;
}

static void counters_and_gauges_appear_with_help_and_type(void **state)
{
    (void)state;
    struct metrics *m;
    assert_int_equal(metrics_open(&m), OK);
    struct metric *c = metric_counter(m, "http_requests_total", "Requests answered.",
                                      &(struct metric_label){"code", "200"}, 1);
    struct metric *g = metric_gauge(m, "connections", "Open now.", NULL, 0);
    metric_add(c, 1);
    metric_add(c, 2);
    metric_set(g, 1.5);
    char *text = render(m);
    assert_string_equal(text, "# HELP http_requests_total Requests answered.\n"
                              "# TYPE http_requests_total counter\n"
                              "http_requests_total{code=\"200\"} 3\n"
                              "# HELP connections Open now.\n"
                              "# TYPE connections gauge\n"
                              "connections 1.5\n");
    free(text);
    metrics_close(m);
}

static void the_same_labels_give_the_same_handle(void **state)
{
    (void)state;
    struct metrics *m;
    assert_int_equal(metrics_open(&m), OK);
    struct metric_label a = {"room", "a"};
    struct metric_label b = {"room", "b"};
    struct metric *first = metric_gauge(m, "peers", "", &a, 1);
    assert_ptr_equal(metric_gauge(m, "peers", "", &a, 1), first);
    assert_ptr_not_equal(metric_gauge(m, "peers", "", &b, 1), first);
    metrics_close(m);
}

static void label_values_and_help_are_escaped(void **state)
{
    (void)state;
    struct metrics *m;
    assert_int_equal(metrics_open(&m), OK);
    metric_gauge(m, "x", "a \\ b\n\"c\"", &(struct metric_label){"l", "q\" b\\ n\n"}, 1);
    char *text = render(m);
    assert_string_equal(text, "# HELP x a \\\\ b\\n\"c\"\n# TYPE x gauge\n"
                              "x{l=\"q\\\" b\\\\ n\\n\"} 0\n");
    free(text);
    metrics_close(m);
}

static void histogram_buckets_are_cumulative_and_bounds_inclusive(void **state)
{
    (void)state;
    static const double bounds[] = {0.1, 1};
    struct metrics *m;
    assert_int_equal(metrics_open(&m), OK);
    struct metric_histogram *h = metric_histogram(m, "took_seconds", "Time.",
                                                  &(struct metric_label){"m", "x"}, 1, bounds, 2);
    metric_observe(h, 0.1);
    metric_observe(h, 0.5);
    metric_observe(h, 7);
    char *text = render(m);
    assert_string_equal(text, "# HELP took_seconds Time.\n# TYPE took_seconds histogram\n"
                              "took_seconds_bucket{m=\"x\",le=\"0.1\"} 1\n"
                              "took_seconds_bucket{m=\"x\",le=\"1\"} 2\n"
                              "took_seconds_bucket{m=\"x\",le=\"+Inf\"} 3\n"
                              "took_seconds_sum{m=\"x\"} 7.5999999999999996\n"
                              "took_seconds_count{m=\"x\"} 3\n");
    free(text);
    metrics_close(m);
}

static void invalid_names_give_a_handle_that_is_not_shown(void **state)
{
    (void)state;
    struct metrics *m;
    assert_int_equal(metrics_open(&m), OK);
    metric_add(metric_counter(m, "1x", "", NULL, 0), 1);
    metric_add(metric_counter(m, "a-b", "", NULL, 0), 1);
    metric_add(metric_counter(m, "ok", "", &(struct metric_label){"l:x", "v"}, 1), 1);
    metric_add(metric_counter(NULL, "ok", "", NULL, 0), 1);
    char *text = render(m);
    assert_string_equal(text, "");
    free(text);
    metrics_close(m);
}

static void a_family_keeps_its_first_type(void **state)
{
    (void)state;
    struct metrics *m;
    assert_int_equal(metrics_open(&m), OK);
    metric_add(metric_counter(m, "x", "", NULL, 0), 1);
    metric_set(metric_gauge(m, "x", "", NULL, 0), 9);
    char *text = render(m);
    assert_string_equal(text, "# HELP x \n# TYPE x counter\nx 1\n");
    free(text);
    metrics_close(m);
}

static void a_dropped_series_is_gone_and_others_stay(void **state)
{
    (void)state;
    struct metrics *m;
    assert_int_equal(metrics_open(&m), OK);
    struct metric *a = metric_gauge(m, "x", "", &(struct metric_label){"w", "0"}, 1);
    metric_set(metric_gauge(m, "x", "", &(struct metric_label){"w", "1"}, 1), 4);
    metric_drop(m, a);
    char *text = render(m);
    assert_string_equal(text, "# HELP x \n# TYPE x gauge\nx{w=\"1\"} 4\n");
    free(text);
    metrics_close(m);
}

static void count_calls(void *user)
{
    metric_add(user, 1);
}

static void collectors_run_before_each_rendering(void **state)
{
    (void)state;
    struct metrics *m;
    assert_int_equal(metrics_open(&m), OK);
    struct metric *g = metric_gauge(m, "x", "", NULL, 0);
    assert_int_equal(metrics_on_collect(m, count_calls, g), OK);
    free(render(m));
    char *text = render(m);
    assert_non_null(strstr(text, "x 2\n"));
    free(text);
    metrics_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges_appear_with_help_and_type),
        cmocka_unit_test(the_same_labels_give_the_same_handle),
        cmocka_unit_test(label_values_and_help_are_escaped),
        cmocka_unit_test(histogram_buckets_are_cumulative_and_bounds_inclusive),
        cmocka_unit_test(invalid_names_give_a_handle_that_is_not_shown),
        cmocka_unit_test(a_family_keeps_its_first_type),
        cmocka_unit_test(a_dropped_series_is_gone_and_others_stay),
        cmocka_unit_test(collectors_run_before_each_rendering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
