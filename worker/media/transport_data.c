#include "worker/media/transport_data.h"

#include "worker/media/data_consumer.h"
#include "worker/media/data_producer.h"
#include "worker/media/fail.h"
#include "worker/media/sctp_link.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

void transport_data_init(struct transport *t)
{
    list_init(&t->data_producers);
    list_init(&t->data_consumers);
}

void transport_data_close_consumers(struct transport *t, usec now)
{
    while (!list_empty(&t->data_consumers))
        data_consumer_close(
            container_of(t->data_consumers.next, struct data_consumer, in_transport), now);
}

void transport_data_close(struct transport *t, usec now)
{
    /* No resets: the whole association ends. */
    transport_data_close_consumers(t, USEC_NEVER);
    while (!list_empty(&t->data_producers))
        data_producer_close(
            container_of(t->data_producers.next, struct data_producer, in_transport), now);
    sctp_link_close(t, now);
}

enum err transport_produce_data(struct transport *t,
                                const struct transport_produce_data_request *in,
                                struct data_producer **out, struct field_error *f)
{
    if (t->n_data_producers >= TRANSPORT_MAX_DATA_PRODUCERS)
        return fail(f, ERR_FULL, "", "too many data producers in this transport");
    return data_producer_open(t, in, out, f);
}

enum err transport_consume_data(struct transport *t,
                                const struct transport_consume_data_request *in,
                                struct data_consumer **out, struct field_error *f)
{
    if (t->n_data_consumers >= TRANSPORT_MAX_DATA_CONSUMERS)
        return fail(f, ERR_FULL, "", "too many data consumers in this transport");
    struct data_producer *p = data_producer_of(
        object_find(&t->worker->objects, OBJECT_DATA_PRODUCER, in->data_producer_id));
    if (!p || p->transport->router != t->router)
        return fail(f, ERR_NOT_FOUND, "dataProducerId", "no such data producer in this router");
    return data_consumer_open(t, p, in, out, f);
}

enum err transport_close_data_producer(struct transport *t, usec now, const char *id,
                                       struct field_error *f)
{
    struct data_producer *p =
        data_producer_of(object_find(&t->worker->objects, OBJECT_DATA_PRODUCER, id));
    if (!p || p->transport != t)
        return fail(f, ERR_NOT_FOUND, "dataProducerId", "no such data producer in this transport");
    data_producer_close(p, now);
    return OK;
}

enum err transport_close_data_consumer(struct transport *t, usec now, const char *id,
                                       struct field_error *f)
{
    struct data_consumer *c =
        data_consumer_of(object_find(&t->worker->objects, OBJECT_DATA_CONSUMER, id));
    if (!c || c->transport != t)
        return fail(f, ERR_NOT_FOUND, "dataConsumerId", "no such data consumer in this transport");
    data_consumer_close(c, now);
    return OK;
}

enum err transport_data_dump(const struct transport *t, struct arena *arena,
                             struct transport_dump_response *out)
{
    out->data_producer_ids =
        arena_array(arena, t->n_data_producers, sizeof *out->data_producer_ids);
    out->data_consumer_ids =
        arena_array(arena, t->n_data_consumers, sizeof *out->data_consumer_ids);
    if (!out->data_producer_ids || !out->data_consumer_ids)
        return ERR_NOMEM;
    list_each (node, &t->data_producers)
        out->data_producer_ids[out->n_data_producer_ids++] =
            container_of(node, struct data_producer, in_transport)->object.id;
    list_each (node, &t->data_consumers)
        out->data_consumer_ids[out->n_data_consumer_ids++] =
            container_of(node, struct data_consumer, in_transport)->object.id;
    return sctp_link_dump(t, arena, out);
}
