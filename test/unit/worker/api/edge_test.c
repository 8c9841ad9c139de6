/* What peers of the field stumbled over: odd but possible streams, on their way from one browser to
 * another. One test each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rtcp.h"
#include "proto/rtcp_fb.h"
#include "proto/rtp_ext.h"
#include "test/lib/stage.h"
#include "worker/media/worker_state.h"

enum { EAR = 5001, EYE = 6000, EYE_RTX = 6001 };

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
    browser_connect(&bob, &w, "room", "down", true);
    inbox_of_browser(&from_alice, &alice);
    inbox_of_browser(&to_bob, &bob);
    produce_audio(&w, "up", "mic");
    produce_video(&w, "up", "cam");
    consume_audio(&w, "down", "ear", "mic", EAR);
    consume_video(&w, "down", "eye", "cam", EYE);
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

static void send_audio(uint32_t ssrc, uint16_t seq, const char *mid)
{
    struct rtp_spec s = {
        .ssrc = ssrc, .pt = AUDIO_PT, .seq = seq, .timestamp = seq * 960U, .mid = mid};
    send_packet(&s);
}

static void send_video(uint16_t seq, bool key)
{
    struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                         .pt = VIDEO_PT,
                         .seq = seq,
                         .timestamp = seq * 3000U,
                         .key = key,
                         .marker = true};
    send_packet(&s);
}

static void send_raw(const void *head, size_t n, size_t len)
{
    uint8_t buf[256] = {0};
    memcpy(buf, head, n);
    assert_true(rtc_peer_send_rtp(&alice.peer, buf, len));
    world_settle(&w);
}

static json_int_t stat(const char *method, const char *id, const char *name)
{
    json_t *d = world_call(&w, method, id, NULL, NULL);
    json_int_t n =
        json_integer_value(json_object_get(json_array_get(json_object_get(d, "stats"), 0), name));
    json_decref(d);
    return n;
}

static void replace(char *text, const char *from, const char *to)
{
    assert_int_equal(strlen(from), strlen(to));
    for (char *at; (at = strstr(text, from));)
        memcpy(at, to, strlen(to));
}

/* ---- order ---- */

static void first_packets_that_overtake_each_other_keep_their_order(void **state)
{
    (void)state;
    send_video(12, true);
    send_video(10, true);
    send_video(13, false);
    send_video(11, false);
    size_t n = inbox_count(&to_bob, EYE);
    assert_true(n >= 2);
    /* Whatever of them counts, its distance from the others is that of the sender. */
    for (size_t i = 1; i < n; i++) {
        int32_t ts = (int32_t)(to_bob.rtp[i].timestamp - to_bob.rtp[0].timestamp);
        assert_int_equal((int16_t)(to_bob.rtp[i].seq - to_bob.rtp[0].seq), ts / 3000);
    }
    /* And what follows them goes on. */
    send_video(14, false);
    assert_int_equal(inbox_count(&to_bob, EYE), n + 1);
    assert_int_equal((uint16_t)(to_bob.rtp[n].seq - to_bob.rtp[0].seq), 2);
}

static void numbers_wrap_at_16_bits_without_a_seam(void **state)
{
    (void)state;
    uint16_t first = 65500;
    for (uint16_t i = 0; i < 100; i++)
        send_video((uint16_t)(first + i), i == 0);
    assert_int_equal(inbox_count(&to_bob, EYE), 100);
    for (size_t i = 1; i < 100; i++)
        assert_int_equal(to_bob.rtp[i].seq, (uint16_t)(to_bob.rtp[i - 1].seq + 1));
}

static void a_hole_over_the_wrap_is_asked_for(void **state)
{
    (void)state;
    send_video(65533, true);
    send_video(65534, false);
    send_video(1, false);
    world_pass(&w, 20 * USEC_PER_MSEC, NULL, NULL);
    assert_int_equal(from_alice.nacks, 1);
    assert_int_equal(from_alice.n_nack_seqs, 2);
    assert_int_equal(from_alice.nack_seqs[0], 65535);
    assert_int_equal(from_alice.nack_seqs[1], 0);
}

