/* RTCP extended reports, the two blocks that give a receiver a round-trip time: receiver reference
 * time (RFC 3611 section 4.4) and DLRR (4.5). Other blocks are skipped. Pure; no IO. */
#ifndef WEIR_PROTO_RTCP_XR_H
#define WEIR_PROTO_RTCP_XR_H

#include "proto/rtcp.h"

enum { XR_RRT = 4, XR_DLRR = 5, XR_DLRR_ITEM_LEN = 12 };

struct rtcp_dlrr {
    uint32_t ssrc; /* of the receiver whose reference time is answered */
    uint32_t lrr;  /* middle 32 bits of its NTP time */
    uint32_t dlrr; /* 1/65536 s since it came */
};

struct rtcp_xr {
    uint32_t ssrc;
    uint64_t rrt_ntp; /* 32.32 s since 1900 */
    bool has_rrt;
    struct slice dlrrs; /* the first DLRR block's items, for rtcp_dlrr_at */
    size_t n_dlrrs;
};

MUST_CHECK enum err rtcp_parse_xr(const struct rtcp_block *b, struct rtcp_xr *out);
/* i < n_dlrrs */
struct rtcp_dlrr rtcp_dlrr_at(const struct rtcp_xr *x, size_t i);

void rtcp_write_xr_rrt(struct wr *w, uint32_t ssrc, uint64_t ntp);
/* Nothing for n == 0. */
void rtcp_write_xr_dlrr(struct wr *w, uint32_t ssrc, const struct rtcp_dlrr *items, size_t n);

#endif
