#include "common/addr_range.h"
#include "common/log.h"
#include "common/secret.h"
#include "controller/room/room_state.h"

enum { BODY_MAX = 4096 };

const struct room_hls *room_hls(const struct room *room)
{
    return &room->hls;
}

void room_change_hls(struct room *room, const struct sig_room_hls *given)
{
    struct room_hls *h = &room->hls;
    const struct room_hls before = *h;
    h->stream = given->has_stream ? given->stream : h->stream;
    h->peers = given->has_peers ? given->peers : h->peers;
    h->composite = given->has_composite ? given->composite : h->composite;
    h->names = given->has_names ? given->names : h->names;
    h->low_bandwidth = given->has_low_bandwidth ? given->low_bandwidth : h->low_bandwidth;
    bool same = before.stream == h->stream && before.peers == h->peers &&
                before.composite == h->composite && before.names == h->names &&
                before.low_bandwidth == h->low_bandwidth;
    if (same)
        return;
    log_info("room.hls", "room=%s stream=%d peers=%d composite=%d names=%d low_bandwidth=%d",
             room->id, h->stream, h->peers, h->composite, h->names, h->low_bandwidth);
    observe_hls(room);
}

void room_describe_hls(const struct room *room, struct sig_room_hls *out)
{
    const struct room_hls *h = &room->hls;
    *out = (struct sig_room_hls){.stream = h->stream,
                                 .has_stream = true,
                                 .peers = h->peers,
                                 .has_peers = true,
                                 .composite = h->composite,
                                 .has_composite = true,
                                 .names = h->names,
                                 .has_names = true,
                                 .low_bandwidth = h->low_bandwidth,
                                 .has_low_bandwidth = true};
}

/* ---- over HTTP ---- */

/* Who works on this machine, or the broadcaster by its resume token. A proxy brings strangers from
 * a loopback address, so what was forwarded is not local. */
static bool may_change(const struct http_request *req, const struct room *room)
{
    const char *token = room ? room_broadcaster_token(room) : NULL;
    if (addr_is_loopback(http_peer(req)) && !http_is_forwarded(req))
        return true;
    return secret_fits(token, http_bearer(req));
}

static void answer(struct http_request *req, const struct room *room)
{
    struct sig_room_hls out;
    room_describe_hls(room, &out);
    http_respond_json(req, 200, shape_encode(&sig_room_hls_shape, &out));
}

static void on_get(struct http_request *req, void *user)
{
    const struct room *room = rooms_find(user, http_param(req, "roomId"));
    if (room)
        answer(req, room);
    else
        http_respond_error(req, 404, "NotFound", "roomId", "there is no such room");
}

/* The room, which is made if it is not there; NULL: answered. */
static struct room *room_for(struct http_request *req, struct rooms *r)
{
    const char *id = http_param(req, "roomId");
    struct room *room = rooms_find(r, id);
    enum err e = OK;
    if (!id_is_valid(id, ROOM_ID_MAX))
        http_respond_error(req, 400, "RangeError", "roomId",
                           "roomId may only have letters, digits, - and _");
    else if (!may_change(req, room))
        http_respond_error(req, 403, "Forbidden", NULL,
                           "for this machine, or with the broadcaster's resume token, only");
    else if (!room && (e = room_get(r, id, &room)) != OK)
        http_respond_error(req, 503, err_name(e), NULL, "no room can be made now");
    else
        return room;
    return NULL;
}

static void on_put(struct http_request *req, void *user)
{
    struct field_error error;
    struct sig_room_hls given;
    struct arena arena;
    json_t *body;
    if (http_body_json(req, &body, &error) != OK) {
        http_respond_field_error(req, &error);
        return;
    }
    arena_init(&arena, BODY_MAX);
    struct room *room = NULL;
    if (shape_decode(&sig_room_hls_shape, body, &given, &arena, &error) != OK)
        http_respond_field_error(req, &error);
    else
        room = room_for(req, user);
    if (room) {
        room_change_hls(room, &given);
        answer(req, room);
    }
    arena_fini(&arena);
    json_decref(body);
}

enum err rooms_add_hls_routes(struct rooms *r)
{
    struct http_route get = {
        .method = HTTP_GET, .pattern = "/api/rooms/:roomId/hls", .handler = on_get, .user = r};
    struct http_route put = {.method = HTTP_PUT,
                             .pattern = "/api/rooms/:roomId/hls",
                             .handler = on_put,
                             .user = r,
                             .max_body = BODY_MAX};
    enum err e = http_route_add(r->config.http, &get);
    return e == OK ? http_route_add(r->config.http, &put) : e;
}
