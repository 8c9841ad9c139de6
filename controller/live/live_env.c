#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/live/live_state.h"
#include "controller/live/udp_bound.h"

static uint64_t env_now_ms(void *ctx)
{
    const struct live_stream *ls = ctx;
    return uv_now(ls->live->config.loop);
}

static usec env_wall(void *ctx)
{
    (void)ctx;
    return clock_wall();
}

static void on_timer(uv_timer_t *t)
{
    struct live_stream *ls = t->data;
    pipeline_on_timer(ls->pipeline);
}

static void env_arm(void *ctx, uint64_t delay_ms)
{
    struct live_stream *ls = ctx;
    if (delay_ms == PIPELINE_NO_TIMER)
        uv_timer_stop(&ls->timer);
    else
        uv_timer_start(&ls->timer, on_timer, delay_ms, 0);
}

static enum err env_request(void *ctx, struct fleet_worker *w, enum pipe_method m,
                            const char *handler_id, const void *data, fleet_reply_fn *reply,
                            void *reply_ctx)
{
    (void)ctx;
    return fleet_request(w, m, handler_id, data, reply, reply_ctx);
}

static void env_load(void *ctx, struct fleet_worker *w, int delta)
{
    (void)ctx;
    fleet_worker_add_load(w, delta);
}

static void env_forget(void *ctx, struct fleet_worker *w, const void *reply_ctx)
{
    (void)ctx;
    fleet_forget(w, reply_ctx);
}

static void env_listen(void *ctx, struct fleet_listener *l, struct fleet_worker *w,
                       const char *handler_id, fleet_event_fn *on_event, void *event_ctx)
{
    (void)ctx;
    fleet_listen(l, w, handler_id, on_event, event_ctx);
}

static void env_unlisten(void *ctx, struct fleet_listener *l)
{
    (void)ctx;
    fleet_unlisten(l);
}

static enum err env_launch(void *ctx, const struct ffmpeg_config *config, struct ffmpeg **out,
                           char *why)
{
    const struct live_stream *ls = ctx;
    return ffmpeg_start(ls->live->config.loop, config, out, why);
}

static void env_stop(void *ctx, struct ffmpeg *f, unsigned grace_ms)
{
    (void)ctx;
    ffmpeg_stop(f, grace_ms);
}

static bool env_held(void *ctx, const struct ffmpeg *f)
{
    (void)ctx;
    return ffmpeg_held(f);
}

static enum err env_relay(void *ctx, const struct rtp_relay_config *config, struct rtp_relay **out)
{
    const struct live_stream *ls = ctx;
    struct rtp_relay_config c = *config;
    c.loop = ls->live->config.loop;
    return rtp_relay_open(&c, out);
}

static bool env_backlog(void *ctx, const uint16_t *ports, size_t n)
{
    (void)ctx;
    return udp_backlog(ports, n) > 0;
}

void live_track_of(struct room_producer *p, struct live_track *out)
{
    *out = (struct live_track){.producer_id = producer_id(p),
                               .paused = producer_paused(p) || producer_silent(p),
                               .consumable = producer_consumable(p)};
    if (producer_kind(p) != MEDIA_KIND_VIDEO)
        return;
    const struct producer_picture *picture = producer_picture(p);
    bool turned = picture->rotation % 180 != 0;
    out->has_clock = producer_clock(p, &out->clock_ntp, &out->clock_rtp);
    out->width = turned ? picture->height : picture->width;
    out->height = turned ? picture->width : picture->height;
    out->rotation = picture->rotation;
}

static void env_describe(void *ctx, struct live_source *out)
{
    const struct live_stream *ls = ctx;
    struct room *room = ls->mode != LIVE_STREAM ? rooms_find(ls->live->config.rooms, ls->room_id)
                        : ls->stream            ? stream_room(ls->stream)
                                                : NULL;
    if (!room)
        return;
    out->worker = room_worker(room);
    out->router_id = room_router_id(room);
    if (ls->mode != LIVE_STREAM) {
        live_rooms_describe(ls, room, out);
        return;
    }
    out->n_cells = 1;
    for (int k = 0; k < LIVE_KINDS; k++) {
        struct room_producer *p = stream_producer(ls->stream, (enum media_kind)k);
        if (p)
            live_track_of(p, &out->cells[0].tracks[k]);
    }
}

