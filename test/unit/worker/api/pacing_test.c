/* Bursts to one viewer, over a way that takes no burst. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/demux.h"
#include "proto/rtcp_fb.h"
#include "test/lib/stage.h"
#include "worker/media/transport.h"
#include "worker/media/transport_pace.h"
#include "worker/media/worker_state.h"

enum {
    PACKET_LEN = 1150, /* payload */
    BIG = 88,          /* packets of a key frame of 100 kB */
    LINK_BPS = 3000000,
    LINK_QUEUE = 15000, /* bytes; 40 ms */
    EYE = 6000,
    EAR = 5001
};

static struct world w;
static struct browser alice;
static struct browser bob;
static struct inbox to_bob;
static uint16_t seq;
static uint32_t timestamp;

/* The way to bob: a drop-tail queue. */
static double backlog;
static usec backlog_at;
static size_t dropped;

static bool lose(struct world *world, const uint8_t *bytes, size_t n)
{
    if (packet_class(bytes, n) != PACKET_RTP)
        return false;
    backlog -= (double)(world->now - backlog_at) * LINK_BPS / 8e6;
    backlog = backlog > 0 ? backlog : 0;
    backlog_at = world->now;
    if (backlog + (double)n > LINK_QUEUE) {
        dropped++;
        return true;
    }
    backlog += (double)n;
    return false;
}

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "up", false);
    w.transport_options = "{'initialAvailableOutgoingBitrate':1000000}";
    browser_connect(&bob, &w, "room", "down", true);
    inbox_of_browser(&to_bob, &bob);
    produce_audio(&w, "up", "mic");
    produce_video(&w, "up", "cam");
    seq = 65500;
    timestamp = 3000;
    backlog = 0;
    backlog_at = w.now;
    dropped = 0;
    w.lose = lose;
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

static void frame(size_t n, bool key)
{
    uint8_t buf[1500];
    for (size_t i = 0; i < n; i++) {
        struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                             .pt = VIDEO_PT,
                             .seq = seq++,
                             .timestamp = timestamp,
                             .key = key && i == 0,
                             .middle = i > 0,
                             .marker = i + 1 == n,
                             .size = PACKET_LEN};
        assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s)));
    }
    timestamp += 3000;
    world_settle(&w);
}

static void pass_ms(int ms)
{
    world_pass(&w, ms * USEC_PER_MSEC, NULL, NULL);
}

static struct transport_pace *pace(void)
{
    return transport_of(object_find(&w.worker->objects, OBJECT_TRANSPORT, "down"))->pace;
}

/* What came has the numbers of both kinds in order, without a hole. */
static void check_order(uint32_t ssrc)
{
    int number = -1;
    bool first = true;
    uint16_t last = 0;
    for (size_t i = 0; i < to_bob.n; i++) {
        if (to_bob.rtp[i].twcc >= 0) {
            assert_true(number < 0 || to_bob.rtp[i].twcc == ((number + 1) & 0xffff));
            number = to_bob.rtp[i].twcc;
        }
        if (to_bob.rtp[i].ssrc != ssrc)
            continue;
        assert_true(first || to_bob.rtp[i].seq == (uint16_t)(last + 1));
        assert_true(to_bob.rtp[i].abs_send_time);
        last = to_bob.rtp[i].seq;
        first = false;
    }
}

static void a_key_frame_all_at_once_overflows_the_way(void **state)
{
    (void)state;
    consume_video(&w, "down", "eye", "cam", EYE); /* without an estimate */
    frame(BIG, true);
    pass_ms(500);
    assert_true(dropped > BIG / 2);
}

