#include "controller/stream/streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <uv.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/stream/stream_state.h"
#include "controller/stream/stream_store.h"

enum { TICK_MS = 500 };

/* ---- looking ---- */

const char *stream_id(const struct stream *s)
{
    return s->id;
}

struct room *stream_room(const struct stream *s)
{
    return s->room;
}

const char *stream_room_id(const struct stream *s)
{
    return s->room_id;
}

const char *stream_title(const struct stream *s)
{
    return s->title;
}

const char *stream_user_id(const struct stream *s)
{
    return s->user_id[0] ? s->user_id : NULL;
}

bool stream_recording_enabled(const struct stream *s)
{
    return s->recording_enabled;
}

int64_t stream_started_ms(const struct stream *s)
{
    return s->started_ms;
}

unsigned stream_viewers(const struct stream *s)
{
    return s->viewers;
}

unsigned stream_viewers_peak(const struct stream *s)
{
    return s->viewers_peak;
}

bool stream_is_interrupted(const struct stream *s)
{
    return s->away_since_ms != 0;
}

struct stream *streams_of_room(struct streams *streams, const char *room_id)
{
    struct stream *s = NULL;
    HASH_FIND_STR(streams->by_room, room_id, s);
    return s;
}

struct stream *streams_find(struct streams *streams, const char *id)
{
    struct stream *s = streams_of_room(streams, id);
    if (!s)
        HASH_FIND_STR(streams->announced, id, s);
    if (s && (s->room || s->started))
        return s;
    for (s = streams->by_room; s; s = s->hh.next) {
        if (strcmp(s->id, id) == 0)
            return s;
    }
    return NULL;
}

struct find_producer {
    enum media_kind kind;
    struct room_producer *found;
};

static void match_producer(void *ctx, struct room_producer *p)
{
    struct find_producer *f = ctx;
    /* In the order in which they came: the last one is the newest. */
    if (producer_kind(p) == f->kind && peer_role(producer_peer(p)) == ROLE_BROADCASTER)
        f->found = p;
}

struct room_producer *stream_producer(const struct stream *s, enum media_kind kind)
{
    struct find_producer f = {.kind = kind};
    if (s->room)
        room_each_producer(s->room, match_producer, &f);
    return f.found;
}

static bool has_producer(const struct stream *s)
{
    return stream_producer(s, MEDIA_KIND_VIDEO) || stream_producer(s, MEDIA_KIND_AUDIO);
}

/* ---- telling ---- */

void streams_observe(struct streams *s, struct streams_observer *o)
{
    list_add(&s->observers, &o->node);
}

void streams_unobserve(struct streams_observer *o)
{
    list_remove(&o->node);
}

#define TELL(streams, member, stream)                                                              \
    list_each (node, &(streams)->observers) {                                                      \
        struct streams_observer *o = container_of(node, struct streams_observer, node);            \
        if (o->member)                                                                             \
            o->member(o->ctx, stream);                                                             \
    }

void stream_set_hls(struct stream *s, const char *url)
{
    bool fresh = url && strcmp(s->hls_url, url) != 0;
    snprintf(s->hls_url, sizeof s->hls_url, "%s", url ? url : "");
    if (!s->room)
        return;
    room_set_hls_url(s->room, url);
    if (fresh) {
        struct sig_hls_ready event = {.hls_url = s->hls_url};
        room_notify(s->room, SIG_EVENT_HLS_READY, &event);
    }
}

/* ---- the database's side ---- */

static void on_stored(void *ctx, enum err e)
{
    (void)ctx;
    if (e != OK)
        log_warn("stream.not_stored", "why=%s", err_name(e));
}

void stream_new_key(struct streams *streams, char out[STREAM_KEY_LEN])
{
    rng_token(streams->config.rng, out, STREAM_KEY_LEN);
}

static void store_begin(struct streams *streams, const struct stream *s)
{
    char key[STREAM_KEY_LEN];
    stream_new_key(streams, key);
    struct stream_row row = {.id = s->id,
                             .user_id = stream_user_id(s),
                             .room_id = s->room_id,
                             .title = s->title,
                             .stream_key = s->key[0] ? s->key : key,
                             .status = STREAM_LIVE,
                             .started_at = s->started_ms,
                             .created_at = s->created_ms};
    enum err e = stream_store_put_live(streams->config.db, &row, on_stored, NULL);
    if (e != OK)
        on_stored(NULL, e);
}

