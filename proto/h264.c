#include "proto/h264.h"

static void note_nal(struct h264_info *h, uint8_t type)
{
    h->sps |= type == H264_NAL_SPS;
    h->pps |= type == H264_NAL_PPS;
    h->idr |= type == H264_NAL_IDR;
}

/* RFC 6184 5.7.1: after the type byte, NAL units with 16 bits of size each. */
static enum err parse_stap_a(struct h264_info *h, struct rd *r)
{
    bool first = true;
    while (rd_left(r) > 0) {
        uint16_t n = rd_u16(r);
        struct slice nal = rd_bytes(r, n);
        if (r->bad)
            return ERR_TRUNCATED;
        if (nal.n == 0)
            return ERR_MALFORMED;
        note_nal(h, nal.p[0] & 0x1f);
        if (first)
            h->nal_type = nal.p[0] & 0x1f;
        first = false;
    }
    return first ? ERR_TRUNCATED : OK;
}

/* RFC 6184 5.8: | FU indicator | S|E|R| type | */
static enum err parse_fu_a(struct h264_info *h, struct rd *r)
{
    uint8_t b = rd_u8(r);
    if (r->bad || rd_left(r) == 0)
        return ERR_TRUNCATED;
    h->start = (b & 0x80) != 0;
    h->end = (b & 0x40) != 0;
    h->nal_type = b & 0x1f;
    if (h->start && h->end)
        return ERR_MALFORMED;
    if (h->start)
        note_nal(h, h->nal_type);
    return OK;
}

enum err h264_parse(struct h264_info *h, struct slice payload)
{
    struct rd r = rd_slice(payload);
    memset(h, 0, sizeof *h);
    uint8_t b = rd_u8(&r);
    if (r.bad)
        return ERR_TRUNCATED;
    if (b & 0x80) /* RFC 6184 1.3: forbidden_zero_bit; 1 says that the unit has errors */
        return ERR_MALFORMED;
    h->type = b & 0x1f;
    h->nal_type = h->type;
    h->start = true;
    h->end = true;
    enum err e = OK;
    if (h->type == 0)
        e = ERR_MALFORMED;
    else if (h->type < H264_NAL_STAP_A)
        note_nal(h, h->type);
    else if (h->type == H264_NAL_STAP_A)
        e = parse_stap_a(h, &r);
    else if (h->type == H264_NAL_FU_A)
        e = parse_fu_a(h, &r);
    else
        e = ERR_UNSUPPORTED;
    h->key_frame = h->sps || h->idr;
    return e;
}

bool h264_next_nal(struct slice payload, size_t *at, struct slice *nal)
{
    struct rd r = rd_slice(payload);
    if (payload.n == 0 || *at >= payload.n)
        return false;
    uint8_t type = payload.p[0] & 0x1f;
    if (type == 0 || type > H264_NAL_STAP_A)
        return false;
    if (type < H264_NAL_STAP_A) {
        *nal = payload;
        *at = payload.n;
        return true;
    }
    rd_skip(&r, *at == 0 ? 1 : *at);
    uint16_t n = rd_u16(&r);
    *nal = rd_bytes(&r, n);
    if (r.bad || nal->n == 0)
        return false;
    *at = (size_t)(r.p - payload.p);
    return true;
}
