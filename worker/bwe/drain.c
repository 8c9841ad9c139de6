#include "worker/bwe/drain.h"

#include <math.h>

#include "worker/bwe/aimd.h"

static enum drain_advice give_up(struct drain *d, usec now)
{
    d->active = d->deep = d->begun = false;
    d->rest = d->rest == 0 ? DRAIN_REST_US : usec_min(2 * d->rest, DRAIN_REST_MAX_US);
    d->rest_until = now + d->rest;
    return DRAIN_GAVE_UP;
}

static enum drain_advice cut(struct drain *d, usec now)
{
    d->deep = true;
    d->cut_at = now;
    return DRAIN_CUT;
}

enum drain_advice drain_update(struct drain *d, usec now, usec standing, double bps,
                               double acked_bps, bool fresh)
{
    if (standing < DRAIN_GONE_US) {
        bool done = d->deep;
        *d = (struct drain){0};
        return done ? DRAIN_DONE : DRAIN_NOTHING;
    }
    if (standing < DRAIN_QUEUE_US / 2)
        d->begun = false;
    d->active = standing > DRAIN_QUEUE_US && !drain_resting(d, now);
    if (!d->active)
        return DRAIN_NOTHING;
    if (!d->begun) {
        d->begun = true;
        d->answered = false;
        d->since = now;
        d->began_bps = acked_bps;
        return cut(d, now);
    }
    /* Until the first cut has reached the far end, this is what the old rate got of the way. */
    d->answered = d->answered || fresh;
    if (d->began_bps <= 0 || (!d->answered && acked_bps > 0))
        d->began_bps = acked_bps;
    /* From a queue of our own comes more than we send, until it is gone. */
    bool drains = acked_bps > DRAIN_MORE * bps;
    bool enough = now - d->since > DRAIN_GIVE_UP_US || bps < DRAIN_RATE_LEFT * d->began_bps;
    if (enough && !drains)
        return give_up(d, now);
    return now - d->cut_at < DRAIN_EVERY_US ? DRAIN_NOTHING : cut(d, now);
}

bool drain_resting(const struct drain *d, usec now)
{
    return now < d->rest_until;
}

double drain_beta(const struct drain *d, usec standing)
{
    if (!d->active)
        return AIMD_BETA;
    double length = (double)(standing - DRAIN_QUEUE_US) / (DRAIN_QUEUE_FULL_US - DRAIN_QUEUE_US);
    return AIMD_BETA - (AIMD_BETA - DRAIN_BETA_MIN) * fmin(fmax(length, 0), 1);
}
