#include "worker/media/held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct packet_pool pool;
static struct held held;

static int set_up(void **state)
{
    (void)state;
    packet_pool_init(&pool, HELD_MAX + 128);
    return 0;
}

/* The pool asserts that all packets are back. */
static int tear_down(void **state)
{
    (void)state;
    held_fini(&held);
    packet_pool_fini(&pool);
    return 0;
}

static void hold(uint32_t number, usec at)
{
    struct packet *p = packet_get(&pool);
    assert_non_null(p);
    p->len = number;
    p->arrived_at = at;
    held_add(&held, p);
    packet_unref(p);
}

static void packets_come_back_oldest_first_and_the_oldest_make_room(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < HELD_MAX + 5; i++)
        hold(i, 1000);
    assert_int_equal(held.n, HELD_MAX);
    for (size_t i = 0; i < held.n; i++)
        assert_int_equal(held_at(&held, i)->len, i + 5);
}

static void what_is_older_than_half_a_second_is_given_back(void **state)
{
    (void)state;
    hold(1, 0);
    hold(2, 100 * USEC_PER_MSEC);
    hold(3, 550 * USEC_PER_MSEC);
    assert_int_equal(held.n, 2);
    assert_int_equal(held_at(&held, 0)->len, 2);
    hold(4, 5 * USEC_PER_SEC);
    assert_int_equal(held.n, 1);
    assert_int_equal(pool.used, 1);
}

static void clearing_gives_everything_back_and_it_can_be_used_again(void **state)
{
    (void)state;
    hold(1, 0);
    hold(2, 0);
    held_clear(&held);
    assert_int_equal(pool.used, 0);
    hold(3, 0);
    assert_int_equal(held_at(&held, 0)->len, 3);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(packets_come_back_oldest_first_and_the_oldest_make_room),
        T(what_is_older_than_half_a_second_is_given_back),
        T(clearing_gives_everything_back_and_it_can_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
