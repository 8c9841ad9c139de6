/* The send-side estimate of a WebRTC transport: a browser behind a link of its own rate answers
 * with transport-wide feedback, or with REMB. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rtcp_fb.h"
#include "proto/rtcp_report.h"
#include "proto/rtp_ext.h"
#include "proto/twcc.h"
#include "test/lib/stage.h"
#include "worker/bwe/twcc_receiver.h"

enum {
    EYE_SSRC = 6000,
    EYE_RTX_SSRC = 6001,
    WAITING = 8192,
    PAYLOAD = 1000,
    LINK_DELAY_US = 20 * 1000,
    LINK_QUEUE_US = 300 * 1000
};

/* What the worker sent to bob is on its way over this link until it is reported. */
static struct {
    uint64_t bps;        /* 0: unlimited */
    unsigned lose_every; /* 0: none */
    bool silent;         /* no feedback */
    usec idle_at;
    uint16_t number[WAITING];
    usec at[WAITING];
    size_t head;
    size_t tail;
    unsigned packets;
    unsigned rtx;
    unsigned padding_only;
    uint16_t rtx_seq;
    uint16_t media_seq; /* newest */
    unsigned rtx_gaps;
    uint64_t rtx_bytes;
    uint64_t media_bytes;
    struct twcc_receiver receiver;
} path;

static struct world w;
static struct browser alice;
static struct browser bob;
static uint64_t source_bps;
static usec source_at;
static double source_bytes;
static size_t source_size;
static uint16_t source_seq;
static bool source_key; /* the next packet begins a key frame */

static void arrive(struct browser *b, uint8_t *bytes, size_t n)
{
    (void)b;
    struct rtp_view v;
    uint16_t number;
    assert_int_equal(rtp_parse(&v, bytes, n), OK);
    if (v.ssrc == EYE_RTX_SSRC) {
        assert_int_equal(v.payload_type, OUT_VIDEO_RTX_PT);
        path.rtx_gaps += path.rtx > 0 && (uint16_t)(v.seq - path.rtx_seq) != 1;
        path.rtx_seq = v.seq;
        path.rtx++;
        path.rtx_bytes += n;
        path.padding_only += v.payload_len == 0;
    } else {
        path.media_bytes += n;
        path.media_seq = v.seq;
    }
    if (rtp_ext_read_twcc(rtp_ext_find(&v, OUT_EXT_TWCC), &number) != OK)
        return;
    path.packets++;
    usec start = path.idle_at > w.now ? path.idle_at : w.now;
    bool lost = path.lose_every > 0 && path.packets % path.lose_every == 0;
    if (lost || start - w.now > LINK_QUEUE_US)
        return;
    path.idle_at = start + (path.bps ? (usec)(n * 8 * 1000000 / path.bps) : 0);
    path.number[path.tail % WAITING] = number;
    path.at[path.tail++ % WAITING] = path.idle_at + LINK_DELAY_US;
    assert_true(path.tail - path.head < WAITING);
}

static void ignore(struct browser *b, uint8_t *bytes, size_t n)
{
    (void)b;
    (void)bytes;
    (void)n;
}

static void send_video(void)
{
    struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                         .pt = VIDEO_PT,
                         .seq = source_seq,
                         .timestamp = source_seq * 3000U,
                         .key = source_key,
                         .marker = true,
                         .size = source_size};
    uint8_t buf[1500];
    source_seq++;
    source_key = false;
    assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s)));
}

static void send_rtcp(const struct wr *out)
{
    assert_false(out->bad);
    if (wr_len(out) > 0)
        assert_true(rtc_peer_send_rtcp(&bob.peer, out->start, wr_len(out)));
}

static void tick(void *ctx, usec now)
{
    (void)ctx;
    rtc_peer_timeout(&alice.peer, now); /* consent */
    rtc_peer_timeout(&bob.peer, now);
    source_bytes += (double)(now - source_at) * (double)source_bps / 8e6;
    source_at = now;
    for (; source_bytes >= (double)source_size; source_bytes -= (double)source_size)
        send_video();
    for (; path.head < path.tail && path.at[path.head % WAITING] <= now; path.head++)
        twcc_receiver_input(&path.receiver, path.at[path.head % WAITING],
                            path.number[path.head % WAITING]);
    if (path.silent || twcc_receiver_deadline(&path.receiver) > now)
        return;
    uint8_t buf[1200];
    struct wr out = wr_of(buf, sizeof buf);
    twcc_receiver_timeout(&path.receiver, now, 1, EYE_SSRC, &out);
    send_rtcp(&out);
}

