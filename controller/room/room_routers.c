#include <stdlib.h>

#include "common/log.h"
#include "controller/room/room_pipe.h"

struct room_router *room_origin(const struct room *room)
{
    return list_empty(&room->routers) ? NULL
                                      : container_of(room->routers.next, struct room_router, node);
}

struct room_router *room_router_in(const struct room *room, const struct fleet_worker *w)
{
    for (struct list *node = room->routers.next; node != &room->routers; node = node->next) {
        struct room_router *r = container_of(node, struct room_router, node);
        if (r->worker == w)
            return r;
    }
    return NULL;
}

struct fleet_worker *peer_worker(const struct room_peer *p)
{
    return p->router ? p->router->worker : NULL;
}

/* ---- making ---- */

/* Features may use the origin from now on, and are told of what clients have in other routers. */
static void tell_origin(struct room *room)
{
    observe_router(room, true);
    struct room_producer *p;
    struct room_producer *next;
    HASH_ITER(hh, room->producers, p, next)
    {
        producer_show(p);
    }
}

static void on_made(void *ctx, enum err e, const char *reason, const void *data)
{
    struct room_router *r = ctx;
    struct room *room = r->room;
    (void)data;
    if (e == OK) {
        r->made = true;
        if (r == room_origin(room))
            tell_origin(room);
        return;
    }
    log_warn("room.router_failed", "room=%s why=\"%s\"", room->id, reason);
    if (e == ERR_CLOSED)
        return; /* fleet's observer tells */
    /* The worker goes on without it; what was asked of the router meanwhile fails as well. */
    room->spread_after_ms = uv_now(room->rooms->config.loop) + SPREAD_RETRY_MS;
    room_router_lost(r, "the room has to be set up anew");
}

static struct room_router *router_open(struct room *room, struct fleet_worker *w)
{
    struct room_router *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->room = room;
    r->worker = w;
    rng_uuid(room->rooms->config.rng, r->id);
    struct worker_create_router_request request = {.router_id = r->id};
    /* The worker takes requests in order: what is asked of the router from now on comes after its
     * creation. */
    if (fleet_request(w, METHOD_WORKER_CREATE_ROUTER, "", &request, on_made, r) != OK) {
        free(r);
        return NULL;
    }
    fleet_worker_add_load(w, 1);
    fleet_worker_add_routers(w, 1);
    list_add(&room->routers, &r->node);
    return r;
}

void room_start_router(struct room *room)
{
    struct fleet_worker *w = fleet_least_loaded(room->rooms->config.fleet);
    /* Else fleet's observer or the tick comes back here. */
    if (w && !room_origin(room))
        (void)router_open(room, w);
}

/* ---- closing ---- */

static void router_free(struct room_router *r)
{
    pipe_links_close_of(r);
    if (r->worker) {
        struct worker_close_router_request request = {.router_id = r->id};
        fleet_forget(r->worker, r);
        (void)fleet_request(r->worker, METHOD_WORKER_CLOSE_ROUTER, "", &request, NULL, NULL);
        fleet_worker_add_load(r->worker, -1);
        fleet_worker_add_routers(r->worker, -1);
    }
    list_remove(&r->node);
    free(r);
}

void room_close_routers(struct room *room)
{
    list_each (node, &room->routers) {
        router_free(container_of(node, struct room_router, node));
    }
}

static void hide_producers(struct room *room)
{
    struct room_producer *p;
    struct room_producer *next;
    HASH_ITER(hh, room->producers, p, next)
    {
        producer_hide(p);
    }
}

/* Those without a router were in this one, or were about to get one. */
static void tell_peers(struct room *room, const char *reason)
{
    struct sig_reconnect event = {.reason = reason};
    list_each (node, &room->peers) {
        struct room_peer *p = container_of(node, struct room_peer, node);
        if (!p->router)
            peer_notify(p, SIG_EVENT_RECONNECT_REQUIRED, &event);
    }
}

void room_router_lost(struct room_router *r, const char *reason)
{
    struct room *room = r->room;
    bool was_origin = r == room_origin(room);
    bool alive = fleet_worker_running(r->worker);
    if (!alive)
        r->worker = NULL;
    r->n_peers++; /* so that it is here until the end */
    list_each (node, &room->peers) {
        struct room_peer *p = container_of(node, struct room_peer, node);
        if (p->router == r)
            peer_drop_media(p);
    }
    if (was_origin)
        hide_producers(room);
    router_free(r);
    if (was_origin)
        observe_router(room, false);
    tell_peers(room, reason);
    if (!was_origin)
        return;
    struct room_router *origin = room_origin(room);
    if (origin && origin->made)
        tell_origin(room);
    else if (!origin && !alive)
        room_start_router(room); /* where a worker refused it, the tick tries again */
}

/* ---- whose transports are where ---- */

static bool is_full(const struct room *room, const struct fleet_worker *w)
{
    return (unsigned)fleet_worker_load(w) >= room->rooms->config.worker_load_max;
}

/* Where all have as much as they may, a pipe and another router are worth their cost only if the
 * other worker has clearly less to do. */
static bool worth_moving(const struct fleet_worker *to, const struct room_router *from)
{
    return !from || fleet_worker_load(to) < fleet_worker_load(from->worker) * 3 / 4;
}

static struct room_router *choose(struct room *room)
{
    struct room_router *best = NULL;
    list_each (node, &room->routers) {
        struct room_router *r = container_of(node, struct room_router, node);
        if (!is_full(room, r->worker))
            return r;
        if (!best || fleet_worker_load(r->worker) < fleet_worker_load(best->worker))
            best = r;
    }
    struct fleet_worker *w = fleet_least_loaded(room->rooms->config.fleet);
    if (!w || room_router_in(room, w) || uv_now(room->rooms->config.loop) < room->spread_after_ms ||
        (is_full(room, w) && !worth_moving(w, best)))
        return best;
    struct room_router *r = router_open(room, w);
    return r ? r : best;
}

enum err peer_enter_router(struct room_peer *p)
{
    if (p->router)
        return OK;
    /* The service's own peers make their transports in the origin by themselves. */
    struct room_router *r = p->session ? choose(p->room) : room_origin(p->room);
    if (!r)
        return ERR_UNAVAILABLE;
    p->router = r;
    r->n_peers++;
    return OK;
}

void peer_leave_router(struct room_peer *p)
{
    struct room_router *r = p->router;
    if (!r)
        return;
    p->router = NULL;
    if (--r->n_peers == 0 && r != room_origin(r->room))
        router_free(r);
}
