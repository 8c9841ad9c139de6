/* What one turn of the loop sends: datagrams, grouped by destination. Memory only; io drains it
 * with UDP_SEGMENT and sendmmsg, once at the end of the turn (DESIGN 4, hot path).
 *
 * A packet is written once, into a slot, which begins where the one before it ends: what goes to
 * one destination in a row is one piece of memory for the kernel. Slots queue at their destination
 * in order. Who owns a remote address (an ICE tuple, a plain transport's peer) embeds a tx_dest. */
#ifndef WEIR_WORKER_MEDIA_TXQ_H
#define WEIR_WORKER_MEDIA_TXQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/list.h"

enum {
    TX_SLOT_CAP = 1600, /* bytes of a slot: a packet with its SRTP tag */
    TX_SLOTS = 4096,    /* slots of a turn; a turn that makes more is drained in between */
    TX_NONE = UINT32_MAX
};

struct tx_dest {
    struct list dirty; /* in txq.dirty while slots are queued */
    struct tuple to;   /* where to; to.sock and to.conn name the socket or TCP connection */
    uint32_t first;    /* index of the first queued slot, or TX_NONE */
    uint32_t last;
    uint32_t count;
};

struct tx_slot {
    uint32_t next; /* of the same destination, or TX_NONE */
    uint32_t len;
    uint32_t at; /* in txq.bytes */
};

struct txq {
    struct list dirty;     /* of tx_dest, in the order in which they were first written to */
    struct tx_slot *slots; /* owned, TX_SLOTS */
    uint8_t *bytes;        /* owned, TX_SLOTS * TX_SLOT_CAP */
    uint32_t used;         /* slots taken in this turn */
    uint32_t end;          /* bytes taken, used * TX_SLOT_CAP at most */
    void (*drain)(void *ctx, struct txq *q); /* sends everything and calls txq_reset; set by io */
    void *drain_ctx;                         /* borrowed */
};

MUST_CHECK enum err txq_init(struct txq *q);
void txq_fini(struct txq *q);

void tx_dest_init(struct tx_dest *d, const struct tuple *to);
/* Sends what is queued for it, with everything else. */
void tx_dest_flush(struct txq *q, struct tx_dest *d);
/* Drops what is queued for it. Must be called before its memory goes. */
void tx_dest_fini(struct tx_dest *d);

/* A slot of TX_SLOT_CAP bytes to write a packet into. Valid until the next txq_reserve; taken only
 * by txq_commit, so a reservation that fails later costs nothing. Drains first when all slots are
 * used. */
uint8_t *txq_reserve(struct txq *q);
/* Queues the first len bytes of the slot reserved last for d. 0 < len <= TX_SLOT_CAP. */
void txq_commit(struct txq *q, struct tx_dest *d, size_t len);
/* Leaves a slot of len bytes, where the next commit would put its own, unused. */
void txq_skip(struct txq *q, size_t len);
/* Reserve, copy, commit: for control messages. Longer than a slot: dropped, false. */
bool txq_send(struct txq *q, struct tx_dest *d, const void *bytes, size_t len);

static inline uint8_t *txq_bytes(const struct txq *q, uint32_t slot)
{
    return q->bytes + q->slots[slot].at;
}

/* Where the next slot begins. */
static inline uint8_t *txq_end(const struct txq *q)
{
    return q->bytes + q->end;
}

/* After draining: forgets all slots and empties the list of dirty destinations. */
void txq_reset(struct txq *q);

#endif
