#include "worker/media/webrtc_transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "proto/demux.h"
#include "proto/pipe.h"
#include "worker/media/fail.h"
#include "worker/media/router.h"
#include "worker/media/sctp_link.h"
#include "worker/media/transport_data.h"
#include "worker/media/webrtc_state.h"
#include "worker/media/worker_state.h"

/* Messages and engines have their own enumerations, in the same order. */
_Static_assert((int)PARAM_ICE_STATE_DISCONNECTED == (int)ICE_DISCONNECTED, "ICE states");
_Static_assert((int)PARAM_DTLS_STATE_CLOSED == (int)DTLS_CLOSED, "DTLS states");
_Static_assert((int)PARAM_DTLS_ROLE_SERVER == (int)DTLS_SERVER, "DTLS roles");
_Static_assert((int)PARAM_DTLS_HASH_SHA512 == (int)DTLS_SHA512, "fingerprint algorithms");

static void notify(struct webrtc_transport *t, enum pipe_event event, const void *data)
{
    worker_notify(t->base.worker, t->base.object.id, (int)event, data);
}

static bool ice_up(const struct webrtc_transport *t)
{
    enum ice_state s = ice_get_state(&t->ice);
    return (s == ICE_CONNECTED || s == ICE_COMPLETED) && t->base.rtp_dest != NULL;
}

static void arm(struct webrtc_transport *t)
{
    timer_set(&t->timer, usec_min(ice_deadline(&t->ice), dtls_deadline(t->dtls)));
}

/* ---- DTLS ---- */

static void on_dtls_state(struct webrtc_transport *t, enum dtls_state state)
{
    struct webrtc_transport_dtls_state_change_event event = {.dtls_state = (int)state,
                                                             .has_dtls_state = true};
    if (state == DTLS_CONNECTED)
        event.remote_cert = dtls_remote_cert_pem(t->dtls);
    notify(t, EVENT_WEBRTC_TRANSPORT_DTLS_STATE_CHANGE, &event);
}

static void take_keys(struct webrtc_transport *t)
{
    struct srtp_key local;
    struct srtp_key remote;
    if (t->base.sealer || dtls_srtp_keys(t->dtls, &local, &remote) != OK)
        return;
    if (seal_open(&t->base.sealer, &local) == OK && opener_open(&t->base.opener, &remote) == OK)
        return;
    seal_close(t->base.sealer);
    t->base.sealer = NULL;
    log_error("transport.srtp", "id=%s error=%s", t->base.object.id, err_name(ERR_NOMEM));
}

/* Sealed media flows when both layers stand. */
static void update_connected(struct webrtc_transport *t, usec now)
{
    bool up =
        ice_up(t) && dtls_get_state(t->dtls) == DTLS_CONNECTED && t->base.sealer && t->base.opener;
    transport_set_connected(&t->base, now, up);
}

/* Apart from drain_dtls, which flushes SCTP and so calls this. */
static void sctp_packet(struct transport *base, usec now, struct slice packet)
{
    struct webrtc_transport *t = webrtc_of(base);
    struct sink *s = &base->worker->dtls_sink;
    if (!base->rtp_dest || dtls_send(t->dtls, now, packet, s) != OK)
        return;
    for (size_t i = 0; i < s->count; i++) {
        const struct sink_item *it = &s->items[i];
        if (it->kind == SINK_DATAGRAM &&
            txq_send(&base->worker->txq, base->rtp_dest, s->bytes + it->offset, it->len))
            flow_add(&base->sent, now, it->len);
    }
    sink_reset(s);
}

static void drain_dtls(struct webrtc_transport *t, usec now)
{
    struct worker *w = t->base.worker;
    struct sink *s = &w->dtls_sink;
    for (size_t i = 0; i < s->count; i++) {
        const struct sink_item *it = &s->items[i];
        if (it->kind == SINK_DATAGRAM) {
            if (t->base.rtp_dest &&
                txq_send(&w->txq, t->base.rtp_dest, s->bytes + it->offset, it->len))
                flow_add(&t->base.sent, now, it->len);
        } else if (it->code == DTLS_EV_FAILED) {
            log_info("dtls.failed", "id=%s why=\"%s\"", t->base.object.id,
                     dtls_failure_text((enum dtls_failure)it->arg));
            on_dtls_state(t, DTLS_FAILED);
            sctp_link_lost(&t->base);
        } else if (it->code == DTLS_EV_STATE) {
            if (it->arg == DTLS_CONNECTED)
                take_keys(t);
            on_dtls_state(t, (enum dtls_state)it->arg);
            if (it->arg == DTLS_CONNECTED)
                sctp_link_up(&t->base);
            else if (it->arg == DTLS_CLOSED)
                sctp_link_lost(&t->base);
        } else if (it->code == DTLS_EV_DATA) {
            sctp_link_input(&t->base, now, sink_bytes(s, it));
        }
    }
    sink_reset(s);
    update_connected(t, now);
    sctp_links_flush(w, now);
}

