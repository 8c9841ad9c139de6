/* The usual call of the tests with a real worker: alice sends Opus and VP8 (stage.h's streams), bob
 * receives both. */
#ifndef WEIR_TEST_INTEGRATION_CALL_H
#define WEIR_TEST_INTEGRATION_CALL_H

#include "test/integration/live.h"
#include "test/lib/web_peer.h"

enum { EAR_SSRC = 5001, EYE_SSRC = 6000, EYE_RTX_SSRC = 6001 };

struct call {
    struct net net;
    struct web_peer alice;
    struct web_peer bob;
    uint16_t video_seq;
    uint16_t audio_seq;
    uint32_t video_time;
};

/* A worker and the router "room". */
static inline void call_init(struct call *c, const struct driver_options *options)
{
    memset(c, 0, sizeof *c);
    net_init(&c->net, options);
    driver_do(&c->net.driver, "worker.createRouter", "", "{'routerId':'room'}");
}

/* alice in transport "up" with producers "mic" and "cam", bob in "down" with consumers "ear" and
 * "eye"; all connected. */
static inline void call_open(struct call *c, const struct web_peer_options *alice,
                             const struct web_peer_options *bob)
{
    struct worker_driver *d = &c->net.driver;
    web_peer_open(&c->alice, &c->net, "room", "up", alice);
    web_peer_open(&c->bob, &c->net, "room", "down", bob);
    driver_do(d, "transport.produce", "up", "%s", produce_audio_json("mic"));
    driver_do(d, "transport.produce", "up", "%s", produce_video_json("cam"));
    driver_do(d, "transport.consume", "down", "%s", consume_audio_json("ear", "mic", EAR_SSRC));
    driver_do(d, "transport.consume", "down", "%s", consume_video_json("eye", "cam", EYE_SSRC));
}

/* Ends the worker, which must end cleanly, and the peers. NULL or what was wrong. */
static inline const char *call_fini(struct call *c)
{
    const char *wrong = c->net.driver.events ? driver_stop(&c->net.driver) : NULL;
    if (c->alice.in)
        web_peer_fini(&c->alice);
    if (c->bob.in)
        web_peer_fini(&c->bob);
    return wrong;
}

static inline void call_send_audio(struct call *c)
{
    uint8_t buf[1500];
    struct rtp_spec s = {.ssrc = AUDIO_SSRC,
                         .pt = AUDIO_PT,
                         .seq = c->audio_seq,
                         .timestamp = (uint32_t)c->audio_seq * 960,
                         .audio_level = 30,
                         .mid = "0"};
    c->audio_seq++;
    assert_true(rtc_peer_send_rtp(&c->alice.rtc, buf, rtp_build(buf, &s)));
}

/* One frame of one packet. */
static inline void call_send_video(struct call *c, bool key)
{
    uint8_t buf[1500];
    struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                         .pt = VIDEO_PT,
                         .seq = c->video_seq,
                         .timestamp = c->video_time,
                         .key = key,
                         .marker = true,
                         .twcc = c->video_seq,
                         .has_twcc = true,
                         .size = 1000};
    c->video_seq++;
    c->video_time += 3000;
    assert_true(rtc_peer_send_rtp(&c->alice.rtc, buf, rtp_build(buf, &s)));
}

/* A key frame, and on to bob. */
static inline void call_start_video(struct call *c)
{
    size_t before = inbox_count(c->bob.in, EYE_SSRC);
    call_send_video(c, true);
    UNTIL(&c->net, inbox_count(c->bob.in, EYE_SSRC) == before + 1);
}

/* Packets to bob that were not sent before: after a silence, the newest comes again as RTX. */
static inline size_t call_got(const struct call *c)
{
    return inbox_count(c->bob.in, EAR_SSRC) + inbox_count(c->bob.in, EYE_SSRC);
}

/* Index of the newest that bob got of his video that was not sent before. */
static inline size_t call_newest_video(const struct call *c)
{
    size_t i = c->bob.in->n;
    while (i > 0 && c->bob.in->rtp[i - 1].ssrc != EYE_SSRC)
        i--;
    assert_true(i > 0);
    return i - 1;
}

static inline int call_up(void **state)
{
    struct call *c = calloc(1, sizeof *c);
    if (!c)
        return -1;
    *state = c;
    call_init(c, NULL);
    call_open(c, NULL, NULL);
    return 0;
}

static inline int call_down(void **state)
{
    struct call *c = *state;
    const char *wrong = call_fini(c);
    if (wrong)
        print_error("%s\n", wrong);
    free(c);
    return wrong ? -1 : 0;
}

#define call_test(f) cmocka_unit_test_setup_teardown(f, call_up, call_down)

#endif
