#include "worker/rtp/timeline.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "worker/rtp/ntp.h"
#include "worker/rtp/seq.h"

enum { RATE = 90000, FRAME = 3000 };

static struct sr_map line(usec now, uint32_t rtp)
{
    struct sr_map m;
    sr_map_init(&m, RATE);
    sr_map_update(&m, now, ntp_of_usec(now), rtp);
    return m;
}

static uint32_t send(struct timeline *t, usec now, uint32_t timestamp)
{
    uint32_t out = timeline_map(t, timestamp);
    timeline_sent(t, now, out);
    return out;
}

static void the_first_source_keeps_its_timestamps(void **state)
{
    (void)state;
    struct timeline t;
    timeline_init(&t, RATE);
    timeline_switch(&t, 5, 777, NULL, NULL);
    assert_int_equal(send(&t, 5, 777), 777);
    assert_int_equal(send(&t, 6, UINT32_MAX), UINT32_MAX);
}

static void reports_tell_the_distance_exactly(void **state)
{
    (void)state;
    struct timeline t;
    struct sr_map a = line(1000000, UINT32_MAX - 500);
    struct sr_map b = line(1500000, 20000);
    timeline_init(&t, RATE);
    /* At 1.4 s by a; b's frame is from 1.45 s. */
    assert_int_equal(send(&t, 1410000, UINT32_MAX - 500 + 36000), 35499);
    timeline_switch(&t, 1480000, 20000 - 4500, &b, &a);
    assert_int_equal(send(&t, 1480000, 20000 - 4500), 35499 + 4500);
}

static void without_reports_the_time_that_passed_counts(void **state)
{
    (void)state;
    struct timeline t;
    struct sr_map none;
    sr_map_init(&none, RATE);
    timeline_init(&t, RATE);
    send(&t, 1000000, 1000);
    timeline_switch(&t, 1100000, 4000000000U, &none, &none);
    assert_int_equal(send(&t, 1100000, 4000000000U), 1000 + 9000);
    timeline_switch(&t, 1100000, 5, NULL, NULL);
    assert_int_equal(send(&t, 1100000, 5), 10001); /* never the same picture */
}

static void reports_that_cannot_be_true_are_not_believed(void **state)
{
    (void)state;
    struct sr_map a = line(1000000, 0);
    for (int wrong = 0; wrong < 2; wrong++) {
        struct timeline t;
        struct sr_map b = line(1000000, wrong ? 500000 : (uint32_t)-500000);
        timeline_init(&t, RATE);
        send(&t, 1000000, 0);
        timeline_switch(&t, 1033333, FRAME, &b, &a);
        assert_in_range(send(&t, 1033333, FRAME), FRAME - 1, FRAME + 1);
    }
}

static void a_source_that_is_behind_never_goes_back_and_catches_up(void **state)
{
    (void)state;
    struct timeline t;
    struct sr_map a = line(1000000, 0);
    timeline_init(&t, RATE);
    uint32_t last = send(&t, 1000000, 10 * FRAME);
    /* The key frame is from three frames ago. */
    timeline_switch(&t, 1010000, 7 * FRAME, &a, &a);
    for (uint32_t i = 7; i < 30; i++) {
        uint32_t out = send(&t, 1010000 + i, i * FRAME);
        assert_true(seq32_after(out, last));
        assert_true(out - last <= FRAME);
        assert_int_equal(out, timeline_map(&t, i * FRAME)); /* for late packets too */
        last = out;
    }
    assert_int_equal(last, 29 * FRAME);
    assert_int_equal(t.offset, 0);
}

static void what_was_behind_is_forgotten_before_timestamps_wrap(void **state)
{
    (void)state;
    struct timeline t;
    struct sr_map a = line(1000000, 0);
    timeline_init(&t, RATE);
    send(&t, 1000000, 10 * FRAME);
    timeline_switch(&t, 1010000, 9 * FRAME, &a, &a);
    for (uint64_t ts = 9 * FRAME; ts < UINT64_C(10) << 32; ts += 100 * RATE)
        if (ts > 20 * FRAME)
            assert_int_equal(send(&t, 1010000, (uint32_t)ts), (uint32_t)ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_source_keeps_its_timestamps),
        cmocka_unit_test(reports_tell_the_distance_exactly),
        cmocka_unit_test(without_reports_the_time_that_passed_counts),
        cmocka_unit_test(reports_that_cannot_be_true_are_not_believed),
        cmocka_unit_test(a_source_that_is_behind_never_goes_back_and_catches_up),
        cmocka_unit_test(what_was_behind_is_forgotten_before_timestamps_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
