/* WebRTC through a real worker: ICE, DTLS, media and feedback over UDP and TCP. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "proto/rtcp_fb.h"
#include "proto/rtp.h"
#include "test/integration/call.h"

static struct worker_driver *driver_of(struct call *c)
{
    return &c->net.driver;
}

static void send_rtcp(struct web_peer *p, const struct wr *w)
{
    assert_false(w->bad);
    assert_true(rtc_peer_send_rtcp(&p->rtc, w->start, wr_len(w)));
}

static void send_pli(struct web_peer *p, uint32_t ssrc)
{
    uint8_t buf[64];
    struct wr w = wr_of(buf, sizeof buf);
    rtcp_write_pli(&w, 1, ssrc);
    send_rtcp(p, &w);
}

static void send_nack(struct web_peer *p, uint32_t ssrc, uint16_t seq)
{
    uint8_t buf[64];
    struct wr w = wr_of(buf, sizeof buf);
    rtcp_write_nack(&w, 1, ssrc, &seq, 1);
    send_rtcp(p, &w);
}

static const char *last_state(struct worker_driver *d, const char *transport, const char *event,
                              const char *key)
{
    return json_text_at(driver_last_event(d, transport, event), key);
}

/* ---- connecting, in each way ---- */

struct way {
    struct web_peer_options alice;
    struct web_peer_options bob;
};

static struct way ways[] = {
    {{.dtls_server = false}, {.dtls_server = true}},
    {{.tcp = true}, {.tcp = true, .dtls_server = true}},
    {{.tcp = true, .dtls_server = true}, {.dtls_server = false}},
};

static void a_call_goes_through(void **state)
{
    const struct way *way = *state;
    struct call c;
    call_init(&c, NULL);
    call_open(&c, &way->alice, &way->bob);
    struct worker_driver *d = driver_of(&c);
    UNTIL(&c.net, strcmp(last_state(d, "up", "webRtcTransport.dtlsStateChange", "dtlsState"),
                         "connected") == 0);
    UNTIL(&c.net, strcmp(last_state(d, "down", "webRtcTransport.iceStateChange", "iceState"),
                         "completed") == 0);
    json_t *dump = driver_call(d, "transport.dump", "down", NULL);
    assert_string_equal(json_text_at(dump, "iceSelectedTuple.protocol"),
                        way->bob.tcp ? "tcp" : "udp");
    assert_int_equal(json_number_at(dump, "iceSelectedTuple.remotePort"), c.bob.socket.local.port);
    json_decref(dump);

    call_start_video(&c);
    for (int i = 0; i < 100; i++) {
        call_send_audio(&c);
        call_send_video(&c, false);
    }
    UNTIL(&c.net, call_got(&c) == 201);
    assert_int_equal(inbox_count(c.bob.in, EAR_SSRC), 100);
    /* In order, without a hole, in the consumer's numbers. */
    uint16_t expected = c.bob.in->rtp[0].seq;
    for (size_t i = 0; i < c.bob.in->n; i++) {
        if (c.bob.in->rtp[i].ssrc != EYE_SSRC)
            continue;
        assert_int_equal(c.bob.in->rtp[i].seq, expected++);
        assert_int_equal(c.bob.in->rtp[i].pt, OUT_VIDEO_PT);
        assert_int_equal(c.bob.in->rtp[i].payload_len, 1000);
        assert_true(c.bob.in->rtp[i].abs_send_time);
    }
    assert_int_equal(c.bob.rtc.bad_in, 0);
    UNTIL(&c.net, c.alice.in->twcc_packets >= 101);
    const char *wrong = call_fini(&c);
    if (wrong)
        fail_msg("%s", wrong);
}

