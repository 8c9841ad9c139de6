/* Transport-wide congestion control feedback:
 * draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3. Pure; no IO.
 *
 *   |  header: RTPFB, FMT 15  | SSRC of sender | SSRC of media source |
 *   |  base sequence number         |  packet status count            |
 *   |  reference time, 24 bits, 64 ms           | feedback count      |
 *   |  packet chunks, 16 bits each ...                                |
 *   |  receive deltas, 8 or 16 bits each, 250 us; zero padding        |
 */
#ifndef WEIR_PROTO_TWCC_H
#define WEIR_PROTO_TWCC_H

#include "common/time.h"
#include "proto/rtcp.h"

#define TWCC_DELTA_TICK ((usec)250)       /* unit of a receive delta */
#define TWCC_REFERENCE_TICK ((usec)64000) /* unit of the reference time */

struct twcc {
    uint32_t sender_ssrc;
    uint32_t media_ssrc;
    int32_t reference; /* signed 24 bits, in TWCC_REFERENCE_TICK; wraps every 12.4 days */
    uint16_t base_seq;
    uint16_t count; /* packets reported on, lost ones included */
    uint8_t feedback_count;
    struct slice chunks; /* chunks, deltas and padding, for twcc_next */
    size_t deltas_at;    /* where in chunks the deltas begin */
};

/* One packet's fate. */
struct twcc_packet {
    uint16_t seq;
    bool received;
    usec delta; /* since the packet received before it, or since the reference time; may be < 0 */
    usec at;    /* on the receiver's clock: reference time plus all deltas so far */
};

struct twcc_reader {
    struct rd chunks; /* internal */
    struct rd deltas;
    usec at;
    uint16_t seq;
    uint16_t left;
    uint16_t chunk;
    uint16_t chunk_left;
    uint16_t chunk_used;
};

/* Checks everything: chunks cover the count, deltas are there. ERR_TRUNCATED, ERR_MALFORMED. */
MUST_CHECK enum err twcc_parse(const struct rtcp_block *b, struct twcc *out);
void twcc_reader_init(struct twcc_reader *r, const struct twcc *t);
/* Packets in order of sequence number; false at the end. */
bool twcc_next(struct twcc_reader *r, struct twcc_packet *out);

struct twcc_arrival {
    uint16_t seq;
    usec at; /* >= 0, any clock */
};

/* One feedback message from base_seq on: packets that are not in the list are reported lost.
 * arrivals: ascending (wrapping) sequence numbers without repeats, none before base_seq, and less
 * than 32768 from first to last. Takes as many as one message can carry in w (a delta is at most
 * about +-8 s, the buffer has its end, a count is 16 bits); *taken says how many, at least one on
 * OK; call again with the rest and base_seq = last taken + 1. ERR_TYPE: n is 0; ERR_RANGE: not
 * ascending; ERR_TOO_LARGE: w has no room for even one, and is unchanged. */
MUST_CHECK enum err twcc_write(struct wr *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                               uint8_t feedback_count, uint16_t base_seq,
                               const struct twcc_arrival *arrivals, size_t n, size_t *taken);

#endif
