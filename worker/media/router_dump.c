/* What a router says of itself: who is in it, and who consumes what. */
#include "worker/media/consumer.h"
#include "worker/media/data_consumer.h"
#include "worker/media/data_producer.h"
#include "worker/media/producer.h"
#include "worker/media/router.h"
#include "worker/media/rtp_observer.h"
#include "worker/media/transport.h"

static enum err dump_consumers(const struct producer *p, struct arena *arena,
                               struct key_strings *out)
{
    out->key = p->object.id;
    out->values = arena_array(arena, p->n_consumers, sizeof *out->values);
    if (!out->values)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->n_consumers; i++)
        out->values[i] = p->consumers[i]->object.id;
    out->n_values = p->n_consumers;
    return OK;
}

static enum err dump_data_consumers(const struct data_producer *p, struct arena *arena,
                                    struct key_strings *out)
{
    out->key = p->object.id;
    out->values = arena_array(arena, p->n_consumers, sizeof *out->values);
    if (!out->values)
        return ERR_NOMEM;
    list_each (node, &p->consumers)
        out->values[out->n_values++] =
            container_of(node, struct data_consumer, in_producer)->object.id;
    return OK;
}

static enum err dump_data(const struct transport *t, struct arena *arena,
                          struct router_dump_response *out)
{
    list_each (node, &t->data_producers) {
        enum err e =
            dump_data_consumers(container_of(node, struct data_producer, in_transport), arena,
                                &out->map_data_producer_id_data_consumer_ids
                                     [out->n_map_data_producer_id_data_consumer_ids++]);
        if (e != OK)
            return e;
    }
    list_each (node, &t->data_consumers) {
        const struct data_consumer *c = container_of(node, struct data_consumer, in_transport);
        out->map_data_consumer_id_data_producer_id[out->n_map_data_consumer_id_data_producer_id++] =
            (struct key_string){.key = c->object.id, .value = c->producer->object.id};
    }
    return OK;
}

/* Only of producers that somebody observes. */
static enum err dump_observers(const struct producer *p, struct arena *arena,
                               struct router_dump_response *out)
{
    size_t n = 0;
    list_each (node, &p->observers)
        n++;
    if (n == 0)
        return OK;
    struct key_strings *to =
        &out->map_producer_id_observer_ids[out->n_map_producer_id_observer_ids++];
    to->key = p->object.id;
    to->values = arena_array(arena, n, sizeof *to->values);
    if (!to->values)
        return ERR_NOMEM;
    list_each (node, &p->observers)
        to->values[to->n_values++] =
            container_of(node, struct observed, in_producer)->observer->object.id;
    return OK;
}

static enum err dump_transport(const struct transport *t, struct arena *arena,
                               struct router_dump_response *out)
{
    out->transport_ids[out->n_transport_ids++] = t->object.id;
    list_each (node, &t->producers) {
        enum err e = dump_consumers(
            container_of(node, struct producer, in_transport), arena,
            &out->map_producer_id_consumer_ids[out->n_map_producer_id_consumer_ids++]);
        if (e == OK)
            e = dump_observers(container_of(node, struct producer, in_transport), arena, out);
        if (e != OK)
            return e;
    }
    list_each (node, &t->consumers) {
        const struct consumer *c = container_of(node, struct consumer, in_transport);
        out->map_consumer_id_producer_id[out->n_map_consumer_id_producer_id++] =
            (struct key_string){.key = c->object.id, .value = c->producer->object.id};
    }
    return dump_data(t, arena, out);
}

enum err router_dump(const struct router *r, struct arena *arena, struct router_dump_response *out)
{
    size_t producers = 0;
    size_t consumers = 0;
    size_t data_producers = 0;
    size_t data_consumers = 0;
    list_each (node, &r->transports) {
        const struct transport *t = container_of(node, struct transport, in_router);
        producers += t->n_producers;
        consumers += t->n_consumers;
        data_producers += t->n_data_producers;
        data_consumers += t->n_data_consumers;
    }
    *out = (struct router_dump_response){.id = r->object.id};
    out->transport_ids = arena_array(arena, r->n_transports, sizeof *out->transport_ids);
    out->map_producer_id_consumer_ids =
        arena_array(arena, producers, sizeof *out->map_producer_id_consumer_ids);
    out->rtp_observer_ids = arena_array(arena, r->n_observers, sizeof *out->rtp_observer_ids);
    out->map_producer_id_observer_ids =
        arena_array(arena, producers, sizeof *out->map_producer_id_observer_ids);
    if (!out->rtp_observer_ids || !out->map_producer_id_observer_ids)
        return ERR_NOMEM;
    list_each (node, &r->observers)
        out->rtp_observer_ids[out->n_rtp_observer_ids++] =
            container_of(node, struct rtp_observer, in_router)->object.id;
    out->map_consumer_id_producer_id =
        arena_array(arena, consumers, sizeof *out->map_consumer_id_producer_id);
    out->map_data_producer_id_data_consumer_ids =
        arena_array(arena, data_producers, sizeof *out->map_data_producer_id_data_consumer_ids);
    out->map_data_consumer_id_data_producer_id =
        arena_array(arena, data_consumers, sizeof *out->map_data_consumer_id_data_producer_id);
    if (!out->map_data_producer_id_data_consumer_ids || !out->map_data_consumer_id_data_producer_id)
        return ERR_NOMEM;
    if (!out->transport_ids || !out->map_producer_id_consumer_ids ||
        !out->map_consumer_id_producer_id)
        return ERR_NOMEM;
    enum err e = OK;
    for (const struct list *node = r->transports.next; e == OK && node != &r->transports;
         node = node->next)
        e = dump_transport(container_of(node, struct transport, in_router), arena, out);
    return e;
}
