/* Live streams: what a broadcaster's producers in a room are to the world. A stream begins with the
 * first producer of a broadcaster, survives blips of its connection, and ends when the broadcaster
 * leaves or stays away; the database has its row with the live flag. Observes rooms; single thread,
 * the controller's loop. */
#ifndef WEIR_CONTROLLER_STREAM_STREAMS_H
#define WEIR_CONTROLLER_STREAM_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/list.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "common/time.h"
#include "controller/data/db.h"
#include "controller/api/api.h"
#include "controller/room/rooms.h"

struct streams;
struct stream;

struct streams_config {
    struct uv_loop_s *loop;
    struct rooms *rooms;
    struct db *db;
    struct api *api;         /* gets /producers and /api/livestream/... */
    struct metrics *metrics; /* NULL: none */
    struct rng *rng;
    usec reconnect; /* how long a broadcaster may be away before its stream ends */
};

MUST_CHECK enum err streams_open(const struct streams_config *config, struct streams **out);
/* Ends all streams (their rows are written by the database in its own time). closed is called
 * later, once. */
void streams_close(struct streams *s, void (*closed)(void *ctx), void *ctx);

const char *stream_id(const struct stream *s);
/* The room whose broadcaster it is; NULL once the room is closed. */
struct room *stream_room(const struct stream *s);
const char *stream_room_id(const struct stream *s);
const char *stream_title(const struct stream *s);
/* Of the account that created it; NULL: nobody's. */
const char *stream_user_id(const struct stream *s);
/* Its owner wants it to be recorded. */
bool stream_recording_enabled(const struct stream *s);
int64_t stream_started_ms(const struct stream *s); /* since 1970 */
unsigned stream_viewers(const struct stream *s);
unsigned stream_viewers_peak(const struct stream *s);
/* By its room or its own id, on the air or started and without media; NULL: none. */
struct stream *streams_find(struct streams *s, const char *id);
/* NULL when the room has none that is live. */
struct stream *streams_of_room(struct streams *s, const char *room_id);
/* Whether the stream's broadcaster is away for the moment. */
bool stream_is_interrupted(const struct stream *s);
/* Its HLS playlist plays (url, a path), or is not there (NULL). Tells the room when it becomes
 * ready. */
void stream_set_hls(struct stream *s, const char *url);

/* In its owner's memory; NULL members are not called. */
struct streams_observer {
    void (*on_live)(void *ctx, struct stream *s);
    /* Its producers changed: came, went, back after an interruption; or the router is another one.
     */
    void (*on_changed)(void *ctx, struct stream *s);
    /* Its router and all that was in it is gone; on_changed comes when there is a new one with
     * producers. */
    void (*on_router_lost)(void *ctx, struct stream *s);
    void (*on_ended)(void *ctx, struct stream *s);   /* s is valid in the call */
    void (*on_viewers)(void *ctx, struct stream *s); /* their number changed; at most twice a s */
    void *ctx;                                       /* borrowed */
    struct list node;
};

void streams_observe(struct streams *s, struct streams_observer *o);
void streams_unobserve(struct streams_observer *o);

/* The room that a stream key lets broadcast in (joinRoom with streamKey); NULL unless e is OK.
 * ERR_NOT_FOUND: no stream that has not ended has the key. OK: done is called once, later. */
typedef void streams_key_fn(void *ctx, enum err e, const char *room_id);
MUST_CHECK enum err streams_find_by_key(struct streams *s, const char *key, streams_key_fn *done,
                                        void *ctx);

/* The broadcaster's producer of a kind, the newest; NULL when there is none. */
struct room_producer *stream_producer(const struct stream *s, enum media_kind kind);

#endif
