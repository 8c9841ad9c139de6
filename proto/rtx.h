/* Retransmission packets: RFC 4588 section 4. Pure; no IO.
 * An RTX packet is the original with payload type, SSRC and sequence number of the RTX stream, and
 * the original sequence number (OSN, 16 bits) in front of the payload. */
#ifndef WEIR_PROTO_RTX_H
#define WEIR_PROTO_RTX_H

#include "proto/rtp.h"

enum { RTX_OSN_LEN = 2 };

/* Writes the RTX packet of v into w (which must be empty); padding is left out.
 * ERR_TOO_LARGE: no room. out (may be NULL) becomes the view of what was written. */
MUST_CHECK enum err rtx_encode(struct wr *w, const struct rtp_view *v, uint8_t payload_type,
                               uint32_t ssrc, uint16_t seq, struct rtp_view *out);
/* The same in place, in a buffer of cap bytes; padding is dropped. On failure v is unchanged. */
MUST_CHECK enum err rtx_wrap(struct rtp_view *v, uint8_t payload_type, uint32_t ssrc, uint16_t seq,
                             size_t cap);

/* Original sequence number of an RTX packet. ERR_TRUNCATED when the payload has none: the peer
 * probes with padding only, nothing is wrong. */
MUST_CHECK enum err rtx_osn(const struct rtp_view *v, uint16_t *osn);
/* Makes v the original packet, in place: payload moved, padding dropped, v->data unchanged.
 * ERR_TRUNCATED as above; then v is unchanged. */
MUST_CHECK enum err rtx_decode(struct rtp_view *v, uint8_t payload_type, uint32_t ssrc);

#endif
