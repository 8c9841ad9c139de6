/* The SQL of chat: one function a statement. Does IO through controller/data.
 *
 * Every function hands in one job. OK: the callback is called exactly once, later, on the loop.
 * Anything else: it is never called; the codes are those of db_run. Strings that go in are copied;
 * what a callback gets lives until it returns. Callbacks may be NULL where nothing is read. */
#ifndef WEIR_CONTROLLER_CHAT_CHAT_STORE_H
#define WEIR_CONTROLLER_CHAT_CHAT_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "controller/chat/chat_rules.h"
#include "controller/data/db.h"
#include "proto/signaling_chat.h"

enum { CHAT_STORE_BATCH = 256 };

/* What is written behind, in order: a message, or that one was taken away. */
struct chat_change {
    const char *id;
    int64_t at_ms;          /* created, or taken away */
    const char *deleted_by; /* not NULL: taken away; the rest is not looked at */
    const char *room_id;
    const char *user_id; /* NULL: a guest */
    const char *author_id;
    const char *display_name;
    enum sig_chat_role role;
    const char *text;
    const char *reply_to;
};

typedef void chat_store_done_fn(void *ctx, enum err e);
/* The oldest first. */
typedef void chat_messages_fn(void *ctx, enum err e, const struct sig_chat_message *list, size_t n);
/* rules are NULL unless e is OK; whoever is called may take out of them what it wants. */
typedef void chat_rules_fn(void *ctx, enum err e, struct chat_rules *rules);

/* At most CHAT_STORE_BATCH, as one transaction; doing it again changes nothing. A message belongs
 * to the stream that was live in its room at its time, if one was. Waits while the database is
 * away. */
MUST_CHECK enum err chat_store_write(struct db *db, const struct chat_change *changes, size_t n,
                                     chat_store_done_fn *done, void *ctx);

/* The last ones of a room that were not taken away; older than the message `before`, unless that is
 * NULL. limit: at most SIG_CHAT_HISTORY. */
MUST_CHECK enum err chat_store_recent(struct db *db, const char *room_id, const char *before,
                                      unsigned limit, chat_messages_fn *done, void *ctx);
/* Of a stream, the newest offset ones left out; the oldest first. */
MUST_CHECK enum err chat_store_of_stream(struct db *db, const char *stream_id, int64_t limit,
                                         int64_t offset, chat_messages_fn *done, void *ctx);

/* Bans that hold at now, moderators, settings. */
MUST_CHECK enum err chat_store_rules(struct db *db, const char *room_id, int64_t now_ms,
                                     chat_rules_fn *done, void *ctx);
/* These wait while the database is away. */
MUST_CHECK enum err chat_store_ban(struct db *db, const char *room_id, const struct chat_ban *ban,
                                   chat_store_done_fn *done, void *ctx);
MUST_CHECK enum err chat_store_unban(struct db *db, const char *room_id, const char *author_id,
                                     chat_store_done_fn *done, void *ctx);
MUST_CHECK enum err chat_store_set_moderator(struct db *db, const char *room_id,
                                             const char *author_id, bool is, int64_t now_ms,
                                             chat_store_done_fn *done, void *ctx);
MUST_CHECK enum err chat_store_set_settings(struct db *db, const char *room_id,
                                            const struct chat_rules *rules,
                                            chat_store_done_fn *done, void *ctx);

#endif
