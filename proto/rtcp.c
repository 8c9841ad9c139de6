#include "proto/rtcp.h"

enum { REMB_ID = 0x52454d42 /* "REMB" */ };

static enum rtcp_kind feedback_kind(const struct rtcp_block *b)
{
    if (b->type == RTCP_RTPFB) {
        if (b->count == RTPFB_NACK)
            return RTCP_KIND_NACK;
        return b->count == RTPFB_TWCC ? RTCP_KIND_TWCC : RTCP_KIND_UNKNOWN;
    }
    struct rd r = rd_slice(b->body);
    switch (b->count) {
    case PSFB_PLI:
        return RTCP_KIND_PLI;
    case PSFB_FIR:
        return RTCP_KIND_FIR;
    case PSFB_AFB:
        rd_skip(&r, 8);
        return rd_u32(&r) == REMB_ID ? RTCP_KIND_REMB : RTCP_KIND_UNKNOWN;
    default:
        return RTCP_KIND_UNKNOWN;
    }
}

static enum rtcp_kind kind_of(const struct rtcp_block *b)
{
    switch (b->type) {
    case RTCP_SR:
        return RTCP_KIND_SR;
    case RTCP_RR:
        return RTCP_KIND_RR;
    case RTCP_SDES:
        return RTCP_KIND_SDES;
    case RTCP_BYE:
        return RTCP_KIND_BYE;
    case RTCP_XR:
        return RTCP_KIND_XR;
    case RTCP_RTPFB:
    case RTCP_PSFB:
        return feedback_kind(b);
    default:
        return RTCP_KIND_UNKNOWN;
    }
}

/* One block off the reader; its padding is checked and cut off. */
static enum err take_block(struct rd *r, struct rtcp_block *b)
{
    const uint8_t *at = r->p;
    uint8_t first = rd_u8(r);
    b->type = rd_u8(r);
    size_t n = 4u * rd_u16(r);
    b->body = rd_bytes(r, n);
    if (r->bad)
        return ERR_TRUNCATED;
    if (first >> 6 != 2)
        return ERR_MALFORMED;
    b->count = first & 0x1f;
    b->whole = slice_of(at, RTCP_HEADER_LEN + n);
    if (first & 0x20) {
        /* RFC 3550 6.4.1: padding only in the last packet. It also asks for a multiple of four,
         * but libwebrtc pads transport feedback by single bytes. */
        uint8_t pad = n > 0 ? b->body.p[n - 1] : 0;
        if (pad == 0 || pad > n || rd_left(r) != 0)
            return ERR_MALFORMED;
        b->body.n -= pad;
    }
    return OK;
}

enum err rtcp_reader_init(struct rtcp_reader *r, const void *data, size_t len)
{
    struct rtcp_block b;
    r->r = rd_of(data, 0);
    struct rd check = rd_of(data, len);
    if (len < RTCP_HEADER_LEN)
        return ERR_TRUNCATED;
    while (rd_left(&check) > 0) {
        enum err e = take_block(&check, &b);
        if (e != OK)
            return e;
    }
    r->r = rd_of(data, len);
    return OK;
}

bool rtcp_next(struct rtcp_reader *r, struct rtcp_block *out)
{
    if (rd_left(&r->r) == 0 || take_block(&r->r, out) != OK)
        return false;
    out->kind = kind_of(out);
    return true;
}

uint32_t rtcp_sender_ssrc(const struct rtcp_block *b)
{
    struct rd r = rd_slice(b->body);
    return rd_u32(&r);
}

uint8_t *rtcp_begin(struct wr *w, uint8_t type, uint8_t count)
{
    uint8_t *header = wr_take(w, RTCP_HEADER_LEN);
    if (header != NULL) {
        header[0] = (uint8_t)(0x80 | (count & 0x1f));
        header[1] = type;
        put_u16(header + 2, 0);
    }
    return header;
}

void rtcp_end(struct wr *w, uint8_t *header)
{
    if (w->bad)
        return;
    size_t n = (size_t)(w->p - header) - RTCP_HEADER_LEN;
    if (n % 4 != 0 || n / 4 > UINT16_MAX)
        w->bad = true;
    else
        put_u16(header + 2, (uint16_t)(n / 4));
}
