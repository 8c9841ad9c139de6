#include "worker/media/trace.h"

#include "worker/media/consumer.h"
#include "worker/media/producer.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

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

void trace_consumer_rtp(const struct consumer *c, usec now, const struct rtp_view *v, uint32_t ssrc,
                        uint16_t seq, bool key_frame, bool rtx)
{
    struct rtp_packet_dump packet = packet_dump(v, key_frame);
    packet.ssrc = ssrc;
    packet.sequence_number = seq;
    struct rtp_trace_info info = {.rtp_packet = &packet, .is_rtx = rtx, .has_is_rtx = true};
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
