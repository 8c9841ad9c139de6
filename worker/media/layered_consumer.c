#include "worker/media/layered_consumer.h"

#include <stdlib.h>

#include "proto/pipe.h"
#include "proto/rtcp_sdes.h"
#include "worker/media/fail.h"
#include "worker/media/layered_offer.h"
#include "worker/media/layered_state.h"
#include "worker/media/producer.h"
#include "worker/media/scalability.h"
#include "worker/media/stream_report.h"
#include "worker/media/trace.h"
#include "worker/media/transport.h"
#include "worker/media/transport_bwe.h"
#include "worker/media/worker_state.h"

enum { SRTP_TAG = 16 };

static struct layered_consumer *self(const struct consumer *c)
{
    return container_of(c, struct layered_consumer, base);
}

static struct producer_stream *stream_at(const struct layered_consumer *s, int8_t index)
{
    return index == LAYER_NONE ? NULL : &s->base.producer->streams[index];
}

/* ---- what follows from anything that happened ---- */

static void tell_layers(struct layered_consumer *s, struct layers l)
{
    struct consumer_layers layers = {.spatial_layer = (uint8_t)l.spatial,
                                     .has_spatial_layer = true,
                                     .temporal_layer = (uint8_t)l.temporal,
                                     .has_temporal_layer = true};
    struct consumer_layers_change_event event = {.layers = l.spatial < 0 ? NULL : &layers};
    worker_notify(s->base.transport->worker, s->base.object.id, EVENT_CONSUMER_LAYERS_CHANGE,
                  &event);
    consumer_check_score(&s->base);
}

static void settle(struct layered_consumer *s, usec now)
{
    struct layers l;
    for (int8_t i; (i = simulcast_take_key_request(&s->simulcast)) != LAYER_NONE;)
        producer_request_key_frame(s->base.producer, now, stream_at(s, i));
    if (simulcast_layers_changed(&s->simulcast, &l))
        tell_layers(s, l);
}

/* ---- forwarding ---- */

static struct rtp_out out_of(const struct layered_consumer *s, usec now, const struct rtp_view *v,
                             const struct ext_brought *brought, layer_patch patch)
{
    return (struct rtp_out){.view = v,
                            .layout = &s->base.layout,
                            .brought = brought,
                            .time = now,
                            .patch = patch,
                            .codec = s->codec};
}

/* What the packet brought, with the dependency descriptor as this consumer gets it. */
static const struct ext_brought *patch_brought(const struct producer_stream *source,
                                               const struct ext_brought *in, layer_patch patch,
                                               struct ext_brought *copy,
                                               uint8_t scratch[DD_LEN_MAX])
{
    if ((patch & LAYER_PATCH_REWRITE) == 0 || in->n == 0)
        return in;
    for (size_t i = 0; i < in->n; i++) {
        if (in->item[i].kind != RTP_EXT_DEPENDENCY_DESCRIPTOR)
            continue;
        *copy = *in;
        struct slice dd = layer_patch_dd(&source->layers, patch, in->item[i].value, scratch);
        copy->item[i].value = dd;
        if (dd.n > copy->longest)
            copy->longest = dd.n;
        return copy;
    }
    return in;
}

static void send(struct layered_consumer *s, usec now, const struct media_packet *m,
                 const struct simulcast_out *o)
{
    struct consumer *c = &s->base;
    struct rtp_view view = m->view;
    struct ext_brought copy;
    uint8_t scratch[DD_LEN_MAX];
    layer_patch patch = s->send.params.has_rtx ? o->patch : o->patch & ~LAYER_PATCH_MASK;
    bool fill = (patch & LAYER_PATCH_EMPTY) != 0;
    if (fill)
        view.payload_len = 0;
    struct rtp_out out =
        out_of(s, now, &view, patch_brought(m->stream, &m->brought, patch, &copy, scratch), patch);
    out.ssrc = s->send.params.ssrc;
    out.timestamp = o->timestamp;
    out.seq = o->seq;
    out.number = c->layout.number_at != 0 ? transport_next_number(c->transport) : 0;
    out.payload_type = consumer_payload_type(c, m->payload_type);
    out.padding = fill ? 0 : consumer_padding(c, m, &s->send);
    out.marker = o->marker;
    out.may_wait = s->send.params.has_rtx;
    size_t len = transport_send_rtp(c->transport, now, &out);
    if (len == 0)
        return;
    struct sent_rtp sent = {.packet = s->send.params.use_nack && !fill ? m->packet : NULL,
                            .timestamp = out.timestamp,
                            .patch = patch,
                            .seq = out.seq,
                            .len = (uint16_t)len,
                            .payload_len = view.payload_len,
                            .marker = out.marker};
    bool first = !s->send.started;
    send_stream_sent(&s->send, now, &sent);
    if (first)
        transport_report_soon(c->transport, now);
    if (c->trace != 0)
        trace_consumer_rtp(c, now, &out, len, m->key_frame);
}

