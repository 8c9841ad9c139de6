#include "worker/rtp/send_stream.h"

#include <assert.h>
#include <string.h>

#include "worker/rtp/ntp.h"
#include "worker/rtp/seq.h"

enum {
    MAX_RTT_US = 10 * 1000 * 1000,
    DEFAULT_RTT_US = 100 * 1000,
    MIN_RESEND_US = 10 * 1000, /* however short a round trip the peer pretends */
    MAX_RESENDS = 10
};

void send_stream_init(struct send_stream *s, const struct stream_params *params,
                      uint16_t first_rtx_seq)
{
    assert(params->clock_rate > 0);
    *s = (struct send_stream){
        .params = *params, .rtx_seq = first_rtx_seq, .resends = SEND_RESENDS_SAVED};
    history_init(&s->history, codec_kind(params->codec) == MEDIA_KIND_VIDEO ? HISTORY_AGE_VIDEO
                                                                            : HISTORY_AGE_AUDIO);
    rate_init(&s->rate, USEC_PER_SEC);
    score_init(&s->score, SCORE_MAX);
}

void send_stream_fini(struct send_stream *s)
{
    history_fini(&s->history);
}

void send_stream_prefetch(const struct send_stream *s)
{
    rate_prefetch(&s->rate);
    history_prefetch(&s->history);
}

void send_stream_sent(struct send_stream *s, usec now, const struct sent_rtp *p)
{
    s->packets++;
    s->bytes += p->len;
    s->octets += p->payload_len;
    if (s->resends < SEND_RESENDS_SAVED)
        s->resends++;
    rate_add(&s->rate, now, p->len);
    if (!s->started || seq16_after(p->seq, s->max_seq)) {
        s->max_seq = p->seq;
        s->max_timestamp = p->timestamp;
        s->started = true;
    }
    if (s->params.use_nack && p->packet && !s->paused)
        history_add(&s->history, now, p->seq, p->packet, p->timestamp, p->marker, p->patch);
}

/* ---- retransmission ---- */

static void take(struct send_stream *s, usec now, struct history_entry *e, uint16_t seq,
                 struct resend *out)
{
    uint32_t after = (uint32_t)(now / USEC_PER_MSEC) - e->sent_ms;
    /* 0 is "not yet". */
    e->resent_after_ms = (uint16_t)(after == 0 ? 1 : after > UINT16_MAX ? UINT16_MAX : after);
    if (e->resent < UINT8_MAX)
        e->resent++;
    *out = (struct resend){.packet = e->packet,
                           .timestamp = e->ts,
                           .patch = e->patch,
                           .seq = seq,
                           .marker = e->marker};
    if (s->params.has_rtx)
        out->rtx_seq = s->rtx_seq++;
}

/* Whether the last retransmission may still be on its way. The eighth less than a round trip is for
 * receivers whose own measure of it is a little shorter. */
static bool on_its_way(const struct send_stream *s, usec now, const struct history_entry *e)
{
    if (e->resent == 0)
        return false;
    usec rtt = s->rtt > 0 ? s->rtt : DEFAULT_RTT_US;
    usec wait = rtt - rtt / 8;
    if (wait < MIN_RESEND_US)
        wait = MIN_RESEND_US;
    uint32_t since = (uint32_t)(now / USEC_PER_MSEC) - e->sent_ms - e->resent_after_ms;
    return since < (uint32_t)(wait / USEC_PER_MSEC);
}

size_t send_stream_nack(struct send_stream *s, usec now, struct rtcp_nack_item item,
                        struct resend *out, size_t cap)
{
    size_t n = 0;
    /* Bit 0 stands for pid itself. */
    uint32_t wanted = (uint32_t)item.blp << 1 | 1;
    for (uint16_t i = 0; wanted != 0; i++, wanted >>= 1) {
        if (!(wanted & 1))
            continue;
        uint16_t seq = (uint16_t)(item.pid + i);
        s->nack_packets++;
        struct history_entry *e = history_find(&s->history, now, seq);
        if (!e) {
            s->not_kept++;
            continue;
        }
        if (n == cap || s->resends == 0 || e->resent >= MAX_RESENDS || on_its_way(s, now, e))
            continue;
        s->resends--;
        if (e->resent == 0)
            s->repaired++;
        take(s, now, e, seq, &out[n++]);
    }
    return n;
}

void send_stream_forget(struct send_stream *s)
{
    history_clear(&s->history);
}

void send_stream_nack_message(struct send_stream *s)
{
    s->nacks++;
}

bool send_stream_probe(struct send_stream *s, usec now, struct resend *out)
{
    uint16_t seq;
    struct history_entry *e;
    if (!s->params.has_rtx || !(e = history_newest(&s->history, now, &seq)))
        return false;
    uint8_t resent = e->resent;
    uint16_t resent_after_ms = e->resent_after_ms;
    take(s, now, e, seq, out);
    /* Padding is no answer to a NACK: one that follows must not be put off. */
    e->resent = resent;
    e->resent_after_ms = resent_after_ms;
    return true;
}

