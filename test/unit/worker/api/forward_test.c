/* A producer's packets on their way to WebRTC and plain consumers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rtp_ext.h"
#include "test/lib/stage.h"

static struct world w;
static struct browser alice;
static struct browser bob;
static struct inbox from_alice; /* what alice's browser got: feedback */
static struct inbox to_bob;

static void send_packet(struct browser *b, const struct rtp_spec *s)
{
    uint8_t buf[1500];
    assert_true(rtc_peer_send_rtp(&b->peer, buf, rtp_build(buf, s)));
    world_settle(&w);
}

static void send_video(uint16_t seq, uint32_t timestamp, bool key)
{
    struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                         .pt = VIDEO_PT,
                         .seq = seq,
                         .timestamp = timestamp,
                         .key = key,
                         .marker = true,
                         .twcc = seq,
                         .has_twcc = true};
    send_packet(&alice, &s);
}

static void send_audio(uint16_t seq)
{
    struct rtp_spec s = {.ssrc = AUDIO_SSRC,
                         .pt = AUDIO_PT,
                         .seq = seq,
                         .timestamp = (uint32_t)seq * 960,
                         .audio_level = 30,
                         .mid = "0"};
    send_packet(&alice, &s);
}

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "up", false);
    browser_connect(&bob, &w, "room", "down", true);
    inbox_of_browser(&from_alice, &alice);
    inbox_of_browser(&to_bob, &bob);
    produce_audio(&w, "up", "mic");
    produce_video(&w, "up", "cam");
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

static void audio_arrives_with_the_consumers_numbers_and_extensions(void **state)
{
    (void)state;
    consume_audio(&w, "down", "ear", "mic", 5001);
    for (uint16_t seq = 65530; seq != 10; seq++)
        send_audio(seq);
    assert_int_equal(to_bob.n, 16);
    for (size_t i = 0; i < to_bob.n; i++) {
        assert_int_equal(to_bob.rtp[i].ssrc, 5001);
        assert_int_equal(to_bob.rtp[i].pt, OUT_AUDIO_PT);
        assert_int_equal(to_bob.rtp[i].audio_level, 30);
        assert_true(to_bob.rtp[i].abs_send_time);
        assert_int_equal(to_bob.rtp[i].twcc, -1);
        assert_string_equal(to_bob.rtp[i].mid, "a1");
        assert_int_equal(to_bob.rtp[i].payload_len, 200);
        assert_int_equal((uint16_t)(to_bob.rtp[i].seq - to_bob.rtp[0].seq), i);
    }
}

static void video_starts_with_a_key_frame_that_is_asked_for(void **state)
{
    (void)state;
    consume_video(&w, "down", "eye", "cam", 6000);
    send_video(100, 3000, false);
    send_video(101, 6000, false);
    assert_int_equal(to_bob.n, 0);
    assert_int_equal(from_alice.plis, 1);
    assert_int_equal(from_alice.pli_ssrc, VIDEO_SSRC);
    send_video(102, 9000, true);
    send_video(103, 12000, false);
    assert_int_equal(to_bob.n, 2);
    assert_true(to_bob.rtp[0].key);
    assert_int_equal(to_bob.rtp[0].ssrc, 6000);
    assert_int_equal(to_bob.rtp[0].pt, OUT_VIDEO_PT);
    assert_true(to_bob.rtp[0].marker);
    assert_int_equal((uint16_t)(to_bob.rtp[1].seq - to_bob.rtp[0].seq), 1);
    assert_int_equal(to_bob.rtp[1].timestamp - to_bob.rtp[0].timestamp, 3000);
    assert_int_equal((uint16_t)(to_bob.rtp[1].twcc - to_bob.rtp[0].twcc), 1);
    assert_string_equal(to_bob.rtp[0].mid, "v0");
}

/* As who made an SDP offer numbers them: 96 and 97 where the router has 101 and 102. */
static const char *own_types(const char *mapping)
{
    static char text[4096];
    snprintf(text, sizeof text, "%s", consume_video_json("eye", "cam", 6000));
    memcpy(strstr(text, "'payloadType':101"), "'payloadType':96 ", 17);
    memcpy(strstr(text, "'payloadType':102"), "'payloadType':97 ", 17);
    memcpy(strstr(text, "'apt':101"), "'apt':96 ", 9);
    size_t n = strlen(text) - 1; /* before the last brace */
    snprintf(text + n, sizeof text - n, ",'payloadTypes':[%s]}", mapping);
    return text;
}

