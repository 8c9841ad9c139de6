#include "worker/rtp/send_stream.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "worker/rtp/ntp.h"

enum { MS = 1000, SSRC = 0x3333, RTX_SSRC = 0x4444 };

static struct packet_pool pool;
static struct send_stream stream;
static struct sr_map source;
static struct resend out[NACK_ITEM_SEQS];

static int setup(void **state)
{
    (void)state;
    packet_pool_init(&pool, 4096);
    struct stream_params params = {.ssrc = SSRC,
                                   .clock_rate = 90000,
                                   .rtx_ssrc = RTX_SSRC,
                                   .codec = CODEC_VP8,
                                   .payload_type = 96,
                                   .rtx_payload_type = 97,
                                   .has_rtx = true,
                                   .use_nack = true,
                                   .cname = "someone"};
    send_stream_init(&stream, &params, 65535);
    sr_map_init(&source, 90000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    send_stream_fini(&stream);
    packet_pool_fini(&pool);
    return 0;
}

static void send(usec now, uint16_t seq)
{
    struct packet *p = packet_get(&pool);
    assert_non_null(p);
    struct sent_rtp sent = {.packet = p,
                            .timestamp = seq * 3000u,
                            .patch = seq,
                            .seq = seq,
                            .len = 1012,
                            .payload_len = 1000,
                            .marker = seq & 1};
    send_stream_sent(&stream, now, &sent);
    packet_unref(p);
}

static size_t nack(usec now, uint16_t pid, uint16_t blp)
{
    struct rtcp_nack_item item = {.pid = pid, .blp = blp};
    return send_stream_nack(&stream, now, item, out, NACK_ITEM_SEQS);
}

static void asked_for_packets_are_sent_again(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        send(i * MS, (uint16_t)(65520 + i));
    assert_int_equal(nack(50 * MS, 65534, 0x8005), 4);
    assert_int_equal(out[0].seq, 65534);
    assert_int_equal(out[1].seq, 65535);
    assert_int_equal(out[2].seq, 1);
    assert_int_equal(out[3].seq, 14);
    assert_int_equal(out[3].timestamp, 14 * 3000);
    assert_int_equal(out[3].patch, 14);
    assert_false(out[3].marker);
    assert_true(out[1].marker);
    assert_int_equal(out[0].rtx_seq, 65535);
    assert_int_equal(out[1].rtx_seq, 0);
    assert_int_equal(out[3].rtx_seq, 2);
    assert_non_null(out[0].packet);
}

static void not_again_within_a_round_trip(void **state)
{
    (void)state;
    stream.rtt = 200 * MS;
    send(0, 5);
    assert_int_equal(nack(10 * MS, 5, 0), 1);
    assert_int_equal(nack(10 * MS, 5, 0), 0);
    assert_int_equal(nack(180 * MS, 5, 0), 0);
    assert_int_equal(nack(190 * MS, 5, 0), 1);
    assert_int_equal(stream.repaired, 1);
    stream.rtt = 1; /* what a peer pretends bounds nothing */
    assert_int_equal(nack(199 * MS, 5, 0), 0);
    assert_int_equal(nack(200 * MS, 5, 0), 1);
}

static void no_more_is_sent_again_than_was_sent_and_saved_up(void **state)
{
    (void)state;
    stream.rtt = 10 * MS;
    for (uint16_t seq = 0; seq < 200; seq++)
        send(0, seq);
    size_t again = 0;
    for (usec now = 0; now < 1900 * MS; now += 10 * MS)
        for (uint16_t pid = 0; pid < 200; pid += 17)
            again += nack(now, pid, 0xffff);
    assert_int_equal(again, SEND_RESENDS_SAVED); /* not two thousand */
    assert_int_equal(nack(1900 * MS, 150, 0), 0);
    /* A packet that is sent pays for one. */
    send(1900 * MS, 200);
    assert_int_equal(nack(1920 * MS, 200, 0), 1);
    assert_int_equal(nack(1950 * MS, 200, 0), 0);
}

static void not_more_than_ten_times(void **state)
{
    (void)state;
    stream.rtt = 10 * MS;
    send(0, 5);
    int times = 0;
    for (usec now = 0; now < 2000 * MS; now += 5 * MS)
        times += (int)nack(now, 5, 0);
    assert_int_equal(times, 10);
}

static void too_old_or_unknown_packets_are_not_sent_again(void **state)
{
    (void)state;
    send(0, 1);
    send(1500 * MS, 2);
    assert_int_equal(nack(2001 * MS, 1, 0x0003), 1);
    assert_int_equal(out[0].seq, 2);
    assert_int_equal(stream.not_kept, 2);
    assert_int_equal(stream.nack_packets, 3);
    send(4000 * MS, 3);
    assert_int_equal(pool.used, 1);
}

static void audio_is_kept_for_a_second(void **state)
{
    (void)state;
    struct stream_params params = {
        .ssrc = SSRC, .clock_rate = 48000, .codec = CODEC_OPUS, .use_nack = true};
    send_stream_init(&stream, &params, 0);
    send(0, 1);
    assert_int_equal(nack(1001 * MS, 1, 0), 0);
    assert_int_equal(nack(1000 * MS, 1, 0), 1);
}

static void without_nack_nothing_is_kept(void **state)
{
    (void)state;
    stream.params.use_nack = false;
    send(0, 1);
    assert_int_equal(pool.used, 0);
    assert_int_equal(nack(0, 1, 0), 0);
}

static void a_small_buffer_leaves_the_rest_for_the_next_request(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 10; i++)
        send(0, i);
    struct rtcp_nack_item item = {.pid = 0, .blp = 0x000f};
    assert_int_equal(send_stream_nack(&stream, 0, item, out, 2), 2);
    assert_int_equal(nack(1 * MS, 0, 0x000f), 3);
    assert_int_equal(out[0].seq, 2);
}

