/* A producer's packets: into its stream, then to each consumer; and what goes back: NACK, requests
 * for key frames, reports, scores. */
#include <string.h>

#include "proto/pipe.h"
#include "worker/media/consumer.h"
#include "worker/media/forward_batch.h"
#include "worker/media/producer.h"
#include "worker/media/rtp_observer.h"
#include "worker/media/scalability.h"
#include "worker/media/sibling_watch.h"
#include "worker/media/trace.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

/* Video that is silent for so long may have lost its last packet on the way to a viewer, who cannot
 * know it: it is sent again, and once more later. */
static const usec REPEAT_AFTER[] = {100 * USEC_PER_MSEC, 250 * USEC_PER_MSEC};
enum { REPEATS = 2 };

static usec repeat_deadline(const struct producer_stream *s)
{
    const struct producer *p = s->producer;
    if (s->repeats == REPEATS || p->kind != MEDIA_KIND_VIDEO || p->paused || p->n_consumers == 0)
        return USEC_NEVER;
    return s->recv.last_rtp_at + REPEAT_AFTER[s->repeats];
}

/* A key frame that may be asked for so soon is waited for: it costs the viewer less. */
enum { REPLAY_GAIN_US = 50 * 1000 };

/* Until when s->gop is of use: after that a key frame may be asked for at once. */
static usec gop_deadline(const struct producer_stream *s)
{
    return gop_cache_empty(&s->gop) ? USEC_NEVER : s->gop.began + s->keyframe.delay;
}

static usec stream_deadline(const struct producer_stream *s)
{
    usec at = usec_min(recv_stream_deadline(&s->recv), keyframe_deadline(&s->keyframe));
    return usec_min(usec_min(at, repeat_deadline(s)), gop_deadline(s));
}

static void arm(struct producer_stream *s)
{
    if (s->started)
        timer_set_earlier(&s->timer, stream_deadline(s));
}

static void repeat(struct producer_stream *s, usec now)
{
    const struct producer *p = s->producer;
    s->repeats++;
    for (size_t i = 0; i < p->n_consumers; i++) {
        struct consumer *c = p->consumers[i];
        if (c->ops->repeat)
            c->ops->repeat(c, now, s);
    }
}

/* Without memory for descriptors the stream is forwarded as one without layers. */
static void start_layers(struct producer *p, struct producer_stream *s,
                         const struct rtp_encoding_parameters *e)
{
    const char *mode = e->scalability_mode;
    bool independent = (mode && mode[0] == 'S') || scalability_parse(mode).key;
    bool has_dd = p->kind == MEDIA_KIND_VIDEO && p->ext.of[RTP_EXT_DEPENDENCY_DESCRIPTOR] != 0;
    if (layer_stream_init(&s->layers, s->recv.params.codec, has_dd) != OK)
        s->layers.dd = NULL;
    layer_rate_init(&s->layer_rate, independent);
}

/* Which payload type an encoding without codecPayloadType uses shows with the first packet. */
static bool start_stream(struct producer *p, usec now, struct producer_stream *s,
                         const struct rtp_view *v)
{
    const struct codec_entry *e = codec_table_get(&p->codecs, v->payload_type);
    struct rtp_encoding_parameters enc = p->rtp_parameters->encodings[s->index];
    struct stream_params params;
    if (!e || codec_is_rtx(e->codec))
        return false;
    struct rtp_rtx_parameters rtx = {.ssrc = s->rtx_ssrc, .has_ssrc = true};
    enc.ssrc = s->ssrc;
    enc.rtx = s->has_rtx_ssrc ? &rtx : NULL;
    codec_table_stream_params(&p->codecs, p->rtp_parameters, &enc, &params);
    recv_stream_init(&s->recv, &params, now);
    if (p->paused)
        recv_stream_pause(&s->recv);
    start_layers(p, s, &enc);
    s->started = true;
    if (s->early_report.at != 0)
        recv_stream_sr(&s->recv, s->early_report.at,
                       &(struct rtcp_sr){.ssrc = s->ssrc,
                                         .ntp = s->early_report.ntp,
                                         .rtp_timestamp = s->early_report.rtp_timestamp});
    return true;
}

/* An RTX SSRC that was learnt after the stream began. */
static void join_rtx(struct producer_stream *s)
{
    struct stream_params *params = &s->recv.params;
    const struct codec_table *codecs = &s->producer->codecs;
    const struct codec_entry *media = codec_table_get(codecs, params->payload_type);
    const struct codec_entry *rtx = media ? codec_table_rtx(codecs, media) : NULL;
    if (params->has_rtx || !rtx)
        return;
    params->has_rtx = true;
    params->rtx_ssrc = s->rtx_ssrc;
    params->rtx_payload_type = rtx->payload_type;
}

