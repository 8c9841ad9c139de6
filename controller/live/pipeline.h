/* The HLS pipeline of one stream, as a state machine that keeps DESIGN's order:
 *
 *   clean up the old run → reserve ports → transports → consumers, paused → SDP → ffmpeg, until its
 *   ports are bound → resume video, and ask for a key frame until it came, then sound → first
 *   segment: active
 *
 * Each pass through it is a run; nothing of a new run begins before the old one is gone, and
 * changes that come meanwhile become one more run. Between runs the playlist goes on, over a
 * discontinuity. The world outside comes through struct pipeline_env; file IO through hls_folder.
 */
#ifndef WEIR_CONTROLLER_LIVE_PIPELINE_H
#define WEIR_CONTROLLER_LIVE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/rng.h"
#include "controller/fleet/fleet.h"
#include "controller/hls/presentation.h"
#include "controller/live/discontinuity_mark.h"
#include "controller/live/ffmpeg.h"
#include "controller/live/pipeline_command.h"
#include "controller/live/plan.h"
#include "controller/live/ports.h"
#include "controller/live/rtp_relay.h"

struct pipeline;

/* id, name in metrics and logs */
#define PIPELINE_STATES(X)                                                                         \
    X(PIPELINE_IDLE, "idle")             /* nothing to show: no producers, or no router */         \
    X(PIPELINE_WAITING, "waiting")       /* a run begins soon */                                   \
    X(PIPELINE_CLEANING, "cleaning")     /* the run's ffmpeg is ending */                          \
    X(PIPELINE_TRANSPORTS, "transports") /* the worker makes and connects them */                  \
    X(PIPELINE_CONSUMERS, "consumers")   /* the worker makes them, paused */                       \
    X(PIPELINE_LAUNCHING, "launching")   /* ffmpeg runs, its ports are not bound yet */            \
    X(PIPELINE_PRIMING, "priming")       /* media flows, no segment yet */                         \
    X(PIPELINE_ACTIVE, "active")         /* segments come */                                       \
    X(PIPELINE_ENDED, "ended")           /* the playlist is closed */

enum pipeline_state {
#define X(id, name) id,
    PIPELINE_STATES(X)
#undef X
        PIPELINE_STATE_COUNT
};
const char *pipeline_state_name(enum pipeline_state s);

/* Why a run ended before its stream did. */
#define PIPELINE_REASONS(X)                                                                        \
    X(PIPELINE_CHANGED, "changed")         /* other producers, or one paused or resumed */         \
    X(PIPELINE_WORKER_LOST, "worker_lost") /* the router is gone */                                \
    X(PIPELINE_REFUSED, "refused")         /* the worker answered with an error, or not at all */  \
    X(PIPELINE_NO_PORTS, "no_ports")       /* every port pair is in use */                         \
    X(PIPELINE_NO_FFMPEG, "no_ffmpeg")     /* it could not be run */                               \
    X(PIPELINE_EXITED, "exited")           /* ffmpeg ended by itself, or was killed */             \
    X(PIPELINE_STALLED, "stalled")         /* no segments for too long */

enum pipeline_reason {
#define X(id, name) id,
    PIPELINE_REASONS(X)
#undef X
        PIPELINE_REASON_COUNT
};
const char *pipeline_reason_name(enum pipeline_reason r);

#define PIPELINE_NO_TIMER UINT64_MAX

/* The world outside. request, forget, listen, unlisten are those of controller/fleet; launch and
 * stop those of ffmpeg.h. None of them calls back from inside. */
