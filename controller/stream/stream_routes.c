/* What is on the air, over HTTP. */
#include <stdlib.h>

#include "controller/stream/stream_shapes.h"
#include "controller/stream/stream_state.h"
#include "controller/stream/stream_store.h"

enum { LIST_DEFAULT = 50 };

static struct livestream describe(const struct stream *s)
{
    return (struct livestream){.id = s->id,
                               .room_id = s->room_id,
                               .title = s->title,
                               .description = "",
                               .status = stream_status_name(STREAM_LIVE),
                               .started_at = s->started_ms,
                               .has_started_at = true,
                               .viewer_count = s->viewers,
                               .viewer_count_peak = s->viewers_peak,
                               .hls_url = s->hls_url[0] ? s->hls_url : NULL};
}

static int newest_first(struct stream *a, struct stream *b)
{
    return (a->started_ms < b->started_ms) - (a->started_ms > b->started_ms);
}

static void on_active(struct api_call *call)
{
    struct streams *streams = api_ctx(call);
    int64_t limit = api_int(call, "limit");
    int64_t offset = api_int(call, "offset");
    struct livestreams answer = {
        .streams = arena_array(api_arena(call), (size_t)limit, sizeof *answer.streams)};
    if (!answer.streams) {
        api_fail(call, ERR_UNAVAILABLE, NULL, NULL);
        return;
    }
    HASH_SORT(streams->by_room, newest_first);
    int64_t i = 0;
    for (const struct stream *s = streams->by_room; s && i < offset + limit; s = s->hh.next, i++) {
        if (i >= offset)
            answer.streams[answer.n_streams++] = describe(s);
    }
    api_answer_struct(call, 200, &livestreams_shape, &answer);
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
    struct live_producer out = {.producer_id = producer_id(p),
                                .room_id = l->room_id,
                                .peer_id = peer_id(producer_peer(p)),
                                .kind = media_kind_names[producer_kind(p)],
                                .paused = producer_paused(p)};
    json_array_append_new(l->list, shape_encode(&live_producer_shape, &out));
}

/* What broadcasters produce now. Conversations are nobody else's business. */
static void on_producers(struct api_call *call)
{
    struct streams *streams = api_ctx(call);
    struct listing l = {.list = json_array()};
    for (const struct stream *s = streams->by_room; s; s = s->hh.next) {
        l.room_id = s->room_id;
        if (s->room)
            room_each_producer(s->room, list_producer, &l);
    }
    api_answer(call, 200, l.list);
}

static const struct api_route routes[] = {
    {.method = HTTP_GET,
     .path = "/api/livestream/active",
     .id = "listActiveStreams",
     .tag = "Streams",
     .summary = "What is on the air now.",
     .limit = API_LIMIT_GENERAL,
     .query = {{"limit", API_QUERY_INT, 1, STREAM_LIST_MAX, LIST_DEFAULT, "At most so many."},
               {"offset", API_QUERY_INT, 0, INT32_MAX, 0, "After so many."}},
     .answers = {{200, &livestreams_shape, "The streams."}},
     .handle = on_active,
     .open = true},
    {.method = HTTP_GET,
     .path = "/producers",
     .id = "listProducers",
     .tag = "Streams",
     .summary = "What broadcasters produce now, all of them.",
     .limit = API_LIMIT_GENERAL,
     .answers = {{200, NULL, "A list of live_producer.", "application/json"}},
     .handle = on_producers,
     .open = true},
};

enum err streams_add_routes(struct streams *s)
{
    return api_add(s->config.api, routes, sizeof routes / sizeof routes[0], s);
}
