#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "controller/account/session_cache.h"

static struct api_user user(const char *session, const char *id)
{
    struct api_user u = {.role = API_ROLE_MODERATOR};
    snprintf(u.id, sizeof u.id, "%s", id);
    snprintf(u.session_id, sizeof u.session_id, "%s", session);
    return u;
}

static void put(struct session_cache *c, const char *session, const char *id, usec now)
{
    struct api_user u = user(session, id);
    session_cache_put(c, &u, now);
}

static void what_was_put_is_found_with_its_age(void **state)
{
    (void)state;
    struct session_cache *c;
    usec age;
    assert_int_equal(session_cache_open(&c, 10), OK);
    put(c, "s1", "alice", 100);
    const struct api_user *u = session_cache_find(c, "s1", 130, &age);
    assert_non_null(u);
    assert_string_equal(u->id, "alice");
    assert_int_equal(u->role, API_ROLE_MODERATOR);
    assert_int_equal(age, 30);
    put(c, "s1", "alice", 140);
    assert_non_null(session_cache_find(c, "s1", 140, &age));
    assert_int_equal(age, 0);
    assert_null(session_cache_find(c, "s2", 140, &age));
    session_cache_close(c);
}

static void the_one_that_was_looked_at_longest_ago_makes_room(void **state)
{
    (void)state;
    struct session_cache *c;
    usec age;
    assert_int_equal(session_cache_open(&c, 3), OK);
    put(c, "s1", "a", 1);
    put(c, "s2", "b", 2);
    put(c, "s3", "c", 3);
    put(c, "s1", "a", 4);
    put(c, "s4", "d", 5);
    assert_non_null(session_cache_find(c, "s1", 6, &age));
    assert_null(session_cache_find(c, "s2", 6, &age));
    assert_non_null(session_cache_find(c, "s3", 6, &age));
    assert_non_null(session_cache_find(c, "s4", 6, &age));
    session_cache_close(c);
}

static void sessions_go_one_by_one_or_with_their_user(void **state)
{
    (void)state;
    struct session_cache *c;
    usec age;
    assert_int_equal(session_cache_open(&c, 10), OK);
    put(c, "s1", "alice", 1);
    put(c, "s2", "bob", 1);
    put(c, "s3", "alice", 1);
    put(c, "s4", "alice", 1);
    session_cache_drop(c, "s1");
    session_cache_drop(c, "s1");
    assert_null(session_cache_find(c, "s1", 2, &age));
    assert_non_null(session_cache_find(c, "s3", 2, &age));
    session_cache_drop_user(c, "alice");
    assert_null(session_cache_find(c, "s3", 2, &age));
    assert_null(session_cache_find(c, "s4", 2, &age));
    assert_non_null(session_cache_find(c, "s2", 2, &age));
    session_cache_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_with_its_age),
        cmocka_unit_test(the_one_that_was_looked_at_longest_ago_makes_room),
        cmocka_unit_test(sessions_go_one_by_one_or_with_their_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
