/* RTCP both ways: repair, key frames, reports, transport-wide feedback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rtcp_fb.h"
#include "proto/rtcp_report.h"
#include "proto/rtcp_sdes.h"
#include "test/lib/stage.h"
#include "worker/rtp/ntp.h"

static struct world w;
static struct browser alice;
static struct browser bob;
static struct inbox from_alice;
static struct inbox to_bob;

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "up", false);
    browser_connect(&bob, &w, "room", "down", false);
    inbox_of_browser(&from_alice, &alice);
    inbox_of_browser(&to_bob, &bob);
    produce_audio(&w, "up", "mic");
    produce_video(&w, "up", "cam");
    consume_video(&w, "down", "eye", "cam", 6000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_fini(&w);
    browser_fini(&alice);
    browser_fini(&bob);
    return 0;
}

static void send_packet(const struct rtp_spec *s)
{
    uint8_t buf[1500];
    assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, s)));
    world_settle(&w);
}

static void send_video(uint16_t seq, bool key)
{
    struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                         .pt = VIDEO_PT,
                         .seq = seq,
                         .timestamp = seq * 3000U,
                         .key = key,
                         .marker = true,
                         .twcc = seq,
                         .has_twcc = true};
    send_packet(&s);
}

static void send_rtcp(struct browser *b, const struct wr *out)
{
    assert_false(out->bad);
    assert_true(rtc_peer_send_rtcp(&b->peer, out->start, wr_len(out)));
    world_settle(&w);
}

static void send_nack(uint32_t ssrc, const uint16_t *seqs, size_t n)
{
    uint8_t buf[256];
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_nack(&out, 1, ssrc, seqs, n);
    send_rtcp(&bob, &out);
}

static void send_pli(void)
{
    uint8_t buf[64];
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_pli(&out, 1, 6000);
    send_rtcp(&bob, &out);
}

static void a_consumers_nack_is_answered_with_rtx(void **state)
{
    (void)state;
    for (uint16_t seq = 1; seq <= 5; seq++)
        send_video(seq, seq == 1);
    assert_int_equal(to_bob.n, 5);
    uint16_t lost[] = {to_bob.rtp[1].seq, to_bob.rtp[3].seq};
    w.now += 20 * USEC_PER_MSEC;
    send_nack(6000, lost, 2);
    assert_int_equal(to_bob.n, 7);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(to_bob.rtp[5 + i].ssrc, 6001);
        assert_int_equal(to_bob.rtp[5 + i].pt, OUT_VIDEO_RTX_PT);
        assert_int_equal(to_bob.rtp[5 + i].osn, lost[i]);
        assert_int_equal(to_bob.rtp[5 + i].payload_len, 202);
        assert_int_equal(to_bob.rtp[5 + i].timestamp, to_bob.rtp[1 + 2 * i].timestamp);
        assert_string_equal(to_bob.rtp[5 + i].mid, "v0");
        assert_true(to_bob.rtp[5 + i].twcc > to_bob.rtp[4].twcc);
    }
    assert_int_equal((uint16_t)(to_bob.rtp[6].seq - to_bob.rtp[5].seq), 1);
    /* What never was is not sent. */
    uint16_t never = (uint16_t)(lost[0] - 100);
    send_nack(6000, &never, 1);
    assert_int_equal(to_bob.n, 7);
    json_t *stats = world_call(&w, "consumer.getStats", "eye", NULL, NULL);
    json_t *out = json_array_get(json_object_get(stats, "stats"), 0);
    assert_string_equal(json_string_value(json_object_get(out, "type")), "outbound-rtp");
    assert_int_equal(json_integer_value(json_object_get(out, "nackCount")), 2);
    assert_int_equal(json_integer_value(json_object_get(out, "packetsRetransmitted")), 2);
    json_decref(stats);
}

