/* Whole streams over lossy links in virtual time: a source, a hop that forwards as a consumer does
 * (drops, renumbers, retransmits), a viewer. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/rtcp_fb.h"
#include "proto/rtcp_xr.h"
#include "proto/rtx.h"
#include "test/lib/link.h"
#include "worker/rtp/ntp.h"
#include "worker/rtp/recv_stream.h"
#include "worker/rtp/send_stream.h"
#include "worker/rtp/seq.h"

enum {
    MS = 1000,
    PT = 96,
    RTX_PT = 97,
    PAYLOAD = 900,
    MAX_PACKETS = 20000,
    REPORT_EVERY = 500 * MS
};

#define WALL (1000ULL << 32) /* the source's wall clock at time 0 */

/* One RTP session from a sender to a receiver, both directions. */
struct hop {
    struct send_stream send;
    struct recv_stream recv;
    struct link there;
    struct link back;
    struct sr_map source; /* of what is sent */
    usec report_at;
};

struct sim {
    usec now;
    struct packet_pool pool;
    struct hop first;
    struct hop second;
    bool two_hops;
    bool drop_odd; /* the hop thins the stream out */
    struct seq_rewriter rewriter;
    uint32_t n_sent; /* by the source */
    usec sent_at[MAX_PACKETS];
    usec got_at[MAX_PACKETS]; /* at the far end; 0: not yet */
    uint32_t got_twice;
    uint32_t wrong; /* out of place by its number */
    struct seq_unwrap outgoing;
    int64_t seq_of[MAX_PACKETS]; /* the number that the last sender gave it; 0: none */
};

static struct sim sim;

static struct stream_params params_of(uint32_t ssrc, bool rtx)
{
    return (struct stream_params){.ssrc = ssrc,
                                  .clock_rate = 90000,
                                  .rtx_ssrc = ssrc + 1,
                                  .codec = CODEC_VP8,
                                  .payload_type = PT,
                                  .rtx_payload_type = RTX_PT,
                                  .has_rtx = rtx,
                                  .use_nack = true,
                                  .use_pli = true};
}

static void hop_init(struct hop *h, uint32_t ssrc, bool rtx, struct link_config there,
                     struct link_config back, uint64_t seed)
{
    struct stream_params params = params_of(ssrc, rtx);
    send_stream_init(&h->send, &params, (uint16_t)(seed * 77));
    recv_stream_init(&h->recv, &params, 0);
    link_init(&h->there, there, seed);
    link_init(&h->back, back, seed + 1000);
    sr_map_init(&h->source, 90000);
    h->report_at = REPORT_EVERY;
}

static void hop_fini(struct hop *h)
{
    send_stream_fini(&h->send);
    recv_stream_fini(&h->recv);
    link_fini(&h->there);
    link_fini(&h->back);
}

static struct packet *make(uint8_t *bytes, size_t len)
{
    struct packet *p = packet_get(&sim.pool);
    assert_non_null(p);
    memcpy(p->data, bytes, len);
    p->len = (uint32_t)len;
    return p;
}

static void transmit(struct hop *h, struct packet *p, const struct rtp_view *v)
{
    struct sent_rtp sent = {.packet = p,
                            .timestamp = v->timestamp,
                            .seq = v->seq,
                            .len = v->len,
                            .payload_len = v->payload_len,
                            .marker = v->marker};
    link_send(&h->there, sim.now, v->data, v->len);
    send_stream_sent(&h->send, sim.now, &sent);
}

static void source_sends(uint16_t first_seq)
{
    uint8_t bytes[RTP_HEADER_LEN + PAYLOAD] = {0};
    struct wr w = wr_of(bytes, sizeof bytes);
    struct rtp_view v;
    rtp_write_header(&w, false, PT, (uint16_t)(first_seq + sim.n_sent),
                     (uint32_t)(sim.now * 9 / 100), sim.first.send.params.ssrc);
    wr_u32(&w, 0x10510100); /* VP8, not a key frame */
    wr_u32(&w, sim.n_sent);
    wr_zeros(&w, PAYLOAD - 8);
    assert_int_equal(rtp_parse(&v, bytes, sizeof bytes), OK);
    struct packet *p = make(bytes, sizeof bytes);
    if (!sim.two_hops)
        sim.seq_of[sim.n_sent] = seq_unwrap16(&sim.outgoing, v.seq);
    sim.sent_at[sim.n_sent++] = sim.now;
    transmit(&sim.first, p, &v);
    packet_unref(p);
}