static void h264_goes_through(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    uint8_t buf[1500];
    static const uint8_t idr[] = {0x65, 0x88, 0x84, 0x00};
    static const uint8_t sps_pps_idr[] = {0x78, 0,    4, 0x67, 0x42, 0xe0, 0x1f, 0, 2,
                                          0x68, 0xce, 0, 4,    0x65, 0x88, 0x84, 0};
    static const uint8_t slice[] = {0x41, 0x9a, 0x00, 0x00};
    driver_do(d, "transport.produce", "up",
              "{'producerId':'h264','kind':'video','rtpParameters':{'mid':'7','codecs':[{'mimeType'"
              ":'video/H264','payloadType':108,'clockRate':90000,'parameters':{'packetization-mode'"
              ":1,'profile-level-id':'42e01f'},'rtcpFeedback':[{'type':'nack'},{'type':'nack',"
              "'parameter':'pli'}]}],'encodings':[{'ssrc':3333}]},'rtpMapping':{'codecs':[{"
              "'payloadType':108,'mappedPayloadType':103}],'encodings':[{'ssrc':3333,'mappedSsrc':"
              "9003}]}}");
    driver_do(
        d, "transport.consume", "down",
        "{'consumerId':'screen','producerId':'h264','kind':'video','type':'simple',"
        "'rtpParameters':{'mid':'s','codecs':[{'mimeType':'video/H264','payloadType':103,"
        "'clockRate':90000,'parameters':{'packetization-mode':1,'profile-level-id':'42e01f'}}]"
        ",'encodings':[{'ssrc':8000}]},'consumableRtpEncodings':[{'ssrc':9003}]}");
    for (uint16_t seq = 1; seq <= 4; seq++) {
        const uint8_t *payload = seq == 1 ? slice : seq == 2 ? sps_pps_idr : idr;
        size_t len = seq == 2 ? sizeof sps_pps_idr : 4;
        struct wr w = wr_of(buf, sizeof buf);
        rtp_write_header(&w, true, 108, seq, seq * 3000U, 3333);
        wr_bytes(&w, payload, len);
        assert_true(rtc_peer_send_rtp(&c->alice.rtc, buf, wr_len(&w)));
    }
    /* From the key frame on. */
    UNTIL(&c->net, inbox_count(c->bob.in, 8000) == 3);
    assert_int_equal(c->bob.in->rtp[0].payload_len, sizeof sps_pps_idr);
    assert_int_equal(c->bob.in->rtp[0].pt, 103);
    UNTIL(&c->net, c->alice.in->plis == 1); /* for the slice that nobody could begin with */
    assert_int_equal(c->alice.in->pli_ssrc, 3333);
}

static void a_wrong_fingerprint_fails_and_nothing_flows(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    struct web_peer mallory;
    web_peer_init(&mallory, &c->net, "room", "third", NULL);
    driver_do(d, "webRtcTransport.connect", "third",
              "{'dtlsParameters':{'role':'client','fingerprints':[{'algorithm':'sha-256','value':"
              "'00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:"
              "BB:CC:DD:EE:FF'}]}}");
    driver_do(d, "transport.consume", "third", "%s", consume_video_json("spy", "cam", 7000));
    rtc_peer_start(&mallory.rtc, clock_now());
    UNTIL(&c->net, strcmp(last_state(d, "third", "webRtcTransport.dtlsStateChange", "dtlsState"),
                          "failed") == 0);
    call_start_video(c);
    assert_int_equal(mallory.in->n, 0);
    assert_int_equal(mallory.rtc.bad_in, 0);
    web_peer_fini(&mallory);
}

/* ---- loss ---- */

/* Where this packet is in what bob got by RTX; the number of packets: nowhere. */
static size_t again(const struct call *c, uint16_t seq)
{
    size_t i = 0;
    while (i < c->bob.in->n &&
           (c->bob.in->rtp[i].ssrc != EYE_RTX_SSRC || c->bob.in->rtp[i].osn != seq))
        i++;
    return i;
}

