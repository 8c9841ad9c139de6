#include "worker/media/plain_transport.h"

#include <stdlib.h>
#include <string.h>

#include "proto/demux.h"
#include "proto/pipe.h"
#include "worker/media/fail.h"
#include "worker/media/local_socket.h"
#include "worker/media/router.h"
#include "worker/media/sctp_link.h"
#include "worker/media/srtp_text.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

/* One of the two directions of addresses: RTP's, or RTCP's where it is not multiplexed. */
struct plain_side {
    struct local_socket socket;
    struct tx_dest dest; /* remote.family 0: not known yet */
};

struct plain_transport {
    struct transport base;
    struct plain_side rtp;
    struct plain_side rtcp; /* unused with rtcp_mux */
    struct srtp_key key;    /* that we send with */
    char key_text[SRTP_BASE64_MAX];
    struct srtp_parameters srtp_parameters; /* the same, for messages */
    bool rtcp_mux;
    bool comedia;
    bool srtp;
    bool connect_called;
};

static struct plain_transport *self(struct transport *t)
{
    return container_of(t, struct plain_transport, base);
}

static bool known(const struct plain_side *side)
{
    return side->dest.to.remote.family != 0;
}

static void set_remote(struct plain_transport *t, struct plain_side *side, const struct addr *to)
{
    struct tuple tuple = {.remote = *to, .sock = side->socket.at.sock, .proto = TUPLE_UDP};
    tx_dest_init(&side->dest, &tuple);
    if (side == &t->rtp)
        t->base.rtp_dest = &side->dest;
    if (side == &t->rtcp || t->rtcp_mux)
        t->base.rtcp_dest = &side->dest;
}

static void update_connected(struct plain_transport *t, usec now)
{
    bool keyed = !t->srtp || (t->base.sealer && t->base.opener);
    transport_set_connected(&t->base, now, known(&t->rtp) && keyed);
    if (known(&t->rtp))
        sctp_link_up(&t->base);
}

/* ---- datagrams ---- */

/* comedia: the first packet that is as it should be shows where the peer is. */
static void learn(struct plain_transport *t, usec now, struct plain_side *side,
                  const struct addr *from)
{
    struct tuple_text text;
    set_remote(t, side, from);
    tuple_describe(&text, &side->socket.at, from);
    struct plain_transport_tuple_event event = {.tuple = &text.tuple};
    enum pipe_event id =
        side == &t->rtp ? EVENT_PLAIN_TRANSPORT_TUPLE : EVENT_PLAIN_TRANSPORT_RTCP_TUPLE;
    worker_notify(t->base.worker, t->base.object.id, (int)id, &event);
    update_connected(t, now);
}

static void sctp_packet(struct transport *base, usec now, struct slice packet)
{
    if (base->rtp_dest && txq_send(&base->worker->txq, base->rtp_dest, packet.p, packet.n))
        flow_add(&base->sent, now, packet.n);
}

/* Not DTLS, which would be a transport of its own: SCTP as it is. */
static void on_sctp(struct plain_transport *t, usec now, const struct tuple *from,
                    const struct packet *p)
{
    struct transport *base = &t->base;
    if (from->sock != t->rtp.socket.at.sock || !base->sctp ||
        (known(&t->rtp) ? !addr_eq(&t->rtp.dest.to.remote, &from->remote) : !t->comedia)) {
        base->worker->counters.dropped_unknown++;
        return;
    }
    flow_add(&base->received, now, p->len);
    if (!known(&t->rtp))
        learn(t, now, &t->rtp, &from->remote);
    sctp_link_input(base, now, slice_of(p->data, p->len));
    sctp_links_flush(base->worker, now);
}

static void datagram(struct transport *base, usec now, const struct tuple *from, struct packet *p)
{
    struct plain_transport *t = self(base);
    enum packet_class class = packet_class(p->data, p->len);
    if (class == PACKET_UNKNOWN && sctp_link_is_packet(p->data, p->len)) {
        on_sctp(t, now, from, p);
        return;
    }
    bool on_rtcp_socket = !t->rtcp_mux && from->sock == t->rtcp.socket.at.sock;
    struct plain_side *side = on_rtcp_socket ? &t->rtcp : &t->rtp;
    bool fits = class == PACKET_RTCP ? on_rtcp_socket || t->rtcp_mux
                                     : class == PACKET_RTP && !on_rtcp_socket;
    if (!fits || (t->srtp && !base->opener) ||
        (known(side) ? !addr_eq(&side->dest.to.remote, &from->remote) : !t->comedia)) {
        base->worker->counters.dropped_unknown++;
        return;
    }
    bool good = class == PACKET_RTCP ? transport_rtcp(base, now, p) : transport_rtp(base, now, p);
    if (good && !known(side))
        learn(t, now, side, &from->remote);
}