/* ---- what arrives ---- */

static uint32_t index_of(const struct rtp_view *v)
{
    struct rd r = rd_slice(rtp_payload_slice(v));
    rd_skip(&r, 4);
    return rd_u32(&r);
}

static void viewer_gets(const struct rtp_view *v, int64_t seq)
{
    if (v->payload_len == 0)
        return;
    uint32_t index = index_of(v);
    assert_true(index < sim.n_sent);
    if ((uint16_t)seq != (uint16_t)sim.seq_of[index])
        sim.wrong++;
    if (sim.got_at[index] != 0)
        sim.got_twice++;
    sim.got_at[index] = sim.now;
}

static void forward(const struct rtp_view *v)
{
    uint16_t seq;
    bool unwanted = sim.drop_odd && (index_of(v) & 1);
    if (unwanted && seq_rewriter_drop(&sim.rewriter, v->seq))
        return;
    if (!seq_rewriter_map(&sim.rewriter, v->seq, &seq))
        return;
    if (!unwanted)
        sim.seq_of[index_of(v)] = seq_unwrap16(&sim.outgoing, seq);
    /* What is unwanted too late goes out empty. */
    struct packet *p = make(v->data, unwanted ? v->payload_at : v->len);
    struct rtp_view out;
    assert_int_equal(rtp_parse(&out, p->data, p->len), OK);
    rtp_set_seq(&out, seq);
    rtp_set_ssrc(&out, sim.second.send.params.ssrc);
    transmit(&sim.second, p, &out);
    packet_unref(p);
}

/* Numbers grow with the packets, without a hole but for the empty ones. */
static void assert_order(uint32_t step)
{
    int64_t last = 0;
    for (uint32_t i = 0; i < sim.n_sent; i += step) {
        if (sim.seq_of[i] == 0)
            continue;
        assert_true(sim.seq_of[i] > last);
        last = sim.seq_of[i];
    }
}

static void receive_rtp(struct hop *h, uint8_t *bytes, size_t len)
{
    struct rtp_view v;
    assert_int_equal(rtp_parse(&v, bytes, len), OK);
    struct recv_result r = v.ssrc == h->recv.params.ssrc ? recv_stream_rtp(&h->recv, sim.now, &v)
                                                         : recv_stream_rtx(&h->recv, sim.now, &v);
    if (r.verdict != RECV_FORWARD)
        return;
    if (h == &sim.first && sim.two_hops)
        forward(&v);
    else
        viewer_gets(&v, r.seq);
}

static void receive_forward_rtcp(struct hop *h, uint8_t *bytes, size_t len)
{
    struct rtcp_reader reader;
    struct rtcp_block block;
    assert_int_equal(rtcp_reader_init(&reader, bytes, len), OK);
    while (rtcp_next(&reader, &block)) {
        struct rtcp_sr sr;
        struct rtcp_xr xr;
        if (block.kind == RTCP_KIND_SR && rtcp_parse_sr(&block, &sr) == OK)
            recv_stream_sr(&h->recv, sim.now, &sr);
        else if (block.kind == RTCP_KIND_XR && rtcp_parse_xr(&block, &xr) == OK)
            for (size_t i = 0; i < xr.n_dlrrs; i++) {
                struct rtcp_dlrr item = rtcp_dlrr_at(&xr, i);
                recv_stream_dlrr(&h->recv, sim.now, &item);
            }
    }
}

