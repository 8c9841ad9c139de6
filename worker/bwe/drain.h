/* How far to decrease at over-use. Usually by the draft's factor; deeper while a long queue stands
 * that is our own, so that it is gone within seconds. A queue that does not go is somebody else's:
 * then giving way would only starve us. Sans-IO. Owned by an estimator. */
#ifndef WEIR_BWE_DRAIN_H
#define WEIR_BWE_DRAIN_H

#include <stdbool.h>

#include "common/time.h"

#define DRAIN_BETA_MIN 0.5
/* With so little left of what got through when it began, the queue cannot be ours. */
#define DRAIN_RATE_LEFT 0.35
#define DRAIN_MORE 1.2 /* what comes out beside what is sent */

enum {
    DRAIN_QUEUE_US = 100 * 1000,      /* a standing queue longer than this is drained */
    DRAIN_QUEUE_FULL_US = 500 * 1000, /* and at this length, as fast as can be */
    DRAIN_GONE_US = 20 * 1000,        /* shorter than this, whose it was no longer matters */
    DRAIN_EVERY_US = 1000 * 1000,     /* a queue that merely stands is cut so often */
    DRAIN_GIVE_UP_US = 5000 * 1000,
    DRAIN_REST_US = 30 * 1000 * 1000, /* then; twice as long each time */
    DRAIN_REST_MAX_US = 600 * 1000 * 1000
};

enum drain_advice { DRAIN_NOTHING, DRAIN_CUT, DRAIN_GAVE_UP, DRAIN_DONE };

struct drain {
    bool active;      /* it is longer than DRAIN_QUEUE_US now */
    bool begun;       /* it was, and has not been half as long since */
    bool deep;        /* cut below what the way carries, until the queue is gone */
    bool answered;    /* what gets through is of the rate after the first cut */
    double began_bps; /* what got through before that; 0: not known */
    usec since;
    usec cut_at;
    usec rest;
    usec rest_until;
};

/* At each feedback. DRAIN_CUT: the queue wants a decrease now, whatever the trend. DRAIN_DONE: the
 * deeper cuts are no longer needed. bps: the estimate; acked_bps: what gets through, 0 unknown;
 * fresh: of what was sent after the last decrease. */
enum drain_advice drain_update(struct drain *d, usec now, usec standing, double bps,
                               double acked_bps, bool fresh);
/* The queue that stands is somebody else's. */
bool drain_resting(const struct drain *d, usec now);
/* beta of a decrease now. */
double drain_beta(const struct drain *d, usec standing);

#endif
