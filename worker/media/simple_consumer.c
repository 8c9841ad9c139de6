#include "worker/media/simple_consumer.h"

#include <stdlib.h>

#include "proto/pipe.h"
#include "proto/rtcp_sdes.h"
#include "worker/media/fail.h"
#include "worker/media/producer.h"
#include "worker/media/stream_report.h"
#include "worker/media/trace.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"
#include "worker/rtp/send_stream.h"
#include "worker/rtp/seq.h"

struct simple_consumer {
    struct consumer base;
    struct producer_stream *source; /* in the producer, which outlives us */
    struct send_stream send;
    struct seq_rewriter seq;
    uint32_t ts_offset; /* outgoing - incoming timestamp */
    uint32_t last_ts;   /* outgoing */
    usec last_at;       /* when that was sent */
    bool sent;          /* anything yet: last_* are valid */
    bool need_sync;     /* the next packet forwarded must be one to start with */
    bool new_timeline;  /* the sender restarted: its timestamps go on from anywhere */
};

static struct simple_consumer *self(const struct consumer *c)
{
    return container_of(c, struct simple_consumer, base);
}

/* ---- forwarding ---- */

static void ask_for_key_frame(struct simple_consumer *s, usec now)
{
    producer_request_key_frame(s->base.producer, now, s->source);
}

/* After a restart the timestamps go on by the time that passed. */
static void join_timelines(struct simple_consumer *s, usec now, uint32_t timestamp)
{
    s->new_timeline = false;
    if (!s->sent)
        return;
    uint64_t ticks =
        (uint64_t)(now - s->last_at) * s->send.params.clock_rate / (uint64_t)USEC_PER_SEC;
    s->ts_offset = s->last_ts + (uint32_t)ticks + 1 - timestamp;
}

/* False: a receiver cannot start with this packet. */
static bool sync(struct simple_consumer *s, usec now, const struct media_packet *m)
{
    enum codec codec = s->source->recv.params.codec;
    bool starts = codec_has_key_frames(codec) ? m->key_frame : !m->padding_only;
    if (!starts) {
        s->need_sync = true;
        ask_for_key_frame(s, now);
        return false;
    }
    if (s->new_timeline)
        join_timelines(s, now, m->view.timestamp);
    seq_rewriter_sync(&s->seq, m->view.seq);
    s->need_sync = false;
    return true;
}

static void send(struct simple_consumer *s, usec now, const struct media_packet *m, uint16_t seq)
{
    struct consumer *c = &s->base;
    struct transport *t = c->transport;
    uint16_t number = c->layout.number_at != 0 ? transport_next_number(t) : 0;
    struct rtp_out out = {.view = &m->view,
                          .layout = &c->layout,
                          .brought = &m->brought,
                          .time = now,
                          .ssrc = s->send.params.ssrc,
                          .timestamp = m->view.timestamp + s->ts_offset,
                          .seq = seq,
                          .number = number,
                          .payload_type = m->payload_type,
                          .marker = m->view.marker};
    size_t len = transport_send_rtp(t, now, &out);
    if (len == 0)
        return;
    struct sent_packet sent = {.packet = s->send.params.use_nack ? m->packet : NULL,
                               .timestamp = out.timestamp,
                               .patch = (uint32_t)m->payload_type << 16 | number,
                               .seq = seq,
                               .len = (uint16_t)len,
                               .payload_len = m->view.payload_len,
                               .marker = m->view.marker};
    send_stream_sent(&s->send, now, &sent);
    s->sent = true;
    s->last_ts = out.timestamp;
    s->last_at = now;
    if (c->trace != 0)
        trace_consumer_rtp(c, now, &m->view, out.ssrc, seq, m->key_frame, false);
}

/* The packet is not wanted. What comes after it closes up; where newer ones went out already, an
 * empty packet fills the hole, so that the receiver does not ask for it in vain. */
static void leave_out(struct simple_consumer *s, usec now, const struct media_packet *m)
{
    uint16_t seq;
    if (seq_rewriter_drop(&s->seq, m->view.seq) || !seq_rewriter_map(&s->seq, m->view.seq, &seq))
        return;
    struct media_packet empty = *m;
    empty.packet = NULL;
    empty.view.payload_len = 0;
    empty.view.marker = false;
    send(s, now, &empty, seq);
}

static void forward(struct simple_consumer *s, usec now, const struct media_packet *m)
{
    struct consumer *c = &s->base;
    uint16_t seq;
    if (m->padding_only || !consumer_supports(c, m->payload_type) ||
        (c->ignore_dtx && codec_is_dtx(s->source->recv.params.codec, rtp_payload_slice(&m->view))))
        leave_out(s, now, m);
    else if (seq_rewriter_map(&s->seq, m->view.seq, &seq))
        send(s, now, m, seq);
}

