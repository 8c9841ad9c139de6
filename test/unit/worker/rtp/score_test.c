#include "worker/rtp/stream.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void an_interval_without_loss_is_perfect(void **state)
{
    (void)state;
    assert_int_equal(score_of_interval(0, 0, 0, 0), 10);
    assert_int_equal(score_of_interval(100, 0, 0, 0), 10);
    assert_int_equal(score_of_interval(100, 0, 5, 5), 10);
}

static void loss_lowers_the_score_by_the_fourth_power(void **state)
{
    (void)state;
    assert_int_equal(score_of_interval(100, 10, 0, 0), 7); /* 0.9^4 = 0.656 */
    assert_int_equal(score_of_interval(100, 50, 0, 0), 1); /* 0.0625 */
    assert_int_equal(score_of_interval(100, 100, 0, 0), 0);
    assert_int_equal(score_of_interval(100, 250, 0, 0), 0);
}

static void repairs_count_and_cheap_ones_count_more(void **state)
{
    (void)state;
    assert_int_equal(score_of_interval(100, 5, 0, 0), 8);
    assert_int_equal(score_of_interval(100, 5, 5, 5), 10);
    uint8_t cheap = score_of_interval(100, 20, 20, 20);
    uint8_t dear = score_of_interval(100, 20, 20, 100);
    assert_true(cheap > dear);
    assert_true(dear >= score_of_interval(100, 20, 0, 0));
}

static void changes_are_told_once(void **state)
{
    (void)state;
    struct score s;
    uint8_t value = 99;
    score_init(&s, 0);
    assert_false(score_take(&s, &value));
    score_set(&s, 10);
    assert_true(score_take(&s, &value));
    assert_int_equal(value, 10);
    assert_false(score_take(&s, &value));
    score_add(&s, 10);
    assert_false(score_take(&s, &value));
}

static void newer_intervals_weigh_more(void **state)
{
    (void)state;
    struct score up;
    struct score down;
    score_init(&up, 10);
    score_init(&down, 10);
    for (int i = 0; i < 10; i++) {
        score_add(&up, i < 5 ? 2 : 10);
        score_add(&down, i < 5 ? 10 : 2);
    }
    assert_true(up.value > 6);
    assert_true(down.value < 6);
}

static void a_long_time_replaces_the_past(void **state)
{
    (void)state;
    struct score s;
    score_init(&s, 10);
    for (int i = 0; i < 30; i++)
        score_add(&s, 10);
    for (int i = 0; i < SCORE_HISTORY; i++)
        score_add(&s, 3);
    assert_int_equal(s.value, 3);
}

static void after_zero_the_history_starts_anew(void **state)
{
    (void)state;
    struct score s;
    score_init(&s, 10);
    for (int i = 0; i < SCORE_HISTORY; i++)
        score_add(&s, 0);
    assert_int_equal(s.value, 0);
    score_add(&s, 9);
    assert_int_equal(s.value, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interval_without_loss_is_perfect),
        cmocka_unit_test(loss_lowers_the_score_by_the_fourth_power),
        cmocka_unit_test(repairs_count_and_cheap_ones_count_more),
        cmocka_unit_test(changes_are_told_once),
        cmocka_unit_test(newer_intervals_weigh_more),
        cmocka_unit_test(a_long_time_replaces_the_past),
        cmocka_unit_test(after_zero_the_history_starts_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