static void without_rtx_the_same_packet_comes_again(void **state)
{
    (void)state;
    world_do(&w, "transport.consume", "down",
             "{'consumerId':'bare','producerId':'cam','kind':'video','type':'simple',"
             "'rtpParameters':{'codecs':[{'mimeType':'video/VP8','payloadType':101,'clockRate':"
             "90000,'rtcpFeedback':[{'type':'nack'}]}],'headerExtensions':[{'uri':"
             "'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time','id':4}],'encodings':[{"
             "'ssrc':8000}]},'consumableRtpEncodings':[{'ssrc':9002}]}");
    for (uint16_t seq = 1; seq <= 3; seq++)
        send_video(seq, seq == 1);
    assert_int_equal(inbox_count(&to_bob, 8000), 3);
    uint16_t lost = 0;
    for (size_t i = 0; i < to_bob.n; i++) {
        if (to_bob.rtp[i].ssrc == 8000 && to_bob.rtp[i].timestamp == 6000)
            lost = to_bob.rtp[i].seq;
    }
    w.now += 20 * USEC_PER_MSEC;
    uint64_t bad = bob.peer.bad_in;
    send_nack(8000, &lost, 1);
    /* The receiver's SRTP takes it for a replay: it had come. That it was sent is what counts. */
    assert_int_equal(bob.peer.bad_in, bad + 1);
}

static void a_gap_in_what_is_received_is_asked_for_and_rtx_fills_it(void **state)
{
    (void)state;
    send_video(1, true);
    send_video(2, false);
    send_video(5, false);
    world_pass(&w, 30 * USEC_PER_MSEC, NULL, NULL);
    assert_true(from_alice.nacks >= 1);
    assert_int_equal(from_alice.n_nack_seqs, 2);
    assert_int_equal(from_alice.nack_seqs[0], 3);
    assert_int_equal(from_alice.nack_seqs[1], 4);
    assert_int_equal(to_bob.n, 3);
    for (uint16_t i = 0; i < 2; i++) {
        struct rtp_spec s = {.ssrc = VIDEO_RTX_SSRC,
                             .pt = VIDEO_RTX_PT,
                             .seq = (uint16_t)(900 + i),
                             .timestamp = (3U + i) * 3000,
                             .rtx = true,
                             .osn = (uint16_t)(3 + i)};
        send_packet(&s);
    }
    assert_int_equal(to_bob.n, 5);
    assert_int_equal(to_bob.rtp[3].ssrc, 6000);
    assert_int_equal((uint16_t)(to_bob.rtp[3].seq - to_bob.rtp[0].seq), 2);
    assert_int_equal((uint16_t)(to_bob.rtp[4].seq - to_bob.rtp[0].seq), 3);
    assert_int_equal(to_bob.rtp[3].payload_len, 200);
    /* And such a packet can itself be sent again. */
    uint16_t lost = to_bob.rtp[3].seq;
    send_nack(6000, &lost, 1);
    assert_int_equal(to_bob.n, 6);
    assert_int_equal(to_bob.rtp[5].osn, lost);
    assert_int_equal(to_bob.rtp[5].payload_len, 202);
}

static void requests_for_key_frames_are_throttled_and_repeated_until_it_comes(void **state)
{
    (void)state;
    send_video(1, true);
    from_alice.plis = 0;
    for (int i = 0; i < 50; i++)
        send_pli();
    assert_int_equal(from_alice.plis, 1);
    world_pass(&w, 3 * USEC_PER_SEC, NULL, NULL);
    assert_in_range(from_alice.plis, 2, 12);
    send_video(2, true);
    size_t plis = from_alice.plis;
    world_pass(&w, 3 * USEC_PER_SEC, NULL, NULL);
    assert_int_equal(from_alice.plis, plis);
}