static void a_probe_takes_the_newest_and_does_not_block_its_repair(void **state)
{
    (void)state;
    struct resend probe;
    assert_false(send_stream_probe(&stream, 0, &probe));
    send(0, 1);
    send(0, 2);
    assert_true(send_stream_probe(&stream, 1 * MS, &probe));
    assert_int_equal(probe.seq, 2);
    assert_int_equal(probe.rtx_seq, 65535);
    assert_int_equal(nack(2 * MS, 2, 0), 1);
    assert_int_equal(out[0].rtx_seq, 0);
}

static void no_report_before_the_source_has_one(void **state)
{
    (void)state;
    struct rtcp_sr sr;
    send(0, 1);
    assert_false(send_stream_sr(&stream, 1 * MS, &source, 0, &sr));
    sr_map_update(&source, 0, 9ULL << 32, 1000);
    assert_true(send_stream_sr(&stream, 1 * MS, &source, 0, &sr));
}

static void reports_stay_on_the_senders_clock(void **state)
{
    (void)state;
    struct rtcp_sr sr;
    send(0, 65535);
    send(0, 0);
    sr_map_update(&source, 100 * MS, 3000ULL << 32, 5000);
    assert_true(send_stream_sr(&stream, 600 * MS, &source, 70000, &sr));
    assert_int_equal(sr.ssrc, SSRC);
    assert_int_equal(sr.ntp, 3000ULL << 32 | 1ULL << 31);
    assert_int_equal(sr.rtp_timestamp, 5000 + 45000 + 70000);
    assert_int_equal(sr.packets, 2);
    assert_int_equal(sr.octets, 2000);
    struct rtcp_sr rtx;
    send_stream_resent(&stream, 600 * MS, 1014, 1002);
    send_stream_rtx_sr(&stream, &sr, &rtx);
    assert_int_equal(rtx.ssrc, RTX_SSRC);
    assert_int_equal(rtx.ntp, sr.ntp);
    assert_int_equal(rtx.packets, 1);
    assert_int_equal(rtx.octets, 1002);
    struct rtcp_sdes_chunk sdes = send_stream_sdes(&stream);
    assert_int_equal(sdes.ssrc, SSRC);
    assert_memory_equal(sdes.cname.p, "someone", sdes.cname.n);
}

static void a_late_source_report_moves_the_point_not_the_line(void **state)
{
    (void)state;
    struct rtcp_sr a;
    struct rtcp_sr b;
    send(0, 1);
    sr_map_update(&source, 100 * MS, 3000ULL << 32, 5000);
    assert_true(send_stream_sr(&stream, 1000 * MS, &source, 0, &a));
    sr_map_update(&source, 1300 * MS, 3001ULL << 32, 95000); /* 200 ms late */
    assert_true(send_stream_sr(&stream, 1500 * MS, &source, 0, &b));
    usec ntp_between = ntp_diff(b.ntp, a.ntp);
    usec rtp_between = (usec)(b.rtp_timestamp - a.rtp_timestamp) * 100 / 9;
    assert_in_range(ntp_between - rtp_between + 12, 0, 24); /* half a tick each */
}

