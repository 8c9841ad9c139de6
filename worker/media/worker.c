#include "worker/media/worker.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "proto/demux.h"
#include "proto/stun.h"
#include "worker/engine/ice.h"
#include "worker/engine/seal.h"
#include "worker/media/router.h"
#include "worker/media/sctp_link.h"
#include "worker/media/transport.h"
#include "worker/media/webrtc_server.h"
#include "worker/media/worker_state.h"
#include "worker/rtp/ntp.h"

static void on_sctp(struct timer *timer, usec now)
{
    struct worker *w = container_of(timer, struct worker, sctp_timer);
    assocs_timeout(now);
    sctp_links_flush(w, now);
}

static enum err open_parts(struct worker *w)
{
    w->strays = calloc(WORKER_STRAY_DESTS, sizeof *w->strays);
    if (!w->strays)
        return ERR_NOMEM;
    struct tuple nobody = {0};
    for (size_t i = 0; i < WORKER_STRAY_DESTS; i++)
        tx_dest_init(&w->strays[i], &nobody);
    enum err e = txq_init(&w->txq);
    if (e == OK)
        e = timer_add(&w->timers, &w->sctp_timer, on_sctp);
    if (e == OK)
        e = demux_init(&w->demux, rng_u64(w->config.rng));
    if (e == OK)
        e = seal_global_init();
    if (e == OK)
        e = dtls_identity_open(&w->identity, w->config.dtls_cert, w->config.dtls_key);
    return e;
}

enum err worker_open(const struct worker_config *config, usec now, usec wall, struct worker **out)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->config = *config;
    w->started_at = now;
    w->wall_offset = wall - now;
    list_init(&w->routers);
    list_init(&w->webrtc_servers);
    assoc_group_init(&w->sctp_group);
    timers_init(&w->timers);
    packet_pool_init(&w->pool, config->max_packets);
    sink_init(&w->ice_sink);
    sink_init(&w->dtls_sink);
    enum err e = open_parts(w);
    if (e != OK) {
        worker_close(w);
        return e;
    }
    *out = w;
    return OK;
}

void worker_close(struct worker *w)
{
    if (!w)
        return;
    while (w->routers.next && !list_empty(&w->routers))
        router_close(container_of(w->routers.next, struct router, in_worker), USEC_NEVER);
    while (w->webrtc_servers.next && !list_empty(&w->webrtc_servers))
        webrtc_server_close(container_of(w->webrtc_servers.next, struct webrtc_server, in_worker),
                            USEC_NEVER);
    /* The goodbyes. */
    if (w->txq.drain && !list_empty(&w->txq.dirty))
        w->txq.drain(w->txq.drain_ctx, &w->txq);
    txq_fini(&w->txq);
    timer_drop(&w->sctp_timer);
    timers_fini(&w->timers);
    assocs_fini();
    if (w->demux.slots)
        demux_fini(&w->demux);
    dtls_identity_close(w->identity);
    packet_pool_fini(&w->pool);
    free(w->strays);
    free(w);
}

struct txq *worker_txq(struct worker *w)
{
    return &w->txq;
}

struct packet_pool *worker_pool(struct worker *w)
{
    return &w->pool;
}

const struct worker_config *worker_get_config(const struct worker *w)
{
    return &w->config;
}

usec worker_started_at(const struct worker *w)
{
    return w->started_at;
}

size_t worker_router_count(const struct worker *w)
{
    return w->n_routers;
}

const struct worker_counters *worker_get_counters(const struct worker *w)
{
    return &w->counters;
}

void worker_notify(struct worker *w, const char *id, int event, const void *data)
{
    if (w->config.notify)
        w->config.notify(w->config.notify_ctx, id, event, data);
}

uint64_t worker_ntp(const struct worker *w, usec now)
{
    return ntp_of_usec(now + w->wall_offset) + (NTP_UNIX_OFFSET << 32);
}

void worker_send_stray(struct worker *w, const struct tuple *to, struct slice bytes)
{
    seal_batch_flush(&w->seal_batch, &w->txq);
    struct tx_dest *d = &w->strays[w->next_stray];
    w->next_stray = (w->next_stray + 1) % WORKER_STRAY_DESTS;
    if (d->first != TX_NONE && w->txq.drain)
        w->txq.drain(w->txq.drain_ctx, &w->txq);
    if (d->first != TX_NONE) {
        w->counters.dropped_send++;
        return;
    }
    d->to = *to;
    (void)txq_send(&w->txq, d, bytes.p, bytes.n);
}

/* USERNAME of a check is "ours:theirs" (RFC 8445 7.2.2). */
static struct transport *by_stun(struct worker *w, const struct packet *p)
{
    struct stun_msg m;
    if (stun_parse(&m, p->data, p->len) != OK || !m.username.p)
        return NULL;
    const uint8_t *colon = memchr(m.username.p, ':', m.username.n);
    if (!colon)
        return NULL;
    return demux_by_ufrag(&w->demux, m.username.p, (size_t)(colon - m.username.p));
}

void worker_datagram(struct worker *w, usec now, const struct tuple *from, struct packet *p)
{
    enum packet_class class = packet_class(p->data, p->len);
    struct transport *t = NULL;
    /* SCTP without DTLS begins with its port, 5000, where RFC 7983 knows nothing. */
    if (class == PACKET_UNKNOWN && !sctp_link_is_packet(p->data, p->len)) {
        w->counters.dropped_malformed++;
        return;
    }
    if (from->proto == TUPLE_UDP)
        t = demux_by_socket(&w->demux, from->sock);
    if (!t && class != PACKET_STUN)
        t = demux_by_tuple(&w->demux, from);
    /* A check names its transport itself: the address may have belonged to another one. */
    if (!t && class == PACKET_STUN) {
        t = by_stun(w, p);
        if (!t)
            t = demux_by_tuple(&w->demux, from);
    }
    if (!t) {
        w->counters.dropped_unknown++;
        return;
    }
    t->ops->datagram(t, now, from, p);
    seal_batch_flush(&w->seal_batch, &w->txq);
}

bool worker_burst_is_open(const struct worker *w)
{
    return forward_batch_is_open(w);
}

void worker_burst_end(struct worker *w, usec now)
{
    forward_batch_flush(w, now);
    seal_batch_flush(&w->seal_batch, &w->txq);
}

void worker_tcp_closed(struct worker *w, usec now, const struct tuple *tuple)
{
    struct transport *t = demux_by_tuple(&w->demux, tuple);
    if (t && t->ops->tcp_closed)
        t->ops->tcp_closed(t, now, tuple);
}

void worker_timeout(struct worker *w, usec now)
{
    timers_run(&w->timers, now);
    seal_batch_flush(&w->seal_batch, &w->txq);
}

usec worker_deadline(const struct worker *w)
{
    return timers_deadline(&w->timers);
}