static void key_frame_request_delay_is_kept(void **state)
{
    (void)state;
    char json[4096];
    snprintf(json, sizeof json, "%s", produce_video_json("slow"));
    /* Other SSRCs and another MID, and the delay. */
    char *at;
    while ((at = strstr(json, "2222")))
        memcpy(at, "3222", 4);
    while ((at = strstr(json, "2223")))
        memcpy(at, "3223", 4);
    memcpy(strstr(json, "'mid':'1'"), "'mid':'5'", 9);
    json[strlen(json) - 1] = '\0';
    world_do(&w, "transport.produce", "up", "%s,'keyFrameRequestDelay':2000}", json);
    consume_video(&w, "down", "late", "slow", 6500);
    struct rtp_spec s = {.ssrc = 3222, .pt = VIDEO_PT, .seq = 1, .timestamp = 1};
    from_alice.plis = 0;
    send_packet(&s);
    assert_int_equal(from_alice.plis, 1);
    world_pass(&w, 1900 * USEC_PER_MSEC, NULL, NULL);
    assert_int_equal(from_alice.plis, 1);
    world_pass(&w, 400 * USEC_PER_MSEC, NULL, NULL);
    assert_int_equal(from_alice.plis, 2);
}

static void transport_wide_feedback_reports_every_packet(void **state)
{
    (void)state;
    for (uint16_t seq = 1; seq <= 40; seq++) {
        send_video(seq, seq == 1);
        w.now += 10 * USEC_PER_MSEC;
        world_pass(&w, 0, NULL, NULL);
        worker_timeout(w.worker, w.now);
        world_settle(&w);
    }
    world_pass(&w, 300 * USEC_PER_MSEC, NULL, NULL);
    assert_int_equal(from_alice.twcc_packets, 40);
    assert_in_range(from_alice.twccs, 3, 10);
    assert_int_equal(from_alice.rembs, 0);
}

/* The line that SRs draw is the sender's own, whatever the arrival times were. */
static void sender_reports_are_mapped_from_the_senders(void **state)
{
    (void)state;
    uint64_t ntp = (NTP_UNIX_OFFSET + 1234567) << 32;
    uint8_t buf[64];
    send_video(1, true);
    world_pass(&w, 5 * USEC_PER_SEC, NULL, NULL);
    assert_int_equal(to_bob.srs, 0);
    struct rtcp_sr sr = {.ssrc = VIDEO_SSRC, .ntp = ntp, .rtp_timestamp = 3000, .packets = 1};
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_sr(&out, &sr, NULL, 0);
    send_rtcp(&alice, &out);
    to_bob.sr_ssrc = 6000;
    for (uint16_t seq = 2; seq < 90; seq++) {
        send_video(seq, false);
        world_pass(&w, 33 * USEC_PER_MSEC, NULL, NULL);
    }
    assert_true(to_bob.srs >= 1);
    assert_true(to_bob.sdeses >= 1);
    assert_string_equal(to_bob.cname, "alice");
    /* 90 kHz: (rtp - 3000) / 90000 s after ntp; the consumer's timestamps have no offset here. */
    int64_t ticks = (int32_t)(to_bob.sr_rtp - 3000);
    int64_t expected_us = ticks * 1000000 / 90000;
    assert_true(llabs(ntp_diff(to_bob.sr_ntp, ntp) - expected_us) <= 1000);
    assert_true(expected_us > 0);
}

static size_t reports_seen;

/* Only while reports of many wait for the same moment is one wake-up enough for all. */
static void note_report(void *ctx, usec now)
{
    (void)ctx;
    if (to_bob.srs > reports_seen)
        assert_true(now % (50 * USEC_PER_MSEC) < 10 * USEC_PER_MSEC);
    reports_seen = to_bob.srs;
}

