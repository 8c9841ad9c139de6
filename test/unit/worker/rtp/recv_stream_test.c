#include "worker/rtp/recv_stream.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/rtcp_fb.h"
#include "proto/rtx.h"
#include "worker/rtp/ntp.h"

enum { MS = 1000, SSRC = 0x1111, RTX_SSRC = 0x2222, PT = 96, RTX_PT = 97, US = 0x9999 };

static struct recv_stream stream;
static uint8_t rtcp_bytes[2000];
static struct wr rtcp;

static const uint8_t key_payload[] = {0x10, 0x50, 0x01, 0x00, 0x9d, 0x01,
                                      0x2a, 0x40, 0x01, 0xf0, 0x00};
static const uint8_t delta_payload[] = {0x10, 0x51, 0x01, 0x00, 7, 7, 7};

static struct stream_params video(void)
{
    return (struct stream_params){.ssrc = SSRC,
                                  .clock_rate = 90000,
                                  .rtx_ssrc = RTX_SSRC,
                                  .codec = CODEC_VP8,
                                  .payload_type = PT,
                                  .rtx_payload_type = RTX_PT,
                                  .has_rtx = true,
                                  .use_nack = true,
                                  .use_pli = true};
}

static void open_stream(struct stream_params params)
{
    recv_stream_init(&stream, &params, 0);
    rtcp = wr_of(rtcp_bytes, sizeof rtcp_bytes);
}

static int setup(void **state)
{
    (void)state;
    open_stream(video());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    recv_stream_fini(&stream);
    return 0;
}

static uint8_t packet_bytes[256];

static struct rtp_view packet(uint8_t pt, uint32_t ssrc, uint16_t seq, uint32_t ts,
                              const uint8_t *payload, size_t n)
{
    struct wr w = wr_of(packet_bytes, sizeof packet_bytes);
    struct rtp_view v;
    rtp_write_header(&w, true, pt, seq, ts, ssrc);
    wr_bytes(&w, payload, n);
    assert_int_equal(rtp_parse(&v, packet_bytes, wr_len(&w)), OK);
    return v;
}

static struct recv_result receive(usec now, uint16_t seq)
{
    struct rtp_view v =
        packet(PT, SSRC, seq, (uint32_t)(now * 9 / 100), delta_payload, sizeof delta_payload);
    return recv_stream_rtp(&stream, now, &v);
}

static struct recv_result receive_key(usec now, uint16_t seq)
{
    struct rtp_view v =
        packet(PT, SSRC, seq, (uint32_t)(now * 9 / 100), key_payload, sizeof key_payload);
    return recv_stream_rtp(&stream, now, &v);
}

static struct recv_result receive_rtx(usec now, uint16_t rtx_seq, uint16_t osn)
{
    uint8_t payload[2 + sizeof delta_payload];
    put_u16(payload, osn);
    memcpy(payload + 2, delta_payload, sizeof delta_payload);
    struct rtp_view v = packet(RTX_PT, RTX_SSRC, rtx_seq, 5, payload, sizeof payload);
    struct recv_result result = recv_stream_rtx(&stream, now, &v);
    if (result.verdict == RECV_FORWARD) {
        assert_int_equal(v.seq, osn);
        assert_int_equal(v.ssrc, SSRC);
        assert_int_equal(v.payload_type, PT);
        assert_memory_equal(rtp_payload(&v), delta_payload, sizeof delta_payload);
    }
    return result;
}

