#include "controller/live/plan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "controller/live/silence_splice.h"

/* What ffmpeg 5.1 has an RTP depacketizer for, among what the worker forwards; no AV1. */
static const struct input_codec {
    const char *mime_type;
    bool copies; /* HLS players have it, so it goes through as it is */
} input_codecs[] = {
    {"video/H264", true},  {"video/VP8", false},  {"video/VP9", false},  {"audio/opus", false},
    {"audio/PCMU", false}, {"audio/PCMA", false}, {"audio/G722", false},
};

static const struct input_codec *input_codec(const struct rtp_parameters *consumable)
{
    if (!consumable || consumable->n_codecs == 0)
        return NULL;
    for (size_t i = 0; i < sizeof input_codecs / sizeof input_codecs[0]; i++) {
        if (strcasecmp(consumable->codecs[0].mime_type, input_codecs[i].mime_type) == 0)
            return &input_codecs[i];
    }
    return NULL;
}

bool plan_codec_known(const struct rtp_parameters *consumable)
{
    return input_codec(consumable) != NULL;
}

/* ---- what comes in, and what goes out ---- */

static void add_input(struct plan *p, size_t cell, enum media_kind kind,
                      const struct live_track *from)
{
    struct plan_input *in = &p->inputs[p->n_inputs++];
    *in = (struct plan_input){.kind = kind, .cell = cell, .rotation = from->rotation};
    snprintf(in->producer_id, sizeof in->producer_id, "%s", from->producer_id);
}

/* Where sounds are mixed, one that pauses is silent, and nothing else changes. */
static bool stays(const struct live_track *t, const struct plan_rules *rules)
{
    return rules->composite && t->consumable && t->consumable->n_codecs > 0 &&
           silence_payload(t->consumable->codecs[0].mime_type).n > 0;
}

static void plan_track(struct plan *p, const struct live_source *s, const struct plan_rules *rules,
                       enum media_kind kind)
{
    struct track_plan *t = &p->tracks[kind];
    for (size_t i = 0; i < s->n_cells; i++) {
        const struct live_track *from = &s->cells[i].tracks[kind];
        const struct input_codec *codec = input_codec(from->consumable);
        if (!from->producer_id)
            continue;
        if ((from->paused && !stays(from, rules)) || !codec) {
            t->mode = t->mode == TRACK_RTP ? TRACK_RTP : TRACK_FILLER;
            continue;
        }
        t->mode = TRACK_RTP;
        t->copies = codec->copies;
        add_input(p, i, kind, from);
    }
}

static void plan_cells(struct plan *p, const struct live_source *s)
{
    p->n_cells = s->n_cells;
    for (size_t i = 0; i < s->n_cells; i++) {
        p->cells[i] = (struct plan_cell){.screen = s->cells[i].screen};
        snprintf(p->cells[i].name, sizeof p->cells[i].name, "%s",
                 s->cells[i].name ? s->cells[i].name : "");
    }
}

void plan_make(struct plan *p, const struct live_source *s, const struct plan_rules *rules)
{
    *p = (struct plan){0};
    if (!s->worker || !s->router_id)
        return;
    struct track_plan *audio = &p->tracks[MEDIA_KIND_AUDIO];
    struct track_plan *video = &p->tracks[MEDIA_KIND_VIDEO];
    plan_track(p, s, rules, MEDIA_KIND_VIDEO);
    plan_track(p, s, rules, MEDIA_KIND_AUDIO);
    if (audio->mode == TRACK_NONE && video->mode == TRACK_NONE)
        return;
    p->worker = s->worker;
    snprintf(p->router_id, sizeof p->router_id, "%s", s->router_id);
    if (rules->composite)
        plan_cells(p, s);
    if (rules->composite || rules->transcodes)
        video->copies = false;
    /* What passes through is turned by who plays it. */
    for (size_t i = 0; i < p->n_inputs && video->copies; i++)
        p->inputs[i].rotation = 0;
    /* A composite shows at least where somebody would be. */
    if (video->mode == TRACK_NONE && (rules->had_video || rules->composite))
        video->mode = TRACK_FILLER;
    /* Silence costs next to nothing, and sound may come any time. */
    if (audio->mode == TRACK_NONE)
        audio->mode = TRACK_FILLER;
}

bool plan_empty(const struct plan *p)
{
    return !p->worker;
}

/* ---- comparing ---- */

static bool same_router(const struct plan *a, const struct plan *b)
{
    return a->worker == b->worker && strcmp(a->router_id, b->router_id) == 0;
}

static bool same_cells(const struct plan *a, const struct plan *b)
{
    bool same = a->n_cells == b->n_cells;
    for (size_t i = 0; same && i < a->n_cells; i++)
        same = a->cells[i].screen == b->cells[i].screen &&
               strcmp(a->cells[i].name, b->cells[i].name) == 0;
    return same;
}

static const struct plan_input *same_input(const struct plan *p, const struct plan_input *in)
{
    for (size_t i = 0; i < p->n_inputs; i++) {
        if (p->inputs[i].kind == in->kind && strcmp(p->inputs[i].producer_id, in->producer_id) == 0)
            return &p->inputs[i];
    }
    return NULL;
}

bool plan_extends(const struct plan *old, const struct plan *now)
{
    bool extends = same_router(old, now);
    for (size_t i = 0; i < old->n_inputs; i++)
        extends = extends && same_input(now, &old->inputs[i]);
    return extends;
}

bool plan_equal(const struct plan *a, const struct plan *b)
{
    bool same = plan_extends(a, b) && a->n_inputs == b->n_inputs && same_cells(a, b);
    for (int k = 0; k < LIVE_KINDS; k++)
        same = same && a->tracks[k].mode == b->tracks[k].mode;
    for (size_t i = 0; same && i < a->n_inputs && a->n_cells > 0; i++)
        same = a->inputs[i].cell == b->inputs[i].cell;
    for (size_t i = 0; same && i < a->n_inputs; i++)
        same = a->inputs[i].rotation == same_input(b, &a->inputs[i])->rotation;
    return same;
}

/* ---- looking ---- */

size_t plan_index_of(const struct plan *p, size_t input)
{
    size_t index = 0;
    for (size_t i = 0; i < input; i++)
        index += p->inputs[i].kind == p->inputs[input].kind;
    return index;
}

size_t plan_find_input(const struct plan *p, size_t cell, enum media_kind kind)
{
    size_t i = 0;
    while (i < p->n_inputs && (p->inputs[i].cell != cell || p->inputs[i].kind != kind))
        i++;
    return i;
}
