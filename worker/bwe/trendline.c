#include "worker/bwe/trendline.h"

#include <math.h>

#define SMOOTHING 0.9        /* of the accumulated delay, per group */
#define THRESHOLD_GAIN 4.0   /* brings the slope to the scale of the draft's m(i) */
#define THRESHOLD_START 12.5 /* gcc-02 5.4: del_var_th(0) = 12.5 ms */
#define THRESHOLD_MIN 6.0    /* gcc-02 5.4: "clamp del_var_th(i) to the range [6, 600]" */
#define THRESHOLD_MAX 600.0
/* K_u is gcc-02's. Its K_d, 0.00018, leaves queues of 150 ms on the narrowest links; the 0.039 of
 * later implementations starves beside TCP (docs/adr/0050). */
#define THRESHOLD_UP 0.01
#define THRESHOLD_DOWN 0.0006
#define THRESHOLD_SKIP 15.0 /* gcc-02 5.4: no update when m(i) exceeds it by more than 15 */
#define THRESHOLD_STEP_MS 100.0
#define OVERUSE_TIME_MS 10.0 /* gcc-02 5.4: overuse_time_th = 10 ms */

enum { GROUPS_MAX = 1000, GROUPS_FULL = 60 };

void trendline_init(struct trendline *t)
{
    *t = (struct trendline){.threshold = THRESHOLD_START, .over_for = -1};
}

/* Least squares over the window. */
static double fit_slope(const struct trendline *t)
{
    double sum_at = 0, sum_delay = 0, numerator = 0, denominator = 0;
    for (unsigned i = 0; i < t->n; i++) {
        sum_at += t->points[i].at;
        sum_delay += t->points[i].delay;
    }
    double mean_at = sum_at / t->n, mean_delay = sum_delay / t->n;
    for (unsigned i = 0; i < t->n; i++) {
        double x = t->points[i].at - mean_at;
        numerator += x * (t->points[i].delay - mean_delay);
        denominator += x * x;
    }
    return denominator > 0 ? numerator / denominator : t->slope;
}

double trendline_offset(const struct trendline *t)
{
    unsigned groups = t->groups < GROUPS_FULL ? t->groups : GROUPS_FULL;
    return groups * t->slope * THRESHOLD_GAIN;
}

/* gcc-02 5.4: the threshold follows |m(i)|, so that a flow is not starved by loss-based ones. */
static void adapt_threshold(struct trendline *t, double offset, usec now)
{
    double magnitude = fabs(offset);
    if (t->threshold_at == 0)
        t->threshold_at = now;
    double ms = (double)(now - t->threshold_at) / 1000;
    t->threshold_at = now;
    if (magnitude > t->threshold + THRESHOLD_SKIP)
        return;
    double k = magnitude < t->threshold ? THRESHOLD_DOWN : THRESHOLD_UP;
    t->threshold += k * (magnitude - t->threshold) * fmin(fmax(ms, 0), THRESHOLD_STEP_MS);
    t->threshold = fmin(fmax(t->threshold, THRESHOLD_MIN), THRESHOLD_MAX);
}

static void detect(struct trendline *t, double slope_before, double sent_ms, usec now)
{
    double offset = trendline_offset(t);
    if (t->groups < 2) {
        t->usage = USAGE_NORMAL;
        return;
    }
    if (offset > t->threshold) {
        /* The first time, half of the interval may have been before. */
        t->over_for = t->over_for < 0 ? sent_ms / 2 : t->over_for + sent_ms;
        t->over_count++;
        if (t->over_for > OVERUSE_TIME_MS && t->over_count > 1 && t->slope >= slope_before) {
            t->over_for = 0;
            t->over_count = 0;
            t->usage = USAGE_OVERUSE;
        }
    } else {
        t->over_for = -1;
        t->over_count = 0;
        t->usage = offset < -t->threshold ? USAGE_UNDERUSE : USAGE_NORMAL;
    }
    adapt_threshold(t, offset, now);
}

void trendline_add(struct trendline *t, usec sent_delta, usec arrival_delta, usec arrival)
{
    if (t->groups == 0)
        t->first_arrival = arrival;
    if (t->groups < GROUPS_MAX)
        t->groups++;
    t->accumulated += (double)(arrival_delta - sent_delta) / 1000;
    t->smoothed = SMOOTHING * t->smoothed + (1 - SMOOTHING) * t->accumulated;
    t->points[t->oldest].at = (double)(arrival - t->first_arrival) / 1000;
    t->points[t->oldest].delay = t->smoothed;
    t->oldest = (t->oldest + 1) % TRENDLINE_WINDOW;
    if (t->n < TRENDLINE_WINDOW)
        t->n++;
    double slope_before = t->slope;
    if (t->n == TRENDLINE_WINDOW)
        t->slope = fit_slope(t);
    detect(t, slope_before, (double)sent_delta / 1000, arrival);
}
