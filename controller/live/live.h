/* HLS for what is live: a pipeline for each stream, its playlist at /live/<roomId>/index.m3u8; and,
 * where a room wants it, one for each peer, at /live/<roomId>/<peerId>.m3u8, and one for all of
 * them on one canvas, at /live/<roomId>/composite.m3u8. Observes streams and rooms; owns pipelines,
 * their ports and their folder. Single thread, the controller's loop. */
#ifndef WEIR_CONTROLLER_LIVE_LIVE_H
#define WEIR_CONTROLLER_LIVE_LIVE_H

#include <stdint.h>

#include "common/err.h"
#include "common/list.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "common/time.h"
#include "controller/net/http.h"
#include "controller/live/pipeline_command.h"
#include "controller/stream/streams.h"

struct uv_loop_s;
struct live;
struct presentation;

/* Strings are borrowed and outlive it. */
struct live_config {
    struct uv_loop_s *loop;
    struct rooms *rooms;
    struct streams *streams;
    struct http_server *http; /* gets the mount /live/ */
    struct metrics *metrics;  /* NULL: none */
    struct rng *rng;
    const char *dir;    /* hls.dir; HLS files of an earlier life are deleted */
    const char *ffmpeg; /* the program */
    bool cmaf;          /* fragmented MP4; else MPEG-TS */
    usec segment;
    usec part;                               /* of fragmented MP4 */
    usec window;                             /* of fragmented MP4: what may be rewound */
    unsigned list_size;                      /* of MPEG-TS */
    const char *encoder;                     /* of ffmpeg, for video */
    const char *preset;                      /* x264's */
    struct rendition ladder[RENDITIONS_MAX]; /* of streams; highest first */
    size_t n_ladder;                         /* 0: one size, of video_bps */
    int64_t video_bps;
    int64_t audio_bps;
    uint16_t port_min;
    uint16_t port_max;
    unsigned pipelines_max; /* further streams wait until one ends */
};

/* ERR_RANGE: no pair of ports fits into port_min..port_max. */
MUST_CHECK enum err live_open(const struct live_config *config, struct live **out);
/* To be closed before streams. Ends every pipeline and deletes its files; closed is called once,
 * at once when there is none. */
void live_close(struct live *l, void (*closed)(void *ctx), void *ctx);

/* What plays the stream itself (mode stream, fragmented MP4): begins, and ends for good. In its
 * owner's memory; both are called from the loop's turns, before viewers get anything. */
struct live_observer {
    void (*on_presentation)(void *ctx, struct stream *s, struct presentation *p);
    void (*on_withdrawn)(void *ctx, struct presentation *p);
    void *ctx; /* borrowed */
    struct list node;
};
void live_observe(struct live *l, struct live_observer *o);
void live_unobserve(struct live_observer *o);
/* Whether streams have presentations at all: fragmented MP4. */
bool live_has_presentations(const struct live *l);
/* NULL: nothing plays now. */
struct presentation *live_presentation(struct live *l, const char *room_id);

/* Port pairs that pipelines hold now. */
unsigned live_ports_taken(const struct live *l);

#endif
