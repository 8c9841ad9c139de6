#include "worker/bwe/loss_control.h"

#include <math.h>

#define WEIGHT 0.9 /* of an observation beside the next one: about 2.5 s of memory */
#define LOSS_IGNORED 0.01
#define EVENTS_MIN 5.0
#define PACKETS_MIN 40.0 /* weighted: fewer prove nothing */
/* Twice the gain in log likelihood that makes a limit believable. One degree of freedom, tried
 * four times a second: 12 is one false alarm in about 2,000 tries. */
#define EVIDENCE 12.0
#define CHANCE_MIN 0.0005
#define GROWTH 1.3    /* of a limit that is no longer proven, a second */
#define FORGET 2.0    /* a limit so far above what is sent is none */
#define FAR_BELOW 1.2 /* a limit so far above what is sent takes nothing */
#define OVERLOAD_ABOVE_ACKED 1.05
#define INHERENT_PACKETS 500.0 /* memory of the random loss */

#define OVERFLOW_ABOVE_INHERENT 0.02

enum { CANDIDATES = 10, RECENT_OBSERVATIONS = 4 };

void loss_control_init(struct loss_control *l)
{
    *l = (struct loss_control){.limit_bps = INFINITY};
}

void loss_control_packet(struct loss_control *l, usec sent_at, size_t size, bool lost)
{
    if (!l->has_from) {
        l->has_from = true;
        l->open_from = l->open_to = sent_at; /* the rate starts after this one */
        return;
    }
    if (sent_at > l->open_to)
        l->open_to = sent_at;
    l->open.packets++;
    l->open_bytes += size;
    if (lost) {
        l->open.lost++;
        if (!l->in_run)
            l->open.runs++;
    }
    l->in_run = lost;
}

void loss_control_found(struct loss_control *l)
{
    struct loss_observation *o =
        l->open.lost > 0 || l->n == 0
            ? &l->open
            : &l->past[(l->next + LOSS_OBSERVATIONS - 1) % LOSS_OBSERVATIONS];
    if (o->lost > 0)
        o->lost--;
    if (o->runs > o->lost)
        o->runs = o->lost;
}

static bool ripe(const struct loss_control *l)
{
    usec span = l->open_to - l->open_from;
    return span >= LOSS_OBSERVATION_US && l->open.packets >= LOSS_OBSERVATION_PACKETS;
}

static void close_observation(struct loss_control *l)
{
    usec span = l->open_to - l->open_from;
    l->open.bps = (double)l->open_bytes * 8 * USEC_PER_SEC / (double)span;
    l->past[l->next] = l->open;
    l->next = (l->next + 1) % LOSS_OBSERVATIONS;
    if (l->n < LOSS_OBSERVATIONS)
        l->n++;
    l->open = (struct loss_observation){0};
    l->open_bytes = 0;
    l->open_from = l->open_to;
}

/* ---- the two explanations ---- */

struct evidence {
    double packets; /* weighted sums */
    double lost;
    double runs;
    double sent;    /* weighted sum of rates by packets */
    double slowest; /* rates */
    double fastest;
};

/* The k-th newest. */
static const struct loss_observation *newest(const struct loss_control *l, unsigned k)
{
    return &l->past[(l->next + 2 * LOSS_OBSERVATIONS - 1 - k) % LOSS_OBSERVATIONS];
}

/* Of the newest n observations. */
static struct evidence gather(const struct loss_control *l, unsigned n)
{
    struct evidence e = {.slowest = INFINITY};
    double weight = 1;
    for (unsigned k = 0; k < l->n && k < n; k++, weight *= WEIGHT) {
        const struct loss_observation *o = newest(l, k);
        e.packets += weight * o->packets;
        e.lost += weight * o->lost;
        e.runs += weight * o->runs;
        e.sent += weight * o->packets * o->bps;
        e.slowest = fmin(e.slowest, o->bps);
        e.fastest = fmax(e.fastest, o->bps);
    }
    return e;
}

/* Losses that come in runs are fewer events than packets: each run counts once. */
static double independence(const struct evidence *e)
{
    return e->lost > 0 ? e->runs / e->lost : 1;
}

static double share_lost(const struct evidence *e)
{
    return e->packets > 0 ? e->lost / e->packets : 0;
}

/* The share that is lost at least, chance aside: two standard deviations below what was seen. One
 * or two long runs can be one accident, and say nothing. */
static double surely_lost(const struct evidence *e)
{
    double share = share_lost(e);
    double events = e->packets * independence(e);
    return events >= EVENTS_MIN ? share - 2 * sqrt(share * (1 - share) / events) : 0;
}

static double passed_bps(const struct evidence *e)
{
    return e->packets > 0 ? e->sent / e->packets * (1 - share_lost(e)) : 0;
}

