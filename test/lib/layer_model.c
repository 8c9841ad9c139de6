#include "test/lib/layer_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/h264.h"

enum { BODY_LEN = 9 }; /* "WEIR", frame, index: at the end of each payload */

static bool chance(struct model *m, unsigned percent)
{
    return rng_u32(&m->rng) % 100 < percent;
}

/* ---- the dependency descriptor's structure ---- */

static bool in_target(const struct model_mode *mode, unsigned s, unsigned t, bool key,
                      unsigned target_s, unsigned target_t)
{
    if (t > target_t || s > target_s)
        return false;
    if (s == target_s)
        return true;
    return !mode->independent && (!mode->key_svc || key);
}

static void build_structure(struct model *m, struct model_stream *st)
{
    const struct model_mode *mode = &m->mode;
    struct dd_structure *s = &st->structure;
    /* Encoders take other template ids when the structure changes, which is not all the time. */
    if (st->since_key > 8)
        st->template_offset = (uint8_t)((st->template_offset + s->n_templates) % 64);
    st->since_key = 0;
    memset(s, 0, sizeof *s);
    s->id_offset = st->template_offset;
    s->n_targets = (uint8_t)(mode->n_spatial * mode->n_temporal);
    s->max_spatial = (uint8_t)(mode->n_spatial - 1);
    s->max_temporal = (uint8_t)(mode->n_temporal - 1);
    /* For each spatial layer: key, then delta by temporal layer. */
    for (unsigned sp = 0; sp < mode->n_spatial; sp++) {
        for (unsigned k = 0; k <= mode->n_temporal; k++) {
            struct dd_template *t = &s->templates[s->n_templates++];
            t->spatial = (uint8_t)sp;
            t->temporal = (uint8_t)(k == 0 ? 0 : k - 1);
            for (unsigned i = 0; i < s->n_targets; i++)
                t->dtis[i] = in_target(mode, sp, t->temporal, k == 0, i / mode->n_temporal,
                                       i % mode->n_temporal)
                                 ? DD_REQUIRED
                                 : DD_NOT_PRESENT;
        }
    }
}

/* ---- payloads ---- */

static void put_vp8(struct wr *w, const struct model *m, const struct model_stream *st,
                    const struct model_frame *f, const struct model_packet *p, bool sync)
{
    const struct model_mode *mode = &m->mode;
    bool marks = !mode->no_temporal_marks;
    wr_u8(w, (uint8_t)(0x80 | (p->index == 0 ? 0x10 : 0)));
    wr_u8(w, (uint8_t)(0x80 | (marks ? 0x60 : 0)));
    if (mode->id_bits == 15)
        wr_u16(w, (uint16_t)(0x8000 | (st->picture_id & 0x7fff)));
    else
        wr_u8(w, st->picture_id & 0x7f);
    if (marks) {
        wr_u8(w, st->tl0);
        wr_u8(w, (uint8_t)(f->temporal << 6 | (sync ? 0x20 : 0)));
    }
    wr_u8(w, f->key ? 0 : 1);
}

static void put_vp9(struct wr *w, const struct model *m, const struct model_stream *st,
                    const struct model_frame *f, const struct model_packet *p, bool up,
                    bool inter_layer)
{
    const struct model_mode *mode = &m->mode;
    uint8_t diffs[MODEL_REFS];
    unsigned n = 0;
    for (unsigned i = 0; i < f->n_refs; i++) {
        const struct model_frame *r = &m->frames[f->refs[i]];
        if (r->picture != f->picture)
            diffs[n++] = (uint8_t)(st->picture_id - r->number);
    }
    bool structure = f->key && f->spatial == 0 && p->index == 0;
    wr_u8(w, (uint8_t)(0x80 | (n > 0 ? 0x40 : 0) | 0x20 | (mode->flexible ? 0x10 : 0) |
                       (p->index == 0 ? 0x08 : 0) | (p->index + 1 == f->n_packets ? 0x04 : 0) |
                       (structure ? 0x02 : 0)));
    if (mode->id_bits == 15)
        wr_u16(w, (uint16_t)(0x8000 | (st->picture_id & 0x7fff)));
    else
        wr_u8(w, st->picture_id & 0x7f);
    wr_u8(w, (uint8_t)(f->temporal << 5 | (up ? 0x10 : 0) | f->spatial << 1 | inter_layer));
    if (!mode->flexible)
        wr_u8(w, st->tl0);
    for (unsigned i = 0; mode->flexible && i < n; i++)
        wr_u8(w, (uint8_t)(diffs[i] << 1 | (i + 1 < n)));
    if (structure)
        wr_u8(w, (uint8_t)((mode->n_spatial - 1) << 5));
    wr_u8(w, 0xaa);
}

static void put_h264(struct wr *w, const struct model_frame *f, const struct model_packet *p)
{
    wr_u8(w, f->key ? (p->index == 0 ? 0x60 | H264_NAL_SPS : 0x60 | H264_NAL_PPS)
                    : 0x40 | H264_NAL_SLICE);
}

