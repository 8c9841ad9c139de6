/* A group of pictures on its way from the cache (gop_cache.h) to one consumer: the frames before
 * the newest lie so close together in time that a receiver shows the newest at once, with no delay
 * built up, and what follows them goes on from there. No IO. */
#ifndef WEIR_WORKER_MEDIA_REPLAY_H
#define WEIR_WORKER_MEDIA_REPLAY_H

#include "worker/media/gop_cache.h"
#include "worker/media/producer.h"
#include "worker/rtp/seq.h"

enum {
    REPLAY_SPEED = 32, /* at 30 frames a second they lie 1 ms apart: 94 ticks of 90 kHz */
    REPLAY_OVER_S = 10 /* what is missing of it comes by then, or never */
};

/* Zeroed: there was none. One a consumer's stream. */
struct replay {
    uint32_t newest; /* incoming timestamp, which stays; older ones are moved towards it */
    bool on;
    bool has_rtx;
};

/* Whether one that starts from nothing is served better by the cache than by a request. Only a
 * viewer over WebRTC: a recorder wants times as they are and no burst, and behind a pipe is a
 * throttle of its own. */
bool replay_helps(const struct consumer *c, struct producer_stream *s, usec now);
/* From now on; for what came from the cache, and for what is missing of it and comes late. has_rtx:
 * of what it is sent on. */
void replay_begin(struct replay *r, const struct gop_cache *g, bool has_rtx);
/* The same incoming timestamp always gives the same. */
static inline uint32_t replay_timestamp(const struct replay *r, uint32_t timestamp)
{
    return r->newest - (r->newest - timestamp) / REPLAY_SPEED;
}
/* Packet i of the cache as it came, layers not read; false: there is none to forward. */
bool replay_packet(struct media_packet *m, struct producer_stream *s, size_t i);
void replay_move_slow(struct replay *r, const struct media_packet **m, struct media_packet *copy);

/* Each packet, before anything looks at its timestamp: *m becomes a moved copy where it is of an
 * older frame that a replay brought. */
static inline void replay_move(struct replay *r, const struct media_packet **m,
                               struct media_packet *copy)
{
    if (r->on)
        replay_move_slow(r, m, copy);
}

#endif
