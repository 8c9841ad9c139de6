#include "worker/media/transport.h"

#include <stdlib.h>
#include <string.h>

#include "worker/media/consumer.h"
#include "worker/media/fail.h"
#include "worker/media/producer.h"
#include "worker/media/router.h"
#include "worker/media/rtp_listener.h"
#include "worker/media/transport_bwe.h"
#include "worker/media/transport_data.h"
#include "worker/media/transport_pace.h"
#include "worker/media/worker_state.h"

/* RFC 3550 6.2 wants 5 s at least; with RFC 4585's early feedback and for round trips that a
 * viewer's repair depends on, video reports each second. */
#define REPORTS_VIDEO (1 * USEC_PER_SEC)
#define REPORTS_AUDIO (5 * USEC_PER_SEC)
#define REPORTS_TICK (50 * USEC_PER_MSEC)

struct transport *transport_of(struct object *o)
{
    return o ? container_of(o, struct transport, object) : NULL;
}

static bool has_video(const struct transport *t)
{
    list_each (node, &t->consumers) {
        if (container_of(node, struct consumer, in_transport)->kind == MEDIA_KIND_VIDEO)
            return true;
    }
    list_each (node, &t->producers) {
        if (container_of(node, struct producer, in_transport)->kind == MEDIA_KIND_VIDEO)
            return true;
    }
    return false;
}

static usec tick_after(usec at)
{
    return (at + REPORTS_TICK - 1) / REPORTS_TICK * REPORTS_TICK;
}

/* RFC 3550 6.2: "varied randomly over the range [0.5,1.5] times the calculated interval". Then up
 * to the next tick: waking up for each of hundreds of transports alone costs more than what it then
 * writes. */
static usec next_reports(struct transport *t, usec now)
{
    usec interval = has_video(t) ? REPORTS_VIDEO : REPORTS_AUDIO;
    usec half = interval / 2;
    return tick_after(now + half + (usec)(rng_u32(t->worker->config.rng) % (uint32_t)interval));
}

void transport_report_soon(struct transport *t, usec now)
{
    timer_set_earlier(&t->rtcp_timer, tick_after(now));
}

static void on_reports(struct timer *timer, usec now)
{
    struct transport *t = container_of(timer, struct transport, rtcp_timer);
    timer_set(timer, next_reports(t, now));
    transport_rtcp_reports(t, now);
}

void transport_reports_along(struct transport *t, usec now)
{
    if (timer_at(&t->rtcp_timer) <= now + REPORTS_TICK)
        on_reports(&t->rtcp_timer, now);
}

static void on_feedback(struct timer *timer, usec now)
{
    struct transport *t = container_of(timer, struct transport, feedback_timer);
    transport_feedback(t, now);
}

static void init_flows(struct transport *t)
{
    struct flow *const flows[] = {&t->received, &t->sent,         &t->rtp_received,
                                  &t->rtp_sent, &t->rtx_received, &t->rtx_sent};
    for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++)
        rate_init(&flows[i]->rate, USEC_PER_SEC);
}

enum err transport_init(struct transport *t, const struct transport_ops *ops, struct router *router,
                        const char *id, usec now, struct field_error *f)
{
    struct worker *w = router->worker;
    if (router->n_transports >= ROUTER_MAX_TRANSPORTS)
        return fail(f, ERR_FULL, "", "too many transports in this router");
    enum err e = object_init(&t->object, &w->objects, OBJECT_TRANSPORT, id);
    if (e != OK)
        return e == ERR_EXISTS ? fail(f, e, "transportId", "an object with this id exists")
                               : fail_plain(f, e);
    t->ops = ops;
    t->worker = w;
    t->router = router;
    list_init(&t->producers);
    list_init(&t->consumers);
    transport_data_init(t);
    list_add(&router->transports, &t->in_router);
    router->n_transports++;
    w->counters.transports++;
    t->local_ssrc = rng_u32(w->config.rng) | 1;
    t->twcc_number = (uint16_t)rng_u32(w->config.rng);
    remb_init(&t->remb, 0);
    init_flows(t);
    e = timer_add(&w->timers, &t->rtcp_timer, on_reports);
    if (e == OK)
        e = timer_add(&w->timers, &t->feedback_timer, on_feedback);
    if (e != OK)
        return fail_plain(f, e);
    timer_set(&t->rtcp_timer, next_reports(t, now));
    return OK;
}

void transport_fini(struct transport *t, usec now)
{
    if (!t->router)
        return;
    transport_data_close(t, now);
    while (!list_empty(&t->consumers))
        consumer_close(container_of(t->consumers.next, struct consumer, in_transport));
    while (!list_empty(&t->producers))
        producer_close(container_of(t->producers.next, struct producer, in_transport), now);
    timer_drop(&t->rtcp_timer);
    timer_drop(&t->feedback_timer);
    ssrc_map_fini(&t->ssrcs);
    ssrc_map_fini(&t->listener);
    seal_close(t->sealer);
    opener_close(t->opener);
    free(t->twcc);
    transport_bwe_close(t);
    list_remove(&t->in_router);
    t->router->n_transports--;
    t->worker->counters.transports--;
    object_fini(&t->object);
}

