/* Synchronisation over an hour: a sender whose clocks drift, audio and video that take different
 * times on their way, simulcast that switches, a pipe between two rooms. What a receiver computes
 * from the worker's sender reports must be when each packet was captured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/rtcp.h"
#include "proto/rtcp_report.h"
#include "test/lib/layer_model.h"
#include "test/lib/link.h"
#include "test/lib/stage.h"
#include "worker/rtp/ntp.h"
#include "worker/rtp/sr_map.h"

#define SECONDS(n) ((n)*USEC_PER_SEC)
#define MS(n) ((n)*USEC_PER_MSEC)
/* The sender's wall clock at its time 0. */
#define WALL (3900000000ULL << 32)

enum {
    AUDIO_OUT = 5000,
    VIDEO_OUT = 7000,
    LAYER_SSRC = 1000,
    AUDIO_EVERY_US = 60 * 1000,
    VIDEO_EVERY_US = 100 * 1000,
    AUDIO_PACKETS = 1 << 17,
    PORT_A = 5001,
    PORT_B = 5002,
    PPM = 100,
    LIMIT_US = 20 * 1000
};

/* One end of the pipe: what is sent to its address arrives by the other's socket. */
struct end {
    struct endpoint endpoint;
    struct end *other;
    uint16_t sock;
};

static const struct model_mode vp8 = {.name = "VP8",
                                      .codec = CODEC_VP8,
                                      .n_streams = 3,
                                      .n_spatial = 1,
                                      .n_temporal = 1,
                                      .id_bits = 15,
                                      .no_temporal_marks = true};

static struct world w;
static struct browser alice;
static struct browser bob;
static struct inbox from_alice;
static struct model model;
static struct link audio_way;
static struct link video_way;
static struct end a;
static struct end b;

/* The sender's clocks: its own runs fast; that of its microphone runs slow. */
static usec system_clock(usec t)
{
    return t + t * PPM / 1000000;
}

static usec microphone_clock(usec t)
{
    return t - t * PPM / 1000000;
}

static uint64_t wall(usec t)
{
    return WALL + ntp_of_usec(system_clock(t));
}

/* ---- what the receiver makes of it ---- */

static struct {
    struct sr_map audio;
    struct sr_map video;
    usec audio_error; /* of the newest packet: told minus true time of capture */
    bool audio_known;
    usec worst;
    uint32_t pairs;
    uint32_t frames;
    unsigned changes; /* of the layer */
    uint8_t stream;
} seen;

static usec captured_audio[AUDIO_PACKETS]; /* true time, by packet */

static usec error_of(const struct sr_map *m, uint32_t rtp, usec captured)
{
    uint64_t ntp;
    assert_true(sr_map_ntp(m, rtp, &ntp));
    return ntp_diff(ntp, wall(captured));
}

static void on_audio(const struct rtp_view *v)
{
    struct rd r = rd_slice(rtp_payload_slice(v));
    uint32_t index = rd_u32(&r);
    assert_true(index < AUDIO_PACKETS);
    if (!seen.audio.valid)
        return;
    seen.audio_error = error_of(&seen.audio, v->timestamp, captured_audio[index]);
    seen.audio_known = true;
}

static void on_video(const struct rtp_view *v)
{
    uint32_t frame;
    uint8_t index;
    if (!model_identify(v, &frame, &index))
        return;
    const struct model_frame *f = &model.frames[frame];
    seen.frames++;
    seen.changes += f->stream != seen.stream;
    seen.stream = f->stream;
    if (!seen.video.valid || !seen.audio_known)
        return;
    /* The model's time is that of the sender's clock. */
    uint64_t ntp;
    assert_true(sr_map_ntp(&seen.video, v->timestamp, &ntp));
    usec error = ntp_diff(ntp, WALL + ntp_of_usec(f->captured));
    usec apart = error - seen.audio_error;
    apart = apart < 0 ? -apart : apart;
    seen.pairs++;
    if (apart > seen.worst)
        seen.worst = apart;
}

