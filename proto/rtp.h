/* RTP packets, parsed in place and patched in place: RFC 3550 section 5.1. Pure; no IO.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *   |                           timestamp                           |
 *   |                             SSRC                              |
 *   |                    CSRC, CC times (32 bits)                   |
 *   |  extension profile (X)        |  length in 32-bit words       |
 *   |  extension ...   payload ...    padding, the last byte counts |
 */
#ifndef WEIR_PROTO_RTP_H
#define WEIR_PROTO_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

enum {
    RTP_HEADER_LEN = 12,
    RTP_PACKET_MAX = 65535, /* offsets below are 16 bits */
    RTP_PT_MAX = 127
};

/* A parsed packet. data stays the caller's; len == payload_at + payload_len + padding. */
struct rtp_view {
    uint8_t *data; /* borrowed */
    uint32_t timestamp;
    uint32_t ssrc;
    uint16_t len;
    uint16_t seq;
    uint16_t payload_at;  /* offset in data */
    uint16_t payload_len; /* without padding; 0 is valid */
    uint16_t ext_at;  /* offset of the first byte after the extension's 4-byte header; 0: no X */
    uint16_t ext_len; /* bytes, a multiple of 4 */
    uint16_t ext_profile; /* 0xBEDE: one-byte elements; 0x1000..0x100F: two-byte; see rtp_ext.h */
    uint8_t payload_type;
    uint8_t padding; /* bytes at the end, the counting byte included; 0: no P */
    uint8_t csrc_count;
    bool marker;
};

/* ERR_TRUNCATED: shorter than its header says; ERR_MALFORMED: version is not 2, or padding is zero
 * or longer than what follows the header; ERR_TOO_LARGE. data must stay while the view is used. */
MUST_CHECK enum err rtp_parse(struct rtp_view *v, uint8_t *data, size_t len);

/* A new fixed header: no CSRC, no extension, no padding. */
void rtp_write_header(struct wr *w, bool marker, uint8_t payload_type, uint16_t seq,
                      uint32_t timestamp, uint32_t ssrc);

static inline uint8_t *rtp_payload(const struct rtp_view *v)
{
    return v->data + v->payload_at;
}

static inline struct slice rtp_payload_slice(const struct rtp_view *v)
{
    return slice_of(v->data + v->payload_at, v->payload_len);
}

/* ---- patches: view and bytes change together ---- */

static inline void rtp_set_seq(struct rtp_view *v, uint16_t seq)
{
    v->seq = seq;
    put_u16(v->data + 2, seq);
}

static inline void rtp_set_timestamp(struct rtp_view *v, uint32_t timestamp)
{
    v->timestamp = timestamp;
    put_u32(v->data + 4, timestamp);
}

static inline void rtp_set_ssrc(struct rtp_view *v, uint32_t ssrc)
{
    v->ssrc = ssrc;
    put_u32(v->data + 8, ssrc);
}

static inline void rtp_set_payload_type(struct rtp_view *v, uint8_t pt)
{
    v->payload_type = pt & 0x7f;
    v->data[1] = (uint8_t)((v->data[1] & 0x80) | (pt & 0x7f));
}

static inline void rtp_set_marker(struct rtp_view *v, bool marker)
{
    v->marker = marker;
    v->data[1] = (uint8_t)((v->data[1] & 0x7f) | (marker ? 0x80 : 0));
}

/* Cuts the padding off: P cleared, len shortened. */
static inline void rtp_drop_padding(struct rtp_view *v)
{
    v->len = (uint16_t)(v->len - v->padding);
    v->padding = 0;
    v->data[0] &= 0xdf;
}

/* Pads to n bytes more (1..255) where data has room for cap bytes. Replaces padding that is there.
 * ERR_TOO_LARGE: no room, or n out of range. */
MUST_CHECK enum err rtp_set_padding(struct rtp_view *v, size_t n, size_t cap);

#endif
