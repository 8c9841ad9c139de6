/* Simulcast under an estimate: a browser behind a link of its own rate gets the layers that fit,
 * and better ones when the link recovers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rtcp_report.h"
#include "proto/rtp_ext.h"
#include "test/lib/stage.h"
#include "worker/bwe/twcc_receiver.h"
#include "worker/rtp/ntp.h"

#define TWCC_URI "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

enum {
    STREAMS = 3,
    FIRST_SSRC = 3000,
    EYE_SSRC = 6000,
    WAITING = 8192,
    LINK_DELAY_US = 20 * 1000,
    LINK_QUEUE_US = 300 * 1000,
    FRAME_US = 33333
};

/* Packets a frame, of 600 bytes: 144, 576 and 1,440 kbit/s. */
static const unsigned frame_packets[STREAMS] = {1, 4, 10};

static struct {
    uint64_t bps; /* 0: unlimited */
    bool silent;  /* no feedback */
    usec idle_at;
    uint16_t number[WAITING];
    usec at[WAITING];
    size_t head;
    size_t tail;
    uint64_t media_bytes;
    uint64_t rtx_bytes;
    struct twcc_receiver receiver;
} path;

static struct {
    uint16_t seq;
    bool key;
} streams[STREAMS];

static struct world w;
static struct browser alice;
static struct browser bob;
static struct inbox from_alice;
static usec frame_at;
static usec report_at;

static void arrive(struct browser *b, uint8_t *bytes, size_t n)
{
    (void)b;
    struct rtp_view v;
    uint16_t number;
    assert_int_equal(rtp_parse(&v, bytes, n), OK);
    assert_int_equal(rtp_ext_read_twcc(rtp_ext_find(&v, OUT_EXT_TWCC), &number), OK);
    *(v.payload_type == OUT_VIDEO_PT ? &path.media_bytes : &path.rtx_bytes) += n;
    usec start = path.idle_at > w.now ? path.idle_at : w.now;
    if (start - w.now > LINK_QUEUE_US)
        return;
    path.idle_at = start + (path.bps ? (usec)(n * 8 * 1000000 / path.bps) : 0);
    path.number[path.tail % WAITING] = number;
    path.at[path.tail++ % WAITING] = path.idle_at + LINK_DELAY_US;
}

static void ignore(struct browser *b, uint8_t *bytes, size_t n)
{
    (void)b;
    (void)bytes;
    (void)n;
}

static void send_frame(unsigned i, usec now)
{
    for (unsigned k = 0; k < frame_packets[i]; k++) {
        struct rtp_spec s = {.ssrc = VIDEO_SSRC, /* whose payload is VP8 */
                             .pt = VIDEO_PT,
                             .seq = streams[i].seq++,
                             .timestamp = (uint32_t)(now * 9 / 100),
                             .key = streams[i].key && k == 0,
                             .middle = k > 0,
                             .marker = k + 1 == frame_packets[i],
                             .size = 600};
        uint8_t buf[1500];
        size_t n = rtp_build(buf, &s);
        put_u32(buf + 8, FIRST_SSRC + i);
        assert_true(rtc_peer_send_rtp(&alice.peer, buf, n));
    }
    streams[i].key = false;
}

static void send_report(unsigned i, usec now)
{
    uint8_t buf[64];
    struct wr out = wr_of(buf, sizeof buf);
    struct rtcp_sr sr = {.ssrc = FIRST_SSRC + i,
                         .ntp = ntp_of_usec(now) + (NTP_UNIX_OFFSET << 32),
                         .rtp_timestamp = (uint32_t)(now * 9 / 100)};
    rtcp_write_sr(&out, &sr, NULL, 0);
    assert_true(rtc_peer_send_rtcp(&alice.peer, buf, wr_len(&out)));
}

static void tick(void *ctx, usec now)
{
    (void)ctx;
    rtc_peer_timeout(&alice.peer, now); /* consent */
    rtc_peer_timeout(&bob.peer, now);
    if (from_alice.plis > 0)
        streams[from_alice.pli_ssrc - FIRST_SSRC].key = true;
    from_alice.plis = 0;
    for (unsigned i = 0; now >= report_at && i < STREAMS; i++)
        send_report(i, now);
    if (now >= report_at)
        report_at = now + USEC_PER_SEC;
    for (unsigned i = 0; now >= frame_at && i < STREAMS; i++)
        send_frame(i, now);
    if (now >= frame_at)
        frame_at += FRAME_US;
    for (; path.head < path.tail && path.at[path.head % WAITING] <= now; path.head++)
        twcc_receiver_input(&path.receiver, path.at[path.head % WAITING],
                            path.number[path.head % WAITING]);
    if (path.silent || twcc_receiver_deadline(&path.receiver) > now)
        return;
    uint8_t buf[1200];
    struct wr out = wr_of(buf, sizeof buf);
    twcc_receiver_timeout(&path.receiver, now, 1, EYE_SSRC, &out);
    if (wr_len(&out) > 0)
        assert_true(rtc_peer_send_rtcp(&bob.peer, out.start, wr_len(&out)));
}

static void pass(usec time)
{
    world_pass(&w, time, tick, NULL);
}

static int64_t available(void)
{
    json_t *stats = world_call(&w, "transport.getStats", "down", NULL, NULL);
    json_t *first = json_array_get(json_object_get(stats, "stats"), 0);
    json_t *v = json_object_get(first ? first : stats, "availableOutgoingBitrate");
    int64_t value = v ? (int64_t)json_integer_value(v) : -1;
    json_decref(stats);
    return value;
}

