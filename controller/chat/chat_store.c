#include "controller/chat/chat_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/data/db_rows.h"

/* ---- messages ---- */

enum { INSERT_PARAMS = 9, REPLY_HEAD = 100 };

static void insert_stmt(const struct chat_change *c, struct db_param params[INSERT_PARAMS],
                        struct db_stmt *out)
{
    params[0] = db_text(c->id);
    params[1] = db_text(c->room_id);
    params[2] = db_text(c->user_id);
    params[3] = db_text(c->author_id);
    params[4] = db_text(c->display_name);
    params[5] = db_text(sig_chat_role_names[c->role]);
    params[6] = db_text(c->text);
    params[7] = db_text(c->reply_to);
    params[8] = db_int(c->at_ms);
    /* Subqueries rather than keys that may be gone by now: one of those would roll back all. */
    *out = (struct db_stmt){
        .sql = "INSERT INTO livestream_chat (id, room_id, stream_id, user_id, author_id, "
               "display_name, role, message, reply_to, created_at) "
               "VALUES ($1, $2, (SELECT id FROM livestreams WHERE room_id = $2 AND "
               "started_at <= $9 AND (ended_at IS NULL OR ended_at >= $9) "
               "ORDER BY started_at DESC LIMIT 1), "
               "(SELECT id FROM users WHERE id = $3), $4, $5, $6, $7, $8, $9) "
               "ON CONFLICT (id) DO NOTHING",
        .params = params,
        .n_params = INSERT_PARAMS};
}

static void delete_stmt(const struct chat_change *c, struct db_param params[INSERT_PARAMS],
                        struct db_stmt *out)
{
    params[0] = db_text(c->id);
    params[1] = db_int(c->at_ms);
    params[2] = db_text(c->deleted_by);
    *out = (struct db_stmt){.sql = "UPDATE livestream_chat SET deleted_at = $2, deleted_by = $3 "
                                   "WHERE id = $1 AND deleted_at IS NULL",
                            .params = params,
                            .n_params = 3};
}

enum err chat_store_write(struct db *db, const struct chat_change *changes, size_t n,
                          chat_store_done_fn *done, void *ctx)
{
    struct db_stmt stmts[CHAT_STORE_BATCH];
    struct db_param(*params)[INSERT_PARAMS] = malloc(sizeof *params * n);
    if (!params)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (changes[i].deleted_by)
            delete_stmt(&changes[i], params[i], &stmts[i]);
        else
            insert_stmt(&changes[i], params[i], &stmts[i]);
    }
    enum err e = db_do(db, stmts, n, DB_WAIT | DB_TX, done, ctx);
    free(params);
    return e;
}

/* With what it answers, as far as that is still there. */
#define MESSAGE_COLUMNS                                                                            \
    "c.id, c.user_id, c.author_id, c.display_name, c.role, c.message, c.created_at, "              \
    "r.id AS reply_id, r.author_id AS reply_author, r.display_name AS reply_name, "                \
    "r.message AS reply_message"
#define MESSAGE_TABLES                                                                             \
    "livestream_chat c LEFT JOIN livestream_chat r ON r.id = c.reply_to AND r.deleted_at IS NULL "

struct message_row {
    struct sig_chat_message message;
    struct sig_chat_reply reply;
};

struct waiter {
    chat_messages_fn *messages;
    chat_rules_fn *rules;
    void *ctx;
};

static void read_message(const struct db_result *r, size_t i, struct sig_chat_message *m,
                         struct sig_chat_reply *reply)
{
    int role = choice_find(sig_chat_role_names, db_get_text(r, i, db_col(r, "role")));
    *m = (struct sig_chat_message){
        .message_id = db_get_text(r, i, db_col(r, "id")),
        .author_id = db_get_text(r, i, db_col(r, "author_id")),
        .display_name = db_get_text(r, i, db_col(r, "display_name")),
        .role = role >= 0 ? role : SIG_CHAT_VIEWER,
        .guest = db_is_null(r, i, db_col(r, "user_id")),
        .message = db_get_text(r, i, db_col(r, "message")),
        .created_at = db_get_int(r, i, db_col(r, "created_at")),
    };
    const char *reply_id = db_get_text(r, i, db_col(r, "reply_id"));
    if (!reply_id)
        return;
    *reply = (struct sig_chat_reply){.message_id = reply_id,
                                     .author_id = db_get_text(r, i, db_col(r, "reply_author")),
                                     .display_name = db_get_text(r, i, db_col(r, "reply_name")),
                                     .message = db_get_text(r, i, db_col(r, "reply_message"))};
    m->reply_to = reply;
}

