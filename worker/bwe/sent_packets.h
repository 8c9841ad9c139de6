/* What was sent under transport-wide sequence numbers, until feedback tells its fate
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01). Sans-IO. Owned by an estimator.
 *
 * Feedback is a peer's word: it may name only numbers that were sent and are still remembered, a
 * packet arrives once, and the work for one message is bounded by the ring. */
#ifndef WEIR_BWE_SENT_PACKETS_H
#define WEIR_BWE_SENT_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/time.h"
#include "proto/twcc.h"

enum {
    SENT_PACKETS_MIN = 256,          /* 2 KiB */
    SENT_PACKETS_MAX = 16384,        /* half the number space: 128 KiB, 100 Mbit/s over 1.5 s */
    SENT_PACKETS_AGE_US = 60000000,  /* what is older is forgotten: times have 32 bits */
    SENT_PACKETS_SKIP_MAX = 2048,    /* statuses from before the ring that one message may have */
    SENT_PACKETS_JUMP_US = 60000000, /* of the receiver's clock beside ours: it began anew */
    PROBE_NONE = 0                   /* cluster id of what is not a probe */
};

struct sent_packet {
    uint32_t at; /* low 32 bits of the time of sending */
    uint16_t size;
    uint8_t cluster; /* of a probe, PROBE_NONE */
    uint8_t state;
};

struct sent_packets {
    struct sent_packet *ring; /* owned */
    uint32_t cap;             /* a power of two */
    int64_t oldest;           /* number; valid while n > 0 */
    int64_t newest;
    usec newest_at;
    uint64_t in_flight; /* bytes without any word about them */
    bool crowded;       /* something was forgotten unreported: grow */
    bool started;
    /* The receiver's clock, unwrapped. */
    bool clock_started;
    int32_t reference;
    usec clock;    /* of the reference */
    usec clock_at; /* our time of that feedback */
};

/* One packet's fate. */
struct packet_result {
    usec sent_at;
    usec arrived_at; /* on the receiver's clock; USEC_NEVER: lost */
    uint16_t size;
    uint8_t cluster;
    bool late; /* it had been reported lost before */
};

/* Walks one feedback message. */
struct sent_report {
    struct twcc_reader reader;
    usec clock;      /* add to the reader's times */
    int64_t number;  /* of the next status */
    int64_t last;    /* the last number that counts */
    bool clock_jump; /* the receiver's clock began anew: intervals across are meaningless */
};

MUST_CHECK enum err sent_packets_init(struct sent_packets *s);
void sent_packets_fini(struct sent_packets *s);
/* Numbers grow by one; a jump forgets all before it. */
void sent_packets_add(struct sent_packets *s, usec now, uint16_t seq, uint16_t size,
                      uint8_t cluster);
/* Fetches into the cache where the next packets go. */
void sent_packets_prefetch(const struct sent_packets *s);
/* The same for what the next feedback speaks of. */
void sent_packets_prefetch_feedback(const struct sent_packets *s);
/* False: it speaks of nothing that is remembered. */
bool sent_packets_report(struct sent_packets *s, usec now, const struct twcc *t,
                         struct sent_report *r);
/* Packets whose fate is news, by number; false at the end. */
bool sent_packets_next(struct sent_packets *s, struct sent_report *r, struct packet_result *out);
/* Doubles a ring that was too small, outside of the sending path. Without memory it stays. */
void sent_packets_grow(struct sent_packets *s);

#endif
