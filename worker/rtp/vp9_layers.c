#include "worker/rtp/vp9_layers.h"

/* A K-SVC sender that gives up its highest layer without a key picture leaves those who get only
 * that layer with nothing: after so many pictures they ask for a key picture. */
enum { ABSENT_MAX = 10 };

/* What a key picture lets a consumer have. */
static struct layers key_level(const struct vp9_layers *l, const struct vp9_desc *d)
{
    struct layers level = l->goal;
    if (d->ss.n_spatial > 0)
        level.spatial = layer_min(level.spatial, (int8_t)(d->ss.n_spatial - 1));
    else if (l->absent >= ABSENT_MAX)
        level.spatial = layer_min(level.spatial, (int8_t)l->top);
    return level;
}

static void number_picture(struct vp9_layers *l, const struct vp9_desc *d)
{
    l->id_out = (d->picture_id + l->id_offset) & 0x7fff;
    l->tl0_out = (uint8_t)(d->tl0_pic_idx + l->tl0_offset);
}

void vp9_layers_sync(struct vp9_layers *l, const struct layer_packet *p, struct layers target)
{
    const struct vp9_desc *d = &p->vp9;
    if (p->info != LAYER_INFO_VP9)
        return;
    l->id_offset = l->sent ? (uint16_t)(l->id_out + 1 - d->picture_id) : 0;
    l->tl0_offset = l->sent ? (uint8_t)(l->tl0_out + 1 - d->tl0_pic_idx) : 0;
    number_picture(l, d);
    l->sent = true;
    l->newest = p->picture;
    l->goal = target;
    l->intra = true;
    levels_start(&l->levels, p->picture, key_level(l, d));
    l->absent = 0;
    l->top = 0;
}

static int8_t next_temporal(const struct vp9_desc *d, int8_t level, int8_t goal)
{
    if (goal <= level || !d->switching_up)
        return layer_min(level, goal);
    /* RFC 9628 4.2, U: "subsequent higher temporal-layer pictures will not depend on any picture
     * before the current picture (in decode order) with temporal-layer ID value greater than T". */
    if (d->temporal == 0)
        return goal;
    /* Encoders also set it on the picture that itself needs nothing of its own layer. */
    return d->temporal == level + 1 ? (int8_t)d->temporal : level;
}

static void begin_picture(struct vp9_layers *l, const struct layer_packet *p, struct layers target)
{
    const struct vp9_desc *d = &p->vp9;
    struct layers level = levels_now(&l->levels);
    struct layers next = level;
    l->absent =
        (int8_t)l->top < level.spatial ? (uint8_t)layer_min(100, (int8_t)(l->absent + 1)) : 0;
    l->goal = target;
    if (p->key_frame) {
        next = key_level(l, d);
        l->absent = 0;
    } else {
        next.temporal = next_temporal(d, level.temporal, target.temporal);
        /* The lower layers of K-SVC were not sent: nothing there to go on from. */
        if (!l->key_svc)
            next.spatial = layer_min(level.spatial, target.spatial);
    }
    if (!layers_equal(level, next))
        levels_set(&l->levels, p->picture, next);
    number_picture(l, d);
    l->newest = p->picture;
    l->intra = true;
    l->top = 0;
}

/* A frame of the next spatial layer that depends on nothing but the layer below, in the same
 * picture: from here on this layer can be decoded. On the lowest temporal layer, or later pictures
 * may depend on what was left out. */
static void switch_up(struct vp9_layers *l, const struct layer_packet *p)
{
    const struct vp9_desc *d = &p->vp9;
    struct layers level = levels_now(&l->levels);
    if (d->inter_picture)
        l->intra = false;
    if (d->spatial > l->top)
        l->top = d->spatial;
    if (d->spatial != level.spatial + 1 || d->spatial > l->goal.spatial || d->inter_picture ||
        !d->inter_layer || d->temporal > 0 || (l->key_svc && !l->intra))
        return;
    level.spatial = (int8_t)d->spatial;
    levels_set(&l->levels, p->picture, level);
}

static bool wanted(const struct vp9_layers *l, const struct vp9_desc *d, struct layers level)
{
    if (d->temporal > level.temporal || d->spatial > level.spatial)
        return false;
    return d->spatial == level.spatial || !l->key_svc || !d->inter_picture;
}

struct layer_choice vp9_layers_packet(struct vp9_layers *l, const struct layer_packet *p,
                                      struct layers target)
{
    const struct vp9_desc *d = &p->vp9;
    struct layer_choice choice = {.verdict = LAYER_FORWARD, .marker = p->marker};
    struct layers level;
    /* Not even a descriptor: no decoder can use it, but loss is not ours to hide. */
    if (p->info != LAYER_INFO_VP9)
        return choice;
    if (p->picture > l->newest)
        begin_picture(l, p, target);
    if (p->picture == l->newest)
        switch_up(l, p);
    struct layers now = levels_now(&l->levels);
    choice.want_key_frame = (d->spatial > now.spatial && d->spatial <= l->goal.spatial) ||
                            (l->key_svc && l->goal.spatial < now.spatial) ||
                            (l->key_svc && l->absent >= ABSENT_MAX);
    if (!levels_at(&l->levels, p->picture, &level) || !wanted(l, d, level)) {
        choice.verdict = LAYER_DROP;
        return choice;
    }
    /* RFC 9628 4.1: the marker is on the last packet of the picture, which is now this one. */
    choice.marker |= d->has_layers && d->end && d->spatial == level.spatial;
    uint16_t id = (d->picture_id + l->id_offset) & (d->picture_id_15 ? 0x7fff : 0x7f);
    uint8_t tl0 = (uint8_t)(d->tl0_pic_idx + l->tl0_offset);
    if (id != d->picture_id || tl0 != d->tl0_pic_idx)
        choice.patch = layer_patch_picture(id, tl0);
    return choice;
}
