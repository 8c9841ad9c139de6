/* Reception statistics of one received SSRC: sequence validation (RFC 3550 A.1), loss (A.3) and
 * jitter (A.8), and which of the newest packets have arrived. No IO. */
#ifndef WEIR_RTP_RECEPTION_H
#define WEIR_RTP_RECEPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/time.h"
#include "proto/rtcp_report.h"

enum {
    /* RFC 3550 A.1 names 3000 and 100; retransmissions arrive later than reordered packets do. */
    RECEPTION_MAX_DROPOUT = 3000,
    RECEPTION_MAX_MISORDER = 1500,
    RECEPTION_WINDOW = 2048 /* packets for which a duplicate is told; a power of two */
};

enum reception_verdict {
    RECEPTION_NEW,  /* newer than all before, or the first */
    RECEPTION_LATE, /* reordered, fills a hole */
    RECEPTION_DUPLICATE,
    RECEPTION_OLD,      /* before the window or the first packet: cannot tell, do not forward */
    RECEPTION_JUMP,     /* far off; the next packet shows whether the sender restarted */
    RECEPTION_RESTARTED /* it did: counts began anew with this packet */
};

struct reception {
    int64_t origin;  /* extended number at which reports count cycle 0 */
    int64_t base;    /* extended number of the first packet */
    int64_t highest; /* extended */
    int64_t expected_prior;
    int64_t received_prior;
    int64_t received;  /* since base, late ones included, duplicates not (unlike RFC 3550 A.3) */
    int64_t lost_past; /* lost before the last restart */
    int64_t expected_past;
    uint32_t transit;   /* RTP units, wraps */
    uint32_t jitter_q4; /* jitter times 16 */
    uint32_t clock_rate;
    uint16_t probe; /* after a jump: the number that would confirm a restart */
    uint8_t fraction_lost;
    bool started;
    bool probing;
    bool has_transit;
    uint64_t seen[RECEPTION_WINDOW / 64]; /* bit n mod window: extended number n arrived */
};

void reception_init(struct reception *r, uint32_t clock_rate);
/* out: the extended number, for NEW, LATE, RESTARTED and DUPLICATE. */
enum reception_verdict reception_input(struct reception *r, uint16_t seq, int64_t *out);
/* As above for a packet from elsewhere (a retransmission): never jumps, never restarts, starts
 * nothing. JUMP then means: belongs to nothing known. */
enum reception_verdict reception_repair(struct reception *r, uint16_t seq, int64_t *out);
/* Jitter; for packets that came in their own time, not for retransmissions. */
void reception_timing(struct reception *r, usec now, uint32_t rtp_timestamp);

int64_t reception_expected(const struct reception *r);
/* Cumulative; < 0 is not possible as duplicates do not count. */
int64_t reception_lost(const struct reception *r);
uint32_t reception_jitter(const struct reception *r);
/* Fills all but ssrc, lsr and dlsr, and ends the interval that fraction_lost is of. */
void reception_report(struct reception *r, struct rtcp_report *out);

#endif
