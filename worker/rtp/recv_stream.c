#include "worker/rtp/recv_stream.h"

#include <assert.h>

#include "proto/rtcp_fb.h"
#include "proto/rtx.h"
#include "worker/rtp/ntp.h"
#include "worker/rtp/seq.h"

enum {
    NACK_PER_MESSAGE = 128,
    NACK_MESSAGE_OVERHEAD = 12, /* header and two SSRCs */
    MAX_RTT_US = 10 * 1000 * 1000
};

void recv_stream_init(struct recv_stream *s, const struct stream_params *params, usec now)
{
    assert(params->clock_rate > 0);
    *s = (struct recv_stream){.params = *params, .last_rtp_at = now, .tail_at = USEC_NEVER};
    reception_init(&s->rtp, params->clock_rate);
    reception_init(&s->rtx, params->clock_rate);
    nack_init(&s->nack, 0);
    rate_init(&s->rate, USEC_PER_SEC);
    sr_map_init(&s->sr, params->clock_rate);
    score_init(&s->score, 0);
}

void recv_stream_fini(struct recv_stream *s)
{
    nack_fini(&s->nack);
}

static bool begins_key_frame(struct recv_stream *s, struct slice payload)
{
    enum codec codec = s->params.codec;
    if (!codec_is_key_frame(codec, payload))
        return false;
    if (codec != CODEC_H264)
        return true;
    /* Who starts at the IDR slice misses the parameter sets, where they come in band. */
    bool sps = codec_has_parameter_sets(codec, payload);
    s->inband_sps |= sps;
    return sps || !s->inband_sps;
}

static void note_alive(struct recv_stream *s, usec now, size_t len)
{
    rate_add(&s->rate, now, len);
    s->last_rtp_at = now;
    if (!s->active && !s->paused) {
        s->active = true;
        score_set(&s->score, SCORE_MAX);
    }
}

/* The marker ends a frame of video: until it has come, more must follow soon. */
static void note_tail(struct recv_stream *s, usec now, const struct rtp_view *v)
{
    if (!codec_has_key_frames(s->params.codec) || v->payload_len == 0)
        return;
    s->marks |= v->marker;
    s->tail_tries = 0;
    s->tail_at = v->marker || !s->marks ? USEC_NEVER : now + RECV_TAIL_US;
}

/* Common to packets of both ways: they are new and will be forwarded. */
static void accept(struct recv_stream *s, usec now, const struct rtp_view *v, bool repair,
                   struct recv_result *result)
{
    result->verdict = RECV_FORWARD;
    result->padding_only = v->payload_len == 0;
    if (v->payload_type == s->params.payload_type)
        result->key_frame = begins_key_frame(s, rtp_payload_slice(v));
    if (s->packets == 0 || result->restarted || seq32_after(v->timestamp, s->max_timestamp))
        s->max_timestamp = v->timestamp;
    if (!s->params.use_nack || s->paused)
        return;
    if (!result->late)
        note_tail(s, now, v);
    struct nack_verdict nack = nack_received(&s->nack, now, v->seq, result->key_frame);
    result->recovered = nack.was_missing && nack.tries > 0;
    result->want_key_frame = nack.request_key_frame && codec_has_key_frames(s->params.codec);
    if (!result->recovered)
        return;
    if (repair) {
        s->repaired++;
    } else if (!s->params.has_rtx) {
        /* Without RTX the same packet comes again. */
        s->repaired++;
        s->rtx_packets++;
    }
}

struct recv_result recv_stream_rtp(struct recv_stream *s, usec now, const struct rtp_view *v)
{
    struct recv_result result = {0};
    enum reception_verdict verdict = reception_input(&s->rtp, v->seq, &result.seq);
    switch (verdict) {
    case RECEPTION_DUPLICATE:
        result.verdict = RECV_DUPLICATE;
        break;
    case RECEPTION_OLD:
        result.verdict = RECV_TOO_OLD;
        break;
    case RECEPTION_JUMP:
        result.verdict = RECV_INVALID;
        break;
    case RECEPTION_RESTARTED:
        result.restarted = true;
        nack_reset(&s->nack);
        sr_map_clear(&s->sr);
        break;
    case RECEPTION_LATE:
        result.late = true;
        break;
    case RECEPTION_NEW:
        break;
    }
    note_alive(s, now, v->len);
    if (result.verdict != RECV_FORWARD) {
        s->discarded++;
        return result;
    }
    /* A telephone event keeps the timestamp of its beginning: no measure of jitter. */
    if (v->payload_type == s->params.payload_type && v->payload_len > 0)
        reception_timing(&s->rtp, now, v->timestamp);
    accept(s, now, v, false, &result);
    s->packets++;
    s->bytes += v->len;
    return result;
}