static bool unwanted(const struct layered_consumer *s, const struct media_packet *m)
{
    return m->padding_only || !consumer_supports(&s->base, m->payload_type);
}

static bool forward(struct layered_consumer *s, usec now, const struct media_packet *m, bool again)
{
    struct simulcast_out out = {0};
    const struct producer_stream *line = stream_at(s, simulcast_line(&s->simulcast));
    uint8_t stream = m->stream->index;
    enum simulcast_verdict verdict;
    int8_t from = s->simulcast.current;
    if (unwanted(s, m)) {
        verdict = simulcast_skip(&s->simulcast, stream, m->view.seq, m->view.timestamp, &out);
    } else {
        struct simulcast_in in = {.packet = m->layers,
                                  .sr = &m->stream->recv.sr,
                                  .line_sr = line && line->started ? &line->recv.sr : NULL,
                                  .stream = stream,
                                  .restarted = m->restarted,
                                  .again = again,
                                  .left_out = !m->stream->recv.active};
        verdict = simulcast_packet(&s->simulcast, now, &in, &out);
    }
    /* Down for want of room: what was lost of the larger picture would only take more of it. */
    if (s->simulcast.current < from)
        send_stream_forget(&s->send);
    if (verdict != SIMULCAST_NOTHING)
        send(s, now, m, &out);
    return out.replay;
}

/* For a packet of a replay, or late for it. Pictures are still told apart as they came. */
static void move(struct layered_consumer *s, const struct media_packet **m,
                 struct media_packet *moved, struct layer_packet *layers)
{
    replay_move(&s->replay, m, moved);
    if (*m != moved)
        return;
    *layers = *moved->layers;
    layers->timestamp = moved->view.timestamp;
    moved->layers = layers;
}

/* A key frame's first packet was overtaken: what overtook it follows. */
static void forward_held(struct layered_consumer *s, usec now, const struct media_packet *first)
{
    struct producer_stream *source = first->stream;
    const struct held *held = &source->held;
    for (size_t i = 0; i < held->n; i++) {
        struct media_packet m;
        struct layer_packet layers;
        if (!media_packet_held(&m, source, held_at(held, i)) ||
            !seq16_after(m.view.seq, first->view.seq))
            continue;
        producer_stream_layers(source, &m, &layers);
        (void)forward(s, now, &m, true);
    }
}

static void on_rtp(struct consumer *c, usec now, const struct media_packet *m)
{
    struct layered_consumer *s = self(c);
    struct media_packet moved;
    struct layer_packet layers;
    if (!m->layers)
        return;
    if (s->replay.on && (int8_t)m->stream->index == s->simulcast.line)
        move(s, &m, &moved, &layers);
    if (forward(s, now, m, false) && m->late)
        forward_held(s, now, m);
    settle(s, now);
}

/* ---- a start from the cache ---- */

/* What it gets must not lie before what it got; a timeline that switches sees to that itself. */
static bool goes_on(const struct layered_consumer *s, const struct replay *r,
                    const struct producer_stream *source)
{
    const struct timeline *t = &s->simulcast.timeline;
    return !t->started || s->simulcast.line != (int8_t)source->index ||
           seq32_after(timeline_map(t, replay_timestamp(r, source->gop.timestamp)), t->last);
}

