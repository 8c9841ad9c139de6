/* The SQL of accounts: one function a statement, structs in and out. Does IO through
 * controller/data. Callbacks and errors as in controller/stream/stream_store.h. Private to
 * account/. */
#ifndef WEIR_CONTROLLER_ACCOUNT_ACCOUNT_STORE_H
#define WEIR_CONTROLLER_ACCOUNT_ACCOUNT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "controller/api/api.h"
#include "controller/data/db.h"
#include "controller/data/db_rows.h"

enum { ACCOUNT_LIST_MAX = 200, ACCOUNT_SESSIONS_MAX = 50 };

/* A row of users. */
struct account_row {
    const char *id;
    const char *name; /* in lower case */
    const char *display_name;
    const char *about;
    const char *password_hash; /* see password.h; NULL: nobody can log in with one */
    enum api_role role;
    bool must_change_password;
    bool disabled;
    int64_t created_at; /* ms since 1970, as all times here */
};

/* A row of sessions, and of whom it is. */
struct session_row {
    const char *id;
    int64_t created_at;
    int64_t expires_at;
    struct account_row user; /* id, name, display_name, role, must_change_password, disabled */
};

typedef void account_row_fn(void *ctx, enum err e, const struct account_row *row);
typedef void account_rows_fn(void *ctx, enum err e, const struct account_row *rows, size_t n);
typedef void session_row_fn(void *ctx, enum err e, const struct session_row *row);
typedef void account_text_fn(void *ctx, enum err e, const char *text);

const char *api_role_name(enum api_role role);

/* ---- secrets ---- */

/* The value under name; candidate becomes it when there is none. */
MUST_CHECK enum err account_store_secret(struct db *db, const char *name, const char *candidate,
                                         int64_t now_ms, account_text_fn *done, void *ctx);

/* ---- users ---- */

/* session NULL: without one. ERR_EXISTS: the name is taken. */
MUST_CHECK enum err account_store_create(struct db *db, const struct account_row *user,
                                         const struct session_row *session, db_told_fn *done,
                                         void *ctx);
/* ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err account_store_by_id(struct db *db, const char *id, account_row_fn *done,
                                        void *ctx);
MUST_CHECK enum err account_store_by_name(struct db *db, const char *name, account_row_fn *done,
                                          void *ctx);
/* One that is an admin: ERR_NOT_FOUND when nobody is. */
MUST_CHECK enum err account_store_any_admin(struct db *db, account_row_fn *done, void *ctx);
/* By name; those whose name begins with prefix. */
MUST_CHECK enum err account_store_list(struct db *db, const char *prefix, int64_t limit,
                                       int64_t offset, account_rows_fn *done, void *ctx);
/* NULL leaves as it is. Gives the row as it is then. */
MUST_CHECK enum err account_store_set_profile(struct db *db, const char *id,
                                              const char *display_name, const char *about,
                                              account_row_fn *done, void *ctx);
/* Ends all sessions of the user, and begins one; session NULL: none. */
MUST_CHECK enum err account_store_set_password(struct db *db, const char *id, const char *hash,
                                               bool must_change, const struct session_row *session,
                                               db_told_fn *done, void *ctx);
/* The same password, hashed with other parameters. Nothing else changes. */
MUST_CHECK enum err account_store_rehash(struct db *db, const char *id, const char *old_hash,
                                         const char *hash, db_told_fn *done, void *ctx);
/* NULL leaves as it is. Whoever is disabled loses all sessions. */
MUST_CHECK enum err account_store_set_rights(struct db *db, const char *id,
                                             const enum api_role *role, const bool *disabled,
                                             account_row_fn *done, void *ctx);

/* ---- sessions ---- */

/* Of more than ACCOUNT_SESSIONS_MAX of a user the oldest end. */
MUST_CHECK enum err account_store_add_session(struct db *db, const struct session_row *session,
                                              db_told_fn *done, void *ctx);
MUST_CHECK enum err account_store_session(struct db *db, const char *id, session_row_fn *done,
                                          void *ctx);
/* id NULL: all of the user. */
MUST_CHECK enum err account_store_end_session(struct db *db, const char *user_id, const char *id,
                                              db_told_fn *done, void *ctx);
MUST_CHECK enum err account_store_purge(struct db *db, int64_t now_ms, db_told_fn *done, void *ctx);

#endif