static void retransmit(struct hop *h, const struct resend *again)
{
    uint8_t bytes[1500];
    struct rtp_view v;
    assert_int_equal(rtp_parse(&v, again->packet->data, again->packet->len), OK);
    uint16_t len = v.len;
    if (h->send.params.has_rtx) {
        struct wr w = wr_of(bytes, sizeof bytes);
        assert_int_equal(rtx_encode(&w, &v, RTX_PT, h->send.params.rtx_ssrc, again->rtx_seq, NULL),
                         OK);
        len = (uint16_t)wr_len(&w);
    } else {
        memcpy(bytes, v.data, len);
    }
    link_send(&h->there, sim.now, bytes, len);
    send_stream_resent(&h->send, sim.now, len, (size_t)(len - RTP_HEADER_LEN));
}

static void receive_back_rtcp(struct hop *h, uint8_t *bytes, size_t len)
{
    struct rtcp_reader reader;
    struct rtcp_block block;
    assert_int_equal(rtcp_reader_init(&reader, bytes, len), OK);
    while (rtcp_next(&reader, &block)) {
        struct rtcp_nack nack;
        struct rtcp_rr rr;
        struct rtcp_xr xr;
        if (block.kind == RTCP_KIND_NACK && rtcp_parse_nack(&block, &nack) == OK) {
            for (size_t i = 0; i < nack.n_items; i++) {
                struct resend again[NACK_ITEM_SEQS];
                size_t n = send_stream_nack(&h->send, sim.now, rtcp_nack_item(&nack, i), again,
                                            NACK_ITEM_SEQS);
                for (size_t k = 0; k < n; k++)
                    retransmit(h, &again[k]);
            }
        } else if (block.kind == RTCP_KIND_RR && rtcp_parse_rr(&block, &rr) == OK) {
            for (size_t i = 0; i < rr.n_reports; i++) {
                struct rtcp_report report = rtcp_report_at(rr.reports, i);
                if (report.ssrc == h->send.params.ssrc)
                    send_stream_rr(&h->send, sim.now, &report);
            }
        } else if (block.kind == RTCP_KIND_XR && rtcp_parse_xr(&block, &xr) == OK && xr.has_rrt) {
            send_stream_rrt(&h->send, sim.now, xr.rrt_ntp);
        }
    }
}

/* ---- time ---- */

static void hop_reports(struct hop *h)
{
    uint8_t bytes[1500];
    struct wr w = wr_of(bytes, sizeof bytes);
    struct rtcp_sr sr;
    struct rtcp_dlrr dlrr;
    if (h == &sim.first)
        sr_map_update(&h->source, sim.now, WALL + ntp_of_usec(sim.now),
                      (uint32_t)(sim.now * 9 / 100));
    else
        h->source = sim.first.recv.sr;
    if (send_stream_sr(&h->send, sim.now, &h->source, 0, &sr))
        rtcp_write_sr(&w, &sr, NULL, 0);
    if (send_stream_dlrr(&h->send, sim.now, &dlrr)) {
        dlrr.ssrc = 5;
        rtcp_write_xr_dlrr(&w, h->send.params.ssrc, &dlrr, 1);
    }
    assert_false(w.bad);
    if (wr_len(&w) > 0)
        link_send(&h->there, sim.now, bytes, wr_len(&w));
    w = wr_of(bytes, sizeof bytes);
    struct rtcp_report report;
    if (recv_stream_report(&h->recv, sim.now, &report))
        rtcp_write_rr(&w, 5, &report, 1);
    rtcp_write_xr_rrt(&w, 5, ntp_of_usec(sim.now));
    link_send(&h->back, sim.now, bytes, wr_len(&w));
    h->report_at += REPORT_EVERY;
}

static bool is_rtcp(const uint8_t *bytes)
{
    return bytes[1] >= 192 && bytes[1] <= 223;
}

static void hop_run(struct hop *h)
{
    uint8_t bytes[2048];
    size_t len;
    while (link_receive(&h->there, sim.now, bytes, &len)) {
        if (is_rtcp(bytes))
            receive_forward_rtcp(h, bytes, len);
        else
            receive_rtp(h, bytes, len);
    }
    while (link_receive(&h->back, sim.now, bytes, &len))
        receive_back_rtcp(h, bytes, len);
    if (recv_stream_deadline(&h->recv) <= sim.now) {
        struct wr w = wr_of(bytes, 1200);
        recv_stream_timeout(&h->recv, sim.now, 5, &w);
        if (wr_len(&w) > 0)
            link_send(&h->back, sim.now, bytes, wr_len(&w));
    }
    if (h->report_at <= sim.now)
        hop_reports(h);
}