/* Once ICE has a tuple and the peer's fingerprint is known, in either order. */
static void start_dtls(struct webrtc_transport *t, usec now)
{
    if (!t->connect_called || !ice_up(t) || dtls_get_state(t->dtls) != DTLS_NEW)
        return;
    if (dtls_start(t->dtls, now, &t->base.worker->dtls_sink) != OK)
        log_warn("dtls.start", "id=%s", t->base.object.id);
    drain_dtls(t, now);
}

/* ---- ICE ---- */

static void select_tuple(struct webrtc_transport *t, const struct tuple *tuple)
{
    struct worker *w = t->base.worker;
    /* What this turn queued for the old tuple still goes there. */
    if (t->dest.first != TX_NONE && w->txq.drain)
        w->txq.drain(w->txq.drain_ctx, &w->txq);
    tx_dest_init(&t->dest, tuple);
    bool any = tuple->remote.family != 0;
    t->base.rtp_dest = t->base.rtcp_dest = any ? &t->dest : NULL;
    const struct worker_listen *local = any ? webrtc_local(t, tuple) : NULL;
    if (!local)
        return;
    struct tuple_text text;
    tuple_describe(&text, local, &tuple->remote);
    struct webrtc_transport_ice_selected_tuple_change_event event = {.tuple = &text.tuple};
    notify(t, EVENT_WEBRTC_TRANSPORT_ICE_SELECTED_TUPLE_CHANGE, &event);
}

static void on_ice_event(struct webrtc_transport *t, const struct sink *s,
                         const struct sink_item *it)
{
    struct worker *w = t->base.worker;
    char ufrag[ICE_UFRAG_LEN + 1];
    switch ((enum ice_event)it->code) {
    case ICE_EV_STATE: {
        struct webrtc_transport_ice_state_change_event event = {.ice_state = (int)it->arg,
                                                                .has_ice_state = true};
        notify(t, EVENT_WEBRTC_TRANSPORT_ICE_STATE_CHANGE, &event);
        return;
    }
    case ICE_EV_TUPLE_ADDED:
        if (demux_add_tuple(&w->demux, &it->tuple, &t->base) != OK)
            log_warn("ice.tuple", "id=%s error=%s", t->base.object.id, err_name(ERR_NOMEM));
        return;
    case ICE_EV_TUPLE_REMOVED:
        demux_remove_tuple(&w->demux, &it->tuple, &t->base);
        if (it->tuple.proto == TUPLE_TCP)
            w->config.io.close_tcp(w->config.io.ctx, &it->tuple);
        return;
    case ICE_EV_SELECTED:
        select_tuple(t, &it->tuple);
        return;
    case ICE_EV_OLD_UFRAG_DROPPED:
        snprintf(ufrag, sizeof ufrag, "%.*s", (int)it->len, (const char *)(s->bytes + it->offset));
        demux_remove_ufrag(&w->demux, ufrag);
        return;
    }
}

static void drain_ice(struct webrtc_transport *t, usec now)
{
    struct worker *w = t->base.worker;
    struct sink *s = &w->ice_sink;
    for (size_t i = 0; i < s->count; i++) {
        const struct sink_item *it = &s->items[i];
        if (it->kind == SINK_DATAGRAM) {
            worker_send_stray(w, &it->tuple, sink_bytes(s, it));
            flow_add(&t->base.sent, now, it->len);
        } else {
            on_ice_event(t, s, it);
        }
    }
    sink_reset(s);
    start_dtls(t, now);
    update_connected(t, now);
    arm(t);
}

static void on_timer(struct timer *timer, usec now)
{
    struct webrtc_transport *t = container_of(timer, struct webrtc_transport, timer);
    struct worker *w = t->base.worker;
    if (ice_deadline(&t->ice) <= now) {
        ice_timeout(&t->ice, now, &w->ice_sink);
        drain_ice(t, now);
    }
    if (dtls_deadline(t->dtls) <= now) {
        dtls_timeout(t->dtls, now, &w->dtls_sink);
        drain_dtls(t, now);
    }
    arm(t);
}