static void the_round_trip_comes_from_the_report_that_is_referred_to(void **state)
{
    (void)state;
    struct rtcp_sr first;
    struct rtcp_sr second;
    send(0, 1);
    sr_map_update(&source, 0, 3000ULL << 32, 5000);
    assert_true(send_stream_sr(&stream, 1000 * MS, &source, 0, &first));
    assert_true(send_stream_sr(&stream, 2000 * MS, &source, 0, &second));
    struct rtcp_report report = {
        .ssrc = SSRC, .lsr = ntp_mid(first.ntp), .dlsr = ntp_mid_of_usec(1000 * MS)};
    send_stream_rr(&stream, 2080 * MS, &report);
    assert_in_range(stream.rtt, 79980, 80020);
    report.lsr = ntp_mid(second.ntp);
    report.dlsr = 0;
    send_stream_rr(&stream, 2050 * MS, &report);
    assert_in_range(stream.rtt, 49980, 50020);
    report.lsr = 12345; /* never sent */
    send_stream_rr(&stream, 9000 * MS, &report);
    assert_in_range(stream.rtt, 49980, 50020);
    report.lsr = ntp_mid(second.ntp);
    report.dlsr = 0xffffffff;
    send_stream_rr(&stream, 9000 * MS, &report);
    assert_in_range(stream.rtt, 49980, 50020);
}

static void receiver_reports_make_the_score(void **state)
{
    (void)state;
    uint8_t score;
    uint16_t seq = 0;
    struct rtcp_report report = {.ssrc = SSRC};
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 100; k++)
            send(i * 1000 * MS + k * 10 * MS, seq++);
        report.lost += 20;
        report.fraction_lost = 51;
        send_stream_rr(&stream, (i + 1) * 1000 * MS, &report);
    }
    assert_true(score_take(&stream.score, &score));
    assert_int_equal(score, 4);
    struct stream_stats stats;
    send_stream_stats(&stream, 5000 * MS, &stats);
    assert_int_equal(stats.packets_lost, 100);
    assert_int_equal(stats.fraction_lost, 51);
    assert_int_equal(stats.packets, 500);
    assert_int_equal(stats.bytes, 506000);
    assert_in_range(stats.bitrate, 790000, 830000);
    assert_int_equal(stats.score, 4);
    report.lost = -8388608; /* nonsense is no loss */
    send_stream_rr(&stream, 6000 * MS, &report);
    report.lost = 8388607;
    send_stream_rr(&stream, 7000 * MS, &report);
}

static void receiver_reference_times_are_answered(void **state)
{
    (void)state;
    struct rtcp_dlrr item;
    assert_false(send_stream_dlrr(&stream, 0, &item));
    send_stream_rrt(&stream, 1000 * MS, 0x1122334455667788ULL);
    assert_true(send_stream_dlrr(&stream, 1500 * MS, &item));
    assert_int_equal(item.lrr, 0x33445566);
    assert_int_equal(item.dlrr, 32768);
}

static void a_pause_gives_the_history_back(void **state)
{
    (void)state;
    send(0, 1);
    send(0, 2);
    send_stream_pause(&stream);
    assert_int_equal(pool.used, 0);
    assert_int_equal(nack(0, 1, 1), 0);
    send_stream_resume(&stream);
    send(10 * MS, 3);
    assert_int_equal(nack(20 * MS, 3, 0), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(asked_for_packets_are_sent_again),
        T(not_again_within_a_round_trip),
        T(no_more_is_sent_again_than_was_sent_and_saved_up),
        T(not_more_than_ten_times),
        T(too_old_or_unknown_packets_are_not_sent_again),
        T(audio_is_kept_for_a_second),
        T(without_nack_nothing_is_kept),
        T(a_small_buffer_leaves_the_rest_for_the_next_request),
        T(a_probe_takes_the_newest_and_does_not_block_its_repair),
        T(no_report_before_the_source_has_one),
        T(reports_stay_on_the_senders_clock),
        T(a_late_source_report_moves_the_point_not_the_line),
        T(the_round_trip_comes_from_the_report_that_is_referred_to),
        T(receiver_reports_make_the_score),
        T(receiver_reference_times_are_answered),
        T(a_pause_gives_the_history_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
