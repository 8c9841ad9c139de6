/* What one consumer gets of a stream with layers, whatever the codec: for each packet drop or
 * forward, the marker, and what to patch in the consumer's copy; the received packet is shared and
 * never changed. No IO, no allocation.
 *
 *   VP8             temporal layers (vp8_layers.h)
 *   VP9             spatial and temporal layers (vp9_layers.h)
 *   AV1, H.264      by the dependency descriptor (dd_layers.h), everything where there is none */
#ifndef WEIR_RTP_LAYER_SELECTOR_H
#define WEIR_RTP_LAYER_SELECTOR_H

#include <stdbool.h>

#include "worker/rtp/codec.h"
#include "worker/rtp/dd_layers.h"
#include "worker/rtp/layer_packet.h"
#include "worker/rtp/layers.h"
#include "worker/rtp/vp8_layers.h"
#include "worker/rtp/vp9_layers.h"

struct selector;

struct selector_ops {
    void (*sync)(struct selector *s, const struct layer_packet *p);
    struct layer_choice (*packet)(struct selector *s, const struct layer_packet *p);
    struct layers (*current)(const struct selector *s);
};

struct selector {
    const struct selector_ops *ops;
    struct layers target; /* limits; taken over as soon as the stream allows it */
    bool started;
    union {
        struct vp8_layers vp8;
        struct vp9_layers vp9;
        struct dd_layers dd;
    };
};

/* key_svc: the spatial layers depend on each other in key frames only (L3T3_KEY). Streams of other
 * codecs are forwarded as they are. */
void selector_init(struct selector *s, enum codec codec, bool key_svc);

static inline void selector_set_target(struct selector *s, struct layers target)
{
    s->target = target;
}

/* p begins a key frame from which this consumer is to go on: of its first source, of another one,
 * or of one that began its numbering anew. Numbers go on without a jump; packets from before are
 * dropped from now on. Then give p to selector_packet. */
void selector_sync(struct selector *s, const struct layer_packet *p);

/* Before the first sync: LAYER_DROP. */
struct layer_choice selector_packet(struct selector *s, const struct layer_packet *p);

/* In force at the newest picture; LAYERS_NONE before the first. Never more than the target, but for
 * what must wait for a key frame. Either may be LAYER_ANY if the target was. */
struct layers selector_current(const struct selector *s);

#endif
