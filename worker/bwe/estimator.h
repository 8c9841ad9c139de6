/* How much may be sent to a peer: send-side estimation by transport-wide feedback, or by REMB and
 * receiver reports where the peer has nothing else. Follows draft-ietf-rmcat-gcc-02 with the
 * trendline filter in place of the Kalman filter, probing, and loss reasoning (docs/bwe.md).
 * Sans-IO. Owned by a transport; the steps are files of their own.
 *
 *   est_sent -> sent_packets -> est_feedback -> inter_arrival -> trendline -> aimd --+
 *                                  |-> acked_rate ------------------------------^   |
 *                                  |-> loss_control --------------------------------+-> target
 *                                  +-> probe_meter -> aimd          est_remb, est_rr -+
 */
#ifndef WEIR_BWE_ESTIMATOR_H
#define WEIR_BWE_ESTIMATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/time.h"
#include "worker/bwe/acked_rate.h"
#include "worker/bwe/aimd.h"
#include "worker/bwe/alr.h"
#include "worker/bwe/drain.h"
#include "worker/bwe/inter_arrival.h"
#include "worker/bwe/loss_control.h"
#include "worker/bwe/probe.h"
#include "worker/bwe/probe_meter.h"
#include "worker/bwe/queue_delay.h"
#include "worker/bwe/remb_sender.h"
#include "worker/bwe/sent_packets.h"
#include "worker/bwe/trendline.h"

enum {
    EST_INITIAL_BPS = 600 * 1000,
    EST_MIN_BPS = 30 * 1000,
    EST_STREAM_GAP_US = 2000 * 1000, /* of feedback; after it delays are measured anew */
    EST_SILENCE_US = 1500 * 1000,    /* unanswered packets so old make it back off */
    EST_BACKOFF_US = 1000 * 1000,    /* and again, as long as nothing comes */
    EST_REPORTS_US = 8000 * 1000     /* RFC 3550 6.2: reports come every 5 s, times 0.5 to 1.5 */
};

enum est_source {
    EST_TRANSPORT_CC, /* the peer sends transport-wide feedback; one that never does, but receiver
                         reports or REMB, is taken for EST_REMB until it does */
    EST_REMB          /* it has at most REMB */
};

struct est_config {
    enum est_source source;
    uint64_t initial_bps; /* 0: EST_INITIAL_BPS */
    uint64_t min_bps;     /* 0: EST_MIN_BPS */
    uint64_t max_bps;     /* 0: none */
};

/* What every packet sent looks at comes first, on adjacent cache lines. */
struct estimator {
    enum est_source source;
    bool padding;  /* the caller can send some */
    bool probed;   /* the first clusters were made */
    bool answered; /* feedback has come */
    double min_bps;
    double desired_bps; /* INFINITY: as much as there is */
    usec waiting_since; /* USEC_NEVER: nothing is unanswered */
    struct sent_packets sent;
    struct alr alr;
    struct aimd aimd;
    struct remb_sender remb;
    struct loss_control loss;
    struct probe probe;
    struct inter_arrival inter_arrival;
    struct trendline trendline;
    struct acked_rate acked;
    struct queue_delay queue;
    struct drain drain;
    struct probe_meter meter;
    double initial_bps;
    double max_bps;    /* INFINITY: none */
    double acked_bps;  /* 0: not known */
    usec rtt;          /* 0: not known */
    bool rtt_reported; /* by receiver reports; else from feedback */
    usec feedback_at;
    int64_t next_number;    /* of a report, after the packet that arrived last; -1: none */
    double unconfirmed_bps; /* of a probe that is being repeated; 0: none */
    unsigned unmeasured;    /* probes that told nothing, in a row */
    usec trend_after;       /* what was sent before is not compared */
    usec grow_at;           /* of the last probe for growth */
    bool told;              /* a report or REMB came since it was last looked */
    bool by_report; /* feedback was promised, and only these come: est_target_bps is of remb */
    uint64_t feedbacks;
    uint64_t rejected; /* feedback that spoke of nothing sent */
};

MUST_CHECK enum err est_init(struct estimator *e, const struct est_config *c);
void est_fini(struct estimator *e);

/* ---- limits; 0 as in est_config ---- */
void est_set_limits(struct estimator *e, uint64_t min_bps, uint64_t max_bps);
/* What all consumers together could use: nothing far above it is probed for. 0: nobody wants
 * anything; UINT64_MAX, the initial value: as much as there is. */
void est_set_desired(struct estimator *e, uint64_t bps);
/* Whether padding can be sent, initially not. Without it nothing is probed, and the estimate grows
 * by what is sent anyway. */
void est_set_padding(struct estimator *e, bool possible);

/* ---- inputs ---- */
/* Each packet with a transport-wide number; size: bytes of the datagram. Retransmissions and
 * padding too. What is sent while a probe is under way becomes part of it. */
void est_sent(struct estimator *e, usec now, uint16_t seq, size_t size);
void est_feedback(struct estimator *e, usec now, const struct twcc *t);
/* share: fraction lost (of 256) in a receiver report; rtt: 0 when unknown. */
void est_rr(struct estimator *e, usec now, uint8_t fraction_lost, usec rtt);
void est_remb(struct estimator *e, uint64_t bps);

/* ---- time ---- */
void est_timeout(struct estimator *e, usec now);
/* Also when padding is due: est_timeout, then est_next_padding until it gives 0. */
usec est_deadline(const struct estimator *e);
/* Size of the padding packet to send now (RTX padding, as near as can be), then est_sent as for any
 * packet; 0: none. A caller that cannot send it just now is asked again 10 ms later. */
size_t est_next_padding(struct estimator *e, usec now);

/* ---- answers ---- */
uint64_t est_target_bps(const struct estimator *e);
/* The share of packets that gets lost without congestion, 0 to 1. */
double est_inherent_loss(const struct estimator *e);

#endif
