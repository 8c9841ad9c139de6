#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/packet.h"

static void a_packet_goes_back_when_its_last_reference_is_dropped(void **state)
{
    (void)state;
    struct packet_pool pool;
    packet_pool_init(&pool, 128);
    struct packet *p = packet_get(&pool);
    assert_non_null(p);
    assert_int_equal(p->refs, 1);
    assert_int_equal(p->len, 0);
    assert_ptr_equal(packet_ref(p), p);
    packet_unref(p);
    assert_int_equal(pool.used, 1);
    packet_unref(p);
    assert_int_equal(pool.used, 0);
    packet_unref(NULL);
    packet_pool_fini(&pool);
}

static void the_limit_holds_and_what_came_back_is_used_again(void **state)
{
    (void)state;
    struct packet_pool pool;
    packet_pool_init(&pool, 128);
    struct packet *all[128];
    for (int i = 0; i < 128; i++) {
        all[i] = packet_get(&pool);
        assert_non_null(all[i]);
        memset(all[i]->data, i, PACKET_CAP);
    }
    assert_null(packet_get(&pool));
    for (int i = 0; i < 128; i++)
        assert_int_equal(all[i]->data[PACKET_CAP - 1], i);
    all[5]->len = 7;
    all[5]->arrived_at = 9;
    packet_unref(all[5]);
    struct packet *again = packet_get(&pool);
    assert_ptr_equal(again, all[5]);
    assert_int_equal(again->len, 0);
    assert_int_equal(again->arrived_at, 0);
    assert_int_equal(pool.total, 128);
    for (int i = 0; i < 128; i++)
        packet_unref(all[i]);
    packet_pool_fini(&pool);
}

static void steady_use_takes_no_new_memory(void **state)
{
    (void)state;
    struct packet_pool pool;
    packet_pool_init(&pool, 100000);
    for (int i = 0; i < 10000; i++) {
        struct packet *a = packet_get(&pool);
        struct packet *b = packet_get(&pool);
        packet_unref(a);
        packet_unref(b);
    }
    assert_true(pool.total <= 64);
    packet_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_goes_back_when_its_last_reference_is_dropped),
        cmocka_unit_test(the_limit_holds_and_what_came_back_is_used_again),
        cmocka_unit_test(steady_use_takes_no_new_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