/* All since the last key frame of the stream that it is to get, when the next may not be asked for
 * yet. */
static void replay(struct layered_consumer *s, usec now)
{
    struct producer_stream *source = stream_at(s, s->simulcast.target);
    struct replay r;
    if (!source || !replay_helps(&s->base, source, now))
        return;
    replay_begin(&r, &source->gop, s->send.params.has_rtx);
    if (!goes_on(s, &r, source))
        return;
    s->replay = r;
    simulcast_rewind(&s->simulcast, source->index, source->gop.first);
    for (size_t i = 0; i < source->gop.n; i++) {
        struct media_packet m;
        struct media_packet moved;
        struct layer_packet layers;
        struct layer_packet moved_layers;
        const struct media_packet *p = &m;
        if (!replay_packet(&m, source, i))
            continue;
        producer_stream_layers(source, &m, &layers);
        move(s, &p, &moved, &moved_layers);
        (void)forward(s, now, p, false);
    }
}

/* ---- the peer's RTCP ---- */

/* Which encoding a packet that is sent again came from: the source may be another by now. */
static const struct producer_stream *stream_of_packet(const struct layered_consumer *s,
                                                      uint32_t ssrc)
{
    const struct producer *p = s->base.producer;
    for (size_t i = 0; i < p->n_streams; i++) {
        if (p->streams[i].ssrc == ssrc)
            return &p->streams[i];
    }
    return NULL;
}

static void resend(struct layered_consumer *s, usec now, const struct resend *r, bool asked)
{
    struct consumer *c = &s->base;
    const struct stream_params *params = &s->send.params;
    struct rtp_view v;
    struct ext_brought brought;
    struct ext_brought copy;
    uint8_t scratch[DD_LEN_MAX];
    if (rtp_parse(&v, r->packet->data, r->packet->len) != OK)
        return;
    const struct producer_stream *source = stream_of_packet(s, v.ssrc);
    if (!source)
        return;
    ext_brought_find(&brought, &c->producer->ext, &v);
    if (params->has_rtx && r->timestamp != timeline_map(&s->simulcast.timeline, v.timestamp))
        ext_brought_drop(&brought, RTP_EXT_ABS_CAPTURE_TIME); /* see replay.h */
    struct rtp_out out =
        out_of(s, now, &v, patch_brought(source, &brought, r->patch, &copy, scratch), r->patch);
    bool rtx = params->has_rtx;
    out.ssrc = rtx ? params->rtx_ssrc : params->ssrc;
    out.timestamp = r->timestamp;
    out.seq = rtx ? r->rtx_seq : r->seq;
    out.number = rtx && c->layout.number_at != 0 ? transport_next_number(c->transport) : 0;
    out.osn = r->seq;
    out.payload_type =
        rtx ? params->rtx_payload_type
            : consumer_payload_type(c, c->producer->mapped_pt[v.payload_type & 0x7f]);
    out.marker = r->marker;
    out.rtx = rtx;
    out.again = !rtx;
    size_t len = transport_send_rtp(c->transport, now, &out);
    if (len == 0)
        return;
    transport_bwe_resent(c->transport, now, len);
    if (asked)
        send_stream_resent(&s->send, now, len, v.payload_len);
    else
        send_stream_repeated(&s->send, v.payload_len);
    if (c->trace != 0)
        trace_consumer_rtp(c, now, &out, len, false);
}

static const struct send_stream *sends(const struct consumer *c)
{
    return &self(c)->send;
}

static void on_nack(struct consumer *c, usec now, const struct rtcp_nack *nack)
{
    struct layered_consumer *s = self(c);
    if (nack->media_ssrc != s->send.params.ssrc)
        return;
    send_stream_nack_message(&s->send);
    trace_consumer_feedback(c, now, CONSUMER_TRACE_NACK, nack->media_ssrc);
    for (size_t i = 0; c->active && i < nack->n_items; i++) {
        struct resend again[NACK_ITEM_SEQS];
        size_t n = transport_bwe_resends(c->transport, now, NACK_ITEM_SEQS);
        n = send_stream_nack(&s->send, now, rtcp_nack_item(nack, i), again, n);
        for (size_t j = 0; j < n; j++)
            resend(s, now, &again[j], true);
    }
}

