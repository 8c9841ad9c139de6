/* Bits and packets per second over a sliding window, in fixed memory. No IO. */
#ifndef WEIR_RTP_RATE_H
#define WEIR_RTP_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/time.h"

enum { RATE_BUCKETS = 20 };

struct rate_bucket {
    uint32_t bytes;
    uint32_t packets;
};

/* One bucket more than the window has: the oldest counts by the share that is still inside. */
struct rate {
    usec width;   /* of a bucket */
    usec ends_at; /* end of the newest bucket, a multiple of width */
    uint64_t bytes;
    uint64_t packets; /* sums over all buckets */
    struct rate_bucket buckets[RATE_BUCKETS + 1];
    uint8_t at; /* index of the newest */
    bool started;
};

/* window: for example USEC_PER_SEC; at least RATE_BUCKETS microseconds. */
void rate_init(struct rate *r, usec window);
void rate_reset(struct rate *r);
/* now must not run backwards; if it does, the newest bucket counts. */
void rate_add(struct rate *r, usec now, size_t bytes);
/* Over the whole window, so a rate ramps up during the first one. */
uint32_t rate_bps(struct rate *r, usec now);
/* Packets per second, rounded. */
uint32_t rate_pps(struct rate *r, usec now);

#endif
