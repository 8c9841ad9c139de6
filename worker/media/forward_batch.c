#include "worker/media/forward_batch.h"

#include "common/prefetch.h"
#include "worker/media/burst_padding.h"
#include "worker/media/consumer.h"
#include "worker/media/forward_stream.h"
#include "worker/media/transport.h"
#include "worker/media/transport_bwe.h"
#include "worker/media/transport_pace.h"
#include "worker/media/worker_state.h"
#include "worker/rtp/send_stream.h"

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

/* What a packet looks at of a consumer with one stream: of its base, and of what is behind that. */
enum {
    BASE_BYTES = offsetof(struct consumer, codecs),
    STREAM_BYTES =
        offsetof(struct forward_stream, send) + offsetof(struct send_stream, rate.buckets)
};

/* Everything that sending to a consumer takes lies behind a chain of pointers, and is long out of
 * the cache when its turn comes again. So its memory is fetched while the four before it are
 * served: a link of the chain at each. */
static void fetch_ahead(const struct producer *p, size_t at)
{
    const struct transport *t;
    size_t left = p->n_consumers - at - 1;
    struct consumer *const *next = &p->consumers[at + 1];
    if (left > 3) {
        prefetch(next[3], BASE_BYTES);
        prefetch(next[3] + 1, STREAM_BYTES);
    }
    if (left > 2) {
        const struct consumer *c = next[2];
        prefetch(c->transport, offsetof(struct transport, router));
        prefetch(&c->transport->rtcp_timer, offsetof(struct transport, rtp_sent.rate.buckets) -
                                                offsetof(struct transport, rtcp_timer));
        if (c->ops->sends)
            send_stream_prefetch(c->ops->sends(c));
    }
    if (left > 1) {
        t = next[1]->transport;
        if (t->rtp_dest)
            prefetch(t->rtp_dest, sizeof *t->rtp_dest);
        if (t->sealer)
            seal_prefetch(t->sealer, 0);
        if (t->pace)
            prefetch(t->pace, sizeof *t->pace);
        rate_prefetch(&t->rtp_sent.rate);
        transport_bwe_prefetch(t, 0);
    }
    if (left > 0) {
        t = next[0]->transport;
        if (t->sealer)
            seal_prefetch(t->sealer, 1);
        transport_bwe_prefetch(t, 1);
    }
}

static void pad(struct forward_batch *b)
{
    struct burst_packet p[FORWARD_BATCH_MAX];
    for (size_t k = 0; k < b->n; k++) {
        const struct media_packet *m = &b->packets[k];
        p[k] = (struct burst_packet){.stream = m->stream,
                                     .payload_len = m->view.payload_len,
                                     .ext_len = (uint16_t)ext_brought_len(&m->brought)};
    }
    burst_padding(p, b->n);
    for (size_t k = 0; k < b->n; k++)
        b->packets[k].padding = p[k].padding;
}

static void send_early(struct worker *w)
{
    if (w->txq.used + w->seal_batch.n < FORWARD_SLOTS || !w->txq.drain)
        return;
    seal_batch_flush(&w->seal_batch, &w->txq);
    w->txq.drain(w->txq.drain_ctx, &w->txq);
}

bool forward_batch_is_open(const struct worker *w)
{
    const struct forward_batch *b = &w->forward_batch;
    return b->n > 0 && b->producer->kind == MEDIA_KIND_VIDEO && !b->packets[b->n - 1].view.marker;
}

void forward_batch_flush(struct worker *w, usec now)
{
    struct forward_batch *b = &w->forward_batch;
    const struct producer *p = b->producer;
    size_t n = b->n;
    if (n == 0)
        return;
    if (p->kind == MEDIA_KIND_VIDEO)
        pad(b);
    b->n = 0;
    for (size_t i = 0; i < p->n_consumers; i++) {
        struct consumer *c = p->consumers[i];
        fetch_ahead(p, i);
        for (size_t k = 0; k < n; k++)
            c->ops->rtp(c, now, &b->packets[k]);
        transport_reports_along(c->transport, now);
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
