/* What a producer says of itself. */
#include <string.h>

#include "worker/media/producer.h"
#include "worker/media/scalability.h"
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

/* Each layer with what it needs, while there are consumers that choose among them. */
static enum err rates_by_layer(struct producer_stream *s, usec now, struct arena *arena,
                               const char *mode, struct rtp_stream_stat *out)
{
    struct scalability l = scalability_parse(mode);
    l.spatial = l.spatial < LAYER_RATE_SPATIAL ? l.spatial : LAYER_RATE_SPATIAL;
    l.temporal = l.temporal < LAYER_RATE_TEMPORAL ? l.temporal : LAYER_RATE_TEMPORAL;
    if (s->producer->n_layered == 0 || l.spatial * l.temporal <= 1)
        return OK;
    out->bitrate_by_layer =
        arena_array(arena, (size_t)l.spatial * l.temporal, sizeof *out->bitrate_by_layer);
    if (!out->bitrate_by_layer)
        return ERR_NOMEM;
    for (int spatial = 0; spatial < l.spatial; spatial++) {
        for (int temporal = 0; temporal < l.temporal; temporal++) {
            struct layers upto = {.spatial = (int8_t)spatial, .temporal = (int8_t)temporal};
            char *name = arena_alloc(arena, sizeof "0.0");
            if (!name)
                return ERR_NOMEM;
            memcpy(name, (char[]){(char)('0' + spatial), '.', (char)('0' + temporal), 0},
                   sizeof "0.0");
            out->bitrate_by_layer[out->n_bitrate_by_layer++] = (struct dict_entry){
                .key = name, .type = DICT_INT, .num = layer_rate_bps(&s->layer_rate, now, upto)};
        }
    }
    return OK;
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
        const struct rtp_encoding_parameters *enc = &p->rtp_parameters->encodings[i];
        stream_report_stat(&out->stats[n], RTP_STAT_INBOUND, now, &s->recv.params, p->kind,
                           enc->rid, &st);
        if (rates_by_layer(s, now, arena, enc->scalability_mode, &out->stats[n++]) != OK)
            return ERR_NOMEM;
    }
    out->n_stats = n;
    return OK;
}
