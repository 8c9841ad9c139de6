#include "worker/bwe/acked_rate.h"

void acked_rate_reset(struct acked_rate *a)
{
    *a = (struct acked_rate){0};
    rate_init(&a->rate, ACKED_RATE_WINDOW_US);
    rate_init(&a->brief, ACKED_RATE_SHORT_US);
    rate_init(&a->lost, ACKED_RATE_WINDOW_US);
}

void acked_rate_add(struct acked_rate *a, usec arrival, size_t size)
{
    /* A silence is not a low rate, a clock that was set not a high one: a window fills anew. */
    usec step = arrival - a->newest;
    if (a->started && (step > ACKED_RATE_WINDOW_US || step < -ACKED_RATE_WINDOW_US))
        acked_rate_reset(a);
    if (!a->started) {
        a->started = true;
        a->first = a->newest = arrival;
        return; /* what came before it is not known */
    }
    if (arrival > a->newest)
        a->newest = arrival;
    rate_add(&a->rate, a->newest, size);
    rate_add(&a->brief, a->newest, size);
}

void acked_rate_lost(struct acked_rate *a, size_t size)
{
    if (a->started)
        rate_add(&a->lost, a->newest, size);
}

double acked_rate_bps(struct acked_rate *a)
{
    if (!a->started || a->newest - a->first < ACKED_RATE_WINDOW_US)
        return 0;
    return rate_bps(&a->rate, a->newest);
}

double acked_rate_peak_bps(struct acked_rate *a)
{
    double bps = acked_rate_bps(a);
    if (bps <= 0)
        return 0;
    double pps = rate_pps(&a->brief, a->newest);
    double brief = rate_bps(&a->brief, a->newest);
    bool enough = pps * ACKED_RATE_SHORT_US >= (double)ACKED_RATE_SHORT_PACKETS * USEC_PER_SEC;
    return enough && brief > bps ? brief : bps;
}

double acked_rate_loss(struct acked_rate *a)
{
    double lost = a->started ? rate_bps(&a->lost, a->newest) : 0;
    double all = lost + acked_rate_bps(a);
    return all > 0 ? lost / all : 0;
}
