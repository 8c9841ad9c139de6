/* A receive-side estimate for senders without transport-wide feedback, told by REMB
 * (draft-alvestrand-rmcat-remb-03). By loss only: up by 8 % a second to half more than what
 * arrives, down by half the loss. A sender that has better feedback is told the limit alone, since
 * it takes the lower of both. Sans-IO. Owned by a transport. */
#ifndef WEIR_BWE_REMB_H
#define WEIR_BWE_REMB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/time.h"
#include "worker/rtp/rate.h"

enum {
    REMB_INTERVAL_US = 1000 * 1000,
    REMB_START_BPS = 1000 * 1000,
    REMB_MIN_BPS = 64 * 1000,
    REMB_MAX_SSRCS = 32
};

struct remb {
    struct rate rate;
    uint64_t max_bps;  /* 0: no limit */
    uint64_t bps;      /* the estimate */
    usec next;         /* USEC_NEVER before the first packet */
    uint64_t received; /* packets */
    uint64_t received_prior;
    int64_t lost;
    int64_t lost_prior;
    bool limit_only; /* the estimate counts for nothing */
};

/* max_bps: the transport's maxIncomingBitrate, 0 for none. */
void remb_init(struct remb *r, uint64_t max_bps);
void remb_set_max(struct remb *r, uint64_t max_bps);
/* The sender has transport-wide feedback: where there is a limit, that is what it is told. */
void remb_set_limit_only(struct remb *r, bool limit_only);
void remb_input(struct remb *r, usec now, size_t bytes);
/* Cumulative losses over all streams of the transport, before each timeout. */
void remb_set_lost(struct remb *r, int64_t lost);
/* Updates the estimate and writes one REMB for the given SSRCs (at most REMB_MAX_SSRCS). */
void remb_timeout(struct remb *r, usec now, uint32_t sender_ssrc, const uint32_t *ssrcs, size_t n,
                  struct wr *w);
usec remb_deadline(const struct remb *r);

#endif
