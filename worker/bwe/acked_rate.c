#include "worker/bwe/acked_rate.h"

#include <math.h>

/* So much of a window must lie between neighbours. */
#define PAIRED_MIN 0.25

static void window_init(struct acked_window *w, usec span)
{
    rate_init(&w->arrived, span);
    rate_init(&w->paired, span);
    rate_init(&w->gaps, span);
}

void acked_rate_reset(struct acked_rate *a)
{
    *a = (struct acked_rate){0};
    window_init(&a->whole, ACKED_RATE_WINDOW_US);
    window_init(&a->brief, ACKED_RATE_SHORT_US);
}

static void window_add(struct acked_window *w, usec at, size_t size, bool paired, usec gap)
{
    rate_add(&w->arrived, at, size);
    if (!paired)
        return;
    rate_add(&w->paired, at, size);
    rate_add(&w->gaps, at, (size_t)gap);
}

void acked_rate_add(struct acked_rate *a, usec arrival, size_t size, bool follows)
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
    usec gap = arrival > a->newest ? arrival - a->newest : 0;
    a->newest += gap;
    window_add(&a->whole, a->newest, size, follows, gap);
    window_add(&a->brief, a->newest, size, follows, gap);
}

/* Between neighbours; 0: too few have any. */
static double window_bps(struct acked_window *w, usec now)
{
    /* A rate of microseconds instead of bytes: 8 million is all of the window. */
    double covered = rate_bps(&w->gaps, now) / (8.0 * USEC_PER_SEC);
    return covered < PAIRED_MIN ? 0 : rate_bps(&w->paired, now) / covered;
}

static bool filled(const struct acked_rate *a)
{
    return a->started && a->newest - a->first >= ACKED_RATE_WINDOW_US;
}

double acked_rate_bps(struct acked_rate *a)
{
    return filled(a) ? window_bps(&a->whole, a->newest) : 0;
}

static bool brief_counts(struct acked_rate *a)
{
    double pps = rate_pps(&a->brief.arrived, a->newest);
    return pps * ACKED_RATE_SHORT_US >= (double)ACKED_RATE_SHORT_PACKETS * USEC_PER_SEC;
}

double acked_rate_peak_bps(struct acked_rate *a)
{
    double bps = acked_rate_bps(a);
    if (bps <= 0 || !brief_counts(a))
        return bps;
    return fmax(bps, window_bps(&a->brief, a->newest));
}

double acked_rate_arrived_bps(struct acked_rate *a)
{
    if (!filled(a))
        return 0;
    double bps = rate_bps(&a->whole.arrived, a->newest);
    return brief_counts(a) ? fmax(bps, rate_bps(&a->brief.arrived, a->newest)) : bps;
}
