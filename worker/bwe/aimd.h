/* The delay-based rate: state machine and rate control of draft-ietf-rmcat-gcc-02 section 5.5.
 * Sans-IO. Owned by an estimator. */
#ifndef WEIR_BWE_AIMD_H
#define WEIR_BWE_AIMD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/time.h"
#include "worker/bwe/link_capacity.h"
#include "worker/bwe/trendline.h"

#define AIMD_ABOVE_ACKED 1.5 /* gcc-02 5.5: "A_hat(i) < 1.5 * R_hat(i)" */
#define AIMD_BETA 0.85       /* gcc-02 5.5 and table 1: decrease rate factor */

enum { AIMD_DEFAULT_RTT_US = 200 * 1000 };

enum aimd_state { AIMD_HOLD, AIMD_INCREASE, AIMD_DECREASE };

struct aimd {
    enum aimd_state state;
    struct link_capacity capacity;
    double bps; /* A_hat */
    double min_bps;
    double max_bps; /* INFINITY: none */
    usec rtt;
    usec changed_at;   /* of the last increase, start of increasing, or decrease */
    usec decreased_at; /* -1: never */
};

void aimd_init(struct aimd *a, double start_bps, double min_bps, double max_bps);
void aimd_set_limits(struct aimd *a, double min_bps, double max_bps);
/* What a feedback message tells. */
struct aimd_input {
    enum bandwidth_usage usage;
    double acked_bps; /* what gets through, for increases; 0: not known */
    double peak_bps;  /* what got through lately, for decreases; 0: not known */
    double beta;      /* of a decrease: AIMD_BETA */
    double above;     /* an increase ends so many times above acked_bps: AIMD_ABOVE_ACKED */
    bool queue;       /* there is one already: no great steps */
    bool fresh;       /* it speaks of what was sent since the last decrease */
};

/* At each feedback. An over-use of what was sent before the last decrease is that decrease's own
 * past, and ignored. */
void aimd_update(struct aimd *a, usec now, const struct aimd_input *in);
/* A probe was answered at this rate. */
void aimd_set(struct aimd *a, usec now, double bps);

#endif
