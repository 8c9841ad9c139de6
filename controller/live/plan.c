#include "controller/live/plan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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

static void plan_track(struct track_plan *t, const struct live_track *from)
{
    const struct input_codec *codec = input_codec(from->consumable);
    if (!from->producer_id)
        return;
    if (from->paused || !codec) {
        t->mode = TRACK_FILLER;
        return;
    }
    t->mode = TRACK_RTP;
    t->copies = codec->copies;
    snprintf(t->producer_id, sizeof t->producer_id, "%s", from->producer_id);
}

void plan_make(struct plan *p, const struct live_source *s, bool had_video)
{
    *p = (struct plan){0};
    if (!s->worker || !s->router_id)
        return;
    struct track_plan *audio = &p->tracks[MEDIA_KIND_AUDIO];
    struct track_plan *video = &p->tracks[MEDIA_KIND_VIDEO];
    plan_track(audio, &s->tracks[MEDIA_KIND_AUDIO]);
    plan_track(video, &s->tracks[MEDIA_KIND_VIDEO]);
    if (audio->mode == TRACK_NONE && video->mode == TRACK_NONE)
        return;
    p->worker = s->worker;
    snprintf(p->router_id, sizeof p->router_id, "%s", s->router_id);
    if (video->mode == TRACK_NONE && had_video)
        video->mode = TRACK_FILLER;
    /* Silence costs next to nothing, and sound may come any time. */
    if (audio->mode == TRACK_NONE)
        audio->mode = TRACK_FILLER;
}

bool plan_empty(const struct plan *p)
{
    return !p->worker;
}

static bool track_equal(const struct track_plan *a, const struct track_plan *b)
{
    return a->mode == b->mode && strcmp(a->producer_id, b->producer_id) == 0;
}

static bool same_router(const struct plan *a, const struct plan *b)
{
    return a->worker == b->worker && strcmp(a->router_id, b->router_id) == 0;
}

bool plan_equal(const struct plan *a, const struct plan *b)
{
    return same_router(a, b) && track_equal(&a->tracks[0], &b->tracks[0]) &&
           track_equal(&a->tracks[1], &b->tracks[1]);
}

bool plan_extends(const struct plan *old, const struct plan *now)
{
    bool extends = same_router(old, now);
    for (int k = 0; k < LIVE_KINDS; k++) {
        if (old->tracks[k].mode == TRACK_RTP)
            extends = extends && track_equal(&old->tracks[k], &now->tracks[k]);
    }
    return extends;
}
