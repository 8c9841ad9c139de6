#include "controller/live/live.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "controller/live/hls_folder.h"
#include "controller/live/live_state.h"
#include "controller/net/files.h"

enum {
    CANVAS_HEIGHT = 720, /* of transcoded video */
    /* What a player at the live edge still asks for, and what a clip is made of, is in memory. */
    MEMORY_SEGMENTS = 12,
    MEMORY_MIN_S = 35
};

static struct live_stream *find(struct live *l, const char *room_id)
{
    struct live_stream *ls = NULL;
    HASH_FIND_STR(l->by_room, room_id, ls);
    return ls;
}

/* ---- a stream's end ---- */

static void finish_close(struct live *l)
{
    void (*closed)(void *) = l->closed;
    void *ctx = l->closed_ctx;
    origin_close(l->origin);
    ports_close(l->ports);
    free(l);
    if (closed)
        closed(ctx);
}

static void part_closed(struct live *l)
{
    if (--l->open_parts == 0 && l->closing)
        finish_close(l);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct live_stream *ls = h->data;
    struct live *l = ls->live;
    free(ls);
    part_closed(l);
}

static void on_store_closed(void *ctx)
{
    part_closed(ctx);
}

/* Forgets it with its files; its pipeline has ended, or never was. */
static void drop(struct live_stream *ls)
{
    HASH_DEL(ls->live->by_room, ls);
    if (ls->pipeline) {
        metric_add(ls->live->by_state[pipeline_state(ls->pipeline)], -1);
        pipeline_close(ls->pipeline, true);
    }
    if (ls->store)
        segment_store_close(ls->store, true, on_store_closed, ls->live);
    uv_close((uv_handle_t *)&ls->timer, on_timer_closed);
}

static void on_linger_over(uv_timer_t *t)
{
    drop(t->data);
}

/* ---- a stream's beginning ---- */

static struct live_stream *live_stream_new(struct live *l, struct stream *s)
{
    struct live_stream *ls = calloc(1, sizeof *ls);
    if (!ls)
        return NULL;
    ls->live = l;
    ls->stream = s;
    snprintf(ls->room_id, sizeof ls->room_id, "%s", stream_room_id(s));
    uv_timer_init(l->config.loop, &ls->timer);
    ls->timer.data = ls;
    l->open_parts++;
    HASH_ADD_STR(l->by_room, room_id, ls);
    return ls;
}

