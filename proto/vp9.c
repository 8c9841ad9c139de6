#include "proto/vp9.h"

/* RFC 9628 4.2.1: | N_S |Y|G|-|-|-|, widths and heights, then the picture group. */
static void read_structure(struct vp9_ss *ss, struct rd *r)
{
    uint8_t b = rd_u8(r);
    ss->n_spatial = (uint8_t)((b >> 5) + 1);
    ss->has_resolution = (b & 0x10) != 0;
    for (unsigned i = 0; ss->has_resolution && i < ss->n_spatial; i++) {
        ss->width[i] = rd_u16(r);
        ss->height[i] = rd_u16(r);
    }
    if ((b & 0x08) == 0)
        return;
    ss->n_group = rd_u8(r);
    for (unsigned i = 0; i < ss->n_group && !r->bad; i++) {
        uint8_t picture = rd_u8(r); /* |TID|U| R |-|-|, then R distances */
        rd_skip(r, picture >> 2 & 3u);
    }
}

static void read_layers(struct vp9_desc *d, struct rd *r, const uint8_t *start)
{
    d->layers_at = (uint8_t)(r->p - start);
    uint8_t b = rd_u8(r);
    d->has_layers = true;
    d->temporal = b >> 5;
    d->switching_up = (b & 0x10) != 0;
    d->spatial = b >> 1 & 7;
    d->inter_layer = (b & 1) != 0;
    if (!d->flexible) {
        d->tl0_at = (uint8_t)(r->p - start);
        d->tl0_pic_idx = rd_u8(r);
    }
}

static enum err read_refs(struct vp9_desc *d, struct rd *r)
{
    uint8_t b = 1;
    while (b & 1) {
        if (d->n_refs == VP9_REFS_MAX)
            return ERR_MALFORMED;
        b = rd_u8(r);
        d->refs[d->n_refs++] = b >> 1;
    }
    return OK;
}

enum err vp9_parse(struct vp9_desc *d, struct slice payload)
{
    struct rd r = rd_slice(payload);
    memset(d, 0, offsetof(struct vp9_desc, ss));
    d->ss.n_spatial = 0;
    d->ss.n_group = 0;
    d->ss.has_resolution = false;
    uint8_t bits = rd_u8(&r);
    d->inter_picture = (bits & 0x40) != 0;
    d->flexible = (bits & 0x10) != 0;
    d->start = (bits & 0x08) != 0;
    d->end = (bits & 0x04) != 0;
    d->not_upper_reference = (bits & 0x01) != 0;
    if (bits & 0x80) {
        d->picture_id_at = (uint8_t)(r.p - payload.p);
        uint8_t first = rd_u8(&r);
        d->picture_id_15 = (first & 0x80) != 0;
        d->picture_id = first & 0x7f;
        if (d->picture_id_15)
            d->picture_id = (uint16_t)(d->picture_id << 8 | rd_u8(&r));
    }
    if (bits & 0x20)
        read_layers(d, &r, payload.p);
    if (d->flexible && d->inter_picture && read_refs(d, &r) != OK)
        return ERR_MALFORMED;
    if (bits & 0x02)
        read_structure(&d->ss, &r);
    if (r.bad || rd_left(&r) == 0)
        return ERR_TRUNCATED;
    d->header_len = (uint16_t)(r.p - payload.p);
    /* RFC 9628 4.2: a key frame is not predicted, neither in time nor from a lower layer. */
    d->key_frame = !d->inter_picture && d->start && !d->inter_layer && d->spatial == 0;
    return OK;
}

void vp9_rewrite(const struct vp9_desc *d, uint8_t *payload, uint16_t picture_id,
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