static usec hop_deadline(const struct hop *h)
{
    usec t = usec_min(link_deadline(&h->there), link_deadline(&h->back));
    t = usec_min(t, recv_stream_deadline(&h->recv));
    return usec_min(t, h->report_at);
}

static void run_until(usec end)
{
    for (int same = 0; sim.now < end; same++) {
        usec before = sim.now;
        hop_run(&sim.first);
        usec next = hop_deadline(&sim.first);
        if (sim.two_hops) {
            hop_run(&sim.second);
            next = usec_min(next, hop_deadline(&sim.second));
        }
        if (next > sim.now)
            sim.now = usec_min(next, end);
        same = sim.now == before ? same : 0;
        assert_true(same < 100); /* a deadline that never passes */
    }
}

static void run_stream(uint32_t packets, usec every, uint16_t first_seq)
{
    for (uint32_t i = 0; i < packets; i++) {
        source_sends(first_seq);
        run_until(sim.now + every);
    }
    run_until(sim.now + 3000 * MS);
}

static void sim_init(struct link_config there, struct link_config back, bool rtx, uint64_t seed)
{
    sim = (struct sim){0};
    packet_pool_init(&sim.pool, 16384);
    hop_init(&sim.first, 100, rtx, there, back, seed);
}

static int teardown(void **state)
{
    (void)state;
    hop_fini(&sim.first);
    if (sim.two_hops)
        hop_fini(&sim.second);
    packet_pool_fini(&sim.pool);
    return 0;
}

/* Share of the source's packets (every step-th) that arrived within the time. */
static double share_within(usec limit, uint32_t step)
{
    uint32_t in_time = 0;
    uint32_t all = 0;
    for (uint32_t i = 0; i < sim.n_sent; i += step, all++)
        if (sim.got_at[i] != 0 && sim.got_at[i] - sim.sent_at[i] <= limit)
            in_time++;
    return (double)in_time / all;
}

static const struct link_config clean = {.delay = 50 * MS};
static const struct link_config lossy = {.delay = 50 * MS, .loss = 0.05};

static void a_clean_link_needs_no_requests(void **state)
{
    (void)state;
    sim_init(clean, clean, true, 1);
    for (int i = 0; i < 2000; i++) {
        source_sends(65000);
        run_until(sim.now + 5 * MS);
    }
    assert_int_equal(sim.first.recv.score.value, 10);
    run_until(sim.now + 3000 * MS);
    assert_true(share_within(50 * MS, 1) == 1.0);
    assert_int_equal(sim.first.recv.nacks, 0);
    assert_int_equal(sim.wrong, 0);
    assert_in_range(sim.first.recv.rtt, 99900, 100100);
    assert_in_range(sim.first.send.rtt, 99900, 100100);
    assert_int_equal(sim.first.recv.score.value, 0); /* silent by now */
}

static void five_percent_loss_is_repaired_within_400_ms(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        sim_init(lossy, lossy, seed % 2, seed);
        run_stream(4000, 5 * MS, 65000);
        double share = share_within(400 * MS, 1);
        print_message("seed %d: within 400 ms %.3f %%, in the end %.3f %%, raw loss %.2f %%, "
                      "retransmissions %.2f %%\n",
                      (int)seed, 100 * share, 100 * share_within(USEC_NEVER, 1),
                      100.0 * (double)sim.first.there.stats.lost /
                          (double)sim.first.there.stats.sent,
                      100.0 * (double)sim.first.send.retransmitted / 4000);
        assert_true(share >= 0.995);
        assert_true(share_within(150 * MS, 1) < 0.97); /* the link did lose */
        assert_int_equal(sim.got_twice, 0);
        assert_int_equal(sim.wrong, 0);
        teardown(NULL);
    }
    sim_init(clean, clean, true, 1);
}

