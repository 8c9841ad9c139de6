#include "worker/media/pipe_consumer.h"

#include <stdlib.h>

#include "worker/media/fail.h"
#include "worker/media/forward_stream.h"
#include "worker/media/producer.h"

struct pipe_consumer {
    struct consumer base;
    struct forward_stream *streams; /* owned, one an encoding */
    size_t n_streams;
    size_t next_report; /* whose sender report comes first next time */
};

static struct pipe_consumer *self(const struct consumer *c)
{
    return container_of(c, struct pipe_consumer, base);
}

static struct forward_stream *stream_by_ssrc(const struct consumer *c, uint32_t ssrc)
{
    struct pipe_consumer *p = self(c);
    for (size_t i = 0; i < p->n_streams; i++) {
        if (p->streams[i].send.params.ssrc == ssrc)
            return &p->streams[i];
    }
    return NULL;
}

static void on_rtp(struct consumer *c, usec now, const struct media_packet *m)
{
    forward_stream_rtp(&self(c)->streams[m->stream->index], now, m);
}

static void on_nack(struct consumer *c, usec now, const struct rtcp_nack *nack)
{
    struct forward_stream *s = stream_by_ssrc(c, nack->media_ssrc);
    if (s)
        forward_stream_nack(s, now, nack);
}

static void on_report(struct consumer *c, usec now, const struct rtcp_report *r)
{
    struct forward_stream *s = stream_by_ssrc(c, r->ssrc);
    if (s)
        send_stream_rr(&s->send, now, r);
}

static void on_receiver_time(struct consumer *c, usec now, uint64_t ntp)
{
    struct pipe_consumer *p = self(c);
    for (size_t i = 0; i < p->n_streams; i++)
        send_stream_rrt(&p->streams[i].send, now, ntp);
}

static void on_key_frame(struct consumer *c, usec now, uint32_t ssrc, bool fir)
{
    struct forward_stream *s = stream_by_ssrc(c, ssrc);
    if (s)
        forward_stream_key_frame(s, now, fir);
}

static void repeat(struct consumer *c, usec now, const struct producer_stream *s)
{
    forward_stream_repeat(&self(c)->streams[s->index], now);
}

/* As many as fit, the others next time. What not even the first has room for is the caller's to
 * take back. */
static bool sender_report(struct consumer *c, usec now, struct wr *w)
{
    struct pipe_consumer *p = self(c);
    bool wrote = false;
    for (size_t i = 0; i < p->n_streams; i++) {
        size_t before = wr_len(w);
        size_t at = (p->next_report + i) % p->n_streams;
        bool reported = forward_stream_report(&p->streams[at], now, w);
        if (w->bad && wrote) {
            w->bad = false;
            w->p = w->start + before;
            p->next_report = at;
            return true;
        }
        if (w->bad)
            return false;
        wrote |= reported;
    }
    return wrote;
}

static bool dlrr(struct consumer *c, usec now, struct rtcp_dlrr *out)
{
    return send_stream_dlrr(&self(c)->streams[0].send, now, out);
}

static void started(struct consumer *c, usec now)
{
    struct pipe_consumer *p = self(c);
    for (size_t i = 0; i < p->n_streams; i++)
        forward_stream_start(&p->streams[i], now);
}

static void stopped(struct consumer *c, usec now)
{
    (void)now;
    struct pipe_consumer *p = self(c);
    for (size_t i = 0; i < p->n_streams; i++)
        forward_stream_stop(&p->streams[i]);
}

/* The worst of those that carry anything: a layer that the sender switched off is no fault. */
static uint8_t score(const struct consumer *c)
{
    const struct pipe_consumer *p = self(c);
    uint8_t worst = 10;
    for (size_t i = 0; i < p->n_streams; i++) {
        const struct forward_stream *s = &p->streams[i];
        if (s->sent && s->send.score.value < worst)
            worst = s->send.score.value;
    }
    return worst;
}

/* None of them stands for all. */
static struct producer_stream *source(const struct consumer *c)
{
    const struct pipe_consumer *p = self(c);
    return p->n_streams == 1 ? p->streams[0].source : NULL;
}

static void request_key_frame(struct consumer *c, usec now)
{
    struct pipe_consumer *p = self(c);
    for (size_t i = 0; c->active && i < p->n_streams; i++)
        forward_stream_ask(&p->streams[i], now);
}

static enum err dump(const struct consumer *c, struct arena *arena,
                     struct consumer_dump_response *out)
{
    const struct pipe_consumer *p = self(c);
    out->rtp_streams = arena_array(arena, p->n_streams, sizeof *out->rtp_streams);
    if (!out->rtp_streams)
        return ERR_NOMEM;
    enum err e = OK;
    for (size_t i = 0; e == OK && i < p->n_streams; i++)
        e = forward_stream_dump(&p->streams[i], arena, &out->rtp_streams[out->n_rtp_streams++]);
    return e;
}

static size_t stats(struct consumer *c, usec now, struct rtp_stream_stat *out, size_t cap)
{
    struct pipe_consumer *p = self(c);
    size_t n = 0;
    for (size_t i = 0; i < p->n_streams && n < cap; i++)
        forward_stream_stats(&p->streams[i], now, &out[n++]);
    for (size_t i = 0; i < p->n_streams && n < cap; i++)
        n += forward_stream_source_stats(&p->streams[i], now, &out[n]);
    return n;
}

static void close_pipe(struct consumer *c)
{
    struct pipe_consumer *p = self(c);
    for (size_t i = 0; i < p->n_streams; i++)
        forward_stream_fini(&p->streams[i]);
    free(p->streams);
    consumer_fini(c);
    free(p);
}

static const struct consumer_ops ops = {.type = RTP_TYPE_PIPE,
                                        .rtp = on_rtp,
                                        .nack = on_nack,
                                        .report = on_report,
                                        .receiver_time = on_receiver_time,
                                        .key_frame = on_key_frame,
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
                                        .close = close_pipe};

enum err pipe_consumer_open(struct transport *t, struct producer *p,
                            const struct transport_consume_request *in, struct consumer **out,
                            struct field_error *f)
{
    if (in->n_consumable_rtp_encodings != p->n_streams)
        return fail(f, ERR_TYPE, "consumableRtpEncodings", "not as many as the producer has");
    if (in->rtp_parameters->n_encodings != p->n_streams)
        return fail(f, ERR_TYPE, "rtpParameters.encodings", "not as many as the producer has");
    struct pipe_consumer *c = calloc(1, sizeof *c);
    struct forward_stream *streams = calloc(p->n_streams, sizeof *streams);
    if (!c || !streams) {
        free(c);
        free(streams);
        return fail_plain(f, ERR_NOMEM);
    }
    enum err e = consumer_init(&c->base, &ops, t, p, in, f);
    if (e != OK) {
        free(c);
        free(streams);
        return e;
    }
    c->streams = streams;
    c->n_streams = p->n_streams;
    for (size_t i = 0; i < c->n_streams; i++)
        forward_stream_init(&c->streams[i], &c->base, i);
    *out = &c->base;
    return OK;
}
