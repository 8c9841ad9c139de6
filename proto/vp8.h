/* VP8 in RTP: the payload descriptor (RFC 7741 section 4.2), its rewriting in place, and the frame
 * header of key frames (section 4.3, RFC 6386 section 9.1). Pure; no IO.
 *
 *   |X|R|N|S|R| PID |   required
 *   |I|L|T|K|  RSV  |   X
 *   |M| PictureID   |   I; M: 15 bits
 *   |   TL0PICIDX   |   L
 *   |TID|Y| KEYIDX  |   T or K
 */
#ifndef WEIR_PROTO_VP8_H
#define WEIR_PROTO_VP8_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

struct vp8_desc {
    uint16_t picture_id;
    uint16_t width; /* key frames; 0 when not known */
    uint16_t height;
    uint8_t picture_id_at; /* offset in the payload; 0: absent */
    uint8_t tl0_at;        /* offset of TL0PICIDX; 0: absent */
    uint8_t header_len;    /* bytes of the descriptor */
    uint8_t partition;
    uint8_t tl0_pic_idx;
    uint8_t temporal; /* layer; 0 when has_temporal is false */
    uint8_t key_idx;
    bool has_temporal;
    bool has_key_idx;
    bool picture_id_15; /* 15 bits, else 7 */
    bool layer_sync;    /* Y: may be switched up to here */
    bool start;         /* S: first packet of a partition */
    bool non_reference; /* N */
    bool key_frame;     /* first packet of a key frame */
};

/* ERR_TRUNCATED: the descriptor does not fit, or no VP8 byte follows it. */
MUST_CHECK enum err vp8_parse(struct vp8_desc *d, struct slice payload);
/* Patches what d says is there; the picture id keeps its width (the upper bits of a 7-bit one are
 * cut off). payload: the bytes that d was parsed from. */
void vp8_rewrite(const struct vp8_desc *d, uint8_t *payload, uint16_t picture_id,
                 uint8_t tl0_pic_idx);

#endif
