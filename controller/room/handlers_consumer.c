#include "controller/room/session.h"

static const char worker_away[] = "the media worker is away, try again";

/* The one that was named, or the newest that receives. */
static struct room_transport *consuming_transport(struct room_peer *p, const char *id)
{
    if (id) {
        struct room_transport *t = transport_find(p, id);
        return t && t->use == USE_CONSUME ? t : NULL;
    }
    struct room_transport *newest = NULL;
    list_each (node, &p->transports) {
        struct room_transport *t = container_of(node, struct room_transport, node);
        if (t->use == USE_CONSUME)
            newest = t;
    }
    return newest;
}

void on_consume(struct sig_call *call)
{
    const struct sig_consume *in = call->data;
    struct room_peer *p = call->session->peer;
    struct room_transport *t = consuming_transport(p, in->transport_id);
    struct room_producer *producer = NULL;
    HASH_FIND_STR(p->room->producers, in->producer_id, producer);
    if (!t) {
        sig_fail(call, in->transport_id ? ERR_NOT_FOUND : ERR_STATE,
                 in->transport_id ? "transportId is no consumer transport of this peer"
                                  : "no consumer transport: createConsumerTransport comes first");
    } else if (!producer) {
        sig_fail(call, ERR_NOT_FOUND, "producerId is no producer in this room");
    } else if (p->n_consumers >= call->session->rooms->config.consumers_per_peer_max) {
        sig_fail(call, ERR_FULL, "this peer has as many consumers as it may have");
    } else {
        struct field_error error;
        enum err e = consumer_open(t, call->request, producer, in, &error);
        if (e != OK)
            sig_fail(call, e, error.reason);
    }
}

static struct room_consumer *consumer_of_call(struct sig_call *call, const char *id)
{
    struct room_consumer *c = consumer_of_peer(call->session->peer, id);
    if (!c)
        sig_fail(call, ERR_NOT_FOUND, "consumerId is no consumer of this peer");
    return c;
}

/* A request of the client that is one of the worker's. */
static void hand_on(struct sig_call *call, const char *consumer_id, enum pipe_method method,
                    const void *data, op_done_fn *done)
{
    struct room_consumer *c = consumer_of_call(call, consumer_id);
    if (!c)
        return;
    struct op about = {.consumer = c};
    enum err e = op_start(call->session->peer, call->request, method, c->id, data, done, &about);
    if (e != OK)
        sig_fail(call, e, worker_away);
}

void on_pause_consumer(struct sig_call *call)
{
    const struct sig_on_consumer *in = call->data;
    hand_on(call, in->consumer_id, METHOD_CONSUMER_PAUSE, NULL, op_answer);
}

void on_resume_consumer(struct sig_call *call)
{
    const struct sig_on_consumer *in = call->data;
    hand_on(call, in->consumer_id, METHOD_CONSUMER_RESUME, NULL, op_answer);
}

void on_request_consumer_key_frame(struct sig_call *call)
{
    const struct sig_on_consumer *in = call->data;
    hand_on(call, in->consumer_id, METHOD_CONSUMER_REQUEST_KEY_FRAME, NULL, op_answer);
}

void on_close_consumer(struct sig_call *call)
{
    const struct sig_on_consumer *in = call->data;
    struct room_consumer *c = consumer_of_call(call, in->consumer_id);
    if (!c)
        return;
    consumer_close(c, true);
    sig_answer(call, NULL);
}

void on_set_consumer_preferred_layers(struct sig_call *call)
{
    const struct sig_preferred_layers *in = call->data;
    struct consumer_layers layers = {.spatial_layer = in->spatial_layer,
                                     .temporal_layer = in->temporal_layer,
                                     .has_temporal_layer = in->has_temporal_layer};
    struct consumer_set_preferred_layers_request request = {.preferred_layers = &layers};
    hand_on(call, in->consumer_id, METHOD_CONSUMER_SET_PREFERRED_LAYERS, &request, op_answer);
}

void on_set_consumer_priority(struct sig_call *call)
{
    const struct sig_priority *in = call->data;
    struct consumer_set_priority_request request = {.priority = in->priority};
    hand_on(call, in->consumer_id, METHOD_CONSUMER_SET_PRIORITY, &request, op_answer);
}

static void on_stats(struct op *op, enum err e, const char *reason, const void *data)
{
    if (e != OK) {
        op_fail(op, e, reason);
        return;
    }
    json_t *whole = shape_encode(&consumer_get_stats_response_shape, data);
    op_reply(op, whole ? json_incref(json_object_get(whole, "stats")) : NULL);
    json_decref(whole);
}

void on_get_consumer_stats(struct sig_call *call)
{
    const struct sig_on_consumer *in = call->data;
    hand_on(call, in->consumer_id, METHOD_CONSUMER_GET_STATS, NULL, on_stats);
}