/* What is asked for now. */
static size_t nacked(usec now, uint16_t *seqs, size_t cap)
{
    rtcp = wr_of(rtcp_bytes, sizeof rtcp_bytes);
    recv_stream_timeout(&stream, now, US, &rtcp);
    struct rtcp_reader reader;
    struct rtcp_block block;
    size_t n = 0;
    if (wr_len(&rtcp) == 0)
        return 0;
    assert_int_equal(rtcp_reader_init(&reader, rtcp_bytes, wr_len(&rtcp)), OK);
    while (rtcp_next(&reader, &block)) {
        struct rtcp_nack nack;
        assert_int_equal(rtcp_parse_nack(&block, &nack), OK);
        assert_int_equal(nack.sender_ssrc, US);
        assert_int_equal(nack.media_ssrc, SSRC);
        n += rtcp_nack_seqs(&nack, seqs + n, cap - n);
    }
    return n;
}

static void receive_unended(usec now, uint16_t seq)
{
    struct rtp_view v =
        packet(PT, SSRC, seq, (uint32_t)(now * 9 / 100), delta_payload, sizeof delta_payload);
    rtp_set_marker(&v, false);
    assert_int_equal(recv_stream_rtp(&stream, now, &v).verdict, RECV_FORWARD);
}

static void a_frame_without_its_end_is_asked_for_unseen(void **state)
{
    (void)state;
    uint16_t seqs[16];
    receive(0, 65533);
    assert_int_equal(nacked(500 * MS, seqs, 16), 0); /* that one had its end */
    receive_unended(600 * MS, 65534);
    assert_int_equal(nacked(659 * MS, seqs, 16), 0);
    assert_int_equal(recv_stream_deadline(&stream), 660 * MS);
    assert_int_equal(nacked(660 * MS, seqs, 16), RECV_TAIL_ASK);
    assert_int_equal(seqs[0], 65535);
    assert_int_equal(seqs[1], 0);
    /* The end comes, and nothing more is asked for. */
    assert_int_equal(receive_rtx(700 * MS, 1, 65535).verdict, RECV_FORWARD);
    receive(701 * MS, 0);
    assert_int_equal(nacked(1500 * MS, seqs, 16), 0);
    /* Where it never comes, three times are enough. */
    receive_unended(1600 * MS, 1);
    unsigned times = 0;
    for (usec now = 1600 * MS; now < 1990 * MS; now += 10 * MS)
        times += nacked(now, seqs, 16) > 0;
    assert_int_equal(times, RECV_TAIL_TRIES);
}

static void a_sender_that_never_marks_an_end_is_not_asked(void **state)
{
    (void)state;
    uint16_t seqs[16];
    for (uint16_t i = 0; i < 10; i++) {
        receive_unended(i * 200 * MS, i);
        assert_int_equal(nacked((i * 200 + 100) * MS, seqs, 16), 0);
    }
}

static void packets_are_forwarded_once(void **state)
{
    (void)state;
    struct recv_result r = receive_key(0, 10);
    assert_int_equal(r.verdict, RECV_FORWARD);
    assert_true(r.key_frame);
    r = receive(20 * MS, 11);
    assert_int_equal(r.verdict, RECV_FORWARD);
    assert_false(r.key_frame);
    assert_int_equal(receive(21 * MS, 11).verdict, RECV_DUPLICATE);
    assert_int_equal(stream.discarded, 1);
    assert_int_equal(stream.packets, 2);
}

static void a_lost_packet_is_asked_for_and_repaired_by_rtx(void **state)
{
    (void)state;
    uint16_t seqs[32];
    receive(0, 65534);
    receive(10 * MS, 2);
    assert_int_equal(recv_stream_deadline(&stream), 10 * MS);
    assert_int_equal(nacked(10 * MS, seqs, 32), 3);
    assert_int_equal(seqs[0], 65535);
    assert_int_equal(seqs[2], 1);
    struct recv_result r = receive_rtx(60 * MS, 500, 0);
    assert_int_equal(r.verdict, RECV_FORWARD);
    assert_true(r.recovered);
    assert_true(r.late);
    assert_int_equal(receive_rtx(61 * MS, 501, 0).verdict, RECV_DUPLICATE);
    assert_int_equal(receive(62 * MS, 0).verdict, RECV_DUPLICATE);
    struct stream_stats stats;
    recv_stream_stats(&stream, 62 * MS, &stats);
    assert_int_equal(stats.packets_repaired, 1);
    assert_int_equal(stats.packets_retransmitted, 2);
    assert_int_equal(stats.nacks, 1);
    assert_int_equal(stats.nack_packets, 3);
    assert_int_equal(nacked(200 * MS, seqs, 32), 2);
    assert_int_equal(seqs[0], 65535);
    assert_int_equal(seqs[1], 1);
}

