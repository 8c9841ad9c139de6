/* What waits to be sent by one WebRTC transport, so that a burst leaves no faster than the estimate
 * allows (worker/bwe/pacer.h, docs/adr/0056): video packets that can be sent again by RTX, written
 * but not sealed, in order. Nothing is dropped. Audio, RTCP, retransmissions and probes never wait.
 * Made with the transport's estimate. No IO. */
#ifndef WEIR_WORKER_MEDIA_TRANSPORT_PACE_H
#define WEIR_WORKER_MEDIA_TRANSPORT_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/packet.h"
#include "common/time.h"
#include "worker/bwe/pacer.h"
#include "worker/media/timers.h"

enum {
    PACE_PACKETS_MAX = 512,       /* more, and the oldest leaves at once */
    PACE_BYTES_MAX = 1024 * 1024, /* the same */
    PACE_DEPTH_US = 20 * 1000,    /* of pacing rate: a frame of 20 a second leaves whole */
    PACE_TICK_US = 5 * 1000       /* packets that leave together are cheaper, and few enough */
};

struct transport;

/* RTP that is whole but for what belongs to the moment of sending. */
struct paced {
    struct packet *packet; /* owned reference */
    uint16_t time_at;      /* offset of abs-send-time's value, 0: none; so below */
    uint16_t number_at;    /* of the transport-wide number's */
};

struct transport_pace {
    struct pacer pacer;
    struct transport *transport; /* parent, outlives us */
    struct timer timer;          /* the next release; unset while nothing waits */
    struct paced *ring;          /* owned, PACE_PACKETS_MAX; NULL: nothing waited yet */
    size_t first;                /* oldest */
    size_t n;
    size_t bytes; /* of them */
};

/* ---- for the transport: t->pace is NULL where nothing is paced ---- */
MUST_CHECK enum err transport_pace_open(struct transport *t);
void transport_pace_close(struct transport *t);
/* The estimate changed. source_bps: what is sent whatever the estimate says. */
void transport_pace_target(struct transport *t, usec now, uint64_t bps, uint64_t source_bps);
/* The way is gone: nothing of what waits can be sent any more. */
void transport_pace_clear(struct transport *t);
/* A consumer ends: its SSRC must not be sealed again. */
void transport_pace_forget(struct transport *t, uint32_t ssrc);

/* ---- for transport_out.c ---- */
/* A packet to be filled and then put, in order behind all that waits; NULL: there is no room, and
 * nothing waits any more. */
struct packet *transport_pace_room(struct transport_pace *p, usec now);
void transport_pace_put(struct transport_pace *p, usec now, const struct paced *what);

/* Whether it may leave now. */
static inline bool transport_pace_passes(struct transport_pace *p, usec now)
{
    return p->n == 0 && pacer_may_send(&p->pacer, now, 0);
}

#endif
