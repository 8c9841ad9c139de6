#include "worker/rtp/dd_layers.h"

#include <string.h>

/* ---- which frames a receiver has ---- */

static bool bit(const uint64_t *ring, int64_t frame)
{
    uint64_t i = (uint64_t)frame % DD_LAYERS_WINDOW;
    return ring[i / 64] >> (i % 64) & 1;
}

static void set_bit(uint64_t *ring, int64_t frame, bool on)
{
    uint64_t i = (uint64_t)frame % DD_LAYERS_WINDOW;
    uint64_t mask = (uint64_t)1 << (i % 64);
    ring[i / 64] = on ? ring[i / 64] | mask : ring[i / 64] & ~mask;
}

static void clear_frames(struct dd_layers *l)
{
    memset(l->forwarded, 0, sizeof l->forwarded);
    memset(l->dropped, 0, sizeof l->dropped);
}

static void advance(struct dd_layers *l, int64_t frame)
{
    if (frame - l->newest >= DD_LAYERS_WINDOW)
        clear_frames(l);
    else
        for (int64_t f = l->newest + 1; f <= frame; f++) {
            set_bit(l->forwarded, f, false);
            set_bit(l->dropped, f, false);
        }
    l->newest = frame;
}

enum references { REFERENCES_FORWARDED, REFERENCES_DROPPED, REFERENCES_OUTSTANDING };

static enum references references(const struct dd_layers *l, const struct dd_packet *p)
{
    enum references r = REFERENCES_FORWARDED;
    for (unsigned i = 0; i < p->dd.n_fdiffs; i++) {
        int64_t f = p->frame - p->dd.fdiffs[i];
        bool known = l->newest - f < DD_LAYERS_WINDOW;
        if (!known || bit(l->dropped, f))
            return REFERENCES_DROPPED;
        if (!bit(l->forwarded, f))
            r = REFERENCES_OUTSTANDING;
    }
    return r;
}

/* ---- the decode target ---- */

/* The best active one within the limits: space before time. LAYER_NONE: none. */
static int8_t best_target(const struct dd_packet *p, struct layers limit)
{
    const struct dd_structure *s = &p->epoch->structure;
    int best = LAYER_NONE;
    for (int i = 0; i < s->n_targets; i++) {
        if ((p->active >> i & 1) == 0 || s->target_spatial[i] > limit.spatial ||
            s->target_temporal[i] > limit.temporal)
            continue;
        if (best < 0 || s->target_spatial[i] > s->target_spatial[best] ||
            (s->target_spatial[i] == s->target_spatial[best] &&
             s->target_temporal[i] > s->target_temporal[best]))
            best = i;
    }
    return (int8_t)best;
}

static void use_target(struct dd_layers *l, const struct dd_packet *p, int64_t from, int8_t target)
{
    const struct dd_structure *s = &p->epoch->structure;
    levels_set(&l->levels, from, (struct layers){.spatial = target, .temporal = 0});
    l->current = target < 0 ? LAYERS_NONE
                            : (struct layers){.spatial = (int8_t)s->target_spatial[target],
                                              .temporal = (int8_t)s->target_temporal[target]};
}

/* Begins with the key frame that the packet begins. */
static void start(struct dd_layers *l, const struct layer_packet *p, struct layers target)
{
    const struct dd_packet *d = &p->dd;
    l->pass = p->info != LAYER_INFO_DD;
    l->goal = target;
    l->picture = p->picture;
    if (l->pass) {
        l->levels.n = 0;
        l->current = (struct layers){0};
        return;
    }
    l->newest = d->frame;
    clear_frames(l);
    levels_start(&l->levels, d->frame, LAYERS_NONE);
    use_target(l, d, d->frame, best_target(d, target));
}

void dd_layers_sync(struct dd_layers *l, const struct layer_packet *p, struct layers target)
{
    if (p->info == LAYER_INFO_DD) {
        l->offset = l->sent ? (uint16_t)(l->newest + l->offset + 1 - p->dd.frame) : 0;
        l->sent = true;
    }
    start(l, p, target);
}

