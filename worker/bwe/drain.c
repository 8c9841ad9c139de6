#include "worker/bwe/drain.h"

#include <math.h>

#include "worker/bwe/aimd.h"

bool drain_update(struct drain *d, usec now, usec standing)
{
    if (standing <= DRAIN_QUEUE_US || now < d->rest_until) {
        d->active = false;
        return false;
    }
    if (!d->active) {
        d->active = true;
        d->since = d->cut_at = now;
        return true;
    }
    if (now - d->since > DRAIN_GIVE_UP_US) {
        d->active = false;
        d->rest_until = now + DRAIN_REST_US;
        return false;
    }
    if (now - d->cut_at < DRAIN_EVERY_US)
        return false;
    d->cut_at = now;
    return true;
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
