/* What happens to streams and recordings, told to whoever listens: pages and programs over
 * Server-Sent Events (GET /api/events), other services by webhooks. Observes streams. Controller's
 * loop, one thread; webhooks are sent by threads of their own. */
#ifndef WEIR_CONTROLLER_EVENTS_EVENTS_H
#define WEIR_CONTROLLER_EVENTS_EVENTS_H

#include <stddef.h>

#include "common/err.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "common/time.h"
#include "controller/api/api.h"
#include "controller/stream/streams.h"

struct uv_loop_s;
struct events;

/* Strings are borrowed and outlive it. */
struct events_config {
    struct uv_loop_s *loop;
    struct api *api;         /* gets /api/events */
    struct streams *streams; /* may go before */
    struct metrics *metrics; /* NULL: none */
    struct rng *rng;
    unsigned listeners_max;          /* of /api/events at the same time */
    const char *const *webhook_urls; /* http:// or https:// */
    size_t n_webhook_urls;
    const char *webhook_secret; /* that they are signed with; "": they are not */
    unsigned webhook_attempts;  /* before one is given up */
    usec webhook_pause;         /* before the second attempt; each further one doubles it */
};

MUST_CHECK enum err events_open(const struct events_config *config, struct events **out);
/* Ends all answers; webhooks that wait get a short time. closed is called once, later. */
void events_close(struct events *e, void (*closed)(void *ctx), void *ctx);

/* A recording is there to be watched. */
void events_recording_ready(struct events *e, const char *recording_id, const char *room_id,
                            const char *stream_id);

#endif
