/* What one address plays: tracks side by side, each a window of segments that ends in partial
 * segments (RFC 8216bis 3, 4.4.4.9), all cut at the same times. Encoders come and go in runs; over
 * them media sequence numbers and times go on, with a discontinuity. Holds media in memory until a
 * store has it; does no IO; tells observers inside its calls. */
#ifndef WEIR_CONTROLLER_HLS_PRESENTATION_H
#define WEIR_CONTROLLER_HLS_PRESENTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/blob.h"
#include "common/err.h"
#include "common/list.h"
#include "common/time.h"
#include "controller/hls/media_sample.h"

enum {
    HLS_TRACKS_MAX = 8,
    HLS_TRACK_NAME_MAX = 80, /* a peer, and "-video" */
    HLS_TOKEN_LEN = 8,
    HLS_PARTS_MAX = 1024 /* of one segment; more, and it is closed wherever it is */
};

struct presentation;
struct hls_track;

/* A partial segment: one movie fragment. */
struct hls_part {
    struct blob *bytes; /* ref */
    usec duration;
    bool independent; /* begins with a sync sample */
};

struct hls_segment {
    uint64_t msn;  /* media sequence number */
    usec start;    /* on the presentation's clock, as in its fragments */
    usec duration; /* so far, while it is open */
    usec wall;     /* PROGRAM-DATE-TIME of its beginning: the sender's clock, since 1970 */
    uint32_t init; /* which initialization segment */
    bool discontinuity;
    bool complete; /* no part comes after those that it has */
    bool gap;      /* nothing there: RFC 8216bis 4.4.4.7 */
    bool stored;   /* may be read from the store */
    size_t size;   /* bytes, so far */
    size_t frames; /* samples, so far */
    size_t n_parts;
    struct hls_part *parts; /* owned; NULL when its bytes are no longer in memory */
};

/* A key frame ends a segment that has lasted so long: an encoder's may come a little early. */
static inline usec hls_least_segment(usec target)
{
    return target - target / 4;
}

struct hls_init {
    uint32_t id;
    struct blob *bytes; /* ref */
    struct media_format format;
};

struct presentation_config {
    const char
        *token; /* HLS_TOKEN_LEN of [a-z0-9]: begins file names, so that none is used twice */
    uint64_t first_msn; /* of the first segment: larger than any that an earlier life at this
                           address had */
    uint64_t first_discontinuity; /* first discontinuity sequence: likewise; some 10,000 at most:
                                     hls.js keeps an array by it, and goes through all of it with
                                     each playlist */
    usec segment;                 /* target */
    usec part;   /* target; a longer one only where a single picture lasts longer */
    usec window; /* what may be rewound */
    usec memory; /* what of it stays in memory; segments that leave it and are not stored by
                    then leave the window, too */
};

/* Of a run, and of the presentation: later runs have the tracks of the first. */
struct track_spec {
    char name[HLS_TRACK_NAME_MAX]; /* of its playlist and files: "v0", "a0" */
    bool video;
    unsigned width; /* what is aimed at, before media has come; 0: unknown */
    unsigned height;
    int64_t bps; /* likewise */
    bool copied; /* passes through: as the broadcaster sends it */
    bool absent; /* not made in this run: a gap beside each segment of the leading track */
};

/* In its owner's memory; NULL members are not called. */
struct presentation_observer {
    void (*on_init)(void *ctx, struct hls_track *t, const struct hls_init *init);
    /* Where it completes its segment, on_segment follows at once. */
    void (*on_part)(void *ctx, struct hls_track *t, const struct hls_segment *open,
                    const struct hls_part *part);
    void (*on_segment)(void *ctx, struct hls_track *t, const struct hls_segment *s);
    /* It left the window: its file may go. */
    void (*on_expired)(void *ctx, struct hls_track *t, const struct hls_segment *s);
    void (*on_end)(void *ctx, struct presentation *p);
    void *ctx; /* borrowed */
    struct list node;
};

