#include "worker/bwe/remb.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/rtcp_fb.h"

enum { MS = 1000 };

static struct remb remb;
static usec now;
static int64_t lost;

static int setup(void **state)
{
    (void)state;
    remb_init(&remb, 0);
    now = 0;
    lost = 0;
    return 0;
}

/* One second at a rate, of which so many packets in a hundred are lost. Returns what the sender is
 * told. */
static uint64_t second_at(uint32_t bps, int loss_percent)
{
    static const uint32_t ssrcs[] = {11, 22};
    uint8_t bytes[200];
    struct wr w = wr_of(bytes, sizeof bytes);
    for (int i = 0; i < 100; i++, now += 10 * MS) {
        if (i % 100 < loss_percent)
            lost++;
        else
            remb_input(&remb, now, bps / 800);
    }
    remb_set_lost(&remb, lost);
    assert_true(remb_deadline(&remb) <= now + 10 * MS);
    remb_timeout(&remb, now + 10 * MS, 5, ssrcs, 2, &w);
    struct rtcp_reader reader;
    struct rtcp_block block;
    struct rtcp_remb out;
    assert_int_equal(rtcp_reader_init(&reader, bytes, wr_len(&w)), OK);
    assert_true(rtcp_next(&reader, &block));
    assert_int_equal(rtcp_parse_remb(&block, &out), OK);
    assert_int_equal(out.n_ssrcs, 2);
    assert_int_equal(rtcp_remb_ssrc(&out, 1), 22);
    return out.bitrate_bps;
}

static void a_clean_path_lets_the_estimate_grow_with_what_arrives(void **state)
{
    (void)state;
    uint64_t bps = 0;
    for (int i = 0; i < 60; i++)
        bps = second_at(2000000, 0);
    assert_in_range(bps, 2900000, 3100000);
}

static void heavy_loss_lowers_it(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++)
        second_at(3000000, 0);
    assert_true(remb.bps > 4000000);
    uint64_t after = second_at(3000000, 30);
    assert_in_range(after, 2450000, 2650000);
    for (int i = 0; i < 100; i++)
        after = second_at(3000000, 60);
    assert_in_range(after, REMB_MIN_BPS * 99 / 100, REMB_MIN_BPS);
}

static void moderate_loss_holds_it(void **state)
{
    (void)state;
    uint64_t before = second_at(3000000, 0);
    assert_int_equal(second_at(3000000, 5) / 1000, before / 1000);
}

static void the_limit_holds(void **state)
{
    (void)state;
    remb_set_max(&remb, 500000);
    uint64_t bps = 0;
    for (int i = 0; i < 10; i++)
        bps = second_at(2000000, 0);
    assert_in_range(bps, 499000, 500000);
}

static void a_sender_with_better_feedback_is_told_the_limit_alone(void **state)
{
    (void)state;
    remb_set_max(&remb, 15000000);
    remb_set_limit_only(&remb, true);
    assert_in_range(second_at(200000, 0), 14900000, 15000000);
    assert_in_range(second_at(200000, 40), 14900000, 15000000);
}

static void before_the_first_packet_nothing_is_due(void **state)
{
    (void)state;
    uint8_t bytes[100];
    struct wr w = wr_of(bytes, sizeof bytes);
    assert_true(remb_deadline(&remb) == USEC_NEVER);
    remb_timeout(&remb, 10000 * MS, 5, NULL, 0, &w);
    assert_int_equal(wr_len(&w), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        T(a_clean_path_lets_the_estimate_grow_with_what_arrives),
        T(heavy_loss_lowers_it),
        T(moderate_loss_holds_it),
        T(the_limit_holds),
        T(a_sender_with_better_feedback_is_told_the_limit_alone),
        T(before_the_first_packet_nothing_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