/* ---- what it is ---- */

static enum err dump_tuples(const struct plain_transport *t, struct arena *arena,
                            struct transport_tuple **rtp, struct transport_tuple **rtcp)
{
    *rtp = tuple_dump(arena, &t->rtp.socket.at, &t->rtp.dest.to.remote);
    *rtcp = t->rtcp_mux ? NULL : tuple_dump(arena, &t->rtcp.socket.at, &t->rtcp.dest.to.remote);
    return *rtp && (t->rtcp_mux || *rtcp) ? OK : ERR_NOMEM;
}

static enum err dump(struct transport *base, struct arena *arena,
                     struct transport_dump_response *out)
{
    struct plain_transport *t = self(base);
    out->rtcp_mux = t->rtcp_mux;
    out->has_rtcp_mux = true;
    out->comedia = t->comedia;
    out->has_comedia = true;
    out->srtp_parameters = t->srtp ? &t->srtp_parameters : NULL;
    return dump_tuples(t, arena, &out->tuple, &out->rtcp_tuple);
}

static enum err stats(struct transport *base, struct arena *arena,
                      struct transport_get_stats_response *out)
{
    struct plain_transport *t = self(base);
    out->rtcp_mux = t->rtcp_mux;
    out->has_rtcp_mux = true;
    out->comedia = t->comedia;
    out->has_comedia = true;
    return dump_tuples(t, arena, &out->tuple, &out->rtcp_tuple);
}

/* ---- life cycle ---- */

static void close_side(struct worker *w, struct plain_side *side)
{
    tx_dest_flush(&w->txq, &side->dest);
    tx_dest_fini(&side->dest);
    if (!side->socket.own)
        return;
    demux_set_socket(&w->demux, side->socket.at.sock, NULL);
    local_socket_close(w, &side->socket);
}

static void close_plain(struct transport *base, usec now)
{
    struct plain_transport *t = self(base);
    struct worker *w = base->worker;
    if (base->router)
        transport_set_connected(base, now, false);
    transport_fini(base, now);
    if (w) {
        close_side(w, &t->rtp);
        close_side(w, &t->rtcp);
    }
    free(t);
}

static const struct transport_ops ops = {.type = TRANSPORT_TYPE_PLAIN,
                                         .stat_type = TRANSPORT_STAT_PLAIN,
                                         .datagram = datagram,
                                         .sctp_packet = sctp_packet,
                                         .dump = dump,
                                         .stats = stats,
                                         .close = close_plain};

static enum err open_side(struct plain_transport *t, struct plain_side *side,
                          const struct listen_info *info, const char *path, struct field_error *f)
{
    struct worker *w = t->base.worker;
    if (info->has_protocol && info->protocol != PARAM_PROTOCOL_UDP)
        return fail(f, ERR_TYPE, path, "plain transports are reached by UDP only");
    enum err e = local_socket_open(w, info, path, &side->socket, f);
    if (e == OK)
        demux_set_socket(&w->demux, side->socket.at.sock, &t->base);
    return e;
}

static enum err open_sides(struct plain_transport *t, const struct plain_transport_options *o,
                           struct field_error *f)
{
    enum err e = open_side(t, &t->rtp, o->listen_info, "options.listenInfo", f);
    if (e != OK || t->rtcp_mux)
        return e;
    if (o->rtcp_listen_info)
        return open_side(t, &t->rtcp, o->rtcp_listen_info, "options.rtcpListenInfo", f);
    struct listen_info another = *o->listen_info;
    another.port = 0;
    return open_side(t, &t->rtcp, &another, "options.listenInfo", f);
}

static void make_key(struct plain_transport *t, enum srtp_suite suite)
{
    srtp_key_make(&t->key, suite, t->base.worker->config.rng);
    srtp_key_write(&t->key, t->key_text, &t->srtp_parameters);
}

