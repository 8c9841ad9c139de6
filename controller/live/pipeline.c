#include "controller/live/pipeline.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "controller/live/pipeline_state.h"

const char *pipeline_state_name(enum pipeline_state s)
{
    static const char *const names[] = {
#define X(id, name) name,
        PIPELINE_STATES(X)
#undef X
    };
    return names[s];
}

const char *pipeline_reason_name(enum pipeline_reason r)
{
    static const char *const names[] = {
#define X(id, name) name,
        PIPELINE_REASONS(X)
#undef X
    };
    return names[r];
}

/* ---- the state ---- */

#define TO(s) (1u << (s))

/* Where each state may go. Every step may be cut short by cleaning up. */
static const unsigned moves[PIPELINE_STATE_COUNT] = {
    [PIPELINE_IDLE] = TO(PIPELINE_WAITING) | TO(PIPELINE_ENDED),
    [PIPELINE_WAITING] = TO(PIPELINE_IDLE) | TO(PIPELINE_TRANSPORTS) | TO(PIPELINE_ENDED),
    [PIPELINE_CLEANING] = TO(PIPELINE_IDLE) | TO(PIPELINE_WAITING) | TO(PIPELINE_ENDED),
    [PIPELINE_TRANSPORTS] = TO(PIPELINE_CONSUMERS) | TO(PIPELINE_CLEANING),
    [PIPELINE_CONSUMERS] = TO(PIPELINE_LAUNCHING) | TO(PIPELINE_CLEANING),
    [PIPELINE_LAUNCHING] = TO(PIPELINE_PRIMING) | TO(PIPELINE_CLEANING),
    [PIPELINE_PRIMING] = TO(PIPELINE_ACTIVE) | TO(PIPELINE_CLEANING),
    [PIPELINE_ACTIVE] = TO(PIPELINE_CLEANING),
    [PIPELINE_ENDED] = 0,
};

void pipeline_set_state(struct pipeline *p, enum pipeline_state s)
{
    assert(moves[p->state] & TO(s));
    log_debug("hls.state", "room=%s run=%u from=%s to=%s", p->room_id, p->runs,
              pipeline_state_name(p->state), pipeline_state_name(s));
    enum pipeline_state from = p->state;
    p->state = s;
    p->config.env.on_state(p->config.env.ctx, from, s);
    if (p->run)
        p->run->step_ms = pipeline_now(p);
}

void pipeline_arm(struct pipeline *p, uint64_t at_ms)
{
    uint64_t now = pipeline_now(p);
    uint64_t delay = PIPELINE_NO_TIMER;
    if (at_ms != PIPELINE_NO_TIMER)
        delay = at_ms > now ? at_ms - now : 0;
    p->config.env.arm(p->config.env.ctx, delay);
}

static void describe(struct pipeline *p, struct live_source *source, struct plan *plan)
{
    *source = (struct live_source){0};
    p->config.env.describe(p->config.env.ctx, source);
    struct plan_rules rules = encoding_rules(&p->config.encoding, p->had_video);
    plan_make(plan, source, &rules);
}

/* ---- between runs ---- */

static void wait_until(struct pipeline *p, uint64_t at_ms)
{
    p->start_ms = at_ms;
    pipeline_set_state(p, PIPELINE_WAITING);
    pipeline_arm(p, at_ms);
}