static void check_orientation(struct producer *p, const struct rtp_view *v)
{
    struct video_orientation o;
    struct slice e = rtp_ext_find(v, p->ext.of[RTP_EXT_VIDEO_ORIENTATION]);
    if (e.n == 0 || (p->has_orientation && e.p[0] == p->orientation) ||
        rtp_ext_read_video_orientation(e, &o) != OK)
        return;
    p->has_orientation = true;
    p->orientation = e.p[0];
    struct producer_video_orientation_change_event event = {.camera = o.camera_back,
                                                            .flip = o.flip,
                                                            .rotation = o.rotation,
                                                            .has_camera = true,
                                                            .has_flip = true,
                                                            .has_rotation = true};
    worker_notify(p->transport->worker, p->object.id, EVENT_PRODUCER_VIDEO_ORIENTATION_CHANGE,
                  &event);
}

static bool is_larger(struct picture_size a, struct picture_size b)
{
    return (uint32_t)a.width * a.height > (uint32_t)b.width * b.height;
}

/* Of the largest of its streams, which may have fallen silent: what it can send. */
static void check_size(struct producer *p, struct producer_stream *s, const struct rtp_view *v)
{
    if (!picture_size_read(s->recv.params.codec, rtp_payload_slice(v), &s->size))
        return;
    struct picture_size size = {0};
    for (size_t i = 0; i < p->n_streams; i++)
        size = is_larger(p->streams[i].size, size) ? p->streams[i].size : size;
    if (size.width == p->size.width && size.height == p->size.height)
        return;
    p->size = size;
    struct producer_video_size_change_event event = {
        .width = size.width, .has_width = true, .height = size.height, .has_height = true};
    worker_notify(p->transport->worker, p->object.id, EVENT_PRODUCER_VIDEO_SIZE_CHANGE, &event);
}

static void tell_observers(struct producer *p, usec now, const struct rtp_view *v)
{
    struct audio_level l;
    struct slice e = rtp_ext_find(v, p->ext.of[RTP_EXT_AUDIO_LEVEL]);
    if (e.n > 0 && rtp_ext_read_audio_level(e, &l) == OK)
        rtp_observer_level(p, now, l.level);
}

bool media_packet_held(struct media_packet *m, struct producer_stream *s, struct packet *packet)
{
    struct producer *p = s->producer;
    *m = (struct media_packet){.packet = packet, .stream = s};
    if (rtp_parse(&m->view, packet->data, packet->len) != OK)
        return false;
    m->payload_type = p->mapped_pt[m->view.payload_type];
    ext_brought_find(&m->brought, &p->ext, &m->view);
    return m->payload_type != CODEC_TABLE_NONE;
}

static struct slice brought_dd(const struct ext_brought *b)
{
    for (size_t i = 0; i < b->n; i++) {
        if (b->item[i].kind == RTP_EXT_DEPENDENCY_DESCRIPTOR)
            return b->item[i].value;
    }
    return (struct slice){0};
}

void producer_stream_layers(struct producer_stream *s, struct media_packet *m,
                            struct layer_packet *out)
{
    layer_stream_packet(&s->layers, &m->view, brought_dd(&m->brought), m->key_frame, out);
    m->layers = out;
}

/* False: the packet cannot be understood before another one has come. */
static bool read_layers(struct producer *p, usec now, struct media_packet *m,
                        struct layer_packet *out)
{
    struct slice dd = brought_dd(&m->brought);
    /* Bit 7 of the fourth byte: a template structure comes, and packets that wait to be forwarded
     * may point at the one whose place it takes. */
    if (dd.n > DD_MANDATORY_LEN && (dd.p[DD_MANDATORY_LEN] & 0x80) != 0)
        forward_batch_flush(p->transport->worker, now);
    producer_stream_layers(m->stream, m, out);
    if (!m->padding_only)
        layer_rate_add(&m->stream->layer_rate, now, out->spatial, out->temporal, m->view.len);
    return out->info != LAYER_INFO_MISSING || m->padding_only;
}

/* False: the packet is to be held. */
static bool forward(struct producer *p, usec now, struct producer_stream *s, struct packet *packet,
                    const struct rtp_view *v, const struct recv_result *r, bool awaited)
{
    struct layer_packet layers;
    bool understood = true;
    struct media_packet m = {.packet = packet,
                             .view = *v,
                             .stream = s,
                             .payload_type = p->mapped_pt[v->payload_type],
                             .key_frame = r->key_frame,
                             .restarted = r->restarted,
                             .late = r->late,
                             .padding_only = r->padding_only};
    if (m.payload_type == CODEC_TABLE_NONE)
        return true;
    ext_brought_find(&m.brought, &p->ext, v);
    if (p->n_layered > 0)
        understood = read_layers(p, now, &m, &layers);
    forward_batch_add(p->transport->worker, now, p, &m);
    /* These change what consumers look at, now or with the next packet. */
    if (r->key_frame || r->restarted || r->late || awaited || !understood)
        forward_batch_flush(p->transport->worker, now);
    return understood;
}