static void store_end(struct streams *streams, const struct stream *s, const char *recording_url)
{
    enum err e = OK;
    if (s->viewers_peak > 0)
        e = stream_store_viewer_peak(streams->config.db, s->id, s->viewers_peak, on_stored, NULL);
    if (e == OK)
        e = stream_store_end(streams->config.db, s->id, clock_wall() / USEC_PER_MSEC, recording_url,
                             on_stored, NULL);
    if (e != OK)
        on_stored(NULL, e);
}

/* ---- life of a stream ---- */

void stream_free(struct stream *s)
{
    stream_viewers_free(s);
    free(s->description);
    free(s);
}

void stream_mark_started(struct stream *s, int64_t now_ms)
{
    s->started = true;
    s->started_ms = now_ms;
}

/* Of a room that no stream was announced for. */
static struct stream *make(struct streams *streams, struct room *room,
                           const struct room_peer *broadcaster)
{
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->streams = streams;
    rng_uuid(streams->config.rng, s->id);
    snprintf(s->room_id, sizeof s->room_id, "%s", room_id(room));
    snprintf(s->title, sizeof s->title, "%s", peer_title(broadcaster));
    s->created_ms = clock_wall() / USEC_PER_MSEC;
    return s;
}

/* A broadcaster whose connection broke comes back with it, whatever became of the key. */
static void remember_token(struct stream *s)
{
    const char *token = room_broadcaster_token(s->room);
    if (token)
        snprintf(s->resume_token, sizeof s->resume_token, "%s", token);
}

static void begin(struct streams *streams, struct room *room, const struct room_peer *broadcaster)
{
    struct stream *s = NULL;
    HASH_FIND_STR(streams->announced, room_id(room), s);
    if (s)
        HASH_DEL(streams->announced, s);
    else
        s = make(streams, room, broadcaster);
    if (!s) {
        log_error("stream.no_memory", "room=%s", room_id(room));
        return;
    }
    s->room = room;
    s->away_since_ms = 0;
    remember_token(s);
    if (!s->started) {
        stream_mark_started(s, clock_wall() / USEC_PER_MSEC);
        store_begin(streams, s);
    }
    HASH_ADD_STR(streams->by_room, room_id, s);
    metric_add(streams->started, 1);
    log_info("stream.live", "stream=%s room=%s", s->id, s->room_id);
    stream_viewers_begin(s);
    TELL(streams, on_live, s)
}

void stream_end(struct stream *s, const char *reason, const char *recording_url)
{
    struct streams *streams = s->streams;
    struct stream *on_air = streams_of_room(streams, s->room_id);
    log_info("stream.ended", "stream=%s room=%s why=\"%s\"", s->id, s->room_id, reason);
    if (on_air == s)
        TELL(streams, on_ended, s)
    if (s->room) {
        struct sig_stream_ended event = {
            .room_id = s->room_id, .stream_id = s->id, .reason = reason};
        room_set_hls_url(s->room, NULL);
        room_notify(s->room, SIG_EVENT_STREAM_ENDED, &event);
    }
    store_end(streams, s, recording_url);
    if (on_air == s)
        HASH_DEL(streams->by_room, s);
    else
        HASH_DEL(streams->announced, s);
    stream_free(s);
}

static void end(struct stream *s, const char *reason)
{
    stream_end(s, reason, NULL);
}

/* ---- what rooms tell ---- */

static void on_producer_added(void *ctx, struct room *room, struct room_producer *p)
{
    struct streams *streams = ctx;
    if (peer_role(producer_peer(p)) != ROLE_BROADCASTER)
        return;
    struct stream *s = streams_of_room(streams, room_id(room));
    if (!s) {
        begin(streams, room, producer_peer(p));
        return;
    }
    if (s->away_since_ms != 0)
        log_info("stream.resumed", "stream=%s room=%s", s->id, s->room_id);
    s->away_since_ms = 0;
    remember_token(s);
    TELL(streams, on_changed, s)
}

