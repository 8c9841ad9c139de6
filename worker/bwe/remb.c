#include "worker/bwe/remb.h"

#include "proto/rtcp_fb.h"

enum {
    LOSS_HIGH_PERMILLE = 100, /* above: decrease; the limits of most loss-based controllers */
    LOSS_LOW_PERMILLE = 20    /* below: increase */
};

void remb_init(struct remb *r, uint64_t max_bps)
{
    *r = (struct remb){.bps = REMB_START_BPS, .next = USEC_NEVER};
    rate_init(&r->rate, USEC_PER_SEC);
    remb_set_max(r, max_bps);
}

void remb_set_max(struct remb *r, uint64_t max_bps)
{
    r->max_bps = max_bps;
    if (max_bps > 0 && r->bps > max_bps)
        r->bps = max_bps;
}

void remb_set_limit_only(struct remb *r, bool limit_only)
{
    r->limit_only = limit_only;
}

void remb_input(struct remb *r, usec now, size_t bytes)
{
    rate_add(&r->rate, now, bytes);
    r->received++;
    if (r->next == USEC_NEVER)
        r->next = now + REMB_INTERVAL_US;
}

void remb_set_lost(struct remb *r, int64_t lost)
{
    r->lost = lost;
}

static void update(struct remb *r, usec now)
{
    uint64_t received = r->received - r->received_prior;
    uint64_t lost = r->lost > r->lost_prior ? (uint64_t)(r->lost - r->lost_prior) : 0;
    r->received_prior = r->received;
    r->lost_prior = r->lost;
    if (received + lost == 0)
        return;
    uint64_t permille = lost * 1000 / (received + lost);
    uint64_t arrived_bps = rate_bps(&r->rate, now);
    if (permille > LOSS_HIGH_PERMILLE) {
        /* From what was sent, not from an estimate that was never tried. */
        uint64_t sent_bps = permille < 1000 ? arrived_bps * 1000 / (1000 - permille) : 0;
        if (r->bps > sent_bps)
            r->bps = sent_bps;
        r->bps -= r->bps * permille / 2000;
    } else if (permille < LOSS_LOW_PERMILLE) {
        r->bps += r->bps * 8 / 100;
    }
    /* What was never sent proves nothing about the path. */
    uint64_t proven = arrived_bps * 3 / 2;
    uint64_t cap = proven > REMB_START_BPS ? proven : REMB_START_BPS;
    if (r->bps > cap)
        r->bps = cap;
    if (r->bps < REMB_MIN_BPS)
        r->bps = REMB_MIN_BPS;
    if (r->max_bps > 0 && r->bps > r->max_bps)
        r->bps = r->max_bps;
}

void remb_timeout(struct remb *r, usec now, uint32_t sender_ssrc, const uint32_t *ssrcs, size_t n,
                  struct wr *w)
{
    if (now < r->next)
        return;
    update(r, now);
    r->next = now + REMB_INTERVAL_US;
    uint64_t bps = r->limit_only && r->max_bps > 0 ? r->max_bps : r->bps;
    rtcp_write_remb(w, sender_ssrc, bps, ssrcs, n < REMB_MAX_SSRCS ? n : REMB_MAX_SSRCS);
}

usec remb_deadline(const struct remb *r)
{
    return r->next;
}
