#include "worker/bwe/estimator.h"

#include <math.h>

#define PROBE_ABOVE_DESIRED 1.5 /* so that a layer has room when it is wanted */
#define START_FACTOR 3.0
#define GROW_FACTOR 1.5
#define GROW_FACTOR_LIMITED 2.0 /* when little is sent, there is room for more */
#define GROW_LEAST 1.1          /* a probe that can show less is not worth it */
#define BACKOFF 0.5
#define PROBE_NEWS 1.24 /* times the estimate */
#define ABOVE_ACKED_KNOWN 1.2
#define RANDOM_BURST 4.0
#define RANDOM_MAX 0.5
#define RTT_WEIGHT 0.2

enum {
    GROW_EVERY_US = 1000 * 1000,   /* and up to two thirds as much again */
    START_EVERY_US = 300 * 1000,   /* when nothing is known yet */
    GROW_LIMITED_US = 4000 * 1000, /* when the application is the limit */
    GROW_SPREAD_US = 1000 * 1000,
    PROBE_DRAIN_US = 100 * 1000,
    GROW_AFTER_DECREASE_US = 1000 * 1000,
    QUEUE_SOME_US = 50 * 1000, /* a queue that says congestion */
    QUEUE_NONE_US = 30 * 1000, /* a queue with room for a probe */
    UNMEASURED_MAX = 2,        /* probes in a row that told nothing, and are sent again */
    PACKET_SIZE_MAX = UINT16_MAX
};

/* ---- limits ---- */

static double or_default(uint64_t bps, double value)
{
    return bps > 0 ? (double)bps : value;
}

static void apply_limits(struct estimator *e)
{
    aimd_set_limits(&e->aimd, e->min_bps, e->max_bps);
    remb_sender_set_limits(&e->remb, e->min_bps, e->max_bps);
    probe_set_cap(&e->probe, fmin(e->max_bps, PROBE_ABOVE_DESIRED * e->desired_bps));
}

enum err est_init(struct estimator *e, const struct est_config *c)
{
    *e = (struct estimator){
        .source = c->source,
        .initial_bps = or_default(c->initial_bps, EST_INITIAL_BPS),
        .min_bps = or_default(c->min_bps, EST_MIN_BPS),
        .max_bps = or_default(c->max_bps, INFINITY),
        .desired_bps = INFINITY,
        .waiting_since = USEC_NEVER,
        .next_number = -1,
    };
    e->max_bps = fmax(e->max_bps, e->min_bps);
    inter_arrival_reset(&e->inter_arrival);
    trendline_init(&e->trendline);
    acked_rate_reset(&e->acked);
    aimd_init(&e->aimd, e->initial_bps, e->min_bps, e->max_bps);
    queue_delay_reset(&e->queue);
    loss_control_init(&e->loss);
    probe_init(&e->probe);
    probe_meter_init(&e->meter);
    remb_sender_init(&e->remb, e->initial_bps, e->min_bps, e->max_bps);
    apply_limits(e);
    return sent_packets_init(&e->sent);
}

void est_fini(struct estimator *e)
{
    sent_packets_fini(&e->sent);
}

void est_set_limits(struct estimator *e, uint64_t min_bps, uint64_t max_bps)
{
    e->min_bps = or_default(min_bps, EST_MIN_BPS);
    e->max_bps = fmax(or_default(max_bps, INFINITY), e->min_bps);
    apply_limits(e);
}

void est_set_desired(struct estimator *e, uint64_t bps)
{
    double before = e->desired_bps;
    e->desired_bps = bps == UINT64_MAX ? INFINITY : (double)bps;
    apply_limits(e);
    if (e->desired_bps > before)
        e->grow_at = -GROW_LIMITED_US; /* somebody wants more now: find out now */
}

void est_set_padding(struct estimator *e, bool possible)
{
    e->padding = possible;
}

/* ---- answers ---- */

static double target(const struct estimator *e)
{
    if (e->source == EST_REMB || e->by_report)
        return remb_sender_bps(&e->remb);
    double bps = fmin(e->aimd.bps, e->loss.limit_bps);
    return fmax(fmin(bps, e->remb.remb_bps), e->min_bps);
}

uint64_t est_target_bps(const struct estimator *e)
{
    return (uint64_t)target(e);
}

double est_inherent_loss(const struct estimator *e)
{
    return e->loss.inherent;
}

/* ---- sending ---- */