static void pass(usec time)
{
    source_at = w.now;
    world_pass(&w, time, tick, NULL);
}

/* -1: none is told. */
static int64_t stat_of(const char *name)
{
    json_t *stats = world_call(&w, "transport.getStats", "down", NULL, NULL);
    json_t *first = json_array_get(json_object_get(stats, "stats"), 0);
    json_t *v = json_object_get(first ? first : stats, name);
    int64_t value = v ? (int64_t)json_integer_value(v) : -1;
    json_decref(stats);
    return value;
}

static int64_t available(void)
{
    return stat_of("availableOutgoingBitrate");
}

static void consume(const char *id, uint32_t ssrc, const char *feedback)
{
    char json[4096];
    const char *text = consume_video_json(id, "cam", ssrc);
    const char *at = strstr(text, "{'type':'nack'}");
    assert_non_null(at);
    snprintf(json, sizeof json, "%.*s{'type':'%s'},%s", (int)(at - text), text, feedback, at);
    world_do(&w, "transport.consume", "down", "%s", json);
}

static void start(const char *options)
{
    memset(&path, 0, sizeof path);
    twcc_receiver_init(&path.receiver);
    source_bps = 0;
    source_bytes = 0;
    source_size = PAYLOAD;
    source_seq = 0;
    source_key = true;
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "up", false);
    w.transport_options = options;
    browser_connect(&bob, &w, "room", "down", false);
    alice.on_rtcp = ignore;
    bob.on_rtp = arrive;
    bob.on_rtcp = ignore;
    produce_video(&w, "up", "cam");
}