void transport_set_connected(struct transport *t, usec now, bool connected)
{
    if (t->connected == connected)
        return;
    t->connected = connected;
    if (!connected)
        transport_pace_clear(t);
    t->batch = t->sealer && seal_batch_pays(t->sealer);
    list_each (node, &t->consumers) {
        consumer_update(container_of(node, struct consumer, in_transport), now);
    }
}

/* ---- requests ---- */

/* The extensions by which received packets find their producer are the transport's: the first
 * producer that announces one wins, as all of one peer agree. */
static void learn_extensions(struct transport *t, const struct producer *p)
{
    static const enum rtp_ext_kind kinds[] = {RTP_EXT_MID, RTP_EXT_RID, RTP_EXT_RRID,
                                              RTP_EXT_ABS_SEND_TIME, RTP_EXT_TWCC};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (p->ext.of[kinds[i]] != 0)
            t->recv_ext.of[kinds[i]] = p->ext.of[kinds[i]];
    }
    if (t->recv_ext.of[RTP_EXT_TWCC] != 0)
        t->use_remb = false;
    else if (t->recv_ext.of[RTP_EXT_ABS_SEND_TIME] != 0)
        t->use_remb = true;
    remb_set_limit_only(&t->remb, t->recv_ext.of[RTP_EXT_TWCC] != 0);
}

enum err transport_produce(struct transport *t, usec now,
                           const struct transport_produce_request *in, struct producer **out,
                           struct field_error *f)
{
    if (t->n_producers >= TRANSPORT_MAX_PRODUCERS)
        return fail(f, ERR_FULL, "", "too many producers in this transport");
    struct producer *p;
    enum err e = producer_open(t, now, in, &p, f);
    if (e != OK)
        return e;
    learn_extensions(t, p);
    timer_set_earlier(&t->rtcp_timer, next_reports(t, now));
    *out = p;
    return OK;
}

enum err transport_consume(struct transport *t, usec now,
                           const struct transport_consume_request *in, struct consumer **out,
                           struct field_error *f)
{
    if (t->n_consumers >= TRANSPORT_MAX_CONSUMERS)
        return fail(f, ERR_FULL, "", "too many consumers in this transport");
    struct producer *p =
        producer_of(object_find(&t->worker->objects, OBJECT_PRODUCER, in->producer_id));
    if (!p || p->transport->router != t->router)
        return fail(f, ERR_NOT_FOUND, "producerId", "no such producer in this router");
    enum err e = consumer_open(t, p, in, out, f);
    if (e != OK)
        return e;
    e = transport_bwe_consumer(t, now, *out);
    if (e != OK) {
        consumer_close(*out);
        return fail_plain(f, e);
    }
    consumer_update(*out, now);
    transport_bwe_changed(t, now);
    timer_set_earlier(&t->rtcp_timer, next_reports(t, now));
    return OK;
}

enum err transport_close_producer(struct transport *t, usec now, const char *id,
                                  struct field_error *f)
{
    struct producer *p = producer_of(object_find(&t->worker->objects, OBJECT_PRODUCER, id));
    if (!p || p->transport != t)
        return fail(f, ERR_NOT_FOUND, "producerId", "no such producer in this transport");
    producer_close(p, now);
    return OK;
}

enum err transport_close_consumer(struct transport *t, usec now, const char *id,
                                  struct field_error *f)
{
    (void)now;
    struct consumer *c = consumer_of(object_find(&t->worker->objects, OBJECT_CONSUMER, id));
    if (!c || c->transport != t)
        return fail(f, ERR_NOT_FOUND, "consumerId", "no such consumer in this transport");
    consumer_close(c);
    return OK;
}

enum err transport_set_max_incoming(struct transport *t, usec now, uint64_t bps,
                                    struct field_error *f)
{
    (void)f;
    t->max_incoming_bps = bps;
    remb_set_max(&t->remb, bps);
    /* A sender without transport-wide feedback, or with a limit, is told by REMB. */
    if (bps != 0)
        timer_set_earlier(&t->feedback_timer, now);
    return OK;
}

enum err transport_set_max_outgoing(struct transport *t, uint64_t bps, struct field_error *f)
{
    if (bps != 0 && bps < t->min_outgoing_bps)
        return fail(f, ERR_TYPE, "maxOutgoingBitrate", "less than minOutgoingBitrate");
    t->max_outgoing_bps = bps;
    transport_bwe_limits(t);
    return OK;
}

enum err transport_set_min_outgoing(struct transport *t, uint64_t bps, struct field_error *f)
{
    if (bps != 0 && t->max_outgoing_bps != 0 && bps > t->max_outgoing_bps)
        return fail(f, ERR_TYPE, "minOutgoingBitrate", "more than maxOutgoingBitrate");
    t->min_outgoing_bps = bps;
    transport_bwe_limits(t);
    return OK;
}

void transport_trace(struct transport *t, const int *types, size_t n)
{
    t->trace = 0;
    for (size_t i = 0; i < n; i++)
        t->trace |= 1U << types[i];
}