static void on_rtp(struct browser *browser, uint8_t *bytes, size_t n)
{
    struct rtp_view v;
    (void)browser;
    assert_int_equal(rtp_parse(&v, bytes, n), OK);
    if (v.ssrc == AUDIO_OUT)
        on_audio(&v);
    else if (v.ssrc == VIDEO_OUT)
        on_video(&v);
}

static void on_rtcp(struct browser *browser, uint8_t *bytes, size_t n)
{
    struct rtcp_reader reader;
    struct rtcp_block block;
    struct rtcp_sr sr;
    (void)browser;
    assert_int_equal(rtcp_reader_init(&reader, bytes, n), OK);
    while (rtcp_next(&reader, &block)) {
        if (block.kind != RTCP_KIND_SR || rtcp_parse_sr(&block, &sr) != OK)
            continue;
        if (sr.ssrc == AUDIO_OUT)
            sr_map_update(&seen.audio, w.now, sr.ntp, sr.rtp_timestamp);
        else if (sr.ssrc == VIDEO_OUT)
            sr_map_update(&seen.video, w.now, sr.ntp, sr.rtp_timestamp);
    }
}

/* ---- the sender ---- */

static uint32_t n_audio;

static void launch(struct link *way, const struct wr *out)
{
    assert_false(out->bad);
    link_send(way, w.now, out->start, wr_len(out));
}

static void send_audio(usec t)
{
    uint8_t bytes[200];
    struct wr out = wr_of(bytes, sizeof bytes);
    uint32_t timestamp = 0xfff00000U + (uint32_t)(microphone_clock(t) * 48 / 1000);
    assert_true(n_audio < AUDIO_PACKETS);
    captured_audio[n_audio] = t;
    rtp_write_header(&out, n_audio == 0, AUDIO_PT, (uint16_t)n_audio, timestamp, AUDIO_SSRC);
    wr_u32(&out, n_audio++);
    wr_zeros(&out, 40);
    launch(&audio_way, &out);
}

static void send_video(usec t)
{
    struct model_packet packets[MODEL_PICTURE_PACKETS];
    for (uint8_t i = 0; i < model.mode.n_streams; i++) {
        size_t n = model_picture(&model, i, system_clock(t), packets);
        for (size_t k = 0; k < n; k++)
            link_send(&video_way, w.now, packets[k].data, packets[k].len);
    }
}

static void send_report(struct link *way, usec t, uint32_t ssrc, uint32_t timestamp)
{
    uint8_t bytes[64];
    struct wr out = wr_of(bytes, sizeof bytes);
    struct rtcp_sr sr = {.ssrc = ssrc, .ntp = wall(t), .rtp_timestamp = timestamp};
    rtcp_write_sr(&out, &sr, NULL, 0);
    launch(way, &out);
}

static void send_reports(usec t)
{
    send_report(&audio_way, t, AUDIO_SSRC,
                0xfff00000U + (uint32_t)(microphone_clock(t) * 48 / 1000));
    for (uint8_t i = 0; i < model.mode.n_streams; i++)
        send_report(&video_way, t, (uint32_t)(LAYER_SSRC + i),
                    (uint32_t)(system_clock(t) * MODEL_CLOCK / USEC_PER_SEC) +
                        model.streams[i].ts_offset);
}

static void arrive(struct link *way)
{
    uint8_t bytes[2048];
    size_t n;
    while (link_receive(way, w.now, bytes, &n)) {
        bool rtcp = bytes[1] >= 192 && bytes[1] <= 223;
        assert_true(rtcp ? rtc_peer_send_rtcp(&alice.peer, bytes, n)
                         : rtc_peer_send_rtp(&alice.peer, bytes, n));
    }
}

/* ---- the rooms ---- */

#define CODEC "'mimeType':'video/VP8','payloadType':%d,'clockRate':90000,'rtcpFeedback':[{'type':"
#define FEEDBACK "'nack'},{'type':'nack','parameter':'pli'}]"

