#include "worker/rtp/seq.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static uint16_t map(struct seq_rewriter *s, uint16_t in)
{
    uint16_t out = 0;
    assert_true(seq_rewriter_map(s, in, &out));
    return out;
}

static void refuse(struct seq_rewriter *s, uint16_t in)
{
    uint16_t out;
    assert_false(seq_rewriter_map(s, in, &out));
}

static void numbers_compare_over_the_wrap(void **state)
{
    (void)state;
    assert_true(seq16_after(0, 65535));
    assert_false(seq16_after(65535, 0));
    assert_false(seq16_after(7, 7));
    assert_true(seq16_after(32767, 0));
    assert_false(seq16_after(32768, 0));
    assert_true(seq15_after(0, 32767));
    assert_false(seq15_after(32767, 0));
    assert_true(seq15_after(16383, 0));
    assert_false(seq15_after(16384, 0));
    assert_int_equal(seq15_diff(3, 32766), 5);
    assert_int_equal(seq15_diff(32766, 3), -5);
    assert_true(seq8_after(0, 255));
    assert_false(seq8_after(128, 0));
    assert_true(seq32_after(0, UINT32_MAX));
    assert_int_equal(seq16_diff(5, 65530), 11);
}

static void unwrapping_follows_wraps_both_ways(void **state)
{
    (void)state;
    struct seq_unwrap u = {0};
    int64_t first = seq_unwrap16(&u, 65534);
    assert_int_equal(seq_unwrap16(&u, 1) - first, 3);
    assert_int_equal(seq_unwrap16(&u, 65535) - first, 1);
    assert_int_equal(seq_unwrap16_peek(&u, 2) - first, 4);
    assert_int_equal(u.highest - first, 3);
    struct seq_unwrap v = {0};
    int64_t zero = seq_unwrap16(&v, 0);
    assert_int_equal(seq_unwrap16(&v, 65535), zero - 1);
    assert_true(zero - 1 > 0);
    struct seq_unwrap w = {0};
    int64_t big = seq_unwrap32(&w, UINT32_MAX);
    assert_int_equal(seq_unwrap32(&w, 4) - big, 5);
}

static void unwrapping_counts_many_cycles(void **state)
{
    (void)state;
    struct seq_unwrap u = {0};
    int64_t first = seq_unwrap16(&u, 0);
    for (int64_t i = 1; i < 300000; i += 7)
        assert_int_equal(seq_unwrap16(&u, (uint16_t)i) - first, i);
}

static void in_order_input_gives_consecutive_output(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 1000);
    for (uint32_t i = 0; i < 200000; i++)
        assert_int_equal(map(&s, (uint16_t)(65500 + i)), (uint16_t)(1000 + i));
}

static void a_sync_goes_on_after_a_late_number_too(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 0);
    assert_int_equal(map(&s, 10), 0);
    assert_true(seq_rewriter_drop(&s, 12));
    assert_int_equal(map(&s, 11), 1);
    seq_rewriter_sync(&s, 500);
    assert_int_equal(map(&s, 500), 2);
}

static void reordered_input_keeps_its_distance(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 0);
    assert_int_equal(map(&s, 10), 0);
    assert_int_equal(map(&s, 13), 3);
    assert_int_equal(map(&s, 11), 1);
    assert_int_equal(map(&s, 14), 4);
    assert_int_equal(map(&s, 12), 2);
    assert_int_equal(map(&s, 12), 2);
}

static void dropped_input_leaves_no_hole(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 0);
    assert_int_equal(map(&s, 0), 0);
    seq_rewriter_drop(&s, 1);
    seq_rewriter_drop(&s, 2);
    assert_int_equal(map(&s, 3), 1);
    seq_rewriter_drop(&s, 4);
    assert_int_equal(map(&s, 5), 2);
    refuse(&s, 1);
    refuse(&s, 4);
}

static void late_input_between_drops_finds_its_place(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 0);
    assert_int_equal(map(&s, 65533), 0);
    /* 65534 lost, 65535 dropped, 0 lost, 1 dropped */
    seq_rewriter_drop(&s, 65535);
    seq_rewriter_drop(&s, 1);
    assert_int_equal(map(&s, 2), 3);
    assert_int_equal(map(&s, 65534), 1);
    assert_int_equal(map(&s, 0), 2);
    refuse(&s, 65535);
    refuse(&s, 1);
}

static void a_late_drop_leaves_the_numbers_that_were_given(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 0);
    assert_int_equal(map(&s, 10), 0);
    assert_int_equal(map(&s, 12), 2);
    assert_false(seq_rewriter_drop(&s, 11));
    assert_false(seq_rewriter_drop(&s, 12));
    assert_int_equal(map(&s, 13), 3);
    assert_int_equal(map(&s, 12), 2);
    assert_int_equal(map(&s, 11), 1); /* what an empty packet may fill */
    assert_true(seq_rewriter_drop(&s, 14));
}

static void a_sync_continues_the_output(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 65534);
    assert_int_equal(map(&s, 100), 65534);
    assert_int_equal(map(&s, 101), 65535);
    seq_rewriter_sync(&s, 40000);
    assert_int_equal(map(&s, 40000), 0);
    assert_int_equal(map(&s, 40001), 1);
    refuse(&s, 39999);
    seq_rewriter_sync(&s, 5);
    assert_int_equal(map(&s, 7), 4);
    assert_int_equal(map(&s, 5), 2);
    refuse(&s, 4);
    refuse(&s, 40001);
}

