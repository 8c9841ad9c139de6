/* A room: transports whose producers and consumers may meet. No IO. */
#ifndef WEIR_WORKER_MEDIA_ROUTER_H
#define WEIR_WORKER_MEDIA_ROUTER_H

#include "common/fields.h"
#include "common/list.h"
#include "common/time.h"
#include "proto/pipe_router.h"
#include "worker/media/object.h"

enum { ROUTER_MAX_TRANSPORTS = 20000 };

struct worker;
struct transport;

struct router {
    struct object object;
    struct worker *worker; /* parent, outlives us */
    struct list in_worker;
    struct list transports; /* owned, struct transport.in_router */
    size_t n_transports;
    struct list observers; /* owned, struct rtp_observer.in_router */
    size_t n_observers;
};

MUST_CHECK enum err router_open(struct worker *w, const char *id, struct router **out,
                                struct field_error *f);
/* Closes its transports first. */
void router_close(struct router *r, usec now);
struct router *router_of(struct object *o);

MUST_CHECK enum err router_close_transport(struct router *r, usec now, const char *id,
                                           struct field_error *f);
MUST_CHECK enum err router_close_observer(struct router *r, const char *id, struct field_error *f);
/* Strings are borrowed from the tree. */
MUST_CHECK enum err router_dump(const struct router *r, struct arena *arena,
                                struct router_dump_response *out);

#endif