static void paced_it_arrives_whole_and_in_order(void **state)
{
    (void)state;
    consume_video_estimated(&w, "down", "eye", "cam", EYE);
    usec from = w.now;
    frame(BIG, true);
    assert_in_range(inbox_count(&to_bob, EYE), 4, 8);
    while (inbox_count(&to_bob, EYE) < BIG && w.now < from + USEC_PER_SEC)
        pass_ms(5);
    assert_int_equal(dropped, 0);
    assert_int_equal(inbox_count(&to_bob, EYE), BIG);
    check_order(EYE);
    /* 100 kB at 2.5 Mbit/s. */
    assert_in_range(w.now - from, 250 * USEC_PER_MSEC, 350 * USEC_PER_MSEC);
    assert_int_equal(pace()->n, 0);
    assert_true(timer_at(&pace()->timer) == USEC_NEVER);
}

static void what_follows_waits_behind_it(void **state)
{
    (void)state;
    consume_video_estimated(&w, "down", "eye", "cam", EYE);
    frame(BIG, true);
    for (int i = 0; i < 15; i++) {
        pass_ms(33);
        frame(2, false);
    }
    pass_ms(100);
    assert_int_equal(dropped, 0);
    assert_int_equal(inbox_count(&to_bob, EYE), BIG + 30);
    check_order(EYE);
}

static void audio_is_not_delayed(void **state)
{
    (void)state;
    uint8_t buf[1500];
    consume_video_estimated(&w, "down", "eye", "cam", EYE);
    consume_audio(&w, "down", "ear", "mic", EAR);
    frame(BIG, true);
    for (uint16_t i = 0; i < 10; i++) {
        struct rtp_spec s = {
            .ssrc = AUDIO_SSRC, .pt = AUDIO_PT, .seq = i, .timestamp = i * 960U, .mid = "0"};
        assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s)));
        world_settle(&w);
        assert_true(pace()->n > 0);
        assert_int_equal(inbox_count(&to_bob, EAR), i + 1);
        pass_ms(20);
    }
}

static void an_ordinary_frame_leaves_whole(void **state)
{
    (void)state;
    consume_video_estimated(&w, "down", "eye", "cam", EYE);
    for (size_t i = 1; i <= 30; i++) {
        frame(3, i == 1); /* 0.85 Mbit/s */
        assert_int_equal(inbox_count(&to_bob, EYE), 3 * i);
        pass_ms(33);
    }
}

static void what_is_asked_for_again_does_not_wait(void **state)
{
    (void)state;
    uint8_t buf[64];
    consume_video_estimated(&w, "down", "eye", "cam", EYE);
    frame(BIG, true);
    assert_true(to_bob.n > 0 && pace()->n > 0);
    struct wr out = wr_of(buf, sizeof buf);
    uint16_t number = to_bob.rtp[0].seq;
    rtcp_write_nack(&out, 1, EYE, &number, 1);
    assert_true(rtc_peer_send_rtcp(&bob.peer, buf, wr_len(&out)));
    world_settle(&w);
    assert_int_equal(inbox_count(&to_bob, EYE + 1), 1);
    pass_ms(500);
    check_order(EYE);
}

/* What is sent again without RTX must be the very packet that was sent. */
static void a_stream_without_rtx_does_not_wait(void **state)
{
    (void)state;
    char text[4096];
    w.lose = NULL;
    snprintf(text, sizeof text, "%s", consume_video_estimated_json("eye", "cam", EYE));
    char *rtx = strstr(text, ",'rtx':{'ssrc':");
    assert_non_null(rtx);
    memmove(rtx, strchr(rtx, '}') + 1, strlen(strchr(rtx, '}') + 1) + 1);
    world_do(&w, "transport.consume", "down", "%s", text);
    frame(BIG, true);
    assert_int_equal(inbox_count(&to_bob, EYE), BIG);
}

