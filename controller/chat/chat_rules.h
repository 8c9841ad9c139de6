/* What holds in one chat room: bans and time-outs with their ends, moderators, slow mode, links,
 * words. Pure; time is an argument, milliseconds since 1970 UTC; no IO. */
#ifndef WEIR_CONTROLLER_CHAT_CHAT_RULES_H
#define WEIR_CONTROLLER_CHAT_CHAT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "common/err.h"
#include "proto/signaling_chat.h"

enum {
    CHAT_BANS_MAX = 10000, /* of one room; beyond, what ends first is forgotten */
    CHAT_MODERATORS_MAX = 1000,
    CHAT_WORD_MAX = 64, /* bytes */
    CHAT_ADDRESS_LEN = 33,
    CHAT_REASON_MAX = 200
};

#define CHAT_FOR_GOOD INT64_MAX

struct chat_ban {
    UT_hash_handle hh; /* in rules->bans, by author_id */
    char author_id[SIG_CHAT_ID_MAX + 1];
    char address[CHAT_ADDRESS_LEN]; /* of a guest, as chat_address_hash; "": not held against it */
    char display_name[SIG_CHAT_NAME_MAX + 1];
    char reason[CHAT_REASON_MAX + 1];
    char by[SIG_CHAT_ID_MAX + 1]; /* authorId of the moderator */
    int64_t since_ms;
    int64_t until_ms; /* CHAT_FOR_GOOD: no end */
};

struct chat_moderator {
    UT_hash_handle hh;
    char author_id[SIG_CHAT_ID_MAX + 1];
};

struct chat_rules {
    struct chat_ban *bans;             /* owned */
    struct chat_moderator *moderators; /* owned */
    unsigned slow_s;
    bool links;
    char **words; /* owned, each too; lower case does not matter */
    size_t n_words;
};

void chat_rules_init(struct chat_rules *r);
void chat_rules_fini(struct chat_rules *r);

/* Copied; in place of an earlier one of the same author. */
MUST_CHECK enum err chat_rules_ban(struct chat_rules *r, const struct chat_ban *ban,
                                   int64_t now_ms);
/* False: there was none. */
bool chat_rules_unban(struct chat_rules *r, const char *author_id);
/* The ban that holds for an author, or for a guest at this address ("": none is known); NULL: may
 * write. Forgets those that ended. */
const struct chat_ban *chat_rules_banned(struct chat_rules *r, const char *author_id,
                                         const char *address, int64_t now_ms);
void chat_rules_expire(struct chat_rules *r, int64_t now_ms);

/* ERR_FULL, ERR_NOMEM. */
MUST_CHECK enum err chat_rules_set_moderator(struct chat_rules *r, const char *author_id, bool is);
bool chat_rules_is_moderator(const struct chat_rules *r, const char *author_id);

/* Copies. ERR_RANGE: a word is empty or longer than CHAT_WORD_MAX. */
MUST_CHECK enum err chat_rules_set_words(struct chat_rules *r, const char *const *words, size_t n);

#endif
