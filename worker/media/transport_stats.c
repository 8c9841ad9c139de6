/* Statistics of a transport. */
#include "worker/media/consumer.h"
#include "worker/media/producer.h"
#include "worker/media/sctp_link.h"
#include "worker/media/transport.h"
#include "worker/media/transport_bwe.h"

static uint64_t flow_bps(struct flow *f, usec now)
{
    return rate_bps(&f->rate, now);
}

/* Over all streams: lost and expected packets since they began. */
static void loss_received(const struct transport *t, struct transport_get_stats_response *out)
{
    int64_t lost = 0;
    int64_t expected = 0;
    list_each (node, &t->producers) {
        const struct producer *p = container_of(node, struct producer, in_transport);
        for (size_t i = 0; i < p->n_streams; i++) {
            const struct producer_stream *s = &p->streams[i];
            if (!s->started)
                continue;
            lost += reception_lost(&s->recv.rtp);
            expected += reception_expected(&s->recv.rtp);
        }
    }
    out->has_rtp_packet_loss_received = expected > 0;
    if (expected > 0)
        out->rtp_packet_loss_received = lost <= 0 ? 0 : (double)lost / (double)expected;
}

/* As the peer's reports tell. */
static void loss_sent(struct transport *t, usec now, struct transport_get_stats_response *out)
{
    struct rtp_stream_stat stats[2 * PRODUCER_MAX_STREAMS];
    int64_t lost = 0;
    uint64_t sent = 0;
    list_each (node, &t->consumers) {
        struct consumer *c = container_of(node, struct consumer, in_transport);
        size_t n = c->ops->stats(c, now, stats, 2 * PRODUCER_MAX_STREAMS);
        for (size_t i = 0; i < n; i++) {
            if (stats[i].type != RTP_STAT_OUTBOUND)
                continue;
            lost += stats[i].packets_lost;
            sent += stats[i].packet_count;
        }
    }
    out->has_rtp_packet_loss_sent = sent > 0;
    double share = sent > 0 && lost > 0 ? (double)lost / (double)sent : 0;
    out->rtp_packet_loss_sent = share < 1 ? share : 1;
}

static void limit(uint64_t value, uint64_t *out, bool *has)
{
    *out = value;
    *has = value != 0;
}

enum err transport_stats(struct transport *t, usec now, struct arena *arena,
                         struct transport_get_stats_response *out)
{
    *out = (struct transport_get_stats_response){.type = t->ops->stat_type,
                                                 .transport_id = t->object.id,
                                                 .timestamp = (uint64_t)(now / USEC_PER_MSEC)};
    out->has_sctp_state = sctp_link_state(t->sctp, &out->sctp_state);
    out->bytes_received = t->received.bytes;
    out->recv_bitrate = flow_bps(&t->received, now);
    out->bytes_sent = t->sent.bytes + t->rtp_sent.bytes + t->rtx_sent.bytes;
    out->rtp_bytes_received = t->rtp_received.bytes;
    out->rtp_recv_bitrate = flow_bps(&t->rtp_received, now);
    out->rtp_bytes_sent = t->rtp_sent.bytes;
    out->rtp_send_bitrate = flow_bps(&t->rtp_sent, now);
    out->rtx_bytes_received = t->rtx_received.bytes;
    out->rtx_recv_bitrate = flow_bps(&t->rtx_received, now);
    out->rtx_bytes_sent = t->rtx_sent.bytes;
    out->rtx_send_bitrate = flow_bps(&t->rtx_sent, now);
    out->send_bitrate = flow_bps(&t->sent, now) + out->rtp_send_bitrate + out->rtx_send_bitrate;
    limit(t->max_incoming_bps, &out->max_incoming_bitrate, &out->has_max_incoming_bitrate);
    limit(t->max_outgoing_bps, &out->max_outgoing_bitrate, &out->has_max_outgoing_bitrate);
    limit(t->min_outgoing_bps, &out->min_outgoing_bitrate, &out->has_min_outgoing_bitrate);
    transport_bwe_stats(t, now, out);
    if (t->use_remb)
        limit(t->remb.bps, &out->available_incoming_bitrate, &out->has_available_incoming_bitrate);
    loss_received(t, out);
    loss_sent(t, now, out);
    return t->ops->stats(t, arena, out);
}