static void a_consumer_may_have_payload_types_of_its_own(void **state)
{
    (void)state;
    world_do(&w, "transport.consume", "down", "%s",
             own_types("{'payloadType':101,'mappedPayloadType':96},"
                       "{'payloadType':102,'mappedPayloadType':97}"));
    consume_video(&w, "down", "other", "cam", 6100);
    send_video(1, 3000, true);
    send_video(2, 6000, false);
    assert_int_equal(to_bob.n, 4);
    for (size_t i = 0; i < to_bob.n; i++)
        assert_int_equal(to_bob.rtp[i].pt, to_bob.rtp[i].ssrc == 6000 ? 96 : OUT_VIDEO_PT);
}

static void own_payload_types_must_be_those_of_the_codecs(void **state)
{
    (void)state;
    assert_non_null(strstr(world_refused(&w, "transport.consume", "down", "%s",
                                         own_types("{'payloadType':101,'mappedPayloadType':98}")),
                           "payloadTypes[0].mappedPayloadType"));
    /* It left nothing behind. */
    consume_video(&w, "down", "eye", "cam", 6000);
}

static void a_plain_consumer_gets_the_same_without_srtp(void **state)
{
    (void)state;
    static struct inbox in;
    struct plain_peer ffmpeg;
    plain_peer_init(&ffmpeg, &w, &in, "127.0.0.1", 5004);
    world_do(&w, "router.createPlainTransport", "room",
             "{'transportId':'tap','options':{'listenInfo':{'ip':'127.0.0.1'}}}");
    world_do(&w, "plainTransport.connect", "tap", "{'ip':'127.0.0.1','port':5004}");
    consume_audio(&w, "tap", "tap-audio", "mic", 7001);
    consume_video(&w, "tap", "tap-video", "cam", 7100);
    send_audio(1);
    send_video(1, 3000, true);
    send_audio(2);
    assert_int_equal(in.n, 3);
    assert_int_equal(inbox_count(&in, 7001), 2);
    assert_int_equal(inbox_count(&in, 7100), 1);
}

static void a_browser_sends_into_a_plain_producers_room_by_comedia(void **state)
{
    (void)state;
    static struct inbox in;
    struct plain_peer ffmpeg;
    uint8_t buf[1500];
    plain_peer_init(&ffmpeg, &w, &in, "127.0.0.1", 5006);
    world_do(&w, "worker.createRouter", "", "{'routerId':'studio'}");
    json_t *t = world_call(&w, "router.createPlainTransport", "studio", NULL,
                           "{'transportId':'in','options':{'comedia':true,'listenInfo':{'ip':"
                           "'127.0.0.1'}}}");
    assert_non_null(t);
    json_decref(t);
    produce_audio(&w, "in", "line");
    struct browser carol;
    static struct inbox to_carol;
    browser_connect(&carol, &w, "studio", "carol", false);
    inbox_of_browser(&to_carol, &carol);
    consume_audio(&w, "carol", "ear", "line", 5001);
    struct rtp_spec s = {.ssrc = AUDIO_SSRC, .pt = AUDIO_PT, .seq = 7};
    size_t n = rtp_build(buf, &s);
    uint16_t sock = (uint16_t)(w.next_sock - 1);
    world_send(&w, &ffmpeg.endpoint, sock, buf, n);
    world_settle(&w);
    assert_int_equal(to_carol.n, 1);
    json_t *event = world_last_event(&w, "in", "plainTransport.tuple");
    assert_non_null(event);
    json_t *tuple = json_object_get(event, "tuple");
    assert_string_equal(json_string_value(json_object_get(tuple, "remoteIp")), "127.0.0.1");
    assert_int_equal(json_integer_value(json_object_get(tuple, "remotePort")), 5006);
    /* Another address is nobody now. */
    struct plain_peer other;
    static struct inbox other_in;
    plain_peer_init(&other, &w, &other_in, "127.0.0.1", 5008);
    s.seq = 8;
    n = rtp_build(buf, &s);
    world_send(&w, &other.endpoint, sock, buf, n);
    world_settle(&w);
    assert_int_equal(to_carol.n, 1);
    browser_fini(&carol);
}

