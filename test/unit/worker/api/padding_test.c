/* What leaves the worker when a frame's packets differ by a few bytes (burst_padding.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rtcp_fb.h"
#include "proto/rtp.h"
#include "test/lib/stage.h"

enum { FRAME = 9, LONG = 1001, VIEWER_SSRC = 5000, KEPT = 64 };

struct got {
    uint8_t bytes[KEPT][1500];
    size_t len[KEPT];
    struct rtp_view view[KEPT];
    size_t n;
};

static struct world w;
static struct browser alice;
static struct browser bob;
static struct inbox from_alice;
static struct got got;
static struct {
    uint16_t seq;
    size_t len;
    uint8_t bytes[1500];
} on_wire[KEPT];
static size_t on_wire_n;

static void keep(uint8_t *bytes, size_t n)
{
    assert_true(got.n < KEPT);
    memcpy(got.bytes[got.n], bytes, n);
    got.len[got.n] = n;
    assert_int_equal(rtp_parse(&got.view[got.n], got.bytes[got.n], n), OK);
    got.n++;
}

static void on_rtp(struct browser *b, uint8_t *bytes, size_t n)
{
    (void)b;
    keep(bytes, n);
}

static void on_plain(struct endpoint *e, uint8_t *bytes, size_t n)
{
    (void)e;
    if (bytes[1] < 192 || bytes[1] > 223) /* RFC 5761 4 */
        keep(bytes, n);
}

/* Media as it leaves the worker, sealed. */
static bool tap(struct world *world, const uint8_t *bytes, size_t n)
{
    (void)world;
    if (bytes[0] >> 6 == 2 && (bytes[1] & 0x7f) == OUT_VIDEO_PT) {
        assert_true(on_wire_n < KEPT && n <= sizeof on_wire[0].bytes);
        on_wire[on_wire_n].seq = (uint16_t)(bytes[2] << 8 | bytes[3]);
        on_wire[on_wire_n].len = n;
        memcpy(on_wire[on_wire_n++].bytes, bytes, n);
    }
    return false;
}

static int set_up(void **state)
{
    (void)state;
    on_wire_n = 0;
    memset(&got, 0, sizeof got);
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "up", false);
    browser_connect(&bob, &w, "room", "down", false);
    inbox_of_browser(&from_alice, &alice);
    bob.on_rtp = on_rtp;
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

static size_t payload_len(size_t i)
{
    return i % 2 ? LONG : LONG - 1;
}

/* A frame whose packets arrive in one burst, shorter and longer by turns. */
static void send_frame(uint16_t seq, bool key)
{
    w.bursts = true;
    for (uint16_t i = 0; i < FRAME; i++) {
        uint8_t buf[1500];
        struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                             .pt = VIDEO_PT,
                             .seq = (uint16_t)(seq + i),
                             .timestamp = seq * 3000U,
                             .key = key && i == 0,
                             .middle = i > 0,
                             .marker = i + 1 == FRAME,
                             .size = payload_len(i)};
        assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s)));
    }
    world_settle(&w);
}

static void send_two_frames(void)
{
    send_frame(0, true);
    got.n = 0; /* a key frame's first packet does not wait for the others */
    send_frame(FRAME, false);
    assert_int_equal(got.n, FRAME);
}

static void send_nack(uint16_t seq)
{
    uint8_t buf[64];
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_nack(&out, 1, VIEWER_SSRC, &seq, 1);
    got.n = 0;
    w.now += 50 * USEC_PER_MSEC;
    assert_true(rtc_peer_send_rtcp(&bob.peer, buf, wr_len(&out)));
    world_settle(&w);
}

static void expect_unpadded(void)
{
    for (size_t i = 0; i < FRAME; i++) {
        assert_int_equal(got.view[i].padding, 0);
        assert_int_equal(got.view[i].payload_len, payload_len(i));
    }
}

