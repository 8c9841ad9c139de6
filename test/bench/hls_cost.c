/* What HLS costs: CPU of ffmpeg and of the controller's side (reading, cutting, segments in memory)
 * for each mode, as percent of a core. The pipeline and ffmpeg are real; files that were encoded
 * before are sent in the worker's place, so that what senders take is not counted. Worker and HTTP
 * are measured elsewhere. hls_cost [seconds] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/live/pipeline.h"

#define WORKER ((struct fleet_worker *)(uintptr_t)0x1000)
/* 720p30 at 2.5 Mbit/s, a key frame a second. */
#define MAKE_H264                                                                                  \
    "ffmpeg -v error -y -f lavfi -i testsrc2=s=1280x720:r=30:d=10,noise=alls=12:allf=t -f lavfi "  \
    "-i sine=440:r=48000:d=10 -pix_fmt yuv420p -c:v libx264 -preset veryfast -tune zerolatency "   \
    "-g 30 -b:v 2500k -maxrate 2500k -bufsize 1250k -c:a libopus -ac 2 %s/h264.mkv"
#define MAKE_VP8                                                                                   \
    "ffmpeg -v error -y -f lavfi -i testsrc2=s=%s:r=%d:d=4 -f lavfi -i sine=440:r=48000:d=4 "      \
    "-pix_fmt yuv420p -c:v libvpx -deadline realtime -cpu-used 16 -g %d -b:v %dk -c:a libopus "    \
    "-ac "                                                                                         \
    "2 %s/%s.mkv"

enum { REPLIES_MAX = 256, PRIME_S = 30, WARM_MS = 4000, TURN_MS = 20 };

struct scenario {
    const char *name;
    const char *file;
    const char *mime;
    size_t peers;
    struct encoding encoding;
};

#define BASE                                                                                       \
    .cmaf = true, .encoder = "libx264", .preset = "veryfast", .segment = USEC_PER_SEC,             \
    .audio_bps = 128000
static const struct scenario scenarios[] = {
    {"passthrough, 720p30, 2.5 Mbit/s",
     "h264",
     "video/H264",
     1,
     {BASE, .ladder = {{720, 2500000}}, .n_ladder = 1}},
    {"720p30 VP8 to H.264",
     "vp8",
     "video/VP8",
     1,
     {BASE, .ladder = {{720, 2500000}}, .n_ladder = 1}},
    {"ladder: passthrough, 480p, 144p",
     "h264",
     "video/H264",
     1,
     {BASE, .ladder = {{720, 2500000}, {480, 1000000}, {144, 150000}}, .n_ladder = 3}},
    {"composite of 8 (640x360, 25/s)",
     "small",
     "video/VP8",
     8,
     {BASE, .composite = true, .names = true, .ladder = {{720, 2500000}}, .n_ladder = 1}},
    {"composite of 8, low bandwidth",
     "small",
     "video/VP8",
     8,
     {BASE, .composite = true, .low = true, .ladder = {{720, 150000}}, .n_ladder = 1}},
    {"one stream, low bandwidth",
     "vp8",
     "video/VP8",
     1,
     {BASE, .low = true, .ladder = {{720, 150000}}, .n_ladder = 1}},
};

struct reply {
    fleet_reply_fn *fn;
    void *ctx;
};

struct listening {
    fleet_event_fn *on_event;
    void *ctx;
};

struct bench {
    uv_loop_t loop;
    uv_timer_t timer; /* the pipeline's */
    uv_timer_t turn;  /* the worker's */
    uv_timer_t limit;
    const struct scenario *s;
    const char *folder;
    struct pipeline *pipeline;
    struct ports *ports;
    struct rng rng;
    struct reply replies[REPLIES_MAX];
    size_t n_replies;
    struct listening listeners[LIVE_INPUTS_MAX];
    size_t n_listeners;
    uint16_t targets[LIVE_INPUTS_MAX];
    size_t n_targets;
    struct ffmpeg *senders[LIVE_PEERS_MAX];
    size_t n_senders;
    bool active;
    bool over;
    bool ended;
    unsigned restarts;
};

/* ---- senders ---- */

static void nothing(void *ctx)
{
    (void)ctx;
}

