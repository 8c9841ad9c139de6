/* Received and sent streams, the rewriter and transport-wide feedback under arbitrary packets, RTCP
 * and times. What must hold: no output number for two inputs, bounded memory, deadlines that pass.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/packet.h"
#include "proto/rtcp_fb.h"
#include "proto/rtcp_xr.h"
#include "worker/bwe/twcc_receiver.h"
#include "worker/rtp/keyframe.h"
#include "worker/rtp/recv_stream.h"
#include "worker/rtp/send_stream.h"
#include "worker/rtp/seq.h"

enum { SSRC = 1, RTX_SSRC = 2, PT = 96, RTX_PT = 97, STEPS_MAX = 4096, PACKETS = 256 };

struct world {
    struct packet_pool pool;
    struct recv_stream recv;
    struct send_stream send;
    struct seq_rewriter rewriter;
    struct keyframe keyframe;
    struct twcc_receiver *twcc;
    usec now;
    uint16_t seq;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send_on(struct world *w, const struct rtp_view *v, uint8_t how)
{
    uint16_t seq;
    if (how & 1) {
        (void)seq_rewriter_drop(&w->rewriter, v->seq);
        return;
    }
    if (!seq_rewriter_map(&w->rewriter, v->seq, &seq))
        return;
    uint16_t again;
    assert(seq_rewriter_map(&w->rewriter, v->seq, &again) && again == seq);
    struct packet *p = packet_get(&w->pool);
    if (!p)
        return;
    struct sent_rtp sent = {.packet = p,
                            .timestamp = v->timestamp,
                            .seq = seq,
                            .len = v->len,
                            .payload_len = v->payload_len};
    send_stream_sent(&w->send, w->now, &sent);
    packet_unref(p);
}

static void packet(struct world *w, struct rd *r, bool rtx)
{
    uint8_t bytes[64];
    struct rtp_view v;
    uint8_t how = rd_u8(r);
    /* Mostly neighbours, sometimes anything. */
    w->seq = how & 2 ? rd_u16(r) : (uint16_t)(w->seq + (int8_t)rd_u8(r) / 16);
    size_t n = how >> 3 & 15;
    struct wr out = wr_of(bytes, sizeof bytes);
    rtp_write_header(&out, how & 4, rtx ? RTX_PT : PT, w->seq, rd_u32(r), rtx ? RTX_SSRC : SSRC);
    for (size_t i = 0; i < n; i++)
        wr_u8(&out, rd_u8(r));
    assert(rtp_parse(&v, bytes, wr_len(&out)) == OK);
    struct recv_result result =
        rtx ? recv_stream_rtx(&w->recv, w->now, &v) : recv_stream_rtp(&w->recv, w->now, &v);
    if (result.restarted)
        seq_rewriter_sync(&w->rewriter, v.seq);
    if (result.key_frame)
        keyframe_received(&w->keyframe);
    if (result.want_key_frame)
        (void)keyframe_need(&w->keyframe, w->now, w->recv.rtt, how & 4);
    if (result.verdict == RECV_FORWARD)
        send_on(w, &v, how >> 7);
    twcc_receiver_input(w->twcc, w->now, w->seq);
}

