#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controller/hls/presentation_state.h"

enum { CUT_SLACK_US = 1000 };

/* ---- time ---- */

static usec time_of(const struct hls_track *t, int64_t dts)
{
    return t->parent->base + dts * USEC_PER_SEC / (int64_t)t->reader.format.timescale;
}

static usec sample_time(const struct hls_track *t, size_t i)
{
    return time_of(t, t->waiting.samples[i].dts);
}

usec hls_track_newest(const struct hls_track *t)
{
    return t->waiting.n > 0 ? sample_time(t, t->waiting.n - 1) : USEC_NEVER;
}

bool hls_track_leads(const struct hls_track *t)
{
    return t == &t->parent->tracks[t->parent->leader];
}

/* ---- windows ---- */

static struct hls_segment *at(const struct hls_track *t, size_t i)
{
    return &t->ring[(t->head + i) % t->cap];
}

static void drop_parts(struct hls_segment *s)
{
    for (size_t i = 0; s->parts && i < s->n_parts; i++)
        blob_unref(s->parts[i].bytes);
    free(s->parts);
    s->parts = NULL;
}

/* Initialization segments that no segment needs any more; the newest stays. */
static void drop_inits(struct hls_track *t)
{
    uint32_t oldest = t->n > 0 ? at(t, 0)->init : t->next_init;
    size_t gone = 0;
    while (gone + 1 < t->n_inits && t->inits[gone].id < oldest)
        blob_unref(t->inits[gone++].bytes);
    t->n_inits -= gone;
    if (gone > 0)
        memmove(t->inits, t->inits + gone, t->n_inits * sizeof *t->inits);
}

static void expire_oldest(struct hls_track *t)
{
    struct hls_segment *s = at(t, 0);
    if (t->in_memory == t->n) {
        t->in_memory--;
        t->memory -= s->duration;
    }
    list_each (node, &t->parent->observers) {
        struct presentation_observer *o = container_of(node, struct presentation_observer, node);
        if (o->on_expired)
            o->on_expired(o->ctx, t, s);
    }
    t->discontinuities += s->discontinuity;
    t->window -= s->duration;
    drop_parts(s);
    t->head = (t->head + 1) % t->cap;
    t->n--;
    t->first_msn++;
    drop_inits(t);
}

/* What leaves the memory stays in the window only if it is in the store. */
static void trim_memory(struct hls_track *t)
{
    const struct presentation_config *c = &t->parent->config;
    while (t->in_memory > 1) {
        size_t i = t->n - t->in_memory;
        struct hls_segment *s = at(t, i);
        if (t->memory - s->duration < c->memory)
            return;
        if (s->stored || s->gap) {
            drop_parts(s);
            t->in_memory--;
            t->memory -= s->duration;
            continue;
        }
        for (size_t k = 0; k <= i; k++)
            expire_oldest(t);
    }
}

static void trim(struct hls_track *t)
{
    trim_memory(t);
    while (t->n > 1 && t->window - at(t, 0)->duration >= t->parent->config.window)
        expire_oldest(t);
}

static bool make_room(struct hls_track *t)
{
    if (t->n < t->cap)
        return true;
    size_t cap = t->cap ? t->cap * 2 : 32;
    struct hls_segment *grown = calloc(cap, sizeof *grown);
    if (!grown)
        return false;
    for (size_t i = 0; i < t->n; i++)
        grown[i] = *at(t, i);
    free(t->ring);
    t->ring = grown;
    t->cap = cap;
    t->head = 0;
    return true;
}

/* Takes the segment over. */
static void push(struct hls_track *t, struct hls_segment *s)
{
    if (!make_room(t)) {
        drop_parts(s);
        t->failed = ERR_NOMEM;
        return;
    }
    t->n++;
    *at(t, t->n - 1) = *s;
    t->in_memory++;
    t->memory += s->duration;
    t->window += s->duration;
    if (s->duration > t->longest_segment)
        t->longest_segment = s->duration;
    if (hls_track_leads(t) && !s->gap)
        presentation_first_segment(t->parent, s->duration);
    if (s->start + s->duration > t->parent->until)
        t->parent->until = s->start + s->duration;
    list_each (node, &t->parent->observers) {
        struct presentation_observer *o = container_of(node, struct presentation_observer, node);
        if (o->on_segment)
            o->on_segment(o->ctx, t, at(t, t->n - 1));
    }
    trim(t);
}

/* ---- cutting ---- */

static void close_segment(struct hls_track *t)
{
    struct hls_segment s = t->open;
    t->open = (struct hls_segment){0};
    t->parts_cap = 0;
    push(t, &s);
}

/* Where the leading track changed, all go on after a discontinuity: numbers of it must agree. */
static bool leader_changes(const struct hls_track *t)
{
    const struct hls_track *leader = &t->parent->tracks[t->parent->leader];
    uint64_t msn = hls_track_next_msn(t);
    const struct hls_segment *s = hls_track_segment(leader, msn);
    if (s)
        return s->discontinuity;
    return msn == hls_track_next_msn(leader) && leader->discontinuity;
}

