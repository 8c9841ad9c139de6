/* Methods of transports. */
#include "worker/api/call.h"
#include "worker/media/consumer.h"
#include "worker/media/fail.h"
#include "worker/media/pipe_transport.h"
#include "worker/media/plain_transport.h"
#include "worker/media/producer.h"
#include "worker/media/transport.h"
#include "worker/media/webrtc_transport.h"

enum err call_transport_dump(struct call *c)
{
    return transport_dump(c->transport, &c->arena, c->out) == OK ? OK
                                                                 : fail_plain(&c->fail, ERR_NOMEM);
}

enum err call_transport_get_stats(struct call *c)
{
    return transport_stats(c->transport, c->now, &c->arena, c->out) == OK
               ? OK
               : fail_plain(&c->fail, ERR_NOMEM);
}

enum err call_transport_set_max_incoming_bitrate(struct call *c)
{
    const struct transport_set_max_incoming_bitrate_request *in = c->in;
    return transport_set_max_incoming(c->transport, c->now, in->max_incoming_bitrate, &c->fail);
}

enum err call_transport_set_max_outgoing_bitrate(struct call *c)
{
    const struct transport_set_max_outgoing_bitrate_request *in = c->in;
    return transport_set_max_outgoing(c->transport, in->max_outgoing_bitrate, &c->fail);
}

enum err call_transport_set_min_outgoing_bitrate(struct call *c)
{
    const struct transport_set_min_outgoing_bitrate_request *in = c->in;
    return transport_set_min_outgoing(c->transport, in->min_outgoing_bitrate, &c->fail);
}

enum err call_transport_restart_ice(struct call *c)
{
    return webrtc_transport_restart_ice(c->transport, c->now, c->out, &c->fail);
}

enum err call_transport_produce(struct call *c)
{
    struct transport_produce_response *out = c->out;
    struct producer *p;
    enum err e = transport_produce(c->transport, c->now, c->in, &p, &c->fail);
    if (e != OK)
        return e;
    out->type = (int)p->type;
    out->has_type = true;
    return OK;
}

enum err call_transport_consume(struct call *c)
{
    struct transport_consume_response *out = c->out;
    struct consumer *consumer;
    struct consumer_score *score = arena_alloc(&c->arena, sizeof *score);
    struct consumer_layers *preferred = arena_alloc(&c->arena, sizeof *preferred);
    if (!score || !preferred)
        return fail_plain(&c->fail, ERR_NOMEM);
    enum err e = transport_consume(c->transport, c->now, c->in, &consumer, &c->fail);
    if (e != OK)
        return e;
    if (consumer_score_now(consumer, &c->arena, score) != OK) {
        consumer_close(consumer);
        return fail_plain(&c->fail, ERR_NOMEM);
    }
    out->paused = consumer->paused;
    out->producer_paused = consumer->producer_paused;
    out->score = score;
    if (consumer->ops->prefer) {
        consumer->ops->prefer(consumer, c->now, NULL, preferred);
        out->preferred_layers = preferred;
    }
    return OK;
}

enum err call_transport_enable_trace_event(struct call *c)
{
    const struct transport_enable_trace_event_request *in = c->in;
    transport_trace(c->transport, in->events, in->n_events);
    return OK;
}

enum err call_transport_close_producer(struct call *c)
{
    const struct transport_close_producer_request *in = c->in;
    return transport_close_producer(c->transport, c->now, in->producer_id, &c->fail);
}

enum err call_transport_close_consumer(struct call *c)
{
    const struct transport_close_consumer_request *in = c->in;
    return transport_close_consumer(c->transport, c->now, in->consumer_id, &c->fail);
}

enum err call_webrtc_transport_connect(struct call *c)
{
    return webrtc_transport_connect(c->transport, c->now, c->in, c->out, &c->fail);
}

enum err call_plain_transport_connect(struct call *c)
{
    return plain_transport_connect(c->transport, c->now, c->in, &c->arena, c->out, &c->fail);
}

enum err call_pipe_transport_connect(struct call *c)
{
    return pipe_transport_connect(c->transport, c->now, c->in, &c->arena, c->out, &c->fail);
}