static void put_av1(struct wr *w, const struct model_packet *p)
{
    wr_u8(w, (uint8_t)(0x10 | (p->key_start ? 0x08 : 0)));
    wr_u8(w, p->key_start ? 1 << 3 : 6 << 3);
}

static void put_payload(struct wr *w, const struct model *m, const struct model_stream *st,
                        const struct model_frame *f, const struct model_packet *p, bool sync,
                        bool inter_layer)
{
    if (m->mode.codec == CODEC_VP8)
        put_vp8(w, m, st, f, p, sync);
    else if (m->mode.codec == CODEC_VP9)
        put_vp9(w, m, st, f, p, sync, inter_layer);
    else if (m->mode.codec == CODEC_H264)
        put_h264(w, f, p);
    else
        put_av1(w, p);
    wr_bytes(w, "WEIR", 4);
    wr_u32(w, p->frame);
    wr_u8(w, p->index);
}

bool model_identify(const struct rtp_view *v, uint32_t *frame, uint8_t *index)
{
    if (v->payload_len < BODY_LEN)
        return false;
    struct rd r = rd_of(v->data + v->payload_at + v->payload_len - BODY_LEN, BODY_LEN);
    struct slice mark = rd_bytes(&r, 4);
    *frame = rd_u32(&r);
    *index = rd_u8(&r);
    return memcmp(mark.p, "WEIR", 4) == 0;
}

/* What a picture is like in all of its layers. */
struct picture {
    uint8_t temporal;
    bool key;
    bool reset; /* higher temporal layers depend on none of theirs from before this one */
    bool sync;  /* depends on none of its own temporal layer (and says so) */
};

static void put_dd(struct model *m, struct model_stream *st, const struct model_frame *f,
                   struct model_packet *p, const struct picture *pic)
{
    const struct model_mode *mode = &m->mode;
    const struct dd_structure *s = &st->structure;
    unsigned index = f->spatial * (mode->n_temporal + 1U) + (f->key ? 0 : 1U + f->temporal);
    struct dd d = {.start_of_frame = p->index == 0,
                   .end_of_frame = p->index + 1 == f->n_packets,
                   .frame_number = f->number,
                   .template_id = (uint8_t)((s->id_offset + index) % 64),
                   .has_structure =
                       f->key && p->index == 0 && (f->spatial == 0 || mode->independent),
                   .custom_dtis = true,
                   .custom_fdiffs = true,
                   .n_fdiffs = f->n_refs};
    for (unsigned i = 0; i < f->n_refs; i++)
        d.fdiffs[i] = (uint16_t)(f->number - m->frames[f->refs[i]].number);
    for (unsigned i = 0; i < s->n_targets; i++) {
        unsigned ts = i / mode->n_temporal;
        unsigned tt = i % mode->n_temporal;
        if (!in_target(mode, f->spatial, f->temporal, f->key, ts, tt))
            continue;
        bool all = f->key || (f->temporal == 0 && pic->reset);
        bool own = f->temporal > 0 && pic->sync && tt == f->temporal;
        d.dtis[i] = (f->key || ts == f->spatial) && (all || own) ? DD_SWITCH : DD_REQUIRED;
    }
    struct wr w = wr_of(p->dd, sizeof p->dd);
    enum err e = dd_write(&w, s, &d);
    assert(e == OK);
    p->dd_len = wr_len(&w);
}

/* ---- pictures ---- */

static void add_ref(struct model_frame *f, uint32_t last)
{
    if (last == 0)
        return;
    for (unsigned i = 0; i < f->n_refs; i++)
        if (f->refs[i] == last - 1)
            return;
    assert(f->n_refs < MODEL_REFS);
    f->refs[f->n_refs++] = last - 1;
}

static void add_refs(struct model *m, struct model_stream *st, struct model_frame *f,
                     const struct picture *pic)
{
    const uint32_t *last = st->last[f->spatial];
    if (pic->key)
        return;
    add_ref(f, last[0]);
    if (f->temporal == 0)
        return;
    if (f->temporal == 2 && (!pic->sync || m->mode.codec != CODEC_VP8))
        add_ref(f, last[1]);
    if (!pic->sync)
        add_ref(f, last[f->temporal]);
}

static struct model_frame *new_frame(struct model *m)
{
    if (m->n_frames == m->cap_frames) {
        m->cap_frames = m->cap_frames ? 2 * m->cap_frames : 1024;
        m->frames = realloc(m->frames, m->cap_frames * sizeof *m->frames);
        assert(m->frames);
    }
    struct model_frame *f = &m->frames[m->n_frames++];
    memset(f, 0, sizeof *f);
    return f;
}