/* A key frame's first packet came: kept with what follows while the next may not be asked for.
 * Other spatial layers of the same picture may begin as key frames do. */
static void begin_gop(struct producer_stream *s, usec now, struct packet *packet,
                      const struct rtp_view *v, const struct recv_result *r)
{
    struct gop_cache *g = &s->gop;
    if (!gop_cache_empty(g) && !r->restarted && !seq32_after(v->timestamp, g->timestamp)) {
        gop_cache_add(g, v->seq, v->timestamp, packet);
        return;
    }
    gop_cache_clear(g);
    if (s->keyframe.sent_at == USEC_NEVER || now - s->keyframe.sent_at >= s->keyframe.delay)
        return;
    gop_cache_begin(g, now, v->seq, v->timestamp, packet);
    /* What overtook it. */
    for (size_t i = 0; r->late && i < s->held.n; i++) {
        struct rtp_view held;
        struct packet *p = held_at(&s->held, i);
        if (rtp_parse(&held, p->data, p->len) == OK)
            gop_cache_add(g, held.seq, held.timestamp, p);
    }
}

static void keep_gop(struct producer_stream *s, usec now, struct packet *packet,
                     const struct rtp_view *v, const struct recv_result *r)
{
    struct gop_cache *g = &s->gop;
    if (s->keyframe.delay == 0)
        return;
    if (r->key_frame)
        begin_gop(s, now, packet, v, r);
    else if (r->restarted || now >= gop_deadline(s))
        gop_cache_clear(g);
    else
        gop_cache_add(g, v->seq, v->timestamp, packet);
}

void producer_rtp(struct producer *p, usec now, struct producer_stream *s, bool rtx,
                  struct packet *packet, struct rtp_view *v)
{
    if (!s->started && (rtx || !start_stream(p, now, s, v)))
        return;
    if (rtx && !s->recv.params.has_rtx)
        join_rtx(s);
    struct recv_result r =
        rtx ? recv_stream_rtx(&s->recv, now, v) : recv_stream_rtp(&s->recv, now, v);
    bool awaited = keyframe_waiting(&s->keyframe);
    if (r.verdict == RECV_FORWARD && r.key_frame)
        keyframe_received(&s->keyframe);
    if (r.want_key_frame && !p->paused)
        producer_request_key_frame(p, now, s);
    if (r.verdict == RECV_FORWARD && !r.padding_only)
        s->repeats = 0;
    arm(s);
    if (r.verdict != RECV_FORWARD)
        return;
    if (p->n_streams > 1 && !rtx && !r.padding_only)
        sibling_watch(s, now, v->marker);
    packet->len = v->len; /* RTX was unwrapped in place */
    if (p->trace != 0)
        trace_producer_rtp(p, now, v, r.key_frame, rtx);
    if (p->paused)
        return;
    if (p->ext.of[RTP_EXT_VIDEO_ORIENTATION] != 0 && v->ext_at != 0)
        check_orientation(p, v);
    if (r.key_frame)
        check_size(p, s, v);
    if (!list_empty(&p->observers) && p->ext.of[RTP_EXT_AUDIO_LEVEL] != 0 && v->ext_at != 0)
        tell_observers(p, now, v);
    bool understood = forward(p, now, s, packet, v, &r, awaited);
    keep_gop(s, now, packet, v, &r);
    if (r.key_frame)
        held_clear(&s->held);
    else if ((awaited || !understood) && !r.padding_only)
        held_add(&s->held, packet);
    producer_check_scores(p);
}

static void send_key_frame_request(struct producer_stream *s, usec now)
{
    struct producer *p = s->producer;
    struct transport *t = p->transport;
    uint8_t buf[64];
    struct wr w = wr_of(buf, sizeof buf);
    if (!recv_stream_request_key_frame(&s->recv, t->local_ssrc, &s->fir_seq, &w) || w.bad)
        return;
    transport_send_rtcp(t, now, &w);
    trace_producer_feedback(
        p, now, s->recv.params.use_pli ? PRODUCER_TRACE_PLI : PRODUCER_TRACE_FIR, s->ssrc);
}

void producer_request_key_frame(struct producer *p, usec now, struct producer_stream *s)
{
    if (p->kind != MEDIA_KIND_VIDEO || p->paused || !s->started)
        return;
    if (keyframe_need(&s->keyframe, now, s->recv.rtt, false))
        send_key_frame_request(s, now);
    arm(s);
}