static void what_a_viewer_loses_comes_again_as_rtx(void **state)
{
    struct call *c = *state;
    call_start_video(c);
    c->bob.lose = 1;
    c->bob.lose_ssrc = EYE_SSRC;
    call_send_video(c, false);
    call_send_video(c, false);
    UNTIL(&c->net, call_got(c) == 2);
    uint16_t missing = (uint16_t)(c->bob.in->rtp[0].seq + 1);
    send_nack(&c->bob, EYE_SSRC, missing);
    UNTIL(&c->net, again(c, missing) < c->bob.in->n);
    size_t i = again(c, missing);
    assert_int_equal(c->bob.in->rtp[i].pt, OUT_VIDEO_RTX_PT);
    assert_int_equal(c->bob.in->rtp[i].payload_len, 1000 + 2);
    json_t *stats = driver_call(driver_of(c), "consumer.getStats", "eye", NULL);
    assert_int_equal(json_number_at(stats, "stats.0.nackCount"), 1);
    assert_int_equal(json_number_at(stats, "stats.0.packetsRetransmitted"), 1);
    json_decref(stats);
}

static void what_the_worker_misses_is_asked_for_and_forwarded_when_it_comes(void **state)
{
    struct call *c = *state;
    uint8_t buf[1500];
    call_start_video(c);
    uint16_t missing = c->video_seq++;
    call_send_video(c, false);
    UNTIL(&c->net, c->alice.in->nacks > 0);
    assert_int_equal(c->alice.in->nack_seqs[0], missing);
    struct rtp_spec s = {.ssrc = VIDEO_RTX_SSRC,
                         .pt = VIDEO_RTX_PT,
                         .seq = 9,
                         .osn = missing,
                         .rtx = true,
                         .timestamp = c->video_time,
                         .size = 500};
    assert_true(rtc_peer_send_rtp(&c->alice.rtc, buf, rtp_build(buf, &s)));
    UNTIL(&c->net, inbox_count(c->bob.in, EYE_SSRC) == 3);
    size_t i = call_newest_video(c);
    assert_int_equal(c->bob.in->rtp[i].seq, (uint16_t)(c->bob.in->rtp[0].seq + 1));
    assert_int_equal(c->bob.in->rtp[i].payload_len, 500);
}

static void a_viewers_pli_reaches_the_sender(void **state)
{
    struct call *c = *state;
    call_start_video(c);
    size_t before = c->alice.in->plis;
    send_pli(&c->bob, EYE_SSRC);
    UNTIL(&c->net, c->alice.in->plis > before);
    assert_int_equal(c->alice.in->pli_ssrc, VIDEO_SSRC);
}

/* ---- pause and resume ---- */

static void a_paused_consumer_gets_nothing_and_goes_on_with_a_key_frame(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    call_start_video(c);
    driver_do(d, "consumer.pause", "eye", NULL);
    call_send_video(c, false);
    call_send_audio(c); /* overtaken by nothing: what was before it would have come */
    UNTIL(&c->net, inbox_count(c->bob.in, EAR_SSRC) == 1);
    assert_int_equal(inbox_count(c->bob.in, EYE_SSRC), 1);
    size_t plis = c->alice.in->plis;
    driver_do(d, "consumer.resume", "eye", NULL);
    UNTIL(&c->net, c->alice.in->plis > plis);
    call_send_video(c, false);
    call_start_video(c);
    size_t i = call_newest_video(c);
    assert_true(c->bob.in->rtp[i].key);
    assert_int_equal(c->bob.in->rtp[i].seq, (uint16_t)(c->bob.in->rtp[0].seq + 1));
}

static void a_paused_producer_is_silent_and_its_consumers_are_told(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    call_start_video(c);
    driver_do(d, "producer.pause", "cam", NULL);
    UNTIL(&c->net, driver_events(d, "eye", "consumer.producerPause") == 1);
    call_send_video(c, true);
    call_send_audio(c);
    UNTIL(&c->net, inbox_count(c->bob.in, EAR_SSRC) == 1);
    assert_int_equal(inbox_count(c->bob.in, EYE_SSRC), 1);
    driver_do(d, "producer.resume", "cam", NULL);
    UNTIL(&c->net, driver_events(d, "eye", "consumer.producerResume") == 1);
    call_start_video(c);
}

