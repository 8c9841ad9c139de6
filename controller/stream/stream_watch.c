/* What streams there are and were, and who watches them, over HTTP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "controller/stream/stream_asked.h"

enum { LIST_DEFAULT = 50 };

#define VIEWER_COOKIE "weir_viewer"

/* ---- lists ---- */

static int newest_first(const void *a, const void *b)
{
    const struct stream *x = *(const struct stream *const *)a;
    const struct stream *y = *(const struct stream *const *)b;
    return (x->started_ms < y->started_ms) - (x->started_ms > y->started_ms);
}

/* From memory, so also without the database. */
static void on_active(struct api_call *call)
{
    struct streams *streams = api_ctx(call);
    size_t limit = (size_t)api_int(call, "limit");
    size_t offset = (size_t)api_int(call, "offset");
    size_t most = HASH_COUNT(streams->by_room) + HASH_COUNT(streams->announced);
    const struct stream **all = arena_array(api_arena(call), most + 1, sizeof *all);
    struct livestreams answer = {.streams =
                                     arena_array(api_arena(call), limit, sizeof *answer.streams)};
    if (!all || !answer.streams) {
        api_fail(call, ERR_UNAVAILABLE, NULL, NULL);
        return;
    }
    size_t n = 0;
    for (const struct stream *s = streams->by_room; s; s = s->hh.next)
        all[n++] = s;
    for (const struct stream *s = streams->announced; s; s = s->hh.next) {
        if (s->started)
            all[n++] = s;
    }
    qsort(all, n, sizeof *all, newest_first);
    for (size_t i = offset; i < n && answer.n_streams < limit; i++)
        answer.streams[answer.n_streams++] = livestream_of(all[i], false);
    api_answer_struct(call, 200, &livestreams_shape, &answer);
}

static void tell_rows(void *ctx, enum err e, const struct stream_row *rows, size_t n)
{
    struct stream_asked *q = ctx;
    struct livestreams answer = {0};
    if (e == OK) {
        answer.streams = arena_array(api_arena(q->call), n, sizeof *answer.streams);
        e = answer.streams ? OK : ERR_NOMEM;
    }
    if (e != OK) {
        stream_asked_fail(q, e, NULL, NULL);
        return;
    }
    for (size_t i = 0; i < n; i++)
        answer.streams[answer.n_streams++] =
            livestream_of_row(&rows[i], streams_find(q->streams, rows[i].id),
                              stream_asked_by_owner(q->call, rows[i].user_id));
    api_answer_struct(q->call, 200, &livestreams_shape, &answer);
    stream_asked_end(q);
}

static void on_scheduled(struct api_call *call)
{
    struct stream_asked *q = stream_ask(call);
    if (!q)
        return;
    enum err e =
        stream_store_list_scheduled(q->streams->config.db, q->now_ms, api_int(call, "limit"),
                                    api_int(call, "offset"), tell_rows, q);
    if (e != OK)
        stream_asked_fail(q, e, NULL, NULL);
}

static void on_user(struct api_call *call)
{
    const char *user_id = api_param(call, "userId");
    struct stream_asked *q = stream_ask(call);
    if (!q)
        return;
    enum err e =
        stream_store_list_user(q->streams->config.db, user_id, stream_asked_by_owner(call, user_id),
                               api_int(call, "limit"), api_int(call, "offset"), tell_rows, q);
    if (e != OK)
        stream_asked_fail(q, e, "userId", e == ERR_MALFORMED ? "there is no such user" : NULL);
}

/* ---- one ---- */

static void answer_one(struct stream_asked *q, struct livestream *described)
{
    struct livestream_answer answer = {.stream = described};
    api_answer_struct(q->call, 200, &livestream_answer_shape, &answer);
    stream_asked_end(q);
}

/* Without the database, what is live is told from memory. */
static void get_from_memory(struct stream_asked *q, enum err e)
{
    const struct stream *s = streams_find(q->streams, api_param(q->call, "streamId"));
    if (s) {
        struct livestream described =
            livestream_of(s, stream_asked_by_owner(q->call, stream_user_id(s)));
        answer_one(q, &described);
    } else {
        stream_asked_fail(q, e, NULL, NULL);
    }
}

static void tell_row(void *ctx, enum err e, const struct stream_row *row)
{
    struct stream_asked *q = ctx;
    if (e != OK) {
        get_from_memory(q, e);
        return;
    }
    struct livestream described = livestream_of_row(row, streams_find(q->streams, row->id),
                                                    stream_asked_by_owner(q->call, row->user_id));
    answer_one(q, &described);
}

static void on_get(struct api_call *call)
{
    struct stream_asked *q = stream_ask(call);
    if (!q)
        return;
    enum err e = stream_store_get(q->streams->config.db, api_param(call, "streamId"), tell_row, q);
    if (e != OK)
        get_from_memory(q, e);
}

/* ---- watching ---- */

static void not_live(void *ctx, enum err e, const struct stream_row *row)
{
    struct stream_asked *q = ctx;
    (void)row;
    if (e == OK)
        stream_asked_fail(q, ERR_STATE, "streamId", "the stream is not live");
    else
        stream_asked_fail(q, e, NULL, NULL);
}

static void answer_not_live(struct api_call *call)
{
    struct stream_asked *q = stream_ask(call);
    if (!q)
        return;
    enum err e = stream_store_get(q->streams->config.db, api_param(call, "streamId"), not_live, q);
    if (e != OK)
        stream_asked_fail(q, e, NULL, NULL);
}

