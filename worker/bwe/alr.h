/* Is the application the limit? It is when it sends less than 65 % of the estimate for a while
 * ("application limited region" of the later algorithm). Sans-IO. Owned by an estimator. */
#ifndef WEIR_BWE_ALR_H
#define WEIR_BWE_ALR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/time.h"

struct alr {
    double budget; /* bytes not used, within one window either way */
    usec at;
    bool limited;
    bool started;
};

/* Each packet sent, under the present target. */
void alr_sent(struct alr *a, usec now, size_t size, double target_bps);

#endif
