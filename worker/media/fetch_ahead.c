/* RTCP that is about to be handled. Feedback of many viewers is read together, and what it takes to
 * handle one lies behind a chain of pointers, long out of the cache since that viewer's last. So
 * while one is handled, memory for the four behind it is fetched: a link of the chain for each. */
#include "common/prefetch.h"
#include "proto/demux.h"
#include "worker/engine/ice.h"
#include "worker/media/transport.h"
#include "worker/media/transport_bwe.h"
#include "worker/media/transport_pace.h"
#include "worker/media/worker_state.h"

static void fetch_transport(const struct transport *t)
{
    prefetch(t, offsetof(struct transport, router));
    prefetch(&t->rtp_dest,
             offsetof(struct transport, rtp_sent) - offsetof(struct transport, rtp_dest));
    prefetch(&t->ssrcs, offsetof(struct transport, listener) - offsetof(struct transport, ssrcs));
    prefetch(&t->received, offsetof(struct flow, rate.buckets));
    /* Behind it a WebRTC transport has the addresses that it takes media from. */
    prefetch(t + 1, sizeof(struct ice));
}

static void fetch_parts(const struct transport *t)
{
    rate_prefetch(&t->received.rate);
    if (t->opener)
        opener_prefetch_rtcp(t->opener, 0);
    transport_bwe_prefetch_feedback(t, 0);
    if (t->pace)
        prefetch(t->pace, sizeof *t->pace);
}

static void fetch_keys(const struct transport *t)
{
    if (t->opener)
        opener_prefetch_rtcp(t->opener, 1);
    transport_bwe_prefetch_feedback(t, 1);
}

enum { SLOT = 4, TRANSPORT = 3, PARTS = 2, KEYS = 1 };

static void fetch(const struct worker *w, const struct tuple *from, int ahead)
{
    if (ahead == SLOT) {
        demux_prefetch(&w->demux, from);
        return;
    }
    const struct transport *t = demux_by_socket(&w->demux, from->sock);
    if (!t)
        t = demux_by_tuple(&w->demux, from);
    if (!t)
        return;
    if (ahead == TRANSPORT)
        fetch_transport(t);
    else if (ahead == PARTS)
        fetch_parts(t);
    else
        fetch_keys(t);
}

void worker_fetch_ahead(const struct worker *w, const struct tuple *from, struct packet *const *p,
                        size_t n, size_t at)
{
    for (size_t ahead = KEYS; ahead <= SLOT && at + ahead < n; ahead++) {
        const struct packet *next = p[at + ahead];
        if (packet_class(next->data, next->len) == PACKET_RTCP)
            fetch(w, &from[at + ahead], (int)ahead);
    }
}