static void a_reordered_packet_is_no_repair(void **state)
{
    (void)state;
    uint16_t seqs[8];
    receive(0, 1);
    receive(0, 3);
    assert_int_equal(nacked(0, seqs, 8), 1);
    struct recv_result r = receive(5 * MS, 2);
    assert_int_equal(r.verdict, RECV_FORWARD);
    assert_true(r.late);
    assert_int_equal(stream.repaired, 0);
    assert_int_equal(nacked(500 * MS, seqs, 8), 0);
}

static void without_rtx_the_same_packet_comes_again(void **state)
{
    (void)state;
    struct stream_params params = video();
    params.has_rtx = false;
    open_stream(params);
    uint16_t seqs[8];
    receive(0, 1);
    receive(0, 3);
    assert_int_equal(nacked(0, seqs, 8), 1);
    assert_true(receive(50 * MS, 2).recovered);
    assert_int_equal(stream.repaired, 1);
    assert_int_equal(stream.rtx_packets, 1);
}

static void rtx_before_rtp_belongs_to_nothing(void **state)
{
    (void)state;
    assert_int_equal(receive_rtx(0, 1, 100).verdict, RECV_INVALID);
    assert_int_equal(receive(1 * MS, 101).verdict, RECV_FORWARD);
    assert_int_equal(receive_rtx(2 * MS, 2, 100).verdict, RECV_TOO_OLD);
    assert_int_equal(receive_rtx(2 * MS, 3, 30000).verdict, RECV_INVALID);
}

static void rtx_that_probes_with_padding_is_nothing(void **state)
{
    (void)state;
    receive(0, 1);
    struct rtp_view v = packet(RTX_PT, RTX_SSRC, 9, 0, NULL, 0);
    assert_int_equal(recv_stream_rtx(&stream, 0, &v).verdict, RECV_INVALID);
    v = packet(RTX_PT + 1, RTX_SSRC, 10, 0, delta_payload, sizeof delta_payload);
    assert_int_equal(recv_stream_rtx(&stream, 0, &v).verdict, RECV_INVALID);
    assert_int_equal(stream.rtx_packets, 0);
}

static void a_restart_is_told_and_forgets_what_was_missing(void **state)
{
    (void)state;
    uint16_t seqs[8];
    receive(0, 1000);
    receive(0, 1003);
    struct rtcp_sr sr = {.ntp = 5ULL << 32, .ssrc = SSRC, .rtp_timestamp = 77};
    recv_stream_sr(&stream, 0, &sr);
    assert_int_equal(receive(1 * MS, 40000).verdict, RECV_INVALID);
    struct recv_result r = receive(2 * MS, 40001);
    assert_int_equal(r.verdict, RECV_FORWARD);
    assert_true(r.restarted);
    assert_int_equal(nacked(500 * MS, seqs, 8), 0);
    uint64_t ntp;
    assert_false(recv_stream_wallclock(&stream, 77, &ntp));
    assert_false(receive(3 * MS, 40002).restarted);
}

static void more_missing_than_can_be_asked_for_wants_a_key_frame(void **state)
{
    (void)state;
    uint16_t seqs[8];
    receive(0, 1);
    struct recv_result r = receive(1 * MS, 1500);
    assert_int_equal(r.verdict, RECV_FORWARD);
    assert_true(r.want_key_frame);
    assert_int_equal(nacked(100 * MS, seqs, 8), 0);
}