void est_sent(struct estimator *e, usec now, uint16_t seq, size_t size)
{
    if (e->source == EST_REMB)
        return;
    if (e->padding && !e->probed && e->desired_bps > 0) {
        e->probed = true;
        probe_start(&e->probe, now, target(e));
    }
    const struct probe_cluster *c = probe_active(&e->probe);
    uint8_t id = PROBE_NONE;
    if (c) {
        id = c->id;
        if (c->packets == 0)
            probe_meter_expect(&e->meter, id, c->min_bytes, c->duration);
    }
    uint16_t bytes = size < PACKET_SIZE_MAX ? (uint16_t)size : PACKET_SIZE_MAX;
    sent_packets_add(&e->sent, now, seq, bytes, id);
    probe_sent(&e->probe, now, size);
    alr_sent(&e->alr, now, size, target(e));
    if (e->waiting_since == USEC_NEVER)
        e->waiting_since = now;
}

size_t est_next_padding(struct estimator *e, usec now)
{
    return e->padding && !e->by_report ? probe_padding(&e->probe, now) : 0;
}

/* ---- feedback ---- */

static void restart_delay(struct estimator *e)
{
    inter_arrival_reset(&e->inter_arrival);
    trendline_init(&e->trendline);
    queue_delay_reset(&e->queue);
    acked_rate_reset(&e->acked);
}

/* The share of a short time's packets that random loss may have taken: it comes in bursts, so
 * several times the mean. */
static double random_loss(const struct estimator *e)
{
    return fmin(RANDOM_BURST * e->loss.inherent, RANDOM_MAX);
}

/* One that arrived; follows: so did the packet sent before it. *probed becomes the result of a
 * probe that ended before it. */
static void arrived(struct estimator *e, usec now, const struct packet_result *p, bool follows,
                    struct probe_result *probed)
{
    struct arrival_delta d;
    acked_rate_add(&e->acked, p->arrived_at, p->size, follows);
    queue_delay_add(&e->queue, p->sent_at, p->arrived_at);
    probe_meter_add(&e->meter, p->cluster, p->sent_at, p->arrived_at, p->size, random_loss(e),
                    probed);
    /* A probe means to fill the queue for a moment, and that is no trend. */
    if (p->cluster != PROBE_NONE)
        e->trend_after = p->sent_at + PROBE_DRAIN_US;
    else if (p->sent_at >= e->trend_after &&
             inter_arrival_add(&e->inter_arrival, now, p->sent_at, p->arrived_at, p->size, &d))
        trendline_add(&e->trendline, d.sent, d.arrival, p->arrived_at);
}

static void learn_rtt(struct estimator *e, usec rtt, bool reported)
{
    if (rtt <= 0 || (e->rtt_reported && !reported))
        return;
    if (e->rtt == 0 || (reported && !e->rtt_reported))
        e->rtt = rtt;
    else
        e->rtt += (usec)(RTT_WEIGHT * (double)(rtt - e->rtt));
    e->rtt_reported = e->rtt_reported || reported;
    e->aimd.rtt = e->rtt;
}

static bool take_probe(struct estimator *e, usec now, double bps, bool full)
{
    aimd_set(&e->aimd, now, fmax(bps, e->acked_bps));
    /* One that kept up says only that there is more. */
    if (e->aimd.decreased_at >= 0 || full)
        link_capacity_probe(&e->aimd.capacity, bps);
    loss_control_passed(&e->loss, bps);
    probe_answer(&e->probe, now, bps);
    return true;
}

/* Where over-use has shown what the way carries, a probe must show much more to be believed, and
 * twice: on a shared link it also squeezes others, and the larger flow would win back what it gave.
 * Only when too little is sent for the delay to say anything does a lower result count, step by
 * step. True: the estimate was set. */
/* There is room for a probe, as far as the delay says; beside another's queue, always. */
static bool room(const struct estimator *e, usec now)
{
    return e->queue.standing <= QUEUE_NONE_US || drain_resting(&e->drain, now);
}

/* Of the last one too little arrived, or, when it was short, all at once after a frame of others:
 * a long one sees past that. */
static void probe_anew(struct estimator *e, usec now)
{
    if (e->probe.duration >= PROBE_LONG_US)
        probe_repeat(&e->probe, now);
    else
        probe_request(&e->probe, now, target(e), GROW_FACTOR, PROBE_LONG_US);
}

