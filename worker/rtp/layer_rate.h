/* Bitrate of a received stream by layer, cumulative: what a consumer costs that gets up to a layer.
 * Fixed memory, one addition a packet. No IO. */
#ifndef WEIR_RTP_LAYER_RATE_H
#define WEIR_RTP_LAYER_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/time.h"
#include "worker/rtp/layers.h"

enum {
    LAYER_RATE_SPATIAL = 4, /* layers above count as the highest */
    LAYER_RATE_TEMPORAL = 4,
    LAYER_RATE_BUCKETS = 10
};

#define LAYER_RATE_WINDOW USEC_PER_SEC

struct layer_rate {
    usec ends_at; /* end of the newest bucket, a multiple of a bucket's width */
    uint8_t at;   /* the newest bucket */
    bool started;
    bool independent; /* a spatial layer comes without those below (S modes, K-SVC) */
    uint32_t bytes[LAYER_RATE_BUCKETS + 1][LAYER_RATE_SPATIAL][LAYER_RATE_TEMPORAL];
};

void layer_rate_init(struct layer_rate *r, bool independent);
void layer_rate_add(struct layer_rate *r, usec now, uint8_t spatial, uint8_t temporal,
                    size_t bytes);
/* Bit/s over the last second of these layers with what they need. 0: nothing of the spatial layer
 * itself was seen. LAYER_ANY: all there are. */
uint32_t layer_rate_bps(struct layer_rate *r, usec now, struct layers upto);
/* Layers seen in the window; LAYERS_NONE: none. */
struct layers layer_rate_highest(struct layer_rate *r, usec now);

#endif
