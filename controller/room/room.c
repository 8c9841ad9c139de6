#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "controller/net/ws.h"
#include "controller/room/session.h"

bool id_is_valid(const char *id, size_t max)
{
    size_t n = strlen(id);
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return n >= 1 && n <= max && strspn(id, allowed) == n;
}

/* ---- life ---- */

enum err room_get(struct rooms *r, const char *id, struct room **out)
{
    struct room *room = rooms_find(r, id);
    if (room) {
        *out = room;
        return OK;
    }
    if (r->closing || r->draining)
        return ERR_UNAVAILABLE;
    if (r->n_rooms >= r->config.rooms_max)
        return ERR_FULL;
    room = calloc(1, sizeof *room);
    if (!room)
        return ERR_NOMEM;
    room->rooms = r;
    snprintf(room->id, sizeof room->id, "%s", id);
    room->hls = r->config.hls;
    list_init(&room->peers);
    list_init(&room->routers);
    list_init(&room->links);
    room->empty_since_ms = uv_now(r->config.loop);
    HASH_ADD_STR(r->rooms, id, room);
    r->n_rooms++;
    log_info("room.opened", "room=%s", room->id);
    room_start_router(room);
    *out = room;
    return OK;
}

void room_close(struct room *room)
{
    struct rooms *r = room->rooms;
    room->closing = true;
    list_each (node, &room->peers) {
        peer_close(container_of(node, struct room_peer, node), "the room was closed");
    }
    observe_closed(room);
    room_close_routers(room);
    HASH_DEL(r->rooms, room);
    r->n_rooms--;
    log_info("room.closed", "room=%s", room->id);
    free(room);
}

/* ---- what others see ---- */

const char *room_id(const struct room *room)
{
    return room->id;
}

const char *room_router_id(const struct room *room)
{
    const struct room_router *r = room_origin(room);
    return r ? r->id : NULL;
}

struct fleet_worker *room_worker(const struct room *room)
{
    const struct room_router *r = room_origin(room);
    return r ? r->worker : NULL;
}

const struct rtp_capabilities *room_rtp_capabilities(const struct room *room)
{
    return &room->rooms->capabilities;
}

size_t room_count(const struct room *room, enum room_role role)
{
    size_t n = 0;
    list_each (node, (struct list *)(uintptr_t)&room->peers) {
        n += container_of(node, struct room_peer, node)->role == role;
    }
    return n;
}

size_t room_clients(const struct room *room)
{
    size_t n = 0;
    list_each (node, (struct list *)(uintptr_t)&room->peers) {
        n += container_of(node, struct room_peer, node)->session != NULL;
    }
    return n;
}

void room_each_producer(struct room *room, void (*each)(void *ctx, struct room_producer *p),
                        void *ctx)
{
    struct room_producer *p;
    struct room_producer *next;
    HASH_ITER(hh, room->producers, p, next)
    {
        if (p->observed)
            each(ctx, p);
    }
}

void room_set_hls_url(struct room *room, const char *url)
{
    snprintf(room->hls_url, sizeof room->hls_url, "%s", url ? url : "");
}

void room_each_peer(struct room *room, void (*each)(void *ctx, struct room_peer *p), void *ctx)
{
    list_each (node, &room->peers) {
        each(ctx, container_of(node, struct room_peer, node));
    }
}

/* ---- events ---- */

struct blob *rooms_event_bytes(enum sig_event event, const char *data, size_t n)
{
    const char *name = sig_events[event].name;
    size_t room = n + strlen(name) + 64;
    char *text = malloc(room);
    if (!text)
        return NULL;
    int used = snprintf(text, room, "{\"notification\":true,\"method\":\"%s\",\"data\":", name);
    memcpy(text + used, data, n);
    text[(size_t)used + n] = '}';
    struct blob *b = ws_shared_text(text, (size_t)used + n + 1);
    free(text);
    return b;
}

static struct blob *event_bytes(enum sig_event event, const void *data)
{
    json_t *payload = shape_encode(sig_events[event].payload, data);
    char *text = payload ? json_dumps(payload, JSON_COMPACT) : NULL;
    struct blob *b = text ? rooms_event_bytes(event, text, strlen(text)) : NULL;
    free(text);
    json_decref(payload);
    return b;
}

void peer_notify_bytes(struct room_peer *p, struct blob *bytes)
{
    if (p->session)
        session_bytes(p->session, bytes);
}

void peer_notify(struct room_peer *p, enum sig_event event, const void *data)
{
    if (p->session && p->session->sink) {
        p->session->sink->event(p->session, event, data);
        return;
    }
    struct blob *b = p->session ? event_bytes(event, data) : NULL;
    if (b)
        peer_notify_bytes(p, b);
    blob_unref(b);
}

void room_notify_bytes(struct room *room, struct blob *bytes)
{
    list_each (node, &room->peers) {
        peer_notify_bytes(container_of(node, struct room_peer, node), bytes);
    }
}

void room_notify_others(struct room *room, const struct room_peer *except, enum sig_event event,
                        const void *data)
{
    struct blob *bytes = NULL;
    list_each (node, &room->peers) {
        struct room_peer *p = container_of(node, struct room_peer, node);
        if (p == except || !p->session)
            continue;
        if (p->session->sink) {
            p->session->sink->event(p->session, event, data);
            continue;
        }
        if (!bytes)
            bytes = event_bytes(event, data);
        if (bytes)
            peer_notify_bytes(p, bytes);
    }
    blob_unref(bytes);
}

void room_notify(struct room *room, enum sig_event event, const void *data)
{
    room_notify_others(room, NULL, event, data);
}
