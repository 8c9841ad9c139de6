#include "worker/media/txq.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum err txq_init(struct txq *q)
{
    *q = (struct txq){0};
    list_init(&q->dirty);
    q->slots = calloc(TX_SLOTS, sizeof *q->slots);
    q->bytes = malloc((size_t)TX_SLOTS * TX_SLOT_CAP);
    if (!q->slots || !q->bytes) {
        txq_fini(q);
        return ERR_NOMEM;
    }
    return OK;
}

void txq_fini(struct txq *q)
{
    if (q->dirty.next)
        txq_reset(q);
    free(q->slots);
    free(q->bytes);
    q->slots = NULL;
    q->bytes = NULL;
}

void tx_dest_init(struct tx_dest *d, const struct tuple *to)
{
    *d = (struct tx_dest){.to = *to, .first = TX_NONE, .last = TX_NONE};
    list_init(&d->dirty);
}

static void forget(struct tx_dest *d)
{
    list_remove(&d->dirty);
    d->first = d->last = TX_NONE;
    d->count = 0;
}

void tx_dest_flush(struct txq *q, struct tx_dest *d)
{
    if (d->first != TX_NONE && q->drain)
        q->drain(q->drain_ctx, q);
}

void tx_dest_fini(struct tx_dest *d)
{
    forget(d);
}

uint8_t *txq_reserve(struct txq *q)
{
    if (q->used == TX_SLOTS)
        q->drain(q->drain_ctx, q);
    assert(q->used < TX_SLOTS);
    return txq_end(q);
}

void txq_commit(struct txq *q, struct tx_dest *d, size_t len)
{
    assert(len > 0 && len <= TX_SLOT_CAP && q->used < TX_SLOTS);
    uint32_t i = q->used++;
    q->slots[i] = (struct tx_slot){.next = TX_NONE, .len = (uint32_t)len, .at = q->end};
    q->end += (uint32_t)len;
    if (d->first == TX_NONE) {
        d->first = i;
        list_add(&q->dirty, &d->dirty);
    } else {
        q->slots[d->last].next = i;
    }
    d->last = i;
    d->count++;
}

void txq_skip(struct txq *q, size_t len)
{
    assert(len <= TX_SLOT_CAP && q->used < TX_SLOTS);
    q->used++;
    q->end += (uint32_t)len;
}

bool txq_send(struct txq *q, struct tx_dest *d, const void *bytes, size_t len)
{
    if (len == 0 || len > TX_SLOT_CAP)
        return false;
    memcpy(txq_reserve(q), bytes, len);
    txq_commit(q, d, len);
    return true;
}

void txq_reset(struct txq *q)
{
    list_each (node, &q->dirty) {
        forget(container_of(node, struct tx_dest, dirty));
    }
    q->used = q->end = 0;
}
