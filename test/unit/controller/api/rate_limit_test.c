#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "controller/api/rate_limit.h"

static struct rate_table *made(size_t entries)
{
    struct rng rng;
    struct rate_table *t;
    rng_init_seeded(&rng, 7);
    assert_int_equal(rate_table_open(&t, entries, &rng), OK);
    return t;
}

static struct addr address(const char *ip)
{
    struct addr a;
    assert_int_equal(addr_parse(&a, ip, 0), OK);
    return a;
}

static bool take(struct rate_table *t, usec now, const struct rate_key *key, struct rate rate)
{
    usec wait;
    return rate_take(t, now, key, rate, &wait) == OK;
}

static void a_burst_then_the_average(void **state)
{
    (void)state;
    struct rate_table *t = made(64);
    const struct rate rate = {.per_minute = 60, .burst = 5};
    struct rate_key key = rate_key_text(1, "alice", NULL);
    usec now = 1000 * USEC_PER_SEC;
    for (int i = 0; i < 5; i++)
        assert_true(take(t, now, &key, rate));
    usec wait;
    assert_int_equal(rate_take(t, now, &key, rate, &wait), ERR_FULL);
    assert_int_equal(wait, USEC_PER_SEC);
    assert_false(take(t, now + wait - 1, &key, rate));
    assert_true(take(t, now + wait, &key, rate));
    int taken = 0;
    for (usec at = now + wait; at < now + wait + 60 * USEC_PER_SEC; at += USEC_PER_SEC / 10)
        taken += take(t, at, &key, rate);
    assert_in_range(taken, 59, 60);
    rate_table_close(t);
}

static void looking_takes_nothing(void **state)
{
    (void)state;
    struct rate_table *t = made(64);
    const struct rate rate = {.per_minute = 6, .burst = 1};
    struct rate_key key = rate_key_text(1, "alice", NULL);
    usec wait;
    for (int i = 0; i < 10; i++)
        assert_int_equal(rate_peek(t, USEC_PER_SEC, &key, rate, &wait), OK);
    assert_true(take(t, USEC_PER_SEC, &key, rate));
    assert_int_equal(rate_peek(t, USEC_PER_SEC, &key, rate, &wait), ERR_FULL);
    assert_int_equal(wait, 10 * USEC_PER_SEC);
    assert_int_equal(rate_wait_s(wait), 10);
    assert_int_equal(rate_wait_s(1), 1);
    assert_int_equal(rate_wait_s(10 * USEC_PER_SEC + 1), 11);
    rate_table_close(t);
}

static void keys_do_not_touch_each_other(void **state)
{
    (void)state;
    struct rate_table *t = made(1024);
    const struct rate rate = {.per_minute = 1, .burst = 1};
    const struct addr v4 = address("192.0.2.7");
    const struct addr v6 = address("2001:db8::7");
    const struct addr other = address("2001:db8:0:1::7");
    const struct rate_key keys[] = {
        rate_key_text(1, "alice", NULL), rate_key_text(2, "alice", NULL),
        rate_key_text(1, "bob", NULL),   rate_key_text(1, "alice", "192.0.2.7"),
        rate_key_text(1, "al", "ice"),   rate_key_text(1, "alice192.0.2.7", NULL),
        rate_key_addr(1, &v4),           rate_key_addr(2, &v4),
        rate_key_addr(1, &v6),           rate_key_addr(1, &other)};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_true(take(t, USEC_PER_SEC, &keys[i], rate));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_false(take(t, USEC_PER_SEC, &keys[i], rate));
    rate_table_close(t);
}

static void addresses_of_one_customer_share(void **state)
{
    (void)state;
    struct rate_table *t = made(64);
    const struct rate rate = {.per_minute = 1, .burst = 1};
    const struct addr a = address("2001:db8::1");
    const struct addr b = address("2001:db8::2:3");
    struct rate_key key = rate_key_addr(1, &a);
    assert_true(take(t, USEC_PER_SEC, &key, rate));
    key = rate_key_addr(1, &b);
    assert_false(take(t, USEC_PER_SEC, &key, rate));
    rate_table_close(t);
}

static void nothing_is_limited_by_a_rate_of_zero(void **state)
{
    (void)state;
    struct rate_table *t = made(64);
    struct rate_key key = rate_key_text(1, "alice", NULL);
    for (int i = 0; i < 1000; i++)
        assert_true(take(t, USEC_PER_SEC, &key, (struct rate){.per_minute = 0, .burst = 1}));
    rate_table_close(t);
}

/* Whoever is limited stays so while a flood of other keys comes once each. */
static void a_flood_of_keys_does_not_wash_away_who_is_limited_most(void **state)
{
    (void)state;
    struct rate_table *t = made(64);
    const struct rate rate = {.per_minute = 60, .burst = 100};
    struct rate_key heavy = rate_key_text(1, "heavy", NULL);
    usec now = USEC_PER_SEC;
    while (take(t, now, &heavy, rate))
        ;
    for (int i = 0; i < 100000; i++) {
        char name[32];
        snprintf(name, sizeof name, "one %d", i);
        struct rate_key key = rate_key_text(1, name, NULL);
        assert_true(take(t, now, &key, rate));
    }
    assert_false(take(t, now, &heavy, rate));
    rate_table_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_then_the_average),
        cmocka_unit_test(looking_takes_nothing),
        cmocka_unit_test(keys_do_not_touch_each_other),
        cmocka_unit_test(addresses_of_one_customer_share),
        cmocka_unit_test(nothing_is_limited_by_a_rate_of_zero),
        cmocka_unit_test(a_flood_of_keys_does_not_wash_away_who_is_limited_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