static uint64_t backoff_ms(const struct pipeline *p)
{
    if (p->hurry < QUICK_RUNS)
        return 0;
    unsigned shift = p->hurry - QUICK_RUNS < 8 ? p->hurry - QUICK_RUNS : 8;
    uint64_t ms = (uint64_t)BACKOFF_FIRST_MS << shift;
    return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

static uint64_t settle_ms(const struct live_source *s)
{
    bool whole = s->n_cells > 0;
    for (size_t i = 0; i < s->n_cells; i++) {
        const struct live_cell *c = &s->cells[i];
        whole = whole && (c->screen || (c->tracks[0].producer_id && c->tracks[1].producer_id));
    }
    return whole ? SETTLE_MS : SETTLE_ALONE_MS;
}

static void finish_end(struct pipeline *p)
{
    if (p->presentation)
        presentation_end(p->presentation);
    else if (!p->config.encoding.cmaf)
        hls_folder_end(&p->folder);
    pipeline_set_state(p, PIPELINE_ENDED);
    pipeline_arm(p, PIPELINE_NO_TIMER);
    log_info("hls.ended", "room=%s runs=%u", p->room_id, p->runs);
    p->config.env.on_ended(p->config.env.ctx);
}

void pipeline_on_cleaned(struct pipeline *p)
{
    run_free(p->run);
    p->run = NULL;
    if (!p->config.encoding.cmaf)
        hls_folder_sweep(&p->folder);
    if (p->ending) {
        finish_end(p);
        return;
    }
    struct live_source source;
    struct plan plan;
    describe(p, &source, &plan);
    if (plan_empty(&plan)) {
        pipeline_set_state(p, PIPELINE_IDLE);
        pipeline_arm(p, PIPELINE_NO_TIMER);
    } else {
        wait_until(p, pipeline_now(p) + backoff_ms(p));
    }
}

static void stop_run(struct pipeline *p, unsigned grace_ms)
{
    p->dirty = false;
    pipeline_set_state(p, PIPELINE_CLEANING);
    pipeline_arm(p, PIPELINE_NO_TIMER);
    run_clean(p->run, grace_ms);
}

static void restart(struct pipeline *p, enum pipeline_reason reason, unsigned grace_ms)
{
    bool active = p->state == PIPELINE_ACTIVE;
    bool stable = active && pipeline_now(p) - p->run->step_ms >= STABLE_MS;
    if (stable)
        p->hangs = 0;
    /* Who changes again and again waits; what broke after it worked is mended at once. */
    if (stable || (active && reason != PIPELINE_CHANGED))
        p->hurry = 0;
    p->config.env.on_restart(p->config.env.ctx, reason);
    stop_run(p, grace_ms);
}

void pipeline_fail(struct pipeline *p, enum pipeline_reason reason, const char *why)
{
    uint64_t now = pipeline_now(p);
    bool again = p->logged_ms != 0 && p->logged == reason && now - p->logged_ms < LOG_AGAIN_MS;
    if (!again) {
        log_warn("hls.run_failed", "room=%s run=%u state=%s reason=%s why=\"%s\"", p->room_id,
                 p->runs, pipeline_state_name(p->state), pipeline_reason_name(reason), why);
        p->logged = reason;
        p->logged_ms = now;
    }
    restart(p, reason, 0);
}

/* ---- what is told ---- */

/* A change while a run is being set up. Before media flows, starting over costs nothing; then the
 * run is left to reach its first segment, if what it waits for is still there. */
static void change_run(struct pipeline *p, const struct live_source *source,
                       const struct plan *plan)
{
    if (!source->worker) {
        pipeline_router_lost(p);
        return;
    }
    if (plan_equal(plan, &p->run->plan)) {
        p->dirty = false;
        return;
    }
    if (p->state == PIPELINE_PRIMING && plan_extends(&p->run->plan, plan)) {
        p->dirty = true;
        return;
    }
    log_info("hls.changed", "room=%s run=%u state=%s", p->room_id, p->runs,
             pipeline_state_name(p->state));
    restart(p, PIPELINE_CHANGED, p->state == PIPELINE_ACTIVE ? GRACE_CHANGE_MS : 0);
}

void pipeline_changed(struct pipeline *p)
{
    struct live_source source;
    struct plan plan;
    uint64_t now = pipeline_now(p);
    if (p->ending)
        return;
    describe(p, &source, &plan);
    switch (p->state) {
    case PIPELINE_IDLE:
        if (!plan_empty(&plan))
            wait_until(p, now + settle_ms(&source) + backoff_ms(p));
        break;
    case PIPELINE_WAITING:
        if (plan_empty(&plan)) {
            pipeline_set_state(p, PIPELINE_IDLE);
            pipeline_arm(p, PIPELINE_NO_TIMER);
        } else if (backoff_ms(p) == 0 && now + settle_ms(&source) < p->start_ms) {
            p->start_ms = now + settle_ms(&source);
            pipeline_arm(p, p->start_ms);
        }
        break;
    case PIPELINE_TRANSPORTS:
    case PIPELINE_CONSUMERS:
    case PIPELINE_LAUNCHING:
    case PIPELINE_PRIMING:
    case PIPELINE_ACTIVE:
        change_run(p, &source, &plan);
        break;
    case PIPELINE_CLEANING: /* looks again when it is done */
    case PIPELINE_ENDED:
    case PIPELINE_STATE_COUNT:
        break;
    }
}

void pipeline_router_lost(struct pipeline *p)
{
    if (p->run)
        p->run->worker_gone = true;
    if (p->state == PIPELINE_WAITING) {
        pipeline_changed(p);
    } else if (p->run && p->state != PIPELINE_CLEANING) {
        log_info("hls.router_lost", "room=%s run=%u", p->room_id, p->runs);
        restart(p, PIPELINE_WORKER_LOST, 0);
    }
}

void pipeline_end(struct pipeline *p)
{
    if (p->ending)
        return;
    p->ending = true;
    if (p->state == PIPELINE_CLEANING)
        return;
    if (p->run)
        stop_run(p, GRACE_END_MS);
    else
        finish_end(p);
}

void pipeline_on_timer(struct pipeline *p)
{
    struct live_source source;
    struct plan plan;
    if (p->run) {
        run_on_timer(p->run, pipeline_now(p));
        return;
    }
    if (p->state != PIPELINE_WAITING)
        return;
    if (pipeline_now(p) < p->start_ms) {
        pipeline_arm(p, p->start_ms);
        return;
    }
    describe(p, &source, &plan);
    if (plan_empty(&plan)) {
        pipeline_set_state(p, PIPELINE_IDLE);
        return;
    }
    p->runs++;
    p->hurry++;
    run_begin(p, &plan, &source);
}

/* ---- segments ---- */

/* A new segment may be played. */
static void on_advanced(struct pipeline *p, usec duration, bool playable)
{
    struct run *r = p->run;
    p->had_segment = true;
    p->longest = duration > p->longest ? duration : p->longest;
    r->segments++;
    r->segment_ms = pipeline_now(p);
    if (p->state == PIPELINE_PRIMING) {
        log_info("hls.active", "room=%s run=%u after_ms=%llu", p->room_id, p->runs,
                 (unsigned long long)(pipeline_now(p) - r->step_ms));
        pipeline_set_state(p, PIPELINE_ACTIVE);
        p->had_video = p->had_video || r->plan.tracks[MEDIA_KIND_VIDEO].mode == TRACK_RTP;
        pipeline_arm(p, pipeline_now(p));
    }
    if (!p->playable && playable) {
        p->playable = true;
        p->config.env.on_playable(p->config.env.ctx);
    }
}

static void restart_if_dirty(struct pipeline *p)
{
    if (p->dirty && p->state == PIPELINE_ACTIVE)
        restart(p, PIPELINE_CHANGED, GRACE_CHANGE_MS);
}

void pipeline_on_segment(struct pipeline *p, const char *name, usec start, usec end)
{
    struct run *r = p->run;
    usec wall = p->config.env.wall(p->config.env.ctx);
    if (r->segments == 0)
        r->wall_offset = wall - end;
    struct playlist_segment s = {.duration = end > start ? end - start : USEC_PER_MSEC,
                                 .wall = r->wall_offset + start,
                                 .discontinuity = r->segments == 0 && p->had_segment};
    snprintf(s.name, sizeof s.name, "%s", name);
    enum err e = hls_folder_add(&p->folder, &s, pipeline_now(p));
    if (e == ERR_NOT_FOUND) {
        /* An empty one: nothing was cut. */
        log_debug("hls.segment_missing", "room=%s name=%s", p->room_id, name);
        return;
    }
    on_advanced(p, s.duration, e == OK);
    restart_if_dirty(p);
}

/* ---- fragmented MP4 ---- */

/* 2025-01-01T00:00:00Z */
#define MSN_EPOCH (1735689600 * USEC_PER_SEC)

/* The leading track's: the others follow. */
static void on_presentation_segment(void *ctx, struct hls_track *t, const struct hls_segment *s)
{
    struct pipeline *p = ctx;
    if (p->run && t == presentation_leader(p->presentation) && !s->gap)
        on_advanced(p, s->duration, presentation_playable(p->presentation));
}

static void drop_presentation(struct pipeline *p)
{
    if (!p->presentation)
        return;
    presentation_unobserve(&p->observer);
    p->config.env.withdraw(p->config.env.ctx, p->presentation);
    presentation_close(p->presentation);
    p->presentation = NULL;
}

static enum err new_presentation(struct pipeline *p, usec wall)
{
    char token[HLS_TOKEN_LEN + 1];
    rng_token(p->config.rng, token, sizeof token);
    /* Two a segment's time: numbers grow over lives of this address, whatever ended the one before,
     * and stay below 2^31, beyond which some players are lost. */
    usec half = p->config.encoding.segment / 2;
    usec since = wall > MSN_EPOCH ? wall - MSN_EPOCH : 0;
    struct presentation_config config = {.token = token,
                                         .first_msn = (uint64_t)(since / half),
                                         .first_discontinuity =
                                             (uint64_t)(since / (3600 * USEC_PER_SEC)),
                                         .segment = p->config.encoding.segment,
                                         .part = p->config.part,
                                         .window = p->config.window,
                                         .memory = p->config.memory};
    enum err e = presentation_open(&config, &p->presentation);
    if (e != OK)
        return e;
    p->observer = (struct presentation_observer){.on_segment = on_presentation_segment, .ctx = p};
    presentation_observe(p->presentation, &p->observer);
    e = p->config.env.publish(p->config.env.ctx, p->presentation);
    if (e != OK) {
        presentation_unobserve(&p->observer);
        presentation_close(p->presentation);
        p->presentation = NULL;
    }
    return e;
}

static void name_track(const struct pipeline *p, const struct pipeline_output *o,
                       char out[HLS_TRACK_NAME_MAX])
{
    const char *name = p->config.name;
    bool video = o->kind == MEDIA_KIND_VIDEO;
    if (name && o->rendition == 0)
        snprintf(out, HLS_TRACK_NAME_MAX, "%s-%s", name, video ? "video" : "audio");
    else if (name)
        snprintf(out, HLS_TRACK_NAME_MAX, "%s-video%zu", name, o->rendition);
    else
        snprintf(out, HLS_TRACK_NAME_MAX, "%c%zu", video ? 'v' : 'a', o->rendition);
}

static size_t track_specs(const struct pipeline *p, const struct plan *plan,
                          struct track_spec specs[PIPELINE_OUTPUTS_MAX])
{
    struct pipeline_output outputs[PIPELINE_OUTPUTS_MAX];
    size_t n = pipeline_outputs(plan, &p->config.encoding, outputs);
    for (size_t i = 0; i < n; i++) {
        specs[i] = (struct track_spec){.video = outputs[i].kind == MEDIA_KIND_VIDEO,
                                       .bps = outputs[i].bps,
                                       .copied = outputs[i].copied};
        name_track(p, &outputs[i], specs[i].name);
    }
    return n;
}

enum err pipeline_begin_media(struct pipeline *p, const struct plan *plan)
{
    struct track_spec specs[PIPELINE_OUTPUTS_MAX];
    usec wall = p->config.env.wall(p->config.env.ctx);
    if (!p->config.encoding.cmaf)
        return OK;
    size_t n = track_specs(p, plan, specs);
    enum err e = p->presentation ? OK : new_presentation(p, wall);
    if (e == OK)
        e = presentation_run_begin(p->presentation, specs, n, wall);
    if (e != ERR_STATE)
        return e;
    /* Other tracks than it had: another one, at the same address. */
    drop_presentation(p);
    e = new_presentation(p, wall);
    return e == OK ? presentation_run_begin(p->presentation, specs, n, wall) : e;
}

void pipeline_on_output(struct pipeline *p, size_t output, const void *bytes, size_t n)
{
    enum err e = presentation_feed(p->presentation, output, bytes, n);
    if (output == 0)
        p->run->output_ms = pipeline_now(p);
    if (p->state == PIPELINE_CLEANING)
        return;
    if (e != OK)
        pipeline_fail(p, PIPELINE_EXITED, "ffmpeg wrote what is no fragmented MP4");
    else
        restart_if_dirty(p);
}

/* How large what passes through was. */
static void remember_source(struct pipeline *p)
{
    const struct hls_track *top = presentation_leader(p->presentation);
    const struct hls_init *init = top ? hls_track_init(top) : NULL;
    if (init && hls_track_spec(top)->copied)
        p->config.encoding.source_height = init->format.height;
}

void pipeline_end_media(struct pipeline *p)
{
    if (!p->presentation)
        return;
    remember_source(p);
    presentation_run_end(p->presentation);
}

/* ---- life ---- */

/* Two seconds for segments of one: a key frame that comes late is no reason to break the
 * promise. */
static unsigned target_s(const struct encoding *e)
{
    return (unsigned)((e->segment + USEC_PER_SEC - 1) / USEC_PER_SEC) + 1;
}

enum err pipeline_open(const struct pipeline_config *config, struct pipeline **out)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    char token[HLS_TOKEN_LEN + 1];
    rng_token(config->rng, token, sizeof token);
    p->config = *config;
    p->config.room_id = p->room_id;
    p->config.root = NULL;
    p->state = PIPELINE_IDLE;
    snprintf(p->room_id, sizeof p->room_id, "%s", config->room_id);
    p->longest = config->encoding.segment;
    enum err e = OK;
    if (!config->encoding.cmaf)
        e = hls_folder_open(&p->folder, config->root, config->room_id, token, config->list_size,
                            target_s(&config->encoding));
    if (e != OK) {
        free(p);
        return e;
    }
    *out = p;
    return OK;
}

void pipeline_close(struct pipeline *p, bool remove)
{
    if (!p)
        return;
    assert(!p->run);
    drop_presentation(p);
    if (remove && !p->config.encoding.cmaf)
        hls_folder_remove(&p->folder);
    if (!p->config.encoding.cmaf)
        hls_folder_close(&p->folder);
    free(p);
}

enum pipeline_state pipeline_state(const struct pipeline *p)
{
    return p->state;
}

unsigned pipeline_runs(const struct pipeline *p)
{
    return p->runs;
}

const struct ffmpeg *pipeline_ffmpeg(const struct pipeline *p)
{
    return p->run ? p->run->ffmpeg : NULL;
}

uint64_t pipeline_linger_ms(const struct pipeline *p)
{
    usec all = p->config.encoding.cmaf ? 0 : playlist_duration(&p->folder.playlist);
    return 30 * 1000 + 2 * (uint64_t)(all / USEC_PER_MSEC);
}
