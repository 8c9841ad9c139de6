#include "proto/rtcp_xr.h"

/*   | BT | type specific | length in 32-bit words without these 4 bytes | ... */
enum err rtcp_parse_xr(const struct rtcp_block *b, struct rtcp_xr *out)
{
    struct rd r = rd_slice(b->body);
    memset(out, 0, sizeof *out);
    out->ssrc = rd_u32(&r);
    while (!r.bad && rd_left(&r) > 0) {
        uint8_t type = rd_u8(&r);
        rd_skip(&r, 1);
        size_t n = 4u * rd_u16(&r);
        struct slice content = rd_bytes(&r, n);
        if (r.bad)
            break;
        if (type == XR_RRT && !out->has_rrt) {
            struct rd c = rd_slice(content);
            out->rrt_ntp = rd_u64(&c);
            out->has_rrt = !c.bad && n == 8;
            if (!out->has_rrt)
                return ERR_MALFORMED;
        } else if (type == XR_DLRR && out->dlrrs.p == NULL) {
            if (n % XR_DLRR_ITEM_LEN != 0)
                return ERR_MALFORMED;
            out->dlrrs = content;
            out->n_dlrrs = n / XR_DLRR_ITEM_LEN;
        }
    }
    return r.bad ? ERR_TRUNCATED : OK;
}

struct rtcp_dlrr rtcp_dlrr_at(const struct rtcp_xr *x, size_t i)
{
    struct rd r = rd_slice(x->dlrrs);
    struct rtcp_dlrr d;
    rd_skip(&r, i * XR_DLRR_ITEM_LEN);
    d.ssrc = rd_u32(&r);
    d.lrr = rd_u32(&r);
    d.dlrr = rd_u32(&r);
    return d;
}

void rtcp_write_xr_rrt(struct wr *w, uint32_t ssrc, uint64_t ntp)
{
    uint8_t *header = rtcp_begin(w, RTCP_XR, 0);
    wr_u32(w, ssrc);
    wr_u8(w, XR_RRT);
    wr_u8(w, 0);
    wr_u16(w, 2);
    wr_u64(w, ntp);
    rtcp_end(w, header);
}

void rtcp_write_xr_dlrr(struct wr *w, uint32_t ssrc, const struct rtcp_dlrr *items, size_t n)
{
    if (n == 0)
        return;
    if (n > UINT16_MAX / 3 - 2) {
        w->bad = true;
        return;
    }
    uint8_t *header = rtcp_begin(w, RTCP_XR, 0);
    wr_u32(w, ssrc);
    wr_u8(w, XR_DLRR);
    wr_u8(w, 0);
    wr_u16(w, (uint16_t)(3 * n));
    for (size_t i = 0; i < n; i++) {
        wr_u32(w, items[i].ssrc);
        wr_u32(w, items[i].lrr);
        wr_u32(w, items[i].dlrr);
    }
    rtcp_end(w, header);
}
