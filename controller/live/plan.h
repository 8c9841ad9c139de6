/* What a pipeline is to be made of, decided from what is produced at the moment: which producers
 * come in by RTP, what is replaced by silence or a still picture. Of one peer, whose tracks go out
 * as they are, or a composite of several. Pure; no IO. */
#ifndef WEIR_CONTROLLER_LIVE_PLAN_H
#define WEIR_CONTROLLER_LIVE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/rtp_parameters.h"

struct fleet_worker;

/* Tracks are indexed by enum media_kind. */
enum {
    LIVE_KINDS = 2,
    LIVE_ID_LEN = 37,
    LIVE_PEERS_MAX = 8,                  /* of a composite */
    LIVE_CELLS_MAX = LIVE_PEERS_MAX + 1, /* and one screen */
    LIVE_INPUTS_MAX = LIVE_KINDS * LIVE_CELLS_MAX,
    LIVE_NAME_MAX = 65
};

struct live_track {
    const char *producer_id; /* NULL: nothing of this kind is produced */
    bool paused;             /* or silent */
    const struct rtp_parameters *consumable;
    /* Its sender's clock: a time of day (NTP) and the RTP timestamp of the same moment. */
    bool has_clock;
    uint64_t clock_ntp;
    uint32_t clock_rtp;
    /* Of pictures: pixels once they are upright, 0: unknown yet; and the clockwise degrees that
     * turn them so. */
    unsigned width;
    unsigned height;
    unsigned rotation;
};

/* A peer, or a screen that it shares. */
struct live_cell {
    const char *name; /* NULL: none */
    bool screen;
    struct live_track tracks[LIVE_KINDS];
};

/* Borrowed for the call that gets it. */
struct live_source {
    struct fleet_worker *worker; /* NULL: no router */
    const char *router_id;       /* NULL: no router */
    struct live_cell cells[LIVE_CELLS_MAX];
    size_t n_cells; /* 0: nothing is produced; only composites have more than one */
};

/* filler: the track goes on in silence or black, so that the playlist's tracks stay the same while
 * a producer pauses, and players need not be told. */
enum track_mode { TRACK_NONE, TRACK_RTP, TRACK_FILLER };

/* What goes out. */
struct track_plan {
    enum track_mode mode;
    bool copies; /* video that needs no transcoding */
};

/* What comes in. */
struct plan_input {
    enum media_kind kind;
    size_t cell;
    unsigned rotation; /* of pictures that are encoded: as live_track's */
    char producer_id[LIVE_ID_LEN];
};

struct plan_cell {
    char name[LIVE_NAME_MAX];
    bool screen;
};

struct plan {
    struct fleet_worker *worker; /* outlives us; its router may be gone */
    char router_id[LIVE_ID_LEN];
    struct track_plan tracks[LIVE_KINDS];
    struct plan_input inputs[LIVE_INPUTS_MAX]; /* by RTP; pictures first */
    size_t n_inputs;
    struct plan_cell cells[LIVE_CELLS_MAX]; /* of a composite */
    size_t n_cells;
};

struct plan_rules {
    bool had_video; /* it has shown a picture before, so its players wait for one */
    bool composite;
    bool transcodes; /* nothing passes through */
};

void plan_make(struct plan *p, const struct live_source *s, const struct plan_rules *rules);
/* Nothing to show. */
bool plan_empty(const struct plan *p);
bool plan_equal(const struct plan *a, const struct plan *b);
/* Whether what old takes in is still to be taken in as it is, and now just adds to it. */
bool plan_extends(const struct plan *old, const struct plan *now);

/* The place of an input among those of its kind. */
size_t plan_index_of(const struct plan *p, size_t input);
/* The input that shows a cell, or sounds for it; n_inputs: none. */
size_t plan_find_input(const struct plan *p, size_t cell, enum media_kind kind);

/* Whether ffmpeg can take the producer in: the first codec of its parameters counts. */
bool plan_codec_known(const struct rtp_parameters *consumable);

#endif
