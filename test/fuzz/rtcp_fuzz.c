/* Compound RTCP: every block is parsed, and what can be printed is printed and parsed again. */
#include "proto/rtcp_fb.h"
#include "proto/rtcp_report.h"
#include "proto/rtcp_sdes.h"
#include "proto/rtcp_xr.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 65536 };
static uint8_t printed[2 * CAP];

static struct wr fresh(void)
{
    return wr_of(printed, sizeof printed);
}

/* The only block that was printed. */
static struct rtcp_block only(const struct wr *w, enum rtcp_kind kind)
{
    struct rtcp_reader r;
    struct rtcp_block b;
    struct rtcp_block more;
    assert(!w->bad && rtcp_reader_init(&r, w->start, wr_len(w)) == OK);
    assert(rtcp_next(&r, &b) && b.kind == kind);
    assert(!rtcp_next(&r, &more));
    return b;
}

static void same(struct slice a, struct slice b)
{
    assert(a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0));
}

static void reports(const struct rtcp_block *b)
{
    struct rtcp_report list[RTCP_COUNT_MAX];
    struct rtcp_sr sr;
    struct rtcp_sr sr2;
    struct rtcp_rr rr;
    struct rtcp_rr rr2;
    struct wr w = fresh();
    struct rtcp_block again;
    if (b->kind == RTCP_KIND_SR && rtcp_parse_sr(b, &sr) == OK) {
        for (size_t i = 0; i < sr.n_reports; i++)
            list[i] = rtcp_report_at(sr.reports, i);
        rtcp_write_sr(&w, &sr, list, sr.n_reports);
        again = only(&w, RTCP_KIND_SR);
        assert(rtcp_parse_sr(&again, &sr2) == OK && sr2.ntp == sr.ntp && sr2.ssrc == sr.ssrc);
        same(sr.reports, sr2.reports);
    }
    if (b->kind == RTCP_KIND_RR && rtcp_parse_rr(b, &rr) == OK) {
        for (size_t i = 0; i < rr.n_reports; i++)
            list[i] = rtcp_report_at(rr.reports, i);
        rtcp_write_rr(&w, rr.ssrc, list, rr.n_reports);
        again = only(&w, RTCP_KIND_RR);
        assert(rtcp_parse_rr(&again, &rr2) == OK && rr2.ssrc == rr.ssrc);
        same(rr.reports, rr2.reports);
    }
}

static void sources(const struct rtcp_block *b)
{
    struct rtcp_sdes_chunk chunk;
    struct rtcp_sdes_chunk chunk2;
    struct rtcp_bye bye;
    struct rtcp_bye bye2;
    size_t at = 0;
    struct wr w = fresh();
    while (b->kind == RTCP_KIND_SDES && rtcp_sdes_next(b, &at, &chunk)) {
        size_t at2 = 0;
        w = fresh();
        rtcp_write_sdes(&w, &chunk, 1);
        struct rtcp_block again = only(&w, RTCP_KIND_SDES);
        assert(rtcp_sdes_next(&again, &at2, &chunk2) && chunk.ssrc == chunk2.ssrc);
        same(chunk.cname, chunk2.cname);
        assert(!rtcp_sdes_next(&again, &at2, &chunk2));
    }
    if (b->kind == RTCP_KIND_BYE && rtcp_parse_bye(b, &bye) == OK && bye.n_ssrcs > 0) {
        rtcp_write_bye(&w, bye.ssrcs, bye.n_ssrcs, bye.reason);
        struct rtcp_block again = only(&w, RTCP_KIND_BYE);
        assert(rtcp_parse_bye(&again, &bye2) == OK && bye2.n_ssrcs == bye.n_ssrcs);
        same(bye.reason, bye2.reason);
    }
}

static void feedback(const struct rtcp_block *b)
{
    struct rtcp_nack nack;
    struct rtcp_fir fir;
    struct rtcp_remb remb;
    struct rtcp_remb remb2;
    struct rtcp_pli pli;
    static uint16_t seqs[CAP];
    static uint16_t seqs2[CAP];
    struct wr w = fresh();
    if (b->kind == RTCP_KIND_NACK && rtcp_parse_nack(b, &nack) == OK) {
        size_t n = rtcp_nack_seqs(&nack, seqs, CAP / 32);
        rtcp_write_nack(&w, nack.sender_ssrc, nack.media_ssrc, seqs, n);
        struct rtcp_block again = only(&w, RTCP_KIND_NACK);
        assert(rtcp_parse_nack(&again, &nack) == OK);
        size_t n2 = rtcp_nack_seqs(&nack, seqs2, CAP);
        assert(n2 > 0 && n2 <= n && seqs2[0] == seqs[0]);
    }
    if (b->kind == RTCP_KIND_FIR && rtcp_parse_fir(b, &fir) == OK) {
        struct rtcp_fir_item item = rtcp_fir_item(&fir, fir.n_items - 1);
        rtcp_write_fir(&w, fir.sender_ssrc, &item, 1);
        struct rtcp_block again = only(&w, RTCP_KIND_FIR);
        assert(rtcp_parse_fir(&again, &fir) == OK && fir.n_items == 1);
        assert(rtcp_fir_item(&fir, 0).ssrc == item.ssrc && rtcp_fir_item(&fir, 0).seq == item.seq);
    }
    if (b->kind == RTCP_KIND_REMB && rtcp_parse_remb(b, &remb) == OK) {
        uint32_t ssrcs[REMB_SSRCS_MAX];
        for (size_t i = 0; i < remb.n_ssrcs; i++)
            ssrcs[i] = rtcp_remb_ssrc(&remb, i);
        rtcp_write_remb(&w, remb.sender_ssrc, remb.bitrate_bps, ssrcs, remb.n_ssrcs);
        struct rtcp_block again = only(&w, RTCP_KIND_REMB);
        assert(rtcp_parse_remb(&again, &remb2) == OK);
        assert(remb2.bitrate_bps == remb.bitrate_bps || remb.bitrate_bps == UINT64_MAX);
        same(remb.ssrcs, remb2.ssrcs);
    }
    if (b->kind == RTCP_KIND_PLI)
        (void)!rtcp_parse_pli(b, &pli);
}

static void extended(const struct rtcp_block *b)
{
    struct rtcp_xr xr;
    struct rtcp_xr xr2;
    static struct rtcp_dlrr list[CAP / XR_DLRR_ITEM_LEN];
    struct wr w = fresh();
    if (b->kind != RTCP_KIND_XR || rtcp_parse_xr(b, &xr) != OK)
        return;
    for (size_t i = 0; i < xr.n_dlrrs; i++)
        list[i] = rtcp_dlrr_at(&xr, i);
    rtcp_write_xr_dlrr(&w, xr.ssrc, list, xr.n_dlrrs);
    if (xr.n_dlrrs == 0)
        rtcp_write_xr_rrt(&w, xr.ssrc, xr.rrt_ntp);
    struct rtcp_block again = only(&w, RTCP_KIND_XR);
    assert(rtcp_parse_xr(&again, &xr2) == OK && xr2.ssrc == xr.ssrc);
    same(xr.dlrrs, xr2.dlrrs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtcp_reader r;
    struct rtcp_block b;
    size_t seen = 0;
    if (size > CAP || rtcp_reader_init(&r, data, size) != OK)
        return 0;
    while (rtcp_next(&r, &b)) {
        seen += b.whole.n;
        (void)rtcp_sender_ssrc(&b);
        reports(&b);
        sources(&b);
        feedback(&b);
        extended(&b);
    }
    assert(seen == size);
    return 0;
}
