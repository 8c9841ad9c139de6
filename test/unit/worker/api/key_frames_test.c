/* Viewers that join a running stream while its next key frame may not be asked for yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rtcp_fb.h"
#include "test/lib/stage.h"
#include "worker/media/producer.h"
#include "worker/media/worker_state.h"

enum { FRAME_PACKETS = 3, FRAME_MS = 33, FRAME_TICKS = 2970, FIRST = 6000, VIEWERS_MAX = 200 };

static struct world w;
static struct browser alice;
static struct browser bob;
static struct inbox from_alice;
static struct inbox to_bob;

/* The camera. */
static uint16_t seq;
static uint32_t timestamp;
static size_t answered; /* requests for key frames */
static int leave_out;   /* index of the next frame's packet that is lost; -1: none */
static uint16_t left_out;

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "up", false);
    browser_connect(&bob, &w, "room", "down", true);
    inbox_of_browser(&from_alice, &alice);
    inbox_of_browser(&to_bob, &bob);
    seq = 65500;
    timestamp = UINT32_MAX - 100000;
    answered = 0;
    leave_out = -1;
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

static void produce(int delay_ms)
{
    char text[4096];
    snprintf(text, sizeof text, "%s", produce_video_json("cam"));
    text[strlen(text) - 1] = '\0';
    world_do(&w, "transport.produce", "up", "%s,'keyFrameRequestDelay':%d}", text, delay_ms);
}

static void send_packet(uint16_t number, uint32_t at, int i, bool key)
{
    uint8_t buf[1500];
    struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                         .pt = VIDEO_PT,
                         .seq = number,
                         .timestamp = at,
                         .key = key && i == 0,
                         .middle = i > 0,
                         .marker = i == FRAME_PACKETS - 1,
                         .size = 1000};
    assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s)));
}

/* A frame, the key frame where one was asked for, and the time until the next. */
static void frame(void)
{
    bool key = from_alice.plis > answered;
    answered = from_alice.plis;
    for (int i = 0; i < FRAME_PACKETS; i++, seq++) {
        if (i == leave_out)
            left_out = seq;
        else
            send_packet(seq, timestamp, i, key);
    }
    leave_out = -1;
    timestamp += FRAME_TICKS;
    world_settle(&w);
    world_pass(&w, FRAME_MS * USEC_PER_MSEC, NULL, NULL);
}

static void frames(int n)
{
    for (int i = 0; i < n; i++)
        frame();
}

static void join(unsigned i)
{
    char id[16];
    snprintf(id, sizeof id, "v%u", i);
    consume_video(&w, "down", id, "cam", FIRST + 2 * i);
}

/* The packet of viewer i that came as number k; false: it got fewer. */
static bool nth(unsigned i, size_t k, size_t *at)
{
    for (*at = 0; *at < to_bob.n; (*at)++) {
        if (to_bob.rtp[*at].ssrc == FIRST + 2 * i && k-- == 0)
            return true;
    }
    return false;
}

static size_t count(unsigned i)
{
    return inbox_count(&to_bob, FIRST + 2 * i);
}

/* A decoder can take it as it comes, and its time never goes back. */
static void check_decodable(unsigned i)
{
    size_t at;
    size_t before = 0;
    assert_true(nth(i, 0, &at));
    assert_true(to_bob.rtp[at].key);
    for (size_t k = 1; nth(i, k, &at); k++) {
        assert_true(nth(i, k - 1, &before));
        assert_int_equal(to_bob.rtp[at].seq, (uint16_t)(to_bob.rtp[before].seq + 1));
        int32_t step = (int32_t)(to_bob.rtp[at].timestamp - to_bob.rtp[before].timestamp);
        assert_true(to_bob.rtp[before].marker ? step > 0 : step == 0);
    }
}

/* Viewer 0 plays since its key frame, so the next request has to wait. */
static void begin(int delay_ms)
{
    produce(delay_ms);
    frame();
    join(0);
    world_settle(&w);
    assert_int_equal(from_alice.plis, 1);
    frames(10);
    assert_true(count(0) >= 9 * FRAME_PACKETS);
}

static void a_second_viewer_gets_all_since_the_key_frame_at_once(void **state)
{
    (void)state;
    begin(1000);
    join(1);
    world_settle(&w);
    assert_int_equal(count(1), count(0));
    check_decodable(1);
    assert_int_equal(from_alice.plis, 1);
}

static void its_newest_frame_keeps_its_time_and_the_others_lie_close_before(void **state)
{
    (void)state;
    size_t first;
    size_t last;
    size_t other;
    begin(1000);
    join(1);
    world_settle(&w);
    size_t n = count(1);
    assert_true(nth(1, 0, &first) && nth(1, n - 1, &last) && nth(0, n - 1, &other));
    assert_int_equal(to_bob.rtp[last].timestamp, to_bob.rtp[other].timestamp);
    /* Ten frames within 10 ms. */
    uint32_t length = to_bob.rtp[last].timestamp - to_bob.rtp[first].timestamp;
    assert_in_range(length, 9 * 80, 10 * 90);
    frames(20);
    assert_int_equal(count(1), count(0));
    check_decodable(1);
    assert_true(nth(1, count(1) - 1, &last) && nth(0, count(0) - 1, &other));
    assert_int_equal(to_bob.rtp[last].timestamp, to_bob.rtp[other].timestamp);
}