static void reports_come_once_a_second_or_so_and_at_moments_that_all_transports_share(void **state)
{
    (void)state;
    uint8_t buf[64];
    send_video(1, true);
    struct rtcp_sr sr = {.ssrc = VIDEO_SSRC, .ntp = 1, .rtp_timestamp = 3000, .packets = 1};
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_sr(&out, &sr, NULL, 0);
    send_rtcp(&alice, &out);
    w.now += 7 * USEC_PER_MSEC;
    to_bob.sr_ssrc = 6000;
    reports_seen = to_bob.srs = 0;
    world_pass(&w, 20 * USEC_PER_SEC, note_report, NULL);
    assert_in_range(to_bob.srs, 2 * 14, 2 * 30); /* one more each for RTX */
}

static void a_report_that_is_nearly_due_leaves_right_behind_a_frame(void **state)
{
    (void)state;
    uint8_t buf[64];
    send_video(1, true);
    struct rtcp_sr sr = {.ssrc = VIDEO_SSRC, .ntp = 1, .rtp_timestamp = 3000, .packets = 1};
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_sr(&out, &sr, NULL, 0);
    send_rtcp(&alice, &out);
    to_bob.sr_ssrc = 6000;
    world_pass(&w, 2 * USEC_PER_SEC, NULL, NULL);
    to_bob.srs = 0;
    for (uint16_t seq = 2; seq < 300; seq++) {
        send_video(seq, false);
        size_t with_frames = to_bob.srs;
        world_pass(&w, 33 * USEC_PER_MSEC, NULL, NULL);
        assert_int_equal(to_bob.srs, with_frames);
    }
    assert_in_range(to_bob.srs, 2 * 7, 2 * 16); /* 10 s; one more each for RTX */
}

/* What is to come is a hint: it may be from nobody, of anything, and changes nothing. */
static void fetching_ahead_for_what_is_to_come_leaves_everything_as_it_is(void **state)
{
    (void)state;
    enum { N = 8 };
    uint8_t rtcp[8] = {0x80, 201, 0, 1};
    struct packet_pool *pool = worker_pool(w.worker);
    struct packet *p[N];
    struct tuple from[N];
    send_video(1, true);
    uint64_t sent = w.sent;
    for (size_t i = 0; i < N; i++) {
        p[i] = packet_get(pool);
        assert_non_null(p[i]);
        p[i]->len = i == 1 ? 0 : sizeof rtcp;
        memcpy(p[i]->data, rtcp, sizeof rtcp);
        from[i] = (struct tuple){.remote = i % 2 ? bob.endpoint.at : alice.endpoint.at,
                                 .sock = WORLD_SOCKET_SHARED,
                                 .proto = TUPLE_UDP};
        from[i].remote.port = (uint16_t)(from[i].remote.port + (i == 2));
    }
    for (size_t at = 0; at < N; at++)
        worker_fetch_ahead(w.worker, from, p, N, at);
    for (size_t i = 0; i < N; i++)
        packet_unref(p[i]);
    world_settle(&w);
    assert_int_equal(w.sent, sent);
    send_video(2, false);
    assert_int_equal(to_bob.n, 2);
}

static void send_sender_report(void)
{
    uint8_t buf[64];
    struct rtcp_sr sr = {.ssrc = VIDEO_SSRC, .ntp = NTP_UNIX_OFFSET << 32, .rtp_timestamp = 3000};
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_sr(&out, &sr, NULL, 0);
    send_rtcp(&alice, &out);
    to_bob.sr_ssrc = 6000;
}

/* A player can keep sound and picture in step only from then on. */
static void the_senders_first_report_is_passed_on_at_once(void **state)
{
    (void)state;
    send_video(1, true);
    world_pass(&w, 5 * USEC_PER_SEC, NULL, NULL);
    assert_int_equal(to_bob.srs, 0);
    send_sender_report();
    world_pass(&w, 60 * USEC_PER_MSEC, NULL, NULL);
    assert_true(to_bob.srs > 0);
}

