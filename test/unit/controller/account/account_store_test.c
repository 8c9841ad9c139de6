#include "controller/account/account_store.h"

#include <stdio.h>

#include "test/unit/controller/data/store_fixture.h"

struct got {
    int calls;
    enum err e;
    size_t n;
    struct account_row row; /* the first; no strings */
    struct session_row session;
    char names[8][40];
    char display_name[40];
    char about[40];
    char hash[40];
    char text[80];
};

static void got_done(void *ctx, enum err e)
{
    struct got *g = ctx;
    g->calls++;
    g->e = e;
}

static void got_rows(void *ctx, enum err e, const struct account_row *rows, size_t n)
{
    struct got *g = ctx;
    got_done(g, e);
    g->n = n;
    for (size_t i = 0; i < n && i < 8; i++)
        store_copy(g->names[i], rows[i].name);
    if (n > 0) {
        g->row = rows[0];
        store_copy(g->display_name, rows[0].display_name);
        store_copy(g->about, rows[0].about);
        store_copy(g->hash, rows[0].password_hash);
    }
}

static void got_row(void *ctx, enum err e, const struct account_row *row)
{
    assert_true((e == OK) == (row != NULL));
    got_rows(ctx, e, row, row ? 1 : 0);
}

static void got_session(void *ctx, enum err e, const struct session_row *row)
{
    struct got *g = ctx;
    got_done(g, e);
    if (row) {
        g->session = *row;
        store_copy(g->names[0], row->user.name);
    }
}

static void got_text(void *ctx, enum err e, const char *text)
{
    struct got *g = ctx;
    got_done(g, e);
    snprintf(g->text, sizeof g->text, "%s", text ? text : "NULL");
}

static void add(struct fixture *f, const char *id, const char *name, enum api_role role)
{
    const struct account_row row = {.id = id,
                                    .name = name,
                                    .display_name = name,
                                    .password_hash = "hash",
                                    .role = role,
                                    .created_at = 1000};
    assert_int_equal(DO(f, account_store_create, &row, NULL, got_done).e, OK);
}

static void prepare(struct fixture *f)
{
    store_migrate(f);
    add(f, "u1", "ann", API_ROLE_USER);
    add(f, "u2", "ben", API_ROLE_MODERATOR);
}

static struct session_row session(const char *id, const char *user, int64_t at)
{
    return (struct session_row){
        .id = id, .created_at = at, .expires_at = at + 100, .user = {.id = user}};
}

static void a_user_is_found_by_id_and_by_name(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    struct got g = DO(f, account_store_by_id, "u2", got_row);
    assert_int_equal(g.e, OK);
    assert_string_equal(g.names[0], "ben");
    assert_int_equal(g.row.role, API_ROLE_MODERATOR);
    assert_int_equal(g.row.created_at, 1000);
    assert_false(g.row.disabled);
    assert_false(g.row.must_change_password);
    assert_string_equal(g.hash, "hash");
    assert_string_equal(DO(f, account_store_by_name, "ann", got_row).names[0], "ann");
    assert_int_equal(DO(f, account_store_by_name, "Ann", got_row).e, ERR_NOT_FOUND);
    assert_int_equal(DO(f, account_store_by_id, "nobody", got_row).e, ERR_NOT_FOUND);
}

static void a_name_is_taken_once_and_leaves_no_session_behind(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    const struct account_row row = {.id = "u9", .name = "ann", .display_name = "", .created_at = 1};
    const struct session_row s = session("s9", "u9", 5);
    assert_int_equal(DO(f, account_store_create, &row, &s, got_done).e, ERR_EXISTS);
    assert_int_equal(DO(f, account_store_session, "s9", got_session).e, ERR_NOT_FOUND);
    const struct account_row other = {
        .id = "u9", .name = "anna", .display_name = "", .created_at = 1};
    assert_int_equal(DO(f, account_store_create, &other, &s, got_done).e, OK);
    struct got g = DO(f, account_store_session, "s9", got_session);
    assert_int_equal(g.e, OK);
    assert_string_equal(g.names[0], "anna");
    assert_int_equal(g.session.expires_at, 105);
}

static void a_secret_is_made_once(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    assert_string_equal(DO(f, account_store_secret, "token", "first", 1, got_text).text, "first");
    assert_string_equal(DO(f, account_store_secret, "token", "second", 2, got_text).text, "first");
    assert_string_equal(DO(f, account_store_secret, "other", "third", 3, got_text).text, "third");
}

static void an_admin_is_found_when_there_is_one(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    assert_int_equal(DO(f, account_store_any_admin, got_row).e, ERR_NOT_FOUND);
    add(f, "u3", "root", API_ROLE_ADMIN);
    assert_string_equal(DO(f, account_store_any_admin, got_row).names[0], "root");
}

static void users_are_listed_by_name_and_prefix(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    add(f, "u3", "anna", API_ROLE_USER);
    add(f, "u4", "a_na", API_ROLE_USER);
    struct got g = DO(f, account_store_list, "", 10, 0, got_rows);
    assert_int_equal(g.n, 4);
    assert_string_equal(g.names[3], "ben");
    g = DO(f, account_store_list, "ann", 10, 0, got_rows);
    assert_int_equal(g.n, 2);
    assert_string_equal(g.names[1], "anna");
    assert_int_equal(DO(f, account_store_list, "%", 10, 0, got_rows).n, 0);
    assert_int_equal(DO(f, account_store_list, "a_", 10, 0, got_rows).n, 1);
    g = DO(f, account_store_list, NULL, 2, 3, got_rows);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.names[0], "ben");
}

