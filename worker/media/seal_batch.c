#include "worker/media/seal_batch.h"

/* Behind what waits already, and what will grow by its tag. */
static uint8_t *place(const struct seal_batch *b, const struct txq *q)
{
    if (b->n == 0)
        return txq_end(q);
    const struct seal_job *last = &b->jobs[b->n - 1];
    return last->pkt + last->len + seal_overhead(last->sealer);
}

uint8_t *seal_batch_reserve(struct seal_batch *b, struct txq *q)
{
    if (b->n == SEAL_BATCH_MAX || q->used + b->n == TX_SLOTS)
        seal_batch_flush(b, q);
    return b->n == 0 ? txq_reserve(q) : place(b, q);
}

void seal_batch_add(struct seal_batch *b, struct txq *q, struct tx_dest *dest, struct sealer *s,
                    size_t len, bool again)
{
    b->jobs[b->n] = (struct seal_job){.sealer = s, .pkt = place(b, q), .len = len, .again = again};
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
            txq_skip(q, b->jobs[i].len + seal_overhead(b->jobs[i].sealer));
            b->refused++;
        }
    }
}
