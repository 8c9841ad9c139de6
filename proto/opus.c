#include "proto/opus.h"

static void read_toc(struct opus_info *o, uint8_t toc)
{
    static const uint32_t silk_usec[4] = {10000, 20000, 40000, 60000};
    static const uint32_t celt_usec[4] = {2500, 5000, 10000, 20000};
    static const uint32_t silk_hz[3] = {4000, 6000, 8000};
    static const uint32_t celt_hz[4] = {4000, 8000, 12000, 20000};
    unsigned config = toc >> 3;
    o->config = (uint8_t)config;
    o->channels = toc & 4 ? 2 : 1;
    if (config < 12) { /* RFC 6716 table 2 */
        o->mode = OPUS_SILK;
        o->bandwidth_hz = silk_hz[config / 4];
        o->frame_usec = silk_usec[config % 4];
    } else if (config < 16) {
        o->mode = OPUS_HYBRID;
        o->bandwidth_hz = config < 14 ? 12000 : 20000;
        o->frame_usec = silk_usec[config % 2];
    } else {
        o->mode = OPUS_CELT;
        o->bandwidth_hz = celt_hz[(config - 16) / 4];
        o->frame_usec = celt_usec[config % 4];
    }
}

/* RFC 6716 3.2.1: one byte up to 251, or two. */
static size_t read_frame_len(struct rd *r)
{
    size_t first = rd_u8(r);
    return first < 252 ? first : first + 4u * rd_u8(r);
}

/* What every frame code comes down to: `n` frames of which `longest` is the longest. */
static enum err frames(struct opus_info *o, size_t n, size_t longest)
{
    if (n == 0 || n > OPUS_FRAMES_MAX || longest > OPUS_FRAME_BYTES_MAX)
        return ERR_MALFORMED;
    o->n_frames = (uint8_t)n;
    o->duration_usec = (uint32_t)n * o->frame_usec;
    o->dtx = longest <= 1;
    return o->duration_usec > OPUS_PACKET_USEC_MAX ? ERR_MALFORMED : OK;
}

/* RFC 6716 3.2.5: | v|p| M |, padding length, frame lengths, frames, padding. */
static enum err code_3(struct opus_info *o, struct rd *r)
{
    uint8_t b = rd_u8(r);
    size_t n = b & 0x3f;
    size_t padding = 0;
    size_t longest = 0;
    size_t sum = 0;
    if (r->bad || n == 0)
        return ERR_MALFORMED;
    if (b & 0x40) {
        uint8_t p = 255;
        while (p == 255 && !r->bad) {
            p = rd_u8(r);
            padding += p == 255 ? 254 : p;
        }
    }
    for (size_t i = 0; (b & 0x80) && i + 1 < n; i++) {
        size_t len = read_frame_len(r);
        sum += len;
        longest = len > longest ? len : longest;
    }
    if (r->bad || padding > rd_left(r) || sum > rd_left(r) - padding)
        return ERR_MALFORMED;
    size_t left = rd_left(r) - padding - sum;
    if ((b & 0x80) == 0) {
        if (left % n != 0)
            return ERR_MALFORMED;
        left /= n;
    }
    return frames(o, n, left > longest ? left : longest);
}

enum err opus_parse(struct opus_info *o, struct slice payload)
{
    struct rd r = rd_slice(payload);
    uint8_t toc = rd_u8(&r);
    memset(o, 0, sizeof *o);
    if (r.bad)
        return ERR_TRUNCATED;
    read_toc(o, toc);
    size_t n = rd_left(&r);
    switch (toc & 3) {
    case 0:
        return frames(o, 1, n);
    case 1:
        return n % 2 != 0 ? ERR_MALFORMED : frames(o, 2, n / 2);
    case 2: {
        size_t first = read_frame_len(&r);
        if (r.bad || first > rd_left(&r))
            return ERR_MALFORMED;
        size_t second = rd_left(&r) - first;
        return frames(o, 2, first > second ? first : second);
    }
    default:
        return code_3(o, &r);
    }
}
