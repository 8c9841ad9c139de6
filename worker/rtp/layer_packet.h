/* What a received video packet says of its layers: parsed once, for all consumers. Owned by the
 * received stream. No IO. */
#ifndef WEIR_RTP_LAYER_PACKET_H
#define WEIR_RTP_LAYER_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "proto/rtp.h"
#include "proto/vp8.h"
#include "proto/vp9.h"
#include "worker/rtp/codec.h"
#include "worker/rtp/dd_cache.h"
#include "worker/rtp/layers.h"
#include "worker/rtp/seq.h"

enum layer_info {
    LAYER_INFO_NONE,   /* a stream without layers: forward */
    LAYER_INFO_VP8,    /* .vp8 */
    LAYER_INFO_VP9,    /* .vp9 */
    LAYER_INFO_DD,     /* .dd */
    LAYER_INFO_MISSING /* a descriptor that cannot be understood, or not yet */
};

struct layer_packet {
    int64_t picture; /* RTP timestamp, unwrapped: packets of one picture (VP9, AV1: of all its
                        spatial layers) share it, and it grows */
    uint32_t timestamp;
    uint16_t seq;
    bool marker;
    bool key_frame; /* first packet of a key frame: a receiver may start here */
    uint8_t spatial;
    uint8_t temporal;
    enum layer_info info;
    union {
        struct vp8_desc vp8;
        struct vp9_desc vp9;
        struct dd_packet dd;
    };
};

/* What is remembered of one received stream. */
struct layer_stream {
    enum codec codec;
    struct seq_unwrap picture;
    struct dd_cache *dd; /* owned; NULL: the stream brings no dependency descriptors */
};

/* has_dd: the extension is negotiated; it is used for H.264 and AV1. ERR_NOMEM. */
MUST_CHECK enum err layer_stream_init(struct layer_stream *s, enum codec codec, bool has_dd);
void layer_stream_fini(struct layer_stream *s);

/* dd: the dependency descriptor's element, or empty. key_frame: as the stream judged it
 * (recv_stream.h). */
void layer_stream_packet(struct layer_stream *s, const struct rtp_view *v, struct slice dd,
                         bool key_frame, struct layer_packet *out);

/* ---- the consumer's copy ---- */

/* Applies it to a payload that was received with this codec. Nothing happens to what cannot be
 * parsed. */
void layer_patch_payload(enum codec codec, layer_patch patch, uint8_t *payload, size_t n);
/* The descriptor to send instead of `element`; scratch is used for it if it differs. */
struct slice layer_patch_dd(const struct layer_stream *s, layer_patch patch, struct slice element,
                            uint8_t scratch[DD_LEN_MAX]);

#endif
