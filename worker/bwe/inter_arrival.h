/* Groups packets that were sent in a burst and gives the differences between groups: inter-group
 * delay variation, draft-ietf-rmcat-gcc-02 section 5.2 (pre-filtering) and 5.1. Sans-IO. Owned by
 * an estimator. */
#ifndef WEIR_BWE_INTER_ARRIVAL_H
#define WEIR_BWE_INTER_ARRIVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/time.h"

enum {
    /* gcc-02 5.2: "packets which are sent within a burst_time interval constitute a group" */
    BURST_TIME_US = 5000,
    BURST_MAX_US = 100000,     /* of arrivals that came together after an outage */
    ARRIVAL_JUMP_US = 3000000, /* arrivals further apart than our clock says: begin anew */
    REORDERED_MAX =
        3 /* groups in a row long before their predecessor: the receiver's clock was set back */
};

struct arrival_group {
    usec first_sent;
    usec sent; /* of the last */
    usec first_arrival;
    usec arrival; /* of the last */
    usec told_at; /* our time when feedback told */
    size_t size;  /* bytes */
};

struct inter_arrival {
    struct arrival_group current;
    struct arrival_group previous;
    bool has_current;
    bool has_previous;
    unsigned reordered;
};

struct arrival_delta {
    usec sent;    /* T(i) - T(i-1) */
    usec arrival; /* t(i) - t(i-1) */
};

void inter_arrival_reset(struct inter_arrival *a);
/* Each packet that arrived. now: when we heard of it. True: a group is complete, *out says how far
 * it lies behind the one before. */
bool inter_arrival_add(struct inter_arrival *a, usec now, usec sent, usec arrival, size_t size,
                       struct arrival_delta *out);

#endif
