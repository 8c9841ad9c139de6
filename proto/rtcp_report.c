#include "proto/rtcp_report.h"

static struct rtcp_report read_report(struct rd *r)
{
    struct rtcp_report p;
    p.ssrc = rd_u32(r);
    p.fraction_lost = rd_u8(r);
    uint32_t lost = rd_u24(r);
    p.lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost;
    p.highest_seq = rd_u32(r);
    p.jitter = rd_u32(r);
    p.lsr = rd_u32(r);
    p.dlsr = rd_u32(r);
    return p;
}

enum err rtcp_parse_sr(const struct rtcp_block *b, struct rtcp_sr *out)
{
    struct rd r = rd_slice(b->body);
    out->ssrc = rd_u32(&r);
    out->ntp = rd_u64(&r);
    out->rtp_timestamp = rd_u32(&r);
    out->packets = rd_u32(&r);
    out->octets = rd_u32(&r);
    out->n_reports = b->count;
    out->reports = rd_bytes(&r, (size_t)b->count * RTCP_REPORT_LEN);
    return r.bad ? ERR_TRUNCATED : OK; /* what follows is profile specific */
}

enum err rtcp_parse_rr(const struct rtcp_block *b, struct rtcp_rr *out)
{
    struct rd r = rd_slice(b->body);
    out->ssrc = rd_u32(&r);
    out->n_reports = b->count;
    out->reports = rd_bytes(&r, (size_t)b->count * RTCP_REPORT_LEN);
    return r.bad ? ERR_TRUNCATED : OK;
}

struct rtcp_report rtcp_report_at(struct slice reports, size_t i)
{
    struct rd r = rd_slice(reports);
    rd_skip(&r, i * RTCP_REPORT_LEN);
    return read_report(&r);
}

static void write_report(struct wr *w, const struct rtcp_report *p)
{
    int32_t lost = p->lost;
    if (lost > 0x7fffff)
        lost = 0x7fffff;
    if (lost < -0x800000)
        lost = -0x800000;
    wr_u32(w, p->ssrc);
    wr_u8(w, p->fraction_lost);
    wr_u24(w, (uint32_t)lost & 0xffffff);
    wr_u32(w, p->highest_seq);
    wr_u32(w, p->jitter);
    wr_u32(w, p->lsr);
    wr_u32(w, p->dlsr);
}

void rtcp_write_sr(struct wr *w, const struct rtcp_sr *sr, const struct rtcp_report *reports,
                   size_t n)
{
    size_t first = n < RTCP_COUNT_MAX ? n : RTCP_COUNT_MAX;
    uint8_t *header = rtcp_begin(w, RTCP_SR, (uint8_t)first);
    wr_u32(w, sr->ssrc);
    wr_u64(w, sr->ntp);
    wr_u32(w, sr->rtp_timestamp);
    wr_u32(w, sr->packets);
    wr_u32(w, sr->octets);
    for (size_t i = 0; i < first; i++)
        write_report(w, &reports[i]);
    rtcp_end(w, header);
    if (n > first)
        rtcp_write_rr(w, sr->ssrc, reports + first, n - first);
}

void rtcp_write_rr(struct wr *w, uint32_t ssrc, const struct rtcp_report *reports, size_t n)
{
    size_t done = 0;
    do {
        size_t some = n - done < RTCP_COUNT_MAX ? n - done : RTCP_COUNT_MAX;
        uint8_t *header = rtcp_begin(w, RTCP_RR, (uint8_t)some);
        wr_u32(w, ssrc);
        for (size_t i = 0; i < some; i++)
            write_report(w, &reports[done + i]);
        rtcp_end(w, header);
        done += some;
    } while (done < n && !w->bad);
}
