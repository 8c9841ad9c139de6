#include "worker/bwe/aimd.h"

#include <math.h>

#define ETA 1.08 /* gcc-02 5.5: eta = 1.08 ^ min(time_since_last_update_ms / 1000, 1.0) */
#define INCREASE_MIN_BPS 1000.0
#define ADDITIVE_MIN_BPS 4000.0 /* a second */
/* Lets a silent start grow. */
#define ABOVE_ACKED_BPS 10000.0
#define PACKET_BITS (8 * 1200.0)
/* The same for small flows as for large ones, so that they become equal. */
#define PACKET_BITS_MIN (PACKET_BITS / 2)
#define FRAMES_PER_SECOND 30.0

enum { RESPONSE_EXTRA_US = 100 * 1000 };

void aimd_init(struct aimd *a, double start_bps, double min_bps, double max_bps)
{
    *a = (struct aimd){
        .state = AIMD_HOLD, .bps = start_bps, .rtt = AIMD_DEFAULT_RTT_US, .decreased_at = -1};
    link_capacity_reset(&a->capacity);
    aimd_set_limits(a, min_bps, max_bps);
}

static void clamp(struct aimd *a)
{
    a->bps = fmax(fmin(a->bps, a->max_bps), a->min_bps);
}

void aimd_set_limits(struct aimd *a, double min_bps, double max_bps)
{
    a->min_bps = min_bps;
    a->max_bps = max_bps;
    clamp(a);
}

/* gcc-02 5.5, the table of transitions:
 *            Hold        Increase    Decrease
 * over-use   Decrease    Decrease
 * normal     Increase                Hold
 * under-use              Hold        Hold       */
static void transit(struct aimd *a, usec now, enum bandwidth_usage usage)
{
    switch (usage) {
    case USAGE_NORMAL:
        if (a->state == AIMD_HOLD) {
            a->state = AIMD_INCREASE;
            a->changed_at = now;
        }
        break;
    case USAGE_OVERUSE:
        a->state = AIMD_DECREASE;
        break;
    case USAGE_UNDERUSE:
        a->state = AIMD_HOLD;
        break;
    }
}

/* gcc-02 5.5: near convergence "at most half a packet per response_time interval", with the
 * estimator's own delay of 100 ms; doubled since over-use takes time to be seen. */
static double additive_bps_per_second(const struct aimd *a)
{
    double frame_bits = a->bps / FRAMES_PER_SECOND;
    double packets = fmax(1, ceil(frame_bits / PACKET_BITS));
    double response_s = 2 * (double)(a->rtt + RESPONSE_EXTRA_US) / USEC_PER_SEC;
    return fmax(ADDITIVE_MIN_BPS, fmax(frame_bits / packets, PACKET_BITS_MIN) / response_s);
}

static void increase(struct aimd *a, usec now, const struct aimd_input *in)
{
    double seconds = fmin(fmax((double)(now - a->changed_at) / USEC_PER_SEC, 0), 1);
    if (in->acked_bps > link_capacity_upper_bps(&a->capacity))
        link_capacity_reset(&a->capacity);
    double limit = in->acked_bps > 0 ? in->above * in->acked_bps + ABOVE_ACKED_BPS : INFINITY;
    a->changed_at = now;
    if (a->bps >= limit)
        return;
    double step = a->capacity.known || in->queue
                      ? additive_bps_per_second(a) * seconds
                      : fmax(a->bps * (pow(ETA, seconds) - 1), INCREASE_MIN_BPS * seconds);
    a->bps = fmin(a->bps + step, limit);
}

static bool may_reduce(const struct aimd *a, const struct aimd_input *in)
{
    return a->decreased_at < 0 || in->fresh || (in->peak_bps > 0 && in->peak_bps < a->bps / 2);
}

static void decrease(struct aimd *a, usec now, const struct aimd_input *in)
{
    if (!may_reduce(a, in))
        return;
    double known = a->capacity.known ? in->beta * a->capacity.estimate * 1000 : a->bps / 2;
    if (in->peak_bps > 0) {
        double bps = in->beta * in->peak_bps;
        if (bps > a->bps && a->capacity.known)
            bps = known;
        a->bps = fmin(a->bps, bps);
        if (in->peak_bps < link_capacity_lower_bps(&a->capacity))
            link_capacity_reset(&a->capacity);
        link_capacity_overuse(&a->capacity, in->peak_bps);
    } else {
        a->bps = fmin(a->bps, known); /* a half: too much from the start, nothing is known yet */
    }
    a->changed_at = a->decreased_at = now;
}

void aimd_update(struct aimd *a, usec now, const struct aimd_input *in)
{
    transit(a, now, in->usage);
    switch (a->state) {
    case AIMD_HOLD:
        break;
    case AIMD_INCREASE:
        increase(a, now, in);
        break;
    case AIMD_DECREASE:
        decrease(a, now, in);
        a->state = AIMD_HOLD;
        break;
    }
    clamp(a);
}

void aimd_set(struct aimd *a, usec now, double bps)
{
    a->bps = bps;
    a->changed_at = now;
    clamp(a);
}
