/* The rate at which packets come out of the bottleneck: R_hat of draft-ietf-rmcat-gcc-02 section
 * 5.5, by the arrival times that feedback tells. Sans-IO. Owned by an estimator.
 *
 * Measured between packets that were sent one after the other and both arrived. What lies around a
 * loss is left out, so it matters neither what lost a packet, chance behind the bottleneck or its
 * full queue, nor that a feedback message is missing: what is left passed at the bottleneck's rate,
 * or at ours when that is lower. */
#ifndef WEIR_BWE_ACKED_RATE_H
#define WEIR_BWE_ACKED_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/time.h"
#include "worker/rtp/rate.h"

enum {
    /* gcc-02 5.5: "A window between 0.5 and 1 second is RECOMMENDED." */
    ACKED_RATE_WINDOW_US = 500000,
    ACKED_RATE_SHORT_US = 150000,
    ACKED_RATE_SHORT_PACKETS = 12 /* fewer in the short window are too coarse */
};

struct acked_window {
    struct rate arrived;
    struct rate paired; /* of these, what arrived next to its predecessor */
    struct rate gaps;   /* microseconds since that one, in place of bytes */
};

struct acked_rate {
    struct acked_window whole;
    struct acked_window brief;
    usec first; /* arrivals */
    usec newest;
    bool started;
};

void acked_rate_reset(struct acked_rate *a);
/* By number. follows: the packet sent before it arrived too. */
void acked_rate_add(struct acked_rate *a, usec arrival, size_t size, bool follows);
/* Bits per second over the last window of arrivals; 0: not known yet. */
double acked_rate_bps(struct acked_rate *a);
/* The same or, when more arrived lately, over a shorter window: a burst that fills the way for less
 * than the window shows what it carries. */
double acked_rate_peak_bps(struct acked_rate *a);
/* Likewise, of all that arrived, whatever was lost beside it. */
double acked_rate_arrived_bps(struct acked_rate *a);

#endif