static void large_losses_span_several_nack_messages(void **state)
{
    (void)state;
    uint16_t seqs[1000];
    receive(0, 1);
    receive(0, 1002);
    size_t n = nacked(0, seqs, 1000);
    assert_int_equal(n, 1000);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(seqs[i], i + 2);
}

static void a_full_writer_loses_no_request(void **state)
{
    (void)state;
    receive(0, 1);
    receive(0, 4);
    uint8_t small[10];
    struct wr w = wr_of(small, sizeof small);
    recv_stream_timeout(&stream, 0, US, &w);
    assert_int_equal(wr_len(&w), 0);
    uint16_t seqs[8];
    assert_int_equal(nacked(0, seqs, 8), 2);
}

static void round_trip_by_dlrr_times_the_requests(void **state)
{
    (void)state;
    uint16_t seqs[8];
    struct rtcp_dlrr item = {.lrr = ntp_mid(ntp_of_usec(1000 * MS)),
                             .dlrr = ntp_mid_of_usec(30 * MS)};
    recv_stream_dlrr(&stream, 1330 * MS, &item);
    assert_in_range(stream.rtt, 299900, 300100);
    receive(0, 1);
    receive(0, 3);
    assert_int_equal(nacked(0, seqs, 8), 1);
    assert_int_equal(nacked(300 * MS, seqs, 8), 0);
    assert_int_equal(nacked(340 * MS, seqs, 8), 1);
    item.dlrr = ntp_mid_of_usec(900 * MS); /* longer than it took: a lie */
    recv_stream_dlrr(&stream, 1330 * MS, &item);
    assert_in_range(stream.rtt, 299900, 300100);
}

static void reports_refer_to_the_last_sender_report(void **state)
{
    (void)state;
    struct rtcp_report report;
    assert_false(recv_stream_report(&stream, 0, &report));
    for (uint16_t i = 0; i < 10; i++)
        if (i != 5)
            receive(i * 20 * MS, (uint16_t)(65530 + i));
    assert_true(recv_stream_report(&stream, 200 * MS, &report));
    assert_int_equal(report.ssrc, SSRC);
    assert_int_equal(report.lsr, 0);
    assert_int_equal(report.dlsr, 0);
    assert_int_equal(report.lost, 1);
    assert_int_equal(report.fraction_lost, 25);
    assert_int_equal(report.highest_seq, 65536 + 3);
    struct rtcp_sr sr = {.ntp = 0x1122334455667788ULL, .ssrc = SSRC};
    recv_stream_sr(&stream, 200 * MS, &sr);
    sr.ssrc = RTX_SSRC;
    sr.ntp++;
    recv_stream_sr(&stream, 450 * MS, &sr);
    assert_true(recv_stream_report(&stream, 700 * MS, &report));
    assert_int_equal(report.lsr, 0x33445566);
    assert_int_equal(report.dlsr, 32768);
    assert_false(recv_stream_rtx_report(&stream, 700 * MS, &report));
    receive_rtx(700 * MS, 3, (uint16_t)(65530 + 5));
    assert_true(recv_stream_rtx_report(&stream, 950 * MS, &report));
    assert_int_equal(report.ssrc, RTX_SSRC);
    assert_int_equal(report.lsr, 0x33445566);
    assert_int_equal(report.dlsr, 32768);
}

static void the_score_falls_with_loss_and_recovers(void **state)
{
    (void)state;
    struct rtcp_report report;
    uint8_t score = 0;
    uint16_t seq = 0;
    assert_false(score_take(&stream.score, &score));
    receive(0, seq++);
    assert_true(score_take(&stream.score, &score));
    assert_int_equal(score, 10);
    for (int second = 0; second < 5; second++) {
        for (int i = 0; i < 50; i++, seq++)
            if (i % 5 != 0)
                receive(second * 1000 * MS + i * 20 * MS, seq);
        recv_stream_report(&stream, (second + 1) * 1000 * MS, &report);
    }
    assert_true(score_take(&stream.score, &score));
    assert_int_equal(score, 4); /* 0.8^4 */
    for (int second = 5; second < 60; second++) {
        for (int i = 0; i < 50; i++, seq++)
            receive(second * 1000 * MS + i * 20 * MS, seq);
        recv_stream_report(&stream, (second + 1) * 1000 * MS, &report);
    }
    assert_true(score_take(&stream.score, &score));
    assert_int_equal(score, 10);
}

