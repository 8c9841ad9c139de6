/* The ffmpeg command of the test card, and the RTP that it sends. No IO. */
#ifndef WEIR_CONTROLLER_LIVE_TESTCARD_COMMAND_H
#define WEIR_CONTROLLER_LIVE_TESTCARD_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/live/command.h"
#include "proto/rtp_parameters.h"

/* Where a track is sent, on 127.0.0.1. */
struct testcard_target {
    uint16_t port;
    uint16_t rtcp_port;
    uint32_t ssrc; /* at most INT32_MAX, which is all that ffmpeg's option takes */
};

/* Targets are indexed by enum media_kind. plain: without text, for machines without any font. */
void testcard_command(struct command *c, const struct testcard_target targets[2], bool plain);

/* What the transports are told of it; points into arena. ERR_NOMEM. */
MUST_CHECK enum err testcard_parameters(enum media_kind kind, uint32_t ssrc, struct arena *arena,
                                        struct rtp_parameters *out);

#endif
