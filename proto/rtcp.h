/* RTCP compound packets: walking them safely, and the header that all blocks share. RFC 3550
 * section 6. Pure; no IO. The blocks: rtcp_report.h (SR, RR), rtcp_sdes.h (SDES, BYE), rtcp_fb.h
 * (NACK, PLI, FIR, REMB), rtcp_xr.h (RRT, DLRR), twcc.h (transport-wide feedback).
 *
 *   |V=2|P| count/FMT |   type (PT)   |  length in 32-bit words, less one |
 */
#ifndef WEIR_PROTO_RTCP_H
#define WEIR_PROTO_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

enum {
    RTCP_HEADER_LEN = 4,
    RTCP_COUNT_MAX = 31 /* five bits: what is longer goes into further packets */
};

/* Packet types */
enum {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_APP = 204,
    RTCP_RTPFB = 205, /* RFC 4585 */
    RTCP_PSFB = 206,  /* RFC 4585 */
    RTCP_XR = 207     /* RFC 3611 */
};

/* Feedback message types (FMT) */
enum {
    RTPFB_NACK = 1,  /* RFC 4585 6.2.1 */
    RTPFB_TWCC = 15, /* draft-holmer-rmcat-transport-wide-cc-extensions-01 */
    PSFB_PLI = 1,    /* RFC 4585 6.3.1 */
    PSFB_SLI = 2,
    PSFB_RPSI = 3,
    PSFB_FIR = 4, /* RFC 5104 4.3.1 */
    PSFB_AFB = 15 /* application layer: REMB when the identifier says so */
};

enum rtcp_kind {
    RTCP_KIND_UNKNOWN, /* skip it: also APP, SLI, RPSI and what is not known here */
    RTCP_KIND_SR,
    RTCP_KIND_RR,
    RTCP_KIND_SDES,
    RTCP_KIND_BYE,
    RTCP_KIND_XR,
    RTCP_KIND_NACK,
    RTCP_KIND_TWCC,
    RTCP_KIND_PLI,
    RTCP_KIND_FIR,
    RTCP_KIND_REMB
};

struct rtcp_block {
    enum rtcp_kind kind;
    uint8_t type;       /* packet type */
    uint8_t count;      /* the five bits: count, FMT or subtype */
    struct slice body;  /* after the 4-byte header, without padding */
    struct slice whole; /* header and padding included */
};

struct rtcp_reader {
    struct rd r;
};

/* Checks the whole compound before any of it is used: versions, lengths, padding only in the last
 * block. ERR_TRUNCATED, ERR_MALFORMED. The first block need not be SR or RR (RFC 5506). */
MUST_CHECK enum err rtcp_reader_init(struct rtcp_reader *r, const void *data, size_t len);
/* false at the end. */
bool rtcp_next(struct rtcp_reader *r, struct rtcp_block *out);

/* SSRC of the sender: the first word of any body; 0 when there is none. */
uint32_t rtcp_sender_ssrc(const struct rtcp_block *b);

/* ---- writing: w->bad says that something did not fit ---- */

/* A header whose length rtcp_end patches; returns what rtcp_end wants. */
uint8_t *rtcp_begin(struct wr *w, uint8_t type, uint8_t count);
/* Everything since rtcp_begin must be a multiple of 4 bytes. */
void rtcp_end(struct wr *w, uint8_t *header);

#endif
