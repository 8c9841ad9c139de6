/* RTCP by schedule: sender reports with descriptions for consumers, receiver reports for producers,
 * in compound packets of at most RTCP_MTU bytes. */
#include "proto/rtcp_report.h"
#include "proto/rtcp_xr.h"
#include "worker/media/consumer.h"
#include "worker/media/producer.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"
#include "worker/rtp/ntp.h"

struct compound {
    struct transport *transport;
    usec now;
    uint8_t buf[RTCP_MTU];
    struct wr w;
};

static void begin(struct compound *c)
{
    c->w = wr_of(c->buf, sizeof c->buf);
}

static void flush(struct compound *c)
{
    transport_send_rtcp(c->transport, c->now, &c->w);
    begin(c);
}

/* Takes back what a writer began and could not finish. True: it did not fit. */
static bool rolled_back(struct compound *c, size_t len)
{
    if (!c->w.bad)
        return false;
    c->w.bad = false;
    c->w.p = c->w.start + len;
    return true;
}

static void add_sender_reports(struct compound *out)
{
    struct transport *t = out->transport;
    list_each (node, &t->consumers) {
        struct consumer *c = container_of(node, struct consumer, in_transport);
        size_t before = wr_len(&out->w);
        if (!c->active)
            continue;
        bool wrote = c->ops->sender_report(c, out->now, &out->w);
        if (rolled_back(out, before) && before > 0) {
            flush(out);
            wrote = c->ops->sender_report(c, out->now, &out->w);
        }
        (void)wrote;
    }
}

static void add_receiver_reports(struct compound *out, const struct rtcp_report *reports, size_t n)
{
    struct transport *t = out->transport;
    while (n > 0) {
        size_t room = wr_left(&out->w);
        size_t fits = room < 8 ? 0 : (room - 8) / RTCP_REPORT_LEN;
        size_t take = n < fits ? n : fits;
        if (take > RTCP_COUNT_MAX)
            take = RTCP_COUNT_MAX;
        if (take > 0)
            rtcp_write_rr(&out->w, t->local_ssrc, reports, take);
        reports += take;
        n -= take;
        if (n > 0)
            flush(out);
    }
}

static void add_reports_of_producers(struct compound *out)
{
    enum { REPORTS = 2 * PRODUCER_MAX_STREAMS };
    struct rtcp_report reports[REPORTS];
    list_each (node, &out->transport->producers) {
        struct producer *p = container_of(node, struct producer, in_transport);
        add_receiver_reports(out, reports, producer_reports(p, out->now, reports, REPORTS));
        producer_check_scores(p);
    }
}

/* RFC 3611 4.4, 4.5: how both sides learn the round trip where only one of them sends media. */
static void add_extended_reports(struct compound *out, bool receives)
{
    struct transport *t = out->transport;
    if (receives) {
        size_t before = wr_len(&out->w);
        rtcp_write_xr_rrt(&out->w, t->local_ssrc, ntp_of_usec(out->now));
        if (rolled_back(out, before)) {
            flush(out);
            rtcp_write_xr_rrt(&out->w, t->local_ssrc, ntp_of_usec(out->now));
        }
    }
    list_each (node, &t->consumers) {
        struct consumer *c = container_of(node, struct consumer, in_transport);
        struct rtcp_dlrr item;
        size_t before = wr_len(&out->w);
        if (!c->active || !c->ops->dlrr(c, out->now, &item))
            continue;
        uint32_t ssrc = c->rtp_parameters->encodings[0].ssrc;
        rtcp_write_xr_dlrr(&out->w, ssrc, &item, 1);
        if (rolled_back(out, before)) {
            flush(out);
            rtcp_write_xr_dlrr(&out->w, ssrc, &item, 1);
        }
    }
}

void transport_rtcp_reports(struct transport *t, usec now)
{
    struct compound out = {.transport = t, .now = now};
    begin(&out);
    add_sender_reports(&out);
    add_reports_of_producers(&out);
    if (t->connected)
        add_extended_reports(&out, !list_empty(&t->producers));
    flush(&out);
}
