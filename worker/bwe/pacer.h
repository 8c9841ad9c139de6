/* Spreads bursts towards one transport: a token bucket that fills at 2.5 times the estimate, so
 * that a key frame leaves over some frame intervals and not as one burst larger than the way can
 * take. It holds no packets: it says how many bytes may leave now, and when the next may. Audio
 * never waits. Costs one comparison while there is no limit. Sans-IO. Owned by a transport. */
#ifndef WEIR_BWE_PACER_H
#define WEIR_BWE_PACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/time.h"

#define PACER_FACTOR 2.5 /* of the estimate, as senders of this algorithm pace */

enum {
    PACER_BURST_US = 10 * 1000,  /* of pacing rate may leave at once: less cannot be timed */
    PACER_BURST_MIN = 4 * 1200,  /* bytes; below, pacing a small frame gains nothing */
    PACER_QUEUE_US = 500 * 1000, /* the rate rises so that what waits leaves within this time */
    PACER_DEBT_US = 100 * 1000   /* what audio and others may take ahead */
};

struct pacer {
    double rate;   /* bytes a microsecond; 0: no limit */
    double tokens; /* bytes; negative: taken ahead */
    usec depth;    /* of pacing rate that may leave at once */
    double burst;
    usec at; /* of tokens */
};

/* depth: PACER_BURST_US or more. */
void pacer_init(struct pacer *p, usec depth);
/* Whenever the estimate changes; 0: no limit. */
void pacer_set_target(struct pacer *p, usec now, uint64_t target_bps);

/* ---- for whom there is a limit ---- */
/* queued: bytes that wait already. True: a packet may leave, whatever its size; then
 * pacer_spend(). */
bool pacer_may_send_slow(struct pacer *p, usec now, size_t queued);
/* When pacer_may_send will be true; now or earlier: it is. */
usec pacer_next(const struct pacer *p, usec now, size_t queued);
void pacer_spend_slow(struct pacer *p, usec now, size_t bytes);

/* ---- on the way of each packet ---- */
static inline bool pacer_may_send(struct pacer *p, usec now, size_t queued)
{
    return p->rate <= 0 || pacer_may_send_slow(p, now, queued);
}

/* Everything that left, audio too. */
static inline void pacer_spend(struct pacer *p, usec now, size_t bytes)
{
    if (p->rate > 0)
        pacer_spend_slow(p, now, bytes);
}

#endif
