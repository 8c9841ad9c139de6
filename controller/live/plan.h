/* What a pipeline is to be made of, decided from what the broadcaster produces at the moment: which
 * tracks come in by RTP, which are replaced by silence or a still picture. Pure; no IO. */
#ifndef WEIR_CONTROLLER_LIVE_PLAN_H
#define WEIR_CONTROLLER_LIVE_PLAN_H

#include <stdbool.h>

#include "proto/rtp_parameters.h"

struct fleet_worker;

/* Tracks are indexed by enum media_kind. */
enum { LIVE_KINDS = 2, LIVE_ID_LEN = 37 };

struct live_track {
    const char *producer_id; /* NULL: nothing of this kind is produced */
    bool paused;
    const struct rtp_parameters *consumable;
};

/* Borrowed for the call that gets it. */
struct live_source {
    struct fleet_worker *worker; /* NULL: no router */
    const char *router_id;       /* NULL: no router */
    struct live_track tracks[LIVE_KINDS];
};

/* filler: the track goes on in silence or black, so that the playlist's tracks stay the same while
 * a producer pauses, and players need not be told. */
enum track_mode { TRACK_NONE, TRACK_RTP, TRACK_FILLER };

struct track_plan {
    enum track_mode mode;
    bool copies; /* video that needs no transcoding */
    char producer_id[LIVE_ID_LEN];
};

struct plan {
    struct fleet_worker *worker; /* outlives us; its router may be gone */
    char router_id[LIVE_ID_LEN];
    struct track_plan tracks[LIVE_KINDS];
};

/* had_video: the stream has shown a picture before, so its players wait for one. */
void plan_make(struct plan *p, const struct live_source *s, bool had_video);
/* Nothing to show. */
bool plan_empty(const struct plan *p);
bool plan_equal(const struct plan *a, const struct plan *b);
/* Whether what old takes in is still to be taken in as it is, and now just adds to it. */
bool plan_extends(const struct plan *old, const struct plan *now);

/* Whether ffmpeg can take the producer in: the first codec of its parameters counts. */
bool plan_codec_known(const struct rtp_parameters *consumable);

#endif
