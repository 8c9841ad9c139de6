#include "proto/h264_sps.h"

#include <string.h>

#include "proto/h264.h"

/* Bits of a NAL unit without its emulation prevention. */
struct bits {
    uint8_t bytes[H264_SPS_MAX];
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

bool h264_has_chroma_format(unsigned profile)
{
    static const uint8_t profiles[] = {100, 110, 122, 244, 44,  83, 86,
                                       118, 128, 138, 139, 134, 135};
    return memchr(profiles, (int)profile, sizeof profiles) != NULL;
}

static void read_chroma(struct bits *b, struct h264_sps *s)
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

static void read_size(struct bits *b, struct h264_sps *s)
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

enum err h264_sps_parse(struct h264_sps *s, struct slice nal)
{
    struct bits b;
    *s = (struct h264_sps){.chroma_format = 1};
    if (nal.n == 0 || (nal.p[0] & 0x1f) != H264_NAL_SPS)
        return ERR_MALFORMED;
    if (nal.n > H264_SPS_MAX)
        return ERR_TOO_LARGE;
    bits_init(&b, nal.p, nal.n);
    s->profile = bits_u(&b, 8);
    (void)bits_u(&b, 16);
    (void)bits_ue(&b);
    if (h264_has_chroma_format(s->profile))
        read_chroma(&b, s);
    skip_order(&b);
    (void)bits_ue(&b); /* max_num_ref_frames */
    (void)bits_u(&b, 1);
    read_size(&b, s);
    return b.bad ? ERR_MALFORMED : OK;
}
