/* What owners do with their streams over HTTP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/stream/stream_asked.h"

/* ---- create ---- */

static void on_created(void *ctx, enum err e)
{
    struct stream_asked *q = ctx;
    if (e != OK) {
        stream_asked_fail(q, e, NULL, e == ERR_NOT_FOUND ? "the account is gone" : NULL);
        return;
    }
    const struct created_stream answer = {.stream_id = q->id, .stream_key = q->key};
    api_answer_struct(q->call, 201, &created_stream_shape, &answer);
    stream_asked_end(q);
}

static void on_create(struct api_call *call)
{
    const struct create_stream_body *in = api_body(call);
    struct stream_asked *q = stream_ask(call);
    if (!q)
        return;
    rng_uuid(q->streams->config.rng, q->id);
    stream_new_key(q->streams, q->key);
    const struct stream_row row = {.id = q->id,
                                   .user_id = api_who(call)->id,
                                   .room_id = q->id,
                                   .title = in->title,
                                   .description = in->description,
                                   .stream_key = q->key,
                                   .recording_enabled = in->recording_enabled,
                                   .created_at = q->now_ms,
                                   .scheduled_at = in->scheduled_at,
                                   .viewer_limit = in->viewer_limit};
    enum err e = stream_store_create(q->streams->config.db, &row, on_created, q);
    if (e != OK)
        stream_asked_fail(q, e, NULL, NULL);
}

/* ---- with the row, for its owner ---- */

static void with_row(struct api_call *call, stream_row_fn *then)
{
    struct stream_asked *q = stream_ask(call);
    if (!q)
        return;
    enum err e = stream_store_get(q->streams->config.db, api_param(call, "streamId"), then, q);
    if (e != OK)
        stream_asked_fail(q, e, NULL, NULL);
}

/* False: answered. moderators: they may as well. */
static bool may(struct stream_asked *q, enum err e, const struct stream_row *row, bool moderators)
{
    if (e != OK) {
        stream_asked_fail(q, e, NULL, NULL);
        return false;
    }
    if (stream_asked_by_owner(q->call, row->user_id) ||
        (moderators && api_who(q->call)->role != API_ROLE_USER))
        return true;
    stream_asked_fail(q, ERR_DENIED, NULL, "only the stream's owner may do that");
    return false;
}

/* ---- start ---- */

static void on_started(void *ctx, enum err e, const struct stream_row *row)
{
    struct stream_asked *q = ctx;
    struct stream *s = e == OK ? stream_announce(q->streams, row) : NULL;
    if (e == ERR_NOT_FOUND) {
        stream_asked_fail(q, ERR_STATE, NULL, "the stream has ended");
    } else if (!s) {
        stream_asked_fail(q, e == OK ? ERR_UNAVAILABLE : e, NULL, NULL);
    } else {
        if (!s->started)
            stream_mark_started(s, row->started_at);
        stream_asked_succeed(q);
    }
}

static void start(void *ctx, enum err e, const struct stream_row *row)
{
    struct stream_asked *q = ctx;
    if (!may(q, e, row, false))
        return;
    if (row->status == STREAM_ENDED) {
        stream_asked_fail(q, ERR_STATE, NULL, "the stream has ended");
        return;
    }
    e = stream_store_start(q->streams->config.db, row->id, q->now_ms, on_started, q);
    if (e != OK)
        stream_asked_fail(q, e, NULL, NULL);
}

static void on_start(struct api_call *call)
{
    with_row(call, start);
}

/* ---- end ---- */

static void on_ended(void *ctx, enum err e)
{
    struct stream_asked *q = ctx;
    if (e == OK)
        stream_asked_succeed(q);
    else if (e == ERR_NOT_FOUND)
        stream_asked_fail(q, ERR_STATE, NULL, "the stream has ended");
    else
        stream_asked_fail(q, e, NULL, NULL);
}

static void dismiss_broadcaster(void *ctx, struct room_peer *p)
{
    (void)ctx;
    if (peer_role(p) == ROLE_BROADCASTER)
        peer_dismiss(p, "the stream was ended");
}

/* It is on the air, or waits for media: everybody is told. */
static void end_here(struct stream *s, const char *recording_url)
{
    struct room *room = s->room;
    stream_end(s, "its owner ended it", recording_url);
    if (room)
        room_each_peer(room, dismiss_broadcaster, NULL);
}

static void end(void *ctx, enum err e, const struct stream_row *row)
{
    struct stream_asked *q = ctx;
    const struct end_stream_body *in = api_body(q->call);
    if (!may(q, e, row, true))
        return;
    struct stream *s = streams_find(q->streams, row->id);
    if (s) {
        end_here(s, in->recording_url);
        stream_asked_succeed(q);
        return;
    }
    e = stream_store_end(q->streams->config.db, row->id, q->now_ms, in->recording_url, on_ended, q);
    if (e != OK)
        stream_asked_fail(q, e, NULL, NULL);
}

static bool is_address(const char *url)
{
    return strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0 ||
           (url[0] == '/' && url[1] != '/' && url[1] != '\\');
}

static void on_end(struct api_call *call)
{
    const struct end_stream_body *in = api_body(call);
    /* Pages make links of it: no javascript:. */
    if (in->recording_url && !is_address(in->recording_url))
        api_fail(call, ERR_RANGE, "recordingUrl",
                 "recordingUrl must begin with https://, http:// or /");
    else
        with_row(call, end);
}

