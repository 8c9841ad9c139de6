/* What a producer says of itself. */
#include "worker/media/producer.h"
#include "worker/media/stream_report.h"
#include "worker/media/trace_types.h"

static size_t count_started(const struct producer *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_streams; i++)
        n += p->streams[i].started;
    return n;
}

enum err producer_dump(const struct producer *p, struct arena *arena,
                       struct producer_dump_response *out)
{
    size_t n = 0;
    *out = (struct producer_dump_response){.id = p->object.id,
                                           .kind = p->kind,
                                           .type = p->type,
                                           .rtp_parameters = p->rtp_parameters,
                                           .rtp_mapping = p->rtp_mapping,
                                           .paused = p->paused};
    out->rtp_streams = arena_array(arena, count_started(p), sizeof *out->rtp_streams);
    if (!out->rtp_streams)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->n_streams; i++) {
        const struct producer_stream *s = &p->streams[i];
        if (!s->started)
            continue;
        enum err e = stream_report_dump(&out->rtp_streams[n++], arena, &s->recv.params, &p->codecs,
                                        &p->rtp_parameters->encodings[i], s->index,
                                        producer_stream_score(s));
        if (e != OK)
            return e;
    }
    out->n_rtp_streams = n;
    return trace_types_list(p->trace, arena, &out->trace_event_types, &out->n_trace_event_types);
}

enum err producer_stats(struct producer *p, usec now, struct arena *arena,
                        struct producer_get_stats_response *out)
{
    size_t n = 0;
    out->stats = arena_array(arena, count_started(p), sizeof *out->stats);
    if (!out->stats)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->n_streams; i++) {
        struct producer_stream *s = &p->streams[i];
        struct stream_stats st;
        if (!s->started)
            continue;
        recv_stream_stats(&s->recv, now, &st);
        stream_report_stat(&out->stats[n++], RTP_STAT_INBOUND, now, &s->recv.params, p->kind,
                           p->rtp_parameters->encodings[i].rid, &st);
    }
    out->n_stats = n;
    return OK;
}
