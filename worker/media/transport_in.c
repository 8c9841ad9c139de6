/* RTP that comes in: opened, parsed to a view on the stack, counted for congestion control, handed
 * to its producer. */
#include <stdlib.h>

#include "proto/rtp_ext.h"
#include "worker/media/producer.h"
#include "worker/media/rtp_listener.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

static void count_twcc(struct transport *t, usec now, const struct rtp_view *v)
{
    uint16_t number;
    struct slice e = rtp_ext_find(v, t->recv_ext.of[RTP_EXT_TWCC]);
    if (rtp_ext_read_twcc(e, &number) != OK)
        return;
    if (!t->twcc) {
        t->twcc = malloc(sizeof *t->twcc);
        if (!t->twcc)
            return;
        twcc_receiver_init(t->twcc);
    }
    t->twcc_ssrc = v->ssrc;
    twcc_receiver_input(t->twcc, now, number);
    timer_set_earlier(&t->feedback_timer, twcc_receiver_deadline(t->twcc));
}

bool transport_rtp(struct transport *t, usec now, struct packet *p)
{
    struct worker *w = t->worker;
    size_t len = p->len;
    flow_add(&t->received, now, len);
    if (t->opener && opener_unprotect_rtp(t->opener, p->data, &len) != OK) {
        w->counters.dropped_unauthentic++;
        return false;
    }
    p->len = (uint32_t)len;
    struct rtp_view v;
    if (rtp_parse(&v, p->data, len) != OK) {
        w->counters.dropped_malformed++;
        return false;
    }
    if (t->recv_ext.of[RTP_EXT_TWCC] != 0 && v.ext_at != 0)
        count_twcc(t, now, &v);
    struct producer_stream *s = rtp_listener_find(t, &v);
    if (!s)
        return true;
    bool rtx = rtp_is_rtx(s, &v);
    flow_add(rtx ? &t->rtx_received : &t->rtp_received, now, len);
    if (t->use_remb || t->max_incoming_bps != 0) {
        remb_input(&t->remb, now, len);
        timer_set_earlier(&t->feedback_timer, remb_deadline(&t->remb));
    }
    producer_rtp(s->producer, now, s, rtx, p, &v);
    return true;
}

/* SSRCs that REMB speaks of, and what was lost of them. */
static size_t remb_sources(const struct transport *t, uint32_t *ssrcs, int64_t *lost)
{
    size_t n = 0;
    *lost = 0;
    list_each (node, &t->producers) {
        const struct producer *p = container_of(node, struct producer, in_transport);
        for (size_t i = 0; i < p->n_streams && n < REMB_MAX_SSRCS; i++) {
            const struct producer_stream *s = &p->streams[i];
            if (!s->started)
                continue;
            ssrcs[n++] = s->ssrc;
            *lost += reception_lost(&s->recv.rtp);
        }
    }
    return n;
}

void transport_feedback(struct transport *t, usec now)
{
    uint8_t buf[RTCP_MTU];
    struct wr w = wr_of(buf, sizeof buf);
    usec next = USEC_NEVER;
    if (t->twcc && twcc_receiver_deadline(t->twcc) <= now)
        twcc_receiver_timeout(t->twcc, now, t->local_ssrc, t->twcc_ssrc, &w);
    if (t->twcc)
        next = twcc_receiver_deadline(t->twcc);
    if (wr_len(&w) > 0)
        transport_send_rtcp(t, now, &w);
    if (t->use_remb || t->max_incoming_bps != 0) {
        uint32_t ssrcs[REMB_MAX_SSRCS];
        int64_t lost;
        size_t n = remb_sources(t, ssrcs, &lost);
        w = wr_of(buf, sizeof buf);
        remb_set_lost(&t->remb, lost);
        if (remb_deadline(&t->remb) <= now)
            remb_timeout(&t->remb, now, t->local_ssrc, ssrcs, n, &w);
        if (wr_len(&w) > 0)
            transport_send_rtcp(t, now, &w);
        next = usec_min(next, remb_deadline(&t->remb));
    }
    timer_set(&t->feedback_timer, next <= now ? now + 1 : next);
}