/* ---- datagrams ---- */

static void on_dtls(struct webrtc_transport *t, usec now, struct packet *p)
{
    flow_add(&t->base.received, now, p->len);
    dtls_input(t->dtls, now, slice_of(p->data, p->len), &t->base.worker->dtls_sink);
    drain_dtls(t, now);
    arm(t);
}

static void datagram(struct transport *base, usec now, const struct tuple *from, struct packet *p)
{
    struct webrtc_transport *t = webrtc_of(base);
    struct worker *w = base->worker;
    enum packet_class class = packet_class(p->data, p->len);
    if (class == PACKET_STUN && !webrtc_local(t, from)) {
        /* It names us, and came by a socket of others. */
        w->counters.dropped_unknown++;
        return;
    }
    if (class == PACKET_STUN) {
        flow_add(&base->received, now, p->len);
        ice_input(&t->ice, now, from, slice_of(p->data, p->len), &w->ice_sink);
        drain_ice(t, now);
        return;
    }
    if (!ice_accepts(&t->ice, from) || (class != PACKET_DTLS && !base->opener)) {
        w->counters.dropped_unknown++;
        return;
    }
    if (class == PACKET_DTLS)
        on_dtls(t, now, p);
    else if (class == PACKET_RTP)
        (void)transport_rtp(base, now, p);
    else if (class == PACKET_RTCP)
        (void)transport_rtcp(base, now, p);
}

static void tcp_closed(struct transport *base, usec now, const struct tuple *tuple)
{
    struct webrtc_transport *t = webrtc_of(base);
    ice_tuple_gone(&t->ice, now, tuple, &base->worker->ice_sink);
    drain_ice(t, now);
}

/* ---- life cycle ---- */

static void say_goodbye(struct webrtc_transport *t, usec now)
{
    struct sink *s = &t->base.worker->dtls_sink;
    const struct tuple *to = ice_selected(&t->ice);
    dtls_shutdown(t->dtls, now, s);
    for (size_t i = 0; to && i < s->count; i++) {
        if (s->items[i].kind == SINK_DATAGRAM)
            worker_send_stray(t->base.worker, to, sink_bytes(s, &s->items[i]));
    }
    sink_reset(s);
}

static void leave_demux(struct webrtc_transport *t)
{
    struct worker *w = t->base.worker;
    demux_remove_ufrag(&w->demux, ice_ufrag(&t->ice));
    if (ice_old_ufrag(&t->ice)[0] != '\0')
        demux_remove_ufrag(&w->demux, ice_old_ufrag(&t->ice));
    for (size_t i = 0; i < ice_tuple_count(&t->ice); i++) {
        const struct tuple *tuple = ice_tuple_at(&t->ice, i);
        demux_remove_tuple(&w->demux, tuple, &t->base);
        if (tuple->proto == TUPLE_TCP)
            w->config.io.close_tcp(w->config.io.ctx, tuple);
    }
}

static void close_webrtc(struct transport *base, usec now)
{
    struct webrtc_transport *t = webrtc_of(base);
    struct worker *w = base->worker;
    bool in_tree = base->router != NULL;
    if (in_tree) {
        transport_data_close(base, now);
        tx_dest_flush(&w->txq, &t->dest); /* SCTP's last word */
        transport_set_connected(base, now, false);
    }
    if (in_tree && t->dtls && t->ice_ready)
        say_goodbye(t, now);
    if (in_tree && t->ice_ready) {
        leave_demux(t);
        ice_fini(&t->ice);
    }
    timer_drop(&t->timer);
    dtls_close(t->dtls);
    tx_dest_fini(&t->dest);
    transport_fini(base, now);
    if (w)
        webrtc_leave_sockets(t);
    free(t);
}

static const struct transport_ops ops = {.type = TRANSPORT_TYPE_WEBRTC,
                                         .stat_type = TRANSPORT_STAT_WEBRTC,
                                         .datagram = datagram,
                                         .tcp_closed = tcp_closed,
                                         .sctp_packet = sctp_packet,
                                         .dump = webrtc_dump,
                                         .stats = webrtc_stats,
                                         .close = close_webrtc};