struct recv_result recv_stream_rtx(struct recv_stream *s, usec now, struct rtp_view *v)
{
    struct recv_result result = {.verdict = RECV_INVALID};
    int64_t rtx_seq;
    enum reception_verdict own = reception_input(&s->rtx, v->seq, &rtx_seq);
    rate_add(&s->rate, now, v->len);
    if (own == RECEPTION_DUPLICATE || own == RECEPTION_OLD || own == RECEPTION_JUMP ||
        v->payload_type != s->params.rtx_payload_type) {
        s->rtx_discarded++;
        return result;
    }
    uint16_t rtx_len = v->len;
    if (rtx_decode(v, s->params.payload_type, s->params.ssrc) != OK)
        return result; /* padding that probes the path */
    s->rtx_packets++;
    enum reception_verdict verdict = reception_repair(&s->rtp, v->seq, &result.seq);
    if (verdict != RECEPTION_NEW && verdict != RECEPTION_LATE) {
        result.verdict = verdict == RECEPTION_DUPLICATE ? RECV_DUPLICATE
                         : verdict == RECEPTION_OLD     ? RECV_TOO_OLD
                                                        : RECV_INVALID;
        s->rtx_discarded++;
        return result;
    }
    result.late = verdict == RECEPTION_LATE;
    accept(s, now, v, true, &result);
    s->bytes += rtx_len;
    return result;
}

/* ---- RTCP ---- */

void recv_stream_sr(struct recv_stream *s, usec now, const struct rtcp_sr *sr)
{
    if (s->params.has_rtx && sr->ssrc == s->params.rtx_ssrc) {
        s->rtx_lsr = ntp_mid(sr->ntp);
        s->rtx_sr_at = now;
    } else if (sr->ssrc == s->params.ssrc) {
        sr_map_update(&s->sr, now, sr->ntp, sr->rtp_timestamp);
    }
}

void recv_stream_dlrr(struct recv_stream *s, usec now, const struct rtcp_dlrr *item)
{
    if (item->lrr == 0)
        return;
    uint32_t rtt = ntp_mid(ntp_of_usec(now)) - item->lrr - item->dlrr;
    usec us = ntp_mid_to_usec(rtt);
    /* Negative ones look huge: the peer's clock runs unevenly, or it lies. */
    if (us <= MAX_RTT_US)
        s->rtt = us > 0 ? us : 1;
}

void recv_stream_set_rtt(struct recv_stream *s, usec rtt)
{
    if (rtt > 0 && rtt <= MAX_RTT_US)
        s->rtt = rtt;
}

static void update_score(struct recv_stream *s)
{
    int64_t expected_total = reception_expected(&s->rtp);
    int64_t received_total = expected_total - reception_lost(&s->rtp);
    int64_t expected = expected_total - s->score_expected;
    int64_t received = received_total - s->score_received;
    uint32_t repaired = (uint32_t)(s->repaired - s->score_repaired);
    uint32_t retransmitted = (uint32_t)(s->rtx_packets - s->score_retransmitted);
    s->score_expected = expected_total;
    s->score_received = received_total;
    s->score_repaired = s->repaired;
    s->score_retransmitted = s->rtx_packets;
    if (!s->active || s->paused || expected < 0)
        return;
    uint32_t lost = expected > received ? (uint32_t)(expected - received) : 0;
    score_add(&s->score, score_of_interval((uint32_t)expected, lost, repaired, retransmitted));
}

bool recv_stream_report(struct recv_stream *s, usec now, struct rtcp_report *out)
{
    if (!s->rtp.started)
        return false;
    reception_report(&s->rtp, out);
    out->ssrc = s->params.ssrc;
    if (s->sr.valid) {
        out->lsr = ntp_mid(s->sr.ntp);
        out->dlsr = ntp_mid_of_usec(now - s->sr.at);
    }
    update_score(s);
    return true;
}

bool recv_stream_rtx_report(struct recv_stream *s, usec now, struct rtcp_report *out)
{
    if (!s->params.has_rtx || !s->rtx.started)
        return false;
    reception_report(&s->rtx, out);
    out->ssrc = s->params.rtx_ssrc;
    if (s->rtx_lsr != 0) {
        out->lsr = s->rtx_lsr;
        out->dlsr = ntp_mid_of_usec(now - s->rtx_sr_at);
    }
    return true;
}

static usec silence_limit(const struct recv_stream *s)
{
    return s->params.use_dtx ? RECV_INACTIVE_DTX : RECV_INACTIVE;
}

