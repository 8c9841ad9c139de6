/* Initialization segments of a track: the encoder's, and those of a broadcaster whose picture
 * changes its size or is turned while it passes through. */
#include <stdlib.h>
#include <string.h>

#include "controller/hls/bmff_rotate.h"
#include "controller/hls/presentation_state.h"

static bool same_bytes(const struct blob *b, struct slice s)
{
    return b->n == s.n && memcmp(b->bytes, s.p, s.n) == 0;
}

/* Takes the reference. */
static void add_init(struct hls_track *t, const struct media_format *format, struct blob *b)
{
    struct hls_init *grown = realloc(t->inits, (t->n_inits + 1) * sizeof *grown);
    if (!grown) {
        blob_unref(b);
        t->failed = ERR_NOMEM;
        return;
    }
    t->inits = grown;
    struct hls_init *init = &t->inits[t->n_inits++];
    *init = (struct hls_init){.id = t->next_init++, .bytes = b, .format = *format};
    list_each (node, &t->parent->observers) {
        struct presentation_observer *o = container_of(node, struct presentation_observer, node);
        if (o->on_init)
            o->on_init(o->ctx, t, init);
    }
}

/* What passes through is turned by who plays it. */
static unsigned rotation_of(const struct hls_track *t)
{
    return t->spec.copied && hls_track_leads(t) ? t->parent->rotation : 0;
}

/* Takes the reference. */
static void turn_and_add_init(struct hls_track *t, const struct media_format *format,
                              struct blob *b)
{
    struct media_format turned = *format;
    unsigned rotation = rotation_of(t);
    bool turns = rotation != 0 || t->rotation != 0;
    if (turns && bmff_rotate_init(b, rotation) == OK)
        turned.rotation = (uint16_t)rotation;
    /* Also where that could not be done, so that it is not tried with each key frame. */
    t->rotation = rotation;
    const struct blob *old = t->n_inits > 0 ? t->inits[t->n_inits - 1].bytes : NULL;
    if (old && same_bytes(old, slice_of(b->bytes, b->n)))
        blob_unref(b);
    else
        add_init(t, &turned, b);
}

void hls_track_on_init(void *ctx, const struct media_format *format, struct slice bytes)
{
    struct hls_track *t = ctx;
    struct blob *b = blob_new(bytes.n);
    if (!b) {
        t->failed = ERR_NOMEM;
        return;
    }
    memcpy(b->bytes, bytes.p, bytes.n);
    turn_and_add_init(t, format, b);
}

/* ---- a broadcaster whose picture changes ---- */

/* The newest sample begins another picture: what was before is a segment, what comes has another
 * initialization segment. Only what leads is copied. Takes the reference. */
static void change_init(struct hls_track *t, struct blob *b)
{
    struct media_format format;
    uint32_t defaults[3];
    if (bmff_parse_init(slice_of(b->bytes, b->n), &format, defaults) != OK) {
        t->rotation = rotation_of(t); /* not again with each key frame */
        blob_unref(b);
        return;
    }
    hls_track_end_before_newest(t);
    turn_and_add_init(t, &format, b);
}

static void change_sets(struct hls_track *t, const struct avc_sets *sets)
{
    struct blob *b = NULL;
    const struct blob *old = t->inits[t->n_inits - 1].bytes;
    /* What cannot be read is left to players: the sets stay in band. */
    if (avc_change_init(slice_of(old->bytes, old->n), sets, &b) == OK)
        change_init(t, b);
}

static void look_at_sets(struct hls_track *t, struct slice sample)
{
    struct avc_sets sets;
    if (!avc_find_sets(sample, &sets))
        return;
    if (t->has_sets && !avc_same_sets(&t->sets, &sets))
        change_sets(t, &sets);
    t->has_sets = true;
    t->sets = sets;
}

static void look_at_rotation(struct hls_track *t)
{
    const struct blob *old = t->inits[t->n_inits - 1].bytes;
    if (rotation_of(t) == t->rotation)
        return;
    struct blob *b = blob_new(old->n);
    if (!b) {
        t->failed = ERR_NOMEM;
        return;
    }
    memcpy(b->bytes, old->bytes, old->n);
    change_init(t, b);
}

void hls_track_look_at_key_frame(struct hls_track *t, struct slice sample)
{
    look_at_sets(t, sample);
    if (t->failed == OK)
        look_at_rotation(t);
}
