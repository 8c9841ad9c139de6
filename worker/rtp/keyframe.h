/* Asking the sender of one SSRC for key frames (PLI RFC 4585 6.3.1, FIR RFC 5104 4.3.1): throttled,
 * repeated until the key frame arrives. Sans-IO; the owner sends the PLI when told. */
#ifndef WEIR_RTP_KEYFRAME_H
#define WEIR_RTP_KEYFRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/time.h"

enum {
    KEYFRAME_RETRY_US = 1000 * 1000,
    KEYFRAME_RETRY_MIN_US = 300 * 1000, /* an encoder needs a moment, and a key frame is long */
    KEYFRAME_EXPECTED_US = 100 * 1000   /* beside the round trip: so soon it usually comes */
};

struct keyframe {
    usec delay;    /* at least this between two requests (keyFrameRequestDelay); 0: none */
    usec sent_at;  /* last request; USEC_NEVER: none yet */
    usec retry_at; /* while waiting for the key frame; USEC_NEVER */
    usec later_at; /* a need that the throttle put off; USEC_NEVER */
    uint32_t requests;
};

void keyframe_init(struct keyframe *k, usec delay);
/* Someone needs a key frame. True: send a request now. False: one is under way, or will be sent at
 * the deadline. rtt: 0 when unknown. forced: now, whatever the throttle and what is under way. */
bool keyframe_need(struct keyframe *k, usec now, usec rtt, bool forced);
/* A key frame began to arrive. */
void keyframe_received(struct keyframe *k);
/* Nobody needs it any more (the last consumer left, the producer paused). */
void keyframe_cancel(struct keyframe *k);
/* True: send a request now. */
bool keyframe_timeout(struct keyframe *k, usec now, usec rtt);
usec keyframe_deadline(const struct keyframe *k);
/* How long until the next request: 0 when keyframe_need would send one now, or when the answer to
 * one is just to be expected. */
usec keyframe_wait(const struct keyframe *k, usec now, usec rtt);

static inline bool keyframe_waiting(const struct keyframe *k)
{
    return k->retry_at != USEC_NEVER || k->later_at != USEC_NEVER;
}

#endif