void send_stream_resent(struct send_stream *s, usec now, size_t len, size_t payload_len)
{
    rate_add(&s->rate, now, len);
    s->bytes += len;
    s->retransmitted++;
    if (s->params.has_rtx) {
        s->rtx_packets++;
        s->rtx_octets += payload_len;
    }
}

void send_stream_repeated(struct send_stream *s, size_t payload_len)
{
    s->rtx_packets++;
    s->rtx_octets += payload_len;
}

/* ---- RTCP ---- */

bool send_stream_sr(struct send_stream *s, usec now, const struct sr_map *source,
                    uint32_t ts_offset, struct rtcp_sr *out)
{
    uint64_t ntp;
    uint32_t rtp;
    if (!s->started || !sr_map_now(source, now, &ntp, &rtp))
        return false;
    *out = (struct rtcp_sr){.ntp = ntp,
                            .ssrc = s->params.ssrc,
                            .rtp_timestamp = rtp + ts_offset,
                            .packets = (uint32_t)s->packets,
                            .octets = (uint32_t)s->octets};
    s->sr_ntp[s->sr_next] = ntp;
    s->sr_at[s->sr_next] = now;
    s->sr_next = (uint8_t)((s->sr_next + 1) % SEND_SR_MEMORY);
    return true;
}

void send_stream_rtx_sr(const struct send_stream *s, const struct rtcp_sr *sr, struct rtcp_sr *out)
{
    *out = *sr;
    out->ssrc = s->params.rtx_ssrc;
    out->packets = (uint32_t)s->rtx_packets;
    out->octets = (uint32_t)s->rtx_octets;
}

struct rtcp_sdes_chunk send_stream_sdes(const struct send_stream *s)
{
    const char *cname = s->params.cname ? s->params.cname : "";
    return (struct rtcp_sdes_chunk){.ssrc = s->params.ssrc,
                                    .cname = slice_of(cname, strlen(cname))};
}

/* The report's time is on the sender's clock, so the round trip is counted from when we sent it. */
static void update_rtt(struct send_stream *s, usec now, const struct rtcp_report *report)
{
    if (report->lsr == 0)
        return;
    for (size_t i = 0; i < SEND_SR_MEMORY; i++) {
        if (s->sr_ntp[i] == 0 || ntp_mid(s->sr_ntp[i]) != report->lsr)
            continue;
        usec rtt = now - s->sr_at[i] - ntp_mid_to_usec(report->dlsr);
        if (rtt > -(usec)DEFAULT_RTT_US && rtt <= MAX_RTT_US)
            s->rtt = rtt > 0 ? rtt : 1;
        return;
    }
}

static void update_score(struct send_stream *s, const struct rtcp_report *report)
{
    uint32_t sent = (uint32_t)(s->packets - s->score_sent);
    int64_t lost = (int64_t)report->lost - s->score_lost;
    uint32_t repaired = (uint32_t)(s->repaired - s->score_repaired);
    uint32_t retransmitted = (uint32_t)(s->retransmitted - s->score_retransmitted);
    s->score_sent = s->packets;
    s->score_lost = report->lost;
    s->score_repaired = s->repaired;
    s->score_retransmitted = s->retransmitted;
    if (s->paused)
        return;
    uint32_t lost_now = lost > 0 ? (uint32_t)(lost < UINT32_MAX ? lost : UINT32_MAX) : 0;
    score_add(&s->score, score_of_interval(sent, lost_now, repaired, retransmitted));
}

void send_stream_rr(struct send_stream *s, usec now, const struct rtcp_report *report)
{
    s->fraction_lost = report->fraction_lost;
    s->lost = report->lost;
    s->jitter = report->jitter;
    update_rtt(s, now, report);
    update_score(s, report);
}

void send_stream_rrt(struct send_stream *s, usec now, uint64_t ntp)
{
    s->rrt_mid = ntp_mid(ntp);
    s->rrt_at = now;
}

bool send_stream_dlrr(const struct send_stream *s, usec now, struct rtcp_dlrr *out)
{
    if (s->rrt_at == 0)
        return false;
    *out = (struct rtcp_dlrr){.lrr = s->rrt_mid, .dlrr = ntp_mid_of_usec(now - s->rrt_at)};
    return true;
}

/* ---- state ---- */

void send_stream_pause(struct send_stream *s)
{
    s->paused = true;
    history_clear(&s->history);
    rate_reset(&s->rate);
}

void send_stream_resume(struct send_stream *s)
{
    s->paused = false;
}

void send_stream_stats(struct send_stream *s, usec now, struct stream_stats *out)
{
    *out = (struct stream_stats){
        .packets = s->packets,
        .bytes = s->bytes,
        .bitrate = rate_bps(&s->rate, now),
        .packets_lost = s->lost,
        .fraction_lost = s->fraction_lost,
        .jitter = s->jitter,
        .packets_retransmitted = s->retransmitted,
        .packets_repaired = s->repaired,
        .nacks = s->nacks,
        .nack_packets = s->nack_packets,
        .plis = s->plis,
        .firs = s->firs,
        .rtt = s->rtt,
        .score = s->score.value,
    };
}