/* Each packet is there, or will come: a hole for good would stop every decoder. */
static bool is_whole(const struct producer_stream *s)
{
    const struct gop_cache *g = &s->gop;
    for (size_t i = 0; i < g->n; i++) {
        if (!g->packets[i] && !nack_awaits(&s->recv.nack, (uint16_t)(g->first + i)))
            return false;
    }
    return true;
}

bool producer_has_gop(const struct producer *p)
{
    for (size_t i = 0; i < p->n_streams; i++) {
        if (!gop_cache_empty(&p->streams[i].gop))
            return true;
    }
    return false;
}

bool producer_may_replay(struct producer_stream *s, usec now, uint64_t pace_bps)
{
    if (!s->started || s->producer->paused || now >= gop_deadline(s))
        return false;
    usec wait = keyframe_wait(&s->keyframe, now, s->recv.rtt);
    if (wait <= REPLAY_GAIN_US || gop_cache_empty(&s->gop))
        return false;
    usec takes = pace_bps ? (usec)(s->gop.bytes * 8 * USEC_PER_SEC / pace_bps) : 0;
    return takes < wait && is_whole(s);
}

void producer_stream_timeout(struct producer_stream *s, usec now)
{
    struct transport *t = s->producer->transport;
    if (!s->started)
        return;
    if (recv_stream_deadline(&s->recv) <= now) {
        uint8_t buf[RTCP_MTU];
        struct wr w = wr_of(buf, sizeof buf);
        recv_stream_timeout(&s->recv, now, t->local_ssrc, &w);
        if (wr_len(&w) > 0) {
            transport_send_rtcp(t, now, &w);
            trace_producer_feedback(s->producer, now, PRODUCER_TRACE_NACK, s->ssrc);
        }
        producer_check_scores(s->producer);
    }
    if (keyframe_deadline(&s->keyframe) <= now && keyframe_timeout(&s->keyframe, now, s->recv.rtt))
        send_key_frame_request(s, now);
    if (repeat_deadline(s) <= now)
        repeat(s, now);
    if (gop_deadline(s) <= now)
        gop_cache_clear(&s->gop);
    timer_set(&s->timer, stream_deadline(s));
}

void producer_sr(struct producer *p, usec now, struct producer_stream *s, const struct rtcp_sr *sr)
{
    trace_producer_sr(p, now, sr);
    if (!s->started) {
        if (sr->ssrc == s->ssrc)
            s->early_report = (struct early_report){
                .at = now, .ntp = sr->ntp, .rtp_timestamp = sr->rtp_timestamp};
        return;
    }
    bool had = s->recv.sr.valid;
    recv_stream_sr(&s->recv, now, sr);
    for (size_t i = 0; i < p->n_consumers && !had && s->recv.sr.valid; i++)
        transport_report_soon(p->consumers[i]->transport, now);
}

size_t producer_reports(struct producer *p, usec now, struct rtcp_report *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_streams; i++) {
        struct producer_stream *s = &p->streams[i];
        if (!s->started)
            continue;
        if (n < cap && recv_stream_report(&s->recv, now, &out[n]))
            n++;
        if (n < cap && recv_stream_rtx_report(&s->recv, now, &out[n]))
            n++;
    }
    return n;
}

uint8_t producer_stream_score(const struct producer_stream *s)
{
    return s->started ? s->recv.score.value : 0;
}

static void tell_scores(struct producer *p)
{
    struct producer_score scores[PRODUCER_MAX_STREAMS];
    size_t n = 0;
    for (size_t i = 0; i < p->n_streams; i++) {
        const struct producer_stream *s = &p->streams[i];
        if (!s->started)
            continue;
        scores[n++] = (struct producer_score){.encoding_idx = s->index,
                                              .has_encoding_idx = true,
                                              .ssrc = s->ssrc,
                                              .has_ssrc = true,
                                              .rid = p->rtp_parameters->encodings[i].rid,
                                              .score = s->score,
                                              .has_score = true};
    }
    struct producer_score_event event = {.scores = scores, .n_scores = n};
    worker_notify(p->transport->worker, p->object.id, EVENT_PRODUCER_SCORE, &event);
}

void producer_check_scores(struct producer *p)
{
    bool changed = false;
    for (size_t i = 0; i < p->n_streams; i++) {
        struct producer_stream *s = &p->streams[i];
        uint8_t score = producer_stream_score(s);
        changed |= score != s->score;
        s->score = score;
    }
    if (!changed)
        return;
    tell_scores(p);
    for (size_t i = 0; i < p->n_consumers; i++) {
        struct consumer *c = p->consumers[i];
        if (c->ops->producer_scores)
            c->ops->producer_scores(c);
        consumer_check_score(c);
    }
}
