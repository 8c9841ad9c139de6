/* Whole calls over links that lose: a camera, the worker, a viewer, all of the real code, in
 * virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/rtcp_fb.h"
#include "test/lib/call.h"

#define SECONDS(n) ((n)*USEC_PER_SEC)
#define MS(n) ((n)*USEC_PER_MSEC)

static struct call call;

static int set_up(void **state)
{
    (void)state;
    call_open(&call, (struct link_config){.delay = MS(50)}, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    call_close(&call);
    return 0;
}

/* Five percent of what each leg carries, media and feedback, each leg with a round trip of 100 ms
 * of its own. */
static void five_percent_loss_each_way_is_repaired_within_400_ms(void **state)
{
    (void)state;
    uint32_t all = 0;
    uint32_t in_time = 0;
    call_close(&call);
    for (uint64_t seed = 1; seed <= 4; seed++) {
        uint32_t n;
        call_open(&call, (struct link_config){.delay = MS(50), .loss = 0.05}, seed);
        call_run(&call, SECONDS(30));
        uint32_t to = call.camera.n;
        call_run(&call, SECONDS(1));
        in_time += call_in_time(&call, to, MS(400), &n);
        all += n;
        assert_true(n > 8000);
        assert_true(call.camera.path.up.stats.lost > 300);
        assert_int_equal(call.viewer.twice, 0);
        /* What was lost came again, and not much more than that. */
        assert_true(call.viewer.rtx < 2 * call.viewer.path.down.stats.lost);
        /* Nothing needed another key frame. */
        assert_in_range(call.camera.keys, 1, 3);
        call_close(&call);
    }
    print_message("%u of %u packets within 400 ms: %.3f %%\n", in_time, all, 100.0 * in_time / all);
    call_open(&call, (struct link_config){0}, 1);
    assert_true((double)in_time >= 0.995 * all);
}

/* A viewer that joins again and again, over a way that loses a tenth and lets packets overtake each
 * other: the key frame that was asked for is the one that it begins with. */
static void a_key_frame_that_comes_reordered_or_retransmitted_is_not_lost(void **state)
{
    (void)state;
    enum { JOINS = 80 };
    struct link_config leg = {.delay = MS(20), .loss = 0.1, .reorder = 0.1, .reorder_by = MS(15)};
    unsigned complete = 0;
    call_close(&call);
    call_open(&call, leg, 7);
    call_run(&call, SECONDS(2));
    for (int i = 0; i < JOINS; i++) {
        struct camera *cam = &call.camera;
        world_do(&call.world, "consumer.pause", "eye", NULL);
        call_run(&call, MS(1400));
        unsigned keys = cam->keys;
        uint32_t from = cam->n;
        world_do(&call.world, "consumer.resume", "eye", NULL);
        call_run(&call, MS(900));
        /* The first key frame since: all of it is there, and no other was needed. */
        while (from < cam->n && !cam->of_key[from])
            from++;
        bool whole = from + CALL_KEY_PACKETS <= cam->n;
        for (uint32_t k = from; whole && k < from + CALL_KEY_PACKETS; k++)
            whole = call.viewer.got_at[k] != 0;
        complete += whole && cam->keys <= keys + 1;
    }
    print_message("%u of %u joins by the first key frame\n", complete, JOINS);
    /* The request itself may be lost: it is repeated, but is on its way twice then. */
    assert_true(complete >= JOINS * 95 / 100);
}

static uint64_t repeated; /* on the RTX stream after the last frame */

