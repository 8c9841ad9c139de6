/* The loss-based limit (in place of draft-ietf-rmcat-gcc-02 section 6, by the reasoning of the
 * later "loss based v2"): which explains the losses of the last seconds better, a random loss that
 * is the same at every rate, or a bandwidth above which the excess is lost? Only the second limits
 * the rate. Sans-IO. Owned by an estimator. */
#ifndef WEIR_BWE_LOSS_CONTROL_H
#define WEIR_BWE_LOSS_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/time.h"

enum { LOSS_OBSERVATIONS = 20, LOSS_OBSERVATION_US = 250 * 1000, LOSS_OBSERVATION_PACKETS = 10 };

/* Losses up to this share may be random; beyond, the rate is reduced whatever the reason. */
#define LOSS_RANDOM_MAX 0.2
/* Compensation for random loss never assumes more. */
#define LOSS_INHERENT_MAX 0.15

struct loss_observation {
    double bps; /* at which it was sent */
    uint32_t packets;
    uint32_t lost;
    uint32_t runs; /* of consecutive losses */
};

struct loss_control {
    double limit_bps; /* INFINITY: none. The conclusion that every packet sent looks at */
    struct loss_observation past[LOSS_OBSERVATIONS];
    unsigned n;
    unsigned next;
    /* the one that grows */
    struct loss_observation open;
    uint64_t open_bytes;
    usec open_from; /* time of sending of the last packet before it; valid if has_from */
    usec open_to;
    bool has_from;
    bool in_run;
    bool congested; /* the delay told so during it */
    /* conclusions */
    double inherent; /* share lost at random, without congestion */
    double inherent_packets;
    usec concluded_at;
};

void loss_control_init(struct loss_control *l);
/* Each packet of a feedback message, by number. */
void loss_control_packet(struct loss_control *l, usec sent_at, size_t size, bool lost);
/* A packet that had been reported lost has arrived. */
void loss_control_found(struct loss_control *l);
/* End of a message. congested: the delay says that a queue is there; acked_bps: 0 unknown. True:
 * a full queue drops packets, which the delay, no longer growing, does not show. */
bool loss_control_update(struct loss_control *l, usec now, bool congested, double acked_bps);
/* A probe came out at this rate: the limit is not below. */
void loss_control_passed(struct loss_control *l, double bps);

#endif
