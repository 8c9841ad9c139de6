/* RTCP feedback: generic NACK and PLI (RFC 4585), FIR (RFC 5104), REMB
 * (draft-alvestrand-rmcat-remb-03). Pure; no IO.
 *
 *   | header | SSRC of packet sender | SSRC of media source | FCI ... |
 */
#ifndef WEIR_PROTO_RTCP_FB_H
#define WEIR_PROTO_RTCP_FB_H

#include "proto/rtcp.h"

enum {
    NACK_ITEM_LEN = 4,
    NACK_ITEM_SEQS = 17, /* pid and 16 bits */
    REMB_SSRCS_MAX = 255
};

struct rtcp_nack {
    uint32_t sender_ssrc;
    uint32_t media_ssrc;
    struct slice items; /* for rtcp_nack_item and rtcp_nack_seqs */
    size_t n_items;
};

/* Bit i of blp: pid + 1 + i is lost too. */
struct rtcp_nack_item {
    uint16_t pid;
    uint16_t blp;
};

MUST_CHECK enum err rtcp_parse_nack(const struct rtcp_block *b, struct rtcp_nack *out);
/* i < n_items */
struct rtcp_nack_item rtcp_nack_item(const struct rtcp_nack *n, size_t i);
/* All lost sequence numbers in the order of the message; at most cap; returns how many. */
size_t rtcp_nack_seqs(const struct rtcp_nack *n, uint16_t *out, size_t cap);
/* seqs in ascending (wrapping) order pack best. Nothing for n == 0. */
void rtcp_write_nack(struct wr *w, uint32_t sender_ssrc, uint32_t media_ssrc, const uint16_t *seqs,
                     size_t n);

struct rtcp_pli {
    uint32_t sender_ssrc;
    uint32_t media_ssrc;
};

MUST_CHECK enum err rtcp_parse_pli(const struct rtcp_block *b, struct rtcp_pli *out);
void rtcp_write_pli(struct wr *w, uint32_t sender_ssrc, uint32_t media_ssrc);

struct rtcp_fir_item {
    uint32_t ssrc; /* the media source that is to send a key frame */
    uint8_t seq;   /* command number: a repeat has the same */
};

struct rtcp_fir {
    uint32_t sender_ssrc;
    struct slice items; /* for rtcp_fir_item */
    size_t n_items;
};

MUST_CHECK enum err rtcp_parse_fir(const struct rtcp_block *b, struct rtcp_fir *out);
/* i < n_items */
struct rtcp_fir_item rtcp_fir_item(const struct rtcp_fir *f, size_t i);
void rtcp_write_fir(struct wr *w, uint32_t sender_ssrc, const struct rtcp_fir_item *items,
                    size_t n);

struct rtcp_remb {
    uint64_t bitrate_bps; /* saturates at UINT64_MAX */
    uint32_t sender_ssrc;
    struct slice ssrcs; /* for rtcp_remb_ssrc */
    size_t n_ssrcs;
};

MUST_CHECK enum err rtcp_parse_remb(const struct rtcp_block *b, struct rtcp_remb *out);
/* i < n_ssrcs */
uint32_t rtcp_remb_ssrc(const struct rtcp_remb *r, size_t i);
/* The bitrate is written with 18 significant bits, rounded down; n at most 255. */
void rtcp_write_remb(struct wr *w, uint32_t sender_ssrc, uint64_t bitrate_bps,
                     const uint32_t *ssrcs, size_t n);

#endif
