/* What a transport remembers of the arrival of packets with transport-wide sequence numbers, and
 * the feedback it owes for them (draft-holmer-rmcat-transport-wide-cc-extensions-01). Sans-IO.
 * Owned by a transport, once the extension is seen. */
#ifndef WEIR_BWE_TWCC_RECEIVER_H
#define WEIR_BWE_TWCC_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/time.h"
#include "worker/rtp/seq.h"

enum {
    TWCC_INTERVAL_US = 100 * 1000,
    TWCC_SETTLE_US = 20 * 1000, /* after silence, so that a burst is reported together */
    TWCC_WINDOW = 2048,    /* packets remembered, a power of two; older arrivals are not reported */
    TWCC_STALE_MAX = 64,   /* so many in a row from before the window: the sender began anew */
    TWCC_PENDING_MAX = 512 /* unreported packets that make feedback due at once */
};

struct twcc_receiver {
    struct seq_unwrap unwrap;
    int64_t next_report; /* extended number from which the next feedback reports */
    usec due;            /* USEC_NEVER: nothing unreported */
    usec last_at;        /* of the last feedback */
    uint32_t pending;    /* arrivals since the last feedback */
    uint32_t stale;      /* packets in a row from before the window */
    uint8_t feedback_count;
    bool started;
    uint64_t received; /* packets with the extension */
    uint64_t feedbacks;
    usec arrived_at[TWCC_WINDOW]; /* by extended number mod window; 0: not arrived */
};

void twcc_receiver_init(struct twcc_receiver *t);
/* Each authenticated packet with the extension. now > 0. */
void twcc_receiver_input(struct twcc_receiver *t, usec now, uint16_t seq);
/* Writes all feedback that is due now into w; messages that do not fit follow at the next deadline,
 * which is then at once. media_ssrc: any SSRC of the sender. */
void twcc_receiver_timeout(struct twcc_receiver *t, usec now, uint32_t sender_ssrc,
                           uint32_t media_ssrc, struct wr *w);
usec twcc_receiver_deadline(const struct twcc_receiver *t);

#endif
