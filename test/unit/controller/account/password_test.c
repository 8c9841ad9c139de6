#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "controller/account/password.h"

static uv_loop_t loop;
static struct rng rng;
static int closed;

static void on_closed(void *ctx)
{
    (void)ctx;
    closed++;
}

static struct passwords *made(unsigned cost, unsigned running, unsigned waiting)
{
    struct passwords *p;
    const struct passwords_config config = {
        .loop = &loop, .rng = &rng, .cost = cost, .running_max = running, .waiting_max = waiting};
    uv_loop_init(&loop);
    rng_init_seeded(&rng, 1);
    closed = 0;
    assert_int_equal(passwords_open(&config, &p), OK);
    return p;
}

static void unmade(struct passwords *p)
{
    passwords_close(p, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

struct told {
    int calls;
    enum err e;
    char hash[PASSWORD_HASH_MAX];
};

static void on_told(void *ctx, enum err e, const char *hash)
{
    struct told *t = ctx;
    t->calls++;
    t->e = e;
    snprintf(t->hash, sizeof t->hash, "%s", hash ? hash : "");
}

static struct told hash(struct passwords *p, const char *password)
{
    struct told t = {0};
    assert_int_equal(passwords_hash(p, password, on_told, &t), OK);
    assert_int_equal(t.calls, 0);
    while (t.calls == 0)
        uv_run(&loop, UV_RUN_ONCE);
    return t;
}

static struct told check(struct passwords *p, const char *password, const char *expected)
{
    struct told t = {0};
    assert_int_equal(passwords_check(p, password, expected, on_told, &t), OK);
    while (t.calls == 0)
        uv_run(&loop, UV_RUN_ONCE);
    return t;
}

static void a_password_fits_its_hash_and_no_other(void **state)
{
    (void)state;
    struct passwords *p = made(10, 2, 10);
    struct told h = hash(p, "correct horse");
    assert_int_equal(h.e, OK);
    assert_memory_equal(h.hash, "$scrypt$ln=10,r=8,p=3$", 22);
    assert_int_equal(check(p, "correct horse", h.hash).e, OK);
    assert_int_equal(check(p, "correct horsf", h.hash).e, ERR_AUTH);
    assert_int_equal(check(p, "", h.hash).e, ERR_AUTH);
    assert_string_not_equal(hash(p, "correct horse").hash, h.hash); /* another salt */
    unmade(p);
}

static void without_a_hash_nothing_fits(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "$",
                                      "$scrypt$",
                                      "$scrypt$ln=10,r=8,p=3$",
                                      "$scrypt$ln=10,r=8,p=3$AAAA$AAAA",
                                      "$scrypt$ln=31,r=8,p=3$AAAAAAAAAAAAAAAAAAAAAA==$"
                                      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                      "$scrypt$ln=10,r=8,p=0$AAAAAAAAAAAAAAAAAAAAAA==$"
                                      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    struct passwords *p = made(10, 2, 10);
    assert_int_equal(check(p, "correct horse", NULL).e, ERR_AUTH);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(check(p, "correct horse", bad[i]).e, ERR_AUTH);
    unmade(p);
}

/* As the third vector of RFC 7914 12, with a salt of our length; the key was computed with Python's
 * hashlib. */
static void hashes_of_other_implementations_fit(void **state)
{
    (void)state;
    struct passwords *p = made(10, 2, 10);
    struct told t = check(p, "pleaseletmein",
                          "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGUwMQ==$"
                          "xipQFOL63QbCbyRp00xCVIkYfBL31PasuUNZdCFsxGM=");
    assert_int_equal(t.e, OK);
    assert_memory_equal(t.hash, "$scrypt$ln=10,r=8,p=3$", 22); /* renewed as configured now */
    assert_int_equal(check(p, "pleaseletmein", t.hash).e, OK);
    assert_string_equal(check(p, "pleaseletmein", t.hash).hash, "");
    unmade(p);
}

static void so_many_wait_and_no_more(void **state)
{
    (void)state;
    enum { RUNNING = 2, WAITING = 3 };
    struct passwords *p = made(10, RUNNING, WAITING);
    struct told told[RUNNING + WAITING] = {0};
    struct told beyond = {0};
    for (int i = 0; i < RUNNING + WAITING; i++)
        assert_int_equal(passwords_hash(p, "password", on_told, &told[i]), OK);
    assert_int_equal(passwords_hash(p, "password", on_told, &beyond), ERR_AGAIN);
    assert_int_equal(passwords_check(p, "password", NULL, on_told, &beyond), ERR_AGAIN);
    for (int i = 0; i < RUNNING + WAITING; i++) {
        while (told[i].calls == 0)
            uv_run(&loop, UV_RUN_ONCE);
        assert_int_equal(told[i].e, OK);
    }
    assert_int_equal(hash(p, "password").e, OK);
    assert_int_equal(beyond.calls, 0);
    unmade(p);
}

static void what_waits_is_told_when_it_closes(void **state)
{
    (void)state;
    struct passwords *p = made(10, 1, 10);
    struct told told[4] = {0};
    for (int i = 0; i < 4; i++)
        assert_int_equal(passwords_hash(p, "password", on_told, &told[i]), OK);
    unmade(p);
    assert_int_equal(told[0].e, OK);
    for (int i = 1; i < 4; i++)
        assert_int_equal(told[i].e, ERR_CLOSED);
    for (int i = 0; i < 4; i++)
        assert_int_equal(told[i].calls, 1);
}

static void passwords_beyond_the_limit_are_refused(void **state)
{
    (void)state;
    struct passwords *p = made(10, 1, 10);
    char longest[PASSWORD_MAX + 2];
    struct told t = {0};
    memset(longest, 'x', sizeof longest);
    longest[PASSWORD_MAX + 1] = '\0';
    assert_int_equal(passwords_hash(p, longest, on_told, &t), ERR_RANGE);
    longest[PASSWORD_MAX] = '\0';
    struct told h = hash(p, longest);
    assert_int_equal(h.e, OK);
    longest[PASSWORD_MAX - 1] = 'y'; /* the last one counts, too */
    assert_int_equal(check(p, longest, h.hash).e, ERR_AUTH);
    unmade(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_fits_its_hash_and_no_other),
        cmocka_unit_test(without_a_hash_nothing_fits),
        cmocka_unit_test(hashes_of_other_implementations_fit),
        cmocka_unit_test(so_many_wait_and_no_more),
        cmocka_unit_test(what_waits_is_told_when_it_closes),
        cmocka_unit_test(passwords_beyond_the_limit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
