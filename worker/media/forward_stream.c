#include "worker/media/forward_stream.h"

#include "proto/rtcp_sdes.h"
#include "worker/media/consumer.h"
#include "worker/media/producer.h"
#include "worker/media/stream_report.h"
#include "worker/media/trace.h"
#include "worker/media/transport.h"
#include "worker/media/transport_bwe.h"
#include "worker/media/worker_state.h"

void forward_stream_init(struct forward_stream *s, struct consumer *c, size_t index)
{
    struct rng *rng = c->transport->worker->config.rng;
    struct stream_params params;
    const struct rtp_parameters *r = c->rtp_parameters;
    codec_table_stream_params(&c->codecs, r, &r->encodings[index], &params);
    *s = (struct forward_stream){
        .consumer = c, .index = index, .source = &c->producer->streams[index]};
    send_stream_init(&s->send, &params, (uint16_t)rng_u32(rng));
    seq_rewriter_init(&s->seq, 16, (uint16_t)(rng_u32(rng) & 0x7fff));
}

void forward_stream_fini(struct forward_stream *s)
{
    send_stream_fini(&s->send);
}

/* ---- forwarding ---- */

void forward_stream_ask(struct forward_stream *s, usec now)
{
    producer_request_key_frame(s->consumer->producer, now, s->source);
}

/* After a restart the timestamps go on by the time that passed. */
static void join_timelines(struct forward_stream *s, usec now, uint32_t timestamp)
{
    s->new_timeline = false;
    if (!s->sent)
        return;
    uint64_t ticks =
        (uint64_t)(now - s->last_at) * s->send.params.clock_rate / (uint64_t)USEC_PER_SEC;
    s->ts_offset = s->last_ts + (uint32_t)ticks + 1 - timestamp;
}

/* False: a receiver cannot start with this packet. */
static bool sync(struct forward_stream *s, usec now, const struct media_packet *m)
{
    enum codec codec = s->source->recv.params.codec;
    bool starts = codec_has_key_frames(codec) ? m->key_frame : !m->padding_only;
    if (!starts) {
        s->need_sync = true;
        forward_stream_ask(s, now);
        return false;
    }
    if (s->new_timeline)
        join_timelines(s, now, m->view.timestamp);
    seq_rewriter_sync(&s->seq, m->view.seq);
    s->need_sync = false;
    return true;
}

static void send(struct forward_stream *s, usec now, const struct media_packet *m, uint16_t seq)
{
    struct consumer *c = s->consumer;
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
                          .payload_type = consumer_payload_type(c, m->payload_type),
                          .padding = consumer_padding(c, m, &s->send),
                          .marker = m->view.marker,
                          .may_wait = s->send.params.has_rtx && c->kind == MEDIA_KIND_VIDEO};
    size_t len = transport_send_rtp(t, now, &out);
    if (len == 0)
        return;
    struct sent_rtp sent = {.packet = s->send.params.use_nack ? m->packet : NULL,
                            .timestamp = out.timestamp,
                            .patch = (uint32_t)out.payload_type << 16 | number,
                            .seq = seq,
                            .len = (uint16_t)len,
                            .payload_len = m->view.payload_len,
                            .marker = m->view.marker};
    bool first = !s->send.started;
    send_stream_sent(&s->send, now, &sent);
    if (first)
        transport_report_soon(c->transport, now);
    s->sent = true;
    s->last_ts = out.timestamp;
    s->last_at = now;
    if (c->trace != 0)
        trace_consumer_rtp(c, now, &out, len, m->key_frame);
}

/* The packet is not wanted. What comes after it closes up; where newer ones went out already, an
 * empty packet fills the hole, so that the receiver does not ask for it in vain. */
static void leave_out(struct forward_stream *s, usec now, const struct media_packet *m)
{
    uint16_t seq;
    if (seq_rewriter_drop(&s->seq, m->view.seq) || !seq_rewriter_map(&s->seq, m->view.seq, &seq))
        return;
    struct media_packet empty = *m;
    empty.packet = NULL;
    empty.padding = 0;
    empty.view.payload_len = 0;
    empty.view.marker = false;
    send(s, now, &empty, seq);
}

