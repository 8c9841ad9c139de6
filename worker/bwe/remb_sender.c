#include "worker/bwe/remb_sender.h"

#include <math.h>

/* gcc-02 6: "If 2-10% of the packets have been lost since the previous report from the receiver,
 * the sender available bandwidth estimate As_hat(i) will be kept unchanged"; above, it is
 * multiplied by 1 - 0.5 p, below by 1.05. */
#define LOSS_LOW 0.02
#define LOSS_HIGH 0.10
#define INCREASE 1.05

enum {
    RAISE_EVERY_US = 1000 * 1000,
    LOWER_EVERY_US = 300 * 1000, /* and a round trip */
    DEFAULT_RTT_US = 200 * 1000
};

void remb_sender_init(struct remb_sender *r, double start_bps, double min_bps, double max_bps)
{
    *r = (struct remb_sender){.remb_bps = INFINITY, .loss_bps = start_bps, .rtt = DEFAULT_RTT_US};
    remb_sender_set_limits(r, min_bps, max_bps);
}

void remb_sender_set_limits(struct remb_sender *r, double min_bps, double max_bps)
{
    r->min_bps = min_bps;
    r->max_bps = max_bps;
    r->loss_bps = fmax(fmin(r->loss_bps, max_bps), min_bps);
}

void remb_sender_remb(struct remb_sender *r, double bps)
{
    r->remb_bps = bps;
    /* Without any report of loss the peer's word is all there is. */
    if (!r->reported)
        r->loss_bps = fmax(fmin(bps, r->max_bps), r->min_bps);
}

void remb_sender_report(struct remb_sender *r, usec now, double share, usec rtt)
{
    if (rtt > 0)
        r->rtt = rtt;
    if (!r->reported)
        r->raised_at = r->lowered_at = now;
    r->reported = true;
    if (share > LOSS_HIGH && now - r->lowered_at >= LOWER_EVERY_US + r->rtt) {
        r->loss_bps = fmin(r->loss_bps, r->remb_bps) * (1 - share / 2);
        r->lowered_at = r->raised_at = now;
    } else if (share < LOSS_LOW && now - r->raised_at >= RAISE_EVERY_US) {
        r->loss_bps *= INCREASE;
        r->raised_at = now;
    }
    r->loss_bps = fmax(fmin(r->loss_bps, r->max_bps), r->min_bps);
}

double remb_sender_bps(const struct remb_sender *r)
{
    return fmax(fmin(r->loss_bps, r->remb_bps), r->min_bps);
}