static void a_report_before_the_first_packet_is_kept_and_passed_on_after_it(void **state)
{
    (void)state;
    send_sender_report();
    world_pass(&w, 5 * USEC_PER_SEC, NULL, NULL);
    assert_int_equal(to_bob.srs, 0);
    send_video(1, true);
    world_pass(&w, 60 * USEC_PER_MSEC, NULL, NULL);
    assert_true(to_bob.srs > 0);
}

static void receivers_reports_make_round_trip_loss_and_score(void **state)
{
    (void)state;
    uint8_t buf[64];
    send_video(1, true);
    struct rtcp_sr sr = {.ssrc = VIDEO_SSRC, .ntp = NTP_UNIX_OFFSET << 32, .rtp_timestamp = 3000};
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_sr(&out, &sr, NULL, 0);
    send_rtcp(&alice, &out);
    to_bob.sr_ssrc = 6000;
    send_video(2, false);
    world_pass(&w, 2 * USEC_PER_SEC, NULL, NULL);
    assert_true(to_bob.srs > 0);
    uint32_t lsr = ntp_mid(to_bob.sr_ntp);
    w.now += 60 * USEC_PER_MSEC;
    struct rtcp_report r = {
        .ssrc = 6000, .fraction_lost = 25, .lost = 3, .highest_seq = 2, .jitter = 7, .lsr = lsr};
    out = wr_of(buf, sizeof buf);
    rtcp_write_rr(&out, 99, &r, 1);
    send_rtcp(&bob, &out);
    json_t *stats = world_call(&w, "consumer.getStats", "eye", NULL, NULL);
    json_t *s = json_array_get(json_object_get(stats, "stats"), 0);
    assert_int_equal(json_integer_value(json_object_get(s, "packetsLost")), 3);
    assert_int_equal(json_integer_value(json_object_get(s, "fractionLost")), 25);
    assert_true(json_number_value(json_object_get(s, "roundTripTime")) >= 60);
    json_decref(stats);
    stats = world_call(&w, "transport.getStats", "down", NULL, NULL);
    assert_true(json_number_value(json_object_get(stats, "rtpPacketLossSent")) == 1);
    assert_null(json_object_get(stats, "rtpPacketLossReceived"));
    json_decref(stats);
}

static void a_consumers_losses_lower_its_score(void **state)
{
    (void)state;
    uint8_t buf[64];
    int32_t lost = 0;
    for (uint16_t round = 0; round < 6; round++) {
        for (uint16_t i = 0; i < 50; i++) {
            uint16_t seq = (uint16_t)(round * 50 + i);
            send_video(seq, seq == 0);
        }
        lost += 25;
        struct rtcp_report r = {.ssrc = 6000, .fraction_lost = 128, .lost = lost};
        struct wr out = wr_of(buf, sizeof buf);
        rtcp_write_rr(&out, 99, &r, 1);
        send_rtcp(&bob, &out);
        inbox_of_browser(&to_bob, &bob);
    }
    json_t *score = json_object_get(world_last_event(&w, "eye", "consumer.score"), "score");
    assert_in_range(json_integer_value(json_object_get(score, "score")), 0, 7);
    assert_int_equal(json_integer_value(json_object_get(score, "producerScore")), 10);
}

static void the_sender_gets_receiver_reports_with_its_losses(void **state)
{
    (void)state;
    for (uint16_t seq = 1; seq < 100; seq++) {
        if (seq % 10 != 0)
            send_video(seq, seq == 1);
        world_pass(&w, 10 * USEC_PER_MSEC, NULL, NULL);
    }
    world_pass(&w, 2 * USEC_PER_SEC, NULL, NULL);
    assert_true(from_alice.rrs >= 1);
    json_t *stats = world_call(&w, "producer.getStats", "cam", NULL, NULL);
    json_t *s = json_array_get(json_object_get(stats, "stats"), 0);
    assert_string_equal(json_string_value(json_object_get(s, "type")), "inbound-rtp");
    assert_true(json_integer_value(json_object_get(s, "packetsLost")) >= 9);
    assert_int_equal(json_integer_value(json_object_get(s, "packetCount")), 90);
    json_decref(stats);
}