static void requests_over_the_wrap_are_answered(void **state)
{
    (void)state;
    uint8_t buf[64];
    /* Until the consumer's own numbers wrap. */
    uint16_t seq = 1;
    send_video(seq++, true);
    while (to_bob.rtp[to_bob.n - 1].seq != 3) {
        if (to_bob.n > 4000)
            to_bob.n = 0;
        w.now += 1000;
        send_video(seq, false);
        seq++;
    }
    uint16_t lost[] = {65534, 65535, 0, 1};
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_nack(&out, 1, EYE, lost, 4);
    w.now += 20 * USEC_PER_MSEC;
    assert_true(rtc_peer_send_rtcp(&bob.peer, buf, wr_len(&out)));
    world_settle(&w);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(to_bob.rtp[to_bob.n - 4 + i].ssrc, EYE_RTX);
        assert_int_equal(to_bob.rtp[to_bob.n - 4 + i].osn, lost[i]);
    }
}

/* ---- names ---- */

static void an_ssrc_is_refused_while_another_producer_has_it_and_free_afterwards(void **state)
{
    (void)state;
    char json[4096];
    snprintf(json, sizeof json, "%s", produce_audio_json("again"));
    replace(json, "'mid':'0'", "'mid':'9'");
    const char *why = world_refused(&w, "transport.produce", "up", "%s", json);
    assert_non_null(strstr(why, "rtpParameters.encodings[0].ssrc"));
    /* The refused one left nothing, and the other goes on. */
    send_audio(AUDIO_SSRC, 1, NULL);
    assert_int_equal(inbox_count(&to_bob, EAR), 1);
    world_do(&w, "transport.closeProducer", "up", "{'producerId':'mic'}");
    world_do(&w, "transport.produce", "up", "%s", json);
    consume_audio(&w, "down", "ear2", "again", 5002);
    send_audio(AUDIO_SSRC, 40000, NULL);
    send_audio(AUDIO_SSRC, 40001, NULL);
    assert_int_equal(inbox_count(&to_bob, 5002), 2);
}

static void a_mid_is_refused_while_another_producer_has_it_and_can_be_used_again(void **state)
{
    (void)state;
    char json[4096];
    snprintf(json, sizeof json, "%s", produce_audio_json("again"));
    replace(json, "1111", "3333");
    const char *why = world_refused(&w, "transport.produce", "up", "%s", json);
    assert_non_null(strstr(why, "rtpParameters.mid"));
    world_do(&w, "transport.closeProducer", "up", "{'producerId':'mic'}");
    /* As after a renegotiation: the same m-section with another SSRC that is not announced. */
    replace(json, "'encodings':[{'ssrc':3333}]", "'encodings':[{           }]");
    world_do(&w, "transport.produce", "up", "%s", json);
    consume_audio(&w, "down", "ear2", "again", 5002);
    send_audio(AUDIO_SSRC, 7, NULL); /* a late packet of the old one */
    assert_int_equal(inbox_count(&to_bob, 5002), 0);
    send_audio(4444, 8, "0");
    send_audio(4444, 9, NULL);
    assert_int_equal(inbox_count(&to_bob, 5002), 2);
}

static void an_announced_ssrc_belongs_to_its_producer_whatever_the_mid_says(void **state)
{
    (void)state;
    char json[4096];
    snprintf(json, sizeof json, "%s", produce_audio_json("other"));
    replace(json, "'encodings':[{'ssrc':1111}]", "'encodings':[{           }]");
    replace(json, "'encodings':[{'ssrc':1111,", "'encodings':[{            ");
    replace(json, "'mid':'0'", "'mid':'7'");
    world_do(&w, "transport.produce", "up", "%s", json);
    consume_audio(&w, "down", "ear2", "other", 5002);
    send_audio(AUDIO_SSRC, 1, "7");
    assert_int_equal(inbox_count(&to_bob, EAR), 1);
    assert_int_equal(inbox_count(&to_bob, 5002), 0);
    /* Learnt, it is the other's; and then nobody else can announce it. */
    send_audio(4321, 2, "7");
    assert_int_equal(inbox_count(&to_bob, 5002), 1);
    snprintf(json, sizeof json, "%s", produce_audio_json("third"));
    replace(json, "1111", "4321");
    replace(json, "'mid':'0'", "'mid':'8'");
    const char *why = world_refused(&w, "transport.produce", "up", "%s", json);
    assert_non_null(strstr(why, "encodings[0].ssrc"));
}

