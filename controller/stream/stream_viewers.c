/* Who watches: counted here, and a row each with when they joined and left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/stream/stream_state.h"

static int64_t now_ms(void)
{
    return clock_wall() / USEC_PER_MSEC;
}

bool stream_is_full(const struct stream *s)
{
    return s->viewer_limit > 0 && s->viewers >= s->viewer_limit;
}

void stream_viewers_count(struct stream *s)
{
    unsigned n = HASH_CNT(hh_id, s->viewers_by_id);
    if (s->room)
        n += (unsigned)room_count(s->room, ROLE_VIEWER);
    s->viewers_changed = s->viewers_changed || n != s->viewers;
    s->viewers = n;
    if (n > s->viewers_peak)
        s->viewers_peak = n;
}

/* ---- rows; what the queue does not take while the database is away is lost, and counted ---- */

static void store_joined(struct stream *s, const struct viewer *v)
{
    struct streams *streams = s->streams;
    if (stream_store_viewer_joined(streams->config.db, v->id, s->id,
                                   v->user_id[0] ? v->user_id : NULL, now_ms(), NULL, NULL) != OK)
        metric_add(streams->viewers_dropped, 1);
}

static void store_left(struct stream *s, const struct viewer *v)
{
    struct streams *streams = s->streams;
    if (stream_store_viewer_left(streams->config.db, v->id, now_ms(), NULL, NULL) != OK)
        metric_add(streams->viewers_dropped, 1);
}

/* ---- peers ---- */

void stream_viewer_joined(struct stream *s, const struct room_peer *peer)
{
    struct viewer *v = calloc(1, sizeof *v);
    if (v) {
        v->peer = peer;
        rng_uuid(s->streams->config.rng, v->id);
        if (peer_user(peer))
            snprintf(v->user_id, sizeof v->user_id, "%s", peer_user(peer)->id);
        HASH_ADD(hh_peer, s->viewers_by_peer, peer, sizeof v->peer, v);
        store_joined(s, v);
    }
    stream_viewers_count(s);
}

void stream_viewer_left(struct stream *s, const struct room_peer *peer)
{
    struct viewer *v = NULL;
    const void *key = peer;
    HASH_FIND(hh_peer, s->viewers_by_peer, &key, sizeof key, v);
    if (v) {
        store_left(s, v);
        HASH_DELETE(hh_peer, s->viewers_by_peer, v);
        free(v);
    }
    stream_viewers_count(s);
}

static void begin_viewer(void *ctx, struct room_peer *p)
{
    if (peer_role(p) == ROLE_VIEWER)
        stream_viewer_joined(ctx, p);
}

void stream_viewers_begin(struct stream *s)
{
    room_each_peer(s->room, begin_viewer, s);
    stream_viewers_count(s);
}

void stream_viewers_free(struct stream *s)
{
    struct viewer *v;
    struct viewer *next;
    HASH_ITER(hh_peer, s->viewers_by_peer, v, next)
    {
        HASH_DELETE(hh_peer, s->viewers_by_peer, v);
        free(v);
    }
    HASH_ITER(hh_id, s->viewers_by_id, v, next)
    {
        HASH_DELETE(hh_id, s->viewers_by_id, v);
        free(v);
    }
}

/* ---- over HTTP ---- */

enum err stream_http_join(struct stream *s, const struct api_user *user, const char *viewer_id,
                          char out[STREAM_ID_LEN])
{
    struct viewer *v = stream_http_viewer(s, user, viewer_id);
    if (v) {
        memcpy(out, v->id, sizeof v->id);
        return OK;
    }
    if (stream_is_full(s) || HASH_CNT(hh_id, s->viewers_by_id) >= HTTP_VIEWERS_MAX)
        return ERR_BUSY;
    v = calloc(1, sizeof *v);
    if (!v)
        return ERR_NOMEM;
    rng_uuid(s->streams->config.rng, v->id);
    if (user)
        snprintf(v->user_id, sizeof v->user_id, "%s", user->id);
    HASH_ADD(hh_id, s->viewers_by_id, id, (unsigned)strlen(v->id), v);
    store_joined(s, v);
    stream_viewers_count(s);
    memcpy(out, v->id, sizeof v->id);
    return OK;
}

struct viewer *stream_http_viewer(struct stream *s, const struct api_user *user,
                                  const char *viewer_id)
{
    struct viewer *v = NULL;
    if (viewer_id)
        HASH_FIND(hh_id, s->viewers_by_id, viewer_id, (unsigned)strlen(viewer_id), v);
    if (v || !user)
        return v;
    struct viewer *next;
    HASH_ITER(hh_id, s->viewers_by_id, v, next)
    {
        if (strcmp(v->user_id, user->id) == 0)
            return v;
    }
    return NULL;
}

void stream_http_leave(struct stream *s, struct viewer *v)
{
    store_left(s, v);
    HASH_DELETE(hh_id, s->viewers_by_id, v);
    free(v);
    stream_viewers_count(s);
}
