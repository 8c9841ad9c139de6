/* From ffmpeg's pipes to a presentation, over runs. */
#include <stdio.h>

#include "controller/live/pipeline_state.h"

/* 2025-01-01T00:00:00Z */
#define MSN_EPOCH (1735689600 * USEC_PER_SEC)

/* The leading track's: the others follow. */
static void on_presentation_segment(void *ctx, struct hls_track *t, const struct hls_segment *s)
{
    struct pipeline *p = ctx;
    if (t == presentation_leader(p->presentation) && s->discontinuity)
        discontinuity_mark_reach(p->config.mark, ++p->discontinuity);
    if (p->run && t == presentation_leader(p->presentation) && !s->gap)
        pipeline_advanced(p, s->duration, presentation_playable(p->presentation));
}

/* The key frame with another picture size begins a segment, however early it came. */
static void on_presentation_init(void *ctx, struct hls_track *t, const struct hls_init *init)
{
    struct pipeline *p = ctx;
    (void)init;
    if (p->run && p->run->plan.n_inputs > 0 && t == presentation_leader(p->presentation))
        p->run->inputs[0].key_cut_ms = p->run->inputs[0].key_came_ms;
}

void pipeline_drop_presentation(struct pipeline *p)
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
    p->discontinuity = discontinuity_mark_first(p->config.mark, wall);
    discontinuity_mark_reach(p->config.mark, p->discontinuity);
    struct presentation_config config = {.token = token,
                                         .first_msn = (uint64_t)(since / half),
                                         .first_discontinuity = p->discontinuity,
                                         .segment = p->config.encoding.segment,
                                         .part = p->config.part,
                                         .window = p->config.window,
                                         .memory = p->config.memory};
    enum err e = presentation_open(&config, &p->presentation);
    if (e != OK)
        return e;
    p->observer = (struct presentation_observer){
        .on_init = on_presentation_init, .on_segment = on_presentation_segment, .ctx = p};
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

/* All that there may be in any run, and which of them the outputs of this one are. */
static size_t track_specs(const struct pipeline *p, struct run *r,
                          struct track_spec specs[PIPELINE_OUTPUTS_MAX])
{
    struct pipeline_output outputs[PIPELINE_OUTPUTS_MAX];
    size_t n_outputs = pipeline_outputs(&r->plan, &p->config.encoding, outputs);
    size_t renditions = pipeline_renditions(&p->config.encoding);
    bool pictures = r->plan.tracks[MEDIA_KIND_VIDEO].mode != TRACK_NONE;
    size_t n = 0;
    size_t next = 0;
    for (size_t i = 0; i < renditions && pictures; i++) {
        struct pipeline_output absent = {.kind = MEDIA_KIND_VIDEO, .rendition = i};
        bool made = next < n_outputs && outputs[next].kind == MEDIA_KIND_VIDEO &&
                    outputs[next].rendition == i;
        const struct pipeline_output *o = made ? &outputs[next] : &absent;
        specs[n] =
            (struct track_spec){.video = true, .bps = o->bps, .copied = o->copied, .absent = !made};
        name_track(p, o, specs[n].name);
        if (made)
            r->tracks[next++] = n;
        n++;
    }
    if (next < n_outputs) {
        specs[n] = (struct track_spec){.bps = outputs[next].bps};
        name_track(p, &outputs[next], specs[n].name);
        r->tracks[next] = n++;
    }
    return n;
}

enum err pipeline_begin_media(struct pipeline *p, struct run *r)
{
    struct track_spec specs[PIPELINE_OUTPUTS_MAX];
    usec wall = p->config.env.wall(p->config.env.ctx);
    if (!p->config.encoding.cmaf)
        return OK;
    size_t n = track_specs(p, r, specs);
    enum err e = p->presentation ? OK : new_presentation(p, wall);
    if (e == OK)
        e = presentation_run_begin(p->presentation, specs, n, wall);
    if (e == ERR_STATE) {
        /* Other tracks than it had: another one, at the same address. */
        pipeline_drop_presentation(p);
        e = new_presentation(p, wall);
        if (e == OK)
            e = presentation_run_begin(p->presentation, specs, n, wall);
    }
    if (e == OK)
        presentation_rotate(p->presentation, p->rotation);
    return e;
}

void pipeline_on_output(struct pipeline *p, size_t output, const void *bytes, size_t n)
{
    enum err e = presentation_feed(p->presentation, p->run->tracks[output], bytes, n);
    if (output == 0)
        p->run->output_ms = pipeline_now(p);
    if (p->state == PIPELINE_CLEANING)
        return;
    if (e != OK)
        pipeline_fail(p, PIPELINE_EXITED, "ffmpeg wrote what is no fragmented MP4");
    else
        pipeline_restart_if_dirty(p);
}

/* How large what passes through was, where the worker could not tell. */
static void remember_source(struct pipeline *p)
{
    const struct hls_track *top = presentation_leader(p->presentation);
    const struct hls_init *init = top ? hls_track_init(top) : NULL;
    struct live_track t = {0};
    if (!init || !hls_track_spec(top)->copied)
        return;
    bool turned = init->format.rotation % 180 != 0;
    t.width = turned ? init->format.height : init->format.width;
    t.height = turned ? init->format.width : init->format.height;
    pipeline_learn_size(&p->config.encoding, &t);
}

void pipeline_end_media(struct pipeline *p)
{
    if (!p->presentation)
        return;
    remember_source(p);
    presentation_run_end(p->presentation);
}
