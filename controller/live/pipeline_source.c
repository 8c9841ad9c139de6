/* What a pipeline makes of its source's size and rotation. */
#include <string.h>

#include "controller/live/pipeline_state.h"

const struct live_track *pipeline_measured(const struct pipeline *p, const struct live_source *s)
{
    const struct live_track *t = &s->cells[0].tracks[MEDIA_KIND_VIDEO];
    return p->config.encoding.ladder_fits && s->n_cells > 0 && t->producer_id ? t : NULL;
}

bool pipeline_lacks_size(const struct pipeline *p, const struct live_source *s)
{
    const struct live_track *t = pipeline_measured(p, s);
    return t && !t->paused && plan_codec_known(t->consumable) && t->width == 0;
}

void pipeline_learn_size(struct encoding *e, const struct live_track *t)
{
    if (!t || (uint64_t)t->width * t->height < (uint64_t)e->source_width * e->source_height)
        return;
    e->source_width = t->width;
    e->source_height = t->height;
}

static bool same_outputs(const struct plan *plan, const struct encoding *a,
                         const struct encoding *b)
{
    struct pipeline_output x[PIPELINE_OUTPUTS_MAX];
    struct pipeline_output y[PIPELINE_OUTPUTS_MAX];
    size_t n = pipeline_outputs(plan, a, x);
    bool same = n == pipeline_outputs(plan, b, y);
    for (size_t i = 0; same && i < n; i++)
        same = x[i].rendition == y[i].rendition &&
               (x[i].copied || (x[i].width == y[i].width && x[i].height == y[i].height));
    return same;
}

bool pipeline_look_at_size(struct pipeline *p, const struct live_source *s)
{
    struct encoding grown = p->config.encoding;
    const struct live_track *t = pipeline_measured(p, s);
    pipeline_learn_size(&grown, t);
    if (!t || t->width == 0 || same_outputs(&p->run->plan, &p->config.encoding, &grown)) {
        p->grow_ms = 0;
        return false;
    }
    if (p->grow_ms == 0 || p->grown_width != t->width || p->grown_height != t->height)
        p->grow_ms = pipeline_now(p) + GROW_MS;
    p->grown_width = t->width;
    p->grown_height = t->height;
    return true;
}

void pipeline_tell_rotation(struct pipeline *p, const struct live_source *s)
{
    const struct live_track *t = &s->cells[0].tracks[MEDIA_KIND_VIDEO];
    struct run *r = p->run;
    bool same = p->presentation && s->n_cells > 0 && t->producer_id && r->plan.n_inputs > 0 &&
                strcmp(t->producer_id, r->plan.inputs[0].producer_id) == 0;
    if (!same || !r->plan.tracks[MEDIA_KIND_VIDEO].copies || t->rotation == p->rotation)
        return;
    p->rotation = t->rotation;
    presentation_rotate(p->presentation, p->rotation);
    if (r->inputs[0].resumed)
        run_ask_key_frame(r, &r->inputs[0], pipeline_now(p));
}
