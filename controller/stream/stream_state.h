/* Streams from inside. Private to stream/. */
#ifndef WEIR_CONTROLLER_STREAM_STREAM_STATE_H
#define WEIR_CONTROLLER_STREAM_STREAM_STATE_H

#include <uthash.h>
#include <uv.h>

#include "controller/stream/streams.h"

struct stream {
    UT_hash_handle hh;       /* in streams->by_room */
    struct streams *streams; /* parent, outlives us */
    struct room *room;       /* ref; NULL once it is closed */
    char id[37];
    char room_id[ROOM_ID_MAX + 1];
    char title[STREAM_TITLE_MAX * 4 + 1];
    char hls_url[256];      /* "" until it plays */
    int64_t started_ms;     /* since 1970 */
    uint64_t away_since_ms; /* of the loop's clock; 0: the broadcaster is there */
    unsigned viewers;
    unsigned viewers_peak;
    bool viewers_changed; /* since the room was told */
};

struct streams {
    struct streams_config config;
    struct stream *by_room; /* owned */
    struct list observers;
    struct rooms_observer rooms_observer;
    uv_timer_t tick;
    struct metric *live;
    struct metric *started;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* stream_routes.c */
MUST_CHECK enum err streams_add_routes(struct streams *s);

#endif