static void a_paused_consumer_goes_on_without_a_hole_from_a_key_frame(void **state)
{
    (void)state;
    consume_video(&w, "down", "eye", "cam", 6000);
    send_video(1, 3000, true);
    world_do(&w, "consumer.pause", "eye", NULL);
    for (uint16_t seq = 2; seq < 50; seq++)
        send_video(seq, seq * 3000U, seq == 20);
    assert_int_equal(to_bob.n, 1);
    world_pass(&w, 2 * USEC_PER_SEC, NULL, NULL);
    size_t plis = from_alice.plis;
    world_do(&w, "consumer.resume", "eye", NULL);
    world_settle(&w);
    assert_int_equal(from_alice.plis, plis + 1);
    send_video(50, 150000, false);
    assert_int_equal(to_bob.n, 1);
    send_video(51, 153000, true);
    assert_int_equal(to_bob.n, 2);
    assert_int_equal((uint16_t)(to_bob.rtp[1].seq - to_bob.rtp[0].seq), 1);
    assert_int_equal(to_bob.rtp[1].timestamp - to_bob.rtp[0].timestamp, 150000);
}

static void a_paused_producer_forwards_nothing_and_consumers_are_told(void **state)
{
    (void)state;
    consume_audio(&w, "down", "ear", "mic", 5001);
    send_audio(1);
    world_do(&w, "producer.pause", "mic", NULL);
    send_audio(2);
    assert_int_equal(to_bob.n, 1);
    assert_int_equal(world_events(&w, "ear", "consumer.producerPause"), 1);
    world_do(&w, "producer.resume", "mic", NULL);
    send_audio(3);
    assert_int_equal(to_bob.n, 2);
    assert_int_equal((uint16_t)(to_bob.rtp[1].seq - to_bob.rtp[0].seq), 1);
    assert_int_equal(world_events(&w, "ear", "consumer.producerResume"), 1);
}

static void a_key_frame_whose_first_packet_was_overtaken_is_not_lost(void **state)
{
    (void)state;
    send_video(10, 3000, false);
    consume_video(&w, "down", "eye", "cam", 6000);
    struct rtp_spec s = {.ssrc = VIDEO_SSRC, .pt = VIDEO_PT, .timestamp = 6000, .middle = true};
    s.seq = 12;
    send_packet(&alice, &s);
    s.seq = 13;
    s.marker = true;
    send_packet(&alice, &s);
    assert_int_equal(to_bob.n, 0);
    s = (struct rtp_spec){
        .ssrc = VIDEO_SSRC, .pt = VIDEO_PT, .timestamp = 6000, .seq = 11, .key = true};
    send_packet(&alice, &s);
    assert_int_equal(to_bob.n, 3);
    assert_true(to_bob.rtp[0].key);
    assert_int_equal((uint16_t)(to_bob.rtp[1].seq - to_bob.rtp[0].seq), 1);
    assert_int_equal((uint16_t)(to_bob.rtp[2].seq - to_bob.rtp[0].seq), 2);
}

static void a_sender_that_restarts_its_numbering_goes_on_without_a_jump(void **state)
{
    (void)state;
    consume_video(&w, "down", "eye", "cam", 6000);
    send_video(100, 3000, true);
    w.now += 33 * USEC_PER_MSEC;
    send_video(20000, 900000000, true);
    send_video(20001, 900003000, true);
    send_video(20002, 900006000, false);
    assert_true(to_bob.n >= 2);
    size_t last = to_bob.n - 1;
    assert_int_equal((uint16_t)(to_bob.rtp[last].seq - to_bob.rtp[0].seq), last);
    assert_true(to_bob.rtp[last].timestamp - to_bob.rtp[0].timestamp < 20000);
}

