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

/* A stream, or what is left of one while viewers finish it. One a room. */
struct live_stream {
    UT_hash_handle hh;     /* in live->by_room */
    struct live *live;     /* parent, outlives us */
    struct stream *stream; /* ref; NULL: it ended */
    /* Went live in the same room while this one was still ending: is next. ref */
    struct stream *next;
    struct pipeline *pipeline;         /* owned; NULL: waits for a place */
    struct presentation *presentation; /* of the pipeline; NULL: none is published */
    struct segment_store *store;       /* owned; NULL: none, MPEG-TS */
    uv_timer_t timer;                  /* the pipeline's; after its end, until the files go */
    char room_id[ROOM_ID_MAX + 1];
};

struct live {
    struct live_config config;
    struct ports *ports;         /* owned */
    struct origin *origin;       /* owned; NULL: MPEG-TS */
    struct live_stream *by_room; /* owned */
    unsigned n_pipelines;        /* not ended */
    unsigned open_parts;         /* timers and stores that are still to be closed */
    struct streams_observer observer;
    struct list observers; /* of presentations */
    struct metric *by_state[PIPELINE_STATE_COUNT];
    struct metric *restarts[PIPELINE_REASON_COUNT];
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- live_env.c: what a pipeline sees of the world; ctx is its live_stream ---- */
struct pipeline_env live_env(struct live_stream *ls);
void live_open_metrics(struct live *l);

/* ---- live.c ---- */
/* The pipeline has ended, and is to be closed some time. */
void live_on_pipeline_ended(struct live_stream *ls);

#endif
