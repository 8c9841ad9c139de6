/* Every message into the database, behind: chat does not wait for it. Bounded; batches, one at a
 * time, in order. While the database is away they wait; beyond the bound the oldest are given up
 * and counted. Owned by chat.c; IO through controller/data. */
#ifndef WEIR_CONTROLLER_CHAT_CHAT_LOG_H
#define WEIR_CONTROLLER_CHAT_CHAT_LOG_H

#include "common/err.h"
#include "common/metrics.h"
#include "controller/chat/chat_history.h"
#include "controller/data/db.h"

struct chat_log;
struct uv_loop_s;

enum {
    CHAT_LOG_DEFAULT_MAX = 50000, /* changes: at 500 bytes a message 25 MB */
    CHAT_LOG_FLUSH_MS = 100       /* a message waits at most so long for others to go with */
};

struct chat_log_config {
    struct uv_loop_s *loop;
    struct db *db;
    struct metrics *metrics; /* NULL: none */
    unsigned max;            /* changes that wait; 0: CHAT_LOG_DEFAULT_MAX */
};

MUST_CHECK enum err chat_log_open(const struct chat_log_config *config, struct chat_log **out);
/* What waits is handed to the database, which may have it done before it closes itself. */
void chat_log_close(struct chat_log *log, void (*closed)(void *ctx), void *ctx);

/* user_id NULL: a guest. Copies. */
void chat_log_message(struct chat_log *log, const char *room_id, const char *user_id,
                      const struct chat_message *m);
void chat_log_deleted(struct chat_log *log, const char *message_id, const char *by, int64_t now_ms);
/* Changes that are not in the database yet. */
unsigned chat_log_waiting(const struct chat_log *log);

#endif
