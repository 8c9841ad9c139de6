#include "worker/rtp/rate.h"

#include <assert.h>
#include <string.h>

void rate_init(struct rate *r, usec window)
{
    assert(window >= RATE_BUCKETS);
    *r = (struct rate){.width = window / RATE_BUCKETS};
}

void rate_reset(struct rate *r)
{
    usec width = r->width;
    *r = (struct rate){.width = width};
}

static void advance(struct rate *r, usec now)
{
    if (now < r->ends_at)
        return;
    usec ends_at = (now / r->width + 1) * r->width;
    usec passed = r->started ? (ends_at - r->ends_at) / r->width : 0;
    r->started = true;
    r->ends_at = ends_at;
    if (passed > RATE_BUCKETS) {
        memset(r->buckets, 0, sizeof r->buckets);
        r->bytes = r->packets = 0;
        return;
    }
    while (passed-- > 0) {
        r->at = (uint8_t)((r->at + 1) % (RATE_BUCKETS + 1));
        struct rate_bucket *b = &r->buckets[r->at];
        r->bytes -= b->bytes;
        r->packets -= b->packets;
        *b = (struct rate_bucket){0};
    }
}

void rate_add(struct rate *r, usec now, size_t bytes)
{
    advance(r, now);
    struct rate_bucket *b = &r->buckets[r->at];
    uint32_t n = bytes < UINT32_MAX - b->bytes ? (uint32_t)bytes : UINT32_MAX - b->bytes;
    b->bytes += n;
    b->packets++;
    r->bytes += n;
    r->packets++;
}

/* The sum over exactly one window that ends now, times the width of a bucket. */
static uint64_t window_sum(const struct rate *r, usec now, uint64_t total, uint32_t oldest)
{
    usec left = r->ends_at - now; /* of the newest bucket; more than all of it for a time gone by */
    uint64_t passed = left < r->width ? (uint64_t)(r->width - left) : 0;
    return total * (uint64_t)r->width - oldest * passed;
}

static const struct rate_bucket *oldest(const struct rate *r)
{
    return &r->buckets[(r->at + 1) % (RATE_BUCKETS + 1)];
}

uint32_t rate_bps(struct rate *r, usec now)
{
    advance(r, now);
    uint64_t width = (uint64_t)r->width;
    uint64_t sum = window_sum(r, now, r->bytes, oldest(r)->bytes) / width;
    uint64_t bps = sum * 8 * 1000000 / (width * RATE_BUCKETS);
    return bps < UINT32_MAX ? (uint32_t)bps : UINT32_MAX;
}

uint32_t rate_pps(struct rate *r, usec now)
{
    advance(r, now);
    uint64_t width = (uint64_t)r->width;
    uint64_t sum = window_sum(r, now, r->packets, oldest(r)->packets);
    uint64_t window = width * width * RATE_BUCKETS;
    uint64_t pps = (sum * 1000000 + window / 2) / window;
    return pps < UINT32_MAX ? (uint32_t)pps : UINT32_MAX;
}
