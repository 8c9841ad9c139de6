/* One chat message, and the last ones of a room in their order. No IO. */
#ifndef WEIR_CONTROLLER_CHAT_CHAT_HISTORY_H
#define WEIR_CONTROLLER_CHAT_CHAT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/rng.h"
#include "proto/signaling_chat.h"

enum { CHAT_ID_LEN = 37 };

struct chat_message {
    char id[CHAT_ID_LEN];
    char author_id[SIG_CHAT_ID_MAX + 1];
    enum sig_chat_role role;
    bool guest;
    bool mine;      /* written at this controller, whose log has it */
    uint64_t stamp; /* of the room: the order of arrival */
    int64_t created_at;
    const char *display_name; /* these three are in the same piece of memory */
    const char *text;
    const char *reply_to; /* NULL: it answers nothing */
    const char *json;     /* sig_chat_message, as clients get it */
    size_t json_n;
};

/* A copy on the heap with its JSON; free() it. NULL: out of memory. */
struct chat_message *chat_message_new(const struct sig_chat_message *m);
/* From its JSON, as another controller wrote it. ERR_MALFORMED, ERR_TYPE, ERR_RANGE, ERR_NOMEM. */
MUST_CHECK enum err chat_message_parse(const char *json, size_t n, struct chat_message **out);

/* A UUID of version 7 (RFC 9562 5.7): milliseconds, then a counter that starts at random, so that
 * ids of one process grow with each call, also within a millisecond and when the clock is set back.
 */
struct chat_ids {
    int64_t last_ms;
    uint16_t counter; /* 12 bits */
};
void chat_id_make(struct chat_ids *ids, struct rng *rng, int64_t now_ms, char out[CHAT_ID_LEN]);

/* The last SIG_CHAT_HISTORY messages, the oldest first; owns them. */
struct chat_history {
    struct chat_message *at[SIG_CHAT_HISTORY];
    size_t n;
};

void chat_history_fini(struct chat_history *h);
/* Takes m over. False: a message of this id is there already (m is freed). */
bool chat_history_add(struct chat_history *h, struct chat_message *m);
/* As add, but to where its id belongs: for what comes late. False also when it is older than a full
 * history. */
bool chat_history_insert(struct chat_history *h, struct chat_message *m);
const struct chat_message *chat_history_find(const struct chat_history *h, const char *id);
bool chat_history_remove(struct chat_history *h, const char *id);
/* Takes a list of owned messages over, in its order, in place of what was. True: other messages, or
 * another order, than before. */
bool chat_history_replace(struct chat_history *h, struct chat_message **list, size_t n);

#endif
