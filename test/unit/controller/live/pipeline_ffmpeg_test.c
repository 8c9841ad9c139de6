/* A pipeline with the real ffmpeg: another ffmpeg sends RTP in the worker's place, and what comes
 * out is read by ffprobe. In real time; limits are generous, since machines are busy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/live/pipeline.h"

#define WORKER ((struct fleet_worker *)(uintptr_t)0x1000)

enum { REPLIES_MAX = 64, LIMIT_MS = 30000 };

struct reply {
    fleet_reply_fn *fn; /* NULL: forgotten */
    void *ctx;
};

struct real {
    uv_loop_t loop;
    uv_timer_t timer;    /* the pipeline's */
    uv_timer_t answers;  /* the worker's turn */
    uv_timer_t watchdog; /* the test's */
    struct pipeline *pipeline;
    struct ports *ports;
    struct rng rng;
    char root[64];
    const char *video;
    struct reply replies[REPLIES_MAX];
    size_t n_replies;
    uint16_t targets[8]; /* as they were connected */
    size_t n_targets;
    struct fleet_listener *listener; /* of the video consumer */
    bool key_frame;                  /* is to be told */
    struct ffmpeg *sender;
    bool ended;
    bool late;
};

/* ---- the sender ---- */

static void on_sender_exit(void *ctx, const struct ffmpeg_exit *how)
{
    (void)how;
    ((struct real *)ctx)->sender = NULL;
}

static void on_sender_listening(void *ctx)
{
    (void)ctx;
}

static void send_rtp(struct real *r)
{
    char audio[96];
    char video[96];
    char why[FFMPEG_WORDS_MAX];
    bool h264 = strcmp(r->video, "video/H264") == 0;
    uint16_t video_port = r->targets[r->n_targets - 2];
    uint16_t audio_port = r->targets[r->n_targets - 1];
    snprintf(audio, sizeof audio, "rtp://127.0.0.1:%u?rtcpport=%u&pkt_size=1200", audio_port,
             audio_port);
    snprintf(video, sizeof video, "rtp://127.0.0.1:%u?rtcpport=%u&pkt_size=1200", video_port,
             video_port);
    const char *args[] = {"ffmpeg",
                          "-nostdin",
                          "-loglevel",
                          "error",
                          "-re",
                          "-f",
                          "lavfi",
                          "-i",
                          "testsrc2=s=320x180:r=25",
                          "-re",
                          "-f",
                          "lavfi",
                          "-i",
                          "sine=440:r=48000",
                          "-map",
                          "0:v",
                          "-pix_fmt",
                          "yuv420p",
                          "-g",
                          "25",
                          "-c:v",
                          h264 ? "libx264" : "libvpx",
                          h264 ? "-tune" : "-deadline",
                          h264 ? "zerolatency" : "realtime",
                          h264 ? "-preset" : "-cpu-used",
                          h264 ? "ultrafast" : "8",
                          "-payload_type",
                          "101",
                          "-f",
                          "rtp",
                          video,
                          "-map",
                          "1:a",
                          "-c:a",
                          "libopus",
                          "-ac",
                          "2",
                          "-payload_type",
                          "100",
                          "-f",
                          "rtp",
                          audio,
                          NULL};
    struct ffmpeg_config config = {.path = "ffmpeg",
                                   .args = args,
                                   .name = "sender",
                                   .on_listening = on_sender_listening,
                                   .on_exit = on_sender_exit,
                                   .ctx = r};
    assert_int_equal(ffmpeg_start(&r->loop, &config, &r->sender, why), OK);
}

/* ---- the worker ---- */