static const char *list(const char *member, uint32_t first, const char *mapped, uint32_t to)
{
    static char texts[4][512];
    static unsigned next;
    char *text = texts[next++ % 4];
    text[0] = '\0';
    for (unsigned i = 0; i < model.mode.n_streams; i++) {
        size_t n = strlen(text);
        snprintf(text + n, 512 - n, "%s{'%s':%u", i > 0 ? "," : "", member, first + i);
        n = strlen(text);
        if (mapped)
            snprintf(text + n, 512 - n, ",'%s':%u", mapped, to + i);
        n = strlen(text);
        snprintf(text + n, 512 - n, "}");
    }
    return text;
}

static void produce_layers(const char *transport, const char *id, int pt, uint32_t ssrc,
                           uint32_t mapped)
{
    world_do(&w, "transport.produce", transport,
             "{'producerId':'%s','kind':'video','rtpParameters':{'codecs':[{" CODEC FEEDBACK
             "}],'encodings':[%s],'rtcp':{'cname':'alice'}},'rtpMapping':{'codecs':[{'payloadType':"
             "%d,'mappedPayloadType':101}],'encodings':[%s]}}",
             id, pt, list("ssrc", ssrc, NULL, 0), pt, list("ssrc", ssrc, "mappedSsrc", mapped));
}

static void consume_layers(const char *transport, const char *id, const char *producer,
                           const char *type, const char *encodings, uint32_t consumable)
{
    world_do(&w, "transport.consume", transport,
             "{'consumerId':'%s','producerId':'%s','kind':'video','type':'%s','rtpParameters':{"
             "'codecs':[{" CODEC FEEDBACK
             "}],'encodings':[%s],'rtcp':{'cname':'alice'}},'consumableRtpEncodings':[%s]}",
             id, producer, type, 101, encodings, list("ssrc", consumable, NULL, 0));
}

static void relay(struct endpoint *e, uint8_t *bytes, size_t n)
{
    struct end *end = e->ctx;
    world_send(&w, &end->other->endpoint, end->sock, bytes, n);
}

static void open_end(struct end *end, struct end *other, const char *room, const char *id,
                     uint16_t port)
{
    *end = (struct end){.other = other};
    end->endpoint.receive = relay;
    end->endpoint.ctx = end;
    world_add(&w, &end->endpoint, "10.0.0.9", port);
    end->sock = w.next_sock;
    world_do(&w, "router.createPipeTransport", room,
             "{'transportId':'%s','options':{'listenInfo':{'ip':'10.0.0.9','port':%u}}}", id, port);
}

static void join_rooms(void)
{
    open_end(&a, &b, "one", "pipe-a", PORT_A);
    open_end(&b, &a, "two", "pipe-b", PORT_B);
    world_do(&w, "pipeTransport.connect", "pipe-a", "{'ip':'10.0.0.9','port':%u}", PORT_B);
    world_do(&w, "pipeTransport.connect", "pipe-b", "{'ip':'10.0.0.9','port':%u}", PORT_A);
    consume_layers("pipe-a", "out-v", "cam", "pipe", list("ssrc", 7500, NULL, 0), 9000);
    produce_layers("pipe-b", "cam2", 101, 7500, 9000);
    char json[4096];
    snprintf(json, sizeof json, "%s", consume_audio_json("out-a", "mic", 7600));
    memcpy(strstr(json, "'simple'"), "'pipe'  ", 8);
    world_do(&w, "transport.consume", "pipe-a", "%s", json);
    snprintf(json, sizeof json, "%s", produce_audio_json("mic2"));
    for (char *at; (at = strstr(json, "1111"));)
        memcpy(at, "7600", 4);
    for (char *at; (at = strstr(json, "111"));)
        memcpy(at, "100", 3);
    world_do(&w, "transport.produce", "pipe-b", "%s", json);
}

