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
    p->size_ms = pipeline_now(p) + SIZE_LIMIT_MS;
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

static uint64_t settle_ms(const struct pipeline *p, const struct live_source *s)
{
    bool whole = s->n_cells > 0;
    for (size_t i = 0; i < s->n_cells; i++) {
        const struct live_cell *c = &s->cells[i];
        whole = whole && (c->screen || (c->tracks[0].producer_id && c->tracks[1].producer_id));
    }
    if (!whole)
        return SETTLE_ALONE_MS;
    return pipeline_lacks_size(p, s) ? SIZE_LIMIT_MS : SETTLE_MS;
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

/* So that sizes cost nothing to change. Once media flows one begins anew only for the first size
 * that is known: where it grows in steps, as with simulcast, that would go on and on. */
static bool nothing_made(const struct pipeline *p)
{
    return p->state < PIPELINE_PRIMING || (p->state == PIPELINE_PRIMING && !p->run->knew_size);
}

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
        pipeline_tell_rotation(p, source);
        if (pipeline_look_at_size(p, source) && nothing_made(p))
            restart(p, PIPELINE_CHANGED, 0);
        else if (p->state == PIPELINE_ACTIVE)
            pipeline_arm(p, pipeline_now(p));
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
            wait_until(p, now + settle_ms(p, &source) + backoff_ms(p));
        break;
    case PIPELINE_WAITING:
        if (plan_empty(&plan)) {
            pipeline_set_state(p, PIPELINE_IDLE);
            pipeline_arm(p, PIPELINE_NO_TIMER);
        } else if (backoff_ms(p) == 0 && now + settle_ms(p, &source) < p->start_ms) {
            p->start_ms = now + settle_ms(p, &source);
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

void pipeline_grow(struct pipeline *p)
{
    log_info("hls.grown", "room=%s run=%u width=%u height=%u", p->room_id, p->runs, p->grown_width,
             p->grown_height);
    restart(p, PIPELINE_CHANGED, GRACE_CHANGE_MS);
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
    if (pipeline_lacks_size(p, &source) && pipeline_now(p) < p->size_ms) {
        p->start_ms = p->size_ms;
        pipeline_arm(p, p->start_ms);
        return;
    }
    p->runs++;
    p->hurry++;
    p->grow_ms = 0;
    p->rotation = source.cells[0].tracks[MEDIA_KIND_VIDEO].rotation;
    pipeline_learn_size(&p->config.encoding, pipeline_measured(p, &source));
    run_begin(p, &plan, &source);
}

/* ---- segments ---- */

void pipeline_advanced(struct pipeline *p, usec duration, bool playable)
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

void pipeline_restart_if_dirty(struct pipeline *p)
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
    pipeline_advanced(p, s.duration, e == OK);
    pipeline_restart_if_dirty(p);
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
    pipeline_drop_presentation(p);
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
