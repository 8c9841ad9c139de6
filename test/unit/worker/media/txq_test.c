#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/media/txq.h"

static struct txq q;
static struct tx_dest one;
static struct tx_dest other;
static unsigned drained;

static void drain(void *ctx, struct txq *full)
{
    (void)ctx;
    drained++;
    txq_reset(full);
}

static int set_up(void **state)
{
    (void)state;
    static const struct tuple nobody;
    assert_int_equal(txq_init(&q), OK);
    q.drain = drain;
    tx_dest_init(&one, &nobody);
    tx_dest_init(&other, &nobody);
    drained = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    txq_fini(&q);
    return 0;
}

static void put(struct tx_dest *d, uint8_t byte, size_t n)
{
    uint8_t bytes[TX_SLOT_CAP];
    memset(bytes, byte, n);
    assert_true(txq_send(&q, d, bytes, n));
}

static void expect(uint32_t slot, uint8_t byte, size_t n)
{
    assert_int_equal(q.slots[slot].len, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(txq_bytes(&q, slot)[i], byte);
}

static void packets_lie_one_behind_the_other_and_queue_in_order(void **state)
{
    (void)state;
    put(&one, 1, 700);
    put(&one, 2, 700);
    put(&other, 3, 33);
    put(&one, 4, 5);
    assert_ptr_equal(txq_bytes(&q, 1), txq_bytes(&q, 0) + 700);
    assert_ptr_equal(txq_bytes(&q, 2), txq_bytes(&q, 1) + 700);
    assert_ptr_equal(txq_bytes(&q, 3), txq_bytes(&q, 2) + 33);
    expect(one.first, 1, 700);
    expect(q.slots[one.first].next, 2, 700);
    expect(one.last, 4, 5);
    expect(other.first, 3, 33);
    assert_int_equal(one.count, 3);
    assert_int_equal(q.slots[one.last].next, TX_NONE);
    txq_reset(&q);
    assert_int_equal(one.first, TX_NONE);
    assert_ptr_equal(txq_reserve(&q), q.bytes);
}

static void what_is_skipped_stays_between_its_neighbours(void **state)
{
    (void)state;
    put(&one, 1, 100);
    txq_skip(&q, 40);
    put(&one, 2, 100);
    assert_ptr_equal(txq_bytes(&q, one.last), txq_bytes(&q, one.first) + 140);
    assert_int_equal(one.count, 2);
    expect(one.first, 1, 100);
    expect(one.last, 2, 100);
}

static void a_full_queue_is_drained_for_the_next_however_long_its_packets_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < TX_SLOTS; i++)
        put(i % 2 ? &one : &other, (uint8_t)i, TX_SLOT_CAP);
    assert_int_equal(drained, 0);
    put(&one, 9, TX_SLOT_CAP);
    assert_int_equal(drained, 1);
    assert_int_equal(one.count, 1);
    expect(one.first, 9, TX_SLOT_CAP);
    assert_false(txq_send(&q, &one, q.bytes, TX_SLOT_CAP + 1));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(packets_lie_one_behind_the_other_and_queue_in_order),
        T(what_is_skipped_stays_between_its_neighbours),
        T(a_full_queue_is_drained_for_the_next_however_long_its_packets_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