static size_t emit(struct model *m, struct model_stream *st, const struct picture *pic, uint32_t id,
                   bool inter_layer, struct model_packet *out)
{
    const struct model_frame *f = &m->frames[id];
    uint32_t ts = (uint32_t)(f->captured * MODEL_CLOCK / USEC_PER_SEC) + st->ts_offset;
    for (uint8_t i = 0; i < f->n_packets; i++) {
        struct model_packet *p = &out[i];
        *p = (struct model_packet){.frame = id, .index = i, .stream = f->stream};
        p->key_start = pic->key && i == 0 && f->spatial == 0;
        p->last = i + 1 == f->n_packets && f->spatial + 1 == m->mode.n_spatial;
        struct wr w = wr_of(p->data, sizeof p->data);
        rtp_write_header(&w, p->last, 96, st->seq++, ts, 1000U + f->stream);
        put_payload(&w, m, st, f, p, f->temporal > 0 ? pic->sync : pic->reset, inter_layer);
        assert(!w.bad);
        p->len = wr_len(&w);
        if (m->mode.dd)
            put_dd(m, st, f, p, pic);
    }
    return f->n_packets;
}

static size_t encode_layer(struct model *m, struct model_stream *st, const struct picture *pic,
                           uint8_t stream, uint8_t spatial, usec now, uint32_t below,
                           struct model_packet *out)
{
    const struct model_mode *mode = &m->mode;
    uint32_t id = m->n_frames;
    struct model_frame *f = new_frame(m);
    bool inter_layer = spatial > 0 && !mode->independent && (pic->key || !mode->key_svc);
    /* Now and then a spatial layer begins anew on top of the one below. */
    bool refreshed = inter_layer && !pic->key && pic->temporal == 0 && chance(m, 3);
    f->captured = now;
    f->picture = m->n_pictures;
    f->stream = stream;
    f->spatial = spatial;
    f->temporal = pic->temporal;
    f->key = pic->key;
    f->n_packets = (uint8_t)(1 + rng_u32(&m->rng) % MODEL_FRAME_PACKETS);
    f->number =
        mode->codec == CODEC_VP8 || mode->codec == CODEC_VP9 ? st->picture_id : st->frame_number++;
    if (refreshed)
        memset(st->last[spatial], 0, sizeof st->last[spatial]);
    add_refs(m, st, f, pic);
    if (inter_layer)
        add_ref(f, below + 1);
    st->last[spatial][pic->temporal] = id + 1;
    return emit(m, st, pic, id, inter_layer, out);
}

static struct picture plan(struct model *m, struct model_stream *st)
{
    static const uint8_t patterns[3][4] = {{0, 0, 0, 0}, {0, 1, 0, 1}, {0, 2, 1, 2}};
    bool key = st->key_wanted || m->n_pictures == 0 || chance(m, 1);
    if (key)
        st->position = 0;
    uint8_t temporal = patterns[m->mode.n_temporal - 1][st->position++ % 4];
    return (struct picture){.key = key,
                            .temporal = temporal,
                            .reset = key || (temporal == 0 && chance(m, 40)),
                            .sync = temporal > 0 && chance(m, 40)};
}

size_t model_picture(struct model *m, uint8_t stream, usec now,
                     struct model_packet out[MODEL_PICTURE_PACKETS])
{
    struct model_stream *st = &m->streams[stream];
    struct picture pic = plan(m, st);
    size_t n = 0;
    st->picture_id = (st->picture_id + 1) & (m->mode.id_bits == 7 ? 0x7f : 0x7fff);
    st->since_key++;
    if (pic.temporal == 0)
        st->tl0++;
    if (pic.key) {
        st->key_wanted = false;
        memset(st->last, 0, sizeof st->last);
        build_structure(m, st);
    }
    for (unsigned s = 0; pic.reset && s < MODEL_SPATIAL; s++)
        for (unsigned t = 1; t < MODEL_TEMPORAL; t++)
            st->last[s][t] = 0;
    for (uint8_t s = 0; s < m->mode.n_spatial; s++)
        n += encode_layer(m, st, &pic, stream, s, now, m->n_frames - 1, out + n);
    m->n_pictures++;
    return n;
}

void model_init(struct model *m, const struct model_mode *mode, uint64_t seed, bool wraps)
{
    *m = (struct model){.mode = *mode};
    rng_init_seeded(&m->rng, seed);
    for (unsigned i = 0; i < MODEL_STREAMS; i++) {
        struct model_stream *st = &m->streams[i];
        st->key_wanted = true;
        st->ts_offset = wraps ? UINT32_MAX - 90000U - i * 3333 : rng_u32(&m->rng);
        st->seq = wraps ? (uint16_t)(65500 + i) : (uint16_t)rng_u32(&m->rng);
        st->picture_id = wraps ? 32760 : (uint16_t)rng_u32(&m->rng) & 0x7fff;
        st->frame_number = wraps ? 65530 : (uint16_t)rng_u32(&m->rng);
        st->tl0 = wraps ? 250 : (uint8_t)rng_u32(&m->rng);
    }
}

void model_fini(struct model *m)
{
    free(m->frames);
    m->frames = NULL;
}