static void on_answers(uv_timer_t *t)
{
    static const struct transport_consume_response response;
    struct real *r = t->data;
    if (r->key_frame && r->listener) {
        struct consumer_trace_event event = {.type = CONSUMER_TRACE_KEYFRAME, .has_type = true};
        r->key_frame = false;
        r->listener->on_event(r->listener->ctx, EVENT_CONSUMER_TRACE, &event);
    }
    if (r->n_replies == 0)
        return;
    struct reply reply = r->replies[0];
    memmove(r->replies, r->replies + 1, --r->n_replies * sizeof r->replies[0]);
    uv_timer_start(&r->answers, on_answers, 0, 0);
    if (reply.fn)
        reply.fn(reply.ctx, OK, "", &response);
}

static enum err env_request(void *ctx, struct fleet_worker *w, enum pipe_method m,
                            const char *handler_id, const void *data, fleet_reply_fn *reply,
                            void *reply_ctx)
{
    struct real *r = ctx;
    (void)w;
    (void)handler_id;
    if (m == METHOD_PLAIN_TRANSPORT_CONNECT)
        r->targets[r->n_targets++ % 8] =
            ((const struct plain_transport_connect_request *)data)->port;
    /* The picture is resumed first, and the sound with its first key frame. */
    if (m == METHOD_CONSUMER_RESUME && !r->sender)
        send_rtp(r);
    if (m == METHOD_CONSUMER_REQUEST_KEY_FRAME) {
        r->key_frame = true;
        uv_timer_start(&r->answers, on_answers, 0, 0);
    }
    if (m == METHOD_ROUTER_CLOSE_TRANSPORT && r->sender)
        ffmpeg_stop(r->sender, 0);
    if (!reply)
        return OK;
    assert_true(r->n_replies < REPLIES_MAX);
    r->replies[r->n_replies++] = (struct reply){reply, reply_ctx};
    uv_timer_start(&r->answers, on_answers, 0, 0);
    return OK;
}

static void env_forget(void *ctx, struct fleet_worker *w, const void *reply_ctx)
{
    struct real *r = ctx;
    (void)w;
    for (size_t i = 0; i < r->n_replies; i++) {
        if (r->replies[i].ctx == reply_ctx)
            r->replies[i].fn = NULL;
    }
}

static void env_load(void *ctx, struct fleet_worker *w, int delta)
{
    (void)ctx;
    (void)w;
    (void)delta;
}

static void env_listen(void *ctx, struct fleet_listener *l, struct fleet_worker *w,
                       const char *handler_id, fleet_event_fn *on_event, void *event_ctx)
{
    (void)handler_id;
    *l = (struct fleet_listener){.worker = w, .on_event = on_event, .ctx = event_ctx};
    ((struct real *)ctx)->listener = l;
}

static void env_unlisten(void *ctx, struct fleet_listener *l)
{
    struct real *r = ctx;
    if (r->listener == l)
        r->listener = NULL;
}

/* ---- the rest of the world ---- */

static uint64_t env_now(void *ctx)
{
    return uv_now(&((struct real *)ctx)->loop);
}

static usec env_wall(void *ctx)
{
    (void)ctx;
    return clock_wall();
}

static void on_timer(uv_timer_t *t)
{
    pipeline_on_timer(((struct real *)t->data)->pipeline);
}

static void env_arm(void *ctx, uint64_t delay_ms)
{
    struct real *r = ctx;
    if (delay_ms == PIPELINE_NO_TIMER)
        uv_timer_stop(&r->timer);
    else
        uv_timer_start(&r->timer, on_timer, delay_ms, 0);
}

static enum err env_launch(void *ctx, const struct ffmpeg_config *config, struct ffmpeg **out,
                           char *why)
{
    return ffmpeg_start(&((struct real *)ctx)->loop, config, out, why);
}

static void env_stop(void *ctx, struct ffmpeg *f, unsigned grace_ms)
{
    (void)ctx;
    ffmpeg_stop(f, grace_ms);
}

static bool env_held(void *ctx, const struct ffmpeg *f)
{
    (void)ctx;
    return ffmpeg_held(f);
}

