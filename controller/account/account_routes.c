/* Profiles, and what all routes of accounts have in common. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "controller/account/accounts_state.h"

/* ---- a call that waits ---- */

struct asked *account_ask(struct api_call *call)
{
    struct accounts *a = api_ctx(call);
    struct asked *q = a->closing ? NULL : calloc(1, sizeof *q);
    if (!q) {
        api_fail(call, ERR_UNAVAILABLE, NULL, NULL);
        return NULL;
    }
    q->accounts = a;
    q->call = call;
    if (api_who(call))
        memcpy(q->user_id, api_who(call)->id, sizeof q->user_id);
    accounts_hold(a);
    return q;
}

void account_asked_end(struct asked *q)
{
    struct accounts *a = q->accounts;
    free(q);
    accounts_release(a);
}

void account_asked_fail(struct asked *q, enum err e, const char *field, const char *reason)
{
    /* A full queue of the database is ours, not the caller's doing. */
    if (e == ERR_FULL || e == ERR_CLOSED)
        e = ERR_UNAVAILABLE;
    api_fail(q->call, e, field, reason);
    account_asked_end(q);
}

static void copy(char *out, size_t n, const char *text)
{
    snprintf(out, n, "%s", text ? text : "");
}

void account_asked_take(struct asked *q, const struct account_row *row)
{
    copy(q->user_id, sizeof q->user_id, row->id);
    copy(q->name, sizeof q->name, row->name);
    copy(q->display_name, sizeof q->display_name, row->display_name);
    copy(q->about, sizeof q->about, row->about);
    copy(q->hash, sizeof q->hash, row->password_hash);
    q->role = row->role;
    q->must_change_password = row->must_change_password;
    q->disabled = row->disabled;
    q->created_at = row->created_at;
}