static bool apply_probe(struct estimator *e, usec now, const struct probe_result *r)
{
    double bps = r->bps;
    if (bps <= 0) {
        if (room(e, now) && e->unmeasured++ < UNMEASURED_MAX)
            probe_anew(e, now);
        return false;
    }
    e->unmeasured = 0;
    double before = e->unconfirmed_bps;
    e->unconfirmed_bps = 0;
    if (e->alr.limited)
        return take_probe(e, now, fmax(bps, AIMD_BETA * e->aimd.bps), r->full);
    if ((bps > e->aimd.bps || r->full) && !e->aimd.capacity.known)
        return take_probe(e, now, bps, r->full);
    if (bps < PROBE_NEWS * e->aimd.bps || !room(e, now))
        return false;
    if (before > 0)
        return take_probe(e, now, fmin(before, bps), r->full);
    e->unconfirmed_bps = bps;
    probe_repeat(&e->probe, now);
    return false;
}

/* Spreads out what begins at the same time. */
static uint64_t hash(usec now)
{
    uint64_t x = (uint64_t)now * 0x9e3779b97f4a7c15u;
    return x >> 32;
}

static usec growth_pause(const struct estimator *e, bool known)
{
    /* A repetition that nobody answered is not put off. */
    if (e->unconfirmed_bps > 0)
        return 0;
    return !known ? START_EVERY_US : e->alr.limited ? GROW_LIMITED_US : GROW_EVERY_US;
}

/* From time to time one cluster above the estimate, while the way is free: so a link that has
 * become faster is found, also when the application sends less than it may. */
static void probe_for_growth(struct estimator *e, usec now)
{
    double bps = target(e);
    /* As long as nothing is known, in great steps and often. */
    bool known = e->aimd.capacity.known || e->aimd.decreased_at >= 0;
    double factor = !known ? START_FACTOR : e->alr.limited ? GROW_FACTOR_LIMITED : GROW_FACTOR;
    double cap = fmin(e->probe.cap_bps, e->remb.remb_bps);
    bool calm = e->trendline.usage != USAGE_OVERUSE && room(e, now) &&
                e->loss.limit_bps > GROW_FACTOR * bps;
    bool recent = e->aimd.decreased_at >= 0 && now - e->aimd.decreased_at < GROW_AFTER_DECREASE_US;
    if (!e->padding || !calm || recent || cap < GROW_LEAST * bps || bps >= e->desired_bps ||
        now - e->grow_at < growth_pause(e, known) || probe_busy(&e->probe, now))
        return;
    /* Not in step with others on the same way. */
    e->grow_at = now + (usec)(hash(now) % (known ? GROW_SPREAD_US : START_EVERY_US));
    probe_request(&e->probe, now, bps, fmin(factor, cap / bps),
                  known ? PROBE_LONG_US : PROBE_DURATION_US);
}

static void drain(struct estimator *e, usec now, struct aimd_input *in)
{
    switch (
        drain_update(&e->drain, now, e->queue.standing, e->aimd.bps, in->acked_bps, in->fresh)) {
    case DRAIN_NOTHING:
        break;
    case DRAIN_CUT:
        in->usage = USAGE_OVERUSE;
        in->peak_bps = in->acked_bps; /* while it stands, all of the way was used */
        break;
    case DRAIN_GAVE_UP:
        link_capacity_reset(&e->aimd.capacity); /* what it gave way, it may win back fast */
        break;
    case DRAIN_DONE:
        if (e->aimd.capacity.known)
            aimd_set(&e->aimd, now,
                     fmax(e->aimd.bps, AIMD_BETA * 1000 * e->aimd.capacity.estimate));
        break;
    }
    in->beta = drain_beta(&e->drain, e->queue.standing);
}