/* The key frame's first packet was overtaken: what overtook it follows. */
static void forward_held(struct simple_consumer *s, usec now, const struct media_packet *first)
{
    const struct held *held = &s->source->held;
    for (size_t i = 0; i < held->n; i++) {
        struct media_packet m;
        if (media_packet_held(&m, s->source, held->packets[i]) &&
            seq16_after(m.view.seq, first->view.seq))
            forward(s, now, &m);
    }
}

static void on_rtp(struct consumer *c, usec now, const struct media_packet *m)
{
    struct simple_consumer *s = self(c);
    if (m->stream != s->source)
        return;
    s->new_timeline |= m->restarted;
    if (!c->active)
        return;
    if (!s->need_sync && !m->restarted) {
        forward(s, now, m);
    } else if (sync(s, now, m)) {
        forward(s, now, m);
        if (m->late)
            forward_held(s, now, m);
    }
}

/* ---- the peer's RTCP ---- */

static void resend(struct simple_consumer *s, usec now, const struct resend *r)
{
    struct consumer *c = &s->base;
    struct transport *t = c->transport;
    const struct stream_params *params = &s->send.params;
    struct rtp_view v;
    struct ext_brought brought;
    if (rtp_parse(&v, r->packet->data, r->packet->len) != OK)
        return;
    ext_brought_find(&brought, &c->producer->ext, &v);
    bool rtx = params->has_rtx;
    bool numbered = rtx && c->layout.number_at != 0;
    struct rtp_out out = {.view = &v,
                          .layout = &c->layout,
                          .brought = &brought,
                          .time = now,
                          .ssrc = rtx ? params->rtx_ssrc : params->ssrc,
                          .timestamp = r->timestamp,
                          .seq = rtx ? r->rtx_seq : r->seq,
                          .number = numbered ? transport_next_number(t) : (uint16_t)r->patch,
                          .osn = r->seq,
                          .payload_type =
                              rtx ? params->rtx_payload_type : (uint8_t)(r->patch >> 16 & 0x7f),
                          .marker = r->marker,
                          .rtx = rtx,
                          .again = !rtx};
    size_t len = transport_send_rtp(t, now, &out);
    if (len == 0)
        return;
    send_stream_resent(&s->send, now, len, v.payload_len);
    if (c->trace != 0)
        trace_consumer_rtp(c, now, &v, out.ssrc, out.seq, false, rtx);
}

static void on_nack(struct consumer *c, usec now, const struct rtcp_nack *nack)
{
    struct simple_consumer *s = self(c);
    if (nack->media_ssrc != s->send.params.ssrc)
        return;
    send_stream_nack_message(&s->send);
    trace_consumer_feedback(c, now, CONSUMER_TRACE_NACK, nack->media_ssrc);
    if (!c->active)
        return;
    for (size_t i = 0; i < nack->n_items; i++) {
        struct resend again[NACK_ITEM_SEQS];
        size_t n = send_stream_nack(&s->send, now, rtcp_nack_item(nack, i), again, NACK_ITEM_SEQS);
        for (size_t j = 0; j < n; j++)
            resend(s, now, &again[j]);
    }
}

static void on_report(struct consumer *c, usec now, const struct rtcp_report *r)
{
    struct simple_consumer *s = self(c);
    if (r->ssrc == s->send.params.ssrc)
        send_stream_rr(&s->send, now, r);
}

static void on_receiver_time(struct consumer *c, usec now, uint64_t ntp)
{
    send_stream_rrt(&self(c)->send, now, ntp);
}

static void on_key_frame(struct consumer *c, usec now, uint32_t ssrc, bool fir)
{
    struct simple_consumer *s = self(c);
    if (ssrc != s->send.params.ssrc)
        return;
    if (fir)
        s->send.firs++;
    else
        s->send.plis++;
    trace_consumer_feedback(c, now, fir ? CONSUMER_TRACE_FIR : CONSUMER_TRACE_PLI, ssrc);
    if (c->active)
        ask_for_key_frame(s, now);
}

/* ---- our RTCP ---- */

