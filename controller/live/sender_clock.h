/* When a picture was taken, by its sender's clock: from an RTP timestamp and a sender report (RFC
 * 3550 6.4.1). Pure. */
#ifndef WEIR_CONTROLLER_LIVE_SENDER_CLOCK_H
#define WEIR_CONTROLLER_LIVE_SENDER_CLOCK_H

#include "common/time.h"
#include "controller/live/plan.h"

/* A clock that is farther from ours than this is wrong, or no time of day at all (RFC 3550 lets
 * senders begin at 0): then the time of arrival counts. */
#define SENDER_CLOCK_MAX (10 * 60 * USEC_PER_SEC)

/* Since 1970. rate: of rtp_timestamp, a second. arrival: ours, when the packet came. */
usec sender_clock_time(const struct live_track *t, uint32_t rtp_timestamp, uint32_t rate,
                       usec arrival);

#endif
