#include "worker/media/transport_bwe.h"

#include <stdlib.h>

#include "common/prefetch.h"
#include "proto/pipe.h"
#include "proto/rtcp_fb.h"
#include "proto/twcc.h"
#include "worker/bwe/estimator.h"
#include "worker/bwe/pacer.h"
#include "worker/media/bwe_share.h"
#include "worker/media/consumer.h"
#include "worker/media/producer.h"
#include "worker/media/transport.h"
#include "worker/media/transport_pace.h"
#include "worker/media/worker_state.h"

enum {
    MEASURE_US = 200 * 1000,  /* what consumers could use, while feedback comes */
    UNHEARD_US = 1000 * 1000, /* and without it */
    TELL_US = 1000 * 1000,    /* a changed estimate, sooner if it changed by a quarter */
    PADDING_MAX = 64,         /* packets at once; more are for the next turn */
    RESEND_LEN = 1200,        /* of a packet that is asked for, as a guess */
    SRTP_TAG = 16             /* bytes, of AEAD; others have fewer */
};

struct transport_bwe {
    struct transport *transport; /* parent, outlives us */
    struct timer timer;          /* of est, and for measuring */
    usec measured_at;
    struct estimator est;
    uint64_t desired_bps; /* as given to est */
    uint64_t whole_bps;   /* of consumers without layers, whatever the estimate says */
    uint64_t told_bps;    /* in the last trace event */
    usec told_at;         /* 0: never */
    struct flow padding;
    struct rate resent;     /* over a second */
    struct bwe_share share; /* of consumers with layers */
};

/* ---- what consumers could use ---- */

static uint64_t source_bps(struct producer *p, usec now)
{
    uint64_t most = 0;
    for (size_t i = 0; i < p->n_streams; i++) {
        struct producer_stream *s = &p->streams[i];
        uint64_t bps = s->started ? rate_bps(&s->recv.rate, now) : 0;
        if (bps > most)
            most = bps;
    }
    return most;
}

static bool can_pad(const struct consumer *c)
{
    return c->active && c->ops->probe && c->layout.number_at != 0 &&
           c->rtp_parameters->encodings[0].rtx;
}

/* By more than b / part. */
static bool differs(uint64_t a, uint64_t b, uint64_t part)
{
    return a > b + b / part || a < b - b / part;
}

static uint64_t target(const struct transport_bwe *b)
{
    uint64_t bps = est_target_bps(&b->est);
    return bps < BITRATE_MAX ? bps : BITRATE_MAX;
}

/* Whoever has no layers gets all of its producer; the others share what is left, and could use the
 * best that they prefer, with half as much again, since an upgrade wants a margin
 * (worker/bwe/allocation.h). The estimator takes each increase as news worth a probe, so what
 * merely wavers is not told. */
static void measure(struct transport_bwe *b, usec now)
{
    uint64_t whole = 0;
    bool padding = false;
    list_each (node, &b->transport->consumers) {
        const struct consumer *c = container_of(node, struct consumer, in_transport);
        if (!c->active)
            continue;
        whole += c->ops->offer ? 0 : source_bps(c->producer, now);
        padding = padding || can_pad(c);
    }
    uint64_t layers = bwe_share_gather(&b->share, b->transport, now);
    uint64_t desired = whole + layers + layers / 2;
    b->measured_at = now;
    b->whole_bps = whole;
    est_set_padding(&b->est, padding);
    if (differs(desired, b->desired_bps, 8)) {
        b->desired_bps = desired;
        est_set_desired(&b->est, desired);
    }
    uint64_t bps = target(b);
    bwe_share_out(&b->share, now, bps > whole ? bps - whole : 0, whole == 0);
}

/* ---- traces ---- */

static void trace(struct transport_bwe *b, usec now, enum transport_trace_type type,
                  struct bwe_trace_info *info)
{
    struct transport *t = b->transport;
    struct transport_trace_event event = {.type = type,
                                          .has_type = true,
                                          .timestamp = (uint64_t)(now / USEC_PER_MSEC),
                                          .has_timestamp = true,
                                          .direction = TRACE_OUT,
                                          .has_direction = true,
                                          .info = info};
    if ((t->trace >> type & 1) != 0)
        worker_notify(t->worker, t->object.id, EVENT_TRANSPORT_TRACE, &event);
}

static uint64_t within_limits(const struct transport *t, uint64_t bps)
{
    if (t->max_outgoing_bps != 0 && bps > t->max_outgoing_bps)
        bps = t->max_outgoing_bps;
    return bps < t->min_outgoing_bps ? t->min_outgoing_bps : bps;
}

