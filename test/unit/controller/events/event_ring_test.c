#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "controller/events/event_ring.h"

static struct event_ring ring;

static int open_ring(void **state)
{
    (void)state;
    event_ring_init(&ring, "abcdefgh");
    return 0;
}

static int close_ring(void **state)
{
    (void)state;
    event_ring_fini(&ring);
    return 0;
}

static void add(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char data[32];
        snprintf(data, sizeof data, "{\"n\":%u}", (unsigned)ring.next);
        assert_non_null(event_ring_add(&ring, "stream.started", "room", data));
    }
}

static bool after(const char *id, uint64_t *number)
{
    return event_ring_after(&ring, id, number);
}

static void who_comes_back_goes_on_after_the_last_one(void **state)
{
    (void)state;
    uint64_t n;
    add(5);
    assert_true(after("abcdefgh-3", &n));
    assert_int_equal(n, 4);
    assert_string_equal(event_ring_get(&ring, 4)->data, "{\"n\":4}");
    assert_string_equal(event_ring_get(&ring, 4)->room_id, "room");
    assert_true(after("abcdefgh-5", &n)); /* nothing was missed */
    assert_int_equal(n, 6);
    assert_null(event_ring_get(&ring, 6));
    assert_true(after("abcdefgh-0", &n)); /* what an empty ring greets with */
    assert_int_equal(n, 1);
}

static void ids_that_are_none_of_ours_are_told(void **state)
{
    (void)state;
    static const char *const ids[] = {
        "",           "abcdefgh",    "abcdefgh-",   "abcdefgh-x",
        "abcdefgh-6", "abcdefgh--1", "abcdefgh- 1", "abcdefgh-1x",
        "zbcdefgh-1", "abcdefghi-1", "1",           "abcdefgh-99999999999999999999999"};
    uint64_t n;
    add(5);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        assert_false(after(ids[i], &n));
        assert_int_equal(n, 1);
    }
}

static void the_oldest_go_and_that_is_told(void **state)
{
    (void)state;
    uint64_t n;
    add(EVENT_RING_MAX + 10);
    assert_null(event_ring_get(&ring, 10));
    assert_non_null(event_ring_get(&ring, 11));
    assert_false(after("abcdefgh-9", &n));
    assert_int_equal(n, 11);
    assert_true(after("abcdefgh-10", &n));
    assert_int_equal(n, 11);
}

static void an_id_is_what_it_is_found_by(void **state)
{
    (void)state;
    char id[EVENT_ID_MAX];
    uint64_t n;
    add(3);
    event_ring_id(&ring, 2, id);
    assert_string_equal(id, "abcdefgh-2");
    assert_true(after(id, &n));
    assert_int_equal(n, 3);
}

#define RING_TEST(f) cmocka_unit_test_setup_teardown(f, open_ring, close_ring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RING_TEST(who_comes_back_goes_on_after_the_last_one),
        RING_TEST(ids_that_are_none_of_ours_are_told),
        RING_TEST(the_oldest_go_and_that_is_told),
        RING_TEST(an_id_is_what_it_is_found_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
