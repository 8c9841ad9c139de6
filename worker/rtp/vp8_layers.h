/* Temporal layers of VP8 for one consumer (RFC 7741): which pictures it gets, and picture ids and
 * TL0PICIDX that show it neither the pictures that were left out nor a change of source. No IO. */
#ifndef WEIR_RTP_VP8_LAYERS_H
#define WEIR_RTP_VP8_LAYERS_H

#include "worker/rtp/layer_packet.h"
#include "worker/rtp/layers.h"
#include "worker/rtp/seq.h"

struct vp8_layers {
    struct levels levels; /* temporal; spatial is always 0 */
    struct seq_rewriter picture_ids;
    int64_t newest; /* picture */
    uint16_t id;    /* of the newest picture; 15 bits, also where the stream has 7 */
    uint8_t tl0;    /* of the newest picture, incoming */
    uint8_t tl0_offset;
    uint8_t tl0_out; /* newest */
    bool sent;       /* anything yet, so that numbers must go on from there */
};

/* Zeroed is the initial state. */
/* The packet begins a key frame of a new source: numbers go on, what came before is forgotten. */
void vp8_layers_sync(struct vp8_layers *l, const struct layer_packet *p, struct layers target);
/* After a sync. */
struct layer_choice vp8_layers_packet(struct vp8_layers *l, const struct layer_packet *p,
                                      struct layers target);

#endif