MUST_CHECK enum err presentation_open(const struct presentation_config *config,
                                      struct presentation **out);
/* NULL is fine. Observers must be gone. */
void presentation_close(struct presentation *p);

void presentation_observe(struct presentation *p, struct presentation_observer *o);
void presentation_unobserve(struct presentation_observer *o);

/* ---- what encoders bring ---- */

/* The first video track leads, or else the first: where its segments end, those of all end.
 * ERR_STATE: other names than the first run had, or it ended. now: wall clock, since 1970. */
MUST_CHECK enum err presentation_run_begin(struct presentation *p, const struct track_spec *tracks,
                                           size_t n, usec now);
/* The sender's clock at the run's time zero, as soon as it is known; until then now of run_begin.
 */
void presentation_run_wall(struct presentation *p, usec wall);
/* How many degrees clockwise the leading pictures, which pass through, are to be turned by who
 * plays them: from the next key frame on, with another initialization segment after a
 * discontinuity. 0, 90, 180 or 270. */
void presentation_rotate(struct presentation *p, unsigned clockwise);
/* A piece of fragmented MP4 of a track of this run. Errors as bmff_reader_feed: the run is to be
 * ended. */
MUST_CHECK enum err presentation_feed(struct presentation *p, size_t track, const void *bytes,
                                      size_t n);
/* Segments that are open are closed with what came. */
void presentation_run_end(struct presentation *p);
/* No more will come: EXT-X-ENDLIST. */
void presentation_end(struct presentation *p);
bool presentation_ended(const struct presentation *p);
/* Every track has a segment: players can begin. */
bool presentation_playable(const struct presentation *p);

/* ---- what there is ---- */

const struct presentation_config *presentation_get_config(const struct presentation *p);
size_t presentation_n_tracks(const struct presentation *p);
struct hls_track *presentation_track(struct presentation *p, size_t i);
struct hls_track *presentation_find_track(struct presentation *p, const char *name);
/* How long segments may become without breaking EXT-X-TARGETDURATION, which must not change: from
 * the first segment on it stays the same. */
usec presentation_aimed(const struct presentation *p);
/* The one whose segments say where all end; NULL: none yet. */
struct hls_track *presentation_leader(struct presentation *p);

struct presentation *hls_track_presentation(const struct hls_track *t);
size_t hls_track_index(const struct hls_track *t);
const struct track_spec *hls_track_spec(const struct hls_track *t);
/* The newest; NULL: none yet. */
const struct hls_init *hls_track_init(const struct hls_track *t);
/* NULL: it is gone, or never was. */
const struct hls_init *hls_track_find_init(const struct hls_track *t, uint32_t id);
/* Closed segments in the window: msn from first up to next, exclusive. */
uint64_t hls_track_first_msn(const struct hls_track *t);
uint64_t hls_track_next_msn(const struct hls_track *t);
/* By media sequence number, also the open one (next_msn, once it has a part); NULL: not there. */
const struct hls_segment *hls_track_segment(const struct hls_track *t, uint64_t msn);
/* EXT-X-DISCONTINUITY-SEQUENCE of the oldest. */
uint64_t hls_track_discontinuity_sequence(const struct hls_track *t);
/* The longest segment ever, and the longest part (RFC 8216bis 4.4.3.1, 4.4.3.7). */
usec hls_track_longest_segment(const struct hls_track *t);
usec hls_track_longest_part(const struct hls_track *t);
/* Bits a second: the highest of any segment in the window (BANDWIDTH), and over all of them
 * (AVERAGE-BANDWIDTH); 0: unknown. */
void hls_track_bandwidth(const struct hls_track *t, uint64_t *peak, uint64_t *average);

/* ---- the store ---- */
/* The segment is on disk. */
void hls_track_stored(struct hls_track *t, uint64_t msn);

#endif
