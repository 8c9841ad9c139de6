/* Methods of data producers and data consumers. */
#include "common/base64.h"
#include "worker/api/call.h"
#include "worker/media/data_consumer.h"
#include "worker/media/data_producer.h"
#include "worker/media/fail.h"
#include "worker/media/transport_data.h"

enum err call_transport_produce_data(struct call *c)
{
    struct data_producer *p;
    enum err e = transport_produce_data(c->transport, c->in, &p, &c->fail);
    if (e == OK)
        data_producer_dump(p, c->out);
    return e;
}

enum err call_transport_consume_data(struct call *c)
{
    struct data_consumer *d;
    enum err e = transport_consume_data(c->transport, c->in, &d, &c->fail);
    if (e == OK)
        data_consumer_dump(d, c->out);
    return e;
}

enum err call_transport_close_data_producer(struct call *c)
{
    const struct transport_close_data_producer_request *in = c->in;
    return transport_close_data_producer(c->transport, c->now, in->data_producer_id, &c->fail);
}

enum err call_transport_close_data_consumer(struct call *c)
{
    const struct transport_close_data_consumer_request *in = c->in;
    return transport_close_data_consumer(c->transport, c->now, in->data_consumer_id, &c->fail);
}

enum err call_data_producer_dump(struct call *c)
{
    data_producer_dump(c->data_producer, c->out);
    return OK;
}

enum err call_data_producer_get_stats(struct call *c)
{
    data_producer_stats(c->data_producer, c->now, c->out);
    return OK;
}

enum err call_data_producer_pause(struct call *c)
{
    data_producer_pause(c->data_producer);
    return OK;
}

enum err call_data_producer_resume(struct call *c)
{
    data_producer_resume(c->data_producer);
    return OK;
}

enum err call_data_consumer_dump(struct call *c)
{
    data_consumer_dump(c->data_consumer, c->out);
    return OK;
}

enum err call_data_consumer_get_stats(struct call *c)
{
    data_consumer_stats(c->data_consumer, c->now, c->out);
    return OK;
}

enum err call_data_consumer_pause(struct call *c)
{
    data_consumer_pause(c->data_consumer);
    return OK;
}

enum err call_data_consumer_resume(struct call *c)
{
    data_consumer_resume(c->data_consumer);
    return OK;
}

static void answer_buffered(struct call *c)
{
    struct buffered_amount *out = c->out;
    out->buffered_amount = data_consumer_buffered(c->data_consumer);
}

enum err call_data_consumer_get_buffered_amount(struct call *c)
{
    answer_buffered(c);
    return OK;
}

enum err call_data_consumer_set_buffered_amount_low_threshold(struct call *c)
{
    const struct data_consumer_set_buffered_amount_low_threshold_request *in = c->in;
    return data_consumer_set_low_threshold(c->data_consumer, in->threshold, &c->fail);
}

enum err call_data_consumer_send(struct call *c)
{
    const struct data_consumer_send_request *in = c->in;
    size_t cap = MESSAGE_BASE64_MAX / 4 * 3;
    uint8_t *bytes = arena_alloc(&c->arena, cap);
    if (!bytes)
        return fail_plain(&c->fail, ERR_NOMEM);
    size_t n = base64_read(in->data, bytes, cap);
    if (n == BASE64_BAD)
        return fail(&c->fail, ERR_TYPE, "data", "not base64");
    enum err e =
        data_consumer_send(c->data_consumer, c->now, in->ppid, slice_of(bytes, n), &c->fail);
    if (e == OK)
        answer_buffered(c);
    return e;
}

static void answer_subchannels(struct call *c)
{
    struct subchannels *out = c->out;
    out->subchannels = c->data_consumer->subchannels;
    out->n_subchannels = c->data_consumer->n_subchannels;
}

enum err call_data_consumer_set_subchannels(struct call *c)
{
    const struct subchannels *in = c->in;
    enum err e = data_consumer_set_subchannels(c->data_consumer, in->subchannels, in->n_subchannels,
                                               &c->fail);
    if (e == OK)
        answer_subchannels(c);
    return e;
}

enum err call_data_consumer_add_subchannel(struct call *c)
{
    const struct subchannel *in = c->in;
    enum err e = data_consumer_add_subchannel(c->data_consumer, in->subchannel, &c->fail);
    if (e == OK)
        answer_subchannels(c);
    return e;
}

enum err call_data_consumer_remove_subchannel(struct call *c)
{
    const struct subchannel *in = c->in;
    data_consumer_remove_subchannel(c->data_consumer, in->subchannel);
    answer_subchannels(c);
    return OK;
}
