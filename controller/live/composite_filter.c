#include "controller/live/composite_filter.h"

#include "controller/live/layout.h"

/* A camera that is off: its place stays, a little lighter than the canvas. */
static void print_empty_places(struct filter_text *f, const struct plan *plan,
                               const struct layout_rect *places)
{
    for (size_t i = 0; i < plan->n_cells; i++) {
        if (plan_find_input(plan, i, MEDIA_KIND_VIDEO) == plan->n_inputs)
            filter_print(f, ",drawbox=x=%u:y=%u:w=%u:h=%u:color=0x232936:t=fill", places[i].x,
                         places[i].y, places[i].w, places[i].h);
    }
}

static void print_places(struct filter_text *f, const struct plan *plan,
                         const struct composite_style *style, const struct layout_rect *places)
{
    for (size_t i = 0; i < plan->n_cells; i++) {
        size_t input = plan_find_input(plan, i, MEDIA_KIND_VIDEO);
        const struct layout_rect *r = &places[i];
        if (input == plan->n_inputs)
            continue;
        unsigned rotation = plan->inputs[input].rotation;
        bool turned = rotation % 180 != 0;
        filter_print(f, ";[0:v:%zu]", plan_index_of(plan, input));
        if (style->low)
            filter_print(f, "scale=%d:%d:force_original_aspect_ratio=decrease:flags=fast_bilinear,",
                         turned ? COMPOSITE_LOW_HEIGHT : COMPOSITE_LOW_WIDTH,
                         turned ? COMPOSITE_LOW_WIDTH : COMPOSITE_LOW_HEIGHT);
        filter_print(f,
                     "%sscale=%u:%u:force_original_aspect_ratio=decrease:force_divisible_by=2,"
                     "setsar=1,format=yuv420p[p%zu]",
                     filter_turn(rotation), r->w, r->h, i);
    }
}

static void print_names(struct filter_text *f, const struct plan *plan,
                        const struct layout_rect *places, unsigned height)
{
    unsigned size = height / 28 > 8 ? height / 28 : 8;
    for (size_t i = 0; i < plan->n_cells; i++) {
        const struct layout_rect *r = &places[i];
        if (plan->cells[i].name[0] == '\0')
            continue;
        filter_print(f, ",drawtext=font=Sans:expansion=none:text=");
        filter_quote(f, plan->cells[i].name);
        filter_print(f,
                     ":x=%u+(%u-tw)/2:y=%u-th-%u:fontsize=%u:fontcolor=white:box=1:"
                     "boxcolor=black@0.5:boxborderw=%u",
                     r->x, r->w, r->y + r->h, size, size, size / 4);
    }
}

void composite_picture(struct filter_text *f, const struct plan *plan,
                       const struct composite_style *style, unsigned base)
{
    struct layout_rect places[LIVE_CELLS_MAX];
    layout_make(plan->cells, plan->n_cells, style->width, style->height, places);
    filter_print(f, "[%u:v]format=yuv420p", base);
    print_empty_places(f, plan, places);
    filter_print(f, "[c0]");
    print_places(f, plan, style, places);
    size_t layer = 0;
    for (size_t i = 0; i < plan->n_cells; i++) {
        const struct layout_rect *r = &places[i];
        if (plan_find_input(plan, i, MEDIA_KIND_VIDEO) == plan->n_inputs)
            continue;
        filter_print(f, ";[c%zu][p%zu]overlay=x=%u+(%u-w)/2:y=%u+(%u-h)/2[c%zu]", layer, i, r->x,
                     r->w, r->y, r->h, layer + 1);
        layer++;
    }
    filter_print(f, ";[c%zu]null", layer);
    if (style->names)
        print_names(f, plan, places, style->height);
    filter_print(f, "[canvas]");
}

void composite_sound(struct filter_text *f, const struct plan *plan)
{
    size_t n = 0;
    /* By arrival, so that senders' clocks need not agree. What follows a lost packet comes at once
     * after ffmpeg's wait for it, a tenth of a second: only longer gaps become silence. What a
     * clock that runs wrong adds up to, or packets that never came, is stretched away. */
    for (size_t i = 0; i < plan->n_inputs; i++) {
        if (plan->inputs[i].kind != MEDIA_KIND_AUDIO)
            continue;
        filter_print(
            f,
            "%s[0:a:%zu]aresample=48000:async=480:min_comp=0.025:min_hard_comp=0.25:flags=res,"
            "aformat=sample_fmts=fltp:"
            "channel_layouts=stereo[s%zu]",
            n > 0 ? ";" : "", n, n);
        n++;
    }
    filter_print(f, ";");
    for (size_t i = 0; i < n; i++)
        filter_print(f, "[s%zu]", i);
    /* Everybody as loud as they are; the limiter keeps many voices at once from clipping. */
    if (n > 1)
        filter_print(f, "amix=inputs=%zu:duration=longest:normalize=0,alimiter=limit=0.9[sound]",
                     n);
    else
        filter_print(f, "anull[sound]");
}