static void a_stream_that_falls_silent_scores_zero_and_consumers_hear_of_it(void **state)
{
    (void)state;
    for (uint16_t seq = 1; seq < 10; seq++) {
        send_video(seq, seq == 1);
        world_pass(&w, 30 * USEC_PER_MSEC, NULL, NULL);
    }
    json_t *event = world_last_event(&w, "cam", "producer.score");
    assert_non_null(event);
    json_t *score = json_array_get(json_object_get(event, "scores"), 0);
    assert_int_equal(json_integer_value(json_object_get(score, "score")), 10);
    assert_int_equal(json_integer_value(json_object_get(score, "ssrc")), VIDEO_SSRC);
    world_pass(&w, 4 * USEC_PER_SEC, NULL, NULL);
    score =
        json_array_get(json_object_get(world_last_event(&w, "cam", "producer.score"), "scores"), 0);
    assert_int_equal(json_integer_value(json_object_get(score, "score")), 0);
    json_t *told = json_object_get(world_last_event(&w, "eye", "consumer.score"), "score");
    assert_int_equal(json_integer_value(json_object_get(told, "producerScore")), 0);
    assert_int_equal(json_array_size(json_object_get(told, "producerScores")), 1);
}

static void a_limit_on_what_is_received_is_told_by_remb(void **state)
{
    (void)state;
    world_do(&w, "transport.setMaxIncomingBitrate", "up", "{'maxIncomingBitrate':500000}");
    for (uint16_t seq = 1; seq < 100; seq++) {
        send_video(seq, seq == 1);
        world_pass(&w, 30 * USEC_PER_MSEC, NULL, NULL);
    }
    assert_true(from_alice.rembs >= 2);
}

static void traces_tell_single_packets_when_asked_for(void **state)
{
    (void)state;
    world_do(&w, "producer.enableTraceEvent", "cam", "{'events':['keyframe','pli']}");
    world_do(&w, "consumer.enableTraceEvent", "eye", "{'events':['rtp','nack']}");
    send_video(1, true);
    send_video(2, false);
    send_pli();
    uint16_t lost = to_bob.rtp[0].seq;
    send_nack(6000, &lost, 1);
    assert_int_equal(world_events(&w, "cam", "producer.trace"), 2);
    assert_int_equal(world_events(&w, "eye", "consumer.trace"), 4);
    world_do(&w, "consumer.enableTraceEvent", "eye", "{'events':[]}");
    send_video(3, false);
    assert_int_equal(world_events(&w, "eye", "consumer.trace"), 4);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_consumers_nack_is_answered_with_rtx),
        T(without_rtx_the_same_packet_comes_again),
        T(a_gap_in_what_is_received_is_asked_for_and_rtx_fills_it),
        T(requests_for_key_frames_are_throttled_and_repeated_until_it_comes),
        T(key_frame_request_delay_is_kept),
        T(transport_wide_feedback_reports_every_packet),
        T(sender_reports_are_mapped_from_the_senders),
        T(reports_come_once_a_second_or_so_and_at_moments_that_all_transports_share),
        T(a_report_that_is_nearly_due_leaves_right_behind_a_frame),
        T(fetching_ahead_for_what_is_to_come_leaves_everything_as_it_is),
        T(the_senders_first_report_is_passed_on_at_once),
        T(a_report_before_the_first_packet_is_kept_and_passed_on_after_it),
        T(receivers_reports_make_round_trip_loss_and_score),
        T(a_consumers_losses_lower_its_score),
        T(the_sender_gets_receiver_reports_with_its_losses),
        T(a_stream_that_falls_silent_scores_zero_and_consumers_hear_of_it),
        T(a_limit_on_what_is_received_is_told_by_remb),
        T(traces_tell_single_packets_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
