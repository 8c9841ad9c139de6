#include "worker/media/forward_batch.h"

#include "worker/media/consumer.h"
#include "worker/media/worker_state.h"

void forward_batch_add(struct worker *w, usec now, struct producer *p, const struct media_packet *m)
{
    struct forward_batch *b = &w->forward_batch;
    if (b->n == FORWARD_BATCH_MAX || (b->n > 0 && b->producer != p))
        forward_batch_flush(w, now);
    b->producer = p;
    b->packets[b->n] = *m;
    packet_ref(m->packet);
    if (m->layers) {
        b->layers[b->n] = *m->layers;
        b->packets[b->n].layers = &b->layers[b->n];
    }
    b->n++;
}

static void send_early(struct worker *w)
{
    if (w->txq.used + w->seal_batch.n < FORWARD_SLOTS || !w->txq.drain)
        return;
    seal_batch_flush(&w->seal_batch, &w->txq);
    w->txq.drain(w->txq.drain_ctx, &w->txq);
}

void forward_batch_flush(struct worker *w, usec now)
{
    struct forward_batch *b = &w->forward_batch;
    const struct producer *p = b->producer;
    size_t n = b->n;
    if (n == 0)
        return;
    b->n = 0;
    for (size_t i = 0; i < p->n_consumers; i++) {
        struct consumer *c = p->consumers[i];
        for (size_t k = 0; k < n; k++)
            c->ops->rtp(c, now, &b->packets[k]);
        send_early(w);
    }
    for (size_t k = 0; k < n; k++)
        packet_unref(b->packets[k].packet);
}

void forward_batch_drop(struct worker *w, const struct producer *p)
{
    struct forward_batch *b = &w->forward_batch;
    if (b->producer != p)
        return;
    for (size_t k = 0; k < b->n; k++)
        packet_unref(b->packets[k].packet);
    b->n = 0;
    b->producer = NULL;
}
