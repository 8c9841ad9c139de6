#include "controller/room/session.h"

static const char worker_away[] = "the media worker is away, try again";

static void on_transport_made(struct op *op, enum err e, const char *reason, const void *data)
{
    const struct transport_dump_response *dump = data;
    if (e != OK) {
        op_fail(op, e, reason);
        transport_close(op->transport, false);
        return;
    }
    struct sig_transport_answer answer = {.id = op->transport->id,
                                          .ice_parameters = dump->ice_parameters,
                                          .ice_candidates = dump->ice_candidates,
                                          .n_ice_candidates = dump->n_ice_candidates,
                                          .dtls_parameters = dump->dtls_parameters,
                                          .sctp_parameters = dump->sctp_parameters};
    op_reply(op, shape_encode(&sig_transport_answer_shape, &answer));
}

/* Nobody waits for these: without them the transport works as well. */
static void set_limit(struct room_transport *t, enum pipe_method method, const void *request)
{
    (void)fleet_request(peer_worker(t->peer), method, t->id, request, NULL, NULL);
}

static void limit_bitrates(struct room_transport *t)
{
    const struct rooms_config *c = &t->peer->room->rooms->config;
    struct transport_set_max_incoming_bitrate_request in = {.max_incoming_bitrate =
                                                                c->max_incoming_bps};
    struct transport_set_max_outgoing_bitrate_request most = {.max_outgoing_bitrate =
                                                                  c->max_outgoing_bps};
    struct transport_set_min_outgoing_bitrate_request least = {.min_outgoing_bitrate =
                                                                   c->min_outgoing_bps};
    if (t->use == USE_PRODUCE && c->max_incoming_bps > 0)
        set_limit(t, METHOD_TRANSPORT_SET_MAX_INCOMING_BITRATE, &in);
    if (t->use == USE_CONSUME && c->max_outgoing_bps > 0)
        set_limit(t, METHOD_TRANSPORT_SET_MAX_OUTGOING_BITRATE, &most);
    if (t->use == USE_CONSUME && c->min_outgoing_bps > 0)
        set_limit(t, METHOD_TRANSPORT_SET_MIN_OUTGOING_BITRATE, &least);
}

static void create_transport(struct sig_call *call, enum transport_use use)
{
    const struct sig_create_transport *in = call->data;
    struct room_peer *p = call->session->peer;
    const struct rooms_config *c = &call->session->rooms->config;
    if (p->n_transports >= c->transports_per_peer_max) {
        sig_fail(call, ERR_FULL, "this peer has as many transports as it may have");
        return;
    }
    if (in->force_tcp && !c->tcp) {
        sig_fail(call, ERR_UNSUPPORTED, "forceTcp: this service does not offer TCP");
        return;
    }
    if (peer_enter_router(p) != OK) {
        sig_fail(call, ERR_UNAVAILABLE, worker_away);
        return;
    }
    struct room_transport *t = transport_new(p, use, NULL);
    if (!t) {
        if (p->n_transports == 0)
            peer_leave_router(p);
        sig_fail(call, ERR_NOMEM, "");
        return;
    }
    const struct sctp_capabilities *sctp = in->sctp_capabilities;
    if (sctp)
        t->n_streams = sctp->num_streams && sctp->num_streams->mis < DATA_STREAMS_MAX
                           ? sctp->num_streams->mis
                           : DATA_STREAMS_MAX;
    struct webrtc_transport_options options = {.enable_udp = !in->force_tcp,
                                               .has_enable_udp = true,
                                               .enable_tcp = c->tcp,
                                               .has_enable_tcp = true,
                                               .prefer_udp = true,
                                               .has_prefer_udp = true,
                                               .initial_available_outgoing_bitrate =
                                                   c->initial_outgoing_bps,
                                               .has_initial_available_outgoing_bitrate = true,
                                               .enable_sctp = sctp != NULL,
                                               .has_enable_sctp = true};
    struct router_create_webrtc_transport_request request = {.transport_id = t->id,
                                                             .options = &options};
    struct op about = {.transport = t};
    enum err e = op_start(p, call->request, METHOD_ROUTER_CREATE_WEBRTC_TRANSPORT, p->router->id,
                          &request, on_transport_made, &about);
    if (e != OK) {
        sig_fail(call, e, worker_away);
        transport_close(t, false);
        return;
    }
    limit_bitrates(t);
}

void on_create_producer_transport(struct sig_call *call)
{
    create_transport(call, USE_PRODUCE);
}

void on_create_consumer_transport(struct sig_call *call)
{
    create_transport(call, USE_CONSUME);
}

static struct room_transport *transport_of_call(struct sig_call *call, const char *id)
{
    struct room_transport *t = transport_find(call->session->peer, id);
    if (!t)
        sig_fail(call, ERR_NOT_FOUND, "transportId is no transport of this peer");
    return t;
}

void on_connect_transport(struct sig_call *call)
{
    const struct sig_connect_transport *in = call->data;
    struct room_transport *t = transport_of_call(call, in->transport_id);
    if (!t)
        return;
    if (t->connected) {
        sig_fail(call, ERR_STATE, "transportId is connected already");
        return;
    }
    struct webrtc_transport_connect_request request = {.dtls_parameters = in->dtls_parameters};
    struct op about = {.transport = t, .answer = json_pack("{s:b}", "connected", 1)};
    enum err e = op_start(t->peer, call->request, METHOD_WEBRTC_TRANSPORT_CONNECT, t->id, &request,
                          op_answer, &about);
    /* Who has no connection for signaling is only seen by its media: it comes, or the tick ends it.
     */
    if (e == OK && call->session->sink)
        t->lost_ms = uv_now(call->session->rooms->config.loop);
    if (e == OK)
        t->connected = true;
    else
        sig_fail(call, e, worker_away);
}

static void on_ice_restarted(struct op *op, enum err e, const char *reason, const void *data)
{
    if (e != OK) {
        op_fail(op, e, reason);
        return;
    }
    struct ice_parameters parameters = *(const struct ice_parameters *)data;
    struct sig_restart_ice_answer answer = {.ice_parameters = &parameters};
    op_reply(op, shape_encode(&sig_restart_ice_answer_shape, &answer));
}

void on_restart_ice(struct sig_call *call)
{
    const struct sig_on_transport *in = call->data;
    struct room_transport *t = transport_of_call(call, in->transport_id);
    if (!t)
        return;
    struct op about = {.transport = t};
    enum err e = op_start(t->peer, call->request, METHOD_TRANSPORT_RESTART_ICE, t->id, NULL,
                          on_ice_restarted, &about);
    if (e != OK)
        sig_fail(call, e, worker_away);
}

/* One row, as browsers' getStats lists them. */
static void on_transport_stats(struct op *op, enum err e, const char *reason, const void *data)
{
    if (e == OK)
        op_reply(op, json_pack("[o]", shape_encode(&transport_get_stats_response_shape, data)));
    else
        op_fail(op, e, reason);
}

void on_get_transport_stats(struct sig_call *call)
{
    const struct sig_on_transport *in = call->data;
    struct room_transport *t = transport_of_call(call, in->transport_id);
    if (!t)
        return;
    struct op about = {.transport = t};
    enum err e = op_start(t->peer, call->request, METHOD_TRANSPORT_GET_STATS, t->id, NULL,
                          on_transport_stats, &about);
    if (e != OK)
        sig_fail(call, e, worker_away);
}
