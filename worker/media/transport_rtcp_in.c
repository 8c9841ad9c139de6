/* RTCP that comes in: each block goes to the producer or consumer that it is about. Unknown SSRCs
 * and kinds are skipped. */
#include "proto/rtcp.h"
#include "proto/rtcp_fb.h"
#include "proto/rtcp_report.h"
#include "proto/rtcp_xr.h"
#include "worker/media/consumer.h"
#include "worker/media/producer.h"
#include "worker/media/transport.h"
#include "worker/media/transport_bwe.h"
#include "worker/media/worker_state.h"

static struct consumer *consumer_by_ssrc(const struct transport *t, uint32_t ssrc)
{
    return ssrc_map_get(&t->ssrcs, ssrc);
}

static void on_reports(struct transport *t, usec now, struct slice reports, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct rtcp_report r = rtcp_report_at(reports, i);
        struct consumer *c = consumer_by_ssrc(t, r.ssrc);
        if (!c)
            continue;
        c->ops->report(c, now, &r);
        transport_bwe_report(t, now, c, &r);
        consumer_check_score(c);
    }
}

static void on_sr(struct transport *t, usec now, const struct rtcp_block *b)
{
    struct rtcp_sr sr;
    if (rtcp_parse_sr(b, &sr) != OK)
        return;
    struct producer_stream *s = ssrc_map_get(&t->listener, sr.ssrc);
    if (s)
        producer_sr(s->producer, now, s, &sr);
    on_reports(t, now, sr.reports, sr.n_reports);
}

static void on_rr(struct transport *t, usec now, const struct rtcp_block *b)
{
    struct rtcp_rr rr;
    if (rtcp_parse_rr(b, &rr) == OK)
        on_reports(t, now, rr.reports, rr.n_reports);
}

/* The round trip is that of the path, so all streams learn it. */
static void on_dlrr(struct transport *t, usec now, const struct rtcp_dlrr *item)
{
    list_each (node, &t->producers) {
        struct producer *p = container_of(node, struct producer, in_transport);
        for (size_t i = 0; i < p->n_streams; i++) {
            if (p->streams[i].started)
                recv_stream_dlrr(&p->streams[i].recv, now, item);
        }
    }
}

static void on_xr(struct transport *t, usec now, const struct rtcp_block *b)
{
    struct rtcp_xr xr;
    if (rtcp_parse_xr(b, &xr) != OK)
        return;
    /* A receiver's reference time is for everything that it receives from us. */
    for (struct list *node = t->consumers.next; xr.has_rrt && node != &t->consumers;
         node = node->next) {
        struct consumer *c = container_of(node, struct consumer, in_transport);
        c->ops->receiver_time(c, now, xr.rrt_ntp);
    }
    for (size_t i = 0; i < xr.n_dlrrs; i++) {
        struct rtcp_dlrr item = rtcp_dlrr_at(&xr, i);
        if (item.ssrc == t->local_ssrc)
            on_dlrr(t, now, &item);
    }
}

static void on_nack(struct transport *t, usec now, const struct rtcp_block *b)
{
    struct rtcp_nack nack;
    if (rtcp_parse_nack(b, &nack) != OK)
        return;
    struct consumer *c = consumer_by_ssrc(t, nack.media_ssrc);
    if (c)
        c->ops->nack(c, now, &nack);
}

static void on_pli(struct transport *t, usec now, const struct rtcp_block *b)
{
    struct rtcp_pli pli;
    if (rtcp_parse_pli(b, &pli) != OK)
        return;
    struct consumer *c = consumer_by_ssrc(t, pli.media_ssrc);
    if (c)
        c->ops->key_frame(c, now, pli.media_ssrc, false);
}

static void on_fir(struct transport *t, usec now, const struct rtcp_block *b)
{
    struct rtcp_fir fir;
    if (rtcp_parse_fir(b, &fir) != OK)
        return;
    for (size_t i = 0; i < fir.n_items; i++) {
        struct rtcp_fir_item item = rtcp_fir_item(&fir, i);
        struct consumer *c = consumer_by_ssrc(t, item.ssrc);
        if (c)
            c->ops->key_frame(c, now, item.ssrc, true);
    }
}

static void on_block(struct transport *t, usec now, const struct rtcp_block *b)
{
    switch (b->kind) {
    case RTCP_KIND_SR:
        on_sr(t, now, b);
        return;
    case RTCP_KIND_RR:
        on_rr(t, now, b);
        return;
    case RTCP_KIND_XR:
        on_xr(t, now, b);
        return;
    case RTCP_KIND_NACK:
        on_nack(t, now, b);
        return;
    case RTCP_KIND_PLI:
        on_pli(t, now, b);
        return;
    case RTCP_KIND_FIR:
        on_fir(t, now, b);
        return;
    case RTCP_KIND_TWCC:
        transport_bwe_twcc(t, now, b);
        return;
    case RTCP_KIND_REMB:
        transport_bwe_remb(t, now, b);
        return;
    case RTCP_KIND_SDES: /* the producer's CNAME comes with its parameters */
    case RTCP_KIND_BYE:  /* the controller closes producers; a peer's goodbye closes nothing */
    case RTCP_KIND_UNKNOWN:
        return;
    }
}

bool transport_rtcp(struct transport *t, usec now, struct packet *p)
{
    struct worker *w = t->worker;
    size_t len = p->len;
    flow_add(&t->received, now, len);
    if (t->opener && opener_unprotect_rtcp(t->opener, p->data, &len) != OK) {
        w->counters.dropped_unauthentic++;
        return false;
    }
    p->len = (uint32_t)len;
    struct rtcp_reader r;
    if (rtcp_reader_init(&r, p->data, len) != OK) {
        w->counters.dropped_malformed++;
        return false;
    }
    struct rtcp_block b;
    while (rtcp_next(&r, &b))
        on_block(t, now, &b);
    return true;
}
