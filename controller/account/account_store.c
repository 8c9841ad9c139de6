#include "controller/account/account_store.h"

#include <string.h>

#define COLUMNS                                                                                    \
    "id, name, display_name, about, password_hash, role, must_change_password, disabled, "         \
    "created_at"

/* Indexes into COLUMNS. */
enum column {
    COL_ID,
    COL_NAME,
    COL_DISPLAY_NAME,
    COL_ABOUT,
    COL_PASSWORD_HASH,
    COL_ROLE,
    COL_MUST_CHANGE,
    COL_DISABLED,
    COL_CREATED_AT
};

static const char *const role_names[] = {"user", "moderator", "admin"};

const char *api_role_name(enum api_role role)
{
    return role_names[role];
}

/* ---- rows ---- */

static enum api_role role_of(const char *name)
{
    for (int i = 0; name && i <= API_ROLE_ADMIN; i++) {
        if (strcmp(name, role_names[i]) == 0)
            return (enum api_role)i;
    }
    return API_ROLE_USER; /* the table's CHECK allows no other */
}

static void read_account(const struct db_result *r, size_t i, void *row)
{
    *(struct account_row *)row = (struct account_row){
        .id = db_get_text(r, i, COL_ID),
        .name = db_get_text(r, i, COL_NAME),
        .display_name = db_get_text(r, i, COL_DISPLAY_NAME),
        .about = db_get_text(r, i, COL_ABOUT),
        .password_hash = db_get_text(r, i, COL_PASSWORD_HASH),
        .role = role_of(db_get_text(r, i, COL_ROLE)),
        .must_change_password = db_get_bool(r, i, COL_MUST_CHANGE),
        .disabled = db_get_bool(r, i, COL_DISABLED),
        .created_at = db_get_int(r, i, COL_CREATED_AT),
    };
}

static void tell_account(db_callback *cb, void *ctx, enum err e, const void *row)
{
    ((account_row_fn *)cb)(ctx, e, row);
}

static void tell_accounts(db_callback *cb, void *ctx, enum err e, const void *rows, size_t n)
{
    ((account_rows_fn *)cb)(ctx, e, rows, n);
}

static const struct db_row_type account_type = {.size = sizeof(struct account_row),
                                                .read = read_account,
                                                .tell_row = tell_account,
                                                .tell_rows = tell_accounts};

static void read_session(const struct db_result *r, size_t i, void *row)
{
    *(struct session_row *)row = (struct session_row){
        .id = db_get_text(r, i, 0),
        .created_at = db_get_int(r, i, 1),
        .expires_at = db_get_int(r, i, 2),
        .user = {.id = db_get_text(r, i, 3),
                 .name = db_get_text(r, i, 4),
                 .display_name = db_get_text(r, i, 5),
                 .role = role_of(db_get_text(r, i, 6)),
                 .must_change_password = db_get_bool(r, i, 7),
                 .disabled = db_get_bool(r, i, 8)},
    };
}

static void tell_session(db_callback *cb, void *ctx, enum err e, const void *row)
{
    ((session_row_fn *)cb)(ctx, e, row);
}

static const struct db_row_type session_type = {
    .size = sizeof(struct session_row), .read = read_session, .tell_row = tell_session};

struct text_row {
    const char *text;
};

static void read_text(const struct db_result *r, size_t i, void *row)
{
    ((struct text_row *)row)->text = db_get_text(r, i, 0);
}

static void tell_text(db_callback *cb, void *ctx, enum err e, const void *row)
{
    ((account_text_fn *)cb)(ctx, e, row ? ((const struct text_row *)row)->text : NULL);
}

static const struct db_row_type text_type = {
    .size = sizeof(struct text_row), .read = read_text, .tell_row = tell_text};

static enum err read_one(struct db *db, const struct db_stmt *stmts, size_t n, account_row_fn *done,
                         void *ctx)
{
    return db_read_row(db, &account_type, stmts, n, 0, (db_callback *)done, ctx);
}

/* ---- secrets ---- */

enum err account_store_secret(struct db *db, const char *name, const char *candidate,
                              int64_t now_ms, account_text_fn *done, void *ctx)
{
    /* The update that changes nothing gives back the row that was there. */
    const struct db_stmt s = {
        .sql = "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, $3) "
               "ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING value",
        DB_PARAMS(db_text(name), db_text(candidate), db_int(now_ms)),
    };
    return db_read_row(db, &text_type, &s, 1, 0, (db_callback *)done, ctx);
}

/* ---- sessions as parts of jobs ---- */

#define ADD_SESSION(session)                                                                       \
    {                                                                                              \
        .sql = "INSERT INTO sessions (id, user_id, created_at, expires_at) "                       \
               "VALUES ($1, $2, $3, $4)",                                                          \
        DB_PARAMS(db_text((session)->id), db_text((session)->user.id),                             \
                  db_int((session)->created_at), db_int((session)->expires_at)),                   \
    }

#define END_SESSIONS(user_id)                                                                      \
    {                                                                                              \
        .sql = "DELETE FROM sessions WHERE user_id = $1", DB_PARAMS(db_text(user_id)),             \
    }

/* ---- users ---- */