static void repeat(struct consumer *c, usec now, const struct producer_stream *stream)
{
    struct layered_consumer *s = self(c);
    struct resend newest;
    if (c->active && stream == stream_at(s, s->simulcast.current) &&
        send_stream_probe(&s->send, now, &newest))
        resend(s, now, &newest, false);
}

/* Padding alone: the newest packet may be of layers that are left by now. */
static bool probe(struct consumer *c, usec now, size_t size)
{
    struct layered_consumer *s = self(c);
    struct send_stream *send = &s->send;
    size_t head = RTP_HEADER_LEN + c->layout.fixed_len + SRTP_TAG;
    size_t padding = size > head ? size - head : 1;
    struct rtp_view nothing = {0};
    struct ext_brought brought = {0};
    if (!c->active || !send->started || !send->params.has_rtx || c->layout.number_at == 0)
        return false;
    struct rtp_out out = out_of(s, now, &nothing, &brought, 0);
    out.ssrc = send->params.rtx_ssrc;
    out.timestamp = send->max_timestamp;
    out.seq = send->rtx_seq++;
    out.number = transport_next_number(c->transport);
    out.payload_type = send->params.rtx_payload_type;
    out.padding = (uint8_t)(padding < UINT8_MAX ? padding : UINT8_MAX);
    out.probe = true;
    if (transport_send_rtp(c->transport, now, &out) == 0)
        return false;
    send_stream_repeated(send, 0);
    return true;
}

static void on_report(struct consumer *c, usec now, const struct rtcp_report *r)
{
    struct layered_consumer *s = self(c);
    if (r->ssrc == s->send.params.ssrc)
        send_stream_rr(&s->send, now, r);
}

static void on_receiver_time(struct consumer *c, usec now, uint64_t ntp)
{
    send_stream_rrt(&self(c)->send, now, ntp);
}

static void request_key_frame(struct consumer *c, usec now)
{
    struct layered_consumer *s = self(c);
    simulcast_key_frame(&s->simulcast);
    settle(s, now);
}

static void on_key_frame(struct consumer *c, usec now, uint32_t ssrc, bool fir)
{
    struct layered_consumer *s = self(c);
    if (ssrc != s->send.params.ssrc)
        return;
    if (fir)
        s->send.firs++;
    else
        s->send.plis++;
    trace_consumer_feedback(c, now, fir ? CONSUMER_TRACE_FIR : CONSUMER_TRACE_PLI, ssrc);
    request_key_frame(c, now);
}

/* ---- our RTCP ---- */

static bool sender_report(struct consumer *c, usec now, struct wr *w)
{
    struct layered_consumer *s = self(c);
    const struct producer_stream *line = stream_at(s, simulcast_line(&s->simulcast));
    struct rtcp_sr sr;
    struct rtcp_sr rtx;
    if (!line || !line->started ||
        !send_stream_sr(&s->send, now, &line->recv.sr, s->simulcast.timeline.offset, &sr))
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
    struct layered_consumer *s = self(c);
    send_stream_resume(&s->send);
    s->replay.on = false;
    simulcast_start(&s->simulcast);
    replay(s, now);
    settle(s, now);
}

static void stopped(struct consumer *c, usec now)
{
    struct layered_consumer *s = self(c);
    send_stream_pause(&s->send);
    simulcast_stop(&s->simulcast);
    settle(s, now);
}

static uint8_t score(const struct consumer *c)
{
    return self(c)->send.score.value;
}

static struct producer_stream *source(const struct consumer *c)
{
    const struct layered_consumer *s = self(c);
    return stream_at(s, s->simulcast.current);
}

static void producer_scores(struct consumer *c)
{
    struct layered_consumer *s = self(c);
    const struct producer *p = c->producer;
    /* The key frame that follows from it is asked for with the next packet of any stream. */
    for (size_t i = 0; i < p->n_streams; i++)
        simulcast_alive(&s->simulcast, (uint8_t)i, producer_stream_score(&p->streams[i]) > 0);
}

