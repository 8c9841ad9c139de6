#include "worker/rtp/dd_cache.h"

void dd_cache_init(struct dd_cache *c)
{
    for (uint8_t i = 0; i < 3; i++)
        c->epochs[i].valid = false;
    c->newer = 0;
    c->older = 1;
    c->spare = 2;
    c->active = 0;
    c->frames = (struct seq_unwrap){0};
}

/* The structure that a frame refers to, or NULL. */
static const struct dd_epoch *epoch_of(const struct dd_cache *c, int64_t frame)
{
    const struct dd_epoch *newer = &c->epochs[c->newer];
    const struct dd_epoch *older = &c->epochs[c->older];
    if (newer->valid && frame >= newer->from)
        return newer;
    return older->valid && frame >= older->from ? older : NULL;
}

static void derive_support(struct dd_epoch *e)
{
    const struct dd_structure *s = &e->structure;
    for (unsigned t = 0; t < s->n_targets; t++) {
        e->support[t] = 0;
        for (unsigned u = 0; u < s->n_targets; u++) {
            bool all = true;
            for (unsigned i = 0; i < s->n_templates && all; i++)
                all = s->templates[i].dtis[u] == DD_NOT_PRESENT ||
                      s->templates[i].dtis[t] != DD_NOT_PRESENT;
            if (all)
                e->support[t] |= 1U << u;
        }
    }
}

static void swap(uint8_t *a, uint8_t *b)
{
    uint8_t t = *a;
    *a = *b;
    *b = t;
}

static bool same_structure(const struct dd_epoch *a, const struct dd_epoch *b)
{
    return a->valid && memcmp(&a->structure, &b->structure, sizeof a->structure) == 0;
}

/* A structure was read into the spare place. The same one may come again with each key frame, and
 * in S modes with that of each layer, in any order. */
static const struct dd_epoch *take_structure(struct dd_cache *c, int64_t frame)
{
    struct dd_epoch *fresh = &c->epochs[c->spare];
    struct dd_epoch *newer = &c->epochs[c->newer];
    if (same_structure(newer, fresh)) {
        const struct dd_epoch *older = &c->epochs[c->older];
        if (frame < newer->from && (!older->valid || frame > older->from))
            newer->from = frame;
        return newer;
    }
    derive_support(fresh);
    fresh->from = frame;
    fresh->valid = true;
    swap(&c->spare, &c->older);
    if (!newer->valid || frame > newer->from)
        swap(&c->older, &c->newer);
    return fresh;
}

bool dd_cache_packet(struct dd_cache *c, struct slice element, struct dd_packet *out)
{
    if (element.n < DD_MANDATORY_LEN)
        return false;
    uint16_t number = (uint16_t)(element.p[1] << 8 | element.p[2]);
    int64_t frame = seq_unwrap16_peek(&c->frames, number);
    const struct dd_epoch *known = epoch_of(c, frame);
    if (dd_parse(element, known ? &known->structure : NULL, &c->epochs[c->spare].structure,
                 &out->dd) != OK)
        return false;
    if (out->dd.has_structure)
        known = take_structure(c, frame);
    bool newest = !c->frames.started || frame >= c->frames.highest;
    (void)seq_unwrap16(&c->frames, number);
    if (newest && known == &c->epochs[c->newer] &&
        (out->dd.has_structure || out->dd.has_active_targets))
        c->active = out->dd.active_targets;
    out->epoch = known;
    out->frame = frame;
    out->active = c->active;
    return true;
}

/* The whole element anew, with the mask of what the consumer gets. */
static struct slice write_mask(const struct dd_cache *c, layer_patch patch, struct slice element,
                               uint8_t out[DD_LEN_MAX])
{
    static const struct slice none;
    struct dd_structure fresh;
    struct dd d;
    uint16_t number = (uint16_t)(element.p[1] << 8 | element.p[2]);
    const struct dd_epoch *e = epoch_of(c, seq_unwrap16_peek(&c->frames, number));
    unsigned target = patch >> 16 & 31;
    if (!e || target >= e->structure.n_targets ||
        dd_parse(element, &e->structure, &fresh, &d) != OK)
        return none;
    d.has_active_targets = true;
    d.active_targets = e->support[target] & (e == &c->epochs[c->newer] ? c->active : UINT32_MAX);
    d.frame_number = (uint16_t)patch;
    struct wr w = wr_of(out, DD_LEN_MAX);
    if (dd_write(&w, d.has_structure ? &fresh : &e->structure, &d) != OK)
        return none;
    return slice_of(out, wr_len(&w));
}

struct slice dd_cache_patch(const struct dd_cache *c, layer_patch patch, struct slice element,
                            uint8_t out[DD_LEN_MAX])
{
    if ((patch & LAYER_PATCH_REWRITE) == 0 || element.n < DD_MANDATORY_LEN ||
        element.n > DD_LEN_MAX)
        return element;
    if ((patch & LAYER_PATCH_MASK) != 0) {
        struct slice written = write_mask(c, patch, element, out);
        if (written.n > 0)
            return written;
    }
    memcpy(out, element.p, element.n);
    put_u16(out + 1, (uint16_t)patch);
    return slice_of(out, element.n);
}
