/* Mode stream: the pipeline of a room's broadcaster. */
#include "common/log.h"
#include "controller/live/live_state.h"

void live_streams_begin(struct live *l, struct stream *s)
{
    struct live_stream *old = live_find(l, stream_room_id(s));
    const struct room *room = stream_room(s);
    if (room && !room_hls(room)->stream)
        return;
    if (old && live_runs(old)) {
        old->next = s;
        return;
    }
    if (old)
        live_drop(old);
    struct live_stream *ls = live_stream_new(l, LIVE_STREAM, stream_room_id(s), NULL);
    if (!ls)
        return;
    ls->stream = s;
    live_begin_or_wait(ls);
}

static void on_live(void *ctx, struct stream *s)
{
    live_streams_begin(ctx, s);
}

static void tell_unknown_codecs(const struct stream *s)
{
    for (int k = 0; k < LIVE_KINDS; k++) {
        const struct room_producer *p = stream_producer(s, (enum media_kind)k);
        const struct rtp_parameters *c = p ? producer_consumable(p) : NULL;
        if (c && !plan_codec_known(c))
            log_warn("hls.codec_not_supported", "room=%s codec=%s", stream_room_id(s),
                     c->n_codecs > 0 ? c->codecs[0].mime_type : "none");
    }
}

static struct live_stream *running(struct live *l, const struct stream *s)
{
    struct live_stream *ls = live_find(l, stream_room_id(s));
    return ls && ls->stream == s && ls->pipeline ? ls : NULL;
}

static void on_changed(void *ctx, struct stream *s)
{
    struct live_stream *ls = running(ctx, s);
    tell_unknown_codecs(s);
    if (ls)
        pipeline_changed(ls->pipeline);
}

static void on_router_lost(void *ctx, struct stream *s)
{
    struct live_stream *ls = running(ctx, s);
    if (ls)
        pipeline_router_lost(ls->pipeline);
}

static void on_ended(void *ctx, struct stream *s)
{
    struct live_stream *ls = live_find(ctx, stream_room_id(s));
    if (!ls)
        return;
    if (ls->next == s)
        ls->next = NULL; /* over before its pipeline began */
    if (ls->stream != s)
        return;
    ls->stream = NULL;
    stream_set_hls(s, NULL);
    live_end(ls);
}

void live_streams_changed_hls(struct live *l, struct stream *s)
{
    struct live_stream *ls = live_find(l, stream_room_id(s));
    const struct room_hls *hls = room_hls(stream_room(s));
    bool as_it_should = ls && ls->stream == s && hls->stream && hls->low_bandwidth == ls->low;
    if (as_it_should)
        return;
    on_ended(l, s);
    /* At once, or when the one that ends has ended. */
    live_streams_begin(l, s);
}

void live_streams_open(struct live *l)
{
    l->observer = (struct streams_observer){.on_live = on_live,
                                            .on_changed = on_changed,
                                            .on_router_lost = on_router_lost,
                                            .on_ended = on_ended,
                                            .ctx = l};
    streams_observe(l->config.streams, &l->observer);
}

void live_streams_close(struct live *l)
{
    streams_unobserve(&l->observer);
}
