#include "proto/rtcp_fb.h"

enum { FIR_ITEM_LEN = 8, REMB_MANTISSA_MAX = (1 << 18) - 1 };

enum err rtcp_parse_nack(const struct rtcp_block *b, struct rtcp_nack *out)
{
    struct rd r = rd_slice(b->body);
    out->sender_ssrc = rd_u32(&r);
    out->media_ssrc = rd_u32(&r);
    out->n_items = rd_left(&r) / NACK_ITEM_LEN;
    out->items = rd_bytes(&r, rd_left(&r));
    if (r.bad)
        return ERR_TRUNCATED;
    return out->n_items > 0 ? OK : ERR_MALFORMED; /* RFC 4585 6.2.1: at least one */
}

struct rtcp_nack_item rtcp_nack_item(const struct rtcp_nack *n, size_t i)
{
    struct rd r = rd_slice(n->items);
    struct rtcp_nack_item item;
    rd_skip(&r, i * NACK_ITEM_LEN);
    item.pid = rd_u16(&r);
    item.blp = rd_u16(&r);
    return item;
}

size_t rtcp_nack_seqs(const struct rtcp_nack *n, uint16_t *out, size_t cap)
{
    size_t made = 0;
    for (size_t i = 0; i < n->n_items && made < cap; i++) {
        struct rtcp_nack_item item = rtcp_nack_item(n, i);
        out[made++] = item.pid;
        for (unsigned bit = 0; bit < 16 && made < cap; bit++)
            if (item.blp >> bit & 1)
                out[made++] = (uint16_t)(item.pid + 1 + bit);
    }
    return made;
}

void rtcp_write_nack(struct wr *w, uint32_t sender_ssrc, uint32_t media_ssrc, const uint16_t *seqs,
                     size_t n)
{
    if (n == 0)
        return;
    uint8_t *header = rtcp_begin(w, RTCP_RTPFB, RTPFB_NACK);
    wr_u32(w, sender_ssrc);
    wr_u32(w, media_ssrc);
    for (size_t i = 0; i < n;) {
        uint16_t pid = seqs[i++];
        unsigned blp = 0;
        for (; i < n; i++) {
            uint16_t distance = (uint16_t)(seqs[i] - pid);
            if (distance > 16)
                break;
            if (distance > 0)
                blp |= 1u << (distance - 1);
        }
        wr_u16(w, pid);
        wr_u16(w, (uint16_t)blp);
    }
    rtcp_end(w, header);
}

enum err rtcp_parse_pli(const struct rtcp_block *b, struct rtcp_pli *out)
{
    struct rd r = rd_slice(b->body);
    out->sender_ssrc = rd_u32(&r);
    out->media_ssrc = rd_u32(&r);
    return r.bad ? ERR_TRUNCATED : OK;
}

void rtcp_write_pli(struct wr *w, uint32_t sender_ssrc, uint32_t media_ssrc)
{
    uint8_t *header = rtcp_begin(w, RTCP_PSFB, PSFB_PLI);
    wr_u32(w, sender_ssrc);
    wr_u32(w, media_ssrc);
    rtcp_end(w, header);
}

enum err rtcp_parse_fir(const struct rtcp_block *b, struct rtcp_fir *out)
{
    struct rd r = rd_slice(b->body);
    out->sender_ssrc = rd_u32(&r);
    rd_skip(&r, 4); /* RFC 5104 4.3.1.2: the media SSRC is not used */
    out->n_items = rd_left(&r) / FIR_ITEM_LEN;
    out->items = rd_bytes(&r, out->n_items * FIR_ITEM_LEN);
    if (r.bad)
        return ERR_TRUNCATED;
    return out->n_items > 0 ? OK : ERR_MALFORMED;
}

struct rtcp_fir_item rtcp_fir_item(const struct rtcp_fir *f, size_t i)
{
    struct rd r = rd_slice(f->items);
    struct rtcp_fir_item item;
    rd_skip(&r, i * FIR_ITEM_LEN);
    item.ssrc = rd_u32(&r);
    item.seq = rd_u8(&r);
    return item;
}

void rtcp_write_fir(struct wr *w, uint32_t sender_ssrc, const struct rtcp_fir_item *items, size_t n)
{
    uint8_t *header = rtcp_begin(w, RTCP_PSFB, PSFB_FIR);
    wr_u32(w, sender_ssrc);
    wr_u32(w, 0);
    for (size_t i = 0; i < n; i++) {
        wr_u32(w, items[i].ssrc);
        wr_u8(w, items[i].seq);
        wr_zeros(w, 3);
    }
    rtcp_end(w, header);
}

/*   "REMB" | number of SSRCs, 8 | exponent, 6 | mantissa, 18 | SSRCs ... */
enum err rtcp_parse_remb(const struct rtcp_block *b, struct rtcp_remb *out)
{
    struct rd r = rd_slice(b->body);
    out->sender_ssrc = rd_u32(&r);
    rd_skip(&r, 8); /* media SSRC, always 0; the identifier, which gave the block its kind */
    out->n_ssrcs = rd_u8(&r);
    uint32_t v = rd_u24(&r);
    out->ssrcs = rd_bytes(&r, 4 * out->n_ssrcs);
    if (r.bad)
        return ERR_TRUNCATED;
    unsigned exponent = v >> 18;
    uint64_t mantissa = v & REMB_MANTISSA_MAX;
    bool over = mantissa != 0 && (exponent >= 64 || mantissa > UINT64_MAX >> exponent);
    out->bitrate_bps = over ? UINT64_MAX : mantissa << exponent;
    return OK;
}

uint32_t rtcp_remb_ssrc(const struct rtcp_remb *m, size_t i)
{
    struct rd r = rd_slice(m->ssrcs);
    rd_skip(&r, 4 * i);
    return rd_u32(&r);
}

void rtcp_write_remb(struct wr *w, uint32_t sender_ssrc, uint64_t bitrate_bps,
                     const uint32_t *ssrcs, size_t n)
{
    unsigned exponent = 0;
    while (bitrate_bps >> exponent > REMB_MANTISSA_MAX)
        exponent++;
    if (n > REMB_SSRCS_MAX)
        n = REMB_SSRCS_MAX;
    uint8_t *header = rtcp_begin(w, RTCP_PSFB, PSFB_AFB);
    wr_u32(w, sender_ssrc);
    wr_u32(w, 0);
    wr_bytes(w, "REMB", 4);
    wr_u8(w, (uint8_t)n);
    wr_u24(w, exponent << 18 | (uint32_t)(bitrate_bps >> exponent));
    for (size_t i = 0; i < n; i++)
        wr_u32(w, ssrcs[i]);
    rtcp_end(w, header);
}