enum err account_store_create(struct db *db, const struct account_row *user,
                              const struct session_row *session, db_told_fn *done, void *ctx)
{
    static const struct session_row none;
    if (!session)
        session = &none;
    const struct db_stmt stmts[] = {
        {
            .sql = "INSERT INTO users (id, name, display_name, password_hash, role, "
                   "must_change_password, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            DB_PARAMS(db_text(user->id), db_text(user->name), db_text(user->display_name),
                      db_text(user->password_hash), db_text(role_names[user->role]),
                      db_bool(user->must_change_password), db_int(user->created_at)),
        },
        ADD_SESSION(session),
    };
    return db_do(db, stmts, session->id ? 2 : 1, 0, done, ctx);
}

enum err account_store_by_id(struct db *db, const char *id, account_row_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM users WHERE id = $1",
        DB_PARAMS(db_text(id)),
    };
    return read_one(db, &s, 1, done, ctx);
}

enum err account_store_by_name(struct db *db, const char *name, account_row_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM users WHERE name = $1",
        DB_PARAMS(db_text(name)),
    };
    return read_one(db, &s, 1, done, ctx);
}

enum err account_store_any_admin(struct db *db, account_row_fn *done, void *ctx)
{
    const struct db_stmt s = {.sql = "SELECT " COLUMNS
                                     " FROM users WHERE role = 'admin' ORDER BY id LIMIT 1"};
    return read_one(db, &s, 1, done, ctx);
}

enum err account_store_list(struct db *db, const char *prefix, int64_t limit, int64_t offset,
                            account_rows_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " COLUMNS " FROM users WHERE substr(name, 1, length($1)) = $1 "
               "ORDER BY name LIMIT $2 OFFSET $3",
        DB_PARAMS(db_text(prefix ? prefix : ""), db_int(db_clamp_limit(limit, ACCOUNT_LIST_MAX)),
                  db_int(db_clamp_offset(offset))),
    };
    return db_read_rows(db, &account_type, &s, 1, 0, (db_callback *)done, ctx);
}

enum err account_store_set_profile(struct db *db, const char *id, const char *display_name,
                                   const char *about, account_row_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE users SET display_name = COALESCE($2, display_name), "
               "about = COALESCE($3, about) WHERE id = $1 RETURNING " COLUMNS,
        DB_PARAMS(db_text(id), db_text(display_name), db_text(about)),
        .must_match = true,
    };
    return read_one(db, &s, 1, done, ctx);
}

enum err account_store_set_password(struct db *db, const char *id, const char *hash,
                                    bool must_change, const struct session_row *session,
                                    db_told_fn *done, void *ctx)
{
    static const struct session_row none;
    if (!session)
        session = &none;
    const struct db_stmt stmts[] = {
        {
            .sql = "UPDATE users SET password_hash = $2, must_change_password = $3 WHERE id = $1",
            DB_PARAMS(db_text(id), db_text(hash), db_bool(must_change)),
            .must_match = true,
        },
        END_SESSIONS(id),
        ADD_SESSION(session),
    };
    return db_do(db, stmts, session->id ? 3 : 2, 0, done, ctx);
}

enum err account_store_rehash(struct db *db, const char *id, const char *old_hash, const char *hash,
                              db_told_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
        DB_PARAMS(db_text(id), db_text(old_hash), db_text(hash)),
    };
    return db_do(db, &s, 1, 0, done, ctx);
}

enum err account_store_set_rights(struct db *db, const char *id, const enum api_role *role,
                                  const bool *disabled, account_row_fn *done, void *ctx)
{
    const struct db_stmt stmts[] = {
        {
            .sql = "UPDATE users SET role = COALESCE($2, role), disabled = COALESCE($3, disabled) "
                   "WHERE id = $1 RETURNING " COLUMNS,
            DB_PARAMS(db_text(id), db_text(role ? role_names[*role] : NULL),
                      disabled ? db_bool(*disabled) : db_null()),
            .must_match = true,
        },
        END_SESSIONS(id),
    };
    return read_one(db, stmts, disabled && *disabled ? 2 : 1, done, ctx);
}

/* ---- sessions ---- */

enum err account_store_add_session(struct db *db, const struct session_row *session,
                                   db_told_fn *done, void *ctx)
{
    const struct db_stmt stmts[] = {
        ADD_SESSION(session),
        {
            .sql = "DELETE FROM sessions WHERE user_id = $1 AND id NOT IN (SELECT id FROM sessions "
                   "WHERE user_id = $1 ORDER BY created_at DESC, id LIMIT $2)",
            DB_PARAMS(db_text(session->user.id), db_int(ACCOUNT_SESSIONS_MAX)),
        },
    };
    return db_do(db, stmts, 2, 0, done, ctx);
}

enum err account_store_session(struct db *db, const char *id, session_row_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT s.id, s.created_at, s.expires_at, u.id, u.name, u.display_name, u.role, "
               "u.must_change_password, u.disabled "
               "FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1",
        DB_PARAMS(db_text(id)),
    };
    return db_read_row(db, &session_type, &s, 1, 0, (db_callback *)done, ctx);
}

enum err account_store_end_session(struct db *db, const char *user_id, const char *id,
                                   db_told_fn *done, void *ctx)
{
    const struct db_stmt one = {
        .sql = "DELETE FROM sessions WHERE user_id = $1 AND id = $2",
        DB_PARAMS(db_text(user_id), db_text(id)),
    };
    const struct db_stmt all = END_SESSIONS(user_id);
    return db_do(db, id ? &one : &all, 1, 0, done, ctx);
}

enum err account_store_purge(struct db *db, int64_t now_ms, db_told_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "DELETE FROM sessions WHERE expires_at <= $1",
        DB_PARAMS(db_int(now_ms)),
    };
    return db_do(db, &s, 1, 0, done, ctx);
}
