#include "controller/hls/avc_sets.h"

#include <string.h>

#include "proto/h264_sps.h"

enum {
    NAL_SPS = 7,
    NAL_PPS = 8,
    BOX_HEAD = 8,
    /* ISO/IEC 14496-12 12.1.3.2: before the boxes of a VisualSampleEntry, and where in it the size
     * stands; 8.3.2.2: a track header ends with it, in 16.16. */
    VISUAL_ENTRY = 78,
    VISUAL_SIZE = 24,
    AVCC_GROWTH = 64 /* more than what stands around the sets */
};

#define FOURCC(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

/* ---- finding ---- */

static void keep_first(struct slice nal, uint8_t *set, size_t *n)
{
    if (*n == 0 && nal.n <= AVC_SET_MAX) {
        memcpy(set, nal.p, nal.n);
        *n = nal.n;
    }
}

bool avc_find_sets(struct slice sample, struct avc_sets *out)
{
    struct rd r = rd_slice(sample);
    out->sps_n = out->pps_n = 0;
    while (!r.bad && rd_left(&r) > 0) {
        uint32_t n = rd_u32(&r);
        struct slice nal = rd_bytes(&r, n);
        if (r.bad || nal.n == 0)
            return false;
        if ((nal.p[0] & 0x1f) == NAL_SPS)
            keep_first(nal, out->sps, &out->sps_n);
        else if ((nal.p[0] & 0x1f) == NAL_PPS)
            keep_first(nal, out->pps, &out->pps_n);
    }
    return out->sps_n >= 4 && out->pps_n > 0;
}

bool avc_same_sets(const struct avc_sets *a, const struct avc_sets *b)
{
    return a->sps_n == b->sps_n && a->pps_n == b->pps_n && memcmp(a->sps, b->sps, a->sps_n) == 0 &&
           memcmp(a->pps, b->pps, a->pps_n) == 0;
}

/* ---- the initialization segment ---- */

struct change {
    const struct avc_sets *sets;
    struct h264_sps sps;
    struct wr w;
    bool done;
};

/* 5.3.3.1.2 */
static void write_avcc(struct change *c)
{
    const struct avc_sets *s = c->sets;
    wr_u8(&c->w, 1);
    wr_bytes(&c->w, s->sps + 1, 3);
    wr_u8(&c->w, 0xff); /* lengths of four bytes */
    wr_u8(&c->w, 0xe1);
    wr_u16(&c->w, (uint16_t)s->sps_n);
    wr_bytes(&c->w, s->sps, s->sps_n);
    wr_u8(&c->w, 1);
    wr_u16(&c->w, (uint16_t)s->pps_n);
    wr_bytes(&c->w, s->pps, s->pps_n);
    if (!h264_has_chroma_format(c->sps.profile))
        return;
    wr_u8(&c->w, (uint8_t)(0xfc | c->sps.chroma_format));
    wr_u8(&c->w, (uint8_t)(0xf8 | c->sps.luma_depth));
    wr_u8(&c->w, (uint8_t)(0xf8 | c->sps.chroma_depth));
    wr_u8(&c->w, 0);
}

static void copy_boxes(struct change *c, struct rd in, unsigned depth);

/* A visual sample entry: its size, then boxes. */
static void copy_entry(struct change *c, struct rd body)
{
    size_t at = wr_len(&c->w);
    struct slice fields = rd_bytes(&body, VISUAL_ENTRY);
    if (body.bad) {
        c->w.bad = true;
        return;
    }
    wr_bytes(&c->w, fields.p, fields.n);
    if (!c->w.bad) {
        put_u16(c->w.start + at + VISUAL_SIZE, (uint16_t)c->sps.width);
        put_u16(c->w.start + at + VISUAL_SIZE + 2, (uint16_t)c->sps.height);
    }
    copy_boxes(c, body, 6);
}

static void copy_track_header(struct change *c, struct rd body)
{
    struct slice all = rd_bytes(&body, rd_left(&body));
    wr_bytes(&c->w, all.p, all.n);
    size_t end = wr_len(&c->w);
    if (c->w.bad || all.n < 8) {
        c->w.bad = true;
        return;
    }
    put_u32(c->w.start + end - 8, c->sps.width << 16);
    put_u32(c->w.start + end - 4, c->sps.height << 16);
}

static void copy_body(struct change *c, uint32_t type, struct rd body, unsigned depth)
{
    switch (type) {
    case FOURCC('m', 'o', 'o', 'v'):
    case FOURCC('t', 'r', 'a', 'k'):
    case FOURCC('m', 'd', 'i', 'a'):
    case FOURCC('m', 'i', 'n', 'f'):
    case FOURCC('s', 't', 'b', 'l'):
        copy_boxes(c, body, depth + 1);
        break;
    case FOURCC('s', 't', 's', 'd'): {
        struct slice head = rd_bytes(&body, 8);
        if (!body.bad)
            wr_bytes(&c->w, head.p, head.n);
        copy_boxes(c, body, depth + 1);
        break;
    }
    case FOURCC('a', 'v', 'c', '1'):
        copy_entry(c, body);
        break;
    case FOURCC('a', 'v', 'c', 'C'):
        c->done = true;
        write_avcc(c);
        break;
    case FOURCC('t', 'k', 'h', 'd'):
        copy_track_header(c, body);
        break;
    default: {
        struct slice all = rd_bytes(&body, rd_left(&body));
        wr_bytes(&c->w, all.p, all.n);
        break;
    }
    }
}

/* depth: boxes of ours lie at most seven in one another. */
static void copy_boxes(struct change *c, struct rd in, unsigned depth)
{
    while (!c->w.bad && !in.bad && rd_left(&in) > 0 && depth < 8) {
        uint32_t size = rd_u32(&in);
        uint32_t type = rd_u32(&in);
        struct rd body = rd_slice(rd_bytes(&in, size >= BOX_HEAD ? size - BOX_HEAD : 0));
        size_t at = wr_len(&c->w);
        wr_u32(&c->w, 0);
        wr_u32(&c->w, type);
        if (size < BOX_HEAD || in.bad)
            break;
        copy_body(c, type, body, depth);
        if (!c->w.bad)
            put_u32(c->w.start + at, (uint32_t)(wr_len(&c->w) - at));
    }
    if (in.bad || rd_left(&in) > 0)
        c->w.bad = true;
}

enum err avc_change_init(struct slice init, const struct avc_sets *sets, struct blob **out)
{
    struct change c = {.sets = sets};
    enum err e = h264_sps_parse(&c.sps, slice_of(sets->sps, sets->sps_n));
    if (e != OK)
        return e;
    struct blob *b = blob_new(init.n + 2 * AVC_SET_MAX + AVCC_GROWTH);
    if (!b)
        return ERR_NOMEM;
    c.w = wr_of(b->bytes, b->n);
    copy_boxes(&c, rd_slice(init), 0);
    if (c.w.bad || !c.done) {
        blob_unref(b);
        return ERR_MALFORMED;
    }
    b->n = wr_len(&c.w);
    *out = b;
    return OK;
}
