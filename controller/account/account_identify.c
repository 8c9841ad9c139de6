/* Who a token belongs to: its signature, then its session, from memory or the database. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "controller/account/accounts_state.h"

/* While the database is away, sessions that are known go on so long. */
enum { STALE_MAX_S = 10 * 60 };

struct identifying {
    struct accounts *accounts;
    api_identified_fn *done;
    void *ctx;
    char session_id[TOKEN_ID_LEN];
    char user_id[TOKEN_ID_LEN];
};

static void take_user(const struct session_row *row, struct api_user *out)
{
    *out = (struct api_user){.role = row->user.role,
                             .must_change_password = row->user.must_change_password};
    snprintf(out->id, sizeof out->id, "%s", row->user.id);
    snprintf(out->session_id, sizeof out->session_id, "%s", row->id);
    snprintf(out->name, sizeof out->name, "%s", row->user.name);
    snprintf(out->display_name, sizeof out->display_name, "%s", row->user.display_name);
}

static void tell(struct identifying *i, enum err e, const struct api_user *user)
{
    struct accounts *a = i->accounts;
    i->done(i->ctx, e, user);
    free(i);
    accounts_release(a);
}

static void tell_stale(struct identifying *i, enum err e)
{
    usec age;
    const struct api_user *known =
        session_cache_find(i->accounts->cache, i->session_id, clock_now(), &age);
    if (known && age < STALE_MAX_S * USEC_PER_SEC) {
        struct api_user user = *known;
        tell(i, OK, &user);
    } else {
        tell(i, e, NULL);
    }
}

static void on_session(void *ctx, enum err e, const struct session_row *row)
{
    struct identifying *i = ctx;
    struct api_user user;
    if (e == ERR_UNAVAILABLE || e == ERR_TIMEOUT) {
        tell_stale(i, ERR_UNAVAILABLE);
        return;
    }
    if (e == OK && (strcmp(row->user.id, i->user_id) != 0 || row->user.disabled ||
                    row->expires_at <= clock_wall() / USEC_PER_MSEC))
        e = ERR_AUTH;
    if (e == ERR_NOT_FOUND)
        e = ERR_AUTH;
    if (e == OK) {
        take_user(row, &user);
        session_cache_put(i->accounts->cache, &user, clock_now());
    } else if (e == ERR_AUTH) {
        session_cache_drop(i->accounts->cache, i->session_id);
    }
    tell(i, e, e == OK ? &user : NULL);
}

static void look_up(struct accounts *a, const struct token *t, api_identified_fn *done, void *ctx)
{
    struct identifying *i = malloc(sizeof *i);
    if (!i) {
        done(ctx, ERR_NOMEM, NULL);
        return;
    }
    *i = (struct identifying){.accounts = a, .done = done, .ctx = ctx};
    memcpy(i->session_id, t->session_id, sizeof i->session_id);
    memcpy(i->user_id, t->user_id, sizeof i->user_id);
    accounts_hold(a);
    enum err e = account_store_session(a->config.db, i->session_id, on_session, i);
    if (e == ERR_MALFORMED) /* a signed token has no such id */
        tell(i, ERR_AUTH, NULL);
    else if (e != OK)
        tell_stale(i, e == ERR_FULL ? ERR_UNAVAILABLE : e);
}

void account_identify(void *self, const char *token, api_identified_fn *done, void *ctx)
{
    struct accounts *a = self;
    struct token t;
    usec age;
    if (a->secret[0] == '\0') {
        accounts_load_secret(a);
        done(ctx, ERR_UNAVAILABLE, NULL);
        return;
    }
    if (token_read(token, a->secret, clock_wall() / USEC_PER_SEC, &t) != OK) {
        done(ctx, ERR_AUTH, NULL);
        return;
    }
    const struct api_user *known = session_cache_find(a->cache, t.session_id, clock_now(), &age);
    if (known && age < a->config.session_check && strcmp(known->id, t.user_id) == 0) {
        struct api_user user = *known;
        done(ctx, OK, &user);
    } else {
        look_up(a, &t, done, ctx);
    }
}
