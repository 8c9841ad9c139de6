#include "controller/chat/chat_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/chat/chat_pace.h"

static struct chat_ban ban_of(const char *author, const char *address, int64_t until)
{
    struct chat_ban b = {.until_ms = until};
    snprintf(b.author_id, sizeof b.author_id, "%s", author);
    snprintf(b.address, sizeof b.address, "%s", address);
    return b;
}

static void a_time_out_ends_and_a_ban_does_not(void **state)
{
    (void)state;
    struct chat_rules r;
    chat_rules_init(&r);
    struct chat_ban timeout = ban_of("a", "", 1000);
    struct chat_ban ban = ban_of("b", "", CHAT_FOR_GOOD);
    assert_int_equal(chat_rules_ban(&r, &timeout, 0), OK);
    assert_int_equal(chat_rules_ban(&r, &ban, 0), OK);
    assert_non_null(chat_rules_banned(&r, "a", "", 999));
    assert_null(chat_rules_banned(&r, "a", "", 1000));
    assert_non_null(chat_rules_banned(&r, "b", "", INT64_MAX - 1));
    chat_rules_expire(&r, 1000);
    assert_int_equal(HASH_COUNT(r.bans), 1);
    assert_true(chat_rules_unban(&r, "b"));
    assert_false(chat_rules_unban(&r, "b"));
    assert_null(chat_rules_banned(&r, "b", "", 0));
    chat_rules_fini(&r);
}

static void a_guest_does_not_come_back_under_another_name(void **state)
{
    (void)state;
    struct chat_rules r;
    chat_rules_init(&r);
    struct chat_ban ban = ban_of("g-1", "0123", CHAT_FOR_GOOD);
    assert_int_equal(chat_rules_ban(&r, &ban, 0), OK);
    assert_non_null(chat_rules_banned(&r, "g-2", "0123", 0));
    assert_null(chat_rules_banned(&r, "g-2", "0124", 0));
    assert_null(chat_rules_banned(&r, "g-2", "", 0));
    chat_rules_fini(&r);
}

static void a_later_ban_replaces_an_earlier_one(void **state)
{
    (void)state;
    struct chat_rules r;
    chat_rules_init(&r);
    struct chat_ban longer = ban_of("a", "", 5000);
    struct chat_ban shorter = ban_of("a", "", 1000);
    assert_int_equal(chat_rules_ban(&r, &longer, 0), OK);
    assert_int_equal(chat_rules_ban(&r, &shorter, 0), OK);
    assert_int_equal(HASH_COUNT(r.bans), 1);
    assert_null(chat_rules_banned(&r, "a", "", 2000));
    chat_rules_fini(&r);
}

static void the_number_of_bans_is_bounded(void **state)
{
    (void)state;
    struct chat_rules r;
    chat_rules_init(&r);
    for (int i = 0; i < CHAT_BANS_MAX + 10; i++) {
        char author[32];
        snprintf(author, sizeof author, "a%d", i);
        struct chat_ban b = ban_of(author, "", 100000 + i);
        assert_int_equal(chat_rules_ban(&r, &b, 0), OK);
    }
    assert_int_equal(HASH_COUNT(r.bans), CHAT_BANS_MAX);
    assert_null(chat_rules_banned(&r, "a0", "", 0)); /* would have ended first */
    assert_non_null(chat_rules_banned(&r, "a10009", "", 0));
    chat_rules_fini(&r);
}

static void moderators_come_and_go(void **state)
{
    (void)state;
    struct chat_rules r;
    chat_rules_init(&r);
    assert_int_equal(chat_rules_set_moderator(&r, "a", true), OK);
    assert_int_equal(chat_rules_set_moderator(&r, "a", true), OK);
    assert_true(chat_rules_is_moderator(&r, "a"));
    assert_false(chat_rules_is_moderator(&r, "b"));
    assert_int_equal(chat_rules_set_moderator(&r, "a", false), OK);
    assert_false(chat_rules_is_moderator(&r, "a"));
    chat_rules_fini(&r);
}

