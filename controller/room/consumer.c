#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/room/room_pipe.h"
#include "controller/rtc/ortc.h"

static void send_score(struct room_consumer *c, const struct consumer_score_event *event)
{
    json_t *whole = shape_encode(&consumer_score_event_shape, event);
    struct sig_consumer_score score = {.consumer_id = c->id,
                                       .score = whole ? json_object_get(whole, "score") : NULL};
    peer_notify(c->transport->peer, SIG_EVENT_CONSUMER_SCORE, &score);
    json_decref(whole);
}

static void send_layers(struct room_consumer *c, const struct consumer_layers_change_event *event)
{
    json_t *whole = shape_encode(&consumer_layers_change_event_shape, event);
    struct sig_layers_changed layers = {.consumer_id = c->id,
                                        .layers = whole ? json_object_get(whole, "layers") : NULL};
    peer_notify(c->transport->peer, SIG_EVENT_LAYERS_CHANGED, &layers);
    json_decref(whole);
}

static void on_event(void *ctx, enum pipe_event event, const void *data)
{
    struct room_consumer *c = ctx;
    if (event == EVENT_CONSUMER_SCORE) {
        send_score(c, data);
    } else if (event == EVENT_CONSUMER_LAYERS_CHANGE) {
        send_layers(c, data);
    } else if (event == EVENT_CONSUMER_PRODUCER_CLOSE) {
        struct sig_consumer_closed closed = {.consumer_id = c->id, .producer_id = c->producer_id};
        peer_notify(c->transport->peer, SIG_EVENT_CONSUMER_CLOSED, &closed);
        consumer_close(c, false);
    }
}

static void on_consumed(struct op *op, enum err e, const char *reason, const void *data)
{
    const struct transport_consume_response *response = data;
    if (e != OK) {
        op_fail(op, e, reason);
        consumer_close(op->consumer, false);
        return;
    }
    json_object_set_new(op->answer, "producerPaused", json_boolean(response->producer_paused));
    op_reply(op, json_incref(op->answer));
}

static struct room_consumer *consumer_new(struct room_transport *t,
                                          const struct room_producer *producer)
{
    struct room_consumer *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    struct fleet_worker *w = peer_worker(t->peer);
    c->transport = t;
    rng_uuid(t->peer->room->rooms->config.rng, c->id);
    snprintf(c->producer_id, sizeof c->producer_id, "%s", producer->id);
    list_add(&t->consumers, &c->node);
    t->peer->n_consumers++;
    fleet_worker_add_load(w, 1);
    fleet_listen(&c->listener, w, c->id, on_event, c);
    return c;
}

static enum err bring(struct room_consumer *c, struct room_producer *producer)
{
    struct room_router *here = c->transport->peer->router;
    return producer->transport->peer->router == here ? OK : pipe_producer(producer, here, &c->pipe);
}

/* What a consumer gets, and the payload types where they are not the router's. */
struct negotiated {
    struct rtp_parameters parameters;
    struct rtp_codec_mapping *payload_types;
    size_t n_payload_types;
};

static enum err negotiate(struct room_transport *t, const struct room_producer *producer,
                          const struct sig_consume *in, struct arena *scratch,
                          struct negotiated *out, struct field_error *error)
{
    struct rng *rng = t->peer->room->rooms->config.rng;
    char mid[16];
    *out = (struct negotiated){0};
    snprintf(mid, sizeof mid, "%u", t->next_mid);
    const char *kept =
        arena_strndup(scratch, in->mid ? in->mid : mid, strlen(in->mid ? in->mid : mid));
    if (!kept)
        return ERR_NOMEM;
    if (in->own_numbers)
        return ortc_consumer_numbered(&producer->consumable, in->rtp_capabilities, kept, rng,
                                      scratch, &out->parameters, &out->payload_types,
                                      &out->n_payload_types, error);
    return ortc_consumer(&producer->consumable, in->rtp_capabilities, kept, true, rng, scratch,
                         &out->parameters, error);
}

static enum err ask(struct room_consumer *c, struct op_request request,
                    struct room_producer *producer, struct negotiated *n, bool paused)
{
    struct transport_consume_request consume = {
        .consumer_id = c->id,
        .producer_id = producer->id,
        .kind = (int)producer->kind,
        .rtp_parameters = &n->parameters,
        .payload_types = n->payload_types,
        .n_payload_types = n->n_payload_types,
        .type = (int)producer->type,
        .consumable_rtp_encodings = producer->consumable.encodings,
        .n_consumable_rtp_encodings = producer->consumable.n_encodings,
        .paused = paused,
        .has_paused = true};
    struct sig_consume_answer answer = {.id = c->id,
                                        .producer_id = producer->id,
                                        .kind = (int)producer->kind,
                                        .rtp_parameters = &n->parameters,
                                        .type = (int)producer->type};
    struct op about = {.transport = c->transport,
                       .consumer = c,
                       .answer = shape_encode(&sig_consume_answer_shape, &answer)};
    if (!about.answer)
        return ERR_NOMEM;
    return op_start(c->transport->peer, request, METHOD_TRANSPORT_CONSUME, c->transport->id,
                    &consume, on_consumed, &about);
}

enum err consumer_open(struct room_transport *t, struct op_request request,
                       struct room_producer *producer, const struct sig_consume *in,
                       struct field_error *error)
{
    enum err e = ortc_check_capabilities(in->rtp_capabilities, "rtpCapabilities", error);
    if (e != OK)
        return e;
    struct arena scratch;
    struct negotiated n;
    bool paused = in->has_paused ? in->paused : true;
    arena_init(&scratch, PARAMETERS_BYTES_MAX);
    e = negotiate(t, producer, in, &scratch, &n, error);
    struct room_consumer *c = NULL;
    if (e == OK && !peer_worker(t->peer))
        e = ERR_UNAVAILABLE;
    else if (e == OK && !(c = consumer_new(t, producer)))
        e = ERR_NOMEM;
    if (c)
        e = bring(c, producer);
    if (c && e == OK)
        e = ask(c, request, producer, &n, paused);
    if (e == OK)
        t->next_mid++;
    else if (c)
        consumer_close(c, false);
    if (e != OK && e != ERR_UNSUPPORTED)
        *error = (struct field_error){.err = e, .reason = "the media worker takes no request now"};
    arena_fini(&scratch);
    return e;
}

void consumer_close(struct room_consumer *c, bool tell_worker)
{
    struct room_transport *t = c->transport;
    struct fleet_worker *w = peer_worker(t->peer);
    ops_end(t->peer, c, ERR_CLOSED, "the consumer was closed");
    fleet_unlisten(&c->listener);
    if (w) {
        struct transport_close_consumer_request request = {.consumer_id = c->id};
        if (tell_worker)
            (void)fleet_request(w, METHOD_TRANSPORT_CLOSE_CONSUMER, t->id, &request, NULL, NULL);
        fleet_worker_add_load(w, -1);
    }
    pipe_release(&c->pipe);
    list_remove(&c->node);
    t->peer->n_consumers--;
    free(c);
}

struct room_consumer *consumer_of_peer(struct room_peer *p, const char *id)
{
    list_each (tn, &p->transports) {
        struct room_transport *t = container_of(tn, struct room_transport, node);
        list_each (cn, &t->consumers) {
            struct room_consumer *c = container_of(cn, struct room_consumer, node);
            if (strcmp(c->id, id) == 0)
                return c;
        }
    }
    return NULL;
}