static enum err env_publish(void *ctx, struct presentation *p)
{
    struct live_stream *ls = ctx;
    enum err e = ls->store ? segment_store_add(ls->store, p) : OK;
    if (e != OK)
        return e;
    e = origin_add(ls->live->origin, ls->room_id, ls->name, p);
    if (e != OK && ls->store)
        segment_store_remove(ls->store, p);
    if (e != OK)
        return e;
    ls->presentation = p;
    list_each (node, &ls->live->observers) {
        struct live_observer *o = container_of(node, struct live_observer, node);
        if (ls->stream)
            o->on_presentation(o->ctx, ls->stream, p);
    }
    return OK;
}

static void env_withdraw(void *ctx, struct presentation *p)
{
    struct live_stream *ls = ctx;
    list_each (node, &ls->live->observers) {
        struct live_observer *o = container_of(node, struct live_observer, node);
        o->on_withdrawn(o->ctx, p);
    }
    ls->presentation = NULL;
    origin_remove(ls->live->origin, p);
    if (ls->store)
        segment_store_remove(ls->store, p);
}

static void env_on_playable(void *ctx)
{
    const struct live_stream *ls = ctx;
    char url[ROOM_ID_MAX + PEER_ID_MAX + 32];
    snprintf(url, sizeof url, "/live/%s/%s.m3u8", ls->room_id, ls->name);
    log_info("hls.playable", "room=%s url=%s", ls->room_id, url);
    if (ls->stream)
        stream_set_hls(ls->stream, url);
}

static void env_on_state(void *ctx, enum pipeline_state from, enum pipeline_state to)
{
    const struct live_stream *ls = ctx;
    metric_add(ls->live->by_state[from], -1);
    metric_add(ls->live->by_state[to], 1);
}

static void env_on_restart(void *ctx, enum pipeline_reason reason)
{
    const struct live_stream *ls = ctx;
    metric_add(ls->live->restarts[reason], 1);
}

static void env_on_ended(void *ctx)
{
    live_on_pipeline_ended(ctx);
}

struct pipeline_env live_env(struct live_stream *ls)
{
    return (struct pipeline_env){.ctx = ls,
                                 .now_ms = env_now_ms,
                                 .wall = env_wall,
                                 .arm = env_arm,
                                 .request = env_request,
                                 .load = env_load,
                                 .forget = env_forget,
                                 .listen = env_listen,
                                 .unlisten = env_unlisten,
                                 .launch = env_launch,
                                 .stop = env_stop,
                                 .held = env_held,
                                 .relay = env_relay,
                                 .relay_port = rtp_relay_port,
                                 .relay_start = rtp_relay_start,
                                 .relay_close = rtp_relay_close,
                                 .backlog = env_backlog,
                                 .describe = env_describe,
                                 .publish = env_publish,
                                 .withdraw = env_withdraw,
                                 .on_playable = env_on_playable,
                                 .on_state = env_on_state,
                                 .on_restart = env_on_restart,
                                 .on_ended = env_on_ended};
}

void live_open_metrics(struct live *l)
{
    for (int s = 0; s < PIPELINE_STATE_COUNT; s++) {
        struct metric_label label = {"state", pipeline_state_name((enum pipeline_state)s)};
        l->by_state[s] = metric_gauge(l->config.metrics, "weir_hls_pipelines",
                                      "HLS pipelines by what they are at.", &label, 1);
    }
    for (int r = 0; r < PIPELINE_REASON_COUNT; r++) {
        struct metric_label label = {"reason", pipeline_reason_name((enum pipeline_reason)r)};
        l->restarts[r] =
            metric_counter(l->config.metrics, "weir_hls_restarts_total",
                           "Runs of HLS pipelines that ended before their stream.", &label, 1);
    }
}