/* ---- ICE that changes ---- */

static void an_ice_restart_keeps_the_media_flowing(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    call_start_video(c);
    json_t *ice = driver_call(d, "transport.restartIce", "down", NULL);
    assert_string_not_equal(json_text_at(ice, "usernameFragment"), c->bob.rtc.remote_ufrag);
    call_send_video(c, false); /* before the new credentials are used */
    UNTIL(&c->net, inbox_count(c->bob.in, EYE_SSRC) == 2);
    web_peer_restart(&c->bob, json_text_at(ice, "usernameFragment"), json_text_at(ice, "password"));
    json_decref(ice);
    /* Consent must be by the new ones now: a move shows that they are taken. */
    size_t selected = driver_events(d, "down", "webRtcTransport.iceSelectedTupleChange");
    web_peer_move(&c->bob);
    UNTIL(&c->net,
          driver_events(d, "down", "webRtcTransport.iceSelectedTupleChange") == selected + 1);
    call_send_video(c, false);
    UNTIL(&c->net, inbox_count(c->bob.in, EYE_SSRC) == 3);
    assert_int_equal(driver_events(d, "down", "webRtcTransport.dtlsStateChange"), 2);
}

static void a_peer_that_changes_its_port_is_followed(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    call_start_video(c);
    web_peer_move(&c->bob);
    UNTIL(&c->net,
          json_number_at(driver_last_event(d, "down", "webRtcTransport.iceSelectedTupleChange"),
                         "tuple.remotePort") == c->bob.socket.local.port);
    call_send_video(c, false);
    UNTIL(&c->net, inbox_count(c->bob.in, EYE_SSRC) == 2);
}

static void a_peer_may_go_from_udp_to_tcp(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    call_start_video(c);
    c->bob.socket.tcp = true; /* both have the same port number */
    web_peer_move(&c->bob);
    UNTIL(&c->net, strcmp(json_text_at(driver_last_event(d, "down",
                                                         "webRtcTransport.iceSelectedTupleChange"),
                                       "tuple.protocol"),
                          "tcp") == 0);
    call_send_video(c, false);
    UNTIL(&c->net, inbox_count(c->bob.in, EYE_SSRC) == 2);
}

static void consent_expires_when_the_peer_falls_silent(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    struct web_peer carol;
    struct web_peer_options brief = {.options = "'iceConsentTimeout':1"};
    web_peer_open(&carol, &c->net, "room", "third", &brief);
    carol.rtc.silent = true;
    UNTIL(&c->net, strcmp(last_state(d, "third", "webRtcTransport.iceStateChange", "iceState"),
                          "disconnected") == 0);
    assert_string_equal(last_state(d, "down", "webRtcTransport.iceStateChange", "iceState"),
                        "completed");
    web_peer_fini(&carol);
}

static void a_tcp_connection_that_ends_disconnects(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    struct web_peer carol;
    struct web_peer_options tcp = {.tcp = true};
    web_peer_open(&carol, &c->net, "room", "third", &tcp);
    web_peer_fini(&carol);
    UNTIL(&c->net, strcmp(last_state(d, "third", "webRtcTransport.iceStateChange", "iceState"),
                          "disconnected") == 0);
}

/* ---- what there is, and its end ---- */