static void open_rooms(bool piped)
{
    struct link_config near = {.delay = MS(20), .jitter = MS(5)};
    struct link_config far = {.delay = MS(150), .jitter = MS(30)};
    world_init(&w);
    memset(&seen, 0, sizeof seen);
    sr_map_init(&seen.audio, 48000);
    sr_map_init(&seen.video, 90000);
    n_audio = 0;
    model_init(&model, &vp8, 5, true);
    link_init(&audio_way, near, 1);
    link_init(&video_way, far, 2);
    world_do(&w, "worker.createRouter", "", "{'routerId':'one'}");
    world_do(&w, "worker.createRouter", "", "{'routerId':'two'}");
    browser_connect(&alice, &w, "one", "up", false);
    browser_connect(&bob, &w, piped ? "two" : "one", "down", false);
    inbox_of_browser(&from_alice, &alice);
    bob.on_rtp = on_rtp;
    bob.on_rtcp = on_rtcp;
    produce_audio(&w, "up", "mic");
    produce_layers("up", "cam", VIDEO_PT, LAYER_SSRC, 9000);
    if (piped)
        join_rooms();
    char encoding[64];
    snprintf(encoding, sizeof encoding, "{'ssrc':%d,'scalabilityMode':'S3T1'}", VIDEO_OUT);
    consume_layers("down", "eye", piped ? "cam2" : "cam", "simulcast", encoding, 9000);
    consume_audio(&w, "down", "ear", piped ? "mic2" : "mic", AUDIO_OUT);
}

static void close_rooms(void)
{
    world_fini(&w);
    browser_fini(&alice);
    browser_fini(&bob);
    model_fini(&model);
    link_fini(&audio_way);
    link_fini(&video_way);
}

/* ---- an hour ---- */

static void tick(void)
{
    usec end = w.now + MS(10);
    while (w.now < end) {
        usec next = usec_min(usec_min(link_deadline(&audio_way), link_deadline(&video_way)),
                             worker_deadline(w.worker));
        w.now = next <= w.now ? w.now + 1 : usec_min(next, end);
        if (worker_deadline(w.worker) <= w.now)
            worker_timeout(w.worker, w.now);
        world_settle(&w);
        arrive(&audio_way);
        arrive(&video_way);
        world_settle(&w);
    }
    from_alice.n = 0;
    if (rtc_peer_deadline(&alice.peer) <= w.now)
        rtc_peer_timeout(&alice.peer, w.now);
    if (rtc_peer_deadline(&bob.peer) <= w.now)
        rtc_peer_timeout(&bob.peer, w.now);
    json_array_clear(w.events);
}

static void prefer(void)
{
    uint32_t layer = rng_u32(&model.rng) % model.mode.n_streams;
    world_do(&w, "consumer.setPreferredLayers", "eye",
             "{'preferredLayers':{'spatialLayer':%u,'temporalLayer':0}}", layer);
}

static void run(usec time)
{
    usec end = w.now + time;
    usec audio_at = w.now;
    usec video_at = w.now;
    usec report_at = w.now;
    usec switch_at = w.now + SECONDS(5);
    while (w.now < end) {
        size_t plis = from_alice.plis;
        if (audio_at <= w.now) {
            send_audio(w.now);
            audio_at += AUDIO_EVERY_US;
        }
        if (video_at <= w.now) {
            send_video(w.now);
            video_at += VIDEO_EVERY_US;
        }
        if (report_at <= w.now) {
            send_reports(w.now);
            report_at += SECONDS(1);
        }
        if (switch_at <= w.now) {
            prefer();
            switch_at += SECONDS(7);
        }
        tick();
        if (from_alice.plis != plis)
            model.streams[from_alice.pli_ssrc - LAYER_SSRC].key_wanted = true;
    }
}

static void an_hour(bool piped)
{
    open_rooms(piped);
    run(SECONDS(3600));
    print_message("%s: %u frames, %u switches, at worst %.3f ms apart\n",
                  piped ? "piped" : "direct", seen.frames, seen.changes, (double)seen.worst / 1000);
    usec worst = seen.worst;
    uint32_t pairs = seen.pairs;
    unsigned changes = seen.changes;
    close_rooms();
    assert_true(pairs > 30000);
    assert_true(changes > 200);
    assert_true(worst <= LIMIT_US);
}

static void clocks_that_drift_leave_audio_and_video_in_step_for_an_hour(void **state)
{
    (void)state;
    an_hour(false);
}

static void through_a_pipe_too(void **state)
{
    (void)state;
    an_hour(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_that_drift_leave_audio_and_video_in_step_for_an_hour),
        cmocka_unit_test(through_a_pipe_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
