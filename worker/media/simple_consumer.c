#include "worker/media/simple_consumer.h"

#include <stdlib.h>

#include "worker/media/fail.h"
#include "worker/media/forward_stream.h"
#include "worker/media/producer.h"

struct simple_consumer {
    struct consumer base;
    struct forward_stream stream;
};

static struct forward_stream *stream_of(const struct consumer *c)
{
    return &container_of(c, struct simple_consumer, base)->stream;
}

static bool is_ours(const struct consumer *c, uint32_t ssrc)
{
    return stream_of(c)->send.params.ssrc == ssrc;
}

static void on_rtp(struct consumer *c, usec now, const struct media_packet *m)
{
    struct forward_stream *s = stream_of(c);
    if (m->stream == s->source)
        forward_stream_rtp(s, now, m);
}

static const struct send_stream *sends(const struct consumer *c)
{
    return &stream_of(c)->send;
}

static void on_nack(struct consumer *c, usec now, const struct rtcp_nack *nack)
{
    if (is_ours(c, nack->media_ssrc))
        forward_stream_nack(stream_of(c), now, nack);
}

static void on_report(struct consumer *c, usec now, const struct rtcp_report *r)
{
    if (is_ours(c, r->ssrc))
        send_stream_rr(&stream_of(c)->send, now, r);
}

static void on_receiver_time(struct consumer *c, usec now, uint64_t ntp)
{
    send_stream_rrt(&stream_of(c)->send, now, ntp);
}

static void on_key_frame(struct consumer *c, usec now, uint32_t ssrc, bool fir)
{
    if (is_ours(c, ssrc))
        forward_stream_key_frame(stream_of(c), now, fir);
}

static bool probe(struct consumer *c, usec now, size_t size)
{
    return forward_stream_probe(stream_of(c), now, size);
}

static void repeat(struct consumer *c, usec now, const struct producer_stream *s)
{
    if (s == stream_of(c)->source)
        forward_stream_repeat(stream_of(c), now);
}

static bool sender_report(struct consumer *c, usec now, struct wr *w)
{
    return forward_stream_report(stream_of(c), now, w);
}

static bool dlrr(struct consumer *c, usec now, struct rtcp_dlrr *out)
{
    return send_stream_dlrr(&stream_of(c)->send, now, out);
}

static void started(struct consumer *c, usec now)
{
    forward_stream_start(stream_of(c), now);
}

static void stopped(struct consumer *c, usec now)
{
    (void)now;
    forward_stream_stop(stream_of(c));
}

static uint8_t score(const struct consumer *c)
{
    return stream_of(c)->send.score.value;
}

static struct producer_stream *source(const struct consumer *c)
{
    return stream_of(c)->source;
}

static void request_key_frame(struct consumer *c, usec now)
{
    if (c->active)
        forward_stream_ask(stream_of(c), now);
}

static enum err dump(const struct consumer *c, struct arena *arena,
                     struct consumer_dump_response *out)
{
    out->rtp_streams = arena_array(arena, 1, sizeof *out->rtp_streams);
    if (!out->rtp_streams)
        return ERR_NOMEM;
    out->n_rtp_streams = 1;
    return forward_stream_dump(stream_of(c), arena, &out->rtp_streams[0]);
}

static size_t stats(struct consumer *c, usec now, struct rtp_stream_stat *out, size_t cap)
{
    if (cap == 0)
        return 0;
    forward_stream_stats(stream_of(c), now, &out[0]);
    return cap > 1 && forward_stream_source_stats(stream_of(c), now, &out[1]) ? 2 : 1;
}

static void close_simple(struct consumer *c)
{
    forward_stream_fini(stream_of(c));
    consumer_fini(c);
    free(container_of(c, struct simple_consumer, base));
}

static const struct consumer_ops ops = {.type = RTP_TYPE_SIMPLE,
                                        .rtp = on_rtp,
                                        .sends = sends,
                                        .nack = on_nack,
                                        .report = on_report,
                                        .receiver_time = on_receiver_time,
                                        .key_frame = on_key_frame,
                                        .probe = probe,
                                        .repeat = repeat,
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

enum err simple_consumer_open(struct transport *t, struct producer *p,
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
    forward_stream_init(&s->stream, &s->base, 0);
    *out = &s->base;
    return OK;
}
