#include "proto/rtcp_sdes.h"

/* Items of one chunk up to its null octet(s); RFC 3550 6.5: chunks begin on a 32-bit boundary. */
static bool read_items(struct rd *r, const uint8_t *body, struct rtcp_sdes_chunk *out)
{
    out->cname = (struct slice){0};
    for (;;) {
        uint8_t type = rd_u8(r);
        if (r->bad)
            return false;
        if (type == 0)
            break;
        uint8_t n = rd_u8(r);
        struct slice text = rd_bytes(r, n);
        if (r->bad)
            return false;
        if (type == SDES_CNAME && out->cname.p == NULL)
            out->cname = text;
    }
    size_t used = (size_t)(r->p - body);
    rd_skip(r, (4 - used % 4) % 4);
    return !r->bad;
}

bool rtcp_sdes_next(const struct rtcp_block *b, size_t *at, struct rtcp_sdes_chunk *out)
{
    struct rd r = rd_slice(b->body);
    rd_skip(&r, *at);
    if (rd_left(&r) == 0)
        return false;
    out->ssrc = rd_u32(&r);
    if (r.bad || !read_items(&r, b->body.p, out))
        return false;
    *at = (size_t)(r.p - b->body.p);
    return true;
}

enum err rtcp_parse_bye(const struct rtcp_block *b, struct rtcp_bye *out)
{
    struct rd r = rd_slice(b->body);
    out->n_ssrcs = b->count;
    out->reason = (struct slice){0};
    for (size_t i = 0; i < b->count; i++)
        out->ssrcs[i] = rd_u32(&r);
    if (!r.bad && rd_left(&r) > 0) {
        uint8_t n = rd_u8(&r);
        out->reason = rd_bytes(&r, n);
    }
    return r.bad ? ERR_TRUNCATED : OK;
}

static void write_chunk(struct wr *w, const struct rtcp_sdes_chunk *c)
{
    size_t n = c->cname.n > SDES_TEXT_MAX ? SDES_TEXT_MAX : c->cname.n;
    size_t items = 0;
    wr_u32(w, c->ssrc);
    if (c->cname.p != NULL) {
        wr_u8(w, SDES_CNAME);
        wr_u8(w, (uint8_t)n);
        wr_bytes(w, c->cname.p, n);
        items = 2 + n;
    }
    wr_zeros(w, 4 - items % 4); /* at least one null octet ends the chunk */
}

void rtcp_write_sdes(struct wr *w, const struct rtcp_sdes_chunk *chunks, size_t n)
{
    for (size_t done = 0; done < n && !w->bad;) {
        size_t some = n - done < RTCP_COUNT_MAX ? n - done : RTCP_COUNT_MAX;
        uint8_t *header = rtcp_begin(w, RTCP_SDES, (uint8_t)some);
        for (size_t i = 0; i < some; i++)
            write_chunk(w, &chunks[done + i]);
        rtcp_end(w, header);
        done += some;
    }
}

void rtcp_write_bye(struct wr *w, const uint32_t *ssrcs, size_t n, struct slice reason)
{
    size_t text = reason.n > SDES_TEXT_MAX ? SDES_TEXT_MAX : reason.n;
    for (size_t done = 0; done < n && !w->bad;) {
        size_t some = n - done < RTCP_COUNT_MAX ? n - done : RTCP_COUNT_MAX;
        uint8_t *header = rtcp_begin(w, RTCP_BYE, (uint8_t)some);
        for (size_t i = 0; i < some; i++)
            wr_u32(w, ssrcs[done + i]);
        if (text > 0) {
            wr_u8(w, (uint8_t)text);
            wr_bytes(w, reason.p, text);
            wr_zeros(w, (4 - (1 + text) % 4) % 4);
        }
        rtcp_end(w, header);
        done += some;
    }
}
