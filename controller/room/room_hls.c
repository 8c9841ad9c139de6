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

static void answer(struct api_call *call, const struct room *room)
{
    struct sig_room_hls out;
    room_describe_hls(room, &out);
    api_answer_struct(call, 200, &sig_room_hls_shape, &out);
}

static void on_get(struct api_call *call)
{
    const struct room *room = rooms_find(api_ctx(call), api_param(call, "roomId"));
    if (room)
        answer(call, room);
    else
        api_fail(call, ERR_NOT_FOUND, "roomId", "there is no such room");
}

/* The room is made if it is not there. */
static void on_put(struct api_call *call)
{
    struct rooms *r = api_ctx(call);
    const char *id = api_param(call, "roomId");
    struct room *room = rooms_find(r, id);
    if (!id_is_valid(id, ROOM_ID_MAX)) {
        api_fail(call, ERR_RANGE, "roomId", "roomId may only have letters, digits, - and _");
    } else if (!may_change(api_request(call), room)) {
        api_fail(call, ERR_DENIED, NULL,
                 "for this machine, or with the broadcaster's resume token, only");
    } else if (!room && room_get(r, id, &room) != OK) {
        api_fail(call, ERR_UNAVAILABLE, NULL, "no room can be made now");
    } else {
        room_change_hls(room, api_body(call));
        answer(call, room);
    }
}

static const struct api_route routes[] = {
    {.method = HTTP_GET,
     .path = "/api/rooms/:roomId/hls",
     .id = "getRoomHls",
     .tag = "Rooms",
     .summary = "Which HLS a room has.",
     .limit = API_LIMIT_GENERAL,
     .answers = {{200, &sig_room_hls_shape, "As it is."}, {404, NULL, "There is no such room."}},
     .handle = on_get},
    {.method = HTTP_PUT,
     .path = "/api/rooms/:roomId/hls",
     .id = "setRoomHls",
     .tag = "Rooms",
     .summary = "Chooses a room's HLS; makes the room if it is not there. For programs on the same "
                "machine, or with the broadcaster's resume token.",
     .auth = API_SECRET,
     .limit = API_LIMIT_GENERAL,
     .body = &sig_room_hls_shape,
     .answers = {{200, &sig_room_hls_shape, "As it is now."}},
     .handle = on_put,
     .max_body = BODY_MAX},
};

enum err rooms_add_hls_routes(struct rooms *r)
{
    return r->config.api ? api_add(r->config.api, routes, sizeof routes / sizeof routes[0], r) : OK;
}
