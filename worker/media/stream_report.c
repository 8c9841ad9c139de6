#include "worker/media/stream_report.h"

#include "worker/media/scalability.h"

static enum err dump_rtx(struct rtp_stream_dump *out, struct arena *arena,
                         const struct stream_params *params, const char *rid)
{
    struct rtx_stream_dump *rtx = arena_alloc(arena, sizeof *rtx);
    struct rtx_stream_params *p = arena_alloc(arena, sizeof *p);
    if (!rtx || !p)
        return ERR_NOMEM;
    enum codec codec =
        codec_kind(params->codec) == MEDIA_KIND_AUDIO ? CODEC_AUDIO_RTX : CODEC_VIDEO_RTX;
    *p = (struct rtx_stream_params){.ssrc = params->rtx_ssrc,
                                    .has_ssrc = true,
                                    .payload_type = params->rtx_payload_type,
                                    .has_payload_type = true,
                                    .mime_type = codec_mime(codec),
                                    .clock_rate = params->clock_rate,
                                    .has_clock_rate = true,
                                    .rrid = rid,
                                    .cname = params->cname};
    rtx->params = p;
    out->rtx_stream = rtx;
    return OK;
}

enum err stream_report_dump(struct rtp_stream_dump *out, struct arena *arena,
                            const struct stream_params *params, const struct codec_table *codecs,
                            const struct rtp_encoding_parameters *e, uint32_t index, uint8_t score)
{
    const struct codec_entry *codec = codec_table_get(codecs, params->payload_type);
    struct scalability layers = scalability_parse(e->scalability_mode);
    struct rtp_stream_params *p = arena_alloc(arena, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    *p = (struct rtp_stream_params){.encoding_idx = index,
                                    .has_encoding_idx = true,
                                    .ssrc = params->ssrc,
                                    .has_ssrc = true,
                                    .payload_type = params->payload_type,
                                    .has_payload_type = true,
                                    .mime_type = codec_mime(params->codec),
                                    .clock_rate = params->clock_rate,
                                    .has_clock_rate = true,
                                    .rid = e->rid,
                                    .cname = params->cname,
                                    .rtx_ssrc = params->rtx_ssrc,
                                    .has_rtx_ssrc = params->has_rtx,
                                    .rtx_payload_type = params->rtx_payload_type,
                                    .has_rtx_payload_type = params->has_rtx,
                                    .use_nack = params->use_nack,
                                    .has_use_nack = true,
                                    .use_pli = params->use_pli,
                                    .has_use_pli = true,
                                    .use_fir = params->use_fir,
                                    .has_use_fir = true,
                                    .use_in_band_fec = codec && codec->use_fec,
                                    .has_use_in_band_fec = true,
                                    .use_dtx = params->use_dtx,
                                    .has_use_dtx = true,
                                    .spatial_layers = layers.spatial,
                                    .has_spatial_layers = true,
                                    .temporal_layers = layers.temporal,
                                    .has_temporal_layers = true};
    *out = (struct rtp_stream_dump){.params = p, .score = score, .has_score = true};
    return params->has_rtx ? dump_rtx(out, arena, params, e->rid) : OK;
}

static int64_t clamp_lost(int64_t lost)
{
    return lost > INT32_MAX ? INT32_MAX : lost < INT32_MIN ? INT32_MIN : lost;
}

void stream_report_stat(struct rtp_stream_stat *out, enum rtp_stat_type type, usec now,
                        const struct stream_params *params, enum media_kind kind, const char *rid,
                        const struct stream_stats *st)
{
    *out = (struct rtp_stream_stat){.type = type,
                                    .has_type = true,
                                    .timestamp = (uint64_t)(now / USEC_PER_MSEC),
                                    .has_timestamp = true,
                                    .ssrc = params->ssrc,
                                    .has_ssrc = true,
                                    .rtx_ssrc = params->rtx_ssrc,
                                    .has_rtx_ssrc = params->has_rtx,
                                    .rid = rid,
                                    .kind = kind,
                                    .has_kind = true,
                                    .mime_type = codec_mime(params->codec)};
    out->packets_lost = clamp_lost(st->packets_lost);
    out->fraction_lost = st->fraction_lost;
    out->jitter = st->jitter;
    out->packets_discarded = st->packets_discarded;
    out->packets_retransmitted = st->packets_retransmitted;
    out->packets_repaired = st->packets_repaired;
    out->nack_count = st->nacks;
    out->nack_packet_count = st->nack_packets;
    out->pli_count = st->plis;
    out->fir_count = st->firs;
    out->rtx_packets_discarded = st->rtx_packets_discarded;
    out->has_rtx_packets_discarded = params->has_rtx;
    out->round_trip_time = (double)st->rtt / (double)USEC_PER_MSEC;
    out->has_round_trip_time = st->rtt > 0;
    out->score = st->score;
    out->packet_count = st->packets;
    out->byte_count = st->bytes;
    out->bitrate = st->bitrate;
}