static bool sender_report(struct consumer *c, usec now, struct wr *w)
{
    struct simple_consumer *s = self(c);
    struct rtcp_sr sr;
    struct rtcp_sr rtx;
    if (!s->source->started ||
        !send_stream_sr(&s->send, now, &s->source->recv.sr, s->ts_offset, &sr))
        return false;
    struct rtcp_sdes_chunk chunks[2] = {send_stream_sdes(&s->send), send_stream_sdes(&s->send)};
    rtcp_write_sr(w, &sr, NULL, 0);
    if (s->send.params.has_rtx) {
        send_stream_rtx_sr(&s->send, &sr, &rtx);
        rtcp_write_sr(w, &rtx, NULL, 0);
        chunks[1].ssrc = s->send.params.rtx_ssrc;
    }
    rtcp_write_sdes(w, chunks, s->send.params.has_rtx ? 2 : 1);
    return true;
}

static bool dlrr(struct consumer *c, usec now, struct rtcp_dlrr *out)
{
    return send_stream_dlrr(&self(c)->send, now, out);
}

/* ---- state ---- */

static void started(struct consumer *c, usec now)
{
    struct simple_consumer *s = self(c);
    s->need_sync = true;
    send_stream_resume(&s->send);
    ask_for_key_frame(s, now);
}

static void stopped(struct consumer *c, usec now)
{
    (void)now;
    send_stream_pause(&self(c)->send);
}

static uint8_t score(const struct consumer *c)
{
    return self(c)->send.score.value;
}

static struct producer_stream *source(const struct consumer *c)
{
    return self(c)->source;
}

static void request_key_frame(struct consumer *c, usec now)
{
    if (c->active)
        ask_for_key_frame(self(c), now);
}

/* ---- what it is ---- */

static enum err dump(const struct consumer *c, struct arena *arena,
                     struct consumer_dump_response *out)
{
    const struct simple_consumer *s = self(c);
    out->rtp_streams = arena_array(arena, 1, sizeof *out->rtp_streams);
    if (!out->rtp_streams)
        return ERR_NOMEM;
    out->n_rtp_streams = 1;
    return stream_report_dump(&out->rtp_streams[0], arena, &s->send.params, &c->codecs,
                              &c->rtp_parameters->encodings[0], 0, s->send.score.value);
}

static size_t stats(struct consumer *c, usec now, struct rtp_stream_stat *out, size_t cap)
{
    struct simple_consumer *s = self(c);
    struct stream_stats st;
    if (cap == 0)
        return 0;
    send_stream_stats(&s->send, now, &st);
    stream_report_stat(&out[0], RTP_STAT_OUTBOUND, now, &s->send.params, c->kind, NULL, &st);
    if (cap < 2 || !s->source->started)
        return 1;
    recv_stream_stats(&s->source->recv, now, &st);
    stream_report_stat(&out[1], RTP_STAT_INBOUND, now, &s->source->recv.params, c->kind,
                       c->producer->rtp_parameters->encodings[s->source->index].rid, &st);
    return 2;
}

static void close_simple(struct consumer *c)
{
    struct simple_consumer *s = self(c);
    send_stream_fini(&s->send);
    consumer_fini(c);
    free(s);
}

static const struct consumer_ops ops = {.type = RTP_TYPE_SIMPLE,
                                        .rtp = on_rtp,
                                        .nack = on_nack,
                                        .report = on_report,
                                        .receiver_time = on_receiver_time,
                                        .key_frame = on_key_frame,
                                        .sender_report = sender_report,
                                        .dlrr = dlrr,
                                        .started = started,
                                        .stopped = stopped,
                                        .request_key_frame = request_key_frame,
                                        .score = score,
                                        .source = source,
                                        .dump = dump,
                                        .stats = stats,
                                        .close = close_simple};

enum err simple_consumer_open(struct transport *t, struct producer *p, usec now,
                              const struct transport_consume_request *in, struct consumer **out,
                              struct field_error *f)
{
    if (in->n_consumable_rtp_encodings != 1 || p->n_streams != 1)
        return fail(f, ERR_TYPE, "consumableRtpEncodings", "a simple consumer has exactly one");
    struct simple_consumer *s = calloc(1, sizeof *s);
    if (!s)
        return fail_plain(f, ERR_NOMEM);
    enum err e = consumer_init(&s->base, &ops, t, p, in, f);
    if (e != OK) {
        free(s);
        return e;
    }
    struct stream_params params;
    const struct rtp_parameters *r = s->base.rtp_parameters;
    codec_table_stream_params(&s->base.codecs, r, &r->encodings[0], &params);
    s->source = &p->streams[0];
    send_stream_init(&s->send, &params, (uint16_t)rng_u32(t->worker->config.rng));
    seq_rewriter_init(&s->seq, 16, (uint16_t)(rng_u32(t->worker->config.rng) & 0x7fff));
    consumer_update(&s->base, now);
    *out = &s->base;
    return OK;
}
