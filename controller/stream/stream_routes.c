#include "controller/stream/stream_state.h"

#include <stdlib.h>

enum { LIST_DEFAULT = 50, LIST_MAX = 200 };

static json_t *describe(const struct stream *s)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:o}", "id", s->id, "roomId", s->room_id,
                     "title", s->title, "status", "live", "startedAt", (json_int_t)s->started_ms,
                     "viewerCount", (json_int_t)s->viewers, "viewerCountPeak",
                     (json_int_t)s->viewers_peak, "hlsUrl",
                     s->hls_url[0] ? json_string(s->hls_url) : json_null());
}

static int newest_first(struct stream *a, struct stream *b)
{
    return (a->started_ms < b->started_ms) - (a->started_ms > b->started_ms);
}

/* GET /api/livestream/active?limit&offset -> {"streams": [...]} , newest first. */
static void on_active(struct http_request *req, void *user)
{
    struct streams *streams = user;
    struct field_error error;
    int64_t limit;
    int64_t offset;
    if (http_query_int(req, "limit", 1, LIST_MAX, LIST_DEFAULT, &limit, &error) != OK ||
        http_query_int(req, "offset", 0, INT32_MAX, 0, &offset, &error) != OK) {
        http_respond_field_error(req, &error);
        return;
    }
    json_t *list = json_array();
    HASH_SORT(streams->by_room, newest_first);
    int64_t i = 0;
    for (const struct stream *s = streams->by_room; s && i < offset + limit; s = s->hh.next, i++) {
        if (i >= offset)
            json_array_append_new(list, describe(s));
    }
    json_t *answer = json_pack("{s:o}", "streams", list);
    http_respond_json(req, 200, answer);
}

struct listing {
    json_t *list;
    const char *room_id;
};

static void list_producer(void *ctx, struct room_producer *p)
{
    struct listing *l = ctx;
    if (peer_role(producer_peer(p)) != ROLE_BROADCASTER)
        return;
    json_array_append_new(
        l->list, json_pack("{s:s,s:s,s:s,s:s,s:b}", "producerId", producer_id(p), "roomId",
                           l->room_id, "peerId", peer_id(producer_peer(p)), "kind",
                           media_kind_names[producer_kind(p)], "paused", producer_paused(p)));
}

/* GET /producers: what broadcasters produce now. Conversations are nobody else's business. */
static void on_producers(struct http_request *req, void *user)
{
    struct streams *streams = user;
    struct listing l = {.list = json_array()};
    for (const struct stream *s = streams->by_room; s; s = s->hh.next) {
        l.room_id = s->room_id;
        if (s->room)
            room_each_producer(s->room, list_producer, &l);
    }
    http_respond_json(req, 200, l.list);
}

enum err streams_add_routes(struct streams *s)
{
    struct http_route active = {.method = HTTP_GET,
                                .pattern = "/api/livestream/active",
                                .handler = on_active,
                                .user = s,
                                .cors = true};
    struct http_route producers = {.method = HTTP_GET,
                                   .pattern = "/producers",
                                   .handler = on_producers,
                                   .user = s,
                                   .cors = true};
    enum err e = http_route_add(s->config.http, &active);
    return e == OK ? http_route_add(s->config.http, &producers) : e;
}
