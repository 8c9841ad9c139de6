/* The rate at which packets arrive at the peer: R_hat of draft-ietf-rmcat-gcc-02 section 5.5, by
 * the arrival times that feedback tells. Sans-IO. Owned by an estimator. */
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

struct acked_rate {
    struct rate rate;
    struct rate brief;
    struct rate lost;
    usec first; /* arrivals */
    usec newest;
    bool started;
};

void acked_rate_reset(struct acked_rate *a);
void acked_rate_add(struct acked_rate *a, usec arrival, size_t size);
/* Lost beside what arrived last. */
void acked_rate_lost(struct acked_rate *a, size_t size);
/* Bits per second over the last window of arrivals; 0: not known yet. */
double acked_rate_bps(struct acked_rate *a);
/* The same or, when more arrived lately, over a shorter window: a burst that fills the way for less
 * than the window shows what it carries. */
double acked_rate_peak_bps(struct acked_rate *a);
/* The share of bytes that was lost in that window, 0 to 1. */
double acked_rate_loss(struct acked_rate *a);

#endif
