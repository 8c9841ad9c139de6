/* Spatial and temporal layers of VP9 for one consumer (RFC 9628), full SVC and K-SVC, with picture
 * ids and TL0PICIDX that go on over a change of source. Ids of pictures that are left out stay
 * holes, because references (P_DIFF, or the picture group by the id) are counted by them. No IO. */
#ifndef WEIR_RTP_VP9_LAYERS_H
#define WEIR_RTP_VP9_LAYERS_H

#include "worker/rtp/layer_packet.h"
#include "worker/rtp/layers.h"

struct vp9_layers {
    struct levels levels;
    struct layers goal; /* taken over from the target at the beginning of each picture */
    int64_t newest;     /* picture */
    uint16_t id_offset;
    uint16_t id_out; /* newest */
    uint8_t tl0_offset;
    uint8_t tl0_out;
    uint8_t top;    /* highest spatial layer seen in the newest picture */
    uint8_t absent; /* pictures in a row without the spatial layer that is forwarded */
    bool key_svc;   /* spatial layers depend on each other in key pictures only: just one is sent */
    bool intra;     /* nothing of the newest picture depends on earlier ones so far */
    bool sent;      /* anything yet, so that numbers must go on from there */
};

/* Zeroed but for key_svc is the initial state. */
/* The packet begins a key picture of a new source: numbers go on, what came before is forgotten. */
void vp9_layers_sync(struct vp9_layers *l, const struct layer_packet *p, struct layers target);
/* After a sync. */
struct layer_choice vp9_layers_packet(struct vp9_layers *l, const struct layer_packet *p,
                                      struct layers target);

#endif
