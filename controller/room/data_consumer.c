#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/room/room_pipe.h"

static void on_event(void *ctx, enum pipe_event event, const void *data)
{
    struct room_data_consumer *c = ctx;
    (void)data;
    if (event != EVENT_DATA_CONSUMER_DATA_PRODUCER_CLOSE)
        return;
    struct sig_data_consumer_closed closed = {.data_consumer_id = c->id,
                                              .data_producer_id = c->data_producer_id};
    peer_notify(c->transport->peer, SIG_EVENT_DATA_CONSUMER_CLOSED, &closed);
    data_consumer_close(c, false);
}

static void on_consumed(struct op *op, enum err e, const char *reason, const void *data)
{
    (void)data;
    if (e == OK) {
        op_reply(op, json_incref(op->answer));
        return;
    }
    op_fail(op, e, reason);
    data_consumer_close(op->data_consumer, false);
}

static bool stream_in_use(const struct room_transport *t, uint16_t stream)
{
    for (const struct list *node = t->data_consumers.next; node != &t->data_consumers;
         node = node->next) {
        if (container_of(node, struct room_data_consumer, node)->stream_id == stream)
            return true;
    }
    return false;
}

/* By turns: a stream that was just given back may still be closing in the client. */
static enum err take_stream(struct room_transport *t, uint16_t *out)
{
    for (uint16_t tried = 0; tried < t->n_streams; tried++) {
        uint16_t stream = t->next_stream;
        t->next_stream = (uint16_t)((stream + 1) % t->n_streams);
        if (stream_in_use(t, stream))
            continue;
        *out = stream;
        return OK;
    }
    return ERR_FULL;
}

static struct room_data_consumer *data_consumer_new(struct room_transport *t,
                                                    const struct room_data_producer *producer,
                                                    uint16_t stream)
{
    struct room_data_consumer *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->transport = t;
    c->stream_id = stream;
    rng_uuid(t->peer->room->rooms->config.rng, c->id);
    snprintf(c->data_producer_id, sizeof c->data_producer_id, "%s", producer->id);
    list_add(&t->data_consumers, &c->node);
    t->peer->n_data_consumers++;
    fleet_listen(&c->listener, peer_worker(t->peer), c->id, on_event, c);
    return c;
}

static enum err bring(struct room_data_consumer *c, struct room_data_producer *producer)
{
    struct room_router *here = c->transport->peer->router;
    return producer->transport->peer->router == here ? OK
                                                     : pipe_data_producer(producer, here, &c->pipe);
}

/* The peer gets the channel on a stream of its own, and as reliable as it is sent. */
static enum err ask(struct room_data_consumer *c, struct op_request request,
                    struct room_data_producer *producer)
{
    struct sctp_stream_parameters stream = producer->stream;
    stream.stream_id = c->stream_id;
    struct transport_consume_data_request consume = {.data_consumer_id = c->id,
                                                     .data_producer_id = producer->id,
                                                     .type = DATA_TYPE_SCTP,
                                                     .has_type = true,
                                                     .sctp_stream_parameters = &stream,
                                                     .label = producer->label,
                                                     .protocol = producer->protocol};
    struct sig_consume_data_answer answer = {.id = c->id,
                                             .data_producer_id = producer->id,
                                             .sctp_stream_parameters = &stream,
                                             .label = producer->label,
                                             .protocol = producer->protocol};
    struct op about = {.transport = c->transport,
                       .data_consumer = c,
                       .answer = shape_encode(&sig_consume_data_answer_shape, &answer)};
    if (!about.answer)
        return ERR_NOMEM;
    return op_start(c->transport->peer, request, METHOD_TRANSPORT_CONSUME_DATA, c->transport->id,
                    &consume, on_consumed, &about);
}

enum err data_consumer_open(struct room_transport *t, struct op_request request,
                            struct room_data_producer *producer)
{
    uint16_t stream;
    if (!peer_worker(t->peer))
        return ERR_UNAVAILABLE;
    enum err e = take_stream(t, &stream);
    if (e != OK)
        return e;
    struct room_data_consumer *c = data_consumer_new(t, producer, stream);
    if (!c)
        return ERR_NOMEM;
    e = bring(c, producer);
    if (e == OK)
        e = ask(c, request, producer);
    if (e != OK)
        data_consumer_close(c, false);
    return e;
}

void data_consumer_close(struct room_data_consumer *c, bool tell_worker)
{
    struct room_transport *t = c->transport;
    struct fleet_worker *w = peer_worker(t->peer);
    ops_end(t->peer, c, ERR_CLOSED, "the data consumer was closed");
    fleet_unlisten(&c->listener);
    struct transport_close_data_consumer_request request = {.data_consumer_id = c->id};
    if (w && tell_worker)
        (void)fleet_request(w, METHOD_TRANSPORT_CLOSE_DATA_CONSUMER, t->id, &request, NULL, NULL);
    pipe_release(&c->pipe);
    list_remove(&c->node);
    t->peer->n_data_consumers--;
    free(c);
}

struct room_data_consumer *data_consumer_of_peer(struct room_peer *p, const char *id)
{
    list_each (tn, &p->transports) {
        struct room_transport *t = container_of(tn, struct room_transport, node);
        list_each (cn, &t->data_consumers) {
            struct room_data_consumer *c = container_of(cn, struct room_data_consumer, node);
            if (strcmp(c->id, id) == 0)
                return c;
        }
    }
    return NULL;
}
