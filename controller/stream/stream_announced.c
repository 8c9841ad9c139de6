/* Streams that were created with the API: who may broadcast in their rooms, and what becomes of
 * them until media comes. The room of such a stream has the stream's id. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/secret.h"
#include "controller/stream/stream_state.h"

/* A stream that was started has to send something within this time. */
enum { START_PATIENCE_MS = 60 * 1000 };

/* ---- rows that are known ---- */

static void copy(char *out, size_t n, const char *text)
{
    snprintf(out, n, "%s", text ? text : "");
}

void stream_take_row(struct stream *s, const struct stream_row *row)
{
    copy(s->id, sizeof s->id, row->id);
    copy(s->room_id, sizeof s->room_id, row->room_id);
    copy(s->user_id, sizeof s->user_id, row->user_id);
    copy(s->key, sizeof s->key, row->stream_key);
    copy(s->title, sizeof s->title, row->title);
    free(s->description);
    s->description = row->description && row->description[0] ? strdup(row->description) : NULL;
    s->recording_enabled = row->recording_enabled;
    s->viewer_limit = (unsigned)row->viewer_limit;
    s->scheduled_ms = row->scheduled_at;
    s->created_ms = row->created_at;
}

struct stream *stream_announce(struct streams *streams, const struct stream_row *row)
{
    struct stream *s = NULL;
    HASH_FIND_STR(streams->announced, row->room_id, s);
    if (!s)
        s = streams_of_room(streams, row->room_id);
    if (s && strcmp(s->id, row->id) == 0)
        return s;
    s = s ? NULL : calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->streams = streams;
    stream_take_row(s, row);
    s->started = row->status == STREAM_LIVE;
    s->started_ms = row->started_at;
    s->away_since_ms = uv_now(streams->config.loop);
    HASH_ADD_STR(streams->announced, room_id, s);
    return s;
}

static bool has_broadcaster(struct streams *streams, const char *room_id)
{
    const struct room *room = rooms_find(streams->config.rooms, room_id);
    return room && room_count(room, ROLE_BROADCASTER) > 0;
}

void streams_tick_announced(struct streams *streams)
{
    uint64_t now = uv_now(streams->config.loop);
    struct stream *s;
    struct stream *next;
    HASH_ITER(hh, streams->announced, s, next)
    {
        if (has_broadcaster(streams, s->room_id))
            s->away_since_ms = now;
        if (now - s->away_since_ms < START_PATIENCE_MS)
            continue;
        if (s->started) {
            stream_end(s, "nothing was sent", NULL);
        } else {
            HASH_DEL(streams->announced, s);
            stream_free(s);
        }
    }
}

/* ---- who may broadcast ---- */

struct question {
    struct streams *streams;
    rooms_verdict_fn *done;
    void *ctx;
    char user_id[STREAM_ID_LEN];
    char key[65];
};

static bool owns(const char *user_id, const char *key, const char *given_user,
                 const char *given_key)
{
    bool by_user = given_user[0] && user_id && strcmp(user_id, given_user) == 0;
    return by_user || (given_key[0] && key && key[0] && secret_fits(key, given_key));
}

static void answer(struct question *q, enum err e, const char *reason)
{
    struct streams *streams = q->streams;
    q->done(q->ctx, e, reason);
    free(q);
    streams_release(streams);
}

static void on_taken_up(void *ctx, enum err e, const struct stream_row *row)
{
    struct question *q = ctx;
    if (e == OK && stream_announce(q->streams, row))
        answer(q, OK, NULL);
    else
        answer(q, e == ERR_NOT_FOUND || e == OK ? ERR_STATE : ERR_UNAVAILABLE,
               "roomId: that stream has ended");
}

static void on_row(void *ctx, enum err e, const struct stream_row *row)
{
    struct question *q = ctx;
    if (e == ERR_NOT_FOUND || (e == OK && !row->user_id)) {
        answer(q, OK, NULL); /* a room as any other */
    } else if (e != OK) {
        answer(q, ERR_UNAVAILABLE, NULL);
    } else if (!owns(row->user_id, row->stream_key, q->user_id, q->key)) {
        answer(q, ERR_DENIED, "streamKey: only the owner may broadcast this stream");
    } else if (row->status != STREAM_ENDED) {
        bool known = stream_announce(q->streams, row);
        answer(q, known ? OK : ERR_NOMEM, NULL);
    } else {
        /* One that a crash cut off goes on. */
        e = q->streams->closing
                ? ERR_CLOSED
                : stream_store_start_again(q->streams->config.db, row->id, on_taken_up, q);
        if (e != OK)
            answer(q, ERR_UNAVAILABLE, NULL);
    }
}

static bool is_uuid(const char *text)
{
    return strlen(text) == STREAM_ID_LEN - 1 && text[8] == '-' && text[13] == '-' &&
           text[18] == '-' && text[23] == '-';
}

static void ask_row(struct streams *streams, const struct rooms_join *join, rooms_verdict_fn *done,
                    void *ctx)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q) {
        done(ctx, ERR_NOMEM, NULL);
        return;
    }
    *q = (struct question){.streams = streams, .done = done, .ctx = ctx};
    copy(q->user_id, sizeof q->user_id, join->user ? join->user->id : NULL);
    copy(q->key, sizeof q->key, join->stream_key);
    streams_hold(streams);
    enum err e = stream_store_get(streams->config.db, join->room_id, on_row, q);
    if (e != OK)
        answer(q, e == ERR_MALFORMED ? OK : ERR_UNAVAILABLE, NULL);
}

static void ask_broadcaster(struct streams *streams, const struct rooms_join *join,
                            rooms_verdict_fn *done, void *ctx)
{
    struct stream *s = streams_of_room(streams, join->room_id);
    if (!s)
        HASH_FIND_STR(streams->announced, join->room_id, s);
    if (!is_uuid(join->room_id) || (s && s->user_id[0] == '\0') ||
        (s && s->resume_token[0] && secret_fits(s->resume_token, join->resume_token)))
        done(ctx, OK, NULL);
    else if (!s)
        ask_row(streams, join, done, ctx);
    else if (owns(s->user_id, s->key, join->user ? join->user->id : "",
                  join->stream_key ? join->stream_key : ""))
        done(ctx, OK, NULL);
    else
        done(ctx, ERR_DENIED, "streamKey: only the owner may broadcast this stream");
}

void streams_gate(void *self, const struct rooms_join *join, rooms_verdict_fn *done, void *ctx)
{
    struct streams *streams = self;
    const struct stream *s;
    switch (join->role) {
    case ROLE_PARTICIPANT:
        break;
    case ROLE_VIEWER:
        s = streams_of_room(streams, join->room_id);
        if (s && stream_is_full(s) && !join->resume_token) {
            done(ctx, ERR_FULL, "the stream has as many viewers as it allows");
            return;
        }
        break;
    case ROLE_BROADCASTER:
        ask_broadcaster(streams, join, done, ctx);
        return;
    }
    done(ctx, OK, NULL);
}