static void update(struct estimator *e, usec now, usec newest_sent,
                   const struct probe_result *probed)
{
    struct aimd_input in = {.acked_bps = acked_rate_bps(&e->acked),
                            .peak_bps = acked_rate_peak_bps(&e->acked),
                            .fresh = newest_sent >= e->aimd.decreased_at};
    queue_delay_end(&e->queue, now);
    in.usage = e->trendline.usage;
    /* What the way carries is known, and probes will tell when it is more: no growing unseen. */
    in.above = e->padding && e->aimd.capacity.known ? ABOVE_ACKED_KNOWN : AIMD_ABOVE_ACKED;
    bool queue = e->queue.standing > QUEUE_SOME_US;
    in.queue = queue && !drain_resting(&e->drain, now);
    e->acked_bps = in.acked_bps;
    if (loss_control_update(&e->loss, now, queue || in.usage == USAGE_OVERUSE,
                            acked_rate_arrived_bps(&e->acked)))
        in.usage = USAGE_OVERUSE;
    drain(e, now, &in);
    /* While loss limits, the delay shows nothing of what is above: no growing there unseen. */
    if (e->aimd.bps > e->loss.limit_bps)
        aimd_set(&e->aimd, now, e->loss.limit_bps);
    if (!probed->ended || in.usage == USAGE_OVERUSE || !apply_probe(e, now, probed))
        aimd_update(&e->aimd, now, &in);
    probe_for_growth(e, now);
}

void est_feedback(struct estimator *e, usec now, const struct twcc *t)
{
    struct sent_report report;
    struct packet_result p;
    struct probe_result probed = {0};
    usec newest_sent = -1;
    if (e->source == EST_REMB)
        return;
    if (!sent_packets_report(&e->sent, now, t, &report)) {
        e->rejected++;
        return;
    }
    if (report.clock_jump || (e->answered && now - e->feedback_at > EST_STREAM_GAP_US))
        restart_delay(e);
    while (sent_packets_next(&e->sent, &report, &p)) {
        bool is_lost = p.arrived_at == USEC_NEVER;
        if (p.late)
            loss_control_found(&e->loss);
        else
            loss_control_packet(&e->loss, p.sent_at, p.size, is_lost);
        if (is_lost) {
            probe_meter_lost(&e->meter, p.cluster, p.size);
            continue;
        }
        bool follows = !p.late && report.number == e->next_number;
        e->next_number = p.late ? -1 : report.number + 1;
        if (p.sent_at > newest_sent)
            newest_sent = p.sent_at;
        arrived(e, now, &p, follows, &probed);
    }
    if (e->by_report)
        aimd_set(&e->aimd, now, target(e));
    e->by_report = false;
    e->answered = true;
    e->feedbacks++;
    e->feedback_at = now;
    e->waiting_since = e->sent.in_flight > 0 ? now : USEC_NEVER;
    if (newest_sent < 0)
        return;
    learn_rtt(e, now - newest_sent, false);
    update(e, now, newest_sent, &probed);
}

/* Without a REMB above it, growing by reports alone ends where nobody wants more. */
static void report(struct estimator *e, usec now, double share, usec rtt)
{
    double before = e->remb.loss_bps;
    remb_sender_report(&e->remb, now, share, rtt);
    if (e->source != EST_REMB)
        e->remb.loss_bps = fmin(e->remb.loss_bps, fmax(before, e->probe.cap_bps));
}

void est_rr(struct estimator *e, usec now, uint8_t fraction_lost, usec rtt)
{
    learn_rtt(e, rtt, true);
    e->told = true;
    if (e->source == EST_REMB || !e->answered)
        report(e, now, fraction_lost / 256.0, rtt);
}

void est_remb(struct estimator *e, uint64_t bps)
{
    e->told = true;
    remb_sender_remb(&e->remb, (double)bps);
}

/* ---- time ---- */

void est_timeout(struct estimator *e, usec now)
{
    sent_packets_grow(&e->sent);
    probe_timeout(&e->probe, now);
    if (e->waiting_since == USEC_NEVER || now - e->waiting_since < EST_SILENCE_US)
        return;
    /* The way back is there, and has something else on it. */
    if (!e->answered && e->told) {
        e->by_report = true;
        e->told = false;
        e->waiting_since = now - EST_SILENCE_US + EST_REPORTS_US;
        return;
    }
    /* Nothing comes back: the way, or the way back, is full or gone. */
    aimd_set(&e->aimd, now, BACKOFF * (e->by_report ? target(e) : e->aimd.bps));
    e->by_report = false;
    e->waiting_since = now - EST_SILENCE_US + EST_BACKOFF_US;
}

usec est_deadline(const struct estimator *e)
{
    if (e->source == EST_REMB)
        return USEC_NEVER;
    usec at = e->padding ? probe_deadline(&e->probe) : USEC_NEVER;
    if (e->sent.crowded)
        at = 0;
    if (e->waiting_since != USEC_NEVER)
        at = usec_min(at, e->waiting_since + EST_SILENCE_US);
    return at;
}