static void on_producer_removed(void *ctx, struct room *room, struct room_producer *p)
{
    struct streams *streams = ctx;
    struct stream *s = streams_of_room(streams, room_id(room));
    if (!s || peer_role(producer_peer(p)) != ROLE_BROADCASTER)
        return;
    if (!has_producer(s) && s->away_since_ms == 0)
        s->away_since_ms = uv_now(streams->config.loop);
    TELL(streams, on_changed, s)
}

static void on_producer_paused(void *ctx, struct room *room, struct room_producer *p, bool paused)
{
    struct streams *streams = ctx;
    struct stream *s = streams_of_room(streams, room_id(room));
    (void)paused;
    if (s && peer_role(producer_peer(p)) == ROLE_BROADCASTER)
        TELL(streams, on_changed, s)
}

static void on_producer_picture(void *ctx, struct room *room, struct room_producer *p)
{
    on_producer_paused(ctx, room, p, producer_paused(p));
}

static void on_peer_joined(void *ctx, struct room *room, struct room_peer *peer)
{
    struct streams *streams = ctx;
    struct stream *s = streams_of_room(streams, room_id(room));
    if (s && peer_role(peer) == ROLE_VIEWER)
        stream_viewer_joined(s, peer);
}

static void on_peer_left(void *ctx, struct room *room, struct room_peer *peer)
{
    struct streams *streams = ctx;
    struct stream *s = streams_of_room(streams, room_id(room));
    if (!s)
        return;
    if (peer_role(peer) == ROLE_BROADCASTER && peer_left_by_itself(peer) && !has_producer(s)) {
        end(s, "the broadcaster ended it");
        return;
    }
    if (peer_role(peer) == ROLE_VIEWER)
        stream_viewer_left(s, peer);
}

static void on_router(void *ctx, struct room *room)
{
    struct streams *streams = ctx;
    struct stream *s = streams_of_room(streams, room_id(room));
    if (s)
        TELL(streams, on_changed, s)
}

static void on_router_lost(void *ctx, struct room *room)
{
    struct streams *streams = ctx;
    struct stream *s = streams_of_room(streams, room_id(room));
    if (s)
        TELL(streams, on_router_lost, s)
}

static void on_room_closed(void *ctx, struct room *room)
{
    struct streams *streams = ctx;
    struct stream *s = streams_of_room(streams, room_id(room));
    if (!s)
        return;
    s->room = NULL;
    end(s, "the room was closed");
}

/* ---- time ---- */

static void tell_viewers(struct stream *s)
{
    if (!s->viewers_changed || !s->room)
        return;
    s->viewers_changed = false;
    TELL(s->streams, on_viewers, s)
    struct sig_viewer_count event = {
        .count = s->viewers, .peak = s->viewers_peak, .has_peak = true};
    room_notify(s->room, SIG_EVENT_VIEWER_COUNT, &event);
}

static void on_tick(uv_timer_t *timer)
{
    struct streams *streams = timer->data;
    uint64_t now = uv_now(streams->config.loop);
    uint64_t patience = (uint64_t)(streams->config.reconnect / USEC_PER_MSEC);
    struct stream *s;
    struct stream *next;
    HASH_ITER(hh, streams->by_room, s, next)
    {
        tell_viewers(s);
        if (s->away_since_ms != 0 && now - s->away_since_ms >= patience)
            end(s, "the broadcaster did not come back");
    }
    streams_tick_announced(streams);
    metric_set(streams->live, HASH_COUNT(streams->by_room));
}

/* ---- by key ---- */

struct by_key {
    struct streams *streams;
    streams_key_fn *done;
    void *ctx;
};

static void on_key_row(void *ctx, enum err e, const struct stream_row *row)
{
    struct by_key b = *(struct by_key *)ctx;
    free(ctx);
    if (e == OK && (row->status == STREAM_ENDED || !row->user_id))
        e = ERR_NOT_FOUND;
    b.done(b.ctx, e, e == OK ? row->room_id : NULL);
    streams_release(b.streams);
}

