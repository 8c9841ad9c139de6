#include "worker/media/pipe_transport.h"

#include <stdlib.h>

#include "proto/demux.h"
#include "worker/media/fail.h"
#include "worker/media/local_socket.h"
#include "worker/media/router.h"
#include "worker/media/sctp_link.h"
#include "worker/media/srtp_text.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

struct pipe_transport {
    struct transport base;
    struct local_socket socket;
    struct tx_dest dest; /* remote.family 0: not connected */
    struct srtp_key key; /* that we send with */
    char key_text[SRTP_BASE64_MAX];
    struct srtp_parameters srtp_parameters; /* the same, for messages */
    bool rtx;
    bool srtp;
    bool connect_called;
};

static struct pipe_transport *self(struct transport *t)
{
    return container_of(t, struct pipe_transport, base);
}

/* ---- datagrams ---- */

static void sctp_packet(struct transport *base, usec now, struct slice packet)
{
    if (base->rtp_dest && txq_send(&base->worker->txq, base->rtp_dest, packet.p, packet.n))
        flow_add(&base->sent, now, packet.n);
}

static void datagram(struct transport *base, usec now, const struct tuple *from, struct packet *p)
{
    struct pipe_transport *t = self(base);
    enum packet_class class = packet_class(p->data, p->len);
    bool sctp = class == PACKET_UNKNOWN && base->sctp && sctp_link_is_packet(p->data, p->len);
    if (!t->connect_called || !addr_eq(&t->dest.to.remote, &from->remote) ||
        (class != PACKET_RTP && class != PACKET_RTCP && !sctp)) {
        base->worker->counters.dropped_unknown++;
        return;
    }
    if (class == PACKET_RTP) {
        (void)transport_rtp(base, now, p);
    } else if (class == PACKET_RTCP) {
        (void)transport_rtcp(base, now, p);
    } else {
        flow_add(&base->received, now, p->len);
        sctp_link_input(base, now, slice_of(p->data, p->len));
        sctp_links_flush(base->worker, now);
    }
}

/* ---- what it is ---- */

static enum err dump(struct transport *base, struct arena *arena,
                     struct transport_dump_response *out)
{
    struct pipe_transport *t = self(base);
    out->rtx = t->rtx;
    out->has_rtx = true;
    out->srtp_parameters = t->srtp ? &t->srtp_parameters : NULL;
    out->tuple = tuple_dump(arena, &t->socket.at, &t->dest.to.remote);
    return out->tuple ? OK : ERR_NOMEM;
}

static enum err stats(struct transport *base, struct arena *arena,
                      struct transport_get_stats_response *out)
{
    struct pipe_transport *t = self(base);
    out->tuple = tuple_dump(arena, &t->socket.at, &t->dest.to.remote);
    return out->tuple ? OK : ERR_NOMEM;
}

/* ---- life cycle ---- */

static void close_pipe(struct transport *base, usec now)
{
    struct pipe_transport *t = self(base);
    struct worker *w = base->worker;
    if (base->router)
        transport_set_connected(base, now, false);
    transport_fini(base, now);
    tx_dest_fini(&t->dest);
    if (t->socket.own) {
        demux_set_socket(&w->demux, t->socket.at.sock, NULL);
        local_socket_close(w, &t->socket);
    }
    free(t);
}

static const struct transport_ops ops = {.type = TRANSPORT_TYPE_PIPE,
                                         .stat_type = TRANSPORT_STAT_PIPE,
                                         .datagram = datagram,
                                         .sctp_packet = sctp_packet,
                                         .dump = dump,
                                         .stats = stats,
                                         .close = close_pipe};

static enum err init(struct pipe_transport *t, struct router *r, usec now,
                     const struct router_create_pipe_transport_request *in, struct field_error *f)
{
    const struct pipe_transport_options *o = in->options;
    struct worker *w = r->worker;
    enum err e = transport_init(&t->base, &ops, r, in->transport_id, now, f);
    if (e == OK)
        e = sctp_link_open(&t->base, now, &SCTP_LINK_OPTIONS(o, false), f);
    if (e != OK)
        return e;
    t->rtx = o->enable_rtx;
    t->srtp = o->enable_srtp;
    if (t->srtp) {
        /* Both ends are ours: the strongest suite. */
        srtp_key_make(&t->key, SEAL_AES_256_GCM, w->config.rng);
        srtp_key_write(&t->key, t->key_text, &t->srtp_parameters);
    }
    if (o->listen_info->has_protocol && o->listen_info->protocol != PARAM_PROTOCOL_UDP)
        return fail(f, ERR_TYPE, "options.listenInfo", "pipe transports are reached by UDP only");
    e = local_socket_open(w, o->listen_info, "options.listenInfo", &t->socket, f);
    if (e == OK)
        demux_set_socket(&w->demux, t->socket.at.sock, &t->base);
    return e;
}

enum err pipe_transport_open(struct router *r, usec now,
                             const struct router_create_pipe_transport_request *in,
                             struct transport **out, struct field_error *f)
{
    struct pipe_transport *t = calloc(1, sizeof *t);
    if (!t)
        return fail_plain(f, ERR_NOMEM);
    struct tuple nobody = {0};
    tx_dest_init(&t->dest, &nobody);
    enum err e = init(t, r, now, in, f);
    if (e != OK) {
        close_pipe(&t->base, now);
        return e;
    }
    *out = &t->base;
    return OK;
}

/* ---- connect ---- */

static enum err take_keys(struct pipe_transport *t, const struct srtp_parameters *p,
                          struct field_error *f)
{
    struct srtp_key remote;
    if (!t->srtp)
        return p ? fail(f, ERR_TYPE, "srtpParameters", "SRTP is not enabled") : OK;
    if (!p)
        return fail(f, ERR_TYPE, "srtpParameters", "missing, as SRTP is enabled");
    enum err e = srtp_key_read(&remote, p, f);
    if (e != OK)
        return e;
    if (remote.suite != t->key.suite)
        return fail(f, ERR_TYPE, "srtpParameters.cryptoSuite", "must be AEAD_AES_256_GCM");
    e = seal_open(&t->base.sealer, &t->key);
    if (e == OK)
        e = opener_open(&t->base.opener, &remote);
    if (e == OK)
        return OK;
    seal_close(t->base.sealer);
    t->base.sealer = NULL;
    return fail_plain(f, e);
}

enum err pipe_transport_connect(struct transport *base, usec now,
                                const struct pipe_transport_connect_request *in,
                                struct arena *arena, struct pipe_transport_connect_response *out,
                                struct field_error *f)
{
    struct pipe_transport *t = self(base);
    struct tuple to = {.sock = t->socket.at.sock, .proto = TUPLE_UDP};
    if (t->connect_called)
        return fail(f, ERR_STATE, "", "connect was called before");
    if (addr_parse(&to.remote, in->ip, in->port) != OK)
        return fail(f, ERR_TYPE, "ip", "not an IP address");
    if (to.remote.family != t->socket.at.bound.family)
        return fail(f, ERR_TYPE, "ip", "not of the family that this transport listens on");
    enum err e = take_keys(t, in->srtp_parameters, f);
    if (e != OK)
        return e;
    out->tuple = tuple_dump(arena, &t->socket.at, &to.remote);
    if (!out->tuple)
        return fail_plain(f, ERR_NOMEM);
    t->connect_called = true;
    tx_dest_init(&t->dest, &to);
    base->rtp_dest = base->rtcp_dest = &t->dest;
    transport_set_connected(base, now, true);
    sctp_link_up(base);
    return OK;
}
