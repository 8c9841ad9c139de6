/* Chat from inside. Private to chat/.
 *
 *     chat ─ room, as long as the room of controller/room is ─ member, one a client in it
 *          └ log (what is written to the database)
 */
#ifndef WEIR_CONTROLLER_CHAT_CHAT_STATE_H
#define WEIR_CONTROLLER_CHAT_CHAT_STATE_H

#include <uthash.h>
#include <uv.h>

#include "controller/chat/chat.h"
#include "controller/chat/chat_bus.h"
#include "controller/chat/chat_history.h"
#include "controller/chat/chat_log.h"
#include "controller/chat/chat_pace.h"
#include "controller/chat/chat_rules.h"

enum { CHAT_GONE_MAX = SIG_CHAT_HISTORY };

struct chat_member {
    UT_hash_handle hh;      /* in chat->members, by peer */
    struct list node;       /* in room->members */
    struct room_peer *peer; /* ref */
    struct chat_room *room; /* parent, outlives us */
    struct chat_identity who;
    char address[CHAT_ADDRESS_LEN]; /* hashed; "": not held against anybody */
};

struct chat_room {
    UT_hash_handle hh; /* in chat->rooms */
    struct chat *chat; /* parent, outlives us */
    struct room *room; /* ref */
    char id[ROOM_ID_MAX + 1];
    struct list members;
    struct chat_history history;
    struct chat_rules rules;
    struct chat_pace pace;
    struct blob *history_bytes; /* ref; the event for who joins; NULL: to be made */
    unsigned loads;             /* answers of the stores that are waited for */
    bool greeting;              /* members that came meanwhile get their history then */
    uint64_t stamp;             /* of the newest message */
    struct chat_bus_room {
        bool subscribed;
        bool before;    /* it was subscribed once: the stores may know more than we */
        bool waiting;   /* one of loads is the bus's */
        uint64_t stamp; /* room->stamp when the list was asked for */
        char gone[CHAT_GONE_MAX][CHAT_ID_LEN]; /* taken away, not told on the bus; a ring */
        unsigned n_gone;
    } bus;
};

struct chat {
    struct chat_config config;
    struct chat_room *rooms; /* owned */
    struct chat_member *members;
    struct chat_log *log; /* owned */
    struct chat_bus *bus; /* owned; NULL: there is no Redis */
    struct chat_ids ids;
    struct list loading;       /* see chat_load.c */
    struct list history_waits; /* see chat_methods.c */
    struct list http_waits;    /* see chat_routes.c */
    struct rooms_observer observer;
    uv_timer_t tick;
    unsigned ticks;
    struct metric *messages;
    struct metric *refused;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- chat_routes.c ---- */
MUST_CHECK enum err chat_add_routes(struct chat *c);
/* What waits for the database is answered. */
void chat_http_forget(struct chat *c);

/* chat.c */
void chat_identify_user(const struct api_user *user, bool owner, struct chat_identity *out);
struct chat_member *chat_member_of(struct chat *c, const struct room_peer *peer);
struct chat_room *chat_room_find(struct chat *c, const char *id);
int64_t chat_now_ms(void);
/* As the room sees it: its moderators are. */
enum sig_chat_role chat_role_of(const struct chat_room *r, const struct chat_identity *who);

/* ---- chat_room.c ---- */
MUST_CHECK enum err chat_room_open(struct chat *c, struct room *room, struct chat_room **out);
void chat_room_close(struct chat_room *r);
/* To a member: who it is, and what was said. */
void chat_room_greet(struct chat_room *r, struct chat_member *m);
void chat_member_tell(struct chat_member *m);

/* A message of a client of ours: to all, and into the stores. Takes m over. */
void chat_room_say(struct chat_room *r, struct chat_message *m, const char *user_id);
/* To the clients here, unless they have it; takes m over. */
void chat_room_deliver(struct chat_room *r, struct chat_message *m);
/* by: authorId of who takes them away. */
void chat_room_delete(struct chat_room *r, const char *const *ids, size_t n, const char *by);
/* Also those of the author's messages that are in the history go. */
MUST_CHECK enum err chat_room_ban(struct chat_room *r, const struct chat_ban *ban);
void chat_room_unban(struct chat_room *r, const char *author_id);
MUST_CHECK enum err chat_room_set_moderator(struct chat_room *r, const char *author_id, bool is);
/* r->rules' settings were changed. */
void chat_room_settings_changed(struct chat_room *r);

/* The same without the stores: another controller has done that. completed: the address of a guest
 * who is here was put to the ban. */
void chat_room_take_away(struct chat_room *r, const char *const *ids, size_t n);
MUST_CHECK enum err chat_room_hold_ban(struct chat_room *r, const struct chat_ban *ban,
                                       bool *completed);
void chat_room_lift_ban(struct chat_room *r, const char *author_id);
MUST_CHECK enum err chat_room_hold_moderator(struct chat_room *r, const char *author_id, bool is);
void chat_room_tell_settings(struct chat_room *r);

/* The list that all controllers share, in place of the history; takes the messages over. What came
 * after `stamp` stays. */
void chat_room_replace(struct chat_room *r, struct chat_message **list, size_t n, uint64_t stamp);

/* ---- chat_load.c ---- */
void chat_load_messages(struct chat_room *r);
void chat_load_rules(struct chat_room *r);
/* chat is closed: answers that still come go nowhere. */
void chat_loads_forget(struct chat *c);
/* Back in chat_room.c: a store has answered; changed: the history. */
void chat_room_loaded(struct chat_room *r, bool changed);
void chat_room_rules_loaded(struct chat_room *r);

/* ---- chat_methods.c ---- */
enum { CHAT_REFUSAL_MAX = 256 };
/* By the rules, or a reason why not. m needs no peer. */
MUST_CHECK enum err chat_say(struct chat_member *m, const char *text, const char *reply_to,
                             char id[CHAT_ID_LEN], char reason[CHAT_REFUSAL_MAX]);
void chat_add_methods(struct chat *c);
void chat_remove_methods(struct chat *c);

#endif