static enum err start_ice(struct webrtc_transport *t, const struct webrtc_transport_options *o)
{
    struct worker *w = t->base.worker;
    usec consent =
        o->has_ice_consent_timeout ? o->ice_consent_timeout * USEC_PER_SEC : ICE_CONSENT_TTL;
    enum err e;
    do {
        ice_init(&t->ice, w->config.rng, consent);
        e = demux_add_ufrag(&w->demux, ice_ufrag(&t->ice), &t->base);
    } while (e == ERR_EXISTS);
    t->ice_ready = e == OK;
    return e;
}

static enum err init(struct webrtc_transport *t, struct router *r, usec now,
                     const struct router_create_webrtc_transport_request *in, struct field_error *f)
{
    const struct webrtc_transport_options *o = in->options;
    enum err e = transport_init(&t->base, &ops, r, in->transport_id, now, f);
    if (e != OK)
        return e;
    t->prefer_udp = o->prefer_udp;
    t->prefer_tcp = o->prefer_tcp;
    t->base.initial_outgoing_bps =
        o->has_initial_available_outgoing_bitrate ? o->initial_available_outgoing_bitrate : 600000;
    bool channels = !o->has_is_data_channel || o->is_data_channel;
    e = sctp_link_open(&t->base, now, &SCTP_LINK_OPTIONS(o, channels), f);
    if (e == OK)
        e = webrtc_take_sockets(t, o, f);
    if (e != OK)
        return e;
    e = timer_add(&r->worker->timers, &t->timer, on_timer);
    if (e == OK)
        e = dtls_open(&t->dtls, r->worker->identity);
    if (e == OK)
        e = start_ice(t, o);
    return e == OK ? OK : fail_plain(f, e);
}

enum err webrtc_transport_open(struct router *r, usec now,
                               const struct router_create_webrtc_transport_request *in,
                               struct transport **out, struct field_error *f)
{
    struct webrtc_transport *t = calloc(1, sizeof *t);
    if (!t)
        return fail_plain(f, ERR_NOMEM);
    struct tuple nobody = {0};
    tx_dest_init(&t->dest, &nobody);
    enum err e = init(t, r, now, in, f);
    if (e != OK) {
        close_webrtc(&t->base, now);
        return e;
    }
    *out = &t->base;
    return OK;
}

/* One certificate, so any of its fingerprints says it all: the strongest hash that we know. */
static const struct dtls_fingerprint *best_fingerprint(const struct dtls_parameters *p)
{
    const struct dtls_fingerprint *best = &p->fingerprints[0];
    for (size_t i = 1; i < p->n_fingerprints; i++) {
        if (p->fingerprints[i].algorithm > best->algorithm)
            best = &p->fingerprints[i];
    }
    return best;
}

enum err webrtc_transport_connect(struct transport *base, usec now,
                                  const struct webrtc_transport_connect_request *in,
                                  struct webrtc_transport_connect_response *out,
                                  struct field_error *f)
{
    struct webrtc_transport *t = webrtc_of(base);
    const struct dtls_parameters *p = in->dtls_parameters;
    if (t->connect_called)
        return fail(f, ERR_STATE, "", "connect was called before");
    if (p->n_fingerprints == 0)
        return fail(f, ERR_TYPE, "dtlsParameters.fingerprints", "empty");
    const struct dtls_fingerprint *print = best_fingerprint(p);
    enum dtls_role role = p->has_role ? (enum dtls_role)p->role : DTLS_AUTO;
    enum err e = dtls_set_remote(t->dtls, role, (enum dtls_hash)print->algorithm, print->value);
    if (e != OK)
        return fail(f, e == ERR_MALFORMED ? ERR_TYPE : e, "dtlsParameters.fingerprints",
                    "not a fingerprint of its algorithm");
    t->connect_called = true;
    *out = (struct webrtc_transport_connect_response){
        .dtls_local_role = (int)dtls_local_role(t->dtls), .has_dtls_local_role = true};
    start_dtls(t, now);
    arm(t);
    return OK;
}

enum err webrtc_transport_restart_ice(struct transport *base, usec now, struct ice_parameters *out,
                                      struct field_error *f)
{
    struct webrtc_transport *t = webrtc_of(base);
    ice_restart(&t->ice, now, &base->worker->ice_sink);
    enum err e = demux_add_ufrag(&base->worker->demux, ice_ufrag(&t->ice), base);
    drain_ice(t, now);
    if (e != OK)
        return fail_plain(f, e);
    *out = (struct ice_parameters){.username_fragment = ice_ufrag(&t->ice),
                                   .password = ice_pwd(&t->ice),
                                   .ice_lite = true,
                                   .has_ice_lite = true};
    return OK;
}