static void open_segment(struct hls_track *t, usec start)
{
    struct presentation *p = t->parent;
    t->discontinuity = t->discontinuity || leader_changes(t);
    t->open = (struct hls_segment){.msn = hls_track_next_msn(t),
                                   .start = start,
                                   .wall = p->wall + (start - p->base),
                                   .init = t->n_inits > 0 ? t->inits[t->n_inits - 1].id : 0,
                                   .discontinuity = t->discontinuity};
    t->discontinuity = false;
    t->parts_cap = 0;
}

static bool room_for_part(struct hls_track *t)
{
    if (t->open.n_parts < t->parts_cap)
        return true;
    size_t cap = t->parts_cap ? t->parts_cap * 2 : 8;
    struct hls_part *grown = realloc(t->open.parts, cap * sizeof *grown);
    if (!grown)
        return false;
    t->open.parts = grown;
    t->parts_cap = cap;
    return true;
}

/* The first k samples become the next part of the open segment; last: its last one. */
static void take_part(struct hls_track *t, size_t k, bool last)
{
    const struct presentation *p = t->parent;
    usec start = sample_time(t, 0);
    usec end = time_of(t, bmff_chunk_end(&t->waiting, k));
    bool independent = t->waiting.samples[0].sync;
    int64_t base = p->base * (int64_t)t->reader.format.timescale / USEC_PER_SEC;
    if (t->open.n_parts == 0)
        open_segment(t, start);
    struct blob *bytes =
        room_for_part(t) ? bmff_chunk_take(&t->waiting, k, ++t->fragments, base) : NULL;
    if (!bytes) {
        t->failed = ERR_NOMEM;
        return;
    }
    struct hls_segment *s = &t->open;
    struct hls_part *part = &s->parts[s->n_parts++];
    *part = (struct hls_part){.bytes = bytes, .duration = end - start, .independent = independent};
    s->size += bytes->n;
    s->frames += k;
    s->duration = end - s->start;
    s->complete = last;
    if (part->duration > t->longest_part)
        t->longest_part = part->duration;
    list_each (node, &t->parent->observers) {
        struct presentation_observer *o = container_of(node, struct presentation_observer, node);
        if (o->on_part)
            o->on_part(o->ctx, t, s, part);
    }
}

bool hls_track_boundary(const struct hls_track *t, uint64_t msn, usec *out)
{
    const struct hls_segment *s = hls_track_segment(t, msn);
    if (s) {
        *out = s->start;
        return true;
    }
    if (msn != hls_track_next_msn(t) || t->waiting.n == 0)
        return false;
    *out = sample_time(t, 0);
    return true;
}

/* Whether a segment begins with sample i > 0. */
static bool begins_segment(const struct hls_track *t, size_t i)
{
    const struct presentation *p = t->parent;
    const struct media_format *f = &t->reader.format;
    usec time = sample_time(t, i);
    if (f->video && !t->waiting.samples[i].sync)
        return false;
    if (hls_track_leads(t)) {
        usec start = t->open.n_parts > 0 ? t->open.start : sample_time(t, 0);
        return time - start >=
               (f->video ? hls_least_segment(p->config.segment) : p->config.segment);
    }
    usec boundary;
    usec frame = time - sample_time(t, i - 1);
    return hls_track_boundary(&p->tracks[p->leader], hls_track_next_msn(t) + 1, &boundary) &&
           time + frame / 2 >= boundary;
}

/* Where the next part ends: before sample *k. False: more has to come first. */
static bool find_cut(const struct hls_track *t, usec leader_time, size_t *k, bool *ends_segment)
{
    usec start = sample_time(t, 0);
    for (size_t i = 1; i < t->waiting.n; i++) {
        usec time = sample_time(t, i);
        if (time > leader_time)
            return false;
        *k = i;
        *ends_segment = begins_segment(t, i);
        usec frame = time - sample_time(t, i - 1);
        if (*ends_segment || time + frame - start > t->parent->config.part + CUT_SLACK_US)
            return true;
    }
    return false;
}

void hls_track_cut(struct hls_track *t, usec leader_time)
{
    size_t k;
    bool ends_segment;
    while (t->failed == OK && t->waiting.n > 1 && find_cut(t, leader_time, &k, &ends_segment)) {
        bool last = ends_segment || t->open.n_parts + 1 == HLS_PARTS_MAX;
        take_part(t, k, last);
        if (t->failed == OK && last)
            close_segment(t);
    }
}

void hls_track_run_end(struct hls_track *t)
{
    hls_track_cut(t, USEC_NEVER);
    if (t->waiting.n > 0 && t->failed == OK)
        take_part(t, t->waiting.n, true);
    if (t->open.n_parts > 0)
        close_segment(t);
    bmff_chunk_fini(&t->waiting);
    bmff_reader_fini(&t->reader);
}