static void silence_makes_the_stream_inactive(void **state)
{
    (void)state;
    uint8_t score;
    assert_true(recv_stream_deadline(&stream) == USEC_NEVER);
    receive(100 * MS, 1);
    assert_int_equal(recv_stream_deadline(&stream), 1600 * MS);
    recv_stream_timeout(&stream, 1599 * MS, US, &rtcp);
    assert_true(stream.active);
    recv_stream_timeout(&stream, 1600 * MS, US, &rtcp);
    assert_false(stream.active);
    assert_true(score_take(&stream.score, &score));
    assert_int_equal(score, 0);
    assert_true(recv_stream_deadline(&stream) == USEC_NEVER);
    receive(5000 * MS, 2);
    assert_true(score_take(&stream.score, &score));
    assert_int_equal(score, 10);
}

static void dtx_streams_may_be_silent_longer(void **state)
{
    (void)state;
    struct stream_params params = {.ssrc = SSRC,
                                   .clock_rate = 48000,
                                   .codec = CODEC_OPUS,
                                   .payload_type = PT,
                                   .use_dtx = true};
    open_stream(params);
    receive(0, 1);
    assert_int_equal(recv_stream_deadline(&stream), 5000 * MS);
    receive(0, 5);
    uint16_t seqs[8];
    assert_int_equal(nacked(100 * MS, seqs, 8), 0);
}

static void paused_streams_ask_for_nothing_and_keep_their_score(void **state)
{
    (void)state;
    uint16_t seqs[8];
    uint8_t score;
    receive(0, 1);
    score_take(&stream.score, &score);
    receive(0, 4);
    recv_stream_pause(&stream);
    assert_true(recv_stream_deadline(&stream) == USEC_NEVER);
    assert_int_equal(nacked(100 * MS, seqs, 8), 0);
    receive(200 * MS, 10);
    recv_stream_resume(&stream, 60000 * MS);
    assert_int_equal(recv_stream_deadline(&stream), 61500 * MS);
    receive(60010 * MS, 20);
    receive(60020 * MS, 22);
    assert_int_equal(nacked(60020 * MS, seqs, 8), 1);
    assert_int_equal(seqs[0], 21);
    assert_false(score_take(&stream.score, &score));
}

static void key_frames_are_requested_as_the_stream_can(void **state)
{
    (void)state;
    uint8_t fir_seq = 7;
    struct rtcp_reader reader;
    struct rtcp_block block;
    assert_true(recv_stream_request_key_frame(&stream, US, &fir_seq, &rtcp));
    assert_int_equal(fir_seq, 7);
    stream.params.use_pli = false;
    assert_false(recv_stream_request_key_frame(&stream, US, &fir_seq, &rtcp));
    stream.params.use_fir = true;
    assert_true(recv_stream_request_key_frame(&stream, US, &fir_seq, &rtcp));
    assert_int_equal(fir_seq, 8);
    assert_int_equal(rtcp_reader_init(&reader, rtcp_bytes, wr_len(&rtcp)), OK);
    assert_true(rtcp_next(&reader, &block));
    assert_int_equal(block.kind, RTCP_KIND_PLI);
    assert_true(rtcp_next(&reader, &block));
    struct rtcp_fir fir;
    assert_int_equal(rtcp_parse_fir(&block, &fir), OK);
    assert_int_equal(rtcp_fir_item(&fir, 0).seq, 7);
    assert_int_equal(rtcp_fir_item(&fir, 0).ssrc, SSRC);
    assert_int_equal(stream.plis, 1);
    assert_int_equal(stream.firs, 1);
}

