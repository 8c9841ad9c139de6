/* The RTP timestamps that a consumer gets over changes of source: they grow with the time that
 * passed at the sender, never jump and never go back. Between two streams of one sender the sender
 * reports tell the distance; until those are there, the time between arrivals does. Pure. */
#ifndef WEIR_RTP_TIMELINE_H
#define WEIR_RTP_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/time.h"
#include "worker/rtp/sr_map.h"

struct timeline {
    uint32_t clock_rate;
    uint32_t offset;     /* outgoing - incoming; also for sender reports */
    uint32_t catch_from; /* incoming: first of a source that is behind what was sent already */
    uint32_t lag;        /* ticks that it was behind; 0: it was not */
    uint32_t last;       /* newest outgoing */
    usec last_at;        /* when it was sent */
    bool started;
};

void timeline_init(struct timeline *t, uint32_t clock_rate);
/* The packet with this timestamp is the first one of another source, which is described by `from`;
 * `to` is the source so far. NULL, or no reports yet: by the time since the last packet. */
void timeline_switch(struct timeline *t, usec now, uint32_t timestamp, const struct sr_map *from,
                     const struct sr_map *to);
/* The same incoming timestamp always gives the same, until the next switch. */
uint32_t timeline_map(const struct timeline *t, uint32_t timestamp);
/* A packet went out with timeline_map's value. */
void timeline_sent(struct timeline *t, usec now, uint32_t outgoing);

#endif
