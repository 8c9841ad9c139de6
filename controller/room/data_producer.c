#include <stdio.h>
#include <stdlib.h>

#include "controller/room/room_pipe.h"

void data_producer_describe(const struct room_data_producer *p, struct sig_data_producer_info *out)
{
    *out = (struct sig_data_producer_info){.data_producer_id = p->id,
                                           .peer_id = p->transport->peer->id,
                                           .label = p->label,
                                           .protocol = p->protocol,
                                           .app_data = p->app_data};
}

static void tell_others(const struct room_data_producer *p, bool added)
{
    struct sig_data_producer_info info;
    struct sig_data_producer_gone gone = {.data_producer_id = p->id,
                                          .peer_id = p->transport->peer->id};
    data_producer_describe(p, &info);
    struct sig_data_producers_changed event = {
        .added = &info, .n_added = added, .removed = &gone, .n_removed = !added};
    room_notify_others(p->transport->peer->room, p->transport->peer,
                       SIG_EVENT_DATA_PRODUCERS_CHANGED, &event);
}

static void on_produced(struct op *op, enum err e, const char *reason, const void *data)
{
    struct room_data_producer *p = op->data_producer;
    (void)data;
    if (e != OK) {
        op_fail(op, e, reason);
        data_producer_close(p, false);
        return;
    }
    p->ready = true;
    HASH_ADD_STR(op->peer->room->data_producers, id, p);
    op_reply(op, json_incref(op->answer));
    tell_others(p, true);
}

static struct room_data_producer *data_producer_new(struct room_transport *t,
                                                    const struct sig_produce_data *in)
{
    struct room_data_producer *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->transport = t;
    p->stream = *in->sctp_stream_parameters;
    snprintf(p->label, sizeof p->label, "%s", in->label ? in->label : "");
    snprintf(p->protocol, sizeof p->protocol, "%s", in->protocol ? in->protocol : "");
    p->app_data = json_incref(in->app_data);
    rng_uuid(t->peer->room->rooms->config.rng, p->id);
    list_init(&p->pipes);
    list_add(&t->data_producers, &p->node);
    t->peer->n_data_producers++;
    return p;
}

enum err data_producer_open(struct room_transport *t, struct op_request request,
                            const struct sig_produce_data *in)
{
    struct room_data_producer *p = data_producer_new(t, in);
    if (!p)
        return ERR_NOMEM;
    struct transport_produce_data_request produce = {.data_producer_id = p->id,
                                                     .type = DATA_TYPE_SCTP,
                                                     .has_type = true,
                                                     .sctp_stream_parameters = &p->stream,
                                                     .label = p->label,
                                                     .protocol = p->protocol};
    struct op about = {
        .transport = t, .data_producer = p, .answer = json_pack("{s:s}", "id", p->id)};
    enum err e = op_start(t->peer, request, METHOD_TRANSPORT_PRODUCE_DATA, t->id, &produce,
                          on_produced, &about);
    if (e != OK)
        data_producer_close(p, false);
    return e;
}

void data_producer_close(struct room_data_producer *p, bool tell_worker)
{
    struct room_transport *t = p->transport;
    struct fleet_worker *w = peer_worker(t->peer);
    ops_end(t->peer, p, ERR_CLOSED, "the data producer was closed");
    if (p->ready) {
        HASH_DEL(t->peer->room->data_producers, p);
        tell_others(p, false);
    }
    pipes_close(&p->pipes);
    struct transport_close_data_producer_request request = {.data_producer_id = p->id};
    if (w && tell_worker)
        (void)fleet_request(w, METHOD_TRANSPORT_CLOSE_DATA_PRODUCER, t->id, &request, NULL, NULL);
    list_remove(&p->node);
    t->peer->n_data_producers--;
    json_decref(p->app_data);
    free(p);
}

struct room_data_producer *data_producer_of_peer(struct room_peer *peer, const char *id)
{
    struct room_data_producer *p = NULL;
    HASH_FIND_STR(peer->room->data_producers, id, p);
    return p && p->transport->peer == peer ? p : NULL;
}