bool account_take_name(struct asked *q, const char *given)
{
    size_t n = strlen(given);
    for (size_t i = 0; i <= n && i < sizeof q->name; i++)
        q->name[i] = (char)(given[i] >= 'A' && given[i] <= 'Z' ? given[i] + 'a' - 'A' : given[i]);
    q->name[sizeof q->name - 1] = '\0';
    bool good = n <= API_NAME_MAX && q->name[0] != '-' && q->name[0] != '_' &&
                strspn(q->name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == n;
    if (!good)
        account_asked_fail(q, ERR_RANGE, "username",
                           "username may only have letters a to z, digits, - and _, and begins "
                           "with a letter or digit");
    return good;
}

/* ---- what is told ---- */

struct account account_describe(const struct account_row *row)
{
    return (struct account){.id = row->id,
                            .username = row->name,
                            .display_name = row->display_name,
                            .about = row->about,
                            .role = (int)row->role,
                            .has_role = true,
                            .created_at = row->created_at,
                            .has_created_at = true,
                            .must_change_password = row->must_change_password,
                            .has_must_change_password = true,
                            .disabled = row->disabled,
                            .has_disabled = true};
}

struct profile profile_describe(const struct account_row *row)
{
    return (struct profile){.id = row->id,
                            .username = row->name,
                            .display_name = row->display_name,
                            .about = row->about,
                            .role = (int)row->role,
                            .has_role = true,
                            .created_at = row->created_at,
                            .has_created_at = true};
}

/* ---- sessions ---- */

void account_new_session(struct asked *q)
{
    struct accounts *a = q->accounts;
    int64_t now_ms = clock_wall() / USEC_PER_MSEC;
    rng_uuid(a->config.rng, q->session_id);
    q->session = (struct session_row){
        .id = q->session_id,
        .created_at = now_ms,
        .expires_at = now_ms + a->config.session_lifetime / USEC_PER_MSEC,
        .user = {.id = q->user_id},
    };
}

void account_set_cookie(struct api_call *call, const char *token, int64_t lifetime_s)
{
    char cookie[TOKEN_MAX + 160];
    /* RFC 6265bis: not for scripts, not sent along by other sites' forms and pictures. */
    snprintf(cookie, sizeof cookie, "%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%lld%s",
             API_COOKIE, token, (long long)lifetime_s,
             http_is_tls(api_request(call)) ? "; Secure" : "");
    (void)http_set_header(api_request(call), "Set-Cookie", cookie);
}

void account_answer_session(struct asked *q, int status)
{
    struct accounts *a = q->accounts;
    char text[TOKEN_MAX];
    struct token token = {.issued_s = q->session.created_at / 1000,
                          .expires_s = q->session.expires_at / 1000};
    memcpy(token.session_id, q->session_id, sizeof token.session_id);
    memcpy(token.user_id, q->user_id, sizeof token.user_id);
    enum err e = a->secret[0] ? token_make(&token, a->secret, text) : ERR_UNAVAILABLE;
    if (e != OK) {
        account_asked_fail(q, e, NULL, NULL);
        return;
    }
    const struct account_row row = {.id = q->user_id,
                                    .name = q->name,
                                    .display_name = q->display_name,
                                    .about = q->about,
                                    .role = q->role,
                                    .must_change_password = q->must_change_password,
                                    .created_at = q->created_at};
    struct account user = account_describe(&row);
    struct session_answer answer = {
        .token = text, .expires_at = q->session.expires_at, .has_expires_at = true, .user = &user};
    account_set_cookie(q->call, text, token.expires_s - token.issued_s);
    api_answer_struct(q->call, status, &session_answer_shape, &answer);
    account_asked_end(q);
}

/* ---- profiles ---- */

static void tell_own(void *ctx, enum err e, const struct account_row *row)
{
    struct asked *q = ctx;
    if (e != OK) {
        account_asked_fail(q, e, NULL, NULL);
        return;
    }
    struct account user = account_describe(row);
    struct account_answer answer = {.user = &user};
    api_answer_struct(q->call, 200, &account_answer_shape, &answer);
    account_asked_end(q);
}

static void on_get_own(struct api_call *call)
{
    struct asked *q = account_ask(call);
    if (!q)
        return;
    enum err e = account_store_by_id(q->accounts->config.db, q->user_id, tell_own, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

static void on_changed(void *ctx, enum err e, const struct account_row *row)
{
    struct asked *q = ctx;
    session_cache_drop_user(q->accounts->cache, q->user_id);
    tell_own(q, e, row);
}

static void on_change_own(struct api_call *call)
{
    const struct profile_body *in = api_body(call);
    struct asked *q = account_ask(call);
    if (!q)
        return;
    enum err e = account_store_set_profile(q->accounts->config.db, q->user_id, in->display_name,
                                           in->about, on_changed, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

static void tell_profile(void *ctx, enum err e, const struct account_row *row)
{
    struct asked *q = ctx;
    if (e == ERR_NOT_FOUND || (e == OK && row->disabled)) {
        account_asked_fail(q, ERR_NOT_FOUND, "userId", "there is no such user");
    } else if (e != OK) {
        account_asked_fail(q, e, NULL, NULL);
    } else {
        struct profile user = profile_describe(row);
        struct profile_answer answer = {.user = &user};
        api_answer_struct(q->call, 200, &profile_answer_shape, &answer);
        account_asked_end(q);
    }
}

static bool is_uuid(const char *text)
{
    return strlen(text) == USER_ID_LEN - 1 && text[8] == '-' && text[13] == '-';
}

static void on_get_user(struct api_call *call)
{
    const char *given = api_param(call, "userId");
    struct asked *q = account_ask(call);
    if (!q)
        return;
    enum err e;
    if (is_uuid(given))
        e = account_store_by_id(q->accounts->config.db, given, tell_profile, q);
    else if (account_take_name(q, given))
        e = account_store_by_name(q->accounts->config.db, q->name, tell_profile, q);
    else
        return;
    if (e != OK)
        account_asked_fail(q, e, "userId", NULL);
}

static const struct api_route routes[] = {
    {.method = HTTP_GET,
     .path = "/api/account",
     .id = "getAccount",
     .tag = "Accounts",
     .summary = "Who one is.",
     .auth = API_USER,
     .limit = API_LIMIT_GENERAL,
     .answers = {{200, &account_answer_shape, "The user's own account."}},
     .handle = on_get_own,
     .any_password = true},
    {.method = HTTP_PATCH,
     .path = "/api/account",
     .id = "changeAccount",
     .tag = "Accounts",
     .summary = "Changes the profile; what is left out stays.",
     .auth = API_USER,
     .limit = API_LIMIT_GENERAL,
     .body = &profile_body_shape,
     .answers = {{200, &account_answer_shape, "As it is now."}},
     .handle = on_change_own},
    {.method = HTTP_GET,
     .path = "/api/users/:userId",
     .id = "getUser",
     .tag = "Accounts",
     .summary = "A user's profile, by id or name.",
     .limit = API_LIMIT_GENERAL,
     .answers = {{200, &profile_answer_shape, "The profile."}, {404, NULL, "No such user."}},
     .handle = on_get_user,
     .open = true},
};

enum err accounts_add_routes(struct accounts *a)
{
    enum err e = api_add(a->config.api, account_login_routes, account_login_routes_count, a);
    if (e == OK)
        e = api_add(a->config.api, routes, sizeof routes / sizeof routes[0], a);
    return e == OK ? api_add(a->config.api, account_admin_routes, account_admin_routes_count, a)
                   : e;
}
