#include "worker/media/worker_dump.h"

#include "worker/media/consumer.h"
#include "worker/media/data_consumer.h"
#include "worker/media/data_producer.h"
#include "worker/media/producer.h"
#include "worker/media/router.h"
#include "worker/media/rtp_observer.h"
#include "worker/media/transport.h"
#include "worker/media/webrtc_server.h"
#include "worker/media/worker_state.h"

static void add_transport(const struct transport *t, struct channel_message_handlers *h)
{
    h->channel_request_handlers[h->n_channel_request_handlers++] = t->object.id;
    h->channel_notification_handlers[h->n_channel_notification_handlers++] = t->object.id;
    list_each (node, &t->producers) {
        const char *id = container_of(node, struct producer, in_transport)->object.id;
        h->channel_request_handlers[h->n_channel_request_handlers++] = id;
        h->channel_notification_handlers[h->n_channel_notification_handlers++] = id;
    }
    list_each (node, &t->consumers) {
        h->channel_request_handlers[h->n_channel_request_handlers++] =
            container_of(node, struct consumer, in_transport)->object.id;
    }
    list_each (node, &t->data_producers) {
        const char *id = container_of(node, struct data_producer, in_transport)->object.id;
        h->channel_request_handlers[h->n_channel_request_handlers++] = id;
        h->channel_notification_handlers[h->n_channel_notification_handlers++] = id;
    }
    list_each (node, &t->data_consumers) {
        h->channel_request_handlers[h->n_channel_request_handlers++] =
            container_of(node, struct data_consumer, in_transport)->object.id;
    }
}

enum err worker_dump(const struct worker *w, struct arena *arena, struct worker_dump_response *out)
{
    struct channel_message_handlers *h = arena_alloc(arena, sizeof *h);
    *out = (struct worker_dump_response){.channel_message_handlers = h};
    out->web_rtc_server_ids =
        arena_array(arena, w->n_webrtc_servers, sizeof *out->web_rtc_server_ids);
    out->router_ids = arena_array(arena, w->n_routers, sizeof *out->router_ids);
    if (!h || !out->web_rtc_server_ids || !out->router_ids)
        return ERR_NOMEM;
    h->channel_request_handlers = arena_array(arena, w->objects.count, sizeof(char *));
    h->channel_notification_handlers = arena_array(arena, w->objects.count, sizeof(char *));
    if (!h->channel_request_handlers || !h->channel_notification_handlers)
        return ERR_NOMEM;
    list_each (node, &w->webrtc_servers) {
        const char *id = container_of(node, struct webrtc_server, in_worker)->object.id;
        out->web_rtc_server_ids[out->n_web_rtc_server_ids++] = id;
        h->channel_request_handlers[h->n_channel_request_handlers++] = id;
    }
    list_each (node, &w->routers) {
        const struct router *r = container_of(node, struct router, in_worker);
        out->router_ids[out->n_router_ids++] = r->object.id;
        h->channel_request_handlers[h->n_channel_request_handlers++] = r->object.id;
        for (const struct list *at = r->observers.next; at != &r->observers; at = at->next)
            h->channel_request_handlers[h->n_channel_request_handlers++] =
                container_of(at, struct rtp_observer, in_router)->object.id;
        for (const struct list *at = r->transports.next; at != &r->transports; at = at->next)
            add_transport(container_of(at, struct transport, in_router), h);
    }
    return OK;
}

struct router *worker_find_router(const struct worker *w, const char *id)
{
    return router_of(object_find(&w->objects, OBJECT_ROUTER, id));
}

struct webrtc_server *worker_find_webrtc_server(const struct worker *w, const char *id)
{
    return webrtc_server_of(object_find(&w->objects, OBJECT_WEBRTC_SERVER, id));
}

struct transport *worker_find_transport(const struct worker *w, const char *id)
{
    return transport_of(object_find(&w->objects, OBJECT_TRANSPORT, id));
}

struct producer *worker_find_producer(const struct worker *w, const char *id)
{
    return producer_of(object_find(&w->objects, OBJECT_PRODUCER, id));
}

struct consumer *worker_find_consumer(const struct worker *w, const char *id)
{
    return consumer_of(object_find(&w->objects, OBJECT_CONSUMER, id));
}

struct data_producer *worker_find_data_producer(const struct worker *w, const char *id)
{
    return data_producer_of(object_find(&w->objects, OBJECT_DATA_PRODUCER, id));
}

struct data_consumer *worker_find_data_consumer(const struct worker *w, const char *id)
{
    return data_consumer_of(object_find(&w->objects, OBJECT_DATA_CONSUMER, id));
}

struct rtp_observer *worker_find_rtp_observer(const struct worker *w, const char *id)
{
    return rtp_observer_of(object_find(&w->objects, OBJECT_RTP_OBSERVER, id));
}