enum err streams_find_by_key(struct streams *s, const char *key, streams_key_fn *done, void *ctx)
{
    struct by_key *b = s->closing ? NULL : malloc(sizeof *b);
    if (!b)
        return s->closing ? ERR_CLOSED : ERR_NOMEM;
    *b = (struct by_key){.streams = s, .done = done, .ctx = ctx};
    streams_hold(s);
    enum err e = stream_store_get_by_key(s->config.db, key, on_key_row, b);
    if (e == OK)
        return OK;
    free(b);
    streams_release(s);
    return e == ERR_FULL ? ERR_UNAVAILABLE : e;
}

/* ---- life ---- */

static void finish_close(struct streams *s)
{
    if (!s->closing || !s->tick_closed || s->pending > 0)
        return;
    void (*closed)(void *) = s->closed;
    void *ctx = s->closed_ctx;
    list_each (node, &s->observers) {
        list_remove(node); /* whoever observes may go after us */
    }
    free(s);
    if (closed)
        closed(ctx);
}

void streams_hold(struct streams *s)
{
    s->pending++;
}

void streams_release(struct streams *s)
{
    s->pending--;
    finish_close(s);
}

static void on_recovered(void *ctx, enum err e, const struct stream_row *rows, size_t n)
{
    (void)ctx;
    (void)rows;
    if (e != OK)
        log_warn("stream.recovery_failed", "why=%s", err_name(e));
    else if (n > 0)
        log_info("stream.recovered", "ended=%zu", n);
}

enum err streams_open(const struct streams_config *config, struct streams **out)
{
    struct streams *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->config = *config;
    list_init(&s->observers);
    s->live = metric_gauge(config->metrics, "weir_streams_live", "Streams on the air.", NULL, 0);
    s->started = metric_counter(config->metrics, "weir_streams_started_total",
                                "Streams that went live.", NULL, 0);
    s->viewers_dropped =
        metric_counter(config->metrics, "weir_viewer_rows_dropped_total",
                       "Comings and goings of viewers that the database did not get.", NULL, 0);
    enum err e = streams_add_routes(s);
    /* What is live in the table was so in an earlier life. */
    if (e == OK)
        e = stream_store_end_all_live(config->db, clock_wall() / USEC_PER_MSEC, on_recovered, NULL);
    if (e != OK) {
        free(s);
        return e;
    }
    uv_timer_init(config->loop, &s->tick);
    s->tick.data = s;
    uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
    s->rooms_observer = (struct rooms_observer){.on_router = on_router,
                                                .on_router_lost = on_router_lost,
                                                .on_closed = on_room_closed,
                                                .on_peer_joined = on_peer_joined,
                                                .on_peer_left = on_peer_left,
                                                .on_producer_added = on_producer_added,
                                                .on_producer_removed = on_producer_removed,
                                                .on_producer_paused = on_producer_paused,
                                                .on_producer_silent = on_producer_paused,
                                                .on_producer_picture = on_producer_picture,
                                                .ctx = s};
    rooms_observe(config->rooms, &s->rooms_observer);
    rooms_set_gate(config->rooms, &(struct rooms_gate){.ask = streams_gate, .self = s});
    *out = s;
    return OK;
}

static void on_tick_closed(uv_handle_t *h)
{
    struct streams *s = h->data;
    s->tick_closed = true;
    finish_close(s);
}

void streams_close(struct streams *s, void (*closed)(void *ctx), void *ctx)
{
    s->closing = true;
    s->closed = closed;
    s->closed_ctx = ctx;
    rooms_unobserve(&s->rooms_observer);
    rooms_set_gate(s->config.rooms, NULL);
    struct stream *stream;
    struct stream *next;
    HASH_ITER(hh, s->by_room, stream, next)
    {
        end(stream, "the service is closing");
    }
    HASH_ITER(hh, s->announced, stream, next)
    {
        if (stream->started) {
            end(stream, "the service is closing");
        } else {
            HASH_DEL(s->announced, stream);
            stream_free(stream);
        }
    }
    uv_close((uv_handle_t *)&s->tick, on_tick_closed);
}
