/* The inside of presentations. Private to presentation.c and hls_track*.c. */
#ifndef WEIR_CONTROLLER_HLS_PRESENTATION_STATE_H
#define WEIR_CONTROLLER_HLS_PRESENTATION_STATE_H

#include "controller/hls/avc_sets.h"
#include "controller/hls/bmff_reader.h"
#include "controller/hls/bmff_writer.h"
#include "controller/hls/presentation.h"

struct hls_track {
    struct presentation *parent; /* outlives us */
    struct track_spec spec;
    struct bmff_reader reader; /* of this run */
    struct bmff_chunk waiting; /* samples that are in no part yet */
    struct hls_init *inits;    /* owned, oldest first */
    size_t n_inits;
    uint32_t next_init;
    struct hls_segment *ring; /* owned; closed ones */
    size_t cap;
    size_t head; /* index of the oldest */
    size_t n;
    uint64_t first_msn;
    size_t in_memory;        /* of the newest of them */
    usec memory;             /* what those last */
    usec window;             /* what all last */
    struct hls_segment open; /* n_parts 0: nothing is open */
    size_t parts_cap;        /* of open.parts */
    uint32_t fragments;
    uint64_t discontinuities; /* of segments that left */
    bool discontinuity;       /* the next segment begins with one */
    bool had_media;           /* in this run */
    unsigned rotation;        /* of the newest initialization segment */
    bool has_sets;            /* of what is copied */
    struct avc_sets sets;
    usec longest_segment;
    usec longest_part;
    enum err failed; /* by a sample; sticky for the run */
};

struct presentation {
    struct presentation_config config;
    char token[HLS_TOKEN_LEN + 1];
    struct hls_track tracks[HLS_TRACKS_MAX];
    size_t n_tracks;
    size_t leader;
    unsigned rotation; /* of what leads, where it passes through: clockwise degrees */
    usec base;         /* presentation's clock - run's clock */
    usec wall;         /* sender's clock at the run's zero */
    usec begun;        /* wall clock when the first run began */
    usec until;        /* where the newest of all segments ends */
    usec aimed;        /* see presentation_aimed; 0: no segment yet */
    bool running;
    bool ended;
    struct list observers;
};

/* The leading track's, to be called with each. */
void presentation_first_segment(struct presentation *p, usec duration);

void hls_track_begin(struct hls_track *t, struct presentation *p, const struct track_spec *spec);
void hls_track_fini(struct hls_track *t);
void hls_track_run_begin(struct hls_track *t);
/* Cuts what is settled; leader_time: up to where its cuts are known, USEC_NEVER: wait for nobody.
 */
void hls_track_cut(struct hls_track *t, usec leader_time);
/* Everything into parts, and the open segment closed. */
void hls_track_run_end(struct hls_track *t);
/* A segment of nothing, so that numbers stay equal. */
void hls_track_add_gap(struct hls_track *t, const struct hls_segment *like);
/* The presentation's time of the newest sample; of the oldest that waits. USEC_NEVER: none. */
usec hls_track_newest(const struct hls_track *t);
/* Whether the others follow it. */
bool hls_track_leads(const struct hls_track *t);
/* The newest sample begins something else: what was before becomes a segment, and a discontinuity
 * follows. */
void hls_track_end_before_newest(struct hls_track *t);

/* ---- hls_track_init.c ---- */
/* As bmff_sink's; ctx is the track. */
void hls_track_on_init(void *ctx, const struct media_format *format, struct slice bytes);
/* A sample that decoding can begin with, of what passes through: the newest. */
void hls_track_look_at_key_frame(struct hls_track *t, struct slice sample);

/* ---- hls_track.c ---- */
/* Where segment msn begins, if that is known. */
bool hls_track_boundary(const struct hls_track *t, uint64_t msn, usec *out);

#endif