/* The rows come with the newest first. */
static void tell_messages(void *ctx, enum err e, const struct db_result *r)
{
    struct waiter w = *(struct waiter *)ctx;
    free(ctx);
    size_t n = e == OK ? db_rows(r) : 0;
    struct sig_chat_message *list = calloc(n + 1, sizeof *list);
    struct sig_chat_reply *replies = calloc(n + 1, sizeof *replies);
    if (!list || !replies) {
        e = ERR_NOMEM;
        n = 0;
    }
    for (size_t i = 0; i < n; i++)
        read_message(r, n - 1 - i, &list[i], &replies[i]);
    w.messages(w.ctx, e, list, n);
    free(list);
    free(replies);
}

static enum err read_job(struct db *db, const struct db_stmt *stmts, size_t n, db_done_fn *done,
                         struct waiter waiter)
{
    struct waiter *w = malloc(sizeof *w);
    if (!w)
        return ERR_NOMEM;
    *w = waiter;
    enum err e = db_run(db, stmts, n, 0, done, w);
    if (e != OK)
        free(w);
    return e;
}

enum err chat_store_recent(struct db *db, const char *room_id, const char *before, unsigned limit,
                           chat_messages_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " MESSAGE_COLUMNS " FROM " MESSAGE_TABLES
               "WHERE c.room_id = $1 AND c.deleted_at IS NULL AND c.id < $2 "
               "ORDER BY c.id DESC LIMIT $3",
        /* Ids are hexadecimal: all are below. */
        DB_PARAMS(db_text(room_id), db_text(before ? before : "g"),
                  db_int(db_clamp_limit(limit, SIG_CHAT_HISTORY))),
    };
    return read_job(db, &s, 1, tell_messages, (struct waiter){.messages = done, .ctx = ctx});
}

enum err chat_store_of_stream(struct db *db, const char *stream_id, int64_t limit, int64_t offset,
                              chat_messages_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "SELECT " MESSAGE_COLUMNS " FROM " MESSAGE_TABLES
               "WHERE c.stream_id = $1 AND c.deleted_at IS NULL "
               "ORDER BY c.created_at DESC, c.id DESC LIMIT $2 OFFSET $3",
        DB_PARAMS(db_text(stream_id), db_int(db_clamp_limit(limit, SIG_CHAT_HISTORY)),
                  db_int(db_clamp_offset(offset))),
    };
    return read_job(db, &s, 1, tell_messages, (struct waiter){.messages = done, .ctx = ctx});
}

/* ---- rules ---- */

static void copy(char *out, size_t n, const char *s)
{
    snprintf(out, n, "%s", s ? s : "");
}

static enum err read_bans(struct chat_rules *rules, const struct db_result *r)
{
    enum err e = OK;
    for (size_t i = 0; i < db_rows(r) && e == OK; i++) {
        struct chat_ban b = {.since_ms = db_get_int(r, i, db_col(r, "created_at"))};
        size_t until = db_col(r, "until");
        b.until_ms = db_is_null(r, i, until) ? CHAT_FOR_GOOD : db_get_int(r, i, until);
        copy(b.author_id, sizeof b.author_id, db_get_text(r, i, db_col(r, "author_id")));
        copy(b.address, sizeof b.address, db_get_text(r, i, db_col(r, "address")));
        copy(b.display_name, sizeof b.display_name, db_get_text(r, i, db_col(r, "display_name")));
        copy(b.reason, sizeof b.reason, db_get_text(r, i, db_col(r, "reason")));
        copy(b.by, sizeof b.by, db_get_text(r, i, db_col(r, "banned_by")));
        e = chat_rules_ban(rules, &b, b.since_ms);
    }
    return e;
}

static enum err read_words(struct chat_rules *rules, const char *text)
{
    const char *words[SIG_CHAT_WORDS_MAX];
    size_t n = 0;
    char *copy_of = strdup(text);
    char *rest = copy_of;
    if (!copy_of)
        return ERR_NOMEM;
    for (char *w; n < SIG_CHAT_WORDS_MAX && (w = strsep(&rest, "\n"));) {
        if (w[0] != '\0')
            words[n++] = w;
    }
    enum err e = chat_rules_set_words(rules, words, n);
    free(copy_of);
    return e;
}

static enum err read_settings(struct chat_rules *rules, const struct db_result *r)
{
    if (db_rows(r) == 0)
        return OK;
    rules->slow_s = (unsigned)db_get_int(r, 0, db_col(r, "slow_mode"));
    rules->links = db_get_bool(r, 0, db_col(r, "links"));
    return read_words(rules, db_get_text(r, 0, db_col(r, "words")));
}

