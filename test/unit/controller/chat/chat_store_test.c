#include "controller/chat/chat_store.h"

#include "controller/chat/chat_log.h"
#include "test/unit/controller/data/store_fixture.h"

struct got {
    int calls;
    enum err e;
    size_t n;
    char texts[SIG_CHAT_HISTORY][32];
    char reply[32];
    char author[32];
    bool guest;
    struct chat_rules rules;
};

static void got_done(void *ctx, enum err e)
{
    struct got *g = ctx;
    g->calls++;
    g->e = e;
}

static void got_messages(void *ctx, enum err e, const struct sig_chat_message *list, size_t n)
{
    struct got *g = ctx;
    got_done(ctx, e);
    g->n = n;
    for (size_t i = 0; i < n; i++)
        snprintf(g->texts[i], sizeof g->texts[i], "%s", list[i].message);
    if (n > 0) {
        const struct sig_chat_message *last = &list[n - 1];
        snprintf(g->author, sizeof g->author, "%s/%s/%s", last->author_id, last->display_name,
                 sig_chat_role_names[last->role]);
        snprintf(g->reply, sizeof g->reply, "%s", last->reply_to ? last->reply_to->message : "-");
        g->guest = last->guest;
    }
}

static void got_rules(void *ctx, enum err e, struct chat_rules *rules)
{
    struct got *g = ctx;
    got_done(ctx, e);
    if (!rules)
        return;
    g->rules = *rules;
    chat_rules_init(rules);
}

static void prepare(struct fixture *f)
{
    store_migrate(f);
    assert_int_equal(ASK0(f, "INSERT INTO users (id, name, created_at) VALUES ('u1', 'Ann', 1)").e,
                     OK);
    assert_int_equal(ASK0(f, "INSERT INTO livestreams (id, room_id, status, started_at, ended_at, "
                             "created_at) VALUES ('s1', 'r', 'ended', 100, 200, 100), "
                             "('s2', 'r', 'live', 300, NULL, 300)")
                         .e,
                     OK);
}

static struct chat_change message(const char *id, int64_t at, const char *text)
{
    return (struct chat_change){.id = id,
                                .at_ms = at,
                                .room_id = "r",
                                .author_id = "g-1",
                                .display_name = "Guest",
                                .role = SIG_CHAT_VIEWER,
                                .text = text};
}

static void messages_come_back_in_order(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    struct chat_change list[] = {message("01", 310, "one"), message("02", 310, "two"),
                                 message("03", 320, "three")};
    list[2].user_id = "u1";
    list[2].author_id = "u1";
    list[2].role = SIG_CHAT_MODERATOR;
    list[2].reply_to = "01";
    assert_int_equal(DO(f, chat_store_write, list, 3, got_done).e, OK);
    struct got g = DO(f, chat_store_recent, "r", NULL, 100, got_messages);
    assert_int_equal(g.n, 3);
    assert_string_equal(g.texts[0], "one");
    assert_string_equal(g.texts[2], "three");
    assert_string_equal(g.author, "u1/Guest/moderator");
    assert_string_equal(g.reply, "one");
    assert_false(g.guest);
    g = DO(f, chat_store_recent, "r", "03", 1, got_messages);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.texts[0], "two");
    assert_true(g.guest);
    assert_int_equal(DO(f, chat_store_recent, "other", NULL, 100, got_messages).n, 0);
}

static void writing_again_changes_nothing(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    struct chat_change m = message("01", 310, "one");
    assert_int_equal(DO(f, chat_store_write, &m, 1, got_done).e, OK);
    m.text = "other";
    assert_int_equal(DO(f, chat_store_write, &m, 1, got_done).e, OK);
    struct got g = DO(f, chat_store_recent, "r", NULL, 100, got_messages);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.texts[0], "one");
}

static void a_message_belongs_to_the_stream_of_its_time(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    struct chat_change list[] = {message("01", 150, "in the first"),
                                 message("02", 250, "between them"),
                                 message("03", 350, "in the second")};
    list[1].user_id = "nobody"; /* an account that is gone meanwhile */
    assert_int_equal(DO(f, chat_store_write, list, 3, got_done).e, OK);
    struct got g = DO(f, chat_store_of_stream, "s1", 100, 0, got_messages);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.texts[0], "in the first");
    g = DO(f, chat_store_of_stream, "s2", 100, 0, got_messages);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.texts[0], "in the second");
    assert_int_equal(DO(f, chat_store_of_stream, "s2", 100, 1, got_messages).n, 0);
    assert_int_equal(DO(f, chat_store_recent, "r", NULL, 100, got_messages).n, 3);
}