static void control(struct world *w, struct rd *r)
{
    struct rtcp_report report = {.ssrc = SSRC};
    struct resend out[NACK_ITEM_SEQS];
    switch (rd_u8(r) & 7) {
    case 0: {
        struct rtcp_sr sr = {.ntp = rd_u64(r), .ssrc = rd_u8(r) & 3, .rtp_timestamp = rd_u32(r)};
        recv_stream_sr(&w->recv, w->now, &sr);
        break;
    }
    case 1: {
        struct rtcp_dlrr item = {.lrr = rd_u32(r), .dlrr = rd_u32(r)};
        recv_stream_dlrr(&w->recv, w->now, &item);
        break;
    }
    case 2:
        report.lost = (int32_t)rd_u32(r) >> 8;
        report.lsr = rd_u32(r);
        report.dlsr = rd_u32(r);
        send_stream_rr(&w->send, w->now, &report);
        break;
    case 3: {
        struct rtcp_nack_item item = {.pid = rd_u16(r), .blp = rd_u16(r)};
        size_t n = send_stream_nack(&w->send, w->now, item, out, NACK_ITEM_SEQS);
        for (size_t i = 0; i < n; i++)
            assert(out[i].packet->refs > 0);
        break;
    }
    case 4:
        (void)recv_stream_report(&w->recv, w->now, &report);
        (void)recv_stream_rtx_report(&w->recv, w->now, &report);
        break;
    case 5: {
        struct rtcp_sr sr;
        (void)send_stream_sr(&w->send, w->now, &w->recv.sr, rd_u32(r), &sr);
        send_stream_rrt(&w->send, w->now, rd_u64(r));
        break;
    }
    case 6:
        recv_stream_pause(&w->recv);
        recv_stream_resume(&w->recv, w->now);
        break;
    default:
        seq_rewriter_sync_gap(&w->rewriter, rd_u16(r), rd_u8(r));
        break;
    }
}

static void timeouts(struct world *w)
{
    uint8_t bytes[1200];
    struct wr out = wr_of(bytes, sizeof bytes);
    for (int i = 0; recv_stream_deadline(&w->recv) <= w->now; i++) {
        assert(i < 100);
        out = wr_of(bytes, sizeof bytes);
        recv_stream_timeout(&w->recv, w->now, 9, &out);
        assert(!out.bad);
    }
    for (int i = 0; twcc_receiver_deadline(w->twcc) <= w->now; i++) {
        assert(i < 100);
        out = wr_of(bytes, sizeof bytes);
        twcc_receiver_timeout(w->twcc, w->now, 9, SSRC, &out);
    }
    (void)keyframe_timeout(&w->keyframe, w->now, w->recv.rtt);
    assert(keyframe_deadline(&w->keyframe) > w->now);
    assert(w->recv.nack.n <= NACK_MAX_OUTSTANDING);
    assert(w->send.history.cap <= HISTORY_LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum codec codecs[] = {CODEC_VP8, CODEC_VP9, CODEC_H264, CODEC_AV1, CODEC_OPUS};
    static struct twcc_receiver twcc;
    struct rd r = rd_of(data, size);
    struct world w = {.twcc = &twcc, .now = 1000000};
    struct stream_params params = {.ssrc = SSRC,
                                   .clock_rate = 90000,
                                   .rtx_ssrc = RTX_SSRC,
                                   .codec = codecs[rd_u8(&r) % 5],
                                   .payload_type = PT,
                                   .rtx_payload_type = RTX_PT,
                                   .has_rtx = true,
                                   .use_nack = true};
    packet_pool_init(&w.pool, PACKETS);
    recv_stream_init(&w.recv, &params, w.now);
    send_stream_init(&w.send, &params, 0);
    seq_rewriter_init(&w.rewriter, 16, 0);
    keyframe_init(&w.keyframe, 100000);
    twcc_receiver_init(&twcc);
    for (int step = 0; step < STEPS_MAX && rd_left(&r) > 0; step++) {
        uint8_t what = rd_u8(&r);
        w.now += (usec)(what >> 3) * (what >> 3) * 997;
        if ((what & 7) < 4)
            packet(&w, &r, false);
        else if ((what & 7) < 6)
            packet(&w, &r, true);
        else
            control(&w, &r);
        timeouts(&w);
    }
    struct stream_stats stats;
    recv_stream_stats(&w.recv, w.now, &stats);
    send_stream_stats(&w.send, w.now, &stats);
    recv_stream_fini(&w.recv);
    send_stream_fini(&w.send);
    packet_pool_fini(&w.pool);
    return 0;
}
