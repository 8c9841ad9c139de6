/* Modes peers and composite: what a room wants beside its broadcaster's stream. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "controller/live/live_state.h"

enum {
    TICK_MS = 1000,
    AWAY_MS = 15 * 1000 /* a peer that lost its connection may come back so long */
};

/* ---- what is produced ---- */

struct gathering {
    struct live_source *source;
    const struct room_peer *peers[LIVE_CELLS_MAX]; /* of the cells */
    const char *peer_id;                           /* NULL: everybody's */
    size_t n_peers;
    bool screen;
};

/* NULL: there is no place for it. */
static struct live_cell *cell_of(struct gathering *g, const struct room_peer *peer, bool screen)
{
    struct live_source *s = g->source;
    for (size_t i = 0; i < s->n_cells; i++) {
        if (g->peers[i] == peer && s->cells[i].screen == screen)
            return &s->cells[i];
    }
    if (screen ? g->screen : g->n_peers == LIVE_PEERS_MAX)
        return NULL;
    g->screen = g->screen || screen;
    g->n_peers += !screen;
    g->peers[s->n_cells] = peer;
    struct live_cell *c = &s->cells[s->n_cells++];
    *c = (struct live_cell){.name = peer_display_name(peer), .screen = screen};
    return c;
}

/* In the order in which they came: of a peer's cameras the newest counts. */
static void gather(void *ctx, struct room_producer *p)
{
    struct gathering *g = ctx;
    const struct room_peer *peer = producer_peer(p);
    if (peer_role(peer) == ROLE_VIEWER || (g->peer_id && strcmp(g->peer_id, peer_id(peer)) != 0))
        return;
    /* By itself a peer has one picture, the newest. */
    bool screen = !g->peer_id && producer_kind(p) == MEDIA_KIND_VIDEO && producer_is_screen(p);
    struct live_cell *c = cell_of(g, peer, screen);
    if (c)
        live_track_of(p, &c->tracks[producer_kind(p)]);
}

void live_rooms_describe(const struct live_stream *ls, struct room *room, struct live_source *out)
{
    struct gathering g = {.source = out, .peer_id = ls->mode == LIVE_PEER ? ls->name : NULL};
    room_each_producer(room, gather, &g);
}

/* ---- what is wanted ---- */

/* Names that a room's folder has for something else. */
static bool name_is_taken(const char *peer)
{
    size_t digits = strspn(peer + 1, "0123456789");
    bool track = (peer[0] == 'v' || peer[0] == 'a') && digits > 0 && peer[1 + digits] == '\0';
    return track || strcmp(peer, "index") == 0 || strcmp(peer, LIVE_COMPOSITE_NAME) == 0;
}

static void want(struct live *l, enum live_mode mode, const struct room *room, const char *name)
{
    char key[LIVE_KEY_MAX];
    live_key(key, mode, room_id(room), name);
    struct live_stream *ls = live_find(l, key);
    const struct room_hls *hls = room_hls(room);
    if (ls && live_runs(ls) && ls->wanted &&
        (ls->low != hls->low_bandwidth || ls->names != hls->names)) {
        ls->wanted = false;
        pipeline_end(ls->pipeline);
        return; /* looks again when that has ended */
    }
    if (ls && (!ls->pipeline || (live_runs(ls) && ls->wanted))) {
        ls->away_ms = 0;
        if (ls->pipeline)
            pipeline_changed(ls->pipeline);
        return;
    }
    if (ls && live_runs(ls))
        return; /* ending: looks again then */
    if (ls)
        live_drop(ls);
    ls = live_stream_new(l, mode, room_id(room), name);
    if (!ls)
        return;
    ls->wanted = true;
    live_begin_or_wait(ls);
}

struct wanting {
    struct live *live;
    const struct room *room;
    bool any;
};

static void want_peer(void *ctx, struct room_producer *p)
{
    struct wanting *w = ctx;
    const struct room_peer *peer = producer_peer(p);
    if (peer_role(peer) == ROLE_VIEWER)
        return;
    w->any = true;
    if (!room_hls(w->room)->peers)
        return;
    if (name_is_taken(peer_id(peer)))
        log_warn("hls.peer_name", "room=%s peer=%s why=\"the name is in use\"", room_id(w->room),
                 peer_id(peer));
    else
        want(w->live, LIVE_PEER, w->room, peer_id(peer));
}

/* Whether the peer, or anybody, produces. */
static bool is_produced(const struct live_stream *ls, struct room *room)
{
    struct live_source source = {0};
    live_rooms_describe(ls, room, &source);
    return source.n_cells > 0;
}

static bool mode_is_on(const struct live_stream *ls, const struct room *room)
{
    const struct room_hls *hls = room_hls(room);
    return ls->mode == LIVE_PEER ? hls->peers : hls->composite;
}

static void end_now(struct live_stream *ls)
{
    if (!ls->wanted)
        return;
    ls->wanted = false;
    live_end(ls);
}