static void what_was_taken_away_is_kept_but_not_shown(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    struct chat_change list[] = {message("01", 310, "one"),
                                 message("02", 311, "two"),
                                 {.id = "01", .at_ms = 400, .deleted_by = "mod"}};
    assert_int_equal(DO(f, chat_store_write, list, 3, got_done).e, OK);
    struct got g = DO(f, chat_store_recent, "r", NULL, 100, got_messages);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.texts[0], "two");
    struct answer a = ASK0(f, "SELECT message, deleted_at, deleted_by FROM livestream_chat "
                              "WHERE id = '01'");
    assert_string_equal(a.cell[0][0], "one");
    assert_string_equal(a.cell[0][1], "400");
    assert_string_equal(a.cell[0][2], "mod");
}

static void rules_come_back(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    struct chat_ban ban = {.author_id = "g-1",
                           .address = "abc",
                           .display_name = "Bad",
                           .reason = "spam",
                           .by = "u1",
                           .since_ms = 10,
                           .until_ms = CHAT_FOR_GOOD};
    struct chat_ban timeout = {.author_id = "g-2", .by = "u1", .since_ms = 10, .until_ms = 500};
    assert_int_equal(DO(f, chat_store_ban, "r", &timeout, got_done).e, OK);
    assert_int_equal(DO(f, chat_store_ban, "r", &ban, got_done).e, OK);
    timeout.until_ms = 600; /* again, longer */
    assert_int_equal(DO(f, chat_store_ban, "r", &timeout, got_done).e, OK);
    assert_int_equal(DO(f, chat_store_set_moderator, "r", "m1", true, 10, got_done).e, OK);
    assert_int_equal(DO(f, chat_store_set_moderator, "r", "m1", true, 11, got_done).e, OK);
    assert_int_equal(DO(f, chat_store_set_moderator, "r", "m2", true, 10, got_done).e, OK);
    assert_int_equal(DO(f, chat_store_set_moderator, "r", "m2", false, 12, got_done).e, OK);
    struct chat_rules rules;
    chat_rules_init(&rules);
    const char *words[] = {"spam", "b\xC3\xB6se"};
    assert_int_equal(chat_rules_set_words(&rules, words, 2), OK);
    rules.slow_s = 30;
    rules.links = false;
    assert_int_equal(DO(f, chat_store_set_settings, "r", &rules, got_done).e, OK);
    chat_rules_fini(&rules);

    struct got g = DO(f, chat_store_rules, "r", 550, got_rules);
    assert_int_equal(g.e, OK);
    assert_non_null(chat_rules_banned(&g.rules, "g-2", "", 599));
    const struct chat_ban *b = chat_rules_banned(&g.rules, "g-1", "", INT64_MAX - 1);
    assert_non_null(b);
    assert_string_equal(b->reason, "spam");
    assert_string_equal(b->address, "abc");
    assert_true(chat_rules_is_moderator(&g.rules, "m1"));
    assert_false(chat_rules_is_moderator(&g.rules, "m2"));
    assert_int_equal(g.rules.slow_s, 30);
    assert_false(g.rules.links);
    assert_int_equal(g.rules.n_words, 2);
    assert_string_equal(g.rules.words[1], "b\xC3\xB6se");
    chat_rules_fini(&g.rules);

    assert_int_equal(DO(f, chat_store_unban, "r", "g-1", got_done).e, OK);
    g = DO(f, chat_store_rules, "r", 600, got_rules);
    assert_int_equal(HASH_COUNT(g.rules.bans), 0);
    chat_rules_fini(&g.rules);
    g = DO(f, chat_store_rules, "never seen", 600, got_rules);
    assert_true(g.rules.links);
    assert_int_equal(g.rules.slow_s, 0);
    chat_rules_fini(&g.rules);
}

/* ---- writing behind ---- */

static void log_gone(void *ctx)
{
    (*(int *)ctx)++;
}

static struct chat_log *open_log(struct fixture *f, unsigned max)
{
    struct chat_log *log;
    struct chat_log_config config = {.loop = &f->loop, .db = f->db, .max = max};
    assert_int_equal(chat_log_open(&config, &log), OK);
    return log;
}

