#include "controller/stream/stream_asked.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

struct stream_asked *stream_ask(struct api_call *call)
{
    struct streams *streams = api_ctx(call);
    struct stream_asked *q = streams->closing ? NULL : calloc(1, sizeof *q);
    if (!q) {
        api_fail(call, ERR_UNAVAILABLE, NULL, NULL);
        return NULL;
    }
    q->streams = streams;
    q->call = call;
    q->now_ms = clock_wall() / USEC_PER_MSEC;
    streams_hold(streams);
    return q;
}

void stream_asked_end(struct stream_asked *q)
{
    struct streams *streams = q->streams;
    free(q);
    streams_release(streams);
}

void stream_asked_fail(struct stream_asked *q, enum err e, const char *field, const char *reason)
{
    /* A full queue of the database is ours, not the caller's doing; an id that is no text of ours
     * is of no stream. */
    if (e == ERR_FULL || e == ERR_CLOSED)
        e = ERR_UNAVAILABLE;
    if (e == ERR_MALFORMED)
        e = ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND && !reason) {
        field = "streamId";
        reason = "there is no such stream";
    }
    api_fail(q->call, e, field, reason);
    stream_asked_end(q);
}

void stream_asked_succeed(struct stream_asked *q)
{
    const struct success answer = {.success = true, .has_success = true};
    api_answer_struct(q->call, 200, &success_shape, &answer);
    stream_asked_end(q);
}

bool stream_asked_by_owner(const struct api_call *call, const char *user_id)
{
    const struct api_user *who = api_who(call);
    return who && user_id && strcmp(who->id, user_id) == 0;
}

static const char *or_null(const char *s)
{
    return s && s[0] ? s : NULL;
}

struct livestream livestream_of(const struct stream *s, bool key)
{
    return (struct livestream){.id = s->id,
                               .room_id = s->room_id,
                               .user_id = or_null(s->user_id),
                               .title = s->title,
                               .description = s->description ? s->description : "",
                               .status = stream_status_name(STREAM_LIVE),
                               .scheduled_at = s->scheduled_ms,
                               .has_scheduled_at = s->scheduled_ms > 0,
                               .started_at = s->started_ms,
                               .has_started_at = true,
                               .created_at = s->created_ms,
                               .has_created_at = s->created_ms > 0,
                               .viewer_count = s->viewers,
                               .viewer_count_peak = s->viewers_peak,
                               .recording_enabled = s->recording_enabled,
                               .hls_url = or_null(s->hls_url),
                               .viewer_limit = s->viewer_limit,
                               .stream_key = key ? or_null(s->key) : NULL};
}

struct livestream livestream_of_row(const struct stream_row *row, const struct stream *s, bool key)
{
    int64_t peak = row->viewer_count_peak;
    if (s && s->viewers_peak > peak)
        peak = s->viewers_peak;
    return (struct livestream){.id = row->id,
                               .room_id = row->room_id,
                               .user_id = row->user_id,
                               .title = row->title,
                               .description = row->description,
                               .status = stream_status_name(row->status),
                               .scheduled_at = row->scheduled_at,
                               .has_scheduled_at = row->scheduled_at > 0,
                               .started_at = row->started_at,
                               .has_started_at = row->started_at > 0,
                               .ended_at = row->ended_at,
                               .has_ended_at = row->ended_at > 0,
                               .created_at = row->created_at,
                               .has_created_at = true,
                               .viewer_count = s ? s->viewers : 0,
                               .viewer_count_peak = (uint64_t)peak,
                               .recording_enabled = row->recording_enabled,
                               .recording_url = row->recording_url,
                               .thumbnail_url = row->thumbnail_url,
                               .hls_url = s ? or_null(s->hls_url) : NULL,
                               .viewer_limit = (uint32_t)row->viewer_limit,
                               .stream_key = key ? row->stream_key : NULL};
}