/* What is there and is not wanted any more: ends, or may still come back. */
static void look_at_old(struct live *l, const char *id, struct room *room)
{
    struct live_stream *ls;
    struct live_stream *next;
    HASH_ITER(hh, l->by_key, ls, next)
    {
        if (ls->mode == LIVE_STREAM || strcmp(ls->room_id, id) != 0 || !ls->wanted)
            continue;
        if (!room || !mode_is_on(ls, room)) {
            end_now(ls);
        } else if (ls->away_ms == 0 && !is_produced(ls, room)) {
            ls->away_ms = uv_now(l->config.loop);
            if (ls->pipeline)
                pipeline_changed(ls->pipeline);
        }
    }
}

void live_rooms_look(struct live *l, const char *id)
{
    struct room *room = rooms_find(l->config.rooms, id);
    if (l->closing || !l->config.cmaf)
        return;
    look_at_old(l, id, room);
    if (!room || (!room_hls(room)->peers && !room_hls(room)->composite))
        return;
    struct wanting w = {.live = l, .room = room};
    room_each_producer(room, want_peer, &w);
    if (w.any && room_hls(room)->composite)
        want(l, LIVE_COMPOSITE, room, LIVE_COMPOSITE_NAME);
}

/* ---- what rooms tell ---- */

static void on_producer(void *ctx, struct room *room, struct room_producer *p)
{
    (void)p;
    live_rooms_look(ctx, room_id(room));
}

static void on_paused(void *ctx, struct room *room, struct room_producer *p, bool paused)
{
    (void)p;
    (void)paused;
    live_rooms_look(ctx, room_id(room));
}

static void on_router(void *ctx, struct room *room)
{
    live_rooms_look(ctx, room_id(room));
}

static void each_of_room(struct live *l, const char *id, void (*each)(struct live_stream *ls))
{
    struct live_stream *ls;
    struct live_stream *next;
    HASH_ITER(hh, l->by_key, ls, next)
    {
        if (ls->mode != LIVE_STREAM && strcmp(ls->room_id, id) == 0)
            each(ls);
    }
}

static void lose_router(struct live_stream *ls)
{
    if (live_runs(ls))
        pipeline_router_lost(ls->pipeline);
}

static void on_router_lost(void *ctx, struct room *room)
{
    each_of_room(ctx, room_id(room), lose_router);
}

static void on_closed(void *ctx, struct room *room)
{
    each_of_room(ctx, room_id(room), end_now);
}

/* By itself: it will not be back. */
static void on_peer_left(void *ctx, struct room *room, struct room_peer *peer)
{
    char key[LIVE_KEY_MAX];
    live_key(key, LIVE_PEER, room_id(room), peer_id(peer));
    struct live_stream *ls = live_find(ctx, key);
    if (ls && peer_left_by_itself(peer))
        end_now(ls);
}

static void on_hls(void *ctx, struct room *room)
{
    struct live *l = ctx;
    const struct room_hls *hls = room_hls(room);
    struct stream *s = streams_of_room(l->config.streams, room_id(room));
    if (!l->config.cmaf && (hls->peers || hls->composite))
        log_warn("hls.mode_not_supported", "room=%s why=\"only with hls.container = cmaf\"",
                 room_id(room));
    if (s)
        live_streams_changed_hls(l, s);
    live_rooms_look(l, room_id(room));
}

/* ---- time ---- */

static void on_tick(uv_timer_t *t)
{
    struct live *l = t->data;
    uint64_t now = uv_now(l->config.loop);
    struct live_stream *ls;
    struct live_stream *next;
    HASH_ITER(hh, l->by_key, ls, next)
    {
        if (ls->mode != LIVE_STREAM && ls->wanted && ls->away_ms != 0 &&
            now - ls->away_ms >= AWAY_MS)
            end_now(ls);
    }
}

static void on_tick_closed(uv_handle_t *h)
{
    live_part_closed(h->data);
}

/* ---- life ---- */

void live_rooms_open(struct live *l)
{
    l->rooms_observer = (struct rooms_observer){.on_router = on_router,
                                                .on_router_lost = on_router_lost,
                                                .on_closed = on_closed,
                                                .on_peer_left = on_peer_left,
                                                .on_producer_added = on_producer,
                                                .on_producer_removed = on_producer,
                                                .on_producer_paused = on_paused,
                                                .on_producer_silent = on_paused,
                                                .on_producer_picture = on_producer,
                                                .on_hls = on_hls,
                                                .ctx = l};
    rooms_observe(l->config.rooms, &l->rooms_observer);
    uv_timer_init(l->config.loop, &l->tick);
    l->tick.data = l;
    l->open_parts++;
    uv_timer_start(&l->tick, on_tick, TICK_MS, TICK_MS);
}

void live_rooms_close(struct live *l)
{
    rooms_unobserve(&l->rooms_observer);
    uv_close((uv_handle_t *)&l->tick, on_tick_closed);
}
