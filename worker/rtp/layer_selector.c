#include "worker/rtp/layer_selector.h"

/* ---- VP8 ---- */

static void vp8_sync(struct selector *s, const struct layer_packet *p)
{
    vp8_layers_sync(&s->vp8, p, s->target);
}

static struct layer_choice vp8_packet(struct selector *s, const struct layer_packet *p)
{
    return vp8_layers_packet(&s->vp8, p, s->target);
}

static struct layers vp8_current(const struct selector *s)
{
    return levels_now(&s->vp8.levels);
}

/* ---- VP9 ---- */

static void vp9_sync(struct selector *s, const struct layer_packet *p)
{
    vp9_layers_sync(&s->vp9, p, s->target);
}

static struct layer_choice vp9_packet(struct selector *s, const struct layer_packet *p)
{
    return vp9_layers_packet(&s->vp9, p, s->target);
}

static struct layers vp9_current(const struct selector *s)
{
    return levels_now(&s->vp9.levels);
}

/* ---- AV1, H.264 ---- */

static void dd_sync(struct selector *s, const struct layer_packet *p)
{
    dd_layers_sync(&s->dd, p, s->target);
}

static struct layer_choice dd_packet(struct selector *s, const struct layer_packet *p)
{
    return dd_layers_packet(&s->dd, p, s->target);
}

static struct layers dd_current(const struct selector *s)
{
    return s->dd.current;
}

/* ---- no layers ---- */

static void plain_sync(struct selector *s, const struct layer_packet *p)
{
    (void)s;
    (void)p;
}

static struct layer_choice plain_packet(struct selector *s, const struct layer_packet *p)
{
    (void)s;
    return (struct layer_choice){.verdict = LAYER_FORWARD, .marker = p->marker};
}

static struct layers plain_current(const struct selector *s)
{
    (void)s;
    return (struct layers){0};
}

static const struct selector_ops plain_ops = {plain_sync, plain_packet, plain_current};
static const struct selector_ops dd_ops = {dd_sync, dd_packet, dd_current};
static const struct selector_ops vp8_ops = {vp8_sync, vp8_packet, vp8_current};
static const struct selector_ops vp9_ops = {vp9_sync, vp9_packet, vp9_current};

void selector_init(struct selector *s, enum codec codec, bool key_svc)
{
    static const struct selector_ops *const ops[CODEC_COUNT] = {[CODEC_VP8] = &vp8_ops,
                                                                [CODEC_VP9] = &vp9_ops,
                                                                [CODEC_AV1] = &dd_ops,
                                                                [CODEC_H264] = &dd_ops};
    *s = (struct selector){.ops = ops[codec] ? ops[codec] : &plain_ops, .target = LAYERS_ANY};
    if (codec == CODEC_VP9)
        s->vp9.key_svc = key_svc;
}

void selector_sync(struct selector *s, const struct layer_packet *p)
{
    s->started = true;
    s->ops->sync(s, p);
}

struct layer_choice selector_packet(struct selector *s, const struct layer_packet *p)
{
    if (!s->started)
        return (struct layer_choice){.verdict = LAYER_DROP};
    return s->ops->packet(s, p);
}

struct layers selector_current(const struct selector *s)
{
    return s->started ? s->ops->current(s) : LAYERS_NONE;
}