static void reordering_and_duplicates_forward_each_packet_once(void **state)
{
    (void)state;
    struct link_config there = {.delay = 30 * MS,
                                .jitter = 10 * MS,
                                .reorder = 0.1,
                                .reorder_by = 20 * MS,
                                .duplicate = 0.1};
    sim_init(there, clean, true, 7);
    run_stream(4000, 5 * MS, 65000);
    assert_true(share_within(USEC_NEVER, 1) == 1.0);
    assert_int_equal(sim.got_twice, 0);
    assert_int_equal(sim.wrong, 0);
    struct stream_stats stats;
    recv_stream_stats(&sim.first.recv, sim.now, &stats);
    assert_int_equal(stats.packets_lost, 0);
    assert_true(stats.jitter > 100);
}

static void a_burst_through_a_narrow_queue_is_repaired(void **state)
{
    (void)state;
    struct link_config there = {.rate_bps = 3000000, .queue_bytes = 30000, .delay = 20 * MS};
    sim_init(there, clean, true, 3);
    for (int burst = 0; burst < 20; burst++) {
        for (int i = 0; i < 50; i++) /* 45 kB at once: a key frame */
            source_sends(0);
        run_until(sim.now + 500 * MS);
    }
    source_sends(0); /* so that the end of the last burst is missed */
    run_until(sim.now + 3000 * MS);
    assert_true(sim.first.there.stats.queue_dropped > 100);
    assert_true(share_within(USEC_NEVER, 1) == 1.0);
    assert_int_equal(sim.wrong, 0);
}

static void an_outage_of_a_second_and_a_half_is_recovered_from(void **state)
{
    (void)state;
    sim_init(clean, clean, true, 4);
    for (int i = 0; i < 400; i++) {
        if (i == 200)
            sim.first.there.config.loss = 1.0;
        if (i == 230)
            sim.first.there.config.loss = 0.0;
        source_sends(100);
        run_until(sim.now + 50 * MS);
    }
    run_until(sim.now + 3000 * MS);
    assert_true(share_within(USEC_NEVER, 1) == 1.0);
}

static void loss_on_both_hops_with_thinning_leaves_no_wrong_number(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed <= 13; seed++) {
        struct link_config there = {.delay = 30 * MS,
                                    .loss = 0.05,
                                    .reorder = 0.02,
                                    .reorder_by = 15 * MS,
                                    .duplicate = 0.02};
        sim_init(there, lossy, true, seed);
        sim.two_hops = sim.drop_odd = true;
        hop_init(&sim.second, 200, true, there, lossy, seed + 50);
        seq_rewriter_init(&sim.rewriter, 16, 65000);
        run_stream(4000, 5 * MS, 64000);
        double share = share_within(800 * MS, 2);
        print_message("seed %d: two hops, within 800 ms %.3f %%\n", (int)seed, 100 * share);
        assert_true(share >= 0.995);
        assert_int_equal(sim.got_twice, 0);
        assert_int_equal(sim.wrong, 0);
        assert_order(2);
        assert_int_equal(sim.second.recv.nack.gave_up, 0);
        /* The viewer's line is the source's, whatever the links did to the reports. */
        uint64_t ntp;
        assert_true(recv_stream_wallclock(&sim.second.recv, 900000, &ntp));
        assert_in_range(ntp_diff(ntp, WALL + (10ULL << 32)) + 100, 0, 200);
        if (seed < 13)
            teardown(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_clean_link_needs_no_requests, teardown),
        cmocka_unit_test_teardown(five_percent_loss_is_repaired_within_400_ms, teardown),
        cmocka_unit_test_teardown(reordering_and_duplicates_forward_each_packet_once, teardown),
        cmocka_unit_test_teardown(a_burst_through_a_narrow_queue_is_repaired, teardown),
        cmocka_unit_test_teardown(an_outage_of_a_second_and_a_half_is_recovered_from, teardown),
        cmocka_unit_test_teardown(loss_on_both_hops_with_thinning_leaves_no_wrong_number, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