static void unsupported_payload_types_leave_no_hole(void **state)
{
    (void)state;
    world_do(&w, "transport.produce", "up",
             "{'producerId':'tone','kind':'audio','rtpParameters':{'mid':'7','codecs':[{'mimeType':"
             "'audio/opus','payloadType':111,'clockRate':48000,'channels':2},{'mimeType':"
             "'audio/telephone-event','payloadType':110,'clockRate':48000}],'encodings':[{'ssrc':"
             "1234}]},'rtpMapping':{'codecs':[{'payloadType':111,'mappedPayloadType':100},{"
             "'payloadType':110,'mappedPayloadType':105}],'encodings':[{'ssrc':1234,'mappedSsrc':"
             "9001}]}}");
    consume_audio(&w, "down", "ear", "tone", 5001);
    for (uint16_t seq = 0; seq < 9; seq++) {
        struct rtp_spec s = {.ssrc = 1234, .pt = seq % 3 == 1 ? 110 : 111, .seq = seq};
        send_packet(&alice, &s);
    }
    assert_int_equal(to_bob.n, 6);
    assert_int_equal((uint16_t)(to_bob.rtp[5].seq - to_bob.rtp[0].seq), 5);
}

/* Nothing but padding: what a sender probes the bandwidth with. */
static void send_probe(uint16_t seq, uint32_t timestamp)
{
    uint8_t buf[64];
    struct wr out = wr_of(buf, sizeof buf);
    rtp_write_header(&out, false, VIDEO_PT, seq, timestamp, VIDEO_SSRC);
    buf[0] |= 0x20;
    wr_zeros(&out, 31);
    wr_u8(&out, 32);
    uint8_t packet[1500];
    memcpy(packet, buf, wr_len(&out));
    assert_true(rtc_peer_send_rtp(&alice.peer, packet, wr_len(&out)));
    world_settle(&w);
}

static void probes_are_not_forwarded_and_leave_no_hole(void **state)
{
    (void)state;
    consume_video(&w, "down", "eye", "cam", 6000);
    send_video(200, 3000, true);
    send_probe(201, 3000);
    send_probe(202, 3000);
    send_video(203, 6000, false);
    assert_int_equal(to_bob.n, 2);
    assert_int_equal((uint16_t)(to_bob.rtp[1].seq - to_bob.rtp[0].seq), 1);
    /* One that is overtaken has its number taken by then: an empty packet fills it. */
    send_video(205, 9000, false);
    send_probe(204, 6000);
    assert_int_equal(to_bob.n, 4);
    assert_int_equal((uint16_t)(to_bob.rtp[2].seq - to_bob.rtp[0].seq), 3);
    assert_int_equal((uint16_t)(to_bob.rtp[3].seq - to_bob.rtp[0].seq), 2);
    assert_int_equal(to_bob.rtp[3].payload_len, 0);
}

static void a_stream_is_found_by_mid_and_rid_and_then_by_its_ssrc(void **state)
{
    (void)state;
    world_do(&w, "transport.produce", "up",
             "{'producerId':'late','kind':'audio','rtpParameters':{'mid':'x9','codecs':[{"
             "'mimeType':'audio/opus','payloadType':111,'clockRate':48000,'channels':2}],"
             "'headerExtensions':[{'uri':'urn:ietf:params:rtp-hdrext:sdes:mid','id':1}],"
             "'encodings':[{}]},'rtpMapping':{'codecs':[{'payloadType':111,'mappedPayloadType':100}"
             "],'encodings':[{'mappedSsrc':9001}]}}");
    consume_audio(&w, "down", "ear", "late", 5001);
    struct rtp_spec s = {.ssrc = 777, .pt = AUDIO_PT, .seq = 1};
    send_packet(&alice, &s);
    assert_int_equal(to_bob.n, 0);
    s.mid = "x9";
    s.seq = 2;
    send_packet(&alice, &s);
    s.mid = NULL;
    s.seq = 3;
    send_packet(&alice, &s);
    assert_int_equal(to_bob.n, 2);
    /* A second SSRC under the same MID is not this stream. */
    s = (struct rtp_spec){.ssrc = 778, .pt = AUDIO_PT, .seq = 4, .mid = "x9"};
    send_packet(&alice, &s);
    assert_int_equal(to_bob.n, 2);
    s = (struct rtp_spec){.ssrc = 777, .pt = AUDIO_PT, .seq = 4};
    send_packet(&alice, &s);
    assert_int_equal(to_bob.n, 3);
}

