#include "controller/live/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "controller/live/hls_folder.h"
#include "controller/live/live_state.h"
#include "controller/net/files.h"

enum {
    CANVAS_HEIGHT = 720, /* of transcoded video */
    /* What a player at the live edge still asks for, and what a clip is made of, is in memory. */
    MEMORY_SEGMENTS = 12,
    MEMORY_MIN_S = 35,
    LOW_VIDEO_BPS = 150 * 1000
};

struct live_stream *live_find(struct live *l, const char *key)
{
    struct live_stream *ls = NULL;
    HASH_FIND_STR(l->by_key, key, ls);
    return ls;
}

bool live_runs(const struct live_stream *ls)
{
    return ls->pipeline && pipeline_state(ls->pipeline) != PIPELINE_ENDED;
}

/* ---- a stream's end ---- */

static void finish_close(struct live *l)
{
    void (*closed)(void *) = l->closed;
    void *ctx = l->closed_ctx;
    origin_close(l->origin);
    discontinuity_mark_close(l->mark);
    ports_close(l->ports);
    free(l);
    if (closed)
        closed(ctx);
}

void live_part_closed(struct live *l)
{
    if (--l->open_parts == 0 && l->closing)
        finish_close(l);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct live_stream *ls = h->data;
    struct live *l = ls->live;
    free(ls);
    live_part_closed(l);
}

static void on_store_closed(void *ctx)
{
    live_part_closed(ctx);
}

void live_drop(struct live_stream *ls)
{
    HASH_DEL(ls->live->by_key, ls);
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
    live_drop(t->data);
}

/* ---- a stream's beginning ---- */

struct live_stream *live_stream_new(struct live *l, enum live_mode mode, const char *room_id,
                                    const char *peer_id)
{
    struct live_stream *ls = calloc(1, sizeof *ls);
    if (!ls) {
        log_error("hls.no_memory", "room=%s", room_id);
        return NULL;
    }
    ls->live = l;
    ls->mode = mode;
    snprintf(ls->room_id, sizeof ls->room_id, "%s", room_id);
    snprintf(ls->name, sizeof ls->name, "%s",
             mode == LIVE_STREAM      ? "index"
             : mode == LIVE_COMPOSITE ? LIVE_COMPOSITE_NAME
                                      : peer_id);
    live_key(ls->key, mode, room_id, ls->name);
    uv_timer_init(l->config.loop, &ls->timer);
    ls->timer.data = ls;
    l->open_parts++;
    HASH_ADD_STR(l->by_key, key, ls);
    return ls;
}

void live_key(char out[LIVE_KEY_MAX], enum live_mode mode, const char *room_id, const char *name)
{
    snprintf(out, LIVE_KEY_MAX, mode == LIVE_STREAM ? "%s" : "%s/%s", room_id, name);
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

static struct encoding encoding_of(const struct live_stream *ls)
{
    const struct live_config *c = &ls->live->config;
    struct encoding e = {.cmaf = c->cmaf,
                         .encoder = c->encoder,
                         .preset = c->preset,
                         .segment = c->segment,
                         .n_ladder = 1,
                         .audio_bps = c->audio_bps,
                         .composite = ls->mode == LIVE_COMPOSITE,
                         .names = ls->names,
                         .low = ls->low};
    /* Peers are many: the ladder is for what many watch. */
    if (ls->mode == LIVE_STREAM && c->n_ladder > 0) {
        memcpy(e.ladder, c->ladder, c->n_ladder * sizeof e.ladder[0]);
        e.n_ladder = c->n_ladder;
        e.ladder_fits = true;
    } else {
        e.ladder[0] = (struct rendition){CANVAS_HEIGHT, c->video_bps};
    }
    if (ls->low)
        e.ladder[0].bps = c->video_bps < LOW_VIDEO_BPS ? c->video_bps : LOW_VIDEO_BPS;
    return e;
}

static void begin(struct live_stream *ls)
{
    struct live *l = ls->live;
    const struct live_config *c = &l->config;
    const struct room *room = rooms_find(c->rooms, ls->room_id);
    ls->low = room && room_hls(room)->low_bandwidth;
    ls->names = room && room_hls(room)->names;
    struct pipeline_config config = {.env = live_env(ls),
                                     .ports = l->ports,
                                     .mark = l->mark,
                                     .rng = c->rng,
                                     .room_id = ls->room_id,
                                     .name = ls->mode == LIVE_STREAM ? NULL : ls->name,
                                     .root = c->dir,
                                     .ffmpeg_path = c->ffmpeg,
                                     .part = c->part,
                                     .window = c->window,
                                     .memory = memory_of(c->segment),
                                     .encoding = encoding_of(ls),
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

void live_begin_or_wait(struct live_stream *ls)
{
    const struct live *l = ls->live;
    if (l->n_pipelines >= l->config.pipelines_max)
        log_warn("hls.too_many", "room=%s name=%s hls.max_pipelines=%u", ls->room_id, ls->name,
                 l->config.pipelines_max);
    else
        begin(ls);
}

void live_end(struct live_stream *ls)
{
    if (ls->pipeline)
        pipeline_end(ls->pipeline);
    else
        live_drop(ls);
}

static void begin_waiting(struct live *l)
{
    struct live_stream *ls;
    struct live_stream *next;
    HASH_ITER(hh, l->by_key, ls, next)
    {
        if (l->n_pipelines >= l->config.pipelines_max)
            return;
        if ((ls->stream || ls->wanted) && !ls->pipeline)
            begin(ls);
    }
}

void live_on_pipeline_ended(struct live_stream *ls)
{
    struct live *l = ls->live;
    struct stream *next = ls->next;
    char room_id[ROOM_ID_MAX + 1];
    l->n_pipelines--;
    if (l->closing) {
        live_drop(ls);
        return;
    }
    memcpy(room_id, ls->room_id, sizeof room_id);
    enum live_mode mode = ls->mode;
    uv_timer_start(&ls->timer, on_linger_over, pipeline_linger_ms(ls->pipeline), 0);
    if (next)
        live_streams_begin(l, next);
    if (mode != LIVE_STREAM)
        live_rooms_look(l, room_id);
    begin_waiting(l);
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
        e = discontinuity_mark_open(config->dir, &l->mark);
    if (e == OK && config->cmaf)
        e = origin_open(&l->origin, config->loop, config->http, config->dir, config->metrics);
    else if (e == OK)
        e = files_mount_hls(config->http, "/live/", config->dir, NULL, NULL);
    if (e != OK) {
        discontinuity_mark_close(l->mark);
        ports_close(l->ports);
        free(l);
        return e;
    }
    hls_root_clear(config->dir);
    segment_stores_clear(config->dir);
    live_open_metrics(l);
    live_streams_open(l);
    live_rooms_open(l);
    live_check_encoder(l);
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
    live_streams_close(l);
    live_rooms_close(l);
    if (l->asking)
        ffmpeg_stop(l->asking, 0);
    struct live_stream *ls;
    struct live_stream *next;
    HASH_ITER(hh, l->by_key, ls, next)
    {
        ls->stream = ls->next = NULL;
        ls->wanted = false;
        if (live_runs(ls))
            pipeline_end(ls->pipeline);
        else
            live_drop(ls);
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

bool live_has_presentations(const struct live *l)
{
    return l->config.cmaf;
}

struct presentation *live_presentation(struct live *l, const char *room_id)
{
    const struct live_stream *ls = live_find(l, room_id);
    return ls ? ls->presentation : NULL;
}

unsigned live_ports_taken(const struct live *l)
{
    return (unsigned)ports_taken(l->ports);
}
