/* Spatial and temporal layers: how a limit and a choice of them are said, what is decided about one
 * packet, and the history of decisions that late packets are judged by. Pure. */
#ifndef WEIR_RTP_LAYERS_H
#define WEIR_RTP_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LAYERS_SPATIAL_MAX = 8, /* VP9 has 3 bits of each; the other codecs fewer */
    LAYERS_TEMPORAL_MAX = 8,
    LAYER_NONE = -1,
    LAYER_ANY = 127 /* as a limit: however many there are */
};

/* The highest layers that are meant; those below come with them. */
struct layers {
    int8_t spatial; /* LAYER_NONE: nothing at all, temporal is LAYER_NONE too */
    int8_t temporal;
};

#define LAYERS_NONE ((struct layers){.spatial = LAYER_NONE, .temporal = LAYER_NONE})
#define LAYERS_ANY ((struct layers){.spatial = LAYER_ANY, .temporal = LAYER_ANY})

static inline bool layers_equal(struct layers a, struct layers b)
{
    return a.spatial == b.spatial && a.temporal == b.temporal;
}

static inline int8_t layer_min(int8_t a, int8_t b)
{
    return a < b ? a : b;
}

static inline struct layers layers_min(struct layers a, struct layers b)
{
    return (struct layers){.spatial = layer_min(a.spatial, b.spatial),
                           .temporal = layer_min(a.temporal, b.temporal)};
}

/* ---- what is decided about one packet ---- */

enum layer_verdict {
    LAYER_DROP,
    LAYER_FORWARD,
    LAYER_UNKNOWN /* what it needs to be understood has not come: neither; ask again when it has */
};

/* What differs from the received packet in a consumer's copy, small enough to be kept with every
 * packet that may have to be sent again (struct sent_rtp.patch). 0: nothing.
 *
 *   bit 31     rewrite: the codec's fields below
 *   bit 30     empty: no payload; it only fills a sequence number
 *   VP8, VP9   bits 0..14 picture id, 15..22 TL0PICIDX
 *   by DD      bits 0..15 frame number, 16..20 decode target, 21: write the mask of active ones */
typedef uint32_t layer_patch;

#define LAYER_PATCH_REWRITE UINT32_C(0x80000000)
#define LAYER_PATCH_EMPTY UINT32_C(0x40000000)
#define LAYER_PATCH_MASK UINT32_C(0x00200000)

static inline layer_patch layer_patch_picture(uint16_t picture_id, uint8_t tl0_pic_idx)
{
    return LAYER_PATCH_REWRITE | (picture_id & 0x7fffU) | (uint32_t)tl0_pic_idx << 15;
}

static inline layer_patch layer_patch_frame(uint16_t frame_number, uint8_t target, bool mask)
{
    return LAYER_PATCH_REWRITE | frame_number | (uint32_t)(target & 31U) << 16 |
           (mask ? LAYER_PATCH_MASK : 0);
}

struct layer_choice {
    enum layer_verdict verdict;
    bool marker;
    bool want_key_frame; /* the layers that are wanted cannot be reached without one */
    layer_patch patch;
};

/* ---- history of decisions ---- */

enum { LEVELS_MAX = 8 };

/* From this picture (or frame) on, until the next entry. */
struct level {
    int64_t from;
    struct layers at;
};

/* Layers are changed at the newest picture only. What arrives late is judged by what was in force
 * at its place, so that the packets of a picture always meet the same fate. */
struct levels {
    struct level ring[LEVELS_MAX];
    uint8_t newest; /* index */
    uint8_t n;
};

/* Forgets everything before. */
static inline void levels_start(struct levels *l, int64_t from, struct layers at)
{
    l->ring[0] = (struct level){.from = from, .at = at};
    l->newest = 0;
    l->n = 1;
}

/* from: not before the newest entry's. */
static inline void levels_set(struct levels *l, int64_t from, struct layers at)
{
    if (l->ring[l->newest].from != from) {
        l->newest = (uint8_t)((l->newest + 1) % LEVELS_MAX);
        if (l->n < LEVELS_MAX)
            l->n++;
    }
    l->ring[l->newest] = (struct level){.from = from, .at = at};
}

static inline struct layers levels_now(const struct levels *l)
{
    return l->n == 0 ? LAYERS_NONE : l->ring[l->newest].at;
}

/* False: from before all that is remembered. */
static inline bool levels_at(const struct levels *l, int64_t when, struct layers *out)
{
    unsigned i = l->newest;
    for (unsigned k = 0; k < l->n; k++) {
        if (l->ring[i].from <= when) {
            *out = l->ring[i].at;
            return true;
        }
        i = (i + LEVELS_MAX - 1) % LEVELS_MAX;
    }
    return false;
}

#endif