static void dumps_and_statistics_of_every_object_fit_the_tables(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    static const char *const asks[][2] = {
        {"worker.dump", ""},          {"worker.getResourceUsage", ""}, {"worker.getMetrics", ""},
        {"router.dump", "room"},      {"transport.dump", "up"},        {"transport.dump", "down"},
        {"transport.getStats", "up"}, {"transport.getStats", "down"},  {"producer.dump", "cam"},
        {"producer.getStats", "cam"}, {"producer.dump", "mic"},        {"producer.getStats", "mic"},
        {"consumer.dump", "eye"},     {"consumer.getStats", "eye"},    {"consumer.dump", "ear"},
        {"consumer.getStats", "ear"}};
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
            json_t *answer = driver_call(d, asks[i][0], asks[i][1], NULL);
            if (!answer)
                fail_msg("%s: %s", asks[i][0], d->error);
            json_decref(answer);
        }
        call_start_video(c); /* again with streams in them */
        call_send_audio(c);
        UNTIL(&c->net, inbox_count(c->bob.in, EAR_SSRC) == (size_t)round + 1);
    }
    struct transport_get_stats_response up;
    assert_true(driver_request(d, METHOD_TRANSPORT_GET_STATS, "up", NULL, &up));
    assert_int_equal(up.dtls_state, PARAM_DTLS_STATE_CONNECTED);
    assert_true(up.rtp_bytes_received > 2000);
    struct consumer_get_stats_response eye;
    assert_true(driver_request(d, METHOD_CONSUMER_GET_STATS, "eye", NULL, &eye));
    assert_int_equal(eye.n_stats, 2);
    assert_int_equal(eye.stats[0].type, RTP_STAT_OUTBOUND);
    assert_int_equal(eye.stats[0].ssrc, EYE_SSRC);
    assert_int_equal(eye.stats[0].packet_count, 2);
    assert_int_equal(eye.stats[1].type, RTP_STAT_INBOUND);
    assert_int_equal(eye.stats[1].packet_count, 2);
    struct worker_get_metrics_response m;
    assert_true(driver_request(d, METHOD_WORKER_GET_METRICS, "", NULL, &m));
    assert_int_equal(m.transports, 2);
    assert_int_equal(m.producers, 2);
    assert_int_equal(m.consumers, 2);
    assert_true(m.packets_received > 4 && m.packets_sent > 4 && m.cpu_usec > 0);
}

static void closing_a_producer_tells_its_consumers(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    driver_do(d, "transport.closeProducer", "up", "{'producerId':'cam'}");
    UNTIL(&c->net, driver_events(d, "eye", "consumer.producerClose") == 1);
    assert_prefix(driver_refused(d, "consumer.dump", "eye", NULL), "NotFound");
    call_send_video(c, true); /* of nobody now */
    call_send_audio(c);
    UNTIL(&c->net, inbox_count(c->bob.in, EAR_SSRC) == 1);
    assert_int_equal(inbox_count(c->bob.in, EYE_SSRC), 0);
}

/* Each way of taking the tree apart, with media under way, ends with nothing left. */
static void the_tree_closes_in_any_order(void **state)
{
    static const char *const closings[][3] = {
        {"transport.closeConsumer", "down", "{'consumerId':'eye'}"},
        {"transport.closeProducer", "up", "{'producerId':'mic'}"},
        {"transport.closeConsumer", "down", "{'consumerId':'ear'}"},
        {"transport.closeProducer", "up", "{'producerId':'cam'}"},
        {"router.closeTransport", "room", "{'transportId':'up'}"},
        {"router.closeTransport", "room", "{'transportId':'down'}"},
        {"worker.closeRouter", "", "{'routerId':'room'}"},
    };
    enum { N = sizeof closings / sizeof closings[0] };
    static const int strides[] = {1, 2, 3, 4, 5, 6};
    struct call *c = *state;
    const char *wrong = call_fini(c);
    assert_null(wrong);
    for (size_t i = 0; i < sizeof strides / sizeof strides[0]; i++) {
        call_init(c, NULL);
        struct worker_driver *d = driver_of(c);
        call_open(c, NULL, NULL);
        call_start_video(c);
        /* A stride that N does not divide visits all. */
        for (int k = 0; k < N; k++) {
            const char *const *what = closings[(k * strides[i] + (int)i) % N];
            call_send_video(c, false);
            call_send_audio(c);
            json_t *done = driver_call(d, what[0], what[1], "%s", what[2]);
            if (!done) /* gone already with what it was in */
                assert_prefix(d->error, "NotFound");
            json_decref(done);
        }
        struct worker_get_metrics_response m;
        assert_true(driver_request(d, METHOD_WORKER_GET_METRICS, "", NULL, &m));
        assert_int_equal(m.routers + m.transports + m.producers + m.consumers, 0);
        wrong = call_fini(c);
        if (wrong)
            fail_msg("order %zu: %s", i, wrong);
    }
}

