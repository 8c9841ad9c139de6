#include "worker/rtp/history.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MS = 1000 };

static struct packet_pool pool;
static struct history history;

static int setup(void **state)
{
    (void)state;
    packet_pool_init(&pool, 16384);
    history_init(&history, HISTORY_AGE_VIDEO);
    return 0;
}

/* The pool asserts that every reference came back. */
static int teardown(void **state)
{
    (void)state;
    history_fini(&history);
    packet_pool_fini(&pool);
    return 0;
}

static void add(usec now, uint16_t seq)
{
    struct packet *p = packet_get(&pool);
    assert_non_null(p);
    history_add(&history, now, seq, p, seq * 10u, seq % 2, seq + 5u);
    packet_unref(p);
}

static void entries_are_found_with_what_was_stored(void **state)
{
    (void)state;
    struct packet *p = packet_get(&pool);
    history_add(&history, 7 * MS, 65535, p, 99, true, 0xabcdef01);
    assert_int_equal(p->refs, 2);
    packet_unref(p);
    struct history_entry *e = history_find(&history, 8 * MS, 65535);
    assert_non_null(e);
    assert_ptr_equal(e->packet, p);
    assert_int_equal(e->ts, 99);
    assert_int_equal(e->patch, 0xabcdef01);
    assert_int_equal(e->marker, 1);
    assert_int_equal(e->resent, 0);
    assert_null(history_find(&history, 8 * MS, 0));
    assert_null(history_find(&history, 8 * MS, 65534));
}

static void it_grows_and_keeps_everything_young(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        add((usec)i * MS, (uint16_t)(65000 + i));
    assert_int_equal(history.cap, 1024);
    for (uint32_t i = 0; i < 1000; i++) {
        uint16_t seq = (uint16_t)(65000 + i);
        struct history_entry *e = history_find(&history, 1000 * MS, seq);
        assert_non_null(e);
        assert_int_equal(e->ts, seq * 10u);
    }
}

static void what_is_too_old_is_given_back(void **state)
{
    (void)state;
    add(0, 1);
    add(1000 * MS, 2);
    assert_non_null(history_find(&history, 2000 * MS, 1));
    assert_null(history_find(&history, 2001 * MS, 1));
    assert_int_equal(pool.used, 2);
    add(2500 * MS, 3);
    assert_int_equal(pool.used, 2);
    history_expire(&history, 10000 * MS);
    assert_int_equal(pool.used, 0);
    assert_int_equal(history.n, 0);
    add(10000 * MS, 9000);
    assert_non_null(history_find(&history, 10000 * MS, 9000));
}

static void a_steady_stream_does_not_grow_for_ever(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 200000; i++)
        add((usec)i * 5 * MS, (uint16_t)i);
    assert_int_equal(history.cap, 512);
    assert_int_equal(pool.used, 401);
}

static void the_limit_evicts_the_oldest(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2 * HISTORY_LIMIT; i++)
        add(0, (uint16_t)(60000 + i));
    assert_int_equal(history.cap, HISTORY_LIMIT);
    assert_int_equal(pool.used, HISTORY_LIMIT);
    assert_null(history_find(&history, 0, (uint16_t)(60000 + HISTORY_LIMIT - 1)));
    assert_non_null(history_find(&history, 0, (uint16_t)(60000 + HISTORY_LIMIT)));
}

static void holes_and_late_packets_fit_in(void **state)
{
    (void)state;
    add(0, 100);
    add(1 * MS, 105);
    assert_null(history_find(&history, 1 * MS, 103));
    add(2 * MS, 103);
    assert_non_null(history_find(&history, 2 * MS, 103));
    assert_int_equal(history_find(&history, 2 * MS, 105)->ts, 1050);
    add(3 * MS, 98);
    assert_non_null(history_find(&history, 3 * MS, 98));
    assert_null(history_find(&history, 3 * MS, 99));
    assert_non_null(history_find(&history, 3 * MS, 105));
    /* Too far before the first: not taken. */
    add(3 * MS, 40);
    assert_null(history_find(&history, 3 * MS, 40));
    assert_int_equal(pool.used, 4);
}

static void the_same_number_again_is_not_taken(void **state)
{
    (void)state;
    add(0, 5);
    struct packet *first = history_find(&history, 0, 5)->packet;
    add(0, 5);
    assert_ptr_equal(history_find(&history, 0, 5)->packet, first);
    assert_int_equal(pool.used, 1);
}

static void a_far_jump_starts_over(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 50; i++)
        add(0, i);
    add(0, 20000);
    assert_int_equal(pool.used, 1);
    assert_non_null(history_find(&history, 0, 20000));
    assert_null(history_find(&history, 0, 49));
}

static void the_newest_is_past_the_holes(void **state)
{
    (void)state;
    uint16_t seq;
    assert_null(history_newest(&history, 0, &seq));
    add(0, 65535);
    add(0, 3);
    assert_non_null(history_newest(&history, 0, &seq));
    assert_int_equal(seq, 3);
    assert_null(history_newest(&history, 5000 * MS, &seq));
}

static void clearing_gives_all_references_back(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 300; i += 3)
        add(0, i);
    history_clear(&history);
    assert_int_equal(pool.used, 0);
    add(0, 7);
    assert_non_null(history_find(&history, 0, 7));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(entries_are_found_with_what_was_stored),
        T(it_grows_and_keeps_everything_young),
        T(what_is_too_old_is_given_back),
        T(a_steady_stream_does_not_grow_for_ever),
        T(the_limit_evicts_the_oldest),
        T(holes_and_late_packets_fit_in),
        T(the_same_number_again_is_not_taken),
        T(a_far_jump_starts_over),
        T(the_newest_is_past_the_holes),
        T(clearing_gives_all_references_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
