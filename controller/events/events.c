/* What becomes an event, and where events go. */
#include "controller/events/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/events/events_state.h"

enum { PING_MS = 15 * 1000, WEBHOOK_GRACE_S = 2 };

/* ---- publishing ---- */

static void send_webhooks(struct events *e, const struct event *event, json_t *data)
{
    char id[EVENT_ID_MAX];
    event_ring_id(&e->ring, event->number, id);
    json_t *whole = json_pack("{s:s,s:s,s:I,s:O}", "id", id, "event", event->name, "createdAt",
                              (json_int_t)(clock_wall() / USEC_PER_MSEC), "data", data);
    char *body = whole ? json_dumps(whole, JSON_COMPACT) : NULL;
    for (size_t i = 0; i < e->n_webhooks && body; i++)
        webhook_send(e->webhooks[i], id, event->name, body);
    free(body);
    json_decref(whole);
}

/* Takes over data. hooks: also told to other services. */
static void publish(struct events *e, const char *name, const char *room_id, json_t *data,
                    bool hooks)
{
    char *text = data ? json_dumps(data, JSON_COMPACT) : NULL;
    const struct event *event = text ? event_ring_add(&e->ring, name, room_id, text) : NULL;
    if (event) {
        events_tell(e, event);
        if (hooks && e->n_webhooks > 0)
            send_webhooks(e, event, data);
    } else {
        log_error("events.no_memory", "event=%s", name);
    }
    free(text);
    json_decref(data);
}

static json_t *describe(const struct stream *s)
{
    const char *user = stream_user_id(s);
    return json_pack("{s:s,s:s,s:o,s:s,s:I}", "streamId", stream_id(s), "roomId", stream_room_id(s),
                     "userId", user ? json_string(user) : json_null(), "title", stream_title(s),
                     "startedAt", (json_int_t)stream_started_ms(s));
}

static void on_live(void *ctx, struct stream *s)
{
    publish(ctx, "stream.started", stream_room_id(s), describe(s), true);
}

static void on_ended(void *ctx, struct stream *s)
{
    json_t *data = describe(s);
    if (data)
        json_object_set_new(data, "viewerCountPeak", json_integer(stream_viewers_peak(s)));
    publish(ctx, "stream.ended", stream_room_id(s), data, true);
}

static void on_viewers(void *ctx, struct stream *s)
{
    publish(ctx, "stream.viewers", stream_room_id(s),
            json_pack("{s:s,s:s,s:I,s:I}", "streamId", stream_id(s), "roomId", stream_room_id(s),
                      "viewerCount", (json_int_t)stream_viewers(s), "viewerCountPeak",
                      (json_int_t)stream_viewers_peak(s)),
            false);
}

static void add_producer(json_t *list, const struct stream *s, enum media_kind kind)
{
    const struct room_producer *p = stream_producer(s, kind);
    if (p)
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:b}", "producerId", producer_id(p), "kind",
                                        media_kind_names[kind], "paused", producer_paused(p)));
}

static void on_changed(void *ctx, struct stream *s)
{
    json_t *list = json_array();
    add_producer(list, s, MEDIA_KIND_AUDIO);
    add_producer(list, s, MEDIA_KIND_VIDEO);
    publish(ctx, "stream.producers", stream_room_id(s),
            json_pack("{s:s,s:s,s:o}", "streamId", stream_id(s), "roomId", stream_room_id(s),
                      "producers", list),
            false);
}

void events_recording_ready(struct events *e, const char *recording_id, const char *room_id,
                            const char *stream)
{
    publish(e, "recording.ready", room_id,
            json_pack("{s:s,s:s,s:s?}", "recordingId", recording_id, "roomId", room_id, "streamId",
                      stream && stream[0] ? stream : NULL),
            true);
}

/* ---- time ---- */

