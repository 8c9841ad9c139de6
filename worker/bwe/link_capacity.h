/* What the bottleneck was seen to carry when it was full: average and deviation of the acknowledged
 * rate at over-use, R_hat's average of draft-ietf-rmcat-gcc-02 section 5.5. Sans-IO. Part of
 * aimd. */
#ifndef WEIR_BWE_LINK_CAPACITY_H
#define WEIR_BWE_LINK_CAPACITY_H

#include <stdbool.h>

struct link_capacity {
    double estimate;  /* kbit/s; valid if known */
    double deviation; /* variance over the estimate, kbit/s */
    bool known;
};

void link_capacity_reset(struct link_capacity *l);
/* The rate acknowledged at over-use, bit/s. */
void link_capacity_overuse(struct link_capacity *l, double acked_bps);
/* A probe's result, bit/s: weighs more. */
void link_capacity_probe(struct link_capacity *l, double bps);
/* gcc-02 5.5: three standard deviations around the average; bit/s. Infinity and 0 when unknown. */
double link_capacity_upper_bps(const struct link_capacity *l);
double link_capacity_lower_bps(const struct link_capacity *l);

#endif