static void more_than_may_wait_leaves_at_once_and_in_order(void **state)
{
    (void)state;
    w.lose = NULL;
    consume_video_estimated(&w, "down", "eye", "cam", EYE);
    for (int i = 0; i < 10; i++)
        frame(BIG, i == 0);
    assert_int_equal(pace()->n, PACE_PACKETS_MAX);
    assert_int_equal(inbox_count(&to_bob, EYE), 10 * BIG - PACE_PACKETS_MAX);
    pass_ms(600);
    assert_int_equal(pace()->n, 0);
    assert_int_equal(inbox_count(&to_bob, EYE), 10 * BIG);
    check_order(EYE);
}

static void a_consumer_that_ends_takes_its_packets_along_and_leaves_the_others(void **state)
{
    (void)state;
    consume_video_estimated(&w, "down", "eye", "cam", EYE);
    consume_video_estimated(&w, "down", "eye2", "cam", EYE + 10);
    frame(BIG, true);
    size_t n = inbox_count(&to_bob, EYE);
    assert_true(n < BIG);
    world_do(&w, "transport.closeConsumer", "down", "{'consumerId':'eye'}");
    pass_ms(700);
    assert_int_equal(inbox_count(&to_bob, EYE), n);
    assert_int_equal(inbox_count(&to_bob, EYE + 10), BIG);
    assert_int_equal(w.worker->pool.used > BIG, false);
}

static void whatever_ends_in_the_middle_gives_everything_back(void **state)
{
    (void)state;
    consume_video_estimated(&w, "down", "eye", "cam", EYE);
    frame(BIG, true);
    world_do(&w, "consumer.pause", "eye", NULL);
    world_do(&w, "consumer.resume", "eye", NULL);
    frame(BIG, true);
    world_do(&w, "producer.pause", "cam", NULL);
    world_do(&w, "producer.resume", "cam", NULL);
    frame(BIG, true);
    assert_true(pace()->n > BIG);
    pass_ms(20);
    world_do(&w, "transport.restartIce", "down", NULL);
    pass_ms(20);
    assert_true(pace()->n > 0);
    struct transport *t = transport_of(object_find(&w.worker->objects, OBJECT_TRANSPORT, "down"));
    transport_set_connected(t, w.now, false);
    assert_int_equal(pace()->n, 0);
    transport_set_connected(t, w.now, true);
    frame(BIG, true);
    assert_true(pace()->n > 0);
    world_do(&w, "router.closeTransport", "room", "{'transportId':'up'}");
    pass_ms(20);
    world_do(&w, "router.closeTransport", "room", "{'transportId':'down'}");
    assert_int_equal(w.worker->pool.used, 0);
}

static void without_memory_for_packets_nothing_waits(void **state)
{
    (void)state;
    w.lose = NULL;
    consume_video_estimated(&w, "down", "eye", "cam", EYE);
    frame(20, true);
    size_t waiting = pace()->n;
    assert_true(waiting > 0);
    size_t limit = w.worker->pool.limit;
    struct packet *taken[4096];
    size_t n = 0;
    w.worker->pool.limit = 0;
    while (n < 4096 && (taken[n] = packet_get(&w.worker->pool)) != NULL)
        n++;
    packet_unref(taken[--n]); /* for the one that comes in */
    frame(1, false);
    assert_int_equal(pace()->n, 0);
    assert_int_equal(inbox_count(&to_bob, EYE), 21);
    check_order(EYE);
    while (n > 0)
        packet_unref(taken[--n]);
    w.worker->pool.limit = limit;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_frame_all_at_once_overflows_the_way),
        TEST(paced_it_arrives_whole_and_in_order),
        TEST(what_follows_waits_behind_it),
        TEST(audio_is_not_delayed),
        TEST(an_ordinary_frame_leaves_whole),
        TEST(what_is_asked_for_again_does_not_wait),
        TEST(a_stream_without_rtx_does_not_wait),
        TEST(more_than_may_wait_leaves_at_once_and_in_order),
        TEST(a_consumer_that_ends_takes_its_packets_along_and_leaves_the_others),
        TEST(whatever_ends_in_the_middle_gives_everything_back),
        TEST(without_memory_for_packets_nothing_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