static struct layers layers_of(const struct consumer_layers *in)
{
    return (struct layers){.spatial =
                               in->spatial_layer > INT8_MAX ? INT8_MAX : (int8_t)in->spatial_layer,
                           .temporal = !in->has_temporal_layer || in->temporal_layer > INT8_MAX
                                           ? LAYER_NONE
                                           : (int8_t)in->temporal_layer};
}

static void prefer(struct consumer *c, usec now, const struct consumer_layers *in,
                   struct consumer_layers *out)
{
    struct layered_consumer *s = self(c);
    if (in) {
        (void)simulcast_prefer(&s->simulcast, layers_of(in));
        settle(s, now);
    }
    *out = (struct consumer_layers){.spatial_layer = (uint8_t)s->simulcast.preferred.spatial,
                                    .has_spatial_layer = true,
                                    .temporal_layer = (uint8_t)s->simulcast.preferred.temporal,
                                    .has_temporal_layer = true};
}

static void offer(struct consumer *c, usec now, struct alloc_consumer *out)
{
    layered_offer(self(c), now, out);
}

static void allot(struct consumer *c, usec now, int8_t layer)
{
    struct layered_consumer *s = self(c);
    simulcast_limit(&s->simulcast, layered_offer_layers(s, layer));
    settle(s, now);
}

/* ---- what it is ---- */

static enum err dump(const struct consumer *c, struct arena *arena,
                     struct consumer_dump_response *out)
{
    const struct layered_consumer *s = self(c);
    struct layers target = simulcast_target_layers(&s->simulcast);
    struct layers current = simulcast_current_layers(&s->simulcast);
    out->preferred_spatial_layer = s->simulcast.preferred.spatial;
    out->preferred_temporal_layer = s->simulcast.preferred.temporal;
    out->target_spatial_layer = target.spatial;
    out->target_temporal_layer = target.temporal;
    out->current_spatial_layer = current.spatial;
    out->current_temporal_layer = current.temporal;
    out->has_preferred_spatial_layer = out->has_preferred_temporal_layer = true;
    out->has_target_spatial_layer = out->has_target_temporal_layer = true;
    out->has_current_spatial_layer = out->has_current_temporal_layer = true;
    out->rtp_streams = arena_array(arena, 1, sizeof *out->rtp_streams);
    if (!out->rtp_streams)
        return ERR_NOMEM;
    out->n_rtp_streams = 1;
    return stream_report_dump(&out->rtp_streams[0], arena, &s->send.params, &c->codecs,
                              &c->rtp_parameters->encodings[0], 0, s->send.score.value);
}

static size_t stats(struct consumer *c, usec now, struct rtp_stream_stat *out, size_t cap)
{
    struct layered_consumer *s = self(c);
    struct producer_stream *from = source(c);
    struct stream_stats st;
    if (cap == 0)
        return 0;
    send_stream_stats(&s->send, now, &st);
    stream_report_stat(&out[0], RTP_STAT_OUTBOUND, now, &s->send.params, c->kind, NULL, &st);
    if (cap < 2 || !from || !from->started)
        return 1;
    recv_stream_stats(&from->recv, now, &st);
    stream_report_stat(&out[1], RTP_STAT_INBOUND, now, &from->recv.params, c->kind,
                       c->producer->rtp_parameters->encodings[from->index].rid, &st);
    return 2;
}

static void close_layered(struct consumer *c)
{
    struct layered_consumer *s = self(c);
    c->producer->n_layered--;
    send_stream_fini(&s->send);
    consumer_fini(c);
    free(s);
}

#define LAYERED_OPS(t)                                                                             \
    {                                                                                              \
        .type = t, .rtp = on_rtp, .sends = sends, .nack = on_nack, .report = on_report,            \
        .receiver_time = on_receiver_time, .key_frame = on_key_frame, .probe = probe,              \
        .repeat = repeat, .sender_report = sender_report, .dlrr = dlrr, .started = started,        \
        .stopped = stopped, .request_key_frame = request_key_frame, .score = score,                \
        .source = source, .producer_scores = producer_scores, .prefer = prefer, .offer = offer,    \
        .allot = allot, .dump = dump, .stats = stats, .close = close_layered                       \
    }