static void forward(struct forward_stream *s, usec now, const struct media_packet *m)
{
    struct consumer *c = s->consumer;
    uint16_t seq;
    if (m->padding_only || !consumer_supports(c, m->payload_type) ||
        (c->ignore_dtx && codec_is_dtx(s->source->recv.params.codec, rtp_payload_slice(&m->view))))
        leave_out(s, now, m);
    else if (seq_rewriter_map(&s->seq, m->view.seq, &seq))
        send(s, now, m, seq);
}

/* The key frame's first packet was overtaken: what overtook it follows. */
static void forward_held(struct forward_stream *s, usec now, const struct media_packet *first)
{
    const struct held *held = &s->source->held;
    for (size_t i = 0; i < held->n; i++) {
        struct media_packet m;
        if (media_packet_held(&m, s->source, held_at(held, i)) &&
            seq16_after(m.view.seq, first->view.seq))
            forward(s, now, &m);
    }
}

void forward_stream_rtp(struct forward_stream *s, usec now, const struct media_packet *m)
{
    struct media_packet moved;
    replay_move(&s->replay, &m, &moved);
    s->new_timeline |= m->restarted;
    if (!s->consumer->active)
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

static void resend(struct forward_stream *s, usec now, const struct resend *r, bool asked)
{
    struct consumer *c = s->consumer;
    struct transport *t = c->transport;
    const struct stream_params *params = &s->send.params;
    struct rtp_view v;
    struct ext_brought brought;
    if (rtp_parse(&v, r->packet->data, r->packet->len) != OK)
        return;
    ext_brought_find(&brought, &c->producer->ext, &v);
    bool rtx = params->has_rtx;
    if (rtx && r->timestamp != v.timestamp + s->ts_offset)
        ext_brought_drop(&brought, RTP_EXT_ABS_CAPTURE_TIME); /* see replay.h */
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
    transport_bwe_resent(t, now, len);
    if (asked)
        send_stream_resent(&s->send, now, len, v.payload_len);
    else
        send_stream_repeated(&s->send, v.payload_len);
    if (c->trace != 0)
        trace_consumer_rtp(c, now, &out, len, false);
}

void forward_stream_nack(struct forward_stream *s, usec now, const struct rtcp_nack *nack)
{
    struct consumer *c = s->consumer;
    send_stream_nack_message(&s->send);
    trace_consumer_feedback(c, now, CONSUMER_TRACE_NACK, nack->media_ssrc);
    if (!c->active)
        return;
    for (size_t i = 0; i < nack->n_items; i++) {
        struct resend again[NACK_ITEM_SEQS];
        size_t n = transport_bwe_resends(c->transport, now, NACK_ITEM_SEQS);
        n = send_stream_nack(&s->send, now, rtcp_nack_item(nack, i), again, n);
        for (size_t j = 0; j < n; j++)
            resend(s, now, &again[j], true);
    }
}

void forward_stream_repeat(struct forward_stream *s, usec now)
{
    struct resend newest;
    if (s->consumer->active && s->sent && send_stream_probe(&s->send, now, &newest))
        resend(s, now, &newest, false);
}

bool forward_stream_probe(struct forward_stream *s, usec now, size_t size)
{
    enum { SRTP_TAG = 16, OSN_LEN = 2 };
    struct consumer *c = s->consumer;
    struct transport *t = c->transport;
    const struct stream_params *params = &s->send.params;
    if (!c->active || !s->sent || !params->has_rtx || c->layout.number_at == 0)
        return false;
    struct rtp_view v;
    struct ext_brought brought = {0};
    struct resend r = {.timestamp = s->last_ts};
    size_t head = RTP_HEADER_LEN + c->layout.fixed_len + SRTP_TAG;
    size_t room = size > head ? size - head : 1;
    bool kept = send_stream_probe(&s->send, now, &r);
    bool again = kept && rtp_parse(&v, r.packet->data, r.packet->len) == OK &&
                 (size_t)v.payload_len + OSN_LEN <= room;
    if (again)
        ext_brought_find(&brought, &c->producer->ext, &v);
    else
        v = (struct rtp_view){0};
    size_t padding = again ? room - OSN_LEN - v.payload_len : room;
    struct rtp_out out = {.view = &v,
                          .layout = &c->layout,
                          .brought = &brought,
                          .time = now,
                          .ssrc = params->rtx_ssrc,
                          .timestamp = r.timestamp,
                          .seq = kept ? r.rtx_seq : s->send.rtx_seq++,
                          .number = transport_next_number(t),
                          .osn = r.seq,
                          .payload_type = params->rtx_payload_type,
                          .padding = (uint8_t)(padding < UINT8_MAX ? padding : UINT8_MAX),
                          .marker = r.marker,
                          .rtx = again,
                          .probe = true};
    if (transport_send_rtp(t, now, &out) == 0)
        return false;
    send_stream_repeated(&s->send, v.payload_len);
    return true;
}

void forward_stream_key_frame(struct forward_stream *s, usec now, bool fir)
{
    struct consumer *c = s->consumer;
    if (fir)
        s->send.firs++;
    else
        s->send.plis++;
    trace_consumer_feedback(c, now, fir ? CONSUMER_TRACE_FIR : CONSUMER_TRACE_PLI,
                            s->send.params.ssrc);
    if (c->active)
        forward_stream_ask(s, now);
}

/* ---- our RTCP ---- */

bool forward_stream_report(struct forward_stream *s, usec now, struct wr *w)
{
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

/* ---- state ---- */

/* What it gets must not lie before what it got. */
static bool goes_on(const struct forward_stream *s, const struct replay *r)
{
    return !s->sent || s->new_timeline ||
           seq32_after(replay_timestamp(r, s->source->gop.timestamp) + s->ts_offset, s->last_ts);
}

/* All since the last key frame, when the next may not be asked for yet. */
static bool replay(struct forward_stream *s, usec now)
{
    struct producer_stream *source = s->source;
    struct replay r;
    if (!replay_helps(s->consumer, source, now))
        return false;
    replay_begin(&r, &source->gop, s->send.params.has_rtx);
    if (!goes_on(s, &r))
        return false;
    s->replay = r;
    for (size_t i = 0; i < source->gop.n; i++) {
        struct media_packet m;
        if (replay_packet(&m, source, i))
            forward_stream_rtp(s, now, &m);
    }
    return true;
}

void forward_stream_start(struct forward_stream *s, usec now)
{
    s->need_sync = true;
    s->replay.on = false;
    send_stream_resume(&s->send);
    if (!replay(s, now))
        forward_stream_ask(s, now);
}

void forward_stream_stop(struct forward_stream *s)
{
    send_stream_pause(&s->send);
}

/* ---- what it is ---- */

enum err forward_stream_dump(const struct forward_stream *s, struct arena *arena,
                             struct rtp_stream_dump *out)
{
    const struct consumer *c = s->consumer;
    return stream_report_dump(out, arena, &s->send.params, &c->codecs,
                              &c->rtp_parameters->encodings[s->index], (uint32_t)s->index,
                              s->send.score.value);
}

void forward_stream_stats(struct forward_stream *s, usec now, struct rtp_stream_stat *out)
{
    struct stream_stats st;
    send_stream_stats(&s->send, now, &st);
    stream_report_stat(out, RTP_STAT_OUTBOUND, now, &s->send.params, s->consumer->kind, NULL, &st);
}

bool forward_stream_source_stats(struct forward_stream *s, usec now, struct rtp_stream_stat *out)
{
    struct stream_stats st;
    if (!s->source->started)
        return false;
    recv_stream_stats(&s->source->recv, now, &st);
    stream_report_stat(out, RTP_STAT_INBOUND, now, &s->source->recv.params, s->consumer->kind,
                       s->consumer->producer->rtp_parameters->encodings[s->source->index].rid, &st);
    return true;
}
