/* The packet buffer: reference-counted, from a pool, one thread. A packet is stored once, however
 * many consumers and retransmission histories point at it. No IO; steady state allocates nothing.
 */
#ifndef WEIR_COMMON_PACKET_H
#define WEIR_COMMON_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "common/time.h"

/* An Ethernet MTU; larger datagrams are cut by the kernel and dropped by whoever reads the flag. */
enum { PACKET_CAP = 1600 };

struct packet_pool;

struct packet {
    struct packet_pool *pool; /* parent, outlives us */
    struct packet *next_free; /* in the pool's free list */
    uint32_t refs;
    uint32_t len;
    usec arrived_at;
    uint8_t data[PACKET_CAP];
};

struct packet_pool {
    struct packet *free;
    struct packet_slab *slabs; /* owned */
    size_t limit;              /* most packets */
    size_t total;              /* packets in slabs */
    size_t used;               /* handed out now */
};

/* limit: most packets that may exist; memory is taken in slabs as it is needed and kept. */
void packet_pool_init(struct packet_pool *pool, size_t limit);
/* All packets must be back. */
void packet_pool_fini(struct packet_pool *pool);

/* One reference, len 0; NULL when the limit or memory is exhausted. */
struct packet *packet_get(struct packet_pool *pool);

static inline struct packet *packet_ref(struct packet *p)
{
    p->refs++;
    return p;
}

/* NULL is fine. */
void packet_unref(struct packet *p);

#endif