static void on_sender_exit(void *ctx, const struct ffmpeg_exit *how)
{
    (void)how;
    *(struct ffmpeg **)ctx = NULL;
}

static void send_peer(struct bench *b, size_t i)
{
    char file[128];
    char video[96];
    char audio[96];
    char why[FFMPEG_WORDS_MAX];
    uint16_t v = b->targets[i];
    uint16_t a = b->targets[b->s->peers + i];
    snprintf(file, sizeof file, "%s/%s.mkv", b->folder, b->s->file);
    snprintf(video, sizeof video, "rtp://127.0.0.1:%u?rtcpport=%u&pkt_size=1200", v, v);
    snprintf(audio, sizeof audio, "rtp://127.0.0.1:%u?rtcpport=%u&pkt_size=1200", a, a);
    /* Parameter sets in band, as browsers send them. */
    const char *filter = strcmp(b->s->file, "h264") == 0 ? "h264_mp4toannexb" : "null";
    const char *args[] = {"ffmpeg",        "-nostdin", "-v",   "error",  "-re",
                          "-stream_loop",  "-1",       "-i",   file,     "-map",
                          "0:v",           "-c:v",     "copy", "-bsf:v", filter,
                          "-payload_type", "101",      "-f",   "rtp",    video,
                          "-map",          "0:a",      "-c:a", "copy",   "-payload_type",
                          "100",           "-f",       "rtp",  audio,    NULL};
    struct ffmpeg_config config = {.path = "ffmpeg",
                                   .args = args,
                                   .name = "sender",
                                   .on_listening = nothing,
                                   .on_exit = on_sender_exit,
                                   .ctx = &b->senders[i]};
    if (ffmpeg_start(&b->loop, &config, &b->senders[i], why) != OK) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
}

/* ---- the worker ---- */

/* Answers what was asked, and tells of key frames all the time, once media flows. */
static void on_turn(uv_timer_t *t)
{
    static const struct transport_consume_response response;
    struct bench *b = t->data;
    size_t n = b->n_replies;
    for (size_t i = 0; i < n; i++) {
        struct reply r = b->replies[i];
        if (r.fn)
            r.fn(r.ctx, OK, "", &response);
    }
    memmove(b->replies, b->replies + n, (b->n_replies - n) * sizeof b->replies[0]);
    b->n_replies -= n;
    for (size_t i = 0; i < b->n_listeners && b->n_senders > 0; i++) {
        struct consumer_trace_event event = {.type = CONSUMER_TRACE_KEYFRAME, .has_type = true};
        b->listeners[i].on_event(b->listeners[i].ctx, EVENT_CONSUMER_TRACE, &event);
    }
}

static enum err env_request(void *ctx, struct fleet_worker *w, enum pipe_method m,
                            const char *handler_id, const void *data, fleet_reply_fn *reply,
                            void *reply_ctx)
{
    struct bench *b = ctx;
    (void)w;
    (void)handler_id;
    if (m == METHOD_PLAIN_TRANSPORT_CONNECT)
        b->targets[b->n_targets++] = ((const struct plain_transport_connect_request *)data)->port;
    while (m == METHOD_CONSUMER_RESUME && b->n_senders < b->s->peers)
        send_peer(b, b->n_senders++);
    if (reply && b->n_replies < REPLIES_MAX)
        b->replies[b->n_replies++] = (struct reply){reply, reply_ctx};
    return OK;
}

