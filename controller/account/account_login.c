/* Registering, logging in and out, changing the password. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/account/accounts_state.h"

/* ---- guessing ---- */

/* A token of the account from this address, and one of the account from everywhere: the second so
 * that many addresses together do not get far, the first, smaller one so that one address cannot
 * keep the owner out. */
struct guesses {
    struct rate_key here;
    struct rate_key anywhere;
    struct rate rate_here;
    struct rate rate_anywhere;
};

static struct guesses guesses_of(const struct asked *q)
{
    const struct accounts_config *c = &q->accounts->config;
    char address[ADDR_TEXT_MAX];
    struct addr peer = *http_peer(api_request(q->call));
    if (peer.family == 6)
        memset(peer.ip + 8, 0, 8); /* a customer's /64 */
    addr_ip_text(&peer, address, sizeof address);
    return (struct guesses){
        .here = rate_key_text(API_LIMIT_LOGIN, q->name, address),
        .anywhere = rate_key_text(API_LIMIT_LOGIN, q->name, NULL),
        .rate_here = c->login,
        .rate_anywhere = {.per_minute = c->login.per_minute * c->login_factor,
                          .burst = c->login.burst * c->login_factor},
    };
}

/* Counts a guess before it is known to be one; false: answered with 429, and q is gone. */
static bool may_guess(struct asked *q)
{
    struct rate_table *t = api_rates(q->accounts->config.api);
    struct guesses g = guesses_of(q);
    usec wait;
    enum err e = rate_take(t, clock_now(), &g.here, g.rate_here, &wait);
    if (e == OK) {
        e = rate_take(t, clock_now(), &g.anywhere, g.rate_anywhere, &wait);
        if (e != OK)
            rate_give(t, &g.here, g.rate_here);
    }
    if (e == OK)
        return true;
    api_fail_wait(q->call, rate_wait_s(wait), "too many wrong passwords for this account");
    account_asked_end(q);
    return false;
}

static void was_no_guess(const struct asked *q)
{
    struct rate_table *t = api_rates(q->accounts->config.api);
    struct guesses g = guesses_of(q);
    rate_give(t, &g.here, g.rate_here);
    rate_give(t, &g.anywhere, g.rate_anywhere);
}

/* ---- registering ---- */

static void on_registered(void *ctx, enum err e)
{
    struct asked *q = ctx;
    if (e == OK)
        account_answer_session(q, 201);
    else
        account_asked_fail(q, e, e == ERR_EXISTS ? "username" : NULL,
                           e == ERR_EXISTS ? "username is taken" : NULL);
}