void hls_track_add_gap(struct hls_track *t, const struct hls_segment *like)
{
    struct hls_segment s = {.msn = hls_track_next_msn(t),
                            .start = like->start,
                            .duration = like->duration,
                            .wall = like->wall,
                            .init = t->n_inits > 0 ? t->inits[t->n_inits - 1].id : 0,
                            .discontinuity = like->discontinuity,
                            .gap = true};
    if (like->discontinuity)
        t->discontinuity = false;
    push(t, &s);
}

void hls_track_end_before_newest(struct hls_track *t)
{
    if (t->waiting.n > 1)
        take_part(t, t->waiting.n - 1, true);
    if (t->open.n_parts > 0 && t->failed == OK)
        close_segment(t);
    t->discontinuity = true;
}

/* ---- what encoders bring ---- */

static void on_sample(void *ctx, const struct media_sample *s)
{
    /* A year at 90 kHz is 2^41.4; beyond, products of times would overflow. */
    static const int64_t limit = (int64_t)1 << 42;
    struct hls_track *t = ctx;
    if (t->failed != OK)
        return;
    if (s->dts <= -limit || s->dts >= limit || time_of(t, s->dts) < 0) {
        t->failed = ERR_RANGE;
        return;
    }
    t->failed = bmff_chunk_add(&t->waiting, s);
    t->had_media = true;
    if (t->failed == OK && t->spec.copied && hls_track_leads(t) && s->sync)
        hls_track_look_at_key_frame(t, s->data);
}

/* ---- life ---- */

void hls_track_begin(struct hls_track *t, struct presentation *p, const struct track_spec *spec)
{
    *t = (struct hls_track){.parent = p,
                            .spec = *spec,
                            .first_msn = p->config.first_msn,
                            .discontinuities = p->config.first_discontinuity};
}

void hls_track_fini(struct hls_track *t)
{
    bmff_reader_fini(&t->reader);
    bmff_chunk_fini(&t->waiting);
    drop_parts(&t->open);
    for (size_t i = 0; i < t->n; i++)
        drop_parts(at(t, i));
    free(t->ring);
    for (size_t i = 0; i < t->n_inits; i++)
        blob_unref(t->inits[i].bytes);
    free(t->inits);
}

void hls_track_run_begin(struct hls_track *t)
{
    struct bmff_sink sink = {.on_init = hls_track_on_init, .on_sample = on_sample, .ctx = t};
    bmff_reader_init(&t->reader, &sink);
    bmff_chunk_init(&t->waiting);
    t->failed = OK;
    t->had_media = false;
    t->has_sets = false;
    t->discontinuity = hls_track_next_msn(t) > t->parent->config.first_msn;
}

/* ---- what there is ---- */

struct presentation *hls_track_presentation(const struct hls_track *t)
{
    return t->parent;
}

size_t hls_track_index(const struct hls_track *t)
{
    return (size_t)(t - t->parent->tracks);
}

const struct track_spec *hls_track_spec(const struct hls_track *t)
{
    return &t->spec;
}

const struct hls_init *hls_track_init(const struct hls_track *t)
{
    return t->n_inits > 0 ? &t->inits[t->n_inits - 1] : NULL;
}

const struct hls_init *hls_track_find_init(const struct hls_track *t, uint32_t id)
{
    for (size_t i = t->n_inits; i > 0; i--) {
        if (t->inits[i - 1].id == id)
            return &t->inits[i - 1];
    }
    return NULL;
}

uint64_t hls_track_first_msn(const struct hls_track *t)
{
    return t->first_msn;
}

uint64_t hls_track_next_msn(const struct hls_track *t)
{
    return t->first_msn + t->n;
}

const struct hls_segment *hls_track_segment(const struct hls_track *t, uint64_t msn)
{
    if (msn == hls_track_next_msn(t))
        return t->open.n_parts > 0 ? &t->open : NULL;
    return msn < t->first_msn || msn > hls_track_next_msn(t) ? NULL : at(t, msn - t->first_msn);
}

uint64_t hls_track_discontinuity_sequence(const struct hls_track *t)
{
    return t->discontinuities;
}

usec hls_track_longest_segment(const struct hls_track *t)
{
    return t->longest_segment;
}

usec hls_track_longest_part(const struct hls_track *t)
{
    return t->longest_part;
}

void hls_track_bandwidth(const struct hls_track *t, uint64_t *peak, uint64_t *average)
{
    uint64_t bits = 0;
    usec duration = 0;
    *peak = *average = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct hls_segment *s = at(t, i);
        if (s->duration <= 0 || s->gap)
            continue;
        uint64_t bps = (uint64_t)s->size * 8 * (uint64_t)USEC_PER_SEC / (uint64_t)s->duration;
        *peak = bps > *peak ? bps : *peak;
        bits += (uint64_t)s->size * 8;
        duration += s->duration;
    }
    if (duration > 0)
        *average = bits * (uint64_t)USEC_PER_SEC / (uint64_t)duration;
}

void hls_track_stored(struct hls_track *t, uint64_t msn)
{
    if (msn >= t->first_msn && msn < hls_track_next_msn(t))
        at(t, msn - t->first_msn)->stored = true;
}
