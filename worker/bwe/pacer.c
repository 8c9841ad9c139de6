#include "worker/bwe/pacer.h"

#include <math.h>

void pacer_init(struct pacer *p, usec depth)
{
    *p = (struct pacer){.depth = depth};
}

static double rate_with(const struct pacer *p, size_t queued)
{
    return fmax(p->rate, (double)queued / PACER_QUEUE_US);
}

static void refill(struct pacer *p, usec now, size_t queued)
{
    if (now > p->at)
        p->tokens = fmin(p->tokens + rate_with(p, queued) * (double)(now - p->at), p->burst);
    p->at = now;
}

void pacer_set_target(struct pacer *p, usec now, uint64_t target_bps)
{
    if (p->rate > 0)
        refill(p, now, 0);
    bool first = p->rate <= 0;
    p->rate = PACER_FACTOR * (double)target_bps / 8 / USEC_PER_SEC;
    p->burst = fmax(p->rate * (double)p->depth, PACER_BURST_MIN);
    if (first) {
        p->tokens = p->burst;
        p->at = now;
    }
}

bool pacer_may_send_slow(struct pacer *p, usec now, size_t queued)
{
    refill(p, now, queued);
    return p->tokens > 0;
}

usec pacer_next(const struct pacer *p, usec now, size_t queued)
{
    if (p->rate <= 0 || p->tokens > 0)
        return now;
    return p->at + (usec)(-p->tokens / rate_with(p, queued)) + 1;
}

void pacer_spend_slow(struct pacer *p, usec now, size_t bytes)
{
    refill(p, now, 0);
    p->tokens = fmax(p->tokens - (double)bytes, -p->rate * PACER_DEBT_US);
}