static void two_consumers_of_one_transport_do_not_share_an_ssrc(void **state)
{
    (void)state;
    const char *why = world_refused(&w, "transport.consume", "down", "%s",
                                    consume_audio_json("ear2", "mic", EAR));
    assert_non_null(strstr(why, "ssrc"));
    why = world_refused(&w, "transport.consume", "down", "%s",
                        consume_audio_json("ear2", "mic", EYE_RTX));
    assert_non_null(strstr(why, "ssrc"));
    send_audio(AUDIO_SSRC, 1, NULL);
    assert_int_equal(inbox_count(&to_bob, EAR), 1);
}

/* ---- padding ---- */

static void padding_longer_than_the_packet_is_dropped_and_counted(void **state)
{
    (void)state;
    /* Opus of alice with P set; the last byte is the count. */
    static const uint8_t head[] = {0xa0, AUDIO_PT, 0, 5, 0, 0, 0, 0, 0, 0, 4, 87};
    uint8_t packet[20] = {0};
    uint64_t before = w.worker->counters.dropped_malformed;
    memcpy(packet, head, sizeof head);
    for (unsigned count = 9; count < 256; count += 41) {
        packet[3]++;
        packet[19] = (uint8_t)count;
        send_raw(packet, sizeof packet, sizeof packet);
    }
    packet[3]++;
    packet[19] = 0;
    send_raw(packet, sizeof packet, sizeof packet);
    assert_int_equal(inbox_count(&to_bob, EAR), 0);
    assert_int_equal(w.worker->counters.dropped_malformed, before + 8);
    packet[3]++;
    packet[19] = 3;
    send_raw(packet, sizeof packet, sizeof packet);
    assert_int_equal(inbox_count(&to_bob, EAR), 1);
    assert_int_equal(to_bob.rtp[0].payload_len, 5);
}

static void packets_of_padding_alone_leave_no_hole(void **state)
{
    (void)state;
    static const uint8_t head[] = {0xa0, VIDEO_PT, 0, 2, 0, 0, 0, 0, 0, 0, 8, 174};
    uint8_t packet[32] = {0};
    memcpy(packet, head, sizeof head);
    packet[31] = 20;
    send_video(1, true);
    send_raw(packet, sizeof packet, sizeof packet);
    send_video(3, false);
    assert_int_equal(to_bob.n, 2);
    assert_int_equal((uint16_t)(to_bob.rtp[1].seq - to_bob.rtp[0].seq), 1);
    /* Nor does one that comes first start anything. */
    world_do(&w, "consumer.pause", "eye", NULL);
    world_do(&w, "consumer.resume", "eye", NULL);
    packet[3] = 4;
    send_raw(packet, sizeof packet, sizeof packet);
    assert_int_equal(to_bob.n, 2);
    send_video(5, true);
    assert_int_equal(to_bob.n, 3);
    assert_int_equal((uint16_t)(to_bob.rtp[2].seq - to_bob.rtp[0].seq), 2);
}

/* ---- retransmissions ---- */

static void send_rtx(uint32_t ssrc, uint8_t pt, uint16_t seq, uint16_t osn)
{
    struct rtp_spec s = {.ssrc = ssrc, .pt = pt, .seq = seq, .rtx = true, .osn = osn};
    send_packet(&s);
}

static void rtx_of_unknown_streams_changes_nothing(void **state)
{
    (void)state;
    send_rtx(VIDEO_RTX_SSRC, VIDEO_RTX_PT, 1, 1); /* before its stream began */
    send_rtx(9999, VIDEO_RTX_PT, 1, 1);           /* of nobody */
    assert_int_equal(to_bob.n, 0);
    send_video(100, true);
    send_rtx(9999, VIDEO_RTX_PT, 2, 101);
    send_rtx(VIDEO_RTX_SSRC, VIDEO_PT, 3, 101);     /* with the wrong payload type */
    send_rtx(VIDEO_RTX_SSRC, 77, 4, 101);           /* with an unknown one */
    send_rtx(VIDEO_RTX_SSRC, VIDEO_RTX_PT, 5, 100); /* of what came already */
    send_rtx(VIDEO_RTX_SSRC, VIDEO_RTX_PT, 6, 40000);
    assert_int_equal(to_bob.n, 1);
    send_video(101, false);
    assert_int_equal(to_bob.n, 2);
    assert_int_equal((uint16_t)(to_bob.rtp[1].seq - to_bob.rtp[0].seq), 1);
}

