#include "common/packet.h"

#include <assert.h>
#include <stdlib.h>

enum { SLAB_PACKETS = 64 };

struct packet_slab {
    struct packet_slab *next; /* owned */
    struct packet packets[SLAB_PACKETS];
};

void packet_pool_init(struct packet_pool *pool, size_t limit)
{
    *pool = (struct packet_pool){.limit = limit};
}

void packet_pool_fini(struct packet_pool *pool)
{
    assert(pool->used == 0);
    while (pool->slabs) {
        struct packet_slab *next = pool->slabs->next;
        free(pool->slabs);
        pool->slabs = next;
    }
    pool->free = NULL;
}

static void grow(struct packet_pool *pool)
{
    if (pool->total + SLAB_PACKETS > pool->limit)
        return;
    struct packet_slab *slab = malloc(sizeof *slab);
    if (!slab)
        return;
    slab->next = pool->slabs;
    pool->slabs = slab;
    pool->total += SLAB_PACKETS;
    for (size_t i = 0; i < SLAB_PACKETS; i++) {
        slab->packets[i].pool = pool;
        slab->packets[i].refs = 0;
        slab->packets[i].next_free = pool->free;
        pool->free = &slab->packets[i];
    }
}

struct packet *packet_get(struct packet_pool *pool)
{
    if (!pool->free)
        grow(pool);
    struct packet *p = pool->free;
    if (!p)
        return NULL;
    pool->free = p->next_free;
    pool->used++;
    p->refs = 1;
    p->len = 0;
    p->arrived_at = 0;
    return p;
}

void packet_unref(struct packet *p)
{
    if (!p)
        return;
    assert(p->refs > 0);
    if (--p->refs > 0)
        return;
    struct packet_pool *pool = p->pool;
    p->next_free = pool->free;
    pool->free = p;
    pool->used--;
}
