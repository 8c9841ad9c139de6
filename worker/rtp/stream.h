/* What received and sent streams have in common: parameters, statistics, the score. */
#ifndef WEIR_RTP_STREAM_H
#define WEIR_RTP_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/time.h"
#include "worker/rtp/codec.h"

struct stream_params {
    uint32_t ssrc;
    uint32_t clock_rate; /* Hz, > 0 */
    uint32_t rtx_ssrc;   /* with has_rtx */
    enum codec codec;
    uint8_t payload_type;
    uint8_t rtx_payload_type;
    bool has_rtx;
    bool use_nack;
    bool use_pli;
    bool use_fir;
    bool use_dtx;      /* silence is normal */
    const char *cname; /* for SDES, sent streams only; borrowed, outlives us */
};

/* Field for field what getStats() tells; counts are since the stream began. */
struct stream_stats {
    uint64_t packets; /* without retransmissions */
    uint64_t bytes;   /* RTP packets with header */
    uint32_t bitrate; /* bit/s, retransmissions included */
    int64_t packets_lost;
    uint8_t fraction_lost; /* of 256 */
    uint32_t jitter;       /* RTP timestamp units; received streams only */
    uint64_t packets_discarded;
    uint64_t packets_retransmitted;
    uint64_t packets_repaired;
    uint64_t rtx_packets_discarded;
    uint64_t nacks; /* messages */
    uint64_t nack_packets;
    uint64_t plis;
    uint64_t firs;
    usec rtt; /* 0: unknown */
    uint8_t score;
};

enum { SCORE_MAX = 10, SCORE_HISTORY = 24 };

/* 0 (nothing arrives) to 10 (perfect), smoothed over the last intervals. */
struct score {
    uint8_t history[SCORE_HISTORY]; /* ring */
    uint8_t n;
    uint8_t at; /* next to be written */
    uint8_t value;
    bool changed; /* since score_take */
};

/* One interval: packets that should have arrived, that did not at first, that were repaired by
 * retransmission, and how many retransmissions that took. 0..10. */
uint8_t score_of_interval(uint32_t expected, uint32_t lost, uint32_t repaired,
                          uint32_t retransmitted);
void score_init(struct score *s, uint8_t value);
/* Takes an interval's score into the weighted mean: the newer, the heavier. After 0 the history
 * starts anew. */
void score_add(struct score *s, uint8_t value);
/* Sets it at once, history forgotten. */
void score_set(struct score *s, uint8_t value);
/* True once after each change. */
bool score_take(struct score *s, uint8_t *value);

#endif
