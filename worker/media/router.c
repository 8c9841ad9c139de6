#include "worker/media/router.h"

#include <stdlib.h>

#include "worker/media/consumer.h"
#include "worker/media/fail.h"
#include "worker/media/rtp_observer.h"
#include "worker/media/transport.h"
#include "worker/media/transport_data.h"
#include "worker/media/worker_state.h"

struct router *router_of(struct object *o)
{
    return o ? container_of(o, struct router, object) : NULL;
}

enum err router_open(struct worker *w, const char *id, struct router **out, struct field_error *f)
{
    if (w->n_routers >= WORKER_MAX_ROUTERS)
        return fail(f, ERR_FULL, "", "too many routers");
    struct router *r = calloc(1, sizeof *r);
    if (!r)
        return fail_plain(f, ERR_NOMEM);
    enum err e = object_init(&r->object, &w->objects, OBJECT_ROUTER, id);
    if (e != OK) {
        free(r);
        return e == ERR_EXISTS ? fail(f, e, "routerId", "an object with this id exists")
                               : fail_plain(f, e);
    }
    r->worker = w;
    list_init(&r->transports);
    list_init(&r->observers);
    list_add(&w->routers, &r->in_worker);
    w->n_routers++;
    *out = r;
    return OK;
}

/* All consumers first: none of them needs to hear that its producer goes, as all do. */
static void close_consumers(struct router *r)
{
    list_each (node, &r->transports) {
        struct transport *t = container_of(node, struct transport, in_router);
        while (!list_empty(&t->consumers))
            consumer_close(container_of(t->consumers.next, struct consumer, in_transport));
        transport_data_close_consumers(t, USEC_NEVER);
    }
}

void router_close(struct router *r, usec now)
{
    while (!list_empty(&r->observers))
        rtp_observer_close(container_of(r->observers.next, struct rtp_observer, in_router));
    close_consumers(r);
    while (!list_empty(&r->transports)) {
        struct transport *t = container_of(r->transports.next, struct transport, in_router);
        t->ops->close(t, now);
    }
    list_remove(&r->in_worker);
    r->worker->n_routers--;
    object_fini(&r->object);
    free(r);
}

enum err router_close_transport(struct router *r, usec now, const char *id, struct field_error *f)
{
    struct transport *t = transport_of(object_find(&r->worker->objects, OBJECT_TRANSPORT, id));
    if (!t || t->router != r)
        return fail(f, ERR_NOT_FOUND, "transportId", "no such transport in this router");
    t->ops->close(t, now);
    return OK;
}

enum err router_close_observer(struct router *r, const char *id, struct field_error *f)
{
    struct rtp_observer *o =
        rtp_observer_of(object_find(&r->worker->objects, OBJECT_RTP_OBSERVER, id));
    if (!o || o->router != r)
        return fail(f, ERR_NOT_FOUND, "rtpObserverId", "no such observer in this router");
    rtp_observer_close(o);
    return OK;
}
