/* Accounts from inside. Private to account/. */
#ifndef WEIR_CONTROLLER_ACCOUNT_ACCOUNTS_STATE_H
#define WEIR_CONTROLLER_ACCOUNT_ACCOUNTS_STATE_H

#include <uv.h>

#include "controller/account/account_shapes.h"
#include "controller/account/account_store.h"
#include "controller/account/accounts.h"
#include "controller/account/password.h"
#include "controller/account/session_cache.h"
#include "controller/account/token.h"

enum { SECRET_LEN = 65, USER_ID_LEN = 37 };

struct accounts {
    struct accounts_config config;
    struct passwords *passwords; /* owned; NULL once it is closed */
    struct session_cache *cache; /* owned */
    char secret[SECRET_LEN * 4]; /* "" until it is known */
    uv_timer_t tick;
    bool secret_asked;
    unsigned pending; /* answers of the database and of passwords that are to come */
    bool closing;
    bool tick_closed;
    void (*closed)(void *ctx);
    void *closed_ctx;
    struct metric *logins;
    struct metric *failed;
};

/* Whoever waits for an answer holds, and releases last. */
void accounts_hold(struct accounts *a);
void accounts_release(struct accounts *a);

/* account_identify.c */
void account_identify(void *self, const char *token, api_identified_fn *done, void *ctx);

/* account_first.c: loads the secret (again, as long as it is not there), and makes an admin when
 * there is none. */
void accounts_load_secret(struct accounts *a);
void accounts_begin(struct accounts *a);

/* account_routes.c, account_login.c, account_admin.c */
MUST_CHECK enum err accounts_add_routes(struct accounts *a);
extern const struct api_route account_login_routes[];
extern const size_t account_login_routes_count;
extern const struct api_route account_admin_routes[];
extern const size_t account_admin_routes_count;

/* A call that waits. */
struct asked {
    struct accounts *accounts;
    struct api_call *call;
    char user_id[USER_ID_LEN];
    char name[API_NAME_MAX + 1];
    char display_name[API_DISPLAY_NAME_MAX + 1];
    char hash[PASSWORD_HASH_MAX];
    enum api_role role;
    bool must_change_password;
    bool disabled;
    int64_t created_at;
    struct session_row session; /* its strings are the ones below and above */
    char session_id[TOKEN_ID_LEN];
    char about[ABOUT_MAX + 1];
};

/* NULL: answered. Holds. */
struct asked *account_ask(struct api_call *call);
/* Frees and releases; the call was answered. */
void account_asked_end(struct asked *q);
void account_asked_fail(struct asked *q, enum err e, const char *field, const char *reason);
void account_asked_take(struct asked *q, const struct account_row *row);

/* A session of q->user_id from now on: fills q->session. */
void account_new_session(struct asked *q);
/* Token, cookie and user; ends q. */
void account_answer_session(struct asked *q, int status);
void account_set_cookie(struct api_call *call, const char *token, int64_t lifetime_s);

/* In lower case; false: answered with 400. */
bool account_take_name(struct asked *q, const char *given);
struct account account_describe(const struct account_row *row);
struct profile profile_describe(const struct account_row *row);

#endif
