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

struct encoding {
    bool cmaf;          /* pipes of fragmented MP4; else MPEG-TS files */
    const char *preset; /* x264's */
    usec segment;
    int64_t video_bps; /* where video is transcoded */
    int64_t audio_bps;
    unsigned height; /* of the canvas of transcoded video, 16:9 */
};

/* What a track gets of RTP. */
struct rtp_input {
    uint16_t port;                       /* even; 0: no RTP */
    const struct rtp_parameters *params; /* of the consumer */
};

/* The tracks that go to pipes, in their order; returns how many. out: of at least LIVE_KINDS. */
size_t pipeline_outputs(const struct plan *plan, enum media_kind *out);

/* Of MPEG-TS, writes "<folder>/<prefix>-00000.ts" and so on. c->bad: it did not fit. */
void pipeline_command(struct command *c, const struct plan *plan, const struct encoding *encoding,
                      const char *folder, const char *prefix);

/* The description that it reads on standard input; video first, as the command expects. out: text
 * with a NUL, n bytes. ERR_TOO_LARGE, ERR_MALFORMED. */
MUST_CHECK enum err pipeline_sdp(const struct rtp_input inputs[LIVE_KINDS], char *out, size_t n);

/* "abc-1-00002.ts,2.000000,3.000000": a segment of this prefix, and where it begins and ends on
 * ffmpeg's clock. ERR_MALFORMED for anything else. */
MUST_CHECK enum err pipeline_parse_segment(const char *line, const char *prefix,
                                           char name[PLAYLIST_NAME_MAX], usec *start, usec *end);

#endif