static void a_bad_list_of_words_leaves_the_one_before(void **state)
{
    (void)state;
    struct chat_rules r;
    char longest[CHAT_WORD_MAX + 2];
    chat_rules_init(&r);
    const char *good[] = {"one", "two"};
    assert_int_equal(chat_rules_set_words(&r, good, 2), OK);
    memset(longest, 'x', sizeof longest);
    longest[CHAT_WORD_MAX + 1] = '\0';
    const char *bad[] = {"three", longest};
    const char *empty[] = {""};
    assert_int_equal(chat_rules_set_words(&r, bad, 2), ERR_RANGE);
    assert_int_equal(chat_rules_set_words(&r, empty, 1), ERR_RANGE);
    assert_int_equal(r.n_words, 2);
    assert_string_equal(r.words[1], "two");
    assert_int_equal(chat_rules_set_words(&r, NULL, 0), OK);
    assert_int_equal(r.n_words, 0);
    chat_rules_fini(&r);
}

/* ---- pace ---- */

static const struct chat_pace_limits pace = {.per_minute = 60, .burst = 3};

static void a_burst_is_allowed_and_then_the_rate(void **state)
{
    (void)state;
    struct chat_pace p = {0};
    unsigned wait;
    usec now = USEC_PER_SEC;
    for (int i = 0; i < 3; i++)
        assert_int_equal(chat_pace_take(&p, "a", &pace, now, &wait), OK);
    assert_int_equal(chat_pace_take(&p, "a", &pace, now, &wait), ERR_FULL);
    assert_int_equal(wait, 1);
    assert_int_equal(chat_pace_take(&p, "b", &pace, now, &wait), OK);
    now += USEC_PER_SEC;
    assert_int_equal(chat_pace_take(&p, "a", &pace, now, &wait), OK);
    assert_int_equal(chat_pace_take(&p, "a", &pace, now, &wait), ERR_FULL);
    chat_pace_fini(&p);
}

static void slow_mode_says_how_long_to_wait(void **state)
{
    (void)state;
    struct chat_pace p = {0};
    struct chat_pace_limits slow = {.per_minute = 60, .burst = 3, .slow_s = 30};
    unsigned wait;
    usec now = USEC_PER_SEC;
    assert_int_equal(chat_pace_take(&p, "a", &slow, now, &wait), OK);
    now += 10 * USEC_PER_SEC;
    assert_int_equal(chat_pace_take(&p, "a", &slow, now, &wait), ERR_FULL);
    assert_int_equal(wait, 20);
    now += 20 * USEC_PER_SEC;
    assert_int_equal(chat_pace_take(&p, "a", &slow, now, &wait), OK);
    chat_pace_fini(&p);
}

static void only_so_many_authors_are_remembered(void **state)
{
    (void)state;
    struct chat_pace p = {0};
    unsigned wait;
    for (int i = 0; i < CHAT_PACE_AUTHORS_MAX + 100; i++) {
        char author[32];
        snprintf(author, sizeof author, "a%d", i);
        assert_int_equal(chat_pace_take(&p, author, &pace, USEC_PER_SEC, &wait), OK);
    }
    assert_int_equal(p.n, CHAT_PACE_AUTHORS_MAX);
    chat_pace_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_out_ends_and_a_ban_does_not),
        cmocka_unit_test(a_guest_does_not_come_back_under_another_name),
        cmocka_unit_test(a_later_ban_replaces_an_earlier_one),
        cmocka_unit_test(the_number_of_bans_is_bounded),
        cmocka_unit_test(moderators_come_and_go),
        cmocka_unit_test(a_bad_list_of_words_leaves_the_one_before),
        cmocka_unit_test(a_burst_is_allowed_and_then_the_rate),
        cmocka_unit_test(slow_mode_says_how_long_to_wait),
        cmocka_unit_test(only_so_many_authors_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