static int set_up(void **state)
{
    (void)state;
    start(NULL);
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

static void without_feedback_negotiated_nothing_is_estimated(void **state)
{
    (void)state;
    consume_video(&w, "down", "eye", "cam", EYE_SSRC);
    source_bps = 1000000;
    pass(2 * USEC_PER_SEC);
    assert_int_equal(available(), -1);
    assert_int_equal(path.rtx, 0);
    assert_int_equal(stat_of("probationBytesSent"), 0);
}

static void feedback_raises_the_estimate_to_what_is_used(void **state)
{
    (void)state;
    consume("eye", EYE_SSRC, "transport-cc");
    assert_int_equal(available(), 600000);
    source_bps = 3000000;
    pass(8 * USEC_PER_SEC);
    assert_in_range(available(), 2700000, 6000000);
    assert_true(path.packets > 2000);
}

static void the_estimate_starts_where_the_transport_says(void **state)
{
    (void)state;
    world_fini(&w);
    browser_fini(&alice);
    browser_fini(&bob);
    start("{'initialAvailableOutgoingBitrate':1234000}");
    assert_int_equal(available(), -1);
    consume("eye", EYE_SSRC, "transport-cc");
    assert_int_equal(available(), 1234000);
}

static void a_link_that_narrows_lowers_it(void **state)
{
    (void)state;
    consume("eye", EYE_SSRC, "transport-cc");
    source_bps = 3000000;
    path.bps = 10000000;
    pass(6 * USEC_PER_SEC);
    assert_true(available() > 2000000);
    path.bps = 1000000;
    pass(6 * USEC_PER_SEC);
    assert_in_range(available(), 300000, 1200000);
}

static void loss_lowers_it(void **state)
{
    (void)state;
    consume("eye", EYE_SSRC, "transport-cc");
    source_bps = 3000000;
    pass(6 * USEC_PER_SEC);
    int64_t before = available();
    path.lose_every = 2;
    pass(6 * USEC_PER_SEC);
    assert_true(available() < before * 3 / 4);
}

static void without_an_answer_it_backs_off(void **state)
{
    (void)state;
    consume("eye", EYE_SSRC, "transport-cc");
    source_bps = 1000000;
    pass(3 * USEC_PER_SEC);
    int64_t before = available();
    path.silent = true;
    pass(4 * USEC_PER_SEC);
    assert_true(available() <= before / 2);
}

static void limits_hold(void **state)
{
    (void)state;
    world_do(&w, "transport.setMaxOutgoingBitrate", "down", "{'maxOutgoingBitrate':400000}");
    consume("eye", EYE_SSRC, "transport-cc");
    assert_int_equal(available(), 400000);
    source_bps = 3000000;
    world_do(&w, "transport.setMaxOutgoingBitrate", "down", "{'maxOutgoingBitrate':900000}");
    pass(6 * USEC_PER_SEC);
    assert_in_range(available(), 700000, 900000);
    world_do(&w, "transport.setMaxOutgoingBitrate", "down", "{'maxOutgoingBitrate':800000}");
    assert_true(available() <= 800000);
    world_do(&w, "transport.setMinOutgoingBitrate", "down", "{'minOutgoingBitrate':500000}");
    path.bps = 200000;
    pass(6 * USEC_PER_SEC);
    assert_int_equal(available(), 500000);
}

static void probes_are_padding_on_the_rtx_stream_and_end_at_what_is_used(void **state)
{
    (void)state;
    source_bps = 1500000;
    pass(2 * USEC_PER_SEC);
    consume("eye", EYE_SSRC, "transport-cc");
    source_key = true;
    pass(10 * USEC_PER_SEC);
    assert_true(path.rtx > 5);
    assert_true(path.padding_only > 0);
    assert_int_equal(path.rtx_gaps, 0);
    assert_true(stat_of("probationBytesSent") > 0);
    assert_true((uint64_t)stat_of("probationBytesSent") <= path.rtx_bytes);
    assert_int_equal(stat_of("rtxBytesSent"), 0);
    assert_true(path.rtx_bytes < path.media_bytes / 10);
    assert_true(available() < 9000000);
    unsigned before = path.rtx;
    pass(10 * USEC_PER_SEC);
    assert_int_equal(path.rtx, before);
}

static void small_packets_are_sent_again_as_probes(void **state)
{
    (void)state;
    source_bps = 1500000;
    source_size = 300;
    pass(2 * USEC_PER_SEC);
    source_key = true;
    consume("eye", EYE_SSRC, "transport-cc");
    pass(3 * USEC_PER_SEC);
    assert_true(path.rtx > path.padding_only);
    assert_int_equal(path.rtx_gaps, 0);
}

static void nobody_who_watches_needs_a_probe(void **state)
{
    (void)state;
    consume("eye", EYE_SSRC, "transport-cc");
    source_bps = 1000000;
    pass(1 * USEC_PER_SEC);
    world_do(&w, "consumer.pause", "eye", NULL);
    pass(1 * USEC_PER_SEC);
    unsigned before = path.rtx;
    unsigned packets = path.packets;
    pass(20 * USEC_PER_SEC);
    assert_int_equal(path.rtx, before);
    assert_int_equal(path.packets, packets);
}

static void send_remb(uint64_t bps)
{
    uint8_t buf[64];
    uint32_t ssrc = EYE_SSRC;
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_remb(&out, 1, bps, &ssrc, 1);
    send_rtcp(&out);
    world_settle(&w);
}

static void remb_counts_where_there_is_nothing_else(void **state)
{
    (void)state;
    consume("eye", EYE_SSRC, "goog-remb");
    path.silent = true;
    source_bps = 1000000;
    pass(1 * USEC_PER_SEC);
    send_remb(300000);
    assert_in_range(available(), 290000, 300000);
    assert_int_equal(path.rtx, 0);
    send_remb(UINT64_MAX);
    assert_true(available() > 0);
    /* A consumer with transport-wide feedback makes it the better source. */
    path.silent = false;
    consume("other", EYE_SSRC + 100, "transport-cc");
    assert_int_equal(available(), 600000);
    send_remb(100000);
    assert_int_equal(available(), 600000);
    pass(4 * USEC_PER_SEC);
    assert_true(available() > 1000000);
}

static void losses_in_reports_lower_an_estimate_by_remb(void **state)
{
    (void)state;
    consume("eye", EYE_SSRC, "goog-remb");
    source_bps = 1000000;
    pass(1 * USEC_PER_SEC);
    send_remb(2000000);
    int64_t before = available();
    for (int i = 0; i < 20; i++) {
        uint8_t buf[64];
        struct rtcp_report r = {.ssrc = EYE_SSRC, .fraction_lost = 128, .lost = 10 * i};
        struct wr out = wr_of(buf, sizeof buf);
        rtcp_write_rr(&out, 99, &r, 1);
        send_rtcp(&out);
        pass(500 * USEC_PER_MSEC);
    }
    assert_true(available() < before / 2);
}

static void lose_the_last(unsigned n)
{
    uint8_t buf[256];
    uint16_t seqs[128];
    struct wr out = wr_of(buf, sizeof buf);
    for (unsigned i = 0; i < n; i++)
        seqs[i] = (uint16_t)(path.media_seq - n + 1 + i);
    rtcp_write_nack(&out, 1, EYE_SSRC, seqs, n);
    send_rtcp(&out);
    world_settle(&w);
}

static void what_is_sent_again_takes_no_more_than_the_estimate(void **state)
{
    (void)state;
    consume("eye", EYE_SSRC, "goog-remb");
    path.silent = true;
    source_bps = 1000000;
    pass(1 * USEC_PER_SEC);
    source_bps = 0;
    send_remb(100000);
    unsigned before = path.rtx;
    lose_the_last(100);
    assert_in_range(path.rtx - before, 8, 14);
    lose_the_last(100);
    assert_in_range(path.rtx - before, 8, 14);
    send_remb(10000000);
    lose_the_last(100);
    assert_in_range(path.rtx - before, 80, 120);
}

static void changes_are_traced_when_asked_for(void **state)
{
    (void)state;
    consume("eye", EYE_SSRC, "transport-cc");
    source_bps = 2000000;
    pass(1 * USEC_PER_SEC);
    assert_int_equal(world_events(&w, "down", "transport.trace"), 0);
    world_do(&w, "transport.enableTraceEvent", "down", "{'events':['bwe']}");
    path.bps = 500000;
    pass(5 * USEC_PER_SEC);
    assert_in_range(world_events(&w, "down", "transport.trace"), 2, 60);
    json_t *event = world_last_event(&w, "down", "transport.trace");
    json_t *info = json_object_get(event, "info");
    assert_string_equal(json_string_value(json_object_get(event, "type")), "bwe");
    assert_string_equal(json_string_value(json_object_get(info, "bweType")), "transport-cc");
    assert_in_range(json_integer_value(json_object_get(info, "desiredBitrate")), 1500000, 2600000);
    assert_true(json_integer_value(json_object_get(info, "availableBitrate")) < 1500000);
}

static void hostile_feedback_changes_nothing(void **state)
{
    (void)state;
    consume("eye", EYE_SSRC, "transport-cc");
    path.silent = true;
    for (unsigned i = 0; i < 2000; i++) {
        struct twcc_arrival a[2] = {{(uint16_t)(i * 37), 1}, {(uint16_t)(i * 37 + 1), 2}};
        uint8_t buf[256];
        size_t taken;
        struct wr out = wr_of(buf, sizeof buf);
        assert_int_equal(twcc_write(&out, 1, EYE_SSRC, (uint8_t)i, a[0].seq, a, 2, &taken), OK);
        send_rtcp(&out);
        world_settle(&w);
    }
    assert_int_equal(available(), 600000);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(without_feedback_negotiated_nothing_is_estimated),
        T(feedback_raises_the_estimate_to_what_is_used),
        T(the_estimate_starts_where_the_transport_says),
        T(a_link_that_narrows_lowers_it),
        T(loss_lowers_it),
        T(without_an_answer_it_backs_off),
        T(limits_hold),
        T(probes_are_padding_on_the_rtx_stream_and_end_at_what_is_used),
        T(small_packets_are_sent_again_as_probes),
        T(nobody_who_watches_needs_a_probe),
        T(remb_counts_where_there_is_nothing_else),
        T(losses_in_reports_lower_an_estimate_by_remb),
        T(what_is_sent_again_takes_no_more_than_the_estimate),
        T(changes_are_traced_when_asked_for),
        T(hostile_feedback_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
