#include "controller/chat/chat_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct chat_message *numbered(unsigned i)
{
    char id[CHAT_ID_LEN];
    snprintf(id, sizeof id, "00000000-0000-7000-8000-%012u", i);
    struct sig_chat_message m = {.message_id = id,
                                 .author_id = "g-1",
                                 .display_name = "Anna",
                                 .message = "hello",
                                 .created_at = i,
                                 .guest = true};
    return chat_message_new(&m);
}

static unsigned number(const struct chat_history *h, size_t i)
{
    return (unsigned)h->at[i]->created_at;
}

static void a_message_survives_its_json(void **state)
{
    (void)state;
    char id[] = "01890000-0000-7000-8000-000000000001";
    struct sig_chat_reply reply = {
        .message_id = "m0", .author_id = "a0", .display_name = "Bob", .message = "hi"};
    const char *mentions[] = {"a0"};
    struct sig_chat_message m = {.message_id = id,
                                 .author_id = "u1",
                                 .display_name = "A\"nna",
                                 .role = SIG_CHAT_MODERATOR,
                                 .message = "@Bob <b>hi</b> \xF0\x9F\x98\x80",
                                 .created_at = 1700000000123,
                                 .mentions = mentions,
                                 .n_mentions = 1,
                                 .reply_to = &reply};
    struct chat_message *a = chat_message_new(&m);
    struct chat_message *b;
    assert_int_equal(chat_message_parse(a->json, a->json_n, &b), OK);
    assert_string_equal(b->id, id);
    assert_string_equal(b->author_id, "u1");
    assert_string_equal(b->display_name, "A\"nna");
    assert_string_equal(b->text, m.message);
    assert_string_equal(b->reply_to, "m0");
    assert_int_equal(b->role, SIG_CHAT_MODERATOR);
    assert_int_equal(b->created_at, 1700000000123);
    assert_false(b->guest);
    assert_string_equal(a->json, b->json);
    free(a);
    free(b);
}

static void json_of_others_is_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"messageId\":1}",
        "{\"messageId\":\"short\",\"authorId\":\"a\",\"displayName\":\"\",\"role\":\"viewer\","
        "\"guest\":true,\"message\":\"x\",\"createdAt\":1}",
        "{\"messageId\":\"01890000-0000-7000-8000-000000000001\",\"authorId\":\"a\","
        "\"displayName\":\"\",\"role\":\"king\",\"guest\":true,\"message\":\"x\",\"createdAt\":1}"};
    struct chat_message *m;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_not_equal(chat_message_parse(bad[i], strlen(bad[i]), &m), OK);
}

static void the_last_hundred_stay(void **state)
{
    (void)state;
    struct chat_history h = {0};
    for (unsigned i = 1; i <= 250; i++)
        assert_true(chat_history_add(&h, numbered(i)));
    assert_int_equal(h.n, SIG_CHAT_HISTORY);
    assert_int_equal(number(&h, 0), 151);
    assert_int_equal(number(&h, 99), 250);
    assert_false(chat_history_add(&h, numbered(200)));
    assert_int_equal(h.n, SIG_CHAT_HISTORY);
    chat_history_fini(&h);
}

static void what_comes_late_goes_where_it_belongs(void **state)
{
    (void)state;
    struct chat_history h = {0};
    for (unsigned i = 10; i <= 50; i += 10)
        chat_history_add(&h, numbered(i));
    assert_true(chat_history_insert(&h, numbered(25)));
    assert_true(chat_history_insert(&h, numbered(5)));
    assert_true(chat_history_insert(&h, numbered(60)));
    assert_false(chat_history_insert(&h, numbered(30)));
    static const unsigned expected[] = {5, 10, 20, 25, 30, 40, 50, 60};
    assert_int_equal(h.n, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(number(&h, i), expected[i]);
    for (unsigned i = 100; h.n < SIG_CHAT_HISTORY; i++)
        chat_history_add(&h, numbered(i));
    assert_false(chat_history_insert(&h, numbered(1))); /* full, and older than all */
    assert_true(chat_history_insert(&h, numbered(26)));
    assert_int_equal(number(&h, 0), 10);
    assert_int_equal(h.n, SIG_CHAT_HISTORY);
    chat_history_fini(&h);
}

static void messages_are_removed_by_id(void **state)
{
    (void)state;
    struct chat_history h = {0};
    for (unsigned i = 1; i <= 3; i++)
        chat_history_add(&h, numbered(i));
    struct chat_message *two = numbered(2);
    assert_true(chat_history_remove(&h, two->id));
    assert_false(chat_history_remove(&h, two->id));
    assert_null(chat_history_find(&h, two->id));
    assert_int_equal(h.n, 2);
    assert_int_equal(number(&h, 1), 3);
    free(two);
    chat_history_fini(&h);
}

static void a_replacement_tells_whether_it_changed_anything(void **state)
{
    (void)state;
    struct chat_history h = {0};
    chat_history_add(&h, numbered(1));
    chat_history_add(&h, numbered(2));
    struct chat_message *same[] = {numbered(1), numbered(2)};
    assert_false(chat_history_replace(&h, same, 2));
    struct chat_message *turned[] = {numbered(2), numbered(1)};
    assert_true(chat_history_replace(&h, turned, 2));
    assert_int_equal(number(&h, 0), 2);
    struct chat_message *many[150];
    for (unsigned i = 0; i < 150; i++)
        many[i] = numbered(i);
    assert_true(chat_history_replace(&h, many, 150));
    assert_int_equal(h.n, SIG_CHAT_HISTORY);
    assert_int_equal(number(&h, 0), 50);
    assert_true(chat_history_replace(&h, NULL, 0));
    chat_history_fini(&h);
}

static void ids_grow_whatever_the_clock_does(void **state)
{
    (void)state;
    struct chat_ids ids = {0};
    struct rng rng;
    char last[CHAT_ID_LEN] = "";
    char id[CHAT_ID_LEN];
    rng_init_seeded(&rng, 7);
    for (int i = 0; i < 20000; i++) {
        int64_t now = i < 10000 ? 1700000000000 : 1700000000000 - 5000; /* and set back */
        chat_id_make(&ids, &rng, now, id);
        assert_true(strcmp(id, last) > 0);
        assert_int_equal(id[14], '7');
        assert_non_null(strchr("89ab", id[19]));
        memcpy(last, id, sizeof last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_survives_its_json),
        cmocka_unit_test(json_of_others_is_checked),
        cmocka_unit_test(the_last_hundred_stay),
        cmocka_unit_test(what_comes_late_goes_where_it_belongs),
        cmocka_unit_test(messages_are_removed_by_id),
        cmocka_unit_test(a_replacement_tells_whether_it_changed_anything),
        cmocka_unit_test(ids_grow_whatever_the_clock_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