static void set_viewer_cookie(struct api_call *call, const char *id)
{
    char cookie[160];
    snprintf(cookie, sizeof cookie,
             VIEWER_COOKIE "=%s; Path=/api/livestream; HttpOnly; SameSite=Lax%s", id,
             http_is_tls(api_request(call)) ? "; Secure" : "");
    (void)http_set_header(api_request(call), "Set-Cookie", cookie);
}

static void on_join(struct api_call *call)
{
    struct streams *streams = api_ctx(call);
    struct stream *s = streams_find(streams, api_param(call, "streamId"));
    char id[STREAM_ID_LEN];
    if (!s) {
        answer_not_live(call);
        return;
    }
    enum err e =
        stream_http_join(s, api_who(call), http_cookie(api_request(call), VIEWER_COOKIE), id);
    if (e != OK) {
        api_fail(call, e, NULL,
                 e == ERR_BUSY ? "the stream has as many viewers as it allows" : NULL);
        return;
    }
    struct joined_stream answer = {.success = true,
                                   .has_success = true,
                                   .ice_servers = rooms_ice_servers(streams->config.rooms, id),
                                   .viewer_id = id};
    set_viewer_cookie(call, id);
    json_t *body = answer.ice_servers ? shape_encode(&joined_stream_shape, &answer) : NULL;
    json_decref(answer.ice_servers);
    api_answer(call, 200, body);
}

/* Whoever is not there has left already. */
static void on_leave(struct api_call *call)
{
    const struct leave_stream_body *in = api_body(call);
    const struct success answer = {.success = true, .has_success = true};
    struct stream *s = streams_find(api_ctx(call), api_param(call, "streamId"));
    if (!s) {
        answer_not_live(call);
        return;
    }
    const char *id = in->viewer_id ? in->viewer_id : http_cookie(api_request(call), VIEWER_COOKIE);
    struct viewer *v = stream_http_viewer(s, api_who(call), id);
    if (v)
        stream_http_leave(s, v);
    api_answer_struct(call, 200, &success_shape, &answer);
}

/* ---- producers ---- */

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

/* ---- table ---- */

#define PAGES                                                                                      \
    {                                                                                              \
        {"limit", API_QUERY_INT, 1, STREAM_LIST_MAX, LIST_DEFAULT, "At most so many."},            \
        {                                                                                          \
            "offset", API_QUERY_INT, 0, INT32_MAX, 0, "After so many."                             \
        }                                                                                          \
    }

const struct api_route stream_watch_routes[] = {
    {.method = HTTP_GET,
     .path = "/api/livestream/active",
     .id = "listActiveStreams",
     .tag = "Streams",
     .summary = "What is on the air now, the newest first.",
     .limit = API_LIMIT_GENERAL,
     .query = PAGES,
     .answers = {{200, &livestreams_shape, "The streams."}},
     .handle = on_active,
     .open = true},
    {.method = HTTP_GET,
     .path = "/api/livestream/scheduled",
     .id = "listScheduledStreams",
     .tag = "Streams",
     .summary = "What is to come, the next first.",
     .limit = API_LIMIT_GENERAL,
     .query = PAGES,
     .answers = {{200, &livestreams_shape, "The streams."}},
     .handle = on_scheduled,
     .open = true},
    {.method = HTTP_GET,
     .path = "/api/livestream/user/:userId",
     .id = "listUserStreams",
     .tag = "Streams",
     .summary = "All of a user, the newest first; to the user with their keys, and with those that "
                "are scheduled for no time.",
     .auth = API_OPTIONAL,
     .limit = API_LIMIT_GENERAL,
     .query = PAGES,
     .answers = {{200, &livestreams_shape, "The streams."}, {404, NULL, "That is no id."}},
     .handle = on_user,
     .open = true},
    {.method = HTTP_GET,
     .path = "/api/livestream/:streamId",
     .id = "getStream",
     .tag = "Streams",
     .summary = "One stream; to its owner with its key. What is live is also found by its room.",
     .auth = API_OPTIONAL,
     .limit = API_LIMIT_GENERAL,
     .answers = {{200, &livestream_answer_shape, "The stream."}, {404, NULL, "No such stream."}},
     .handle = on_get,
     .open = true},
    {.method = HTTP_POST,
     .path = "/api/livestream/:streamId/join",
     .id = "joinStream",
     .tag = "Streams",
     .summary = "Counts as a viewer until it leaves or the stream ends. Those who join the room "
                "over the WebSocket count anyway.",
     .auth = API_OPTIONAL,
     .limit = API_LIMIT_GENERAL,
     .answers = {{200, &joined_stream_shape, "It watches."},
                 {404, NULL, "No such stream."},
                 {409, NULL, "It is not live, or has as many viewers as it allows."}},
     .handle = on_join},
    {.method = HTTP_POST,
     .path = "/api/livestream/:streamId/leave",
     .id = "leaveStream",
     .tag = "Streams",
     .summary = "Watches no more.",
     .auth = API_OPTIONAL,
     .limit = API_LIMIT_GENERAL,
     .body = &leave_stream_body_shape,
     .body_optional = true,
     .answers = {{200, &success_shape, "It has left."},
                 {404, NULL, "No such stream."},
                 {409, NULL, "It is not live."}},
     .handle = on_leave},
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
const size_t stream_watch_routes_count = sizeof stream_watch_routes / sizeof stream_watch_routes[0];

enum err streams_add_routes(struct streams *s)
{
    enum err e = api_add(s->config.api, stream_watch_routes, stream_watch_routes_count, s);
    return e == OK ? api_add(s->config.api, stream_manage_routes, stream_manage_routes_count, s)
                   : e;
}