static void sigterm_in_the_middle_of_traffic_ends_it_cleanly(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    call_start_video(c);
    for (int i = 0; i < 200; i++) {
        call_send_video(c, false);
        if (i == 100)
            driver_signal(d, SIGTERM);
    }
    UNTIL(&c->net, dtls_get_state(c->alice.rtc.dtls) == DTLS_CLOSED);
    UNTIL(&c->net, dtls_get_state(c->bob.rtc.dtls) == DTLS_CLOSED);
    const char *wrong = driver_stop_expecting(d, 0);
    if (wrong)
        fail_msg("%s", wrong);
}

static void the_worker_ends_with_everything_open(void **state)
{
    struct call *c = *state;
    call_start_video(c);
    const char *wrong = driver_stop(driver_of(c)); /* call_down ends what is left */
    if (wrong)
        fail_msg("%s", wrong);
}

static void everybody_is_told_goodbye_however_many(void **state)
{
    enum { PEERS = 300 }; /* more than the worker's places for answers to single addresses */
    struct call *c = *state;
    struct web_peer *peers = calloc(PEERS, sizeof *peers);
    assert_non_null(peers);
    for (int i = 0; i < PEERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "t%d", i);
        web_peer_open(&peers[i], &c->net, "room", id, NULL);
    }
    driver_signal(driver_of(c), SIGTERM);
    for (int i = 0; i < PEERS; i++)
        UNTIL(&c->net, dtls_get_state(peers[i].rtc.dtls) == DTLS_CLOSED);
    for (int i = 0; i < PEERS; i++)
        web_peer_fini(&peers[i]);
    free(peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a_call_goes_through_over_udp", a_call_goes_through, NULL, NULL, &ways[0]},
        {"a_call_goes_through_over_tcp", a_call_goes_through, NULL, NULL, &ways[1]},
        {"a_call_goes_through_from_tcp_to_udp", a_call_goes_through, NULL, NULL, &ways[2]},
        call_test(h264_goes_through),
        call_test(a_wrong_fingerprint_fails_and_nothing_flows),
        call_test(what_a_viewer_loses_comes_again_as_rtx),
        call_test(what_the_worker_misses_is_asked_for_and_forwarded_when_it_comes),
        call_test(a_viewers_pli_reaches_the_sender),
        call_test(a_paused_consumer_gets_nothing_and_goes_on_with_a_key_frame),
        call_test(a_paused_producer_is_silent_and_its_consumers_are_told),
        call_test(an_ice_restart_keeps_the_media_flowing),
        call_test(a_peer_that_changes_its_port_is_followed),
        call_test(a_peer_may_go_from_udp_to_tcp),
        call_test(consent_expires_when_the_peer_falls_silent),
        call_test(a_tcp_connection_that_ends_disconnects),
        call_test(dumps_and_statistics_of_every_object_fit_the_tables),
        call_test(closing_a_producer_tells_its_consumers),
        call_test(the_tree_closes_in_any_order),
        call_test(sigterm_in_the_middle_of_traffic_ends_it_cleanly),
        call_test(the_worker_ends_with_everything_open),
        call_test(everybody_is_told_goodbye_however_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