static void tell(struct transport_bwe *b, usec now)
{
    struct transport *t = b->transport;
    uint64_t bps = target(b);
    transport_pace_target(t, now, bps, b->whole_bps);
    if (b->told_at != 0 &&
        (bps == b->told_bps || (now - b->told_at < TELL_US && !differs(bps, b->told_bps, 4))))
        return;
    b->told_at = now;
    b->told_bps = bps;
    uint64_t wanted = within_limits(t, b->desired_bps);
    struct bwe_trace_info info = {.bwe_type = b->est.source == EST_REMB ? BWE_TYPE_REMB
                                                                        : BWE_TYPE_TRANSPORT_CC,
                                  .has_bwe_type = true,
                                  .desired_bitrate = b->desired_bps,
                                  .has_desired_bitrate = true,
                                  .effective_desired_bitrate = wanted,
                                  .has_effective_desired_bitrate = true,
                                  .min_bitrate = t->min_outgoing_bps,
                                  .has_min_bitrate = true,
                                  .max_bitrate = t->max_outgoing_bps,
                                  .has_max_bitrate = true,
                                  .start_bitrate = t->initial_outgoing_bps,
                                  .has_start_bitrate = true,
                                  .max_padding_bitrate = b->est.padding ? wanted : 0,
                                  .has_max_padding_bitrate = true,
                                  .available_bitrate = bps,
                                  .has_available_bitrate = true};
    trace(b, now, TRANSPORT_TRACE_BWE, &info);
}

/* ---- time ---- */

/* With layers it looks after them also when nothing comes back. */
static void arm(struct transport_bwe *b)
{
    usec at = b->share.n > 0 ? b->measured_at + UNHEARD_US : USEC_NEVER;
    at = usec_min(at, est_deadline(&b->est));
    timer_set(&b->timer, b->transport->connected ? at : USEC_NEVER);
}

static struct consumer *prober(const struct transport *t)
{
    list_each (node, &t->consumers) {
        struct consumer *c = container_of(node, struct consumer, in_transport);
        if (can_pad(c))
            return c;
    }
    return NULL;
}

static void pad(struct transport_bwe *b, usec now)
{
    struct consumer *c = NULL;
    for (int i = 0; i < PADDING_MAX; i++) {
        size_t size = est_next_padding(&b->est, now);
        if (size == 0)
            return;
        if (!c)
            c = prober(b->transport);
        if (!c || !c->ops->probe(c, now, size))
            return;
    }
}

static void on_timer(struct timer *timer, usec now)
{
    struct transport_bwe *b = container_of(timer, struct transport_bwe, timer);
    if (!b->transport->connected)
        return;
    if (now - b->measured_at >= MEASURE_US)
        measure(b, now);
    est_timeout(&b->est, now);
    pad(b, now);
    tell(b, now);
    arm(b);
}

/* ---- inputs ---- */

void transport_bwe_prefetch(const struct transport *t, int step)
{
    const struct transport_bwe *b = t->bwe;
    if (!b)
        return;
    if (step > 0) {
        sent_packets_prefetch(&b->est.sent);
        return;
    }
    prefetch(b, offsetof(struct transport_bwe, est.loss) + sizeof b->est.loss.limit_bps);
    prefetch(&b->est.probe, sizeof b->est.probe.n);
}

void transport_bwe_prefetch_feedback(const struct transport *t, int step)
{
    const struct transport_bwe *b = t->bwe;
    if (!b)
        return;
    if (step == 0)
        prefetch(b, offsetof(struct transport_bwe, padding));
    else
        sent_packets_prefetch_feedback(&b->est.sent);
}

void transport_bwe_sent(struct transport *t, usec now, uint16_t number, size_t len)
{
    struct transport_bwe *b = t->bwe;
    if (!b || b->est.source == EST_REMB)
        return;
    est_sent(&b->est, now, number, t->sealer ? len + SRTP_TAG : len);
    usec at = now - b->measured_at >= UNHEARD_US ? now : est_deadline(&b->est);
    timer_set_earlier(&b->timer, at);
}

void transport_bwe_resent(struct transport *t, usec now, size_t len)
{
    if (t->bwe)
        rate_add(&t->bwe->resent, now, len);
}

size_t transport_bwe_resends(struct transport *t, usec now, size_t n)
{
    struct transport_bwe *b = t->bwe;
    if (!b)
        return n;
    uint64_t taken = rate_bps(&b->resent, now);
    uint64_t bps = target(b);
    uint64_t room = taken < bps ? 1 + (bps - taken) / 8 / RESEND_LEN : 0;
    return room < n ? (size_t)room : n;
}

void transport_bwe_padded(struct transport *t, usec now, size_t len)
{
    struct transport_bwe *b = t->bwe;
    if (!b)
        return;
    flow_add(&b->padding, now, len);
    trace(b, now, TRANSPORT_TRACE_PROBATION, NULL);
}

static void heard(struct transport_bwe *b, usec now)
{
    if (now - b->measured_at >= MEASURE_US)
        measure(b, now);
    tell(b, now);
    arm(b);
}

void transport_bwe_twcc(struct transport *t, usec now, const struct rtcp_block *block)
{
    struct twcc message;
    if (!t->bwe || twcc_parse(block, &message) != OK)
        return;
    est_feedback(&t->bwe->est, now, &message);
    heard(t->bwe, now);
}

/* Beside transport-wide feedback it would only be the peer's second, worse opinion. */
void transport_bwe_remb(struct transport *t, usec now, const struct rtcp_block *block)
{
    struct rtcp_remb remb;
    if (!t->bwe || t->bwe->est.source != EST_REMB || rtcp_parse_remb(block, &remb) != OK)
        return;
    est_remb(&t->bwe->est, remb.bitrate_bps < BITRATE_MAX ? remb.bitrate_bps : BITRATE_MAX);
    heard(t->bwe, now);
}

