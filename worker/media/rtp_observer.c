#include "worker/media/rtp_observer.h"

#include <stdlib.h>

#include "worker/media/fail.h"
#include "worker/media/producer.h"
#include "worker/media/router.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

struct rtp_observer *rtp_observer_of(struct object *o)
{
    return o ? container_of(o, struct rtp_observer, object) : NULL;
}

static void on_timer(struct timer *timer, usec now)
{
    struct rtp_observer *o = container_of(timer, struct rtp_observer, timer);
    timer_set(timer, now + o->interval);
    o->ops->interval(o, now);
}

enum err rtp_observer_init(struct rtp_observer *o, const struct rtp_observer_ops *ops,
                           struct router *r, const char *id, usec interval, usec now,
                           struct field_error *f)
{
    struct worker *w = r->worker;
    enum err e = ERR_FULL;
    if (r->n_observers >= ROUTER_MAX_RTP_OBSERVERS) {
        free(o);
        return fail(f, e, "", "too many observers in this router");
    }
    e = object_init(&o->object, &w->objects, OBJECT_RTP_OBSERVER, id);
    if (e != OK) {
        free(o);
        return e == ERR_EXISTS ? fail(f, e, "rtpObserverId", "an object with this id exists")
                               : fail_plain(f, e);
    }
    o->ops = ops;
    o->router = r;
    o->interval = interval;
    list_init(&o->observed);
    list_add(&r->observers, &o->in_router);
    r->n_observers++;
    e = timer_add(&w->timers, &o->timer, on_timer);
    if (e != OK) {
        rtp_observer_close(o);
        return fail_plain(f, e);
    }
    timer_set(&o->timer, now + interval);
    return OK;
}

static void let_go(struct observed *of, usec now)
{
    struct rtp_observer *o = of->observer;
    list_remove(&of->in_observer);
    list_remove(&of->in_producer);
    o->n_observed--;
    o->ops->forget(of, now);
    free(of);
}

void rtp_observer_close(struct rtp_observer *o)
{
    while (!list_empty(&o->observed))
        let_go(container_of(o->observed.next, struct observed, in_observer), USEC_NEVER);
    timer_drop(&o->timer);
    list_remove(&o->in_router);
    o->router->n_observers--;
    object_fini(&o->object);
    free(o);
}

/* ---- requests ---- */

void rtp_observer_pause(struct rtp_observer *o, usec now)
{
    if (o->is_paused)
        return;
    o->is_paused = true;
    timer_set(&o->timer, USEC_NEVER);
    list_each (node, &o->observed)
        o->ops->forget(container_of(node, struct observed, in_observer), now);
    o->ops->paused(o);
}

void rtp_observer_resume(struct rtp_observer *o, usec now)
{
    if (!o->is_paused)
        return;
    o->is_paused = false;
    timer_set(&o->timer, now + o->interval);
}

static struct observed *find(const struct rtp_observer *o, const struct producer *p)
{
    list_each (node, &p->observers) {
        struct observed *of = container_of(node, struct observed, in_producer);
        if (of->observer == o)
            return of;
    }
    return NULL;
}

static enum err find_producer(const struct rtp_observer *o, const char *id, struct producer **out,
                              struct field_error *f)
{
    struct producer *p = producer_of(object_find(&o->router->worker->objects, OBJECT_PRODUCER, id));
    if (!p || p->transport->router != o->router)
        return fail(f, ERR_NOT_FOUND, "producerId", "no such producer in this router");
    *out = p;
    return OK;
}

enum err rtp_observer_add(struct rtp_observer *o, usec now, const char *producer_id,
                          struct field_error *f)
{
    struct producer *p;
    enum err e = find_producer(o, producer_id, &p, f);
    if (e != OK)
        return e;
    if (p->kind != MEDIA_KIND_AUDIO)
        return fail(f, ERR_TYPE, "producerId", "not a producer of audio");
    if (find(o, p))
        return fail(f, ERR_EXISTS, "producerId", "observed already");
    if (o->n_observed >= RTP_OBSERVER_MAX_PRODUCERS)
        return fail(f, ERR_FULL, "producerId", "too many producers in this observer");
    struct observed *of = calloc(1, o->ops->observed_size);
    if (!of)
        return fail_plain(f, ERR_NOMEM);
    of->observer = o;
    of->producer = p;
    list_add(&o->observed, &of->in_observer);
    list_add(&p->observers, &of->in_producer);
    o->n_observed++;
    o->ops->added(of, now);
    return OK;
}

enum err rtp_observer_remove(struct rtp_observer *o, usec now, const char *producer_id,
                             struct field_error *f)
{
    struct producer *p;
    enum err e = find_producer(o, producer_id, &p, f);
    if (e != OK)
        return e;
    struct observed *of = find(o, p);
    if (of)
        let_go(of, now);
    return OK;
}

/* ---- from producers ---- */

void rtp_observer_producer_closed(struct producer *p, usec now)
{
    while (!list_empty(&p->observers))
        let_go(container_of(p->observers.next, struct observed, in_producer), now);
}

void rtp_observer_producer_paused(struct producer *p, usec now)
{
    list_each (node, &p->observers) {
        struct observed *of = container_of(node, struct observed, in_producer);
        of->observer->ops->forget(of, now);
    }
}

void rtp_observer_level(struct producer *p, usec now, uint8_t level)
{
    list_each (node, &p->observers) {
        struct observed *of = container_of(node, struct observed, in_producer);
        if (!of->observer->is_paused)
            of->observer->ops->level(of, now, level);
    }
}
