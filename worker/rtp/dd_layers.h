/* Layers by the dependency descriptor for one consumer, whatever the codec: the decode target it
 * gets, and frame numbers that go on over a change of source (AOMedia RTP specification, appendix
 * A). Modes with independent spatial layers (S), with dependent ones (L) and with those that depend
 * on each other in key frames only (L_KEY) differ in nothing here but the sender's templates. No
 * IO.
 */
#ifndef WEIR_RTP_DD_LAYERS_H
#define WEIR_RTP_DD_LAYERS_H

#include "worker/rtp/dd_cache.h"
#include "worker/rtp/layer_packet.h"
#include "worker/rtp/layers.h"

/* Frames back that are remembered; a power of two. References go further back only in streams with
 * long-term references, which then wait for a key frame to change layers. */
enum { DD_LAYERS_WINDOW = 256 };

struct dd_layers {
    struct levels levels;  /* by frame; .spatial: decode target, or LAYER_NONE */
    struct layers goal;    /* taken over from the target at the beginning of each picture */
    struct layers current; /* what the decode target in force gives */
    int64_t picture;       /* newest */
    int64_t newest;        /* frame */
    uint16_t offset;       /* outgoing - incoming frame number */
    bool sent;             /* anything yet, so that numbers must go on from there */
    bool pass;             /* the key frame had no usable descriptor: all of it is forwarded */
    uint64_t forwarded[DD_LAYERS_WINDOW / 64]; /* ring, bit by frame number */
    uint64_t dropped[DD_LAYERS_WINDOW / 64];
};

/* Zeroed is the initial state. */
/* The packet begins a key frame of a new source: numbers go on, what came before is forgotten. */
void dd_layers_sync(struct dd_layers *l, const struct layer_packet *p, struct layers target);
/* After a sync. */
struct layer_choice dd_layers_packet(struct dd_layers *l, const struct layer_packet *p,
                                     struct layers target);

#endif
