#include "worker/bwe/remb_sender.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

enum { MS = 1000 };

static struct remb_sender remb;

static int setup(void **state)
{
    (void)state;
    remb_sender_init(&remb, 600e3, 50e3, 5e6);
    return 0;
}

static bool is(double bps)
{
    return fabs(remb_sender_bps(&remb) - bps) < 1;
}

static void before_any_word_it_is_the_start(void **state)
{
    (void)state;
    assert_true(is(600e3));
}

static void without_reports_the_peers_word_is_all(void **state)
{
    (void)state;
    remb_sender_remb(&remb, 3e6);
    assert_true(is(3e6));
    remb_sender_remb(&remb, 9e6);
    assert_true(is(5e6)); /* the maximum */
    remb_sender_remb(&remb, 1e3);
    assert_true(is(50e3)); /* the minimum */
}

static void reports_alone_move_it_as_the_draft_says(void **state)
{
    (void)state;
    usec now = 0;
    remb_sender_report(&remb, now, 0, 100 * MS);
    remb_sender_report(&remb, now += USEC_PER_SEC, 0.01, 100 * MS);
    assert_true(is(600e3 * 1.05));
    remb_sender_report(&remb, now += USEC_PER_SEC, 0.05, 100 * MS);
    assert_true(is(600e3 * 1.05));
    remb_sender_report(&remb, now += USEC_PER_SEC, 0.3, 100 * MS);
    assert_true(is(600e3 * 1.05 * 0.85));
    remb_sender_report(&remb, now += 100 * MS, 0.3, 100 * MS);
    assert_true(is(600e3 * 1.05 * 0.85)); /* not yet again */
    remb_sender_report(&remb, now += 300 * MS, 0.3, 100 * MS);
    assert_true(is(600e3 * 1.05 * 0.85 * 0.85));
}

static void loss_lowers_what_was_used_not_what_could_have_been(void **state)
{
    (void)state;
    remb_sender_remb(&remb, 4e6);
    remb_sender_report(&remb, 0, 0, 100 * MS);
    remb_sender_remb(&remb, 1e6);
    remb_sender_report(&remb, USEC_PER_SEC, 0.2, 100 * MS);
    assert_true(is(900e3));
}

static void new_limits_hold_at_once(void **state)
{
    (void)state;
    remb_sender_set_limits(&remb, 50e3, 200e3);
    assert_true(is(200e3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(before_any_word_it_is_the_start, setup),
        cmocka_unit_test_setup(without_reports_the_peers_word_is_all, setup),
        cmocka_unit_test_setup(reports_alone_move_it_as_the_draft_says, setup),
        cmocka_unit_test_setup(loss_lowers_what_was_used_not_what_could_have_been, setup),
        cmocka_unit_test_setup(new_limits_hold_at_once, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
