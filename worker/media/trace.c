#include "worker/media/trace.h"

#include "proto/rtp_ext.h"
#include "worker/media/consumer.h"
#include "worker/media/producer.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

/* What a packet says of itself in its extensions; strings point into this. */
struct ext_texts {
    char mid[RTP_EXT_TEXT_MAX + 1];
    char rid[RTP_EXT_TEXT_MAX + 1];
    char rrid[RTP_EXT_TEXT_MAX + 1];
};

static const char *read_text(const struct rtp_view *v, const struct ext_ids *ids,
                             enum rtp_ext_kind kind, char out[RTP_EXT_TEXT_MAX + 1])
{
    if (v->ext_at == 0 || ids->of[kind] == 0 ||
        rtp_ext_read_text(rtp_ext_find(v, ids->of[kind]), out, RTP_EXT_TEXT_MAX + 1) != OK)
        return NULL;
    return out;
}

static void add_extensions(struct rtp_packet_dump *d, const struct rtp_view *v,
                           const struct ext_ids *ids, struct ext_texts *texts)
{
    d->mid = read_text(v, ids, RTP_EXT_MID, texts->mid);
    d->rid = read_text(v, ids, RTP_EXT_RID, texts->rid);
    d->rrid = read_text(v, ids, RTP_EXT_RRID, texts->rrid);
    d->has_wide_sequence_number =
        v->ext_at != 0 && ids->of[RTP_EXT_TWCC] != 0 &&
        rtp_ext_read_twcc(rtp_ext_find(v, ids->of[RTP_EXT_TWCC]), &d->wide_sequence_number) == OK;
}

static struct rtp_packet_dump packet_dump(const struct rtp_view *v, bool key_frame)
{
    return (struct rtp_packet_dump){.payload_type = v->payload_type,
                                    .has_payload_type = true,
                                    .sequence_number = v->seq,
                                    .has_sequence_number = true,
                                    .timestamp = v->timestamp,
                                    .has_timestamp = true,
                                    .marker = v->marker,
                                    .has_marker = true,
                                    .ssrc = v->ssrc,
                                    .has_ssrc = true,
                                    .is_key_frame = key_frame,
                                    .has_is_key_frame = true,
                                    .size = v->len,
                                    .has_size = true,
                                    .payload_size = v->payload_len,
                                    .has_payload_size = true,
                                    .has_spatial_layer = true,
                                    .has_temporal_layer = true};
}

static void tell_producer(const struct producer *p, usec now, enum producer_trace_type type,
                          enum trace_direction direction, struct rtp_trace_info *info)
{
    struct producer_trace_event event = {.type = type,
                                         .has_type = true,
                                         .timestamp = (uint64_t)(now / USEC_PER_MSEC),
                                         .has_timestamp = true,
                                         .direction = direction,
                                         .has_direction = true,
                                         .info = info};
    if ((p->trace >> type & 1) != 0)
        worker_notify(p->transport->worker, p->object.id, EVENT_PRODUCER_TRACE, &event);
}

static void tell_consumer(const struct consumer *c, usec now, enum consumer_trace_type type,
                          enum trace_direction direction, struct rtp_trace_info *info)
{
    struct consumer_trace_event event = {.type = type,
                                         .has_type = true,
                                         .timestamp = (uint64_t)(now / USEC_PER_MSEC),
                                         .has_timestamp = true,
                                         .direction = direction,
                                         .has_direction = true,
                                         .info = info};
    if ((c->trace >> type & 1) != 0)
        worker_notify(c->transport->worker, c->object.id, EVENT_CONSUMER_TRACE, &event);
}

void trace_producer_rtp(const struct producer *p, usec now, const struct rtp_view *v,
                        bool key_frame, bool rtx)
{
    struct rtp_packet_dump packet = packet_dump(v, key_frame);
    struct rtp_trace_info info = {.rtp_packet = &packet, .is_rtx = rtx, .has_is_rtx = true};
    struct ext_texts texts;
    add_extensions(&packet, v, &p->ext, &texts);
    if (key_frame)
        tell_producer(p, now, PRODUCER_TRACE_KEYFRAME, TRACE_IN, &info);
    tell_producer(p, now, PRODUCER_TRACE_RTP, TRACE_IN, &info);
}

void trace_producer_feedback(const struct producer *p, usec now, enum producer_trace_type type,
                             uint32_t ssrc)
{
    struct rtp_trace_info info = {.ssrc = ssrc, .has_ssrc = true};
    if (p->trace != 0)
        tell_producer(p, now, type, TRACE_OUT, type == PRODUCER_TRACE_NACK ? NULL : &info);
}

void trace_producer_sr(const struct producer *p, usec now, const struct rtcp_sr *sr)
{
    struct rtp_trace_info info = {.ssrc = sr->ssrc,
                                  .has_ssrc = true,
                                  .ntp_sec = (uint32_t)(sr->ntp >> 32),
                                  .has_ntp_sec = true,
                                  .ntp_frac = (uint32_t)sr->ntp,
                                  .has_ntp_frac = true,
                                  .rtp_ts = sr->rtp_timestamp,
                                  .has_rtp_ts = true,
                                  .packet_count = sr->packets,
                                  .has_packet_count = true,
                                  .octet_count = sr->octets,
                                  .has_octet_count = true};
    if (p->trace != 0)
        tell_producer(p, now, PRODUCER_TRACE_SR, TRACE_IN, &info);
}

void trace_consumer_rtp(const struct consumer *c, usec now, const struct rtp_out *out, size_t len,
                        bool key_frame)
{
    struct rtp_packet_dump packet = packet_dump(out->view, key_frame);
    packet.payload_type = out->payload_type;
    packet.sequence_number = out->seq;
    packet.timestamp = out->timestamp;
    packet.marker = out->marker;
    packet.ssrc = out->ssrc;
    packet.size = len;
    packet.mid = c->layout.ids.of[RTP_EXT_MID] != 0 ? c->rtp_parameters->mid : NULL;
    packet.wide_sequence_number = out->number;
    packet.has_wide_sequence_number = c->layout.number_at != 0;
    struct rtp_trace_info info = {.rtp_packet = &packet, .is_rtx = out->rtx, .has_is_rtx = true};
    if (key_frame)
        tell_consumer(c, now, CONSUMER_TRACE_KEYFRAME, TRACE_OUT, &info);
    tell_consumer(c, now, CONSUMER_TRACE_RTP, TRACE_OUT, &info);
}

void trace_consumer_feedback(const struct consumer *c, usec now, enum consumer_trace_type type,
                             uint32_t ssrc)
{
    struct rtp_trace_info info = {.ssrc = ssrc, .has_ssrc = true};
    if (c->trace != 0)
        tell_consumer(c, now, type, TRACE_IN, type == CONSUMER_TRACE_NACK ? NULL : &info);
}
