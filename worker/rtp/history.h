/* What one sent stream keeps to retransmit: references to the packets as they were received, and
 * what it takes to make the outgoing header again. Sans-IO. A ring by output sequence number that
 * starts small and doubles up to a limit; a packet's bytes are never copied. */
#ifndef WEIR_RTP_HISTORY_H
#define WEIR_RTP_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/packet.h"
#include "common/time.h"

enum {
    HISTORY_START = 32,  /* entries at the first packet */
    HISTORY_LIMIT = 4096 /* a power of two; 96 KiB, reached only by 2,000 packets/s */
};

#define HISTORY_AGE_VIDEO (2 * USEC_PER_SEC)
#define HISTORY_AGE_AUDIO (1 * USEC_PER_SEC)

/* 24 bytes: there is one for each packet and consumer of the last seconds. */
struct history_entry {
    struct packet *packet;    /* ref; NULL: a hole */
    uint32_t ts;              /* outgoing RTP timestamp */
    uint32_t patch;           /* the owner's: what else differs from the received packet */
    uint32_t sent_ms;         /* wraps; ages are differences */
    uint16_t resent_after_ms; /* last retransmission, since sent_ms; 0: none yet */
    uint8_t resent;           /* how often */
    uint8_t marker;
};

_Static_assert(sizeof(struct history_entry) == 24, "memory per consumer and packet");

struct history {
    struct history_entry *ring; /* owned; cap entries, a power of two */
    uint32_t cap;
    uint32_t n;     /* sequence numbers from first on, holes included */
    uint16_t first; /* oldest sequence number */
    uint32_t age_ms;
};

void history_init(struct history *h, usec age);
/* Gives all references back. */
void history_fini(struct history *h);
void history_clear(struct history *h);
/* Keeps a reference to packet. Sequence numbers may come out of order and with holes; what is older
 * than all that is kept, or is there already, is not taken. Without memory to grow, the oldest
 * make room. */
void history_add(struct history *h, usec now, uint16_t seq, struct packet *packet, uint32_t ts,
                 bool marker, uint32_t patch);
/* Fetches into the cache where the next packets go, and what they replace. */
void history_prefetch(const struct history *h);
/* NULL: never there, too old, or evicted. Valid until the next call. */
struct history_entry *history_find(struct history *h, usec now, uint16_t seq);
/* Gives back what is too old; history_add does a part of this by itself. For quiet streams. */
void history_expire(struct history *h, usec now);
/* The newest entry not older than the limit, for padding by retransmission; NULL when empty. */
struct history_entry *history_newest(struct history *h, usec now, uint16_t *seq);

#endif