static void on_register_hashed(void *ctx, enum err e, const char *hash)
{
    struct asked *q = ctx;
    const struct register_body *in = api_body(q->call);
    if (e == OK) {
        snprintf(q->display_name, sizeof q->display_name, "%s",
                 in->display_name && in->display_name[0] ? in->display_name : in->username);
        rng_uuid(q->accounts->config.rng, q->user_id);
        account_new_session(q);
        q->created_at = q->session.created_at;
        const struct account_row row = {.id = q->user_id,
                                        .name = q->name,
                                        .display_name = q->display_name,
                                        .password_hash = hash,
                                        .role = API_ROLE_USER,
                                        .created_at = q->created_at};
        e = account_store_create(q->accounts->config.db, &row, &q->session, on_registered, q);
    }
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

static void on_register(struct api_call *call)
{
    const struct register_body *in = api_body(call);
    struct accounts *a = api_ctx(call);
    if (!a->config.registration) {
        api_fail(call, ERR_DENIED, NULL, "registration is closed (accounts.registration)");
        return;
    }
    struct asked *q = account_ask(call);
    if (!q || !account_take_name(q, in->username))
        return;
    enum err e = passwords_hash(a->passwords, in->password, on_register_hashed, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

/* ---- logging in ---- */

static void on_logged_in(void *ctx, enum err e)
{
    struct asked *q = ctx;
    if (e != OK) {
        account_asked_fail(q, e, NULL, NULL);
        return;
    }
    metric_add(q->accounts->logins, 1);
    account_answer_session(q, 200);
}

static void refuse(struct asked *q)
{
    char address[ADDR_TEXT_MAX];
    char quoted[80];
    metric_add(q->accounts->failed, 1);
    log_info("account.login_failed", "name=%s address=%s",
             log_quote(q->name, quoted, sizeof quoted),
             addr_ip_text(http_peer(api_request(q->call)), address, sizeof address));
    account_asked_fail(q, ERR_AUTH, NULL, "username or password is wrong");
}

static void on_login_checked(void *ctx, enum err e, const char *rehashed)
{
    struct asked *q = ctx;
    if (e == ERR_AUTH) {
        refuse(q);
        return;
    }
    was_no_guess(q);
    if (e == OK && q->disabled) {
        account_asked_fail(q, ERR_DENIED, NULL, "the account is disabled");
        return;
    }
    if (e == OK && rehashed) {
        enum err stored =
            account_store_rehash(q->accounts->config.db, q->user_id, q->hash, rehashed, NULL, NULL);
        if (stored != OK)
            log_debug("account.rehash", "why=%s", err_name(stored));
    }
    if (e == OK) {
        account_new_session(q);
        e = account_store_add_session(q->accounts->config.db, &q->session, on_logged_in, q);
    }
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

static void on_login_found(void *ctx, enum err e, const struct account_row *row)
{
    struct asked *q = ctx;
    const struct login_body *in = api_body(q->call);
    if (e == OK)
        account_asked_take(q, row);
    if (e == OK || e == ERR_NOT_FOUND)
        e = passwords_check(q->accounts->passwords, in->password, q->hash[0] ? q->hash : NULL,
                            on_login_checked, q);
    if (e != OK) {
        was_no_guess(q);
        account_asked_fail(q, e, NULL, NULL);
    }
}

static void on_login(struct api_call *call)
{
    const struct login_body *in = api_body(call);
    struct asked *q = account_ask(call);
    if (!q || !account_take_name(q, in->username) || !may_guess(q))
        return;
    if (q->accounts->secret[0] == '\0')
        accounts_load_secret(q->accounts);
    enum err e = account_store_by_name(q->accounts->config.db, q->name, on_login_found, q);
    if (e != OK) {
        was_no_guess(q);
        account_asked_fail(q, e, NULL, NULL);
    }
}

/* ---- logging out ---- */

static void on_logged_out(void *ctx, enum err e)
{
    struct asked *q = ctx;
    struct session_cache *cache = q->accounts->cache;
    const struct logout_body *in = api_body(q->call);
    if (e != OK) {
        account_asked_fail(q, e, NULL, NULL);
        return;
    }
    if (in->everywhere)
        session_cache_drop_user(cache, q->user_id);
    else
        session_cache_drop(cache, q->session_id);
    account_set_cookie(q->call, "", 0);
    api_answer_empty(q->call, 204);
    account_asked_end(q);
}

static void on_logout(struct api_call *call)
{
    const struct logout_body *in = api_body(call);
    if (!api_who(call)) { /* a cookie that is not good any more goes all the same */
        account_set_cookie(call, "", 0);
        api_answer_empty(call, 204);
        return;
    }
    struct asked *q = account_ask(call);
    if (!q)
        return;
    memcpy(q->session_id, api_who(call)->session_id, sizeof q->session_id);
    enum err e = account_store_end_session(q->accounts->config.db, q->user_id,
                                           in->everywhere ? NULL : q->session_id, on_logged_out, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

/* ---- another password ---- */

static void on_password_stored(void *ctx, enum err e)
{
    struct asked *q = ctx;
    session_cache_drop_user(q->accounts->cache, q->user_id);
    if (e == OK)
        account_answer_session(q, 200);
    else
        account_asked_fail(q, e, NULL, NULL);
}

static void on_password_hashed(void *ctx, enum err e, const char *hash)
{
    struct asked *q = ctx;
    if (e == OK) {
        account_new_session(q);
        q->must_change_password = false;
        e = account_store_set_password(q->accounts->config.db, q->user_id, hash, false, &q->session,
                                       on_password_stored, q);
    }
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

static void on_password_checked(void *ctx, enum err e, const char *rehashed)
{
    struct asked *q = ctx;
    const struct password_body *in = api_body(q->call);
    (void)rehashed;
    if (e == ERR_AUTH) {
        account_asked_fail(q, ERR_DENIED, "currentPassword", "currentPassword is wrong");
        return;
    }
    was_no_guess(q);
    if (e == OK)
        e = passwords_hash(q->accounts->passwords, in->new_password, on_password_hashed, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

static void on_password_found(void *ctx, enum err e, const struct account_row *row)
{
    struct asked *q = ctx;
    const struct password_body *in = api_body(q->call);
    if (e == OK) {
        account_asked_take(q, row);
        if (!may_guess(q))
            return;
        e = passwords_check(q->accounts->passwords, in->current_password,
                            q->hash[0] ? q->hash : NULL, on_password_checked, q);
        if (e != OK)
            was_no_guess(q);
    }
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

static void on_password(struct api_call *call)
{
    const struct password_body *in = api_body(call);
    if (strcmp(in->current_password, in->new_password) == 0) {
        api_fail(call, ERR_RANGE, "newPassword", "newPassword is the current one");
        return;
    }
    struct asked *q = account_ask(call);
    if (!q)
        return;
    enum err e = account_store_by_id(q->accounts->config.db, q->user_id, on_password_found, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

/* ---- table ---- */

const struct api_route account_login_routes[] = {
    {.method = HTTP_POST,
     .path = "/api/account/register",
     .id = "register",
     .tag = "Accounts",
     .summary = "Makes an account and logs in.",
     .limit = API_LIMIT_REGISTER,
     .body = &register_body_shape,
     .answers = {{201, &session_answer_shape, "Logged in."},
                 {403, NULL, "Registration is closed, or a page of another site asked."},
                 {409, NULL, "The name is taken."}},
     .handle = on_register,
     .signs_in = true},
    {.method = HTTP_POST,
     .path = "/api/account/login",
     .id = "login",
     .tag = "Accounts",
     .summary = "Logs in: sets the cookie, and answers the same token for programs.",
     .limit = API_LIMIT_LOGIN,
     .body = &login_body_shape,
     .answers = {{200, &session_answer_shape, "Logged in."},
                 {401, NULL, "The name or the password is wrong."},
                 {403, NULL, "The account is disabled, or a page of another site asked."}},
     .handle = on_login,
     .signs_in = true},
    {.method = HTTP_POST,
     .path = "/api/account/logout",
     .id = "logout",
     .tag = "Accounts",
     .summary = "Ends the session, and takes the cookie away.",
     .auth = API_OPTIONAL,
     .limit = API_LIMIT_GENERAL,
     .body = &logout_body_shape,
     .body_optional = true,
     .answers = {{204, NULL, "Logged out."}},
     .handle = on_logout,
     .any_password = true},
    {.method = HTTP_POST,
     .path = "/api/account/password",
     .id = "changePassword",
     .tag = "Accounts",
     .summary = "Changes the password; all other sessions end.",
     .auth = API_USER,
     .limit = API_LIMIT_LOGIN,
     .body = &password_body_shape,
     .answers = {{200, &session_answer_shape, "Changed; a new token."},
                 {403, NULL, "currentPassword is wrong, or a page of another site asked."}},
     .handle = on_password,
     .any_password = true},
};
const size_t account_login_routes_count =
    sizeof account_login_routes / sizeof account_login_routes[0];