static void env_describe(void *ctx, struct live_source *out)
{
    static struct rtp_encoding_parameters encoding = {.ssrc = 77, .has_ssrc = true};
    static struct rtp_codec_parameters codecs[LIVE_KINDS];
    static struct rtp_parameters params[LIVE_KINDS];
    const struct real *r = ctx;
    codecs[MEDIA_KIND_AUDIO] = (struct rtp_codec_parameters){.mime_type = "audio/opus",
                                                             .payload_type = 100,
                                                             .has_payload_type = true,
                                                             .clock_rate = 48000,
                                                             .has_clock_rate = true,
                                                             .channels = 2,
                                                             .has_channels = true};
    codecs[MEDIA_KIND_VIDEO] = (struct rtp_codec_parameters){.mime_type = r->video,
                                                             .payload_type = 101,
                                                             .has_payload_type = true,
                                                             .clock_rate = 90000,
                                                             .has_clock_rate = true};
    *out = (struct live_source){.worker = WORKER, .router_id = "router", .n_cells = 1};
    for (int k = 0; k < LIVE_KINDS; k++) {
        params[k] = (struct rtp_parameters){
            .codecs = &codecs[k], .n_codecs = 1, .encodings = &encoding, .n_encodings = 1};
        out->cells[0].tracks[k] =
            (struct live_track){.producer_id = media_kind_names[k], .consumable = &params[k]};
    }
}

static void env_nothing(void *ctx)
{
    (void)ctx;
}

static void env_on_state(void *ctx, enum pipeline_state from, enum pipeline_state to)
{
    (void)ctx;
    (void)from;
    (void)to;
}

static void env_on_restart(void *ctx, enum pipeline_reason reason)
{
    (void)ctx;
    (void)reason;
}

static void env_on_ended(void *ctx)
{
    ((struct real *)ctx)->ended = true;
}

static void on_watchdog(uv_timer_t *t)
{
    ((struct real *)t->data)->late = true;
}

static void real_init(struct real *r, const char *video)
{
    *r = (struct real){.video = video};
    snprintf(r->root, sizeof r->root, "/tmp/weir-live-XXXXXX");
    assert_non_null(mkdtemp(r->root));
    uv_loop_init(&r->loop);
    uv_timer_init(&r->loop, &r->timer);
    uv_timer_init(&r->loop, &r->answers);
    uv_timer_init(&r->loop, &r->watchdog);
    r->timer.data = r->answers.data = r->watchdog.data = r;
    rng_init_seeded(&r->rng, 3);
    uint16_t port = (uint16_t)(29000 + getpid() % 100 * 16);
    assert_int_equal(ports_open(port, (uint16_t)(port + 15), &r->ports), OK);
    struct pipeline_config config = {.env = {.ctx = r,
                                             .now_ms = env_now,
                                             .wall = env_wall,
                                             .arm = env_arm,
                                             .request = env_request,
                                             .load = env_load,
                                             .forget = env_forget,
                                             .listen = env_listen,
                                             .unlisten = env_unlisten,
                                             .launch = env_launch,
                                             .stop = env_stop,
                                             .held = env_held,
                                             .describe = env_describe,
                                             .on_playable = env_nothing,
                                             .on_state = env_on_state,
                                             .on_restart = env_on_restart,
                                             .on_ended = env_on_ended},
                                     .ports = r->ports,
                                     .rng = &r->rng,
                                     .room_id = "room",
                                     .root = r->root,
                                     .ffmpeg_path = "ffmpeg",
                                     .encoding = {.preset = "ultrafast",
                                                  .segment = USEC_PER_SEC,
                                                  .encoder = "libx264",
                                                  .ladder = {{180, 500000}},
                                                  .n_ladder = 1,
                                                  .audio_bps = 64000},
                                     .list_size = 6};
    assert_int_equal(pipeline_open(&config, &r->pipeline), OK);
    uv_timer_start(&r->watchdog, on_watchdog, LIMIT_MS, 0);
}