static const struct consumer_ops simulcast_ops = LAYERED_OPS(RTP_TYPE_SIMULCAST);
static const struct consumer_ops svc_ops = LAYERED_OPS(RTP_TYPE_SVC);

static void restrict_extensions(struct layered_consumer *s)
{
    struct consumer *c = &s->base;
    struct ext_ids ids = c->layout.ids;
    /* Without RTX a packet is sent again byte for byte, and there is no room to keep its
     * transport-wide number beside what its layers need. */
    if (s->send.params.use_nack && !s->send.params.has_rtx)
        ids.of[RTP_EXT_TWCC] = 0;
    /* VP8 and VP9 are rewritten in their payload; a descriptor beside it would tell another story.
     */
    if (s->codec == CODEC_VP8 || s->codec == CODEC_VP9)
        ids.of[RTP_EXT_DEPENDENCY_DESCRIPTOR] = 0;
    ext_layout_init(&c->layout, &ids, c->rtp_parameters->mid);
}

static void init_streams(struct layered_consumer *s, const struct transport_consume_request *in)
{
    struct consumer *c = &s->base;
    const struct producer *p = c->producer;
    struct rng *rng = c->transport->worker->config.rng;
    const struct rtp_parameters *r = c->rtp_parameters;
    struct stream_params params;
    struct consumer_layers unused;
    /* The pictures of AV1 with several spatial layers cannot be told apart by its RTP payload: a
     * receiver needs the dependency descriptor for it, as browsers do. */
    bool has_dd = c->layout.ids.of[RTP_EXT_DEPENDENCY_DESCRIPTOR] != 0;
    codec_table_stream_params(&c->codecs, r, &r->encodings[0], &params);
    s->codec = params.codec;
    send_stream_init(&s->send, &params, (uint16_t)rng_u32(rng));
    const char *mode = p->rtp_parameters->encodings[0].scalability_mode;
    struct scalability scale = scalability_parse(mode ? mode : r->encodings[0].scalability_mode);
    struct simulcast_config config = {.codec = params.codec,
                                      .clock_rate = params.clock_rate,
                                      .n_streams = (uint8_t)p->n_streams,
                                      .n_spatial = scale.spatial,
                                      .n_temporal = scale.temporal,
                                      .key_svc = scale.key,
                                      .lowest_spatial = params.codec == CODEC_AV1 && !has_dd,
                                      .first_seq = (uint16_t)(rng_u32(rng) & 0x7fff)};
    simulcast_init(&s->simulcast, &config);
    if (in->preferred_layers)
        prefer(c, 0, in->preferred_layers, &unused);
    producer_scores(c);
    restrict_extensions(s);
}

enum err layered_consumer_open(struct transport *t, struct producer *p,
                               const struct transport_consume_request *in, struct consumer **out,
                               struct field_error *f)
{
    bool svc = (enum rtp_type)in->type == RTP_TYPE_SVC;
    if ((enum rtp_type)in->type != p->type || p->kind != MEDIA_KIND_VIDEO)
        return fail(f, ERR_TYPE, "type", "not the producer's");
    if (in->n_consumable_rtp_encodings != p->n_streams)
        return fail(f, ERR_TYPE, "consumableRtpEncodings", "not as many as the producer has");
    if (in->rtp_parameters->n_encodings != 1)
        return fail(f, ERR_TYPE, "rtpParameters.encodings", "must be exactly one");
    struct layered_consumer *s = calloc(1, sizeof *s);
    if (!s)
        return fail_plain(f, ERR_NOMEM);
    enum err e = consumer_init(&s->base, svc ? &svc_ops : &simulcast_ops, t, p, in, f);
    if (e != OK) {
        free(s);
        return e;
    }
    p->n_layered++;
    init_streams(s, in);
    *out = &s->base;
    return OK;
}
