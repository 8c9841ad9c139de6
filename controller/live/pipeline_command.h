/* The ffmpeg command of a pipeline: RTP in by SDP; out goes fragmented MP4, a pipe a track, or
 * MPEG-TS segments with a line on standard output for each that is complete. No IO. */
#ifndef WEIR_CONTROLLER_LIVE_PIPELINE_COMMAND_H
#define WEIR_CONTROLLER_LIVE_PIPELINE_COMMAND_H

#include <stdint.h>

#include "common/err.h"
#include "common/time.h"
#include "controller/live/command.h"
#include "controller/live/plan.h"
#include "controller/live/playlist.h"

enum {
    RENDITIONS_MAX = 6,
    PIPELINE_OUTPUTS_MAX = RENDITIONS_MAX + 1, /* pictures and sound */
    LOW_HEIGHT = 144,                          /* of the canvas in low-bandwidth mode */
    LOW_FPS = 15
};

struct rendition {
    unsigned height; /* of its canvas, 16:9 */
    int64_t bps;
};

struct encoding {
    bool cmaf;           /* pipes of fragmented MP4; else MPEG-TS files, of the top rendition */
    const char *encoder; /* of video: libx264, or any that ffmpeg has */
    const char *preset;  /* x264's */
    usec segment;
    /* Highest first. What passes through stands in the place of the first. */
    struct rendition ladder[RENDITIONS_MAX];
    size_t n_ladder; /* at least 1 */
    int64_t audio_bps;
    bool ladder_fits; /* renditions are made to the source's size, and never larger */
    /* The largest that the source was so far, upright. 0: unknown */
    unsigned source_width;
    unsigned source_height;
    bool composite;
    bool names; /* under the composite's pictures */
    bool low;   /* a canvas of 256x144, one thread */
};

/* What the plan's rules are with this encoding. */
struct plan_rules encoding_rules(const struct encoding *e, bool had_video);

/* What goes to a pipe. */
struct pipeline_output {
    enum media_kind kind;
    size_t rendition; /* of pictures */
    bool copied;
    unsigned width; /* of pictures that are encoded: even */
    unsigned height;
    int64_t bps;
};

/* The tracks that go to pipes, in their order; returns how many. Without those renditions of the
 * ladder that would not be smaller than the one before. */
size_t pipeline_outputs(const struct plan *plan, const struct encoding *e,
                        struct pipeline_output out[PIPELINE_OUTPUTS_MAX]);

/* How many sizes there can be, from one source to another. */
size_t pipeline_renditions(const struct encoding *e);

/* Of MPEG-TS, writes "<folder>/<prefix>-00000.ts" and so on. c->bad: it did not fit. */
void pipeline_command(struct command *c, const struct plan *plan, const struct encoding *encoding,
                      const char *folder, const char *prefix);

/* What a track gets of RTP. */
struct rtp_input {
    enum media_kind kind;
    uint16_t port;                       /* even */
    const struct rtp_parameters *params; /* of the consumer */
};

/* The description that it reads on standard input. out: text with a NUL, n bytes. ERR_TOO_LARGE,
 * ERR_MALFORMED. */
MUST_CHECK enum err pipeline_sdp(const struct rtp_input *inputs, size_t n_inputs, char *out,
                                 size_t n);

/* "abc-1-00002.ts,2.000000,3.000000": a segment of this prefix, and where it begins and ends on
 * ffmpeg's clock. ERR_MALFORMED for anything else. */
MUST_CHECK enum err pipeline_parse_segment(const char *line, const char *prefix,
                                           char name[PLAYLIST_NAME_MAX], usec *start, usec *end);

#endif