/* One UDP_SEGMENT message takes equal packets, of which the last may be shorter. */
static void a_frame_of_unequal_packets_leaves_in_equal_ones(void **state)
{
    (void)state;
    consume_video(&w, "down", "eye", "cam", VIEWER_SSRC);
    send_two_frames();
    for (size_t i = 0; i + 1 < FRAME; i++) {
        assert_int_equal(got.len[i], got.len[0]);
        assert_int_equal(got.view[i].payload_len, payload_len(i));
        assert_int_equal(got.view[i].padding, LONG - payload_len(i));
    }
    assert_int_equal(got.view[FRAME - 1].padding, 0);
    assert_true(got.len[FRAME - 1] < got.len[0]);
}

static void what_was_padded_is_retransmitted_as_it_came(void **state)
{
    (void)state;
    consume_video(&w, "down", "eye", "cam", VIEWER_SSRC);
    send_two_frames();
    assert_int_equal(got.view[0].padding, 1);
    uint16_t seq = got.view[0].seq;
    uint8_t payload[1500];
    memcpy(payload, rtp_payload(&got.view[0]), got.view[0].payload_len);
    send_nack(seq);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.view[0].payload_type, OUT_VIDEO_RTX_PT);
    assert_int_equal(got.view[0].padding, 0);
    assert_int_equal(got.view[0].payload_len, 2 + payload_len(0));
    assert_memory_equal(rtp_payload(&got.view[0]) + 2, payload, payload_len(0));
}

/* It may be sent again under its own number, and must then be the same bytes. */
static void without_rtx_nothing_is_padded(void **state)
{
    (void)state;
    static const char rtx[] = ",'rtx':{'ssrc':5001}";
    char json[4096];
    snprintf(json, sizeof json, "%s", consume_video_json("eye", "cam", VIEWER_SSRC));
    char *at = strstr(json, rtx);
    assert_non_null(at);
    memmove(at, at + strlen(rtx), strlen(at + strlen(rtx)) + 1);
    world_do(&w, "transport.consume", "down", "%s", json);
    w.lose = tap;
    send_two_frames();
    expect_unpadded();
    uint16_t seq = got.view[0].seq;
    assert_int_equal(on_wire_n, 2 * FRAME);
    send_nack(seq);
    assert_int_equal(on_wire_n, 2 * FRAME + 1);
    assert_int_equal(on_wire[2 * FRAME].seq, seq);
    assert_int_equal(on_wire[FRAME].seq, seq);
    assert_int_equal(on_wire[2 * FRAME].len, on_wire[FRAME].len);
    assert_memory_equal(on_wire[2 * FRAME].bytes, on_wire[FRAME].bytes, on_wire[FRAME].len);
}

static void plain_and_pipe_transports_get_no_padding(void **state)
{
    (void)state;
    struct endpoint plain = {.receive = on_plain};
    world_add(&w, &plain, "127.0.0.1", 20000);
    world_do(&w, "router.createPlainTransport", "room",
             "{'transportId':'plain','options':{'listenInfo':{'ip':'127.0.0.1'}}}");
    world_do(&w, "plainTransport.connect", "plain", "{'ip':'127.0.0.1','port':20000}");
    consume_video(&w, "plain", "eye", "cam", VIEWER_SSRC);
    send_two_frames();
    expect_unpadded();
    world_do(&w, "transport.closeConsumer", "plain", "{'consumerId':'eye'}");

    world_add(&w, &(struct endpoint){.receive = on_plain}, "127.0.0.1", 20002);
    world_do(&w, "router.createPipeTransport", "room",
             "{'transportId':'pipe','options':{'listenInfo':{'ip':'127.0.0.1'},'enableRtx':true}}");
    world_do(&w, "pipeTransport.connect", "pipe", "{'ip':'127.0.0.1','port':20002}");
    char json[4096];
    snprintf(json, sizeof json, "%s", consume_video_json("eye", "cam", VIEWER_SSRC));
    memcpy(strstr(json, "'simple'"), "'pipe'  ", 8);
    world_do(&w, "transport.consume", "pipe", "%s", json);
    got.n = 0;
    send_frame(2 * FRAME, true);
    assert_int_equal(got.n, FRAME);
    expect_unpadded();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_frame_of_unequal_packets_leaves_in_equal_ones),
        T(what_was_padded_is_retransmitted_as_it_came),
        T(without_rtx_nothing_is_padded),
        T(plain_and_pipe_transports_get_no_padding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
