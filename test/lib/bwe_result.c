#include "test/lib/bwe_sim.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

enum { SECOND = 1000 * 1000 / BWE_SAMPLE_US, STANDING = SECOND / 2, SETTLED = 3 * SECOND };

struct span {
    unsigned first;
    unsigned end;
};

static struct span span_of(const struct bwe_sim *s, double from, double to)
{
    struct span x = {0, 0};
    while (x.first < s->n && s->samples[x.first].at <= from)
        x.first++;
    x.end = x.first;
    while (x.end < s->n && s->samples[x.end].at <= to)
        x.end++;
    return x;
}

static double target_share(const struct bwe_sim *s, unsigned flow, unsigned first, unsigned n)
{
    double target = 0, capacity = 0;
    for (unsigned i = first; i < first + n; i++) {
        target += s->samples[i].target[flow];
        capacity += s->samples[i].capacity;
    }
    return target / capacity;
}

static bool in_band(double share)
{
    return share >= 0.8 && share <= 1.05;
}

static double settled(const struct bwe_sim *s, unsigned flow, struct span x)
{
    for (unsigned i = x.first; i + SETTLED <= x.end; i++)
        if (in_band(target_share(s, flow, i, SECOND)) && in_band(target_share(s, flow, i, SETTLED)))
            return (double)(i - x.first + 1) / SECOND;
    return 999;
}

struct bwe_result bwe_sim_result(const struct bwe_sim *s, unsigned flow, double from, double to)
{
    struct span x = span_of(s, from, to);
    struct bwe_result r = {.share_low = INFINITY};
    double arrived = 0, capacity = 0;
    assert(x.end >= x.first + SECOND);
    r.share = target_share(s, flow, x.first, x.end - x.first);
    for (unsigned i = x.first; i < x.end; i++) {
        arrived += s->samples[i].arrived[flow];
        capacity += s->samples[i].capacity;
        r.queue_max = fmax(r.queue_max, s->samples[i].queue_max);
        if (i + SECOND <= x.end) {
            double share = target_share(s, flow, i, SECOND);
            r.share_low = fmin(r.share_low, share);
            r.share_high = fmax(r.share_high, share);
        }
        double least = INFINITY;
        for (unsigned k = i; k < i + STANDING && i + STANDING <= x.end; k++)
            least = fmin(least, s->samples[k].queue_min);
        if (!isinf(least))
            r.queue_standing = fmax(r.queue_standing, least);
    }
    r.goodput = arrived / capacity;
    r.settled = settled(s, flow, x);
    return r;
}

void bwe_sim_print(const struct bwe_sim *s)
{
    printf("time,capacity");
    for (unsigned f = 0; f < s->config.n_flows; f++)
        printf(",target%u,sent%u,arrived%u", f, f, f);
    printf(",tcp,queue_min,queue_max\n");
    for (unsigned i = 0; i < s->n; i++) {
        const struct bwe_sample *x = &s->samples[i];
        printf("%.1f,%.0f", x->at, x->capacity);
        for (unsigned f = 0; f < s->config.n_flows; f++)
            printf(",%.0f,%.0f,%.0f", x->target[f], x->sent[f], x->arrived[f]);
        printf(",%.0f,%.1f,%.1f\n", x->tcp, x->queue_min, x->queue_max);
    }
}

struct bwe_config bwe_sim_plain(uint64_t rate, int rtt_ms, double seconds, uint64_t seed)
{
    return (struct bwe_config){.capacity = {{0, rate}},
                               .rtt = rtt_ms * USEC_PER_MSEC,
                               .duration = (usec)(seconds * USEC_PER_SEC),
                               .seed = seed,
                               .n_flows = 1};
}

double bwe_sim_reaches(const struct bwe_sim *s, unsigned flow, double from, double to, double share)
{
    struct span x = span_of(s, from, to);
    for (unsigned i = x.first; i < x.end && i + STANDING < s->n; i++)
        if (target_share(s, flow, i, STANDING) >= share)
            return s->samples[i].at - from;
    return 999;
}
