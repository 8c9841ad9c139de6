/* VP9 in RTP: the payload descriptor, flexible and non-flexible, with the scalability structure:
 * RFC 9628 section 4.2. Pure; no IO.
 *
 *   |I|P|L|F|B|E|V|Z|   required
 *   |M| PICTURE ID  |   I; M: 15 bits
 *   | TID |U| SID |D|   L
 *   |   TL0PICIDX   |   L and not F
 *   |  P_DIFF     |N|   F and P; up to three
 *   |  SS ...           V
 */
#ifndef WEIR_PROTO_VP9_H
#define WEIR_PROTO_VP9_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

enum { VP9_SPATIAL_MAX = 8, VP9_REFS_MAX = 3 };

/* Scalability structure; the picture group is checked and skipped. */
struct vp9_ss {
    uint8_t n_spatial; /* 1..8; 0: no structure in this packet */
    uint8_t n_group;   /* pictures in the group; 0: none given */
    bool has_resolution;
    uint16_t width[VP9_SPATIAL_MAX];
    uint16_t height[VP9_SPATIAL_MAX];
};

struct vp9_desc {
    uint16_t picture_id;
    uint8_t picture_id_at; /* offset in the payload; 0: absent */
    uint8_t layers_at;     /* offset of the TID/SID byte; 0: absent */
    uint8_t tl0_at;        /* offset of TL0PICIDX; 0: absent */
    uint16_t header_len;   /* bytes of the descriptor */
    uint8_t tl0_pic_idx;
    uint8_t temporal;
    uint8_t spatial;
    uint8_t n_refs;             /* P_DIFFs */
    uint8_t refs[VP9_REFS_MAX]; /* distance in pictures, 1..127 */
    bool picture_id_15;
    bool has_layers;
    bool flexible;            /* F */
    bool inter_picture;       /* P: predicted from earlier pictures */
    bool start;               /* B: first packet of the layer frame */
    bool end;                 /* E: last packet of the layer frame */
    bool switching_up;        /* U */
    bool inter_layer;         /* D: predicted from the lower spatial layer */
    bool not_upper_reference; /* Z: not a reference for upper spatial layers */
    bool key_frame;           /* first packet of a key picture's lowest layer */
    struct vp9_ss ss;         /* in the first packet of a key frame, usually */
};

/* ERR_TRUNCATED; ERR_MALFORMED: more than three reference distances. Only the scalar fields of
 * d->ss are valid without has_resolution. */
MUST_CHECK enum err vp9_parse(struct vp9_desc *d, struct slice payload);
/* Patches what d says is there; the picture id keeps its width. */
void vp9_rewrite(const struct vp9_desc *d, uint8_t *payload, uint16_t picture_id,
                 uint8_t tl0_pic_idx);

#endif
