/* Is a queue growing? The trendline filter (linear regression over the accumulated delay, in place
 * of the Kalman filter of draft-ietf-rmcat-gcc-02 section 5.3) and the over-use detector with the
 * adaptive threshold of section 5.4. Sans-IO. Owned by an estimator. */
#ifndef WEIR_BWE_TRENDLINE_H
#define WEIR_BWE_TRENDLINE_H

#include <stdbool.h>

#include "common/time.h"

enum { TRENDLINE_WINDOW = 20 /* groups */ };

/* gcc-02 5.4: the signals of the over-use detector. */
enum bandwidth_usage { USAGE_NORMAL, USAGE_OVERUSE, USAGE_UNDERUSE };

struct trendline {
    /* filter */
    usec first_arrival;
    unsigned groups;    /* up to 1,000 */
    double accumulated; /* delay variation, ms */
    double smoothed;
    struct {
        double at;    /* ms since first_arrival */
        double delay; /* smoothed, ms */
    } points[TRENDLINE_WINDOW];
    unsigned n;
    unsigned oldest;
    double slope; /* ms of delay a ms */
    /* detector */
    double threshold; /* del_var_th, ms */
    double over_for;  /* ms; < 0: not over */
    unsigned over_count;
    usec threshold_at; /* 0: never */
    enum bandwidth_usage usage;
};

void trendline_init(struct trendline *t);
/* A pair of groups, as inter_arrival gives it. arrival: of the newer. */
void trendline_add(struct trendline *t, usec sent_delta, usec arrival_delta, usec arrival);
/* The modified trend, comparable to the threshold. */
double trendline_offset(const struct trendline *t);

#endif
