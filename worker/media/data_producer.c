#include "worker/media/data_producer.h"

#include <stdlib.h>
#include <string.h>

#include "worker/media/data_consumer.h"
#include "worker/media/data_stream.h"
#include "worker/media/fail.h"
#include "worker/media/sctp_link.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

struct data_producer *data_producer_of(struct object *o)
{
    return o ? container_of(o, struct data_producer, object) : NULL;
}

static void free_producer(struct data_producer *p)
{
    object_fini(&p->object);
    free(p->label);
    free(p->protocol);
    free(p);
}

static enum err init(struct data_producer *p, const struct transport_produce_data_request *in,
                     struct field_error *f)
{
    struct transport *t = p->transport;
    enum err e = data_stream_check(t, p->type, in->sctp_stream_parameters, f);
    if (e != OK)
        return e;
    if (in->sctp_stream_parameters && p->type == DATA_TYPE_SCTP)
        p->stream = *in->sctp_stream_parameters;
    p->label = strdup(in->label ? in->label : "");
    p->protocol = strdup(in->protocol ? in->protocol : "");
    if (!p->label || !p->protocol)
        return fail_plain(f, ERR_NOMEM);
    e = object_init(&p->object, &t->worker->objects, OBJECT_DATA_PRODUCER, in->data_producer_id);
    if (e != OK)
        return e == ERR_EXISTS ? fail(f, e, "dataProducerId", "an object with this id exists")
                               : fail_plain(f, e);
    if (p->type != DATA_TYPE_SCTP)
        return OK;
    e = sctp_listener_add(&t->sctp->listener, p->stream.stream_id, p);
    return e == ERR_EXISTS ? fail(f, e, "sctpStreamParameters.streamId", "in use in this transport")
           : e != OK       ? fail_plain(f, e)
                           : OK;
}

enum err data_producer_open(struct transport *t, const struct transport_produce_data_request *in,
                            struct data_producer **out, struct field_error *f)
{
    struct data_producer *p = calloc(1, sizeof *p);
    if (!p)
        return fail_plain(f, ERR_NOMEM);
    p->transport = t;
    p->type = (enum data_type)in->type;
    p->paused = in->paused;
    list_init(&p->consumers);
    enum err e = init(p, in, f);
    if (e != OK) {
        free_producer(p);
        return e;
    }
    list_add(&t->data_producers, &p->in_transport);
    t->n_data_producers++;
    t->worker->counters.data_producers++;
    *out = p;
    return OK;
}

void data_producer_close(struct data_producer *p, usec now)
{
    struct transport *t = p->transport;
    while (!list_empty(&p->consumers))
        data_consumer_producer_closed(
            container_of(p->consumers.next, struct data_consumer, in_producer), now);
    if (p->type == DATA_TYPE_SCTP)
        sctp_listener_remove(&t->sctp->listener, p->stream.stream_id);
    list_remove(&p->in_transport);
    t->n_data_producers--;
    t->worker->counters.data_producers--;
    free_producer(p);
}

static void set_paused(struct data_producer *p, bool paused)
{
    if (p->paused == paused)
        return;
    p->paused = paused;
    list_each (node, &p->consumers)
        data_consumer_producer_paused(container_of(node, struct data_consumer, in_producer),
                                      paused);
}

void data_producer_pause(struct data_producer *p)
{
    set_paused(p, true);
}

void data_producer_resume(struct data_producer *p)
{
    set_paused(p, false);
}

void data_producer_message(struct data_producer *p, usec now, const struct data_message *m)
{
    p->messages++;
    p->bytes += m->bytes.n;
    if (p->paused)
        return;
    list_each (node, &p->consumers)
        data_consumer_message(container_of(node, struct data_consumer, in_producer), now, m);
}

void data_producer_dump(const struct data_producer *p, struct data_producer_dump_response *out)
{
    *out = (struct data_producer_dump_response){.id = p->object.id,
                                                .type = (int)p->type,
                                                .has_type = true,
                                                .label = p->label,
                                                .protocol = p->protocol,
                                                .paused = p->paused,
                                                .has_paused = true};
    if (p->type == DATA_TYPE_SCTP)
        out->sctp_stream_parameters = (struct sctp_stream_parameters *)&p->stream;
}

void data_producer_stats(const struct data_producer *p, usec now,
                         struct data_producer_get_stats_response *out)
{
    *out = (struct data_producer_get_stats_response){.type = "data-producer",
                                                     .timestamp = (uint64_t)(now / USEC_PER_MSEC),
                                                     .has_timestamp = true,
                                                     .label = p->label,
                                                     .protocol = p->protocol,
                                                     .messages_received = p->messages,
                                                     .has_messages_received = true,
                                                     .bytes_received = p->bytes,
                                                     .has_bytes_received = true};
}
