/* Bytes that mean harm, from strangers and from a peer that authenticated: the worker stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rtcp_fb.h"
#include "proto/rtp_ext.h"
#include "proto/stun.h"
#include "test/lib/stage.h"

static struct world w;
static struct browser alice;
static struct inbox inbox;

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "t", false);
    inbox_of_browser(&inbox, &alice);
    produce_audio(&w, "t", "mic");
    produce_video(&w, "t", "cam");
    consume_audio(&w, "t", "ear", "mic", 5001);
    consume_video(&w, "t", "eye", "cam", 6000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_fini(&w);
    browser_fini(&alice);
    return 0;
}

static void still_forwards(uint16_t seq)
{
    uint8_t buf[1500];
    struct rtp_spec s = {.ssrc = AUDIO_SSRC, .pt = AUDIO_PT, .seq = seq};
    size_t before = inbox_count(&inbox, 5001);
    if (inbox.n > INBOX_MAX - 16)
        inbox.n = before = 0;
    assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s)));
    world_settle(&w);
    assert_int_equal(inbox_count(&inbox, 5001), before + 1);
}

static json_int_t metric(const char *name)
{
    json_t *m = world_call(&w, "worker.getMetrics", "", NULL, NULL);
    json_int_t v = json_integer_value(json_object_get(m, name));
    json_decref(m);
    return v;
}

static void noise_from_strangers_and_from_the_peers_address_changes_nothing(void **state)
{
    (void)state;
    static const uint8_t first[] = {0, 1, 20, 22, 23, 128, 144, 160, 176, 191, 255};
    struct plain_peer mallory;
    static struct inbox in;
    plain_peer_init(&mallory, &w, &in, "10.66.6.6", 666);
    struct rng rng;
    rng_init_seeded(&rng, 5);
    uint64_t sent = w.sent;
    for (int i = 0; i < 20000; i++) {
        uint8_t buf[256];
        size_t n = rng_u32(&rng) % sizeof buf;
        rng_bytes(&rng, buf, sizeof buf);
        buf[0] = first[rng_u32(&rng) % sizeof first];
        world_send(&w, i % 2 ? &mallory.endpoint : &alice.endpoint, 0, buf, n);
    }
    world_settle(&w);
    assert_true(w.sent - sent < 100);
    still_forwards(1);
}

static void checks_with_a_known_name_and_a_wrong_password_are_answered_at_most(void **state)
{
    (void)state;
    struct plain_peer mallory;
    static struct inbox in;
    plain_peer_init(&mallory, &w, &in, "10.66.6.6", 666);
    mallory.endpoint.receive = alice.endpoint.receive;
    mallory.endpoint.ctx = &alice;
    char name[64];
    snprintf(name, sizeof name, "%s:evil", alice.peer.remote_ufrag);
    for (int i = 0; i < 1000; i++) {
        uint8_t buf[256];
        struct wr out = wr_of(buf, sizeof buf);
        struct stun_request q = {.username = slice_of(name, strlen(name)),
                                 .key = slice_of("guess", 5),
                                 .priority = 1,
                                 .controlling = true,
                                 .use_candidate = true};
        assert_int_equal(stun_write_request(&out, &q), OK);
        mallory.endpoint.at.port = (uint16_t)(1000 + i);
        world_send(&w, &mallory.endpoint, 0, buf, wr_len(&out));
        if (i % 100 == 0)
            world_settle(&w);
    }
    world_settle(&w);
    json_t *d = world_call(&w, "transport.dump", "t", NULL, NULL);
    json_t *tuple = json_object_get(d, "iceSelectedTuple");
    assert_string_equal(json_string_value(json_object_get(tuple, "remoteIp")), "10.1.0.1");
    json_decref(d);
    still_forwards(1);
}

/* What a browser could send if its page, or its user, meant harm: authentic and senseless. */
static void authentic_nonsense_is_survived(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seeded(&rng, 6);
    static const uint32_t ssrcs[] = {AUDIO_SSRC, VIDEO_SSRC, VIDEO_RTX_SSRC, 5001, 6000, 6001, 7};
    for (int i = 0; i < 30000; i++) {
        uint8_t buf[600];
        size_t n = 12 + rng_u32(&rng) % (sizeof buf - 12);
        rng_bytes(&rng, buf, sizeof buf);
        bool rtcp = i % 3 == 0;
        buf[0] = (uint8_t)(0x80 | (buf[0] & 0x3f));
        if (rtcp) {
            buf[1] = (uint8_t)(200 + rng_u32(&rng) % 8);
            put_u16(buf + 2, (uint16_t)(n / 4 - 1));
            n = n / 4 * 4;
            put_u32(buf + 8, ssrcs[rng_u32(&rng) % 7]);
        } else {
            static const uint8_t pts[] = {AUDIO_PT, VIDEO_PT, VIDEO_RTX_PT, 0, 63};
            buf[1] = (uint8_t)((buf[1] & 0x80) | pts[rng_u32(&rng) % 5]);
            put_u32(buf + 8, ssrcs[rng_u32(&rng) % 7]);
        }
        if (rtcp)
            (void)rtc_peer_send_rtcp(&alice.peer, buf, n);
        else
            (void)rtc_peer_send_rtp(&alice.peer, buf, n);
        if (i % 50 == 0) {
            inbox.n = 0;
            world_pass(&w, 5 * USEC_PER_MSEC, NULL, NULL);
        }
    }
    inbox.n = 0;
    world_pass(&w, 100 * USEC_PER_MSEC, NULL, NULL);
    world_do(&w, "transport.closeProducer", "t", "{'producerId':'mic'}");
    produce_audio(&w, "t", "mic");
    consume_audio(&w, "t", "ear", "mic", 5005);
}

