/* Chat of rooms: `stream-<roomId>`. Whoever is in a room gets the last hundred messages on joining,
 * and what is written from then on; moderators delete, time out, ban. Messages are kept in the
 * process, in the database behind that, and with Redis in a list that several controllers share.
 * Without database or Redis it goes on. Single thread, the controller's loop. */
#ifndef WEIR_CONTROLLER_CHAT_CHAT_H
#define WEIR_CONTROLLER_CHAT_CHAT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "controller/data/db.h"
#include "controller/data/redis.h"
#include "controller/room/rooms.h"
#include "controller/stream/streams.h"

struct chat;

/* Who writes. */
struct chat_identity {
    char author_id[SIG_CHAT_ID_MAX + 1]; /* public; stays when they come back */
    char user_id[37];                    /* of users; "": a guest */
    char display_name[DISPLAY_NAME_MAX + 1];
    enum sig_chat_role role; /* moderators of a room are known to chat itself */
};

/* Says who a peer is. Chat asks when a peer enters, and again after chat_identity_changed. */
typedef void chat_identify_fn(void *ctx, const struct room_peer *peer, struct chat_identity *out);

struct chat_config {
    struct uv_loop_s *loop;
    struct rooms *rooms;
    struct db *db;
    struct redis *redis;      /* NULL: none */
    const char *redis_prefix; /* of its keys and channels */
    struct metrics *metrics;  /* NULL: none */
    struct rng *rng;
    struct api *api;            /* gets /api/livestream/:streamId/chat; NULL: none */
    struct streams *streams;    /* outlive it; NULL: without api only */
    chat_identify_fn *identify; /* NULL: chat_identify_peer */
    void *identify_ctx;
    unsigned message_max; /* characters, at most SIG_CHAT_MAX */
    unsigned per_minute;  /* messages of one author, on average */
    unsigned burst;       /* and at once */
    bool ban_addresses;   /* a ban of a guest holds for its address */
};

MUST_CHECK enum err chat_open(const struct chat_config *config, struct chat **out);
/* Before the rooms are closed. */
void chat_close(struct chat *c, void (*closed)(void *ctx), void *ctx);

/* The account that a peer joined with, else a guest. ctx: NULL, or the streams, whose owners are
 * broadcasters wherever they join. */
void chat_identify_peer(void *ctx, const struct room_peer *peer, struct chat_identity *out);
/* A guest: its id comes from its resume token, so it is the same when it comes back, here or at
 * another controller, and nobody else's. The room's broadcaster is the peer in that role. */
void chat_identify_guest(void *ctx, const struct room_peer *peer, struct chat_identity *out);
/* The peer logged in or out. */
void chat_identity_changed(struct chat *c, struct room_peer *peer);

#endif
