/* RTCP source descriptions (CNAME) and goodbyes: RFC 3550 sections 6.5 and 6.6. Pure; no IO. */
#ifndef WEIR_PROTO_RTCP_SDES_H
#define WEIR_PROTO_RTCP_SDES_H

#include "proto/rtcp.h"

enum { SDES_CNAME = 1, SDES_TEXT_MAX = 255 };

struct rtcp_sdes_chunk {
    uint32_t ssrc;
    struct slice cname; /* UTF-8, up to 255 bytes; p NULL when the chunk has none */
};

/* Walks the chunks: *at starts at 0. false at the end or where the block is malformed; what came
 * before is valid. */
bool rtcp_sdes_next(const struct rtcp_block *b, size_t *at, struct rtcp_sdes_chunk *out);

struct rtcp_bye {
    uint32_t ssrcs[RTCP_COUNT_MAX];
    size_t n_ssrcs;
    struct slice reason; /* p NULL: none */
};

MUST_CHECK enum err rtcp_parse_bye(const struct rtcp_block *b, struct rtcp_bye *out);

/* cname is cut at 255 bytes; one packet more for every 31 chunks; nothing for n == 0. */
void rtcp_write_sdes(struct wr *w, const struct rtcp_sdes_chunk *chunks, size_t n);
/* reason may be empty; one packet more for every 31 SSRCs. */
void rtcp_write_bye(struct wr *w, const uint32_t *ssrcs, size_t n, struct slice reason);

#endif
