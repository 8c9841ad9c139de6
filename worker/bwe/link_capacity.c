#include "worker/bwe/link_capacity.h"

#include <math.h>

#define WEIGHT_OVERUSE 0.05 /* gcc-02 5.5: "with the smoothing factor 0.95" */
#define WEIGHT_PROBE 0.5
#define DEVIATION_MIN 0.4 /* about 20 kbit/s at 500 kbit/s */
#define DEVIATION_MAX 2.5

void link_capacity_reset(struct link_capacity *l)
{
    *l = (struct link_capacity){.deviation = DEVIATION_MIN};
}

static void update(struct link_capacity *l, double bps, double weight)
{
    double kbps = bps / 1000;
    l->estimate = l->known ? (1 - weight) * l->estimate + weight * kbps : kbps;
    l->known = true;
    double error = l->estimate - kbps;
    double variance = error * error / fmax(l->estimate, 1);
    l->deviation = (1 - weight) * l->deviation + weight * variance;
    l->deviation = fmin(fmax(l->deviation, DEVIATION_MIN), DEVIATION_MAX);
}

void link_capacity_overuse(struct link_capacity *l, double acked_bps)
{
    update(l, acked_bps, WEIGHT_OVERUSE);
}

void link_capacity_probe(struct link_capacity *l, double bps)
{
    update(l, bps, WEIGHT_PROBE);
}

static double three_deviations(const struct link_capacity *l)
{
    return 3 * sqrt(l->deviation * l->estimate);
}

double link_capacity_upper_bps(const struct link_capacity *l)
{
    return l->known ? 1000 * (l->estimate + three_deviations(l)) : INFINITY;
}

double link_capacity_lower_bps(const struct link_capacity *l)
{
    return l->known ? 1000 * fmax(0, l->estimate - three_deviations(l)) : 0;
}
