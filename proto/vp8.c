#include "proto/vp8.h"

/* RFC 6386 9.1: three bytes of frame tag, a start code, then 14 bits of width and height each. */
static void read_key_frame(struct vp8_desc *d, struct rd r)
{
    rd_skip(&r, 3);
    uint32_t start_code = rd_u24(&r);
    unsigned lo = rd_u8(&r);
    unsigned hi = rd_u8(&r);
    uint16_t width = (uint16_t)((hi << 8 | lo) & 0x3fff);
    lo = rd_u8(&r);
    hi = rd_u8(&r);
    if (r.bad || start_code != 0x9d012a)
        return;
    d->width = width;
    d->height = (uint16_t)((hi << 8 | lo) & 0x3fff);
}

static void read_extended(struct vp8_desc *d, struct rd *r, const uint8_t *start)
{
    uint8_t bits = rd_u8(r);
    if (bits & 0x80) {
        d->picture_id_at = (uint8_t)(r->p - start);
        uint8_t first = rd_u8(r);
        d->picture_id_15 = (first & 0x80) != 0;
        d->picture_id = first & 0x7f;
        if (d->picture_id_15)
            d->picture_id = (uint16_t)(d->picture_id << 8 | rd_u8(r));
    }
    if (bits & 0x40) {
        d->tl0_at = (uint8_t)(r->p - start);
        d->tl0_pic_idx = rd_u8(r);
    }
    if (bits & 0x30) {
        uint8_t b = rd_u8(r);
        d->has_temporal = (bits & 0x20) != 0;
        d->has_key_idx = (bits & 0x10) != 0;
        d->temporal = d->has_temporal ? b >> 6 : 0;
        d->layer_sync = d->has_temporal && (b & 0x20) != 0;
        d->key_idx = d->has_key_idx ? b & 0x1f : 0;
    }
}

enum err vp8_parse(struct vp8_desc *d, struct slice payload)
{
    struct rd r = rd_slice(payload);
    memset(d, 0, sizeof *d);
    uint8_t first = rd_u8(&r);
    d->non_reference = (first & 0x20) != 0;
    d->start = (first & 0x10) != 0;
    d->partition = first & 0x07;
    if (first & 0x80)
        read_extended(d, &r, payload.p);
    if (r.bad || rd_left(&r) == 0)
        return ERR_TRUNCATED;
    d->header_len = (uint8_t)(r.p - payload.p);
    /* RFC 7741 4.3: the P bit, inverse key frame, is in the first byte of the first partition. */
    d->key_frame = d->start && d->partition == 0 && (*r.p & 1) == 0;
    if (d->key_frame)
        read_key_frame(d, r);
    return OK;
}

void vp8_rewrite(const struct vp8_desc *d, uint8_t *payload, uint16_t picture_id,
                 uint8_t tl0_pic_idx)
{
    if (d->picture_id_at != 0) {
        if (d->picture_id_15)
            put_u16(payload + d->picture_id_at, (uint16_t)(0x8000 | (picture_id & 0x7fff)));
        else
            payload[d->picture_id_at] = picture_id & 0x7f;
    }
    if (d->tl0_at != 0)
        payload[d->tl0_at] = tl0_pic_idx;
}
