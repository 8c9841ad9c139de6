#include "worker/rtp/vp8_layers.h"

/* Picture ids further apart than this are a jump, not pictures that were lost. */
enum { LOST_PICTURES_MAX = 64 };

/* The id in 15 bits: one of 7 is taken for the nearest to the newest. */
static uint16_t id_of(const struct vp8_layers *l, const struct vp8_desc *d)
{
    if (d->picture_id_15)
        return d->picture_id;
    int8_t ahead = (int8_t)(uint8_t)((uint32_t)(d->picture_id - l->id) << 1);
    return (uint16_t)(l->id + ahead / 2) & 0x7fff;
}

void vp8_layers_sync(struct vp8_layers *l, const struct layer_packet *p, struct layers target)
{
    const struct vp8_desc *d = &p->vp8;
    if (p->info != LAYER_INFO_VP8)
        return;
    if (!l->sent) {
        seq_rewriter_init(&l->picture_ids, 15, d->picture_id);
        l->tl0_offset = 0;
    } else {
        l->tl0_offset = (uint8_t)(l->tl0_out + 1 - d->tl0_pic_idx);
    }
    seq_rewriter_sync(&l->picture_ids, d->picture_id);
    l->id = d->picture_id;
    l->tl0 = d->tl0_pic_idx;
    l->tl0_out = (uint8_t)(d->tl0_pic_idx + l->tl0_offset);
    l->newest = p->picture;
    l->sent = true;
    levels_start(&l->levels, p->picture,
                 (struct layers){.spatial = 0, .temporal = target.temporal});
}

/* Between two pictures of the lowest layer that follow each other by TL0PICIDX, only pictures of
 * higher layers can be missing. If those are not wanted, the receiver need not wait for them. */
static void skip_lost(struct vp8_layers *l, const struct vp8_desc *d, uint16_t id)
{
    int32_t gap = seq15_diff(id, l->id) - 1;
    if (d->tl0_at == 0 || d->temporal > 0 || levels_now(&l->levels).temporal > 0 ||
        (uint8_t)(d->tl0_pic_idx - l->tl0) != 1 || gap > LOST_PICTURES_MAX)
        return;
    for (int32_t i = 1; i <= gap; i++)
        (void)seq_rewriter_drop(&l->picture_ids, (uint16_t)(l->id + i));
}

static int8_t next_level(const struct layer_packet *p, int8_t level, int8_t target)
{
    const struct vp8_desc *d = &p->vp8;
    if (p->key_frame || target < level)
        return target;
    /* RFC 7741 4.2: Y means "the current frame depends only on the base layer". One step at a time,
     * since the layer above may depend on this one's earlier pictures. */
    if (target > level && d->layer_sync && d->temporal == level + 1)
        return (int8_t)d->temporal;
    return level;
}

static void begin_picture(struct vp8_layers *l, const struct layer_packet *p, int8_t target)
{
    const struct vp8_desc *d = &p->vp8;
    int8_t level = levels_now(&l->levels).temporal;
    int8_t next = next_level(p, level, target);
    if (d->picture_id_at != 0) {
        uint16_t id = id_of(l, d);
        skip_lost(l, d, id);
        if (d->temporal > next)
            (void)seq_rewriter_drop(&l->picture_ids, id);
        l->id = id;
    }
    if (next != level)
        levels_set(&l->levels, p->picture, (struct layers){.spatial = 0, .temporal = next});
    if (d->tl0_at != 0) {
        l->tl0 = d->tl0_pic_idx;
        l->tl0_out = (uint8_t)(d->tl0_pic_idx + l->tl0_offset);
    }
    l->newest = p->picture;
}

struct layer_choice vp8_layers_packet(struct vp8_layers *l, const struct layer_packet *p,
                                      struct layers target)
{
    const struct vp8_desc *d = &p->vp8;
    struct layer_choice choice = {.verdict = LAYER_FORWARD, .marker = p->marker};
    struct layers level;
    /* Not even a descriptor: no decoder can use it, but loss is not ours to hide. */
    if (p->info != LAYER_INFO_VP8)
        return choice;
    if (p->picture > l->newest)
        begin_picture(l, p, target.temporal);
    if (!levels_at(&l->levels, p->picture, &level) || d->temporal > level.temporal) {
        choice.verdict = LAYER_DROP;
        return choice;
    }
    uint16_t id = d->picture_id;
    if (d->picture_id_at != 0 && !seq_rewriter_map(&l->picture_ids, id_of(l, d), &id)) {
        choice.verdict = LAYER_DROP;
        return choice;
    }
    if (!d->picture_id_15)
        id &= 0x7f;
    uint8_t tl0 = (uint8_t)(d->tl0_pic_idx + l->tl0_offset);
    if (id != d->picture_id || tl0 != d->tl0_pic_idx)
        choice.patch = layer_patch_picture(id, tl0);
    return choice;
}
