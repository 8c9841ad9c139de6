#include "worker/media/gop_cache.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static struct packet_pool pool;
static struct gop_cache g;

static int set_up(void **state)
{
    (void)state;
    packet_pool_init(&pool, 4096);
    g = (struct gop_cache){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gop_cache_fini(&g);
    assert_int_equal(pool.used, 0);
    packet_pool_fini(&pool);
    return 0;
}

/* Given back by whoever made it, as a producer does. */
static void add(bool begin, uint16_t seq, uint32_t timestamp, size_t len)
{
    struct packet *p = packet_get(&pool);
    assert_non_null(p);
    p->len = (uint32_t)len;
    if (begin)
        gop_cache_begin(&g, 1000, seq, timestamp, p);
    else
        gop_cache_add(&g, seq, timestamp, p);
    packet_unref(p);
}

static void nothing_is_kept_before_a_key_frame(void **state)
{
    (void)state;
    add(false, 1, 3000, 100);
    assert_true(gop_cache_empty(&g));
    assert_int_equal(pool.used, 0);
}

static void what_follows_a_key_frame_lies_in_order_of_its_numbers(void **state)
{
    (void)state;
    add(true, 65534, 3000, 100);
    add(false, 0, 6000, 101);
    add(false, 65533, 2000, 99);
    assert_int_equal(g.n, 3);
    assert_null(g.packets[1]);
    add(false, 65535, 3000, 102);
    add(false, 65535, 3000, 102);
    assert_int_equal(g.n, 3);
    assert_int_equal(g.packets[0]->len, 100);
    assert_int_equal(g.packets[1]->len, 102);
    assert_int_equal(g.packets[2]->len, 101);
    assert_int_equal(g.bytes, 303);
    assert_int_equal(g.timestamp, 3000);
    assert_int_equal(g.newest, 6000);
    assert_int_equal(pool.used, 3);
}

static void a_key_frame_replaces_what_was_kept(void **state)
{
    (void)state;
    add(true, 10, 3000, 100);
    add(false, 11, 6000, 100);
    add(true, 12, 9000, 50);
    assert_int_equal(g.n, 1);
    assert_int_equal(g.first, 12);
    assert_int_equal(g.bytes, 50);
    assert_int_equal(pool.used, 1);
}

static void more_packets_than_fit_and_nothing_is_kept(void **state)
{
    (void)state;
    add(true, 0, 3000, 10);
    for (uint16_t i = 1; i < GOP_CACHE_PACKETS; i++)
        add(false, i, 3000, 10);
    assert_int_equal(g.n, GOP_CACHE_PACKETS);
    add(false, GOP_CACHE_PACKETS, 6000, 10);
    assert_true(gop_cache_empty(&g));
    assert_int_equal(pool.used, 0);
    add(false, GOP_CACHE_PACKETS + 1, 6000, 10);
    assert_true(gop_cache_empty(&g));
}

static void more_bytes_than_fit_and_nothing_is_kept(void **state)
{
    (void)state;
    /* The count alone; the packets' own memory is their pool's affair. */
    enum { LEN = 1 << 20 };
    add(true, 0, 3000, LEN);
    add(false, 1, 3000, LEN);
    assert_int_equal(g.bytes, GOP_CACHE_BYTES);
    add(false, 2, 3000, 1);
    assert_true(gop_cache_empty(&g));
    assert_int_equal(g.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_kept_before_a_key_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_follows_a_key_frame_lies_in_order_of_its_numbers,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_frame_replaces_what_was_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_packets_than_fit_and_nothing_is_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(more_bytes_than_fit_and_nothing_is_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