static void a_profile_changes_in_parts(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    struct got g = DO(f, account_store_set_profile, "u1", "Ann B.", NULL, got_row);
    assert_string_equal(g.display_name, "Ann B.");
    assert_string_equal(g.about, "");
    g = DO(f, account_store_set_profile, "u1", NULL, "Hello.", got_row);
    assert_string_equal(g.display_name, "Ann B.");
    assert_string_equal(g.about, "Hello.");
    assert_int_equal(DO(f, account_store_set_profile, "u7", NULL, NULL, got_row).e, ERR_NOT_FOUND);
}

static void another_password_ends_all_sessions_but_the_new_one(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    const struct session_row s1 = session("s1", "u1", 1);
    const struct session_row s2 = session("s2", "u2", 1);
    const struct session_row s3 = session("s3", "u1", 2);
    assert_int_equal(DO(f, account_store_add_session, &s1, got_done).e, OK);
    assert_int_equal(DO(f, account_store_add_session, &s2, got_done).e, OK);
    assert_int_equal(DO(f, account_store_set_password, "u1", "new", true, &s3, got_done).e, OK);
    assert_int_equal(DO(f, account_store_session, "s1", got_session).e, ERR_NOT_FOUND);
    assert_int_equal(DO(f, account_store_session, "s2", got_session).e, OK);
    struct got g = DO(f, account_store_session, "s3", got_session);
    assert_int_equal(g.e, OK);
    assert_true(g.session.user.must_change_password);
    assert_string_equal(DO(f, account_store_by_id, "u1", got_row).hash, "new");
    assert_int_equal(DO(f, account_store_set_password, "u1", "newer", false, NULL, got_done).e, OK);
    assert_int_equal(DO(f, account_store_session, "s3", got_session).e, ERR_NOT_FOUND);
    assert_int_equal(DO(f, account_store_set_password, "u7", "x", false, NULL, got_done).e,
                     ERR_NOT_FOUND);
}

static void a_hash_is_renewed_only_where_it_is_still_the_old_one(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    assert_int_equal(DO(f, account_store_rehash, "u1", "other", "new", got_done).e, OK);
    assert_string_equal(DO(f, account_store_by_id, "u1", got_row).hash, "hash");
    assert_int_equal(DO(f, account_store_rehash, "u1", "hash", "new", got_done).e, OK);
    assert_string_equal(DO(f, account_store_by_id, "u1", got_row).hash, "new");
}

static void who_is_disabled_loses_all_sessions(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    const struct session_row s1 = session("s1", "u1", 1);
    assert_int_equal(DO(f, account_store_add_session, &s1, got_done).e, OK);
    const enum api_role admin = API_ROLE_ADMIN;
    struct got g = DO(f, account_store_set_rights, "u1", &admin, NULL, got_row);
    assert_int_equal(g.row.role, API_ROLE_ADMIN);
    assert_false(g.row.disabled);
    assert_int_equal(DO(f, account_store_session, "s1", got_session).e, OK);
    const bool yes = true;
    g = DO(f, account_store_set_rights, "u1", NULL, &yes, got_row);
    assert_int_equal(g.row.role, API_ROLE_ADMIN);
    assert_true(g.row.disabled);
    assert_int_equal(DO(f, account_store_session, "s1", got_session).e, ERR_NOT_FOUND);
    assert_int_equal(DO(f, account_store_set_rights, "u7", NULL, &yes, got_row).e, ERR_NOT_FOUND);
}

static void sessions_end_one_by_one_all_together_by_time_and_by_number(void **state)
{
    struct fixture *f = *state;
    prepare(f);
    for (int i = 0; i < ACCOUNT_SESSIONS_MAX + 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "s%d", i);
        const struct session_row s = session(id, "u1", i);
        assert_int_equal(DO(f, account_store_add_session, &s, got_done).e, OK);
    }
    assert_int_equal(DO(f, account_store_session, "s4", got_session).e, ERR_NOT_FOUND);
    assert_int_equal(DO(f, account_store_session, "s5", got_session).e, OK);
    assert_int_equal(DO(f, account_store_end_session, "u2", "s5", got_done).e, OK);
    assert_int_equal(DO(f, account_store_session, "s5", got_session).e, OK);
    assert_int_equal(DO(f, account_store_end_session, "u1", "s5", got_done).e, OK);
    assert_int_equal(DO(f, account_store_session, "s5", got_session).e, ERR_NOT_FOUND);
    assert_int_equal(DO(f, account_store_purge, 120, got_done).e, OK);
    assert_int_equal(DO(f, account_store_session, "s20", got_session).e, ERR_NOT_FOUND);
    assert_int_equal(DO(f, account_store_session, "s21", got_session).e, OK);
    assert_int_equal(DO(f, account_store_end_session, "u1", NULL, got_done).e, OK);
    assert_int_equal(DO(f, account_store_session, "s21", got_session).e, ERR_NOT_FOUND);
}

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name, false                                                                         \
    }

int main(void)
{
    static const struct named_test tests[] = {
        TEST(a_user_is_found_by_id_and_by_name),
        TEST(a_name_is_taken_once_and_leaves_no_session_behind),
        TEST(a_secret_is_made_once),
        TEST(an_admin_is_found_when_there_is_one),
        TEST(users_are_listed_by_name_and_prefix),
        TEST(a_profile_changes_in_parts),
        TEST(another_password_ends_all_sessions_but_the_new_one),
        TEST(a_hash_is_renewed_only_where_it_is_still_the_old_one),
        TEST(who_is_disabled_loses_all_sessions),
        TEST(sessions_end_one_by_one_all_together_by_time_and_by_number),
    };
    return run_on_all_engines("account_store", tests, sizeof tests / sizeof tests[0]);
}