void transport_bwe_report(struct transport *t, usec now, struct consumer *c,
                          const struct rtcp_report *r)
{
    struct rtp_stream_stat stat;
    if (!t->bwe || c->kind != MEDIA_KIND_VIDEO)
        return;
    bool has_rtt = c->ops->stats(c, now, &stat, 1) > 0 && stat.has_round_trip_time;
    usec rtt = has_rtt ? (usec)(stat.round_trip_time * (double)USEC_PER_MSEC) : 0;
    est_rr(&t->bwe->est, now, r->fraction_lost, rtt);
    heard(t->bwe, now);
}

void transport_bwe_limits(struct transport *t)
{
    if (t->bwe)
        est_set_limits(&t->bwe->est, t->min_outgoing_bps, t->max_outgoing_bps);
}

/* ---- life cycle ---- */

/* False: it negotiated neither, or is no video. */
static bool source_of(const struct consumer *c, enum est_source *out)
{
    const struct codec_entry *codec =
        codec_table_of_encoding(&c->codecs, &c->rtp_parameters->encodings[0]);
    *out = EST_REMB;
    if (c->kind != MEDIA_KIND_VIDEO)
        return false;
    bool transport_cc = codec->transport_cc && c->layout.number_at != 0;
    if (transport_cc)
        *out = EST_TRANSPORT_CC;
    return transport_cc || (codec->remb && c->layout.time_at != 0);
}

static enum err begin(struct transport_bwe *b, enum est_source source)
{
    const struct transport *t = b->transport;
    struct est_config config = {.source = source,
                                .initial_bps = within_limits(t, t->initial_outgoing_bps),
                                .min_bps = t->min_outgoing_bps,
                                .max_bps = t->max_outgoing_bps};
    enum err e = est_init(&b->est, &config);
    if (e == OK)
        est_set_desired(&b->est, b->desired_bps);
    return e;
}

static enum err open_bwe(struct transport *t, enum est_source source)
{
    struct transport_bwe *b = calloc(1, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    b->transport = t;
    b->measured_at = -UNHEARD_US;
    rate_init(&b->padding.rate, USEC_PER_SEC);
    rate_init(&b->resent, USEC_PER_SEC);
    enum err e = begin(b, source);
    if (e == OK)
        e = timer_add(&t->worker->timers, &b->timer, on_timer);
    if (e == OK)
        e = transport_pace_open(t);
    if (e != OK) {
        timer_drop(&b->timer);
        est_fini(&b->est);
        free(b);
        return e;
    }
    t->bwe = b;
    return OK;
}

enum err transport_bwe_consumer(struct transport *t, usec now, const struct consumer *c)
{
    enum est_source source;
    if (t->ops->type != TRANSPORT_TYPE_WEBRTC || (!source_of(c, &source) && !t->bwe))
        return OK;
    if (!t->bwe) {
        enum err e = open_bwe(t, source);
        if (e != OK)
            return e;
    } else if (t->bwe->est.source == EST_REMB && source == EST_TRANSPORT_CC) {
        struct estimator old = t->bwe->est;
        enum err e = begin(t->bwe, source);
        if (e != OK) {
            t->bwe->est = old;
            return e;
        }
        est_fini(&old);
    }
    transport_pace_target(t, now, target(t->bwe), t->bwe->whole_bps);
    return bwe_share_reserve(&t->bwe->share, t);
}

void transport_bwe_changed(struct transport *t, usec now)
{
    if (!t->bwe)
        return;
    measure(t->bwe, now);
    heard(t->bwe, now);
}

void transport_bwe_close(struct transport *t)
{
    struct transport_bwe *b = t->bwe;
    if (!b)
        return;
    transport_pace_close(t);
    timer_drop(&b->timer);
    est_fini(&b->est);
    bwe_share_fini(&b->share);
    free(b);
    t->bwe = NULL;
}

/* ---- answers ---- */

bool transport_bwe_available(const struct transport *t, uint64_t *bps)
{
    if (t->bwe)
        *bps = target(t->bwe);
    return t->bwe != NULL;
}

uint64_t transport_bwe_pace(const struct transport *t)
{
    if (!t->bwe)
        return 0;
    uint64_t bps = target(t->bwe);
    return (uint64_t)(PACER_FACTOR * (double)(bps > t->bwe->whole_bps ? bps : t->bwe->whole_bps));
}

void transport_bwe_stats(struct transport *t, usec now, struct transport_get_stats_response *out)
{
    struct transport_bwe *b = t->bwe;
    if (!b)
        return;
    out->has_available_outgoing_bitrate = true;
    out->available_outgoing_bitrate = target(b);
    out->probation_bytes_sent = b->padding.bytes;
    out->probation_send_bitrate = rate_bps(&b->padding.rate, now);
    out->bytes_sent += b->padding.bytes;
    out->send_bitrate += out->probation_send_bitrate;
}
