#include "controller/hls/avc_sets.h"

#include <string.h>

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

/* ---- the SPS: 7.3.2.1.1 ---- */

/* Bits of a NAL unit without its emulation prevention. */
struct bits {
    uint8_t bytes[AVC_SET_MAX];
    size_t n; /* bits */
    size_t at;
    bool bad;
};

static void bits_init(struct bits *b, const uint8_t *nal, size_t n)
{
    size_t out = 0;
    unsigned zeros = 0;
    for (size_t i = 1; i < n; i++) {
        if (zeros >= 2 && nal[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = nal[i] == 0 ? zeros + 1 : 0;
        b->bytes[out++] = nal[i];
    }
    b->n = out * 8;
    b->at = 0;
    b->bad = false;
}

static uint32_t bits_u(struct bits *b, unsigned n)
{
    uint32_t v = 0;
    if (b->bad || b->n - b->at < n) {
        b->bad = true;
        return 0;
    }
    for (unsigned i = 0; i < n; i++, b->at++)
        v = v << 1 | (b->bytes[b->at / 8] >> (7 - b->at % 8) & 1);
    return v;
}

static uint32_t bits_ue(struct bits *b)
{
    unsigned zeros = 0;
    while (bits_u(b, 1) == 0) {
        if (b->bad || ++zeros > 24) {
            b->bad = true;
            return 0;
        }
    }
    return (1u << zeros) - 1 + bits_u(b, zeros);
}

static int32_t bits_se(struct bits *b)
{
    uint32_t v = bits_ue(b);
    return v & 1 ? (int32_t)(v / 2 + 1) : -(int32_t)(v / 2);
}

static void skip_scaling_list(struct bits *b, unsigned n)
{
    int32_t last = 8;
    int32_t next = 8;
    for (unsigned i = 0; i < n && next != 0 && !b->bad; i++) {
        next = (last + bits_se(b) + 256) % 256;
        last = next == 0 ? last : next;
    }
}

static bool has_chroma_format(unsigned profile)
{
    static const uint8_t profiles[] = {100, 110, 122, 244, 44,  83, 86,
                                       118, 128, 138, 139, 134, 135};
    return memchr(profiles, (int)profile, sizeof profiles) != NULL;
}

struct sps {
    unsigned profile;
    uint32_t chroma_format;
    uint32_t luma_depth; /* minus 8 */
    uint32_t chroma_depth;
    uint32_t width;
    uint32_t height;
};

static void read_chroma(struct bits *b, struct sps *s)
{
    s->chroma_format = bits_ue(b);
    if (s->chroma_format == 3)
        (void)bits_u(b, 1);
    s->luma_depth = bits_ue(b);
    s->chroma_depth = bits_ue(b);
    (void)bits_u(b, 1);
    if (bits_u(b, 1) == 0)
        return;
    for (unsigned i = 0; i < (s->chroma_format == 3 ? 12u : 8u); i++) {
        if (bits_u(b, 1) == 1)
            skip_scaling_list(b, i < 6 ? 16 : 64);
    }
}

static void skip_order(struct bits *b)
{
    (void)bits_ue(b); /* log2_max_frame_num */
    uint32_t type = bits_ue(b);
    if (type == 0)
        (void)bits_ue(b);
    if (type != 1)
        return;
    (void)bits_u(b, 1);
    (void)bits_se(b);
    (void)bits_se(b);
    uint32_t n = bits_ue(b);
    for (uint32_t i = 0; i < n && !b->bad; i++)
        (void)bits_se(b);
}

static void read_size(struct bits *b, struct sps *s)
{
    uint32_t width = (bits_ue(b) + 1) * 16;
    uint32_t units = bits_ue(b) + 1;
    uint32_t frames = bits_u(b, 1);
    uint32_t height = units * 16 * (2 - frames);
    if (frames == 0)
        (void)bits_u(b, 1);
    (void)bits_u(b, 1);
    uint32_t crop[4] = {0};
    if (bits_u(b, 1) == 1) {
        for (int i = 0; i < 4; i++)
            crop[i] = bits_ue(b);
    }
    uint32_t x = s->chroma_format == 1 || s->chroma_format == 2 ? 2 : 1;
    uint32_t y = (s->chroma_format == 1 ? 2 : 1) * (2 - frames);
    uint32_t cut_x = (crop[0] + crop[1]) * x;
    uint32_t cut_y = (crop[2] + crop[3]) * y;
    /* 16,384 is beyond the largest level. */
    if (width > 16384 || height > 16384 || cut_x >= width || cut_y >= height)
        b->bad = true;
    s->width = width - cut_x;
    s->height = height - cut_y;
}

static enum err read_sps(const struct avc_sets *sets, struct sps *s)
{
    struct bits b;
    *s = (struct sps){.chroma_format = 1};
    bits_init(&b, sets->sps, sets->sps_n);
    s->profile = bits_u(&b, 8);
    (void)bits_u(&b, 16);
    (void)bits_ue(&b);
    if (has_chroma_format(s->profile))
        read_chroma(&b, s);
    skip_order(&b);
    (void)bits_ue(&b); /* max_num_ref_frames */
    (void)bits_u(&b, 1);
    read_size(&b, s);
    return b.bad ? ERR_MALFORMED : OK;
}

/* ---- the initialization segment ---- */

struct change {
    const struct avc_sets *sets;
    struct sps sps;
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
    if (!has_chroma_format(c->sps.profile))
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
    enum err e = read_sps(sets, &c.sps);
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
