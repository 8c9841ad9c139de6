/* Methods of producers and consumers. */
#include "worker/api/call.h"
#include "worker/media/consumer.h"
#include "worker/media/fail.h"
#include "worker/media/producer.h"

static enum err or_no_memory(struct call *c, enum err e)
{
    return e == OK ? OK : fail_plain(&c->fail, e);
}

enum err call_producer_dump(struct call *c)
{
    return or_no_memory(c, producer_dump(c->producer, &c->arena, c->out));
}

enum err call_producer_get_stats(struct call *c)
{
    return or_no_memory(c, producer_stats(c->producer, c->now, &c->arena, c->out));
}

enum err call_producer_pause(struct call *c)
{
    producer_pause(c->producer, c->now);
    return OK;
}

enum err call_producer_resume(struct call *c)
{
    producer_resume(c->producer, c->now);
    return OK;
}

enum err call_producer_enable_trace_event(struct call *c)
{
    const struct producer_enable_trace_event_request *in = c->in;
    producer_trace(c->producer, in->events, in->n_events);
    return OK;
}

enum err call_consumer_dump(struct call *c)
{
    return or_no_memory(c, consumer_dump(c->consumer, &c->arena, c->out));
}

enum err call_consumer_get_stats(struct call *c)
{
    return or_no_memory(c, consumer_stats(c->consumer, c->now, &c->arena, c->out));
}

enum err call_consumer_pause(struct call *c)
{
    consumer_pause(c->consumer, c->now);
    return OK;
}

enum err call_consumer_resume(struct call *c)
{
    consumer_resume(c->consumer, c->now);
    return OK;
}

/* A consumer without layers takes the wish and has nothing to tell. */
enum err call_consumer_set_preferred_layers(struct call *c)
{
    const struct consumer_set_preferred_layers_request *in = c->in;
    struct consumer_set_preferred_layers_response *out = c->out;
    struct consumer *consumer = c->consumer;
    if (!consumer->ops->prefer)
        return OK;
    out->preferred_layers = arena_alloc(&c->arena, sizeof *out->preferred_layers);
    if (!out->preferred_layers)
        return fail_plain(&c->fail, ERR_NOMEM);
    consumer->ops->prefer(consumer, c->now, in->preferred_layers, out->preferred_layers);
    return OK;
}

enum err call_consumer_set_priority(struct call *c)
{
    const struct consumer_set_priority_request *in = c->in;
    struct consumer_set_priority_response *out = c->out;
    c->consumer->priority = in->priority;
    out->priority = in->priority;
    return OK;
}

enum err call_consumer_request_key_frame(struct call *c)
{
    c->consumer->ops->request_key_frame(c->consumer, c->now);
    return OK;
}

enum err call_consumer_enable_trace_event(struct call *c)
{
    const struct consumer_enable_trace_event_request *in = c->in;
    consumer_trace(c->consumer, in->events, in->n_events);
    return OK;
}