static uint32_t stop_with(unsigned lose_up, unsigned lose_down)
{
    struct camera *cam = &call.camera;
    call_run(&call, SECONDS(3) + MS(7));
    cam->frame_every = 0;
    /* One last frame, of which the end gets lost. */
    call_run(&call, SECONDS(1));
    cam->frame_every = SECONDS(100);
    cam->next_frame = call.world.now;
    uint32_t n = cam->n;
    uint64_t rtx = call.viewer.rtx;
    cam->path.lose_up_after = lose_up > 0 ? CALL_FRAME_PACKETS - lose_up : 0;
    call.viewer.path.lose_down_after = lose_down > 0 ? CALL_FRAME_PACKETS - lose_down : 0;
    cam->path.lose_up = lose_up;
    call.viewer.path.lose_down = lose_down;
    call_run(&call, SECONDS(1));
    assert_int_equal(cam->n, n + CALL_FRAME_PACKETS);
    repeated = call.viewer.rtx - rtx;
    assert_int_equal(cam->path.lose_up, 0);
    assert_int_equal(call.viewer.path.lose_down, 0);
    uint32_t all;
    return call_in_time(&call, cam->n, MS(400), &all) == all ? 0 : 1;
}

static void a_tail_that_was_lost_on_its_way_to_the_worker_is_found(void **state)
{
    (void)state;
    assert_int_equal(stop_with(1, 0), 0);
}

static void a_tail_of_several_packets_too(void **state)
{
    (void)state;
    assert_int_equal(stop_with(4, 0), 0);
}

static void a_tail_that_was_lost_on_its_way_to_the_viewer_is_found(void **state)
{
    (void)state;
    assert_int_equal(stop_with(0, 1), 0);
}

static void a_tail_of_several_packets_to_the_viewer_too(void **state)
{
    (void)state;
    assert_int_equal(stop_with(0, 4), 0);
}

static void without_anything_lost_a_stream_that_ends_is_not_asked_for(void **state)
{
    (void)state;
    assert_int_equal(stop_with(0, 0), 0);
    assert_int_equal(call.camera.send.nack_packets, 0);
    /* The end of the frame, twice; and there may be a probe. */
    assert_in_range(repeated, 1, 4);
}

/* A viewer that says that nothing ever comes, on a way of almost no length. */
static void a_viewer_that_asks_for_everything_gets_at_most_as_much_again(void **state)
{
    (void)state;
    static uint16_t seqs[1000];
    uint8_t bytes[1200];
    call_close(&call);
    call_open(&call, (struct link_config){.delay = 100}, 3);
    call_run(&call, SECONDS(3));
    uint32_t before = call.camera.n;
    uint64_t rtx = call.viewer.rtx;
    for (int i = 0; i < 1000; i++) {
        uint16_t newest = (uint16_t)call.viewer.recv.rtp.highest;
        for (uint16_t k = 0; k < 1000; k++)
            seqs[k] = (uint16_t)(newest - 999 + k);
        struct wr w = wr_of(bytes, sizeof bytes);
        rtcp_write_nack(&w, 1, CALL_VIEWER_SSRC, seqs, 1000);
        call_viewer_rtcp(&call, &w);
        call_run(&call, MS(10));
    }
    uint64_t again = call.viewer.rtx - rtx;
    uint32_t sent = call.camera.n - before;
    print_message("%u packets, %u again\n", sent, (unsigned)again);
    assert_true(again > sent / 2);
    assert_true(again <= sent + SEND_RESENDS_SAVED);
    /* And who needs it afterwards gets it. */
    call_run(&call, SECONDS(4));
    uint32_t from = call.camera.n;
    call.viewer.path.lose_down = 20;
    call_run(&call, SECONDS(1));
    for (uint32_t k = from; k < from + 20; k++)
        assert_in_range(call.viewer.got_at[k] - call.camera.sent_at[k], 1, MS(400));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(five_percent_loss_each_way_is_repaired_within_400_ms),
        T(a_key_frame_that_comes_reordered_or_retransmitted_is_not_lost),
        T(a_tail_that_was_lost_on_its_way_to_the_worker_is_found),
        T(a_tail_of_several_packets_too),
        T(a_tail_that_was_lost_on_its_way_to_the_viewer_is_found),
        T(a_tail_of_several_packets_to_the_viewer_too),
        T(without_anything_lost_a_stream_that_ends_is_not_asked_for),
        T(a_viewer_that_asks_for_everything_gets_at_most_as_much_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