struct pipeline_env {
    void *ctx; /* borrowed */
    uint64_t (*now_ms)(void *ctx);
    usec (*wall)(void *ctx);
    /* pipeline_on_timer in delay_ms, in place of what was asked before. */
    void (*arm)(void *ctx, uint64_t delay_ms);
    enum err (*request)(void *ctx, struct fleet_worker *w, enum pipe_method m,
                        const char *handler_id, const void *data, fleet_reply_fn *reply,
                        void *reply_ctx);
    /* fleet_worker_add_load. */
    void (*load)(void *ctx, struct fleet_worker *w, int delta);
    void (*forget)(void *ctx, struct fleet_worker *w, const void *reply_ctx);
    void (*listen)(void *ctx, struct fleet_listener *l, struct fleet_worker *w,
                   const char *handler_id, fleet_event_fn *on_event, void *event_ctx);
    void (*unlisten)(void *ctx, struct fleet_listener *l);
    enum err (*launch)(void *ctx, const struct ffmpeg_config *config, struct ffmpeg **out,
                       char *why);
    void (*stop)(void *ctx, struct ffmpeg *f, unsigned grace_ms);
    /* Those of rtp_relay.h; config without its loop. */
    enum err (*relay)(void *ctx, const struct rtp_relay_config *config, struct rtp_relay **out);
    uint16_t (*relay_port)(const struct rtp_relay *r);
    void (*relay_start)(struct rtp_relay *r);
    void (*relay_close)(struct rtp_relay *r);
    /* ffmpeg_held. */
    bool (*held)(void *ctx, const struct ffmpeg *f);
    /* Whether bytes wait in UDP sockets that are bound to these ports: who should read them does
     * not. */
    bool (*backlog)(void *ctx, const uint16_t *ports, size_t n);
    /* What the stream produces now. */
    void (*describe)(void *ctx, struct live_source *out);
    /* A presentation begins (fragmented MP4 only): to be served and stored, until it is withdrawn
     * and closed. */
    enum err (*publish)(void *ctx, struct presentation *p);
    void (*withdraw)(void *ctx, struct presentation *p);
    /* The playlist has its first segment. */
    void (*on_playable)(void *ctx);
    void (*on_state)(void *ctx, enum pipeline_state from, enum pipeline_state to);
    void (*on_restart)(void *ctx, enum pipeline_reason reason);
    /* After pipeline_end: nothing runs any more; pipeline_close may be called in it. */
    void (*on_ended)(void *ctx);
};

struct pipeline_config {
    struct pipeline_env env;
    usec part; /* of fragmented MP4, as window and memory: see presentation_config */
    usec window;
    usec memory;
    struct ports *ports;             /* ref */
    struct discontinuity_mark *mark; /* ref; NULL: MPEG-TS */
    struct rng *rng;                 /* ref */
    const char *room_id;             /* copied */
    const char *name;        /* of the presentation; its tracks' names begin with it. NULL: a
                                stream's, whose tracks are v0, v1, ... and a0. Borrowed, outlives us */
    const char *root;        /* folder of all streams' folders; copied */
    const char *ffmpeg_path; /* borrowed, outlives us, as is the preset */
    struct encoding encoding;
    unsigned list_size;
};

/* Makes the folder. ERR_IO: that failed. Begins with pipeline_changed. */
MUST_CHECK enum err pipeline_open(const struct pipeline_config *config, struct pipeline **out);
/* Only when nothing runs: before the first pipeline_changed, or once ended. remove: the files go
 * too. */
void pipeline_close(struct pipeline *p, bool remove);

/* Producers came, went, were paused or resumed, or the router is another one: looks for itself. */
void pipeline_changed(struct pipeline *p);
/* The worker and all that was in it are gone. */
void pipeline_router_lost(struct pipeline *p);
/* The stream is over: the last segment is finished and the playlist closed; then on_ended, perhaps
 * from inside. */
void pipeline_end(struct pipeline *p);
void pipeline_on_timer(struct pipeline *p);

enum pipeline_state pipeline_state(const struct pipeline *p);
/* How many runs there have been. */
unsigned pipeline_runs(const struct pipeline *p);
/* NULL while none runs. */
const struct ffmpeg *pipeline_ffmpeg(const struct pipeline *p);
/* How long its segments stay on disk after the end, so that viewers can finish: milliseconds. */
uint64_t pipeline_linger_ms(const struct pipeline *p);

#endif