/* Senders pass over numbers that they have not used. */
static void ask_for_tail(struct recv_stream *s, usec now, uint32_t sender_ssrc, struct wr *rtcp)
{
    uint16_t seqs[RECV_TAIL_ASK];
    uint16_t newest = (uint16_t)s->rtp.highest;
    if (rtcp->bad || wr_left(rtcp) < NACK_MESSAGE_OVERHEAD + NACK_ITEM_LEN)
        return;
    for (uint16_t i = 0; i < RECV_TAIL_ASK; i++)
        seqs[i] = (uint16_t)(newest + 1 + i);
    rtcp_write_nack(rtcp, sender_ssrc, s->params.ssrc, seqs, RECV_TAIL_ASK);
    s->nacks++;
    usec again = s->rtt + s->rtt / 8;
    s->tail_at = ++s->tail_tries == RECV_TAIL_TRIES
                     ? USEC_NEVER
                     : now + (again > RECV_TAIL_US ? again : RECV_TAIL_US);
}

void recv_stream_left_out(struct recv_stream *s)
{
    s->active = false;
    score_set(&s->score, 0);
}

void recv_stream_timeout(struct recv_stream *s, usec now, uint32_t sender_ssrc, struct wr *rtcp)
{
    if (s->paused)
        return;
    if (s->active && now - s->last_rtp_at >= silence_limit(s))
        recv_stream_left_out(s);
    if (now >= s->tail_at)
        ask_for_tail(s, now, sender_ssrc, rtcp);
    uint16_t seqs[NACK_PER_MESSAGE];
    while (now >= nack_deadline(&s->nack)) {
        size_t room = wr_left(rtcp);
        if (rtcp->bad || room < NACK_MESSAGE_OVERHEAD + NACK_ITEM_LEN)
            return;
        size_t cap = (room - NACK_MESSAGE_OVERHEAD) / NACK_ITEM_LEN;
        size_t n = nack_collect(&s->nack, now, s->rtt, seqs,
                                cap < NACK_PER_MESSAGE ? cap : NACK_PER_MESSAGE);
        if (n == 0)
            return;
        rtcp_write_nack(rtcp, sender_ssrc, s->params.ssrc, seqs, n);
        s->nacks++;
    }
}

usec recv_stream_deadline(const struct recv_stream *s)
{
    if (s->paused)
        return USEC_NEVER;
    usec silence = s->active ? s->last_rtp_at + silence_limit(s) : USEC_NEVER;
    return usec_min(usec_min(nack_deadline(&s->nack), s->tail_at), silence);
}

bool recv_stream_request_key_frame(struct recv_stream *s, uint32_t sender_ssrc, uint8_t *fir_seq,
                                   struct wr *rtcp)
{
    if (s->params.use_pli) {
        rtcp_write_pli(rtcp, sender_ssrc, s->params.ssrc);
        s->plis++;
        return !rtcp->bad;
    }
    if (!s->params.use_fir)
        return false;
    struct rtcp_fir_item item = {.ssrc = s->params.ssrc, .seq = (*fir_seq)++};
    rtcp_write_fir(rtcp, sender_ssrc, &item, 1);
    s->firs++;
    return !rtcp->bad;
}

/* ---- state ---- */

void recv_stream_pause(struct recv_stream *s)
{
    s->paused = true;
    s->tail_at = USEC_NEVER;
    nack_reset(&s->nack);
}

void recv_stream_resume(struct recv_stream *s, usec now)
{
    s->paused = false;
    s->last_rtp_at = now;
}

bool recv_stream_wallclock(const struct recv_stream *s, uint32_t rtp_timestamp, uint64_t *ntp)
{
    return sr_map_ntp(&s->sr, rtp_timestamp, ntp);
}

void recv_stream_stats(struct recv_stream *s, usec now, struct stream_stats *out)
{
    *out = (struct stream_stats){
        .packets = s->packets,
        .bytes = s->bytes,
        .bitrate = rate_bps(&s->rate, now),
        .packets_lost = reception_lost(&s->rtp),
        .fraction_lost = s->rtp.fraction_lost,
        .jitter = reception_jitter(&s->rtp),
        .packets_discarded = s->discarded,
        .packets_retransmitted = s->rtx_packets,
        .packets_repaired = s->repaired,
        .rtx_packets_discarded = s->rtx_discarded,
        .nacks = s->nacks,
        .nack_packets = s->nack.requested,
        .plis = s->plis,
        .firs = s->firs,
        .rtt = s->rtt,
        .score = s->score.value,
    };
}
