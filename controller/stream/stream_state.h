/* Streams from inside. Private to stream/. */
#ifndef WEIR_CONTROLLER_STREAM_STREAM_STATE_H
#define WEIR_CONTROLLER_STREAM_STREAM_STATE_H

#include <uthash.h>
#include <uv.h>

#include "controller/stream/stream_store.h"
#include "controller/stream/streams.h"

enum { STREAM_ID_LEN = 37, STREAM_KEY_LEN = 33, STREAM_URL_MAX = 2048, DESCRIPTION_MAX = 4000 };

/* One who watches: a viewer's peer, or who joined over HTTP. */
struct viewer {
    UT_hash_handle hh_peer;      /* in stream->viewers_by_peer */
    UT_hash_handle hh_id;        /* in stream->viewers_by_id */
    const void *peer;            /* a key only; NULL: over HTTP */
    char id[STREAM_ID_LEN];      /* of its row */
    char user_id[STREAM_ID_LEN]; /* "": anonymous */
};

/* On the air: in streams->by_room, with a room and producers. Announced: in streams->announced,
 * known from its row, and waits for its broadcaster. */
struct stream {
    UT_hash_handle hh;
    struct streams *streams; /* parent, outlives us */
    struct room *room;       /* ref; NULL once it is closed, or before it is on the air */
    char id[STREAM_ID_LEN];
    char room_id[ROOM_ID_MAX + 1];
    char user_id[STREAM_ID_LEN]; /* "": nobody's account */
    char key[STREAM_KEY_LEN];    /* "": it has none that anybody knows */
    char title[STREAM_TITLE_MAX * 4 + 1];
    char *description;     /* owned; NULL: none */
    char resume_token[65]; /* of who broadcasts, or did last; "": nobody yet */
    char hls_url[256];     /* "" until it plays */
    bool recording_enabled;
    bool started;         /* its row is live */
    int64_t scheduled_ms; /* since 1970, as all; 0: not said */
    int64_t created_ms;
    int64_t started_ms;
    uint64_t away_since_ms; /* of the loop's clock; 0: the broadcaster is there */
    unsigned viewer_limit;  /* 0: none */
    unsigned viewers;
    unsigned viewers_peak;
    bool viewers_changed; /* since the room was told */
    struct viewer *viewers_by_peer;
    struct viewer *viewers_by_id; /* over HTTP */
};

struct streams {
    struct streams_config config;
    struct stream *by_room;   /* owned */
    struct stream *announced; /* owned, by room */
    struct list observers;
    struct rooms_observer rooms_observer;
    uv_timer_t tick;
    struct metric *live;
    struct metric *started;
    struct metric *viewers_dropped;
    unsigned pending; /* answers of the database that are to come */
    bool closing;
    bool tick_closed;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* Whoever waits for the database holds, and releases last. */
void streams_hold(struct streams *s);
void streams_release(struct streams *s);

/* ---- streams.c ---- */
/* recording_url NULL: none is known. Frees it. */
void stream_end(struct stream *s, const char *reason, const char *recording_url);
void stream_free(struct stream *s);
/* rng's letters and digits. */
void stream_new_key(struct streams *s, char out[STREAM_KEY_LEN]);
/* Its row is live from now on; media may come later. */
void stream_mark_started(struct stream *s, int64_t now_ms);

/* ---- stream_announced.c ---- */
/* The announced stream of the row, new or as it was; NULL: out of memory. */
struct stream *stream_announce(struct streams *s, const struct stream_row *row);
void stream_take_row(struct stream *s, const struct stream_row *row);
/* Forgets those that nobody waits for any more, ends those that were started and got no media. */
void streams_tick_announced(struct streams *s);
void streams_gate(void *self, const struct rooms_join *join, rooms_verdict_fn *done, void *ctx);

/* ---- stream_viewers.c ---- */
void stream_viewer_joined(struct stream *s, const struct room_peer *peer);
void stream_viewer_left(struct stream *s, const struct room_peer *peer);
void stream_viewers_free(struct stream *s);
/* Those who were in the room before it was on the air. */
void stream_viewers_begin(struct stream *s);
void stream_viewers_count(struct stream *s);
bool stream_is_full(const struct stream *s);
enum { HTTP_VIEWERS_MAX = 10000 };
/* out: its id; of one who joined before, the same. ERR_BUSY: there are as many as may be. */
MUST_CHECK enum err stream_http_join(struct stream *s, const struct api_user *user,
                                     const char *viewer_id, char out[STREAM_ID_LEN]);
/* By the id or the user, each may be NULL; NULL: none. */
struct viewer *stream_http_viewer(struct stream *s, const struct api_user *user,
                                  const char *viewer_id);
void stream_http_leave(struct stream *s, struct viewer *v);

/* ---- routes ---- */
MUST_CHECK enum err streams_add_routes(struct streams *s);
extern const struct api_route stream_watch_routes[];
extern const size_t stream_watch_routes_count;
extern const struct api_route stream_manage_routes[];
extern const size_t stream_manage_routes_count;

#endif