static void simulcast_streams_are_received_by_their_rids(void **state)
{
    (void)state;
    static const char *const rids[] = {"lo", "mid", "hi"};
    world_do(&w, "transport.produce", "up",
             "{'producerId':'three','kind':'video','rtpParameters':{'mid':'s','codecs':[{"
             "'mimeType':'video/VP8','payloadType':96,'clockRate':90000,'rtcpFeedback':[{'type':"
             "'nack'}]},{'mimeType':'video/rtx','payloadType':97,'clockRate':90000,'parameters':{"
             "'apt':96}}],'headerExtensions':[{'uri':'urn:ietf:params:rtp-hdrext:sdes:mid','id':1},"
             "{'uri':'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id','id':2},{'uri':"
             "'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id','id':3}],'encodings':[{'rid'"
             ":'lo'},{'rid':'mid'},{'rid':'hi'}]},'rtpMapping':{'codecs':[{'payloadType':96,"
             "'mappedPayloadType':101},{'payloadType':97,'mappedPayloadType':102}],'encodings':[{"
             "'rid':'lo','mappedSsrc':1},{'rid':'mid','mappedSsrc':2},{'rid':'hi','mappedSsrc':3}]}"
             "}");
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t rtx = 0; rtx < 2; rtx++) {
            uint8_t bare[256];
            uint8_t buf[400];
            struct rtp_view v;
            struct wr in = wr_of(bare, sizeof bare);
            struct wr out = wr_of(buf, sizeof buf);
            struct rtp_ext_item items[] = {{1, slice_of("s", 1)},
                                           {rtx ? 3 : 2, slice_of(rids[i], strlen(rids[i]))}};
            rtp_write_header(&in, false, rtx ? 97 : 96, 5, 0, 100 + 10 * i + rtx);
            if (rtx)
                wr_u16(&in, 4);
            wr_zeros(&in, 50);
            assert_int_equal(rtp_parse(&v, bare, wr_len(&in)), OK);
            assert_int_equal(rtp_ext_copy_packet(&out, &v, RTP_EXT_ONE_BYTE, items, 2, NULL), OK);
            assert_true(rtc_peer_send_rtp(&alice.peer, buf, wr_len(&out)));
        }
    }
    world_settle(&w);
    json_t *d = world_call(&w, "producer.getStats", "three", NULL, NULL);
    json_t *stats = json_object_get(d, "stats");
    assert_int_equal(json_array_size(stats), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *s = json_array_get(stats, i);
        assert_string_equal(json_string_value(json_object_get(s, "rid")), rids[i]);
        assert_int_equal(json_integer_value(json_object_get(s, "ssrc")), 100 + 10 * i);
        assert_int_equal(json_integer_value(json_object_get(s, "rtxSsrc")), 101 + 10 * i);
        assert_int_equal(json_integer_value(json_object_get(s, "packetCount")), 1);
    }
    json_decref(d);
    json_t *scores = json_object_get(world_last_event(&w, "three", "producer.score"), "scores");
    assert_int_equal(json_array_size(scores), 3);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(audio_arrives_with_the_consumers_numbers_and_extensions),
        T(video_starts_with_a_key_frame_that_is_asked_for),
        T(a_consumer_may_have_payload_types_of_its_own),
        T(own_payload_types_must_be_those_of_the_codecs),
        T(a_plain_consumer_gets_the_same_without_srtp),
        T(a_browser_sends_into_a_plain_producers_room_by_comedia),
        T(a_paused_consumer_goes_on_without_a_hole_from_a_key_frame),
        T(a_paused_producer_forwards_nothing_and_consumers_are_told),
        T(a_key_frame_whose_first_packet_was_overtaken_is_not_lost),
        T(a_sender_that_restarts_its_numbering_goes_on_without_a_jump),
        T(unsupported_payload_types_leave_no_hole),
        T(probes_are_not_forwarded_and_leave_no_hole),
        T(a_stream_is_found_by_mid_and_rid_and_then_by_its_ssrc),
        T(simulcast_streams_are_received_by_their_rids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
