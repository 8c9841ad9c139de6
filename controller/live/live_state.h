/* The inside of live. Private to live*.c. */
#ifndef WEIR_CONTROLLER_LIVE_LIVE_STATE_H
#define WEIR_CONTROLLER_LIVE_LIVE_STATE_H

#include <uthash.h>
#include <uv.h>

#include "controller/hls/origin.h"
#include "controller/hls/segment_store.h"
#include "controller/live/live.h"
#include "controller/live/pipeline.h"
#include "controller/live/ports.h"

enum live_mode { LIVE_STREAM, LIVE_PEER, LIVE_COMPOSITE };

enum { LIVE_KEY_MAX = ROOM_ID_MAX + PEER_ID_MAX + 2 };

#define LIVE_COMPOSITE_NAME "composite"

/* What one address plays, or what is left of it while viewers finish it. */
struct live_stream {
    UT_hash_handle hh; /* in live->by_key */
    struct live *live; /* parent, outlives us */
    enum live_mode mode;
    bool low; /* as the room was when it began, as names */
    bool names;
    bool wanted;           /* LIVE_PEER, LIVE_COMPOSITE: somebody produces, and the room wants it */
    uint64_t away_ms;      /* since when nobody does, of the loop's clock; 0: somebody does */
    struct stream *stream; /* LIVE_STREAM: ref; NULL: it ended */
    /* Went live in the same room while this one was still ending: is next. ref */
    struct stream *next;
    struct pipeline *pipeline;         /* owned; NULL: waits for a place */
    struct presentation *presentation; /* of the pipeline; NULL: none is published */
    struct segment_store *store;       /* owned; NULL: none, MPEG-TS */
    uv_timer_t timer;                  /* the pipeline's; after its end, until the files go */
    char room_id[ROOM_ID_MAX + 1];
    char name[PEER_ID_MAX + 1]; /* of its playlist; a peer's id */
    char key[LIVE_KEY_MAX];
};

struct live {
    struct live_config config;
    struct ports *ports;             /* owned */
    struct discontinuity_mark *mark; /* owned; NULL: MPEG-TS */
    struct origin *origin;           /* owned; NULL: MPEG-TS */
    struct live_stream *by_key;      /* owned */
    unsigned n_pipelines;            /* not ended */
    unsigned open_parts;             /* timers and stores that are still to be closed */
    struct streams_observer observer;
    struct rooms_observer rooms_observer;
    uv_timer_t tick;       /* who is away too long */
    struct list observers; /* of presentations */
    struct ffmpeg *asking; /* ref; which encoders there are; NULL: not now */
    bool has_encoder;
    struct metric *by_state[PIPELINE_STATE_COUNT];
    struct metric *restarts[PIPELINE_REASON_COUNT];
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- live_env.c: what a pipeline sees of the world; ctx is its live_stream ---- */
struct pipeline_env live_env(struct live_stream *ls);
void live_track_of(struct room_producer *p, struct live_track *out);
void live_open_metrics(struct live *l);

/* ---- live_streams.c: mode stream ---- */
void live_streams_open(struct live *l);
void live_streams_close(struct live *l);
/* Unless its room does not want it. */
void live_streams_begin(struct live *l, struct stream *s);
void live_streams_changed_hls(struct live *l, struct stream *s);

/* ---- live_rooms.c: modes peers and composite ---- */
void live_rooms_open(struct live *l);
void live_rooms_close(struct live *l);
/* Begins and ends what the room wants and has. */
void live_rooms_look(struct live *l, const char *room_id);
/* What a peer or a composite is made of now. */
void live_rooms_describe(const struct live_stream *ls, struct room *room, struct live_source *out);

/* ---- live_encoder.c ---- */
/* Streams that begin after the answer use libx264 where ffmpeg has not what is configured. */
void live_check_encoder(struct live *l);

/* ---- live.c ---- */
struct live_stream *live_find(struct live *l, const char *key);
void live_key(char out[LIVE_KEY_MAX], enum live_mode mode, const char *room_id, const char *name);
/* NULL: out of memory, which is logged. */
struct live_stream *live_stream_new(struct live *l, enum live_mode mode, const char *room_id,
                                    const char *peer_id);
void live_begin_or_wait(struct live_stream *ls);
/* Its pipeline has not ended. */
bool live_runs(const struct live_stream *ls);
/* Ends what runs; one that waits goes at once. */
void live_end(struct live_stream *ls);
/* Forgets it with its files; its pipeline has ended, or never was. */
void live_drop(struct live_stream *ls);
/* The tick is closed. */
void live_part_closed(struct live *l);
/* The pipeline has ended, and is to be closed some time. */
void live_on_pipeline_ended(struct live_stream *ls);

#endif