static void h264_starts_with_the_parameter_sets_where_they_are_in_band(void **state)
{
    (void)state;
    static const uint8_t idr[] = {0x65, 0x88, 0x80};
    static const uint8_t sps[] = {0x67, 0x42, 0xe0, 0x1f};
    struct stream_params params = video();
    params.codec = CODEC_H264;
    open_stream(params);
    struct rtp_view v = packet(PT, SSRC, 1, 0, idr, sizeof idr);
    assert_true(recv_stream_rtp(&stream, 0, &v).key_frame);
    v = packet(PT, SSRC, 2, 3000, sps, sizeof sps);
    assert_true(recv_stream_rtp(&stream, 0, &v).key_frame);
    v = packet(PT, SSRC, 3, 3000, idr, sizeof idr);
    assert_false(recv_stream_rtp(&stream, 0, &v).key_frame);
}

static void packets_without_payload_and_of_other_types_count(void **state)
{
    (void)state;
    struct rtp_view v = packet(PT, SSRC, 1, 0, NULL, 0);
    struct recv_result r = recv_stream_rtp(&stream, 0, &v);
    assert_int_equal(r.verdict, RECV_FORWARD);
    assert_true(r.padding_only);
    v = packet(PT + 5, SSRC, 2, 0, key_payload, sizeof key_payload);
    r = recv_stream_rtp(&stream, 0, &v);
    assert_int_equal(r.verdict, RECV_FORWARD);
    assert_false(r.key_frame);
    assert_false(r.padding_only);
    assert_true(recv_stream_deadline(&stream) != 0);
}

static void the_wall_clock_follows_the_sender_report(void **state)
{
    (void)state;
    uint64_t ntp;
    receive(0, 1);
    struct rtcp_sr sr = {.ntp = 1000ULL << 32, .ssrc = SSRC, .rtp_timestamp = 90000};
    recv_stream_sr(&stream, 10 * MS, &sr);
    assert_true(recv_stream_wallclock(&stream, 180000, &ntp));
    assert_int_equal(ntp, 1001ULL << 32);
    sr.ssrc = 1; /* somebody else's */
    sr.ntp = 7;
    recv_stream_sr(&stream, 20 * MS, &sr);
    assert_true(recv_stream_wallclock(&stream, 180000, &ntp));
    assert_int_equal(ntp, 1001ULL << 32);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_frame_without_its_end_is_asked_for_unseen),
        T(a_sender_that_never_marks_an_end_is_not_asked),
        T(packets_are_forwarded_once),
        T(a_lost_packet_is_asked_for_and_repaired_by_rtx),
        T(a_reordered_packet_is_no_repair),
        T(without_rtx_the_same_packet_comes_again),
        T(rtx_before_rtp_belongs_to_nothing),
        T(rtx_that_probes_with_padding_is_nothing),
        T(a_restart_is_told_and_forgets_what_was_missing),
        T(more_missing_than_can_be_asked_for_wants_a_key_frame),
        T(large_losses_span_several_nack_messages),
        T(a_full_writer_loses_no_request),
        T(round_trip_by_dlrr_times_the_requests),
        T(reports_refer_to_the_last_sender_report),
        T(the_score_falls_with_loss_and_recovers),
        T(silence_makes_the_stream_inactive),
        T(dtx_streams_may_be_silent_longer),
        T(paused_streams_ask_for_nothing_and_keep_their_score),
        T(key_frames_are_requested_as_the_stream_can),
        T(h264_starts_with_the_parameter_sets_where_they_are_in_band),
        T(packets_without_payload_and_of_other_types_count),
        T(the_wall_clock_follows_the_sender_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