static void real_fini(struct real *r)
{
    pipeline_end(r->pipeline);
    while (!r->ended || r->sender)
        uv_run(&r->loop, UV_RUN_ONCE);
    assert_int_equal(ports_taken(r->ports), 0);
    pipeline_close(r->pipeline, true);
    ports_close(r->ports);
    uv_close((uv_handle_t *)&r->timer, NULL);
    uv_close((uv_handle_t *)&r->answers, NULL);
    uv_close((uv_handle_t *)&r->watchdog, NULL);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&r->loop), 0);
    assert_int_equal(rmdir(r->root), 0);
}

/* ---- looking ---- */

static void read_playlist(const struct real *r, char *text, size_t n)
{
    char path[128];
    text[0] = '\0';
    snprintf(path, sizeof path, "%s/room/index.m3u8", r->root);
    FILE *f = fopen(path, "r");
    if (!f)
        return;
    text[fread(text, 1, n - 1, f)] = '\0';
    fclose(f);
}

/* Runs the loop until so many segments of a run are listed. */
static void wait_for_segments(struct real *r, unsigned run, unsigned wanted)
{
    char text[4096];
    char mark[16];
    snprintf(mark, sizeof mark, "-%u-", run);
    for (unsigned n = 0; n < wanted;) {
        uv_run(&r->loop, UV_RUN_ONCE);
        if (r->late)
            fail_msg("no segment in time, the pipeline is %s",
                     pipeline_state_name(pipeline_state(r->pipeline)));
        read_playlist(r, text, sizeof text);
        n = 0;
        for (const char *at = strstr(text, mark); at; at = strstr(at + 1, mark))
            n++;
    }
}

/* What ffprobe says of the playlist's streams, in one line. */
static void probe(const struct real *r, char *out, size_t n)
{
    char command[512];
    snprintf(command, sizeof command,
             "ffprobe -v error -allowed_extensions ALL -show_entries "
             "stream=codec_name,width,height,channels -of csv=p=0 %s/room/index.m3u8 | grep . | "
             "sort -u | "
             "tr '\\n' ' '",
             r->root);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    out[fread(out, 1, n - 1, f)] = '\0';
    pclose(f);
}

static void h264_and_opus_become_a_playlist_that_survives_kill_9(void **state)
{
    (void)state;
    struct real r;
    char text[4096];
    real_init(&r, "video/H264");
    pipeline_changed(r.pipeline);
    wait_for_segments(&r, 1, 2);
    assert_int_equal(kill(ffmpeg_pid(pipeline_ffmpeg(r.pipeline)), SIGKILL), 0);
    wait_for_segments(&r, 2, 2);
    read_playlist(&r, text, sizeof text);
    assert_non_null(strstr(text, "#EXT-X-DISCONTINUITY\n"));
    pipeline_end(r.pipeline);
    while (!r.ended)
        uv_run(&r.loop, UV_RUN_ONCE);
    read_playlist(&r, text, sizeof text);
    assert_non_null(strstr(text, "#EXT-X-ENDLIST"));
    probe(&r, text, sizeof text);
    assert_string_equal(text, "aac,2 h264,320,180 ");
    real_fini(&r);
}

static void vp8_is_transcoded_and_a_hanging_ffmpeg_replaced(void **state)
{
    (void)state;
    struct real r;
    char text[4096];
    real_init(&r, "video/VP8");
    pipeline_changed(r.pipeline);
    wait_for_segments(&r, 1, 1);
    assert_int_equal(kill(ffmpeg_pid(pipeline_ffmpeg(r.pipeline)), SIGSTOP), 0);
    wait_for_segments(&r, 2, 1);
    pipeline_end(r.pipeline);
    while (!r.ended)
        uv_run(&r.loop, UV_RUN_ONCE);
    probe(&r, text, sizeof text);
    assert_string_equal(text, "aac,2 h264,320,180 ");
    real_fini(&r);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h264_and_opus_become_a_playlist_that_survives_kill_9),
        cmocka_unit_test(vp8_is_transcoded_and_a_hanging_ffmpeg_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