static void a_request_for_rtx_of_a_stream_without_it_changes_nothing(void **state)
{
    (void)state;
    uint8_t buf[64];
    uint16_t seq = 1;
    static const uint32_t ssrcs[] = {EYE_RTX, EAR, 424242};
    send_video(1, true);
    send_audio(AUDIO_SSRC, 1, NULL);
    size_t n = to_bob.n;
    for (size_t i = 0; i < 3; i++) {
        struct wr out = wr_of(buf, sizeof buf);
        rtcp_write_nack(&out, 1, ssrcs[i], &seq, 1);
        rtcp_write_pli(&out, 1, ssrcs[i]);
        assert_true(rtc_peer_send_rtcp(&bob.peer, buf, wr_len(&out)));
        world_settle(&w);
    }
    assert_int_equal(to_bob.n, n);
}

/* ---- silence ---- */

static void send_opus(uint16_t seq, uint32_t timestamp, uint8_t len)
{
    uint8_t packet[64] = {0x80, AUDIO_PT};
    put_u16(packet + 2, seq);
    put_u32(packet + 4, timestamp);
    put_u32(packet + 8, AUDIO_SSRC);
    packet[12] = 0x08; /* SILK, 20 ms, one frame */
    send_raw(packet, sizeof packet, 12U + len);
}

static void dtx_passes_or_is_left_out_without_a_hole(void **state)
{
    (void)state;
    char json[4096];
    snprintf(json, sizeof json, "%s", consume_audio_json("quiet", "mic", 5002));
    json[strlen(json) - 1] = '\0';
    world_do(&w, "transport.consume", "down", "%s,'ignoreDtx':true}", json);
    /* Speech, then a packet of two bytes every 400 ms, then speech. */
    static const uint8_t lens[] = {40, 40, 1, 2, 2, 40, 40};
    uint32_t timestamp = 0;
    for (uint16_t i = 0; i < 7; i++) {
        send_opus((uint16_t)(100 + i), timestamp, lens[i]);
        timestamp += lens[i] <= 2 ? 19200 : 960;
    }
    assert_int_equal(inbox_count(&to_bob, EAR), 7);
    assert_int_equal(inbox_count(&to_bob, 5002), 4);
    uint16_t expected = 0;
    uint32_t last = 0;
    for (size_t i = 0, k = 0; i < to_bob.n; i++) {
        if (to_bob.rtp[i].ssrc != 5002)
            continue;
        assert_true(k == 0 || to_bob.rtp[i].seq == expected);
        expected = (uint16_t)(to_bob.rtp[i].seq + 1);
        last = to_bob.rtp[i].timestamp;
        k++;
    }
    /* The time of the silence has passed. */
    assert_int_equal(last, to_bob.rtp[to_bob.n - 1].timestamp);
}

static void a_stream_with_dtx_is_not_dead_while_it_is_silent(void **state)
{
    (void)state;
    char json[4096];
    world_do(&w, "transport.closeProducer", "up", "{'producerId':'mic'}");
    snprintf(json, sizeof json, "%s", produce_audio_json("mic"));
    char *at = strstr(json, "'encodings':[{'ssrc':1111}]");
    char rest[4096];
    snprintf(rest, sizeof rest, "%s", at + strlen("'encodings':[{'ssrc':1111}]"));
    snprintf(at, sizeof json - (size_t)(at - json), "'encodings':[{'ssrc':1111,'dtx':true}]%s",
             rest);
    world_do(&w, "transport.produce", "up", "%s", json);
    for (uint16_t i = 0; i < 10; i++) {
        send_opus(i, i * 19200U, 2);
        world_pass(&w, 3 * USEC_PER_SEC, NULL, NULL);
        rtc_peer_timeout(&alice.peer, w.now);
        rtc_peer_timeout(&bob.peer, w.now);
    }
    assert_int_equal(stat("producer.getStats", "mic", "score"), 10);
}