static enum err init(struct plain_transport *t, struct router *r, usec now,
                     const struct router_create_plain_transport_request *in, struct field_error *f)
{
    const struct plain_transport_options *o = in->options;
    enum err e = transport_init(&t->base, &ops, r, in->transport_id, now, f);
    if (e != OK)
        return e;
    t->rtcp_mux = !o->has_rtcp_mux || o->rtcp_mux;
    t->comedia = o->comedia;
    t->srtp = o->enable_srtp;
    e = sctp_link_open(&t->base, now, &SCTP_LINK_OPTIONS(o, false), f);
    if (e != OK)
        return e;
    if (t->srtp)
        make_key(t, o->has_srtp_crypto_suite
                        ? srtp_suite_of_param((enum param_srtp_suite)o->srtp_crypto_suite)
                        : SEAL_AES_128_CM_SHA1_80);
    return open_sides(t, o, f);
}

enum err plain_transport_open(struct router *r, usec now,
                              const struct router_create_plain_transport_request *in,
                              struct transport **out, struct field_error *f)
{
    struct plain_transport *t = calloc(1, sizeof *t);
    if (!t)
        return fail_plain(f, ERR_NOMEM);
    struct tuple nobody = {0};
    tx_dest_init(&t->rtp.dest, &nobody);
    tx_dest_init(&t->rtcp.dest, &nobody);
    enum err e = init(t, r, now, in, f);
    if (e != OK) {
        close_plain(&t->base, now);
        return e;
    }
    *out = &t->base;
    return OK;
}

/* ---- connect ---- */

static enum err read_addresses(const struct plain_transport *t,
                               const struct plain_transport_connect_request *in, struct addr *rtp,
                               struct addr *rtcp, struct field_error *f)
{
    if (!in->ip)
        return fail(f, ERR_TYPE, "ip", "missing");
    if (!in->has_port)
        return fail(f, ERR_TYPE, "port", "missing");
    if (t->rtcp_mux && in->has_rtcp_port)
        return fail(f, ERR_TYPE, "rtcpPort", "not with rtcpMux");
    if (!t->rtcp_mux && !in->has_rtcp_port)
        return fail(f, ERR_TYPE, "rtcpPort", "missing, as there is no rtcpMux");
    if (addr_parse(rtp, in->ip, in->port) != OK)
        return fail(f, ERR_TYPE, "ip", "not an IP address");
    if (rtp->family != t->rtp.socket.at.bound.family)
        return fail(f, ERR_TYPE, "ip", "not of the family that this transport listens on");
    *rtcp = *rtp;
    rtcp->port = in->rtcp_port;
    return OK;
}

static enum err take_keys(struct plain_transport *t, const struct srtp_key *remote,
                          struct field_error *f)
{
    /* The peer's suite counts for both directions. */
    if (remote->suite != t->key.suite)
        make_key(t, remote->suite);
    enum err e = seal_open(&t->base.sealer, &t->key);
    if (e == OK)
        e = opener_open(&t->base.opener, remote);
    if (e == OK)
        return OK;
    seal_close(t->base.sealer);
    t->base.sealer = NULL;
    return fail_plain(f, e);
}

static enum err check_keys(const struct plain_transport *t,
                           const struct plain_transport_connect_request *in,
                           struct srtp_key *remote, struct field_error *f)
{
    if (t->srtp && !in->srtp_parameters)
        return fail(f, ERR_TYPE, "srtpParameters", "missing, as SRTP is enabled");
    if (!t->srtp && in->srtp_parameters)
        return fail(f, ERR_TYPE, "srtpParameters", "SRTP is not enabled");
    return t->srtp ? srtp_key_read(remote, in->srtp_parameters, f) : OK;
}

enum err plain_transport_connect(struct transport *base, usec now,
                                 const struct plain_transport_connect_request *in,
                                 struct arena *arena, struct plain_transport_connect_response *out,
                                 struct field_error *f)
{
    struct plain_transport *t = self(base);
    struct srtp_key remote;
    struct addr rtp;
    struct addr rtcp;
    if (t->connect_called)
        return fail(f, ERR_STATE, "", "connect was called before");
    enum err e = check_keys(t, in, &remote, f);
    if (e == OK && !t->comedia)
        e = read_addresses(t, in, &rtp, &rtcp, f);
    if (e == OK && t->srtp)
        e = take_keys(t, &remote, f);
    if (e != OK)
        return e;
    t->connect_called = true;
    if (!t->comedia) {
        set_remote(t, &t->rtp, &rtp);
        if (!t->rtcp_mux)
            set_remote(t, &t->rtcp, &rtcp);
    }
    update_connected(t, now);
    *out = (struct plain_transport_connect_response){.srtp_parameters =
                                                         t->srtp ? &t->srtp_parameters : NULL};
    return dump_tuples(t, arena, &out->tuple, &out->rtcp_tuple) == OK ? OK
                                                                      : fail_plain(f, ERR_NOMEM);
}
