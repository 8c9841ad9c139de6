/* Who watches the producers of a router: the base of the kinds (active_speaker_observer.h,
 * audio_level_observer.h), which embed it. Owned by a router. No IO. */
#ifndef WEIR_WORKER_MEDIA_RTP_OBSERVER_H
#define WEIR_WORKER_MEDIA_RTP_OBSERVER_H

#include "common/fields.h"
#include "common/list.h"
#include "common/time.h"
#include "proto/pipe_observer.h"
#include "worker/media/object.h"
#include "worker/media/timers.h"

enum { ROUTER_MAX_RTP_OBSERVERS = 1000, RTP_OBSERVER_MAX_PRODUCERS = 10000 };

struct router;
struct producer;
struct rtp_observer;

/* One producer in one observer: the kinds embed it in what they know of that producer. */
struct observed {
    struct rtp_observer *observer; /* parent */
    struct producer *producer;     /* ref: it removes itself when it closes */
    struct list in_observer;
    struct list in_producer;
};

struct rtp_observer_ops {
    size_t observed_size; /* of the kind's struct, which begins with struct observed */
    void (*added)(struct observed *of, usec now);
    /* Hot: the level of one packet, in -dBov from 0 (loudest) to 127. */
    void (*level)(struct observed *of, usec now, uint8_t level);
    /* It is leaving, or was paused: what was heard of it is void. */
    void (*forget)(struct observed *of, usec now);
    void (*paused)(struct rtp_observer *o);
    void (*interval)(struct rtp_observer *o, usec now);
};

struct rtp_observer {
    struct object object;
    const struct rtp_observer_ops *ops;
    struct router *router; /* parent, outlives us */
    struct list in_router;
    struct list observed; /* owned, struct observed.in_observer */
    size_t n_observed;
    struct timer timer;
    usec interval;
    bool is_paused;
};

/* ---- life cycle ---- */

/* For the kinds, whose struct begins with the base and is on the heap; on failure all is freed. */
MUST_CHECK enum err rtp_observer_init(struct rtp_observer *o, const struct rtp_observer_ops *ops,
                                      struct router *r, const char *id, usec interval, usec now,
                                      struct field_error *f);
/* Lets go of its producers, and frees the whole. */
void rtp_observer_close(struct rtp_observer *o);
struct rtp_observer *rtp_observer_of(struct object *o);

/* ---- requests ---- */

void rtp_observer_pause(struct rtp_observer *o, usec now);
void rtp_observer_resume(struct rtp_observer *o, usec now);
MUST_CHECK enum err rtp_observer_add(struct rtp_observer *o, usec now, const char *producer_id,
                                     struct field_error *f);
/* One that is not observed is fine. */
MUST_CHECK enum err rtp_observer_remove(struct rtp_observer *o, usec now, const char *producer_id,
                                        struct field_error *f);

/* ---- from producers ---- */

void rtp_observer_producer_closed(struct producer *p, usec now);
void rtp_observer_producer_paused(struct producer *p, usec now);
/* Hot: an audio packet of a producer that somebody observes. */
void rtp_observer_level(struct producer *p, usec now, uint8_t level);

#endif
