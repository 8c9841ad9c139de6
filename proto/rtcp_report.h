/* RTCP sender and receiver reports: RFC 3550 sections 6.4.1 and 6.4.2. Pure; no IO. */
#ifndef WEIR_PROTO_RTCP_REPORT_H
#define WEIR_PROTO_RTCP_REPORT_H

#include "proto/rtcp.h"

enum { RTCP_REPORT_LEN = 24, RTCP_SENDER_INFO_LEN = 20 };

struct rtcp_report {
    uint32_t ssrc;         /* of the stream reported on */
    int32_t lost;          /* cumulative, signed 24 bits; written clamped */
    uint32_t highest_seq;  /* extended: cycles in the upper half */
    uint32_t jitter;       /* RTP timestamp units */
    uint32_t lsr;          /* middle 32 bits of the last SR's NTP time; 0: none */
    uint32_t dlsr;         /* 1/65536 s since then */
    uint8_t fraction_lost; /* of 256 */
};

struct rtcp_sr {
    uint64_t ntp; /* 32.32 s since 1900 */
    uint32_t ssrc;
    uint32_t rtp_timestamp;
    uint32_t packets;
    uint32_t octets;
    struct slice reports; /* for rtcp_report_at */
    size_t n_reports;
};

struct rtcp_rr {
    uint32_t ssrc;
    struct slice reports; /* for rtcp_report_at */
    size_t n_reports;
};

MUST_CHECK enum err rtcp_parse_sr(const struct rtcp_block *b, struct rtcp_sr *out);
MUST_CHECK enum err rtcp_parse_rr(const struct rtcp_block *b, struct rtcp_rr *out);
/* i < n_reports */
struct rtcp_report rtcp_report_at(struct slice reports, size_t i);

/* sr->reports is ignored; reports beyond 31 follow in RR packets. */
void rtcp_write_sr(struct wr *w, const struct rtcp_sr *sr, const struct rtcp_report *reports,
                   size_t n);
/* An empty RR for n == 0; one packet more for every 31 reports. */
void rtcp_write_rr(struct wr *w, uint32_t ssrc, const struct rtcp_report *reports, size_t n);

#endif
