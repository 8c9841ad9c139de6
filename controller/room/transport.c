#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/room/room_state.h"

static void on_event(void *ctx, enum pipe_event event, const void *data)
{
    struct room_transport *t = ctx;
    uint64_t now = uv_now(t->peer->room->rooms->config.loop);
    if (event == EVENT_WEBRTC_TRANSPORT_ICE_STATE_CHANGE) {
        const struct webrtc_transport_ice_state_change_event *e = data;
        t->lost_ms = e->ice_state == PARAM_ICE_STATE_DISCONNECTED ? now : 0;
    } else if (event == EVENT_WEBRTC_TRANSPORT_DTLS_STATE_CHANGE) {
        const struct webrtc_transport_dtls_state_change_event *e = data;
        /* The tick closes it at once: neither comes back. */
        if (e->dtls_state == PARAM_DTLS_STATE_FAILED || e->dtls_state == PARAM_DTLS_STATE_CLOSED)
            t->lost_ms = now > LOST_TRANSPORT_MS ? now - LOST_TRANSPORT_MS : 1;
    }
}

struct room_transport *transport_new(struct room_peer *p, enum transport_use use, const char *id)
{
    struct room_transport *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->peer = p;
    t->use = use;
    list_init(&t->producers);
    list_init(&t->consumers);
    list_init(&t->data_producers);
    list_init(&t->data_consumers);
    if (id)
        snprintf(t->id, sizeof t->id, "%s", id);
    else
        rng_uuid(p->room->rooms->config.rng, t->id);
    list_add(&p->transports, &t->node);
    p->n_transports++;
    if (use != USE_OWN) {
        fleet_worker_add_load(p->router->worker, 1);
        fleet_listen(&t->listener, p->router->worker, t->id, on_event, t);
    }
    return t;
}

void transport_close(struct room_transport *t, bool tell_worker)
{
    struct room_peer *p = t->peer;
    struct fleet_worker *w = peer_worker(p);
    ops_end(p, t, ERR_CLOSED, "the transport was closed");
    /* The worker closes what a transport carries with it. */
    list_each (cn, &t->consumers) {
        consumer_close(container_of(cn, struct room_consumer, node), false);
    }
    list_each (pn, &t->producers) {
        producer_close(container_of(pn, struct room_producer, node), false);
    }
    list_each (dcn, &t->data_consumers) {
        data_consumer_close(container_of(dcn, struct room_data_consumer, node), false);
    }
    list_each (dpn, &t->data_producers) {
        data_producer_close(container_of(dpn, struct room_data_producer, node), false);
    }
    fleet_unlisten(&t->listener);
    if (w && t->use != USE_OWN) {
        struct router_close_transport_request request = {.transport_id = t->id};
        if (tell_worker)
            (void)fleet_request(w, METHOD_ROUTER_CLOSE_TRANSPORT, p->router->id, &request, NULL,
                                NULL);
        fleet_worker_add_load(w, -1);
    }
    list_remove(&t->node);
    free(t);
    if (--p->n_transports == 0)
        peer_leave_router(p);
}

struct room_transport *transport_find(struct room_peer *p, const char *id)
{
    list_each (node, &p->transports) {
        struct room_transport *t = container_of(node, struct room_transport, node);
        if (strcmp(t->id, id) == 0)
            return t;
    }
    return NULL;
}
