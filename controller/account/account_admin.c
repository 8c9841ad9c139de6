/* What admins do with accounts. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/account/accounts_state.h"

/* ---- list ---- */

static void tell_list(void *ctx, enum err e, const struct account_row *rows, size_t n)
{
    struct asked *q = ctx;
    struct accounts_answer answer = {0};
    if (e == OK) {
        answer.users = arena_array(api_arena(q->call), n, sizeof *answer.users);
        e = answer.users ? OK : ERR_NOMEM;
    }
    if (e != OK) {
        account_asked_fail(q, e, NULL, NULL);
        return;
    }
    for (size_t i = 0; i < n; i++)
        answer.users[answer.n_users++] = account_describe(&rows[i]);
    api_answer_struct(q->call, 200, &accounts_answer_shape, &answer);
    account_asked_end(q);
}

static void on_list(struct api_call *call)
{
    struct asked *q = account_ask(call);
    if (!q)
        return;
    enum err e = account_store_list(q->accounts->config.db, api_text(call, "prefix"),
                                    api_int(call, "limit"), api_int(call, "offset"), tell_list, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

/* ---- a new one ---- */

static void tell_account(void *ctx, enum err e, const struct account_row *row)
{
    struct asked *q = ctx;
    if (e != OK) {
        account_asked_fail(q, e, e == ERR_NOT_FOUND ? "userId" : NULL,
                           e == ERR_NOT_FOUND ? "there is no such user" : NULL);
        return;
    }
    struct account user = account_describe(row);
    struct account_answer answer = {.user = &user};
    api_answer_struct(q->call, http_method(api_request(q->call)) == HTTP_POST ? 201 : 200,
                      &account_answer_shape, &answer);
    account_asked_end(q);
}

static void on_created(void *ctx, enum err e)
{
    struct asked *q = ctx;
    if (e == OK)
        e = account_store_by_id(q->accounts->config.db, q->user_id, tell_account, q);
    if (e != OK)
        account_asked_fail(q, e, e == ERR_EXISTS ? "username" : NULL,
                           e == ERR_EXISTS ? "username is taken" : NULL);
}

static void on_hashed(void *ctx, enum err e, const char *hash)
{
    struct asked *q = ctx;
    const struct new_user_body *in = api_body(q->call);
    rng_uuid(q->accounts->config.rng, q->user_id);
    const struct account_row row = {
        .id = q->user_id,
        .name = q->name,
        .display_name = in->display_name && in->display_name[0] ? in->display_name : in->username,
        .password_hash = hash,
        .role = in->has_role ? (enum api_role)in->role : API_ROLE_USER,
        .must_change_password = true,
        .created_at = clock_wall() / USEC_PER_MSEC};
    if (e == OK)
        e = account_store_create(q->accounts->config.db, &row, NULL, on_created, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

static void on_create(struct api_call *call)
{
    const struct new_user_body *in = api_body(call);
    struct asked *q = account_ask(call);
    if (!q || !account_take_name(q, in->username))
        return;
    enum err e = passwords_hash(q->accounts->passwords, in->password, on_hashed, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

/* ---- rights ---- */

static void on_rights(void *ctx, enum err e, const struct account_row *row)
{
    struct asked *q = ctx;
    if (e == OK) {
        log_info("account.rights", "user=%s role=%s disabled=%d by=%s", row->id,
                 api_role_name(row->role), row->disabled, api_who(q->call)->id);
        session_cache_drop_user(q->accounts->cache, row->id);
    }
    tell_account(q, e, row);
}

static void set_rights(struct asked *q)
{
    const struct rights_body *in = api_body(q->call);
    enum api_role role = (enum api_role)in->role;
    enum err e =
        account_store_set_rights(q->accounts->config.db, q->user_id, in->has_role ? &role : NULL,
                                 in->has_disabled ? &in->disabled : NULL, on_rights, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

static void on_password_set(void *ctx, enum err e)
{
    struct asked *q = ctx;
    session_cache_drop_user(q->accounts->cache, q->user_id);
    if (e == OK)
        set_rights(q);
    else
        account_asked_fail(q, e, e == ERR_NOT_FOUND ? "userId" : NULL, NULL);
}

static void on_password_hashed(void *ctx, enum err e, const char *hash)
{
    struct asked *q = ctx;
    if (e == OK)
        e = account_store_set_password(q->accounts->config.db, q->user_id, hash, true, NULL,
                                       on_password_set, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

static void on_change(struct api_call *call)
{
    const struct rights_body *in = api_body(call);
    const char *id = api_param(call, "userId");
    /* So that there is always an admin left. */
    if (strcmp(id, api_who(call)->id) == 0) {
        api_fail(call, ERR_STATE, "userId", "one's own rights are for another admin to change");
        return;
    }
    struct asked *q = account_ask(call);
    if (!q)
        return;
    snprintf(q->user_id, sizeof q->user_id, "%s", id);
    if (!in->password) {
        set_rights(q);
        return;
    }
    enum err e = passwords_hash(q->accounts->passwords, in->password, on_password_hashed, q);
    if (e != OK)
        account_asked_fail(q, e, NULL, NULL);
}

/* ---- table ---- */

const struct api_route account_admin_routes[] = {
    {.method = HTTP_GET,
     .path = "/api/admin/users",
     .id = "listUsers",
     .tag = "Administration",
     .summary = "All accounts by name.",
     .auth = API_ADMIN,
     .limit = API_LIMIT_GENERAL,
     .query = {{"prefix", API_QUERY_TEXT, 0, API_NAME_MAX, 0, "Names that begin with it."},
               {"limit", API_QUERY_INT, 1, ACCOUNT_LIST_MAX, 50, "At most so many."},
               {"offset", API_QUERY_INT, 0, INT32_MAX, 0, "After so many."}},
     .answers = {{200, &accounts_answer_shape, "The accounts."}},
     .handle = on_list},
    {.method = HTTP_POST,
     .path = "/api/admin/users",
     .id = "createUser",
     .tag = "Administration",
     .summary = "Makes an account, also where registration is closed; its user has to change the "
                "password.",
     .auth = API_ADMIN,
     .limit = API_LIMIT_GENERAL,
     .body = &new_user_body_shape,
     .answers = {{201, &account_answer_shape, "The account."}, {409, NULL, "The name is taken."}},
     .handle = on_create},
    {.method = HTTP_PATCH,
     .path = "/api/admin/users/:userId",
     .id = "changeUser",
     .tag = "Administration",
     .summary = "Role, disabled or not, a new password.",
     .auth = API_ADMIN,
     .limit = API_LIMIT_GENERAL,
     .body = &rights_body_shape,
     .answers = {{200, &account_answer_shape, "As it is now."},
                 {404, NULL, "No such user."},
                 {409, NULL, "It is oneself."}},
     .handle = on_change},
};
const size_t account_admin_routes_count =
    sizeof account_admin_routes / sizeof account_admin_routes[0];