/* Share of a flow at this rate that passes a bandwidth. */
static double passes(double bandwidth, double bps)
{
    return bps > bandwidth ? bandwidth / bps : 1;
}

/* The random loss that, with this bandwidth, gives the losses seen in sum. */
static double fit_inherent(const struct loss_control *l, double bandwidth)
{
    double passed = 0, arrived = 0, weight = 1;
    for (unsigned k = 0; k < l->n; k++, weight *= WEIGHT) {
        const struct loss_observation *o = newest(l, k);
        passed += weight * o->packets * passes(bandwidth, o->bps);
        arrived += weight * (o->packets - o->lost);
    }
    double p = passed > 0 ? 1 - arrived / passed : 0;
    return fmin(fmax(p, CHANCE_MIN), LOSS_RANDOM_MAX);
}

static double log_likelihood(const struct loss_control *l, double bandwidth)
{
    double inherent = fit_inherent(l, bandwidth);
    double sum = 0, weight = 1;
    for (unsigned k = 0; k < l->n; k++, weight *= WEIGHT) {
        const struct loss_observation *o = newest(l, k);
        double arrives = (1 - inherent) * passes(bandwidth, o->bps);
        sum += weight * (o->lost * log(1 - arrives) + (o->packets - o->lost) * log(arrives));
    }
    return sum;
}

/* The bandwidth that explains the losses; INFINITY: random loss does as well. */
static double proven_bandwidth(const struct loss_control *l, const struct evidence *e)
{
    double best = INFINITY;
    double random = log_likelihood(l, INFINITY);
    double needed = EVIDENCE / 2 / independence(e);
    double highest = random + needed;
    for (unsigned i = 0; i < CANDIDATES; i++) {
        double b = e->slowest + (e->fastest - e->slowest) * (i + 0.5) / CANDIDATES;
        double likelihood = log_likelihood(l, b);
        if (likelihood > highest) {
            highest = likelihood;
            best = b;
        }
    }
    return best;
}

/* ---- conclusions ---- */

static void release(struct loss_control *l, usec now, double fastest)
{
    if (isinf(l->limit_bps))
        return;
    l->limit_bps *= pow(GROWTH, (double)(now - l->concluded_at) / USEC_PER_SEC);
    if (l->limit_bps > FORGET * fastest)
        l->limit_bps = INFINITY;
}

static void conclude(struct loss_control *l, usec now, double acked_bps)
{
    struct evidence e = gather(l, LOSS_OBSERVATIONS);
    double bandwidth = INFINITY;
    if (e.packets * independence(&e) >= PACKETS_MIN && share_lost(&e) > LOSS_IGNORED)
        bandwidth = proven_bandwidth(l, &e);
    struct evidence now_lost = gather(l, RECENT_OBSERVATIONS);
    if (surely_lost(&e) > LOSS_RANDOM_MAX && surely_lost(&now_lost) > LOSS_RANDOM_MAX)
        bandwidth = fmin(bandwidth, OVERLOAD_ABOVE_ACKED * passed_bps(&now_lost));
    /* What arrives has passed: a limit below it cannot be true. */
    if (!isinf(bandwidth) && acked_bps > 0)
        l->limit_bps = fmax(bandwidth, acked_bps);
    else
        release(l, now, e.fastest);
    l->concluded_at = now;
}

void loss_control_passed(struct loss_control *l, double bps)
{
    l->limit_bps = fmax(l->limit_bps, bps);
}

/* Only from times without congestion, so that a full queue's drops are not taken for chance. */
static void learn_inherent(struct loss_control *l)
{
    const struct loss_observation *o = newest(l, 0);
    if (l->congested || l->limit_bps < FAR_BELOW * o->bps)
        return;
    l->inherent_packets = fmin(l->inherent_packets + o->packets, INHERENT_PACKETS);
    double share = (double)o->lost / o->packets;
    l->inherent += (share - l->inherent) * fmin(1, o->packets / l->inherent_packets);
    l->inherent = fmin(l->inherent, LOSS_INHERENT_MAX);
}

/* More than chance takes, while a queue stands. */
static bool overflows(const struct loss_control *l)
{
    struct evidence e = gather(l, RECENT_OBSERVATIONS);
    return l->congested && newest(l, 0)->lost > 0 &&
           surely_lost(&e) > l->inherent + OVERFLOW_ABOVE_INHERENT;
}

bool loss_control_update(struct loss_control *l, usec now, bool congested, double acked_bps)
{
    l->congested = l->congested || congested;
    if (!ripe(l))
        return false;
    close_observation(l);
    conclude(l, now, acked_bps);
    learn_inherent(l);
    bool overflow = overflows(l) && congested; /* and not over meanwhile */
    l->congested = congested;
    return overflow;
}