/* ---- change ---- */

static void on_changed(void *ctx, enum err e, const struct stream_row *row)
{
    struct stream_asked *q = ctx;
    if (e != OK) {
        stream_asked_fail(q, e, NULL, NULL);
        return;
    }
    struct stream *s = streams_find(q->streams, row->id);
    if (s)
        stream_take_row(s, row);
    struct livestream described = livestream_of_row(row, s, true);
    struct livestream_answer answer = {.stream = &described};
    api_answer_struct(q->call, 200, &livestream_answer_shape, &answer);
    stream_asked_end(q);
}

static void change(void *ctx, enum err e, const struct stream_row *row)
{
    struct stream_asked *q = ctx;
    const struct change_stream_body *in = api_body(q->call);
    if (!may(q, e, row, false))
        return;
    const int64_t limit = in->viewer_limit;
    const struct stream_change c = {.title = in->title,
                                    .description = in->description,
                                    .recording_enabled =
                                        in->has_recording_enabled ? &in->recording_enabled : NULL,
                                    .scheduled_at = in->has_scheduled_at ? &in->scheduled_at : NULL,
                                    .viewer_limit = in->has_viewer_limit ? &limit : NULL};
    e = stream_store_change(q->streams->config.db, row->id, &c, on_changed, q);
    if (e != OK)
        stream_asked_fail(q, e, NULL, NULL);
}

static void on_change(struct api_call *call)
{
    with_row(call, change);
}

/* ---- another key ---- */

static void on_key_set(void *ctx, enum err e)
{
    struct stream_asked *q = ctx;
    if (e != OK) {
        stream_asked_fail(q, e, NULL, NULL);
        return;
    }
    struct stream *s = NULL;
    HASH_FIND_STR(q->streams->announced, q->id, s);
    if (!s)
        s = streams_of_room(q->streams, q->id);
    if (s)
        memcpy(s->key, q->key, sizeof s->key);
    const struct stream_key_answer answer = {.stream_key = q->key};
    api_answer_struct(q->call, 200, &stream_key_answer_shape, &answer);
    stream_asked_end(q);
}

static void set_key(void *ctx, enum err e, const struct stream_row *row)
{
    struct stream_asked *q = ctx;
    if (!may(q, e, row, false))
        return;
    snprintf(q->id, sizeof q->id, "%s", row->id);
    stream_new_key(q->streams, q->key);
    e = stream_store_set_key(q->streams->config.db, row->id, row->user_id, q->key, on_key_set, q);
    if (e != OK)
        stream_asked_fail(q, e, NULL, NULL);
}

static void on_set_key(struct api_call *call)
{
    with_row(call, set_key);
}

/* ---- table ---- */

const struct api_route stream_manage_routes[] = {
    {.method = HTTP_POST,
     .path = "/api/livestream/create",
     .id = "createStream",
     .tag = "Streams",
     .summary = "Makes a stream. Its id is the room to broadcast in, by its owner's log-in or its "
                "key.",
     .auth = API_USER,
     .limit = API_LIMIT_CREATE,
     .body = &create_stream_body_shape,
     .answers = {{201, &created_stream_shape, "It is there."}},
     .handle = on_create},
    {.method = HTTP_PATCH,
     .path = "/api/livestream/:streamId",
     .id = "changeStream",
     .tag = "Streams",
     .summary = "Changes what is said of an own stream; what is left out stays.",
     .auth = API_USER,
     .limit = API_LIMIT_GENERAL,
     .body = &change_stream_body_shape,
     .answers = {{200, &livestream_answer_shape, "As it is now."}, {404, NULL, "No such stream."}},
     .handle = on_change},
    {.method = HTTP_POST,
     .path = "/api/livestream/:streamId/start",
     .id = "startStream",
     .tag = "Streams",
     .summary = "Live from now on; without media within a minute it ends. Sending media starts it "
                "as well.",
     .auth = API_USER,
     .limit = API_LIMIT_GENERAL,
     .answers = {{200, &success_shape, "It is live."},
                 {404, NULL, "No such stream."},
                 {409, NULL, "It has ended."}},
     .handle = on_start},
    {.method = HTTP_POST,
     .path = "/api/livestream/:streamId/end",
     .id = "endStream",
     .tag = "Streams",
     .summary = "Ends it for good. Moderators may end others' streams.",
     .auth = API_USER,
     .limit = API_LIMIT_GENERAL,
     .body = &end_stream_body_shape,
     .body_optional = true,
     .answers = {{200, &success_shape, "It has ended."},
                 {404, NULL, "No such stream."},
                 {409, NULL, "It had ended."}},
     .handle = on_end},
    {.method = HTTP_POST,
     .path = "/api/livestream/:streamId/key",
     .id = "rotateStreamKey",
     .tag = "Streams",
     .summary = "Another key; who broadcasts now goes on.",
     .auth = API_USER,
     .limit = API_LIMIT_CREATE,
     .answers = {{200, &stream_key_answer_shape, "The new key."}, {404, NULL, "No such stream."}},
     .handle = on_set_key},
};
const size_t stream_manage_routes_count =
    sizeof stream_manage_routes / sizeof stream_manage_routes[0];
