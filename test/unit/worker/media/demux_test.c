#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/rng.h"
#include "worker/media/demux.h"

static struct transport *owner(size_t i)
{
    static char owners[64];
    return (struct transport *)(void *)&owners[i];
}

static struct tuple tuple_number(uint32_t i)
{
    struct tuple t = {.sock = 1, .proto = TUPLE_UDP};
    assert_int_equal(addr_parse(&t.remote, "10.1.2.3", (uint16_t)(1000 + i)), OK);
    return t;
}

static void a_tuple_is_found_until_it_is_removed_by_its_owner(void **state)
{
    (void)state;
    enum { N = 3000 };
    static int held[N]; /* 0: absent, else owner + 1 */
    struct rng rng;
    rng_init_seeded(&rng, 3);
    struct demux d;
    assert_int_equal(demux_init(&d, rng_u64(&rng)), OK);
    for (int step = 0; step < 60000; step++) {
        uint32_t i = rng_u32(&rng) % N;
        int who = (int)(rng_u32(&rng) % 8);
        struct tuple t = tuple_number(i);
        if (rng_u32(&rng) % 2) {
            assert_int_equal(demux_add_tuple(&d, &t, owner((size_t)who)), OK);
            held[i] = who + 1;
        } else {
            demux_remove_tuple(&d, &t, owner((size_t)who));
            if (held[i] == who + 1)
                held[i] = 0;
        }
        i = rng_u32(&rng) % N;
        t = tuple_number(i);
        struct transport *want = held[i] ? owner((size_t)held[i] - 1) : NULL;
        assert_ptr_equal(demux_by_tuple(&d, &t), want);
    }
    for (uint32_t i = 0; i < N; i++) {
        struct tuple t = tuple_number(i);
        struct transport *want = held[i] ? owner((size_t)held[i] - 1) : NULL;
        assert_ptr_equal(demux_by_tuple(&d, &t), want);
        if (held[i])
            demux_remove_tuple(&d, &t, want);
    }
    assert_int_equal(d.used, 0);
    demux_fini(&d);
}

static void a_username_fragment_belongs_to_one_transport(void **state)
{
    (void)state;
    struct demux d;
    assert_int_equal(demux_init(&d, 1), OK);
    assert_int_equal(demux_add_ufrag(&d, "abcd", owner(1)), OK);
    assert_int_equal(demux_add_ufrag(&d, "abcd", owner(2)), ERR_EXISTS);
    assert_int_equal(demux_add_ufrag(&d, "0123456789012345678901234567890123456789", owner(2)),
                     ERR_TOO_LARGE);
    assert_ptr_equal(demux_by_ufrag(&d, "abcdxyz", 4), owner(1));
    assert_null(demux_by_ufrag(&d, "abcdxyz", 5));
    assert_null(demux_by_ufrag(&d, "", 0));
    demux_remove_ufrag(&d, "abcd");
    demux_remove_ufrag(&d, "abcd");
    assert_null(demux_by_ufrag(&d, "abcd", 4));
    demux_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tuple_is_found_until_it_is_removed_by_its_owner),
        cmocka_unit_test(a_username_fragment_belongs_to_one_transport),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
