#include "controller/room/session.h"

static const char worker_away[] = "the media worker is away, try again";

void on_produce_data(struct sig_call *call)
{
    const struct sig_produce_data *in = call->data;
    struct room_peer *p = call->session->peer;
    struct room_transport *t = transport_find(p, in->transport_id);
    if (!t || t->use != USE_PRODUCE) {
        sig_fail(call, ERR_NOT_FOUND, "transportId is no producer transport of this peer");
        return;
    }
    if (t->n_streams == 0) {
        sig_fail(call, ERR_STATE, "transportId was created without sctpCapabilities");
        return;
    }
    if (p->role == ROLE_VIEWER) {
        sig_fail(call, ERR_DENIED, "viewers do not produce: join with another role");
        return;
    }
    if (p->n_data_producers >= call->session->rooms->config.producers_per_peer_max) {
        sig_fail(call, ERR_FULL, "this peer has as many data producers as it may have");
        return;
    }
    if (!app_data_fits(in->app_data)) {
        sig_fail(call, ERR_TYPE, "appData must be an object of at most 4096 bytes");
        return;
    }
    enum err e = data_producer_open(t, call->request, in);
    if (e != OK)
        sig_fail(call, e, worker_away);
}

/* The one that was named, or the newest that receives and has SCTP. */
static struct room_transport *receiving_transport(struct room_peer *p, const char *id)
{
    struct room_transport *newest = NULL;
    if (id) {
        struct room_transport *t = transport_find(p, id);
        return t && t->use == USE_CONSUME && t->n_streams > 0 ? t : NULL;
    }
    list_each (node, &p->transports) {
        struct room_transport *t = container_of(node, struct room_transport, node);
        if (t->use == USE_CONSUME && t->n_streams > 0)
            newest = t;
    }
    return newest;
}

void on_consume_data(struct sig_call *call)
{
    const struct sig_consume_data *in = call->data;
    struct room_peer *p = call->session->peer;
    struct room_transport *t = receiving_transport(p, in->transport_id);
    struct room_data_producer *producer = NULL;
    HASH_FIND_STR(p->room->data_producers, in->data_producer_id, producer);
    if (!t) {
        sig_fail(call, in->transport_id ? ERR_NOT_FOUND : ERR_STATE,
                 in->transport_id
                     ? "transportId is no consumer transport of this peer with sctpCapabilities"
                     : "no consumer transport with sctpCapabilities");
    } else if (!producer) {
        sig_fail(call, ERR_NOT_FOUND, "dataProducerId is no data producer in this room");
    } else if (p->n_data_consumers >= call->session->rooms->config.consumers_per_peer_max) {
        sig_fail(call, ERR_FULL, "this peer has as many data consumers as it may have");
    } else {
        enum err e = data_consumer_open(t, call->request, producer);
        if (e != OK)
            sig_fail(call, e, e == ERR_FULL ? "no stream of the transport is free" : worker_away);
    }
}

void on_close_data_producer(struct sig_call *call)
{
    const struct sig_on_data_producer *in = call->data;
    struct room_data_producer *p = data_producer_of_peer(call->session->peer, in->data_producer_id);
    if (!p) {
        sig_fail(call, ERR_NOT_FOUND, "dataProducerId is no data producer of this peer");
        return;
    }
    data_producer_close(p, true);
    sig_answer(call, NULL);
}

void on_close_data_consumer(struct sig_call *call)
{
    const struct sig_on_data_consumer *in = call->data;
    struct room_data_consumer *c = data_consumer_of_peer(call->session->peer, in->data_consumer_id);
    if (!c) {
        sig_fail(call, ERR_NOT_FOUND, "dataConsumerId is no data consumer of this peer");
        return;
    }
    data_consumer_close(c, true);
    sig_answer(call, NULL);
}