/* -1: none. */
static int64_t layer(void)
{
    json_t *d = world_call(&w, "consumer.dump", "eye", NULL, NULL);
    int64_t value = (int64_t)json_integer_value(json_object_get(d, "currentSpatialLayer"));
    json_decref(d);
    return value;
}

static const char codecs[] =
    "[{'mimeType':'video/VP8','payloadType':%d,'clockRate':90000,'rtcpFeedback':[{'type':'nack'},{"
    "'type':'nack','parameter':'pli'},{'type':'transport-cc'}]},{'mimeType':'video/rtx',"
    "'payloadType':%d,'clockRate':90000,'parameters':{'apt':%d}}]";

static void produce(void)
{
    char c[512];
    snprintf(c, sizeof c, codecs, VIDEO_PT, VIDEO_RTX_PT, VIDEO_PT);
    world_do(&w, "transport.produce", "up",
             "{'producerId':'cam','kind':'video','rtpParameters':{'codecs':%s,'headerExtensions':[]"
             ",'encodings':[{'ssrc':3000},{'ssrc':3001},{'ssrc':3002}],'rtcp':{'cname':'alice'}},"
             "'rtpMapping':{'codecs':[{'payloadType':96,'mappedPayloadType':101},{'payloadType':97,"
             "'mappedPayloadType':102}],'encodings':[{'ssrc':3000,'mappedSsrc':9000},{'ssrc':3001,"
             "'mappedSsrc':9001},{'ssrc':3002,'mappedSsrc':9002}]}}",
             c);
}

static void consume(unsigned ssrc)
{
    char c[512];
    snprintf(c, sizeof c, codecs, OUT_VIDEO_PT, OUT_VIDEO_RTX_PT, OUT_VIDEO_PT);
    world_do(&w, "transport.consume", "down",
             "{'consumerId':'eye','producerId':'cam','kind':'video','type':'simulcast',"
             "'rtpParameters':{'codecs':%s,'headerExtensions':[{'uri':'" TWCC_URI
             "','id':5}],'encodings':[{'ssrc':%u,'rtx':{'ssrc':%u},'scalabilityMode':'S3T1'}],"
             "'rtcp':{'cname':'alice'}},'consumableRtpEncodings':[{'ssrc':9000},{'ssrc':9001},{"
             "'ssrc':9002}]}",
             c, ssrc, ssrc + 1);
}

static int set_up(void **state)
{
    (void)state;
    memset(&path, 0, sizeof path);
    memset(streams, 0, sizeof streams);
    twcc_receiver_init(&path.receiver);
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "up", false);
    browser_connect(&bob, &w, "room", "down", false);
    inbox_of_browser(&from_alice, &alice);
    bob.on_rtp = arrive;
    bob.on_rtcp = ignore;
    frame_at = report_at = w.now;
    produce();
    pass(2 * USEC_PER_SEC);
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

static void a_wide_link_gets_the_best_layer(void **state)
{
    (void)state;
    consume(EYE_SSRC);
    pass(5 * USEC_PER_SEC);
    assert_int_equal(layer(), 2);
    assert_in_range(available(), 1440000, 6000000);
}

static void a_narrow_link_gets_a_low_one_and_recovers(void **state)
{
    (void)state;
    consume(EYE_SSRC);
    path.bps = 400000;
    pass(10 * USEC_PER_SEC);
    assert_int_equal(layer(), 0);
    assert_true(available() < 576000);
    uint64_t before = path.media_bytes + path.rtx_bytes;
    pass(5 * USEC_PER_SEC);
    assert_true((path.media_bytes + path.rtx_bytes - before) * 8 / 5 <= 420000);
    path.bps = 0;
    pass(20 * USEC_PER_SEC);
    assert_int_equal(layer(), 2);
    assert_true(path.rtx_bytes > 0); /* found by padding */
}

static void the_limit_of_the_transport_chooses_too(void **state)
{
    (void)state;
    world_do(&w, "transport.setMaxOutgoingBitrate", "down", "{'maxOutgoingBitrate':900000}");
    consume(EYE_SSRC);
    pass(10 * USEC_PER_SEC);
    assert_int_equal(layer(), 1);
    world_do(&w, "transport.setMaxOutgoingBitrate", "down", "{'maxOutgoingBitrate':0}");
    pass(15 * USEC_PER_SEC);
    assert_int_equal(layer(), 2);
}

static void a_peer_that_falls_silent_keeps_the_lowest_layer(void **state)
{
    (void)state;
    consume(EYE_SSRC);
    pass(5 * USEC_PER_SEC);
    path.silent = true;
    pass(20 * USEC_PER_SEC);
    assert_true(available() < 144000);
    assert_int_equal(layer(), 0);
    uint64_t before = path.media_bytes;
    pass(1 * USEC_PER_SEC);
    assert_true(path.media_bytes > before + 10000);
    path.silent = false;
    pass(20 * USEC_PER_SEC);
    assert_int_equal(layer(), 2);
}

static void consumers_may_come_and_go(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        consume(EYE_SSRC + 2 * i);
        pass(500 * USEC_PER_MSEC);
        world_do(&w, "transport.closeConsumer", "down", "{'consumerId':'eye'}");
        pass(300 * USEC_PER_MSEC);
    }
    consume(EYE_SSRC + 10);
    pass(5 * USEC_PER_SEC);
    assert_int_equal(layer(), 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_wide_link_gets_the_best_layer),
        T(a_narrow_link_gets_a_low_one_and_recovers),
        T(the_limit_of_the_transport_chooses_too),
        T(a_peer_that_falls_silent_keeps_the_lowest_layer),
        T(consumers_may_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
