#include "worker/media/seal_batch.h"

uint8_t *seal_batch_reserve(struct seal_batch *b, struct txq *q)
{
    if (b->n == SEAL_BATCH_MAX || q->used + b->n == TX_SLOTS)
        seal_batch_flush(b, q);
    return b->n == 0 ? txq_reserve(q) : txq_bytes(q, q->used + (uint32_t)b->n);
}

void seal_batch_add(struct seal_batch *b, struct txq *q, struct tx_dest *dest, struct sealer *s,
                    size_t len, bool again)
{
    b->jobs[b->n] = (struct seal_job){
        .sealer = s, .pkt = txq_bytes(q, q->used + (uint32_t)b->n), .len = len, .again = again};
    b->dests[b->n] = dest;
    b->n++;
}

void seal_batch_flush(struct seal_batch *b, struct txq *q)
{
    size_t n = b->n;
    b->n = 0;
    if (n > 0)
        seal_protect_rtp_batch(b->jobs, n);
    for (size_t i = 0; i < n; i++) {
        if (b->jobs[i].result == OK) {
            txq_commit(q, b->dests[i], b->jobs[i].len);
        } else {
            txq_skip(q);
            b->refused++;
        }
    }
}
