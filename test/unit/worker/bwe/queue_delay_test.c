#include "worker/bwe/queue_delay.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MS = 1000 };

static struct queue_delay queue;
static usec now;

static int setup(void **state)
{
    (void)state;
    queue_delay_reset(&queue);
    now = 1000 * USEC_PER_SEC;
    return 0;
}

/* A message about a few packets that took this long; the clocks differ by an hour. */
static void message(usec delay)
{
    now += 100 * MS;
    for (int i = 0; i < 3; i++)
        queue_delay_add(&queue, now + i, now + i + delay + i * MS - 3600 * USEC_PER_SEC);
    queue_delay_end(&queue, now);
}

static void the_least_delay_is_the_way_itself(void **state)
{
    (void)state;
    message(80 * MS);
    assert_int_equal(queue.standing, 0);
    message(50 * MS);
    assert_int_equal(queue.standing, 0);
    message(120 * MS);
    assert_int_equal(queue.standing, 70 * MS);
}

static void a_longer_way_is_accepted_in_time(void **state)
{
    (void)state;
    message(50 * MS);
    for (int i = 0; i < 190; i++)
        message(150 * MS);
    assert_int_equal(queue.standing, 100 * MS);
    for (int i = 0; i < 220; i++)
        message(150 * MS);
    assert_int_equal(queue.standing, 0);
}

static void a_clock_that_was_set_is_no_queue(void **state)
{
    (void)state;
    message(50 * MS);
    message(5050 * MS);
    assert_int_equal(queue.standing, 0);
    message(-50 * MS);
    message(-30 * MS);
    assert_int_equal(queue.standing, 20 * MS);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        T(the_least_delay_is_the_way_itself),
        T(a_longer_way_is_accepted_in_time),
        T(a_clock_that_was_set_is_no_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