static void every_extension_at_its_greatest_does_not_overflow_the_slot(void **state)
{
    (void)state;
    world_do(&w, "transport.closeProducer", "t", "{'producerId':'mic'}");
#define URI "urn:ietf:params:rtp-hdrext:"
    static const char exts[] = "{'uri':'" URI "ssrc-audio-level','id':20},{'uri':'" URI
                               "toffset','id':21},{'uri':'urn:3gpp:video-orientation','id':22}";
    world_do(&w, "transport.produce", "t",
             "{'producerId':'big','kind':'audio','rtpParameters':{'codecs':[{'mimeType':"
             "'audio/opus','payloadType':111,'clockRate':48000,'channels':2}],'headerExtensions':["
             "%s],'encodings':[{'ssrc':1111}]},'rtpMapping':{'codecs':[{'payloadType':111,"
             "'mappedPayloadType':100}],'encodings':[{'ssrc':1111,'mappedSsrc':1}]}}",
             exts);
    world_do(
        &w, "transport.consume", "t",
        "{'consumerId':'wide','producerId':'big','kind':'audio','type':'simple',"
        "'rtpParameters':{'mid':'abcdefghabcdefghabcdefghabcdefgh','codecs':[{'mimeType':"
        "'audio/opus','payloadType':100,'clockRate':48000}],'headerExtensions':[%s,{'uri':'" URI
        "sdes:mid','id':30}],'encodings':[{'ssrc':5555}]},'consumableRtpEncodings':[{'ssrc':1}"
        "]}",
        exts);
    static uint8_t value[255];
    struct rtp_ext_item items[] = {
        {20, slice_of(value, 255)}, {21, slice_of(value, 255)}, {22, slice_of(value, 255)}};
    for (uint16_t i = 0; i < 114; i++) {
        uint8_t bare[1500];
        uint8_t buf[1600];
        struct rtp_view v;
        struct wr in = wr_of(bare, sizeof bare);
        struct wr out = wr_of(buf, sizeof buf);
        rtp_write_header(&in, false, AUDIO_PT, i, i, AUDIO_SSRC);
        wr_zeros(&in, i * 7U);
        assert_int_equal(rtp_parse(&v, bare, wr_len(&in)), OK);
        assert_int_equal(rtp_ext_copy_packet(&out, &v, RTP_EXT_TWO_BYTE, items, 3, NULL), OK);
        assert_true(rtc_peer_send_rtp(&alice.peer, buf, wr_len(&out)));
        world_settle(&w);
    }
    size_t got = inbox_count(&inbox, 5555);
    assert_true(got > 50 && got < 114);
    assert_true(metric("droppedSend") > 0);
}

static void a_nack_for_everything_is_bounded(void **state)
{
    (void)state;
    uint8_t buf[1500];
    struct rtp_spec s = {.ssrc = VIDEO_SSRC, .pt = VIDEO_PT, .key = true, .size = 1000};
    for (uint16_t seq = 0; seq < 500; seq++) {
        s.seq = seq;
        assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s)));
        world_settle(&w);
    }
    uint16_t seqs[2048];
    for (uint16_t i = 0; i < 2048; i++)
        seqs[i] = (uint16_t)(inbox.rtp[0].seq + i);
    uint64_t before = w.sent;
    w.now += 10 * USEC_PER_MSEC;
    for (int i = 0; i < 20; i++) {
        struct wr out = wr_of(buf, 1200);
        rtcp_write_nack(&out, 1, 6000, seqs, 2048);
        assert_false(out.bad);
        assert_true(rtc_peer_send_rtcp(&alice.peer, buf, wr_len(&out)));
        inbox.n = 0;
        world_settle(&w);
    }
    /* Each packet once a round trip at most, whatever is asked. */
    assert_true(w.sent - before <= 500);
    assert_true(w.sent - before > 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(noise_from_strangers_and_from_the_peers_address_changes_nothing),
        T(checks_with_a_known_name_and_a_wrong_password_are_answered_at_most),
        T(authentic_nonsense_is_survived),
        T(every_extension_at_its_greatest_does_not_overflow_the_slot),
        T(a_nack_for_everything_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