static void say(struct chat_log *log, unsigned i)
{
    char id[CHAT_ID_LEN];
    char text[16];
    snprintf(id, sizeof id, "00000000-0000-7000-8000-%012u", i);
    snprintf(text, sizeof text, "m%u", i);
    struct sig_chat_message m = {.message_id = id,
                                 .author_id = "g-1",
                                 .display_name = "",
                                 .message = text,
                                 .created_at = 300 + i};
    struct chat_message *c = chat_message_new(&m);
    chat_log_message(log, "r", NULL, c);
    free(c);
}

static void close_log(struct fixture *f, struct chat_log *log)
{
    int gone = 0;
    chat_log_close(log, log_gone, &gone);
    assert_true(turn_until(&f->loop, &gone, 1));
}

static void everything_that_is_said_is_written(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    struct chat_log *log = open_log(f, 0);
    for (unsigned i = 0; i < 1000; i++)
        say(log, i);
    chat_log_deleted(log, "00000000-0000-7000-8000-000000000999", "mod", 5000);
    bool late = false;
    uv_timer_t guard;
    uv_timer_init(&f->loop, &guard);
    guard.data = &late;
    uv_timer_start(&guard, guard_cb, 20000, 0);
    while (chat_log_waiting(log) > 0 && !late)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_false(late);
    uv_close((uv_handle_t *)&guard, NULL);
    close_log(f, log);
    struct answer a = ASK0(f, "SELECT COUNT(*), COUNT(deleted_at) FROM livestream_chat "
                              "WHERE stream_id = 's2'");
    assert_string_equal(a.cell[0][0], "1000");
    assert_string_equal(a.cell[0][1], "1");
}

static void what_waits_at_the_end_is_written_too(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    struct chat_log *log = open_log(f, 0);
    for (unsigned i = 0; i < 600; i++)
        say(log, i);
    close_log(f, log);
    struct answer a = ASK0(f, "SELECT COUNT(*) FROM livestream_chat");
    assert_string_equal(a.cell[0][0], "600");
}

static void beyond_the_bound_the_oldest_are_given_up(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    log_set_level(LOG_ERROR + 1);
    struct chat_log *log = open_log(f, 10);
    for (unsigned i = 0; i < 25; i++)
        say(log, i);
    assert_int_equal(chat_log_waiting(log), 10);
    close_log(f, log);
    struct got g = DO(f, chat_store_recent, "r", NULL, 100, got_messages);
    assert_int_equal(g.n, 10);
    assert_string_equal(g.texts[0], "m15");
    assert_string_equal(g.texts[9], "m24");
}

/* ---- a database that goes away ---- */

static void what_is_said_while_the_database_is_away_lands_later(void **state)
{
    struct fixture *f = *state;
    if (f->engine != ENGINE_PG)
        return;
    prepare(f);
    struct chat_log *log = open_log(f, 0);
    log_set_level(LOG_ERROR + 1);
    pg_server_stop(SIGQUIT);
    for (unsigned i = 0; i < 300; i++)
        say(log, i);
    for (int i = 0; i < 50; i++) { /* turns in which it cannot be written */
        uv_run(&f->loop, UV_RUN_NOWAIT);
        usleep(10 * 1000);
    }
    assert_int_equal(chat_log_waiting(log), 300);
    pg_server_start();
    bool late = false;
    uv_timer_t guard;
    uv_timer_init(&f->loop, &guard);
    guard.data = &late;
    uv_timer_start(&guard, guard_cb, 30000, 0);
    while (chat_log_waiting(log) > 0 && !late)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_false(late);
    uv_close((uv_handle_t *)&guard, NULL);
    close_log(f, log);
    struct answer a = ASK0(f, "SELECT COUNT(*) FROM livestream_chat");
    assert_string_equal(a.cell[0][0], "300");
}

int main(void)
{
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name, false                                                                         \
    }
    static const struct named_test tests[] = {
        TEST(messages_come_back_in_order),
        TEST(writing_again_changes_nothing),
        TEST(a_message_belongs_to_the_stream_of_its_time),
        TEST(what_was_taken_away_is_kept_but_not_shown),
        TEST(rules_come_back),
        TEST(everything_that_is_said_is_written),
        TEST(what_waits_at_the_end_is_written_too),
        TEST(beyond_the_bound_the_oldest_are_given_up),
        TEST(what_is_said_while_the_database_is_away_lands_later),
    };
    return run_on_all_engines("chat_store", tests, sizeof tests / sizeof tests[0]);
}
