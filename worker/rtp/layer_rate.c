#include "worker/rtp/layer_rate.h"

#include <string.h>

static const usec width = LAYER_RATE_WINDOW / LAYER_RATE_BUCKETS;

void layer_rate_init(struct layer_rate *r, bool independent)
{
    memset(r, 0, sizeof *r);
    r->independent = independent;
}

static void advance(struct layer_rate *r, usec now)
{
    if (now < r->ends_at)
        return;
    usec ends_at = (now / width + 1) * width;
    usec passed = r->started ? (ends_at - r->ends_at) / width : 0;
    r->started = true;
    r->ends_at = ends_at;
    if (passed > LAYER_RATE_BUCKETS) {
        memset(r->bytes, 0, sizeof r->bytes);
        return;
    }
    while (passed-- > 0) {
        r->at = (uint8_t)((r->at + 1) % (LAYER_RATE_BUCKETS + 1));
        memset(r->bytes[r->at], 0, sizeof r->bytes[r->at]);
    }
}

void layer_rate_add(struct layer_rate *r, usec now, uint8_t spatial, uint8_t temporal, size_t bytes)
{
    advance(r, now);
    unsigned s = spatial < LAYER_RATE_SPATIAL ? spatial : LAYER_RATE_SPATIAL - 1;
    unsigned t = temporal < LAYER_RATE_TEMPORAL ? temporal : LAYER_RATE_TEMPORAL - 1;
    uint32_t *b = &r->bytes[r->at][s][t];
    *b = bytes < UINT32_MAX - *b ? *b + (uint32_t)bytes : UINT32_MAX;
}

/* Over exactly one window: of the oldest bucket only the part that is still inside counts. */
static uint64_t layer_bytes(const struct layer_rate *r, usec now, unsigned s, unsigned t)
{
    uint64_t sum = 0;
    unsigned oldest = (r->at + 1U) % (LAYER_RATE_BUCKETS + 1);
    usec left = r->ends_at - now;
    uint64_t inside = (uint64_t)(left < width ? left : width);
    for (unsigned i = 0; i <= LAYER_RATE_BUCKETS; i++)
        sum += i == oldest ? r->bytes[i][s][t] * inside / (uint64_t)width : r->bytes[i][s][t];
    return sum;
}

static int highest(struct layers upto_or_any, bool spatial)
{
    int v = spatial ? upto_or_any.spatial : upto_or_any.temporal;
    int n = spatial ? LAYER_RATE_SPATIAL : LAYER_RATE_TEMPORAL;
    return v < n ? v : n - 1;
}

uint32_t layer_rate_bps(struct layer_rate *r, usec now, struct layers upto)
{
    advance(r, now);
    uint64_t sum = 0;
    int top = highest(upto, true);
    if (upto.spatial == LAYER_ANY)
        top = highest(layer_rate_highest(r, now), true);
    int temporal = highest(upto, false);
    for (int s = r->independent && top > 0 ? top : 0; s <= top; s++) {
        uint64_t here = 0;
        for (int t = 0; t <= temporal; t++)
            here += layer_bytes(r, now, (unsigned)s, (unsigned)t);
        sum = s == top && here == 0 ? 0 : sum + here;
    }
    uint64_t bps = sum * 8 * (uint64_t)USEC_PER_SEC / (uint64_t)LAYER_RATE_WINDOW;
    return bps < UINT32_MAX ? (uint32_t)bps : UINT32_MAX;
}

struct layers layer_rate_highest(struct layer_rate *r, usec now)
{
    struct layers top = LAYERS_NONE;
    advance(r, now);
    for (unsigned s = 0; s < LAYER_RATE_SPATIAL; s++)
        for (unsigned t = 0; t < LAYER_RATE_TEMPORAL; t++)
            if (layer_bytes(r, now, s, t) > 0) {
                top.spatial = (int8_t)s;
                if ((int8_t)t > top.temporal)
                    top.temporal = (int8_t)t;
            }
    return top;
}