/* Without one segments leave with the memory: better than no HLS. */
static void open_store(struct live_stream *ls)
{
    char path[SEGMENT_STORE_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", ls->live->config.dir, ls->room_id);
    enum err e = n > 0 && (size_t)n < sizeof path ? OK : ERR_TOO_LARGE;
    if (e == OK)
        e = segment_store_open(ls->live->config.loop, path, &ls->store);
    if (e == OK)
        ls->live->open_parts++;
    else
        log_error("hls.no_store", "room=%s dir=%s why=\"%s\"", ls->room_id, ls->live->config.dir,
                  err_text(e));
}

static usec memory_of(usec segment)
{
    usec least = MEMORY_MIN_S * USEC_PER_SEC;
    return MEMORY_SEGMENTS * segment > least ? MEMORY_SEGMENTS * segment : least;
}

static void begin(struct live_stream *ls)
{
    struct live *l = ls->live;
    const struct live_config *c = &l->config;
    struct pipeline_config config = {.env = live_env(ls),
                                     .ports = l->ports,
                                     .rng = c->rng,
                                     .room_id = ls->room_id,
                                     .root = c->dir,
                                     .ffmpeg_path = c->ffmpeg,
                                     .part = c->part,
                                     .window = c->window,
                                     .memory = memory_of(c->segment),
                                     .encoding = {.cmaf = c->cmaf,
                                                  .encoder = "libx264",
                                                  .preset = c->preset,
                                                  .segment = c->segment,
                                                  .ladder = {{CANVAS_HEIGHT, c->video_bps}},
                                                  .n_ladder = 1,
                                                  .audio_bps = c->audio_bps},
                                     .list_size = c->list_size};
    if (c->cmaf)
        open_store(ls);
    enum err e = pipeline_open(&config, &ls->pipeline);
    if (e != OK) {
        log_error("hls.not_started", "room=%s dir=%s why=\"%s\"", ls->room_id, c->dir, err_text(e));
        return;
    }
    l->n_pipelines++;
    metric_add(l->by_state[PIPELINE_IDLE], 1);
    pipeline_changed(ls->pipeline);
}

static void begin_or_wait(struct live *l, struct stream *s)
{
    struct live_stream *ls = live_stream_new(l, s);
    if (!ls)
        log_error("hls.no_memory", "room=%s", stream_room_id(s));
    else if (l->n_pipelines >= l->config.pipelines_max)
        log_warn("hls.too_many", "room=%s hls.max_pipelines=%u", ls->room_id,
                 l->config.pipelines_max);
    else
        begin(ls);
}

static void begin_waiting(struct live *l)
{
    struct live_stream *ls;
    struct live_stream *next;
    HASH_ITER(hh, l->by_room, ls, next)
    {
        if (l->n_pipelines >= l->config.pipelines_max)
            return;
        if (ls->stream && !ls->pipeline)
            begin(ls);
    }
}

void live_on_pipeline_ended(struct live_stream *ls)
{
    struct live *l = ls->live;
    struct stream *next = ls->next;
    l->n_pipelines--;
    if (l->closing) {
        drop(ls);
        return;
    }
    if (next) {
        drop(ls);
        begin_or_wait(l, next);
    } else {
        uv_timer_start(&ls->timer, on_linger_over, pipeline_linger_ms(ls->pipeline), 0);
    }
    begin_waiting(l);
}

/* ---- what streams tell ---- */

static void on_live(void *ctx, struct stream *s)
{
    struct live *l = ctx;
    struct live_stream *old = find(l, stream_room_id(s));
    if (old && old->pipeline && pipeline_state(old->pipeline) != PIPELINE_ENDED) {
        old->next = s;
        return;
    }
    if (old)
        drop(old);
    begin_or_wait(l, s);
}

static void tell_unknown_codecs(const struct stream *s)
{
    for (int k = 0; k < LIVE_KINDS; k++) {
        const struct room_producer *p = stream_producer(s, (enum media_kind)k);
        const struct rtp_parameters *c = p ? producer_consumable(p) : NULL;
        if (c && !plan_codec_known(c))
            log_warn("hls.codec_not_supported", "room=%s codec=%s", stream_room_id(s),
                     c->n_codecs > 0 ? c->codecs[0].mime_type : "none");
    }
}

static struct live_stream *running(struct live *l, const struct stream *s)
{
    struct live_stream *ls = find(l, stream_room_id(s));
    return ls && ls->stream == s && ls->pipeline ? ls : NULL;
}

static void on_changed(void *ctx, struct stream *s)
{
    struct live_stream *ls = running(ctx, s);
    tell_unknown_codecs(s);
    if (ls)
        pipeline_changed(ls->pipeline);
}

static void on_router_lost(void *ctx, struct stream *s)
{
    struct live_stream *ls = running(ctx, s);
    if (ls)
        pipeline_router_lost(ls->pipeline);
}

static void on_ended(void *ctx, struct stream *s)
{
    struct live_stream *ls = find(ctx, stream_room_id(s));
    if (!ls)
        return;
    if (ls->next == s)
        ls->next = NULL; /* over before its pipeline began */
    if (ls->stream != s)
        return;
    ls->stream = NULL;
    stream_set_hls(s, NULL);
    if (ls->pipeline)
        pipeline_end(ls->pipeline);
    else
        drop(ls);
}

/* ---- life ---- */

enum err live_open(const struct live_config *config, struct live **out)
{
    struct live *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->config = *config;
    list_init(&l->observers);
    enum err e = ports_open(config->port_min, config->port_max, &l->ports);
    if (e == OK && config->cmaf)
        e = origin_open(&l->origin, config->loop, config->http, config->dir, config->metrics);
    else if (e == OK)
        e = files_mount_hls(config->http, "/live/", config->dir, NULL, NULL);
    if (e != OK) {
        ports_close(l->ports);
        free(l);
        return e;
    }
    hls_root_clear(config->dir);
    segment_stores_clear(config->dir);
    live_open_metrics(l);
    l->observer = (struct streams_observer){.on_live = on_live,
                                            .on_changed = on_changed,
                                            .on_router_lost = on_router_lost,
                                            .on_ended = on_ended,
                                            .ctx = l};
    streams_observe(config->streams, &l->observer);
    *out = l;
    return OK;
}

void live_close(struct live *l, void (*closed)(void *ctx), void *ctx)
{
    if (l->closing)
        return;
    l->closing = true;
    l->closed = closed;
    l->closed_ctx = ctx;
    streams_unobserve(&l->observer);
    struct live_stream *ls;
    struct live_stream *next;
    HASH_ITER(hh, l->by_room, ls, next)
    {
        ls->stream = ls->next = NULL;
        if (ls->pipeline && pipeline_state(ls->pipeline) != PIPELINE_ENDED)
            pipeline_end(ls->pipeline);
        else
            drop(ls);
    }
    if (l->open_parts == 0)
        finish_close(l);
}

void live_observe(struct live *l, struct live_observer *o)
{
    list_add(&l->observers, &o->node);
}

void live_unobserve(struct live_observer *o)
{
    if (o->node.next)
        list_remove(&o->node);
}

struct presentation *live_presentation(struct live *l, const char *room_id)
{
    const struct live_stream *ls = find(l, room_id);
    return ls ? ls->presentation : NULL;
}

unsigned live_ports_taken(const struct live *l)
{
    return (unsigned)ports_taken(l->ports);
}