static void a_sync_backwards_over_the_same_numbers_continues_too(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 1);
    for (uint16_t i = 0; i < 50; i++)
        assert_int_equal(map(&s, i), i + 1);
    seq_rewriter_sync(&s, 20);
    assert_int_equal(map(&s, 20), 51);
    assert_int_equal(map(&s, 21), 52);
}

static void a_sync_with_a_gap_shows_as_loss(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 0);
    assert_int_equal(map(&s, 5), 0);
    seq_rewriter_sync_gap(&s, 1000, 3);
    assert_int_equal(map(&s, 1000), 4);
}

static void drops_before_the_sync_do_not_count_after_it(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 0);
    seq_rewriter_drop(&s, 3); /* before anything: without effect */
    assert_int_equal(map(&s, 10), 0);
    seq_rewriter_drop(&s, 11);
    seq_rewriter_drop(&s, 12);
    seq_rewriter_sync(&s, 11);
    assert_int_equal(map(&s, 11), 1);
    assert_int_equal(map(&s, 13), 3);
    assert_int_equal(map(&s, 12), 2);
}

static void input_older_than_the_window_is_refused(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 0);
    map(&s, 0);
    assert_int_equal(map(&s, SEQ_REWRITER_WINDOW), SEQ_REWRITER_WINDOW);
    refuse(&s, 0);
    assert_int_equal(map(&s, 1), 1);
    seq_rewriter_drop(&s, SEQ_REWRITER_WINDOW + 1);
    refuse(&s, 1);
    assert_int_equal(map(&s, 2), 2);
}

static void a_jump_ahead_forgets_old_drops(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 0);
    map(&s, 0);
    for (uint16_t i = 1; i < 500; i++)
        seq_rewriter_drop(&s, i);
    assert_int_equal(map(&s, 20000), 20000 - 499);
    assert_int_equal(map(&s, 19999), 19999 - 499);
    assert_int_equal(map(&s, 20000 - 1023), 20000 - 1023 - 499);
}

static void eight_and_fifteen_bits_wrap_at_their_width(void **state)
{
    (void)state;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 8, 250);
    for (uint32_t i = 0; i < 1000; i++) {
        uint16_t out = map(&s, (uint16_t)((200 + 2 * i) & 0xff));
        assert_int_equal(out, (uint8_t)(250 + i));
        seq_rewriter_drop(&s, (uint16_t)((201 + 2 * i) & 0xff));
        refuse(&s, (uint16_t)((201 + 2 * i) & 0xff));
    }
    seq_rewriter_init(&s, 15, 32760);
    for (uint32_t i = 0; i < 100000; i++) {
        uint16_t out = map(&s, (uint16_t)((32000 + 3 * i) & 0x7fff));
        assert_int_equal(out, (32760 + i) & 0x7fff);
        seq_rewriter_drop(&s, (uint16_t)((32001 + 3 * i) & 0x7fff));
        seq_rewriter_drop(&s, (uint16_t)((32002 + 3 * i) & 0x7fff));
        if (i > 0)
            assert_int_equal(map(&s, (uint16_t)((32000 + 3 * (i - 1)) & 0x7fff)),
                             (32759 + i) & 0x7fff);
    }
}

/* Against a model that remembers everything. */
static void random_drops_reorders_and_syncs_never_collide(void **state)
{
    (void)state;
    uint32_t x = 12345;
    struct seq_rewriter s;
    seq_rewriter_init(&s, 16, 77);
    uint16_t expected = 77;
    uint16_t in = 0;
    for (int round = 0; round < 200; round++) {
        x = x * 1664525 + 1013904223;
        in = (uint16_t)(x >> 16);
        seq_rewriter_sync(&s, in);
        uint16_t ins[300];
        uint16_t outs[300];
        int n = 0;
        for (int i = 0; i < 300; i++, in++) {
            x = x * 1664525 + 1013904223;
            if (x >> 30 == 0) {
                seq_rewriter_drop(&s, in);
            } else if (x >> 30 == 1 && i < 299) {
                ins[n] = in; /* lost now, late below */
                outs[n++] = expected++;
            } else {
                assert_int_equal(map(&s, in), expected);
                expected++;
            }
        }
        /* The last outputs may be of lost inputs: then the next sync would reuse them. */
        assert_int_equal(map(&s, in), expected);
        expected++;
        while (n-- > 0)
            assert_int_equal(map(&s, ins[n]), outs[n]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_compare_over_the_wrap),
        cmocka_unit_test(unwrapping_follows_wraps_both_ways),
        cmocka_unit_test(unwrapping_counts_many_cycles),
        cmocka_unit_test(in_order_input_gives_consecutive_output),
        cmocka_unit_test(a_sync_goes_on_after_a_late_number_too),
        cmocka_unit_test(reordered_input_keeps_its_distance),
        cmocka_unit_test(dropped_input_leaves_no_hole),
        cmocka_unit_test(late_input_between_drops_finds_its_place),
        cmocka_unit_test(a_late_drop_leaves_the_numbers_that_were_given),
        cmocka_unit_test(a_sync_continues_the_output),
        cmocka_unit_test(a_sync_backwards_over_the_same_numbers_continues_too),
        cmocka_unit_test(a_sync_with_a_gap_shows_as_loss),
        cmocka_unit_test(drops_before_the_sync_do_not_count_after_it),
        cmocka_unit_test(input_older_than_the_window_is_refused),
        cmocka_unit_test(a_jump_ahead_forgets_old_drops),
        cmocka_unit_test(eight_and_fifteen_bits_wrap_at_their_width),
        cmocka_unit_test(random_drops_reorders_and_syncs_never_collide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