/* A new frame. A.4.4: a Switch indication says that, if this frame can be decoded, so can all that
 * follow of the decode target. True: the layers that are wanted need a key frame. */
static bool begin_frame(struct dd_layers *l, const struct layer_packet *p, struct layers target)
{
    const struct dd_packet *d = &p->dd;
    int64_t unseen = l->newest + 1;
    advance(l, d->frame);
    if (p->picture > l->picture || d->dd.has_structure) {
        l->picture = p->picture;
        l->goal = target;
    }
    int8_t now = levels_now(&l->levels).spatial;
    int8_t best = best_target(d, l->goal);
    if (d->dd.has_structure) {
        /* In S modes each layer's key frame brings it; those of lower layers may have been
         * overtaken. */
        int64_t from = d->frame - d->dd.spatial;
        use_target(l, d, from > unseen ? from : unseen, best);
        return false;
    }
    /* Without any that is active and wanted, what is there goes on. */
    if (best == now || best < 0 || d->dd.dtis[best] != DD_SWITCH)
        return false;
    enum references r = references(l, d);
    if (r == REFERENCES_FORWARDED)
        use_target(l, d, d->frame, best);
    /* In time the sender offers another switch soon, in space perhaps never. */
    const struct dd_structure *s = &d->epoch->structure;
    return r == REFERENCES_DROPPED &&
           (now < 0 || s->target_spatial[best] != s->target_spatial[now]);
}

/* Whether the receiver is to be told which decode targets it still gets: with each structure, and
 * where they change. */
static bool tell_mask(const struct dd_layers *l, const struct dd_packet *d, int8_t target)
{
    bool changed = d->dd.start_of_frame && levels_now(&l->levels).spatial == target &&
                   l->levels.ring[l->levels.newest].from == d->frame;
    if (!d->dd.has_structure && !changed)
        return false;
    uint32_t mask = d->active & d->epoch->support[target];
    return d->dd.has_structure || d->dd.has_active_targets ? mask != d->dd.active_targets : true;
}

struct layer_choice dd_layers_packet(struct dd_layers *l, const struct layer_packet *p,
                                     struct layers target)
{
    const struct dd_packet *d = &p->dd;
    struct layer_choice choice = {.verdict = LAYER_FORWARD, .marker = p->marker};
    struct layers level;
    if (p->key_frame && (l->pass || p->info == LAYER_INFO_MISSING) && p->picture > l->picture)
        start(l, p, target);
    if (p->info == LAYER_INFO_NONE || l->pass)
        return choice;
    /* What it refers to is forgotten already. */
    if (p->info != LAYER_INFO_DD && p->picture < l->picture) {
        choice.verdict = LAYER_DROP;
        return choice;
    }
    if (p->info != LAYER_INFO_DD) {
        choice.verdict = LAYER_UNKNOWN;
        choice.want_key_frame = true;
        return choice;
    }
    if (d->frame > l->newest)
        choice.want_key_frame = begin_frame(l, p, target);
    bool known = levels_at(&l->levels, d->frame, &level) && level.spatial >= 0 &&
                 level.spatial < d->epoch->structure.n_targets;
    bool wanted = known && d->dd.dtis[level.spatial] != DD_NOT_PRESENT;
    if (l->newest - d->frame < DD_LAYERS_WINDOW)
        set_bit(wanted ? l->forwarded : l->dropped, d->frame, true);
    if (!wanted) {
        choice.verdict = LAYER_DROP;
        return choice;
    }
    /* The marker ends the picture; its last frame is now the decode target's highest. */
    choice.marker |=
        d->dd.end_of_frame && d->dd.spatial == d->epoch->structure.target_spatial[level.spatial];
    uint16_t number = (uint16_t)(d->dd.frame_number + l->offset);
    bool mask = tell_mask(l, d, level.spatial);
    if (number != d->dd.frame_number || mask)
        choice.patch = layer_patch_frame(number, (uint8_t)level.spatial, mask);
    return choice;
}
