/* Pairs of loopback UDP ports for RTP and RTCP between workers and ffmpeg: an even port and the one
 * after it (RFC 3550 11). Reserved here, bound by ffmpeg. Binds sockets for a moment, to see that
 * nobody else has them; otherwise no IO. */
#ifndef WEIR_CONTROLLER_LIVE_PORTS_H
#define WEIR_CONTROLLER_LIVE_PORTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct ports;

/* min..max, both included. ERR_RANGE: not one pair fits. */
MUST_CHECK enum err ports_open(uint16_t min, uint16_t max, struct ports **out);
void ports_close(struct ports *p);

/* The even port of a pair that nobody has bound. Goes round, so that a pair that was just given
 * back is the last to be handed out again: packets for its former owner may still be under way.
 * ERR_FULL: every pair is reserved here or bound by somebody. */
MUST_CHECK enum err ports_take(struct ports *p, uint16_t *out);
/* What ports_take gave, once; 0 is allowed and means nothing. */
void ports_give(struct ports *p, uint16_t port);

size_t ports_taken(const struct ports *p);
size_t ports_total(const struct ports *p);

#endif
