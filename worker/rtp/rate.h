/* Bits and packets per second over a sliding window, in fixed memory. No IO. */
#ifndef WEIR_RTP_RATE_H
#define WEIR_RTP_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/prefetch.h"
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
    uint8_t at;       /* index of the newest */
    bool started;
    struct rate_bucket buckets[RATE_BUCKETS + 1];
};

/* window: for example USEC_PER_SEC; at least RATE_BUCKETS microseconds. */
void rate_init(struct rate *r, usec window);
void rate_reset(struct rate *r);
/* Fetches into the cache what the next packet is added to. */
static inline void rate_prefetch(const struct rate *r)
{
    prefetch(&r->buckets[r->at], sizeof r->buckets[0]);
}
/* now must not run backwards; if it does, the newest bucket counts. */
void rate_add(struct rate *r, usec now, size_t bytes);
/* Over the whole window, so a rate ramps up during the first one. */
uint32_t rate_bps(struct rate *r, usec now);
/* Packets per second, rounded. */
uint32_t rate_pps(struct rate *r, usec now);

#endif
