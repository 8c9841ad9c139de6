/* The line between a sender's RTP timestamps and its own wall clock, as its sender reports draw it
 * (RFC 3550 6.4.1). Receivers synchronise by it, so it is handed through to them unchanged and
 * never made up from arrival times. No IO. */
#ifndef WEIR_RTP_SR_MAP_H
#define WEIR_RTP_SR_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/time.h"

struct sr_map {
    uint64_t ntp; /* of the newest sender report, the sender's clock */
    uint32_t rtp;
    uint32_t clock_rate;
    usec at; /* when it arrived; 0 and !valid before the first */
    bool valid;
};

void sr_map_init(struct sr_map *m, uint32_t clock_rate);
void sr_map_clear(struct sr_map *m);
/* ntp 0 is a sender without a clock (RFC 3550 6.4.1): ignored. */
void sr_map_update(struct sr_map *m, usec now, uint64_t ntp, uint32_t rtp);

/* All false before the first report. */
/* The sender's wall clock when rtp was sampled. */
bool sr_map_ntp(const struct sr_map *m, uint32_t rtp, uint64_t *ntp);
/* The RTP timestamp of what is sampled at ntp. */
bool sr_map_rtp(const struct sr_map *m, uint64_t ntp, uint32_t *rtp);
/* The point of the line at which the sender is about now: what our own sender report says. The
 * pair stays on the line whatever the arrival time was; only the position on it is approximate. */
bool sr_map_now(const struct sr_map *m, usec now, uint64_t *ntp, uint32_t *rtp);
/* What to add to timestamps of `from` so that they continue on `to`'s line, for two streams of one
 * sender with the same clock rate (simulcast encodings). */
bool sr_map_offset(const struct sr_map *from, const struct sr_map *to, uint32_t *offset);

#endif