static void env_forget(void *ctx, struct fleet_worker *w, const void *reply_ctx)
{
    struct bench *b = ctx;
    (void)w;
    for (size_t i = 0; i < b->n_replies; i++) {
        if (b->replies[i].ctx == reply_ctx)
            b->replies[i].fn = NULL;
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
    struct bench *b = ctx;
    (void)l;
    (void)w;
    (void)handler_id;
    b->listeners[b->n_listeners++] = (struct listening){on_event, event_ctx};
}

static void env_unlisten(void *ctx, struct fleet_listener *l)
{
    (void)l;
    ((struct bench *)ctx)->n_listeners = 0;
}

/* ---- the rest of the world ---- */

static uint64_t env_now(void *ctx)
{
    return uv_now(&((struct bench *)ctx)->loop);
}

static usec env_wall(void *ctx)
{
    (void)ctx;
    return clock_wall();
}

static void on_timer(uv_timer_t *t)
{
    pipeline_on_timer(((struct bench *)t->data)->pipeline);
}

static void env_arm(void *ctx, uint64_t delay_ms)
{
    struct bench *b = ctx;
    if (delay_ms == PIPELINE_NO_TIMER)
        uv_timer_stop(&b->timer);
    else
        uv_timer_start(&b->timer, on_timer, delay_ms, 0);
}

static enum err env_launch(void *ctx, const struct ffmpeg_config *config, struct ffmpeg **out,
                           char *why)
{
    return ffmpeg_start(&((struct bench *)ctx)->loop, config, out, why);
}

static void env_stop(void *ctx, struct ffmpeg *f, unsigned grace_ms)
{
    (void)ctx;
    ffmpeg_stop(f, grace_ms);
}

static bool env_backlog(void *ctx, const uint16_t *ports, size_t n)
{
    (void)ctx;
    (void)ports;
    (void)n;
    return false;
}

static void env_describe(void *ctx, struct live_source *out)
{
    static struct rtp_encoding_parameters encoding = {.ssrc = 77, .has_ssrc = true};
    static struct rtp_codec_parameters codecs[LIVE_KINDS];
    static struct rtp_parameters params[LIVE_KINDS];
    static char ids[LIVE_INPUTS_MAX][32];
    const struct bench *b = ctx;
    for (int k = 0; k < LIVE_KINDS; k++) {
        bool video = k == MEDIA_KIND_VIDEO;
        codecs[k] = (struct rtp_codec_parameters){.mime_type = video ? b->s->mime : "audio/opus",
                                                  .payload_type = video ? 101 : 100,
                                                  .has_payload_type = true,
                                                  .clock_rate = video ? 90000 : 48000,
                                                  .has_clock_rate = true,
                                                  .channels = 2,
                                                  .has_channels = !video};
        params[k] = (struct rtp_parameters){
            .codecs = &codecs[k], .n_codecs = 1, .encodings = &encoding, .n_encodings = 1};
    }
    *out = (struct live_source){.worker = WORKER, .router_id = "r", .n_cells = b->s->peers};
    for (size_t i = 0; i < 2 * b->s->peers; i++) {
        snprintf(ids[i], sizeof ids[i], "p%zu", i);
        out->cells[i / 2].name = "A name";
        out->cells[i / 2].tracks[i % 2] =
            (struct live_track){.producer_id = ids[i], .consumable = &params[i % 2]};
    }
}

static enum err env_publish(void *ctx, struct presentation *p)
{
    (void)ctx;
    (void)p;
    return OK;
}

static void env_withdraw(void *ctx, struct presentation *p)
{
    (void)ctx;
    (void)p;
}

static void env_on_state(void *ctx, enum pipeline_state from, enum pipeline_state to)
{
    struct bench *b = ctx;
    (void)from;
    b->active = b->active || to == PIPELINE_ACTIVE;
}

static void env_on_restart(void *ctx, enum pipeline_reason reason)
{
    struct bench *b = ctx;
    fprintf(stderr, "%s: restarts, %s\n", b->s->name, pipeline_reason_name(reason));
    b->restarts++;
    b->active = false;
    b->n_targets = 0;
    for (size_t i = 0; i < b->n_senders; i++) {
        if (b->senders[i])
            ffmpeg_stop(b->senders[i], 0);
    }
    b->n_senders = 0;
}

static void env_on_ended(void *ctx)
{
    ((struct bench *)ctx)->ended = true;
}

/* ---- measuring ---- */

static double ffmpeg_seconds(int pid)
{
    char path[64];
    char text[1024] = "";
    unsigned long user = 0;
    unsigned long system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    const char *after = strrchr(text, ')');
    if (after)
        (void)sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                     &system);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double own_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void on_limit(uv_timer_t *t)
{
    ((struct bench *)t->data)->over = true;
}

static void run_for(struct bench *b, uint64_t ms, const bool *until)
{
    b->over = false;
    uv_update_time(&b->loop);
    uv_timer_start(&b->limit, on_limit, ms, 0);
    while (!b->over && !(until && *until))
        uv_run(&b->loop, UV_RUN_ONCE);
    uv_timer_stop(&b->limit);
}

static void measure(struct bench *b, int seconds)
{
    run_for(b, PRIME_S * 1000, &b->active);
    run_for(b, WARM_MS, NULL);
    const struct ffmpeg *f = pipeline_ffmpeg(b->pipeline);
    unsigned restarts = b->restarts;
    if (!b->active || !f) {
        printf("| %s | did not run | | |\n", b->s->name);
        return;
    }
    double ffmpeg = ffmpeg_seconds(ffmpeg_pid(f));
    double own = own_seconds();
    usec wall = clock_wall();
    run_for(b, (uint64_t)seconds * 1000, NULL);
    double passed = (double)(clock_wall() - wall) / 1e6;
    if (b->restarts != restarts) {
        printf("| %s | restarted | | |\n", b->s->name);
        return;
    }
    ffmpeg = (ffmpeg_seconds(ffmpeg_pid(f)) - ffmpeg) / passed * 100;
    own = (own_seconds() - own) / passed * 100;
    printf("| %s | %.1f | %.1f | %.1f |\n", b->s->name, ffmpeg, own, ffmpeg + own);
    fflush(stdout);
}

static void finish(struct bench *b)
{
    pipeline_end(b->pipeline);
    run_for(b, 5000, &b->ended);
    for (size_t i = 0; i < b->n_senders; i++) {
        if (b->senders[i])
            ffmpeg_stop(b->senders[i], 0);
    }
    run_for(b, 500, NULL);
    pipeline_close(b->pipeline, true);
    ports_close(b->ports);
    uv_close((uv_handle_t *)&b->timer, NULL);
    uv_close((uv_handle_t *)&b->turn, NULL);
    uv_close((uv_handle_t *)&b->limit, NULL);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    uv_loop_close(&b->loop);
}

static void run_scenario(const struct scenario *s, const char *folder, int seconds)
{
    static struct bench b;
    b = (struct bench){.s = s, .folder = folder};
    uv_loop_init(&b.loop);
    uv_timer_init(&b.loop, &b.timer);
    uv_timer_init(&b.loop, &b.turn);
    uv_timer_init(&b.loop, &b.limit);
    b.timer.data = b.turn.data = b.limit.data = &b;
    rng_init_seeded(&b.rng, 7);
    struct pipeline_config config = {.env = {.ctx = &b,
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
                                             .backlog = env_backlog,
                                             .describe = env_describe,
                                             .publish = env_publish,
                                             .withdraw = env_withdraw,
                                             .on_playable = nothing,
                                             .on_state = env_on_state,
                                             .on_restart = env_on_restart,
                                             .on_ended = env_on_ended},
                                     .ports = NULL,
                                     .rng = &b.rng,
                                     .room_id = "bench",
                                     .root = folder,
                                     .ffmpeg_path = "ffmpeg",
                                     .part = 250 * USEC_PER_MSEC,
                                     .window = 30 * USEC_PER_SEC,
                                     .memory = 30 * USEC_PER_SEC,
                                     .encoding = s->encoding};
    if (ports_open(31000, 31199, &b.ports) != OK)
        exit(1);
    config.ports = b.ports;
    if (pipeline_open(&config, &b.pipeline) != OK)
        exit(1);
    uv_timer_start(&b.turn, on_turn, TURN_MS, TURN_MS);
    pipeline_changed(b.pipeline);
    measure(&b, seconds);
    finish(&b);
}

static void make_sources(const char *folder)
{
    char command[1024];
    snprintf(command, sizeof command, MAKE_H264, folder);
    int bad = system(command);
    snprintf(command, sizeof command, MAKE_VP8, "1280x720", 30, 30, 2500, folder, "vp8");
    bad = bad ? bad : system(command);
    snprintf(command, sizeof command, MAKE_VP8, "640x360", 25, 25, 500, folder, "small");
    if (bad || system(command) != 0) {
        fprintf(stderr, "ffmpeg does not make the sources\n");
        exit(1);
    }
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/weir-hls-cost-XXXXXX";
    char command[128];
    int seconds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20;
    log_set_level(LOG_ERROR);
    if (seconds < 1 || !mkdtemp(folder))
        return 1;
    make_sources(folder);
    printf("| mode | ffmpeg, %% of a core | controller | both |\n|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        run_scenario(&scenarios[i], folder, seconds);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}