static void on_tick(uv_timer_t *timer)
{
    struct events *e = timer->data;
    struct webhook_stats all = {0};
    for (size_t i = 0; i < e->n_webhooks; i++) {
        struct webhook_stats one;
        webhook_get_stats(e->webhooks[i], &one);
        all.delivered += one.delivered;
        all.failed += one.failed;
        all.dropped += one.dropped;
    }
    metric_set(e->delivered, (double)all.delivered);
    metric_set(e->failed, (double)all.failed);
    metric_set(e->dropped, (double)all.dropped);
    metric_set(e->listening, e->n_listeners);
    events_ping(e);
}

/* ---- life ---- */

static void finish_close(struct events *e)
{
    if (!e->closing || !e->tick_closed || e->n_webhooks > 0)
        return;
    void (*closed)(void *) = e->closed;
    void *ctx = e->closed_ctx;
    event_ring_fini(&e->ring);
    free(e);
    if (closed)
        closed(ctx);
}

static void on_webhook_closed(void *ctx)
{
    struct events *e = ctx;
    e->n_webhooks--;
    finish_close(e);
}

static void on_tick_closed(uv_handle_t *h)
{
    struct events *e = h->data;
    e->tick_closed = true;
    finish_close(e);
}

void events_close(struct events *e, void (*closed)(void *ctx), void *ctx)
{
    size_t n = e->n_webhooks;
    e->closing = true;
    e->closed = closed;
    e->closed_ctx = ctx;
    streams_unobserve(&e->observer);
    events_end_all(e);
    uv_close((uv_handle_t *)&e->tick, on_tick_closed);
    for (size_t i = 0; i < n; i++)
        webhook_close(e->webhooks[i], WEBHOOK_GRACE_S * USEC_PER_SEC, on_webhook_closed, e);
}

static void ignore(void *ctx)
{
    (void)ctx;
}

static enum err open_webhooks(struct events *e)
{
    struct webhook_config config = {.loop = e->config.loop,
                                    .secret = e->config.webhook_secret,
                                    .attempts = e->config.webhook_attempts,
                                    .pause = e->config.webhook_pause};
    size_t n = e->config.n_webhook_urls;
    enum err err = n > WEBHOOKS_MAX ? ERR_RANGE : OK;
    for (size_t i = 0; i < n && err == OK; i++) {
        config.url = e->config.webhook_urls[i];
        err = webhook_open(&config, &e->webhooks[i]);
        e->n_webhooks += err == OK;
    }
    for (size_t i = 0; i < e->n_webhooks && err != OK; i++)
        webhook_close(e->webhooks[i], 0, ignore, NULL);
    return err;
}

static void add_metrics(struct events *e)
{
    struct metrics *m = e->config.metrics;
    e->listening = metric_gauge(m, "weir_event_listeners", "Connections of /api/events.", NULL, 0);
    e->delivered =
        metric_counter(m, "weir_webhooks_delivered_total", "Webhooks that were taken.", NULL, 0);
    e->failed = metric_counter(m, "weir_webhook_attempts_failed_total",
                               "Attempts at webhooks that failed.", NULL, 0);
    e->dropped = metric_counter(m, "weir_webhooks_dropped_total", "Webhooks given up.", NULL, 0);
}

enum err events_open(const struct events_config *config, struct events **out)
{
    char epoch[EVENT_EPOCH_LEN];
    struct events *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    e->config = *config;
    rng_token(config->rng, epoch, sizeof epoch);
    event_ring_init(&e->ring, epoch);
    list_init(&e->listeners);
    add_metrics(e);
    enum err err = events_add_routes(e);
    if (err == OK)
        err = open_webhooks(e);
    if (err != OK) {
        free(e);
        return err;
    }
    uv_timer_init(config->loop, &e->tick);
    e->tick.data = e;
    uv_timer_start(&e->tick, on_tick, PING_MS, PING_MS);
    e->observer = (struct streams_observer){.on_live = on_live,
                                            .on_changed = on_changed,
                                            .on_ended = on_ended,
                                            .on_viewers = on_viewers,
                                            .ctx = e};
    streams_observe(config->streams, &e->observer);
    *out = e;
    return OK;
}