/* ---- time of capture ---- */

#define CAPTURE_URI "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"

static struct abs_capture_time captured;
static size_t n_captured;

static void note_capture_time(struct browser *b, uint8_t *bytes, size_t n)
{
    struct rtp_view v;
    (void)b;
    assert_int_equal(rtp_parse(&v, bytes, n), OK);
    n_captured += rtp_ext_read_abs_capture_time(rtp_ext_find(&v, 13), &captured) == OK;
}

/* Its clock is that of the sender's reports, which are handed on on the same clock: so it stays. */
static void the_time_of_capture_passes_as_the_sender_told_it(void **state)
{
    (void)state;
    uint8_t bare[64];
    uint8_t buf[256];
    uint8_t value[RTP_EXT_ABS_CAPTURE_TIME_LONG_LEN];
    struct rtp_view v;
    const struct abs_capture_time t = {
        .ntp = 0xe123456789abcdef, .offset = -77, .has_offset = true};
    world_do(&w, "transport.closeProducer", "up", "{'producerId':'mic'}");
    world_do(&w, "transport.produce", "up",
             "{'producerId':'mic','kind':'audio','rtpParameters':{'codecs':[{'mimeType':"
             "'audio/opus','payloadType':111,'clockRate':48000,'channels':2}],'headerExtensions':[{"
             "'uri':'" CAPTURE_URI
             "','id':12}],'encodings':[{'ssrc':1111}]},'rtpMapping':{'codecs':[{'payloadType':111,"
             "'mappedPayloadType':100}],'encodings':[{'ssrc':1111,'mappedSsrc':9001}]}}");
    world_do(&w, "transport.consume", "down",
             "{'consumerId':'timed','producerId':'mic','kind':'audio','type':'simple',"
             "'rtpParameters':{'codecs':[{'mimeType':'audio/opus','payloadType':100,'clockRate':"
             "48000,'channels':2}],'headerExtensions':[{'uri':'" CAPTURE_URI
             "','id':13}],'encodings':[{'ssrc':5003}]},'consumableRtpEncodings':[{'ssrc':9001}]}");
    bob.on_rtp = note_capture_time;
    struct rtp_ext_item item = {12, slice_of(value, rtp_ext_put_abs_capture_time(value, &t))};
    for (uint16_t seq = 1; seq <= 3; seq++) {
        struct wr in = wr_of(bare, sizeof bare);
        struct wr out = wr_of(buf, sizeof buf);
        rtp_write_header(&in, false, AUDIO_PT, seq, seq * 960U, AUDIO_SSRC);
        wr_zeros(&in, 30);
        assert_int_equal(rtp_parse(&v, bare, wr_len(&in)), OK);
        assert_int_equal(rtp_ext_copy_packet(&out, &v, RTP_EXT_ONE_BYTE, &item, 1, NULL), OK);
        assert_true(rtc_peer_send_rtp(&alice.peer, buf, wr_len(&out)));
        world_settle(&w);
    }
    assert_int_equal(n_captured, 3);
    assert_true(captured.ntp == t.ntp && captured.has_offset && captured.offset == t.offset);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(first_packets_that_overtake_each_other_keep_their_order),
        T(numbers_wrap_at_16_bits_without_a_seam),
        T(a_hole_over_the_wrap_is_asked_for),
        T(requests_over_the_wrap_are_answered),
        T(an_ssrc_is_refused_while_another_producer_has_it_and_free_afterwards),
        T(a_mid_is_refused_while_another_producer_has_it_and_can_be_used_again),
        T(an_announced_ssrc_belongs_to_its_producer_whatever_the_mid_says),
        T(two_consumers_of_one_transport_do_not_share_an_ssrc),
        T(padding_longer_than_the_packet_is_dropped_and_counted),
        T(packets_of_padding_alone_leave_no_hole),
        T(rtx_of_unknown_streams_changes_nothing),
        T(a_request_for_rtx_of_a_stream_without_it_changes_nothing),
        T(dtx_passes_or_is_left_out_without_a_hole),
        T(the_time_of_capture_passes_as_the_sender_told_it),
        T(a_stream_with_dtx_is_not_dead_while_it_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
