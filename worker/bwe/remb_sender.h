/* The estimate where the peer has no transport-wide feedback: what REMB says
 * (draft-alvestrand-rmcat-remb-03), limited by the loss-based controller of
 * draft-ietf-rmcat-gcc-02 section 6 from receiver reports. Sans-IO. Owned by an estimator. */
#ifndef WEIR_BWE_REMB_SENDER_H
#define WEIR_BWE_REMB_SENDER_H

#include <stdbool.h>

#include "common/time.h"

struct remb_sender {
    double remb_bps; /* INFINITY: none so far */
    double loss_bps; /* As_hat */
    double min_bps;
    double max_bps;
    usec rtt;
    usec raised_at;
    usec lowered_at;
    bool reported;
};

void remb_sender_init(struct remb_sender *r, double start_bps, double min_bps, double max_bps);
void remb_sender_set_limits(struct remb_sender *r, double min_bps, double max_bps);
void remb_sender_remb(struct remb_sender *r, double bps);
/* share: lost since the report before, 0 to 1. rtt: 0 when unknown. */
void remb_sender_report(struct remb_sender *r, usec now, double share, usec rtt);
double remb_sender_bps(const struct remb_sender *r);

#endif