static void a_request_that_may_be_sent_is_sent_instead(void **state)
{
    (void)state;
    begin(1000);
    frames(25);
    join(1);
    world_settle(&w);
    assert_int_equal(count(1), 0);
    assert_int_equal(from_alice.plis, 2);
    /* And whoever joins while it is on its way waits, too. */
    join(2);
    frame();
    check_decodable(1);
    check_decodable(2);
    assert_int_equal(count(1), FRAME_PACKETS);
    assert_int_equal(count(2), FRAME_PACKETS);
    assert_int_equal(from_alice.plis, 2);
}

static void without_a_delay_nothing_is_kept(void **state)
{
    (void)state;
    begin(0);
    struct producer *p = producer_of(object_find(&w.worker->objects, OBJECT_PRODUCER, "cam"));
    assert_false(producer_has_gop(p));
    join(1);
    world_settle(&w);
    assert_int_equal(count(1), 0);
    assert_int_equal(from_alice.plis, 2);
}

static void send_pli(unsigned i)
{
    uint8_t buf[64];
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_pli(&out, 1, FIRST + 2 * i);
    assert_true(rtc_peer_send_rtcp(&bob.peer, buf, wr_len(&out)));
    world_settle(&w);
}

static void who_plays_and_lost_its_reference_is_not_served_from_the_cache(void **state)
{
    (void)state;
    begin(1000);
    size_t n = count(0);
    send_pli(0);
    assert_int_equal(count(0), n);
    assert_int_equal(from_alice.plis, 1);
    /* It was put off, which is no reason to let a newcomer wait. */
    join(1);
    world_settle(&w);
    check_decodable(1);
    frames(25);
    assert_int_equal(from_alice.plis, 2);
}

static void a_packet_that_is_still_to_come_finds_its_place(void **state)
{
    (void)state;
    size_t at;
    size_t beside;
    begin(1000);
    uint32_t then = timestamp;
    leave_out = 1;
    frames(3);
    join(1);
    world_settle(&w);
    assert_int_equal(count(1), count(0));
    send_packet(left_out, then, 1, false);
    world_settle(&w);
    assert_true(nth(1, count(1) - 1, &at));
    uint16_t number = to_bob.rtp[at].seq;
    bool found = false;
    for (size_t k = 0; nth(1, k, &beside); k++) {
        if (to_bob.rtp[beside].seq != (uint16_t)(number - 1))
            continue;
        found = true;
        assert_false(to_bob.rtp[beside].marker);
        assert_int_equal(to_bob.rtp[beside].timestamp, to_bob.rtp[at].timestamp);
    }
    assert_true(found);
}

static void a_hole_for_good_and_a_request_is_waited_for(void **state)
{
    (void)state;
    begin(1000);
    struct producer *p = producer_of(object_find(&w.worker->objects, OBJECT_PRODUCER, "cam"));
    leave_out = 1;
    frame();
    /* As after ten tries in vain. */
    nack_reset(&p->streams[0].recv.nack);
    frame();
    join(1);
    world_settle(&w);
    assert_int_equal(count(1), 0);
    frames(22);
    assert_int_equal(from_alice.plis, 2);
    check_decodable(1);
}

static void a_short_pause_does_not_send_a_viewer_back_in_time(void **state)
{
    (void)state;
    begin(1000);
    world_do(&w, "consumer.pause", "v0", NULL);
    world_do(&w, "consumer.resume", "v0", NULL);
    size_t n = count(0);
    world_settle(&w);
    assert_int_equal(count(0), n);
    frames(25);
    check_decodable(0);
}

static void a_longer_pause_ends_with_the_cache(void **state)
{
    (void)state;
    begin(1000);
    world_do(&w, "consumer.pause", "v0", NULL);
    frames(5);
    size_t n = count(0);
    world_do(&w, "consumer.resume", "v0", NULL);
    world_settle(&w);
    assert_true(count(0) > n);
    frames(5);
    check_decodable(0);
    assert_int_equal(from_alice.plis, 1);
}

static void what_a_slow_viewer_would_get_later_than_the_next_key_frame_is_not_sent(void **state)
{
    (void)state;
    struct browser carol;
    static struct inbox to_carol;
    w.transport_options = "{'initialAvailableOutgoingBitrate':100000}";
    browser_connect(&carol, &w, "room", "slow", true);
    inbox_of_browser(&to_carol, &carol);
    begin(1000);
    consume_video_estimated(&w, "slow", "s", "cam", 9000);
    world_settle(&w);
    assert_int_equal(to_carol.n, 0);
    frames(25);
    assert_true(to_carol.n > 0 && to_carol.rtp[0].key);
    assert_int_equal(from_alice.plis, 2);
    browser_fini(&carol);
}

