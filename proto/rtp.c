#include "proto/rtp.h"

enum { FLAG_PADDING = 0x20, FLAG_EXTENSION = 0x10, EXT_HEADER_LEN = 4 };

enum err rtp_parse(struct rtp_view *v, uint8_t *data, size_t len)
{
    if (len > RTP_PACKET_MAX)
        return ERR_TOO_LARGE;
    struct rd r = rd_of(data, len);
    uint8_t first = rd_u8(&r);
    uint8_t second = rd_u8(&r);
    v->seq = rd_u16(&r);
    v->timestamp = rd_u32(&r);
    v->ssrc = rd_u32(&r);
    v->csrc_count = first & 0x0f;
    rd_skip(&r, 4u * v->csrc_count);
    v->ext_at = 0;
    v->ext_len = 0;
    v->ext_profile = 0;
    if (first & FLAG_EXTENSION) {
        v->ext_profile = rd_u16(&r);
        size_t n = 4u * rd_u16(&r);
        size_t at = (size_t)(r.p - data);
        rd_skip(&r, n);
        v->ext_at = (uint16_t)at;
        v->ext_len = (uint16_t)n;
    }
    if (r.bad)
        return ERR_TRUNCATED;
    if (first >> 6 != 2)
        return ERR_MALFORMED;
    size_t left = rd_left(&r);
    v->padding = 0;
    if (first & FLAG_PADDING) {
        if (left == 0)
            return ERR_MALFORMED;
        /* RFC 3550 5.1: the last byte counts the padding, itself included. */
        v->padding = data[len - 1];
        if (v->padding == 0 || v->padding > left)
            return ERR_MALFORMED;
    }
    v->data = data;
    v->len = (uint16_t)len;
    v->payload_at = (uint16_t)(len - left);
    v->payload_len = (uint16_t)(left - v->padding);
    v->payload_type = second & 0x7f;
    v->marker = (second & 0x80) != 0;
    return OK;
}

void rtp_write_header(struct wr *w, bool marker, uint8_t payload_type, uint16_t seq,
                      uint32_t timestamp, uint32_t ssrc)
{
    wr_u8(w, 0x80);
    wr_u8(w, (uint8_t)((marker ? 0x80 : 0) | (payload_type & 0x7f)));
    wr_u16(w, seq);
    wr_u32(w, timestamp);
    wr_u32(w, ssrc);
}

enum err rtp_set_padding(struct rtp_view *v, size_t n, size_t cap)
{
    size_t len = (size_t)v->payload_at + v->payload_len;
    if (n == 0 || n > 255 || len + n > cap || len + n > RTP_PACKET_MAX)
        return ERR_TOO_LARGE;
    memset(v->data + len, 0, n - 1);
    v->data[len + n - 1] = (uint8_t)n;
    v->data[0] |= FLAG_PADDING;
    v->padding = (uint8_t)n;
    v->len = (uint16_t)(len + n);
    return OK;
}
