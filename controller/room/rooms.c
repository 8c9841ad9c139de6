#include "controller/room/rooms.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/room/room_state.h"
#include "controller/room/rooms_metrics.h"
#include "controller/rtc/ortc.h"

enum { CAPABILITIES_BYTES_MAX = 256 * 1024 };

struct room *rooms_find(struct rooms *r, const char *id)
{
    struct room *room = NULL;
    HASH_FIND_STR(r->rooms, id, room);
    return room;
}

size_t rooms_count(const struct rooms *r)
{
    return r->n_rooms;
}

void rooms_each(struct rooms *r, void (*each)(void *ctx, struct room *room), void *ctx)
{
    struct room *room;
    struct room *next;
    HASH_ITER(hh, r->rooms, room, next)
    {
        each(ctx, room);
    }
}

/* ---- workers come and go ---- */

static void on_worker_lost(void *ctx, struct fleet_worker *w)
{
    struct rooms *r = ctx;
    struct room *room;
    struct room *next;
    HASH_ITER(hh, r->rooms, room, next)
    {
        struct room_router *lost = room_router_in(room, w);
        if (lost)
            room_router_lost(lost, "the media worker was lost");
    }
}

static void start_missing(struct rooms *r)
{
    struct room *room;
    struct room *next;
    HASH_ITER(hh, r->rooms, room, next)
    {
        room_start_router(room);
    }
}

static void on_worker_running(void *ctx, struct fleet_worker *w)
{
    (void)w;
    start_missing(ctx);
}

/* ---- time ---- */

static void close_lost_transports(struct room *room, uint64_t now)
{
    list_each (pn, &room->peers) {
        struct room_peer *p = container_of(pn, struct room_peer, node);
        bool any = false;
        list_each (tn, &p->transports) {
            struct room_transport *t = container_of(tn, struct room_transport, node);
            if (t->lost_ms == 0 || now - t->lost_ms < LOST_TRANSPORT_MS)
                continue;
            transport_close(t, true);
            any = true;
        }
        if (any) {
            struct sig_reconnect event = {.reason = "the connection for media was lost"};
            peer_notify(p, SIG_EVENT_RECONNECT_REQUIRED, &event);
        }
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct rooms *r = timer->data;
    uint64_t now = uv_now(r->config.loop);
    start_missing(r);
    struct room *room;
    struct room *next;
    HASH_ITER(hh, r->rooms, room, next)
    {
        close_lost_transports(room, now);
        if (room->empty_since_ms != 0 && now - room->empty_since_ms > EMPTY_ROOM_MS)
            room_close(room);
    }
    rooms_metrics_update(r);
}

/* ---- life ---- */

enum err rooms_open(const struct rooms_config *config, struct rooms **out)
{
    struct rooms *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->config = *config;
    list_init(&r->observers);
    list_init(&r->sessions);
    arena_init(&r->arena, CAPABILITIES_BYTES_MAX);
    struct field_error error;
    enum err e = ortc_router_capabilities(ortc_default_codecs, ortc_n_default_codecs, &r->arena,
                                          &r->capabilities, &error);
    if (e == OK)
        e = rooms_metrics_open(r);
    if (e == OK)
        e = sessions_open(r);
    if (e == OK)
        e = rooms_add_hls_routes(r);
    if (e != OK) {
        rooms_metrics_close(r);
        arena_fini(&r->arena);
        free(r);
        return e;
    }
    uv_timer_init(config->loop, &r->tick);
    r->tick.data = r;
    uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
    r->fleet_observer = (struct fleet_observer){
        .on_lost = on_worker_lost, .on_running = on_worker_running, .ctx = r};
    fleet_observe(config->fleet, &r->fleet_observer);
    *out = r;
    return OK;
}

static void on_tick_closed(uv_handle_t *h)
{
    struct rooms *r = h->data;
    void (*closed)(void *) = r->closed;
    void *ctx = r->closed_ctx;
    rooms_metrics_close(r);
    arena_fini(&r->arena);
    free(r);
    if (closed)
        closed(ctx);
}

void rooms_finish_close(struct rooms *r)
{
    if (r->closing && sessions_empty(r) && r->n_questions == 0 &&
        !uv_is_closing((uv_handle_t *)&r->tick))
        uv_close((uv_handle_t *)&r->tick, on_tick_closed);
}

void rooms_set_gate(struct rooms *r, const struct rooms_gate *gate)
{
    r->gate = gate ? *gate : (struct rooms_gate){0};
}

json_t *rooms_ice_servers(const struct rooms *r, const char *name)
{
    return ice_servers(&r->config.ice_servers, name, clock_wall() / USEC_PER_SEC);
}

void rooms_drain(struct rooms *r)
{
    r->draining = true;
}

void rooms_close(struct rooms *r, void (*closed)(void *ctx), void *ctx)
{
    if (r->closing)
        return;
    r->closing = true;
    r->closed = closed;
    r->closed_ctx = ctx;
    fleet_unobserve(&r->fleet_observer);
    uv_timer_stop(&r->tick);
    struct room *room;
    struct room *next;
    HASH_ITER(hh, r->rooms, room, next)
    {
        room_close(room);
    }
    sessions_close(r, 1001, "the service is closing");
    rooms_finish_close(r);
}