static void what_is_no_viewer_is_not_served_from_the_cache(void **state)
{
    (void)state;
    static struct inbox in;
    struct plain_peer ffmpeg;
    plain_peer_init(&ffmpeg, &w, &in, "127.0.0.1", 5004);
    world_do(&w, "router.createPlainTransport", "room",
             "{'transportId':'tap','options':{'listenInfo':{'ip':'127.0.0.1'}}}");
    world_do(&w, "plainTransport.connect", "tap", "{'ip':'127.0.0.1','port':5004}");
    begin(1000);
    consume_video(&w, "tap", "t", "cam", 9000);
    world_settle(&w);
    assert_int_equal(in.n, 0);
    frames(25);
    assert_true(in.n > 0 && in.rtp[0].key);
}

static void what_is_kept_is_given_back_in_time(void **state)
{
    (void)state;
    begin(1000);
    struct producer *p = producer_of(object_find(&w.worker->objects, OBJECT_PRODUCER, "cam"));
    assert_true(producer_has_gop(p));
    world_do(&w, "transport.closeConsumer", "down", "{'consumerId':'v0'}");
    assert_true(producer_has_gop(p));
    /* Nothing comes any more. */
    world_pass(&w, 700 * USEC_PER_MSEC, NULL, NULL);
    assert_false(producer_has_gop(p));
    assert_int_equal(w.worker->pool.used, 0);
}

static void a_paused_producer_keeps_nothing(void **state)
{
    (void)state;
    begin(1000);
    struct producer *p = producer_of(object_find(&w.worker->objects, OBJECT_PRODUCER, "cam"));
    world_do(&w, "producer.pause", "cam", NULL);
    assert_false(producer_has_gop(p));
}

static void whoever_joins_at_any_time_has_a_key_frame_within_150_ms(void **state)
{
    (void)state;
    static usec joined[VIEWERS_MAX];
    static bool served[VIEWERS_MAX];
    static usec asked[64];
    size_t n_asked = 0;
    unsigned n = 0;
    unsigned whole_from = 0; /* whose packets are all in the inbox */
    usec next;
    produce(1000);
    frames(5);
    next = w.now;
    memset(served, 0, sizeof served);
    while (n < VIEWERS_MAX || w.now < next + 200 * USEC_PER_MSEC) {
        size_t plis = from_alice.plis;
        while (n < VIEWERS_MAX && next <= w.now) {
            joined[n] = w.now;
            join(n);
            if (n >= 4) {
                char id[64];
                snprintf(id, sizeof id, "{'consumerId':'v%u'}", n - 4);
                world_settle(&w);
                if (served[n - 4] && n - 4 >= whole_from)
                    check_decodable(n - 4);
                world_do(&w, "transport.closeConsumer", "down", "%s", id);
            }
            n++;
            next += (usec)(rng_u32(&w.rng) % 60000);
            world_settle(&w);
        }
        frame();
        for (unsigned i = n > 4 ? n - 4 : 0; i < n; i++) {
            size_t at;
            if (served[i] || !nth(i, 0, &at))
                continue;
            served[i] = true;
            assert_true(to_bob.rtp[at].key);
            assert_true(w.now - joined[i] <= 150 * USEC_PER_MSEC);
        }
        for (; plis < from_alice.plis; plis++)
            asked[n_asked++] = w.now;
        if (to_bob.n > INBOX_MAX / 2) {
            to_bob.n = 0;
            whole_from = n;
        }
    }
    for (size_t i = 1; i < n_asked; i++)
        assert_true(asked[i] - asked[i - 1] >= (1000 - FRAME_MS) * USEC_PER_MSEC);
    assert_true(n_asked > 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_second_viewer_gets_all_since_the_key_frame_at_once),
        TEST(its_newest_frame_keeps_its_time_and_the_others_lie_close_before),
        TEST(a_request_that_may_be_sent_is_sent_instead),
        TEST(without_a_delay_nothing_is_kept),
        TEST(who_plays_and_lost_its_reference_is_not_served_from_the_cache),
        TEST(a_packet_that_is_still_to_come_finds_its_place),
        TEST(a_hole_for_good_and_a_request_is_waited_for),
        TEST(a_short_pause_does_not_send_a_viewer_back_in_time),
        TEST(a_longer_pause_ends_with_the_cache),
        TEST(what_a_slow_viewer_would_get_later_than_the_next_key_frame_is_not_sent),
        TEST(what_is_no_viewer_is_not_served_from_the_cache),
        TEST(what_is_kept_is_given_back_in_time),
        TEST(a_paused_producer_keeps_nothing),
        TEST(whoever_joins_at_any_time_has_a_key_frame_within_150_ms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