static void tell_rules(void *ctx, enum err e, const struct db_result *r)
{
    struct waiter w = *(struct waiter *)ctx;
    struct chat_rules rules;
    free(ctx);
    chat_rules_init(&rules);
    if (e == OK) {
        const struct db_result *moderators = db_next(r);
        e = read_bans(&rules, r);
        for (size_t i = 0; i < db_rows(moderators) && e == OK; i++)
            e = chat_rules_set_moderator(&rules, db_get_text(moderators, i, 0), true);
        if (e == OK)
            e = read_settings(&rules, db_next(moderators));
    }
    w.rules(w.ctx, e, e == OK ? &rules : NULL);
    chat_rules_fini(&rules);
}

enum err chat_store_rules(struct db *db, const char *room_id, int64_t now_ms, chat_rules_fn *done,
                          void *ctx)
{
    const struct db_stmt stmts[] = {
        {
            .sql = "SELECT author_id, address, display_name, reason, banned_by, created_at, until "
                   "FROM chat_bans WHERE room_id = $1 AND (until IS NULL OR until > $2) "
                   "ORDER BY created_at DESC LIMIT $3",
            DB_PARAMS(db_text(room_id), db_int(now_ms), db_int(CHAT_BANS_MAX)),
        },
        {
            .sql = "SELECT author_id FROM chat_moderators WHERE room_id = $1 LIMIT $2",
            DB_PARAMS(db_text(room_id), db_int(CHAT_MODERATORS_MAX)),
        },
        {
            .sql = "SELECT slow_mode, links, words FROM chat_settings WHERE room_id = $1",
            DB_PARAMS(db_text(room_id)),
        },
    };
    return read_job(db, stmts, 3, tell_rules, (struct waiter){.rules = done, .ctx = ctx});
}

enum err chat_store_ban(struct db *db, const char *room_id, const struct chat_ban *ban,
                        chat_store_done_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "INSERT INTO chat_bans (room_id, author_id, address, display_name, reason, "
               "banned_by, created_at, until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
               "ON CONFLICT (room_id, author_id) DO UPDATE SET address = excluded.address, "
               "display_name = excluded.display_name, reason = excluded.reason, "
               "banned_by = excluded.banned_by, created_at = excluded.created_at, "
               "until = excluded.until",
        DB_PARAMS(db_text(room_id), db_text(ban->author_id), db_text(ban->address),
                  db_text(ban->display_name), db_text(ban->reason), db_text(ban->by),
                  db_int(ban->since_ms),
                  ban->until_ms == CHAT_FOR_GOOD ? db_null() : db_int(ban->until_ms)),
    };
    return db_do(db, &s, 1, DB_WAIT, done, ctx);
}

enum err chat_store_unban(struct db *db, const char *room_id, const char *author_id,
                          chat_store_done_fn *done, void *ctx)
{
    const struct db_stmt s = {
        .sql = "DELETE FROM chat_bans WHERE room_id = $1 AND author_id = $2",
        DB_PARAMS(db_text(room_id), db_text(author_id)),
    };
    return db_do(db, &s, 1, DB_WAIT, done, ctx);
}

enum err chat_store_set_moderator(struct db *db, const char *room_id, const char *author_id,
                                  bool is, int64_t now_ms, chat_store_done_fn *done, void *ctx)
{
    const struct db_stmt add = {
        .sql = "INSERT INTO chat_moderators (room_id, author_id, created_at) VALUES ($1, $2, $3) "
               "ON CONFLICT (room_id, author_id) DO NOTHING",
        DB_PARAMS(db_text(room_id), db_text(author_id), db_int(now_ms)),
    };
    const struct db_stmt take = {
        .sql = "DELETE FROM chat_moderators WHERE room_id = $1 AND author_id = $2",
        DB_PARAMS(db_text(room_id), db_text(author_id)),
    };
    return db_do(db, is ? &add : &take, 1, DB_WAIT, done, ctx);
}

enum err chat_store_set_settings(struct db *db, const char *room_id, const struct chat_rules *rules,
                                 chat_store_done_fn *done, void *ctx)
{
    char words[SIG_CHAT_WORDS_MAX * (CHAT_WORD_MAX + 1) + 1] = "";
    size_t n = 0;
    for (size_t i = 0; i < rules->n_words; i++)
        n += (size_t)snprintf(words + n, sizeof words - n, "%s\n", rules->words[i]);
    const struct db_stmt s = {
        .sql = "INSERT INTO chat_settings (room_id, slow_mode, links, words) "
               "VALUES ($1, $2, $3, $4) ON CONFLICT (room_id) DO UPDATE SET "
               "slow_mode = excluded.slow_mode, links = excluded.links, words = excluded.words",
        DB_PARAMS(db_text(room_id), db_int(rules->slow_s), db_bool(rules->links), db_text(words)),
    };
    return db_do(db, &s, 1, DB_WAIT, done, ctx);
}
