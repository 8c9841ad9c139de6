/* The world of a pipeline, in virtual time: a worker that answers when it is told to and remembers
 * what it has, an ffmpeg that never runs, producers, a temporary folder. For pipeline_test.c. */
#ifndef WEIR_TEST_PIPELINE_WORLD_H
#define WEIR_TEST_PIPELINE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/live/pipeline.h"

enum { WORLD_CALLS_MAX = 64, WORLD_OBJECTS_MAX = 64, WORLD_LOG_MAX = 16384 };

struct world_call {
    enum pipe_method method;
    char handler_id[64];
    fleet_reply_fn *reply; /* NULL: forgotten, or not wanted */
    void *ctx;
};

struct world_object {
    char id[64];
    bool closed;
};

struct world_producer {
    bool there;
    bool paused;
    char id[40];
    const char *mime;
    unsigned width; /* 0: not known yet */
    unsigned height;
    unsigned rotation;
};

struct world {
    struct pipeline *pipeline;
    struct pipeline_env env;
    struct ports *ports;
    struct discontinuity_mark *mark;
    struct rng rng;
    char root[64];
    uint64_t now;
    uint64_t timer_at;
    /* what the stream has */
    struct world_producer producers[LIVE_KINDS];
    bool router;
    /* the worker */
    bool worker_runs;
    struct world_call calls[WORLD_CALLS_MAX]; /* waiting for an answer, oldest first */
    size_t n_calls;
    struct world_object transports[WORLD_OBJECTS_MAX];
    size_t n_transports;
    struct fleet_listener *listener; /* of the newest video consumer; NULL: none */
    int load;
    unsigned key_requests;
    unsigned relays; /* open */
    unsigned relays_started;
    /* ffmpeg */
    bool ffmpeg_runs;
    bool ffmpeg_missing;
    bool listening;
    bool key_came;               /* in this step of PRIMING */
    bool held;                   /* stopped by a signal */
    bool backlog;                /* it does not read its sockets */
    struct ffmpeg_config ffmpeg; /* callbacks and ports of the newest */
    char ffmpeg_input[4096];
    char ffmpeg_output[512]; /* the last argument */
    unsigned launches;
    int stopped_ms; /* grace; -1: not stopped */
    unsigned segments;
    /* what was told */
    struct presentation *published; /* of fragmented MP4; NULL: none */
    unsigned publishes;
    unsigned playable;
    unsigned ended;
    unsigned restarts[PIPELINE_REASON_COUNT];
    char log[WORLD_LOG_MAX]; /* requests and launches, in order */
};

#define WORKER ((struct fleet_worker *)(uintptr_t)0x1000)
#define FFMPEG ((struct ffmpeg *)(uintptr_t)0x2000)

/* ---- what the pipeline calls ---- */

__attribute__((format(printf, 2, 3))) static inline void world_log(struct world *w, const char *fmt,
                                                                   ...)
{
    size_t n = strlen(w->log);
    va_list args;
    va_start(args, fmt);
    vsnprintf(w->log + n, sizeof w->log - n, fmt, args);
    va_end(args);
}

static inline uint64_t world_now(void *ctx)
{
    return ((struct world *)ctx)->now;
}

static inline usec world_wall(void *ctx)
{
    return 1800000000 * USEC_PER_SEC + (usec)world_now(ctx) * USEC_PER_MSEC;
}

static inline void world_arm(void *ctx, uint64_t delay_ms)
{
    struct world *w = ctx;
    w->timer_at = delay_ms == PIPELINE_NO_TIMER ? PIPELINE_NO_TIMER : w->now + delay_ms;
}

static inline struct world_object *world_transport(struct world *w, const char *id)
{
    for (size_t i = 0; i < w->n_transports; i++) {
        if (strcmp(w->transports[i].id, id) == 0 && !w->transports[i].closed)
            return &w->transports[i];
    }
    return NULL;
}

/* What a request does to the worker, and how it shows in the log. */
static inline void world_take(struct world *w, enum pipe_method m, const char *handler_id,
                              const void *data)
{
    switch ((int)m) {
    case METHOD_ROUTER_CREATE_PLAIN_TRANSPORT: {
        const struct router_create_plain_transport_request *r = data;
        assert_true(w->n_transports < WORLD_OBJECTS_MAX);
        snprintf(w->transports[w->n_transports].id, 64, "%s", r->transport_id);
        w->transports[w->n_transports++].closed = false;
        assert_string_equal(r->options->listen_info->ip, "127.0.0.1");
        world_log(w, "create ");
        break;
    }
    case METHOD_PLAIN_TRANSPORT_CONNECT: {
        const struct plain_transport_connect_request *r = data;
        assert_non_null(world_transport(w, handler_id));
        assert_string_equal(r->ip, "127.0.0.1");
        assert_int_equal(r->port % 2, 0);
        world_log(w, "connect ");
        break;
    }
    case METHOD_TRANSPORT_CONSUME: {
        const struct transport_consume_request *r = data;
        assert_non_null(world_transport(w, handler_id));
        assert_true(r->paused);
        assert_string_equal(r->producer_id, w->producers[r->kind].id);
        world_log(w, "consume-%s ", media_kind_names[r->kind]);
        break;
    }
    case METHOD_CONSUMER_RESUME:
        world_log(w, "resume ");
        break;
    case METHOD_CONSUMER_REQUEST_KEY_FRAME:
        w->key_requests++;
        world_log(w, "key ");
        break;
    case METHOD_ROUTER_CLOSE_TRANSPORT: {
        const struct router_close_transport_request *r = data;
        struct world_object *t = world_transport(w, r->transport_id);
        assert_non_null(t);
        t->closed = true;
        world_log(w, "close ");
        break;
    }
    case METHOD_CONSUMER_ENABLE_TRACE_EVENT:
        break;
    default:
        fail_msg("unexpected request %s", pipe_methods[m].name);
    }
}

static inline enum err world_request(void *ctx, struct fleet_worker *worker, enum pipe_method m,
                                     const char *handler_id, const void *data,
                                     fleet_reply_fn *reply, void *reply_ctx)
{
    struct world *w = ctx;
    assert_ptr_equal(worker, WORKER);
    if (!w->worker_runs)
        return ERR_CLOSED;
    world_take(w, m, handler_id, data);
    if (!reply)
        return OK;
    assert_true(w->n_calls < WORLD_CALLS_MAX);
    struct world_call *c = &w->calls[w->n_calls++];
    *c = (struct world_call){.method = m, .reply = reply, .ctx = reply_ctx};
    snprintf(c->handler_id, sizeof c->handler_id, "%s", handler_id);
    return OK;
}

static inline void world_load(void *ctx, struct fleet_worker *worker, int delta)
{
    (void)worker;
    ((struct world *)ctx)->load += delta;
}

static inline void world_forget(void *ctx, struct fleet_worker *worker, const void *reply_ctx)
{
    struct world *w = ctx;
    (void)worker;
    for (size_t i = 0; i < w->n_calls; i++) {
        if (w->calls[i].ctx == reply_ctx)
            w->calls[i].reply = NULL;
    }
}

static inline void world_fleet_listen(void *ctx, struct fleet_listener *l,
                                      struct fleet_worker *worker, const char *handler_id,
                                      fleet_event_fn *on_event, void *event_ctx)
{
    struct world *w = ctx;
    (void)handler_id;
    *l = (struct fleet_listener){.worker = worker, .on_event = on_event, .ctx = event_ctx};
    assert_null(w->listener);
    w->listener = l;
}

static inline void world_fleet_unlisten(void *ctx, struct fleet_listener *l)
{
    struct world *w = ctx;
    if (w->listener == l)
        w->listener = NULL;
}

static inline enum err world_launch(void *ctx, const struct ffmpeg_config *config,
                                    struct ffmpeg **out, char *why)
{
    struct world *w = ctx;
    w->launches++;
    if (w->ffmpeg_missing) {
        snprintf(why, FFMPEG_WORDS_MAX, "no such program");
        return ERR_NOT_FOUND;
    }
    assert_false(w->ffmpeg_runs);
    size_t n = 0;
    while (config->args[n])
        n++;
    snprintf(w->ffmpeg_output, sizeof w->ffmpeg_output, "%s", config->args[n - 1]);
    snprintf(w->ffmpeg_input, sizeof w->ffmpeg_input, "%s", config->input ? config->input : "");
    w->ffmpeg = *config;
    w->ffmpeg_runs = true;
    w->stopped_ms = -1;
    w->segments = 0;
    w->listening = false;
    world_log(w, "launch ");
    *out = FFMPEG;
    return OK;
}

static inline enum err world_relay(void *ctx, const struct rtp_relay_config *config,
                                   struct rtp_relay **out)
{
    struct world *w = ctx;
    assert_true(config->target % 2 == 0 && config->silence.n > 0);
    w->relays++;
    *out = (struct rtp_relay *)(void *)w;
    return OK;
}

static inline uint16_t world_relay_port(const struct rtp_relay *r)
{
    (void)r;
    return 40000;
}

static inline void world_relay_start(struct rtp_relay *r)
{
    ((struct world *)(void *)r)->relays_started++;
}

static inline void world_relay_close(struct rtp_relay *r)
{
    ((struct world *)(void *)r)->relays--;
}

static inline void world_stop(void *ctx, struct ffmpeg *f, unsigned grace_ms)
{
    struct world *w = ctx;
    assert_ptr_equal(f, FFMPEG);
    assert_true(w->ffmpeg_runs);
    w->stopped_ms = (int)grace_ms;
    world_log(w, "stop ");
}

/* The producers' parameters, one codec each. */
static inline const struct rtp_parameters *world_consumable(const struct world_producer *p)
{
    static struct rtp_codec_parameters codecs[4];
    static struct rtp_encoding_parameters encoding = {.ssrc = 77, .has_ssrc = true};
    static struct rtcp_parameters rtcp = {.cname = "x"};
    static struct dict_entry fmtp[] = {
        {.key = "packetization-mode", .type = DICT_INT, .num = 1},
        {.key = "profile-level-id", .type = DICT_STR, .str = "42e01f"}};
    static struct rtp_parameters out[4];
    static unsigned turn;
    unsigned i = turn++ % 4;
    bool audio = strncmp(p->mime, "audio/", 6) == 0;
    codecs[i] = (struct rtp_codec_parameters){.mime_type = p->mime,
                                              .payload_type = audio ? 100 : 101,
                                              .has_payload_type = true,
                                              .clock_rate = audio ? 48000 : 90000,
                                              .has_clock_rate = true,
                                              .channels = 2,
                                              .has_channels = audio};
    if (strcmp(p->mime, "video/H264") == 0) {
        codecs[i].parameters = fmtp;
        codecs[i].n_parameters = 2;
    }
    out[i] = (struct rtp_parameters){.codecs = &codecs[i],
                                     .n_codecs = 1,
                                     .encodings = &encoding,
                                     .n_encodings = 1,
                                     .rtcp = &rtcp};
    return &out[i];
}

static inline void world_describe(void *ctx, struct live_source *out)
{
    struct world *w = ctx;
    if (w->worker_runs)
        out->worker = WORKER;
    if (w->worker_runs && w->router)
        out->router_id = "router";
    out->n_cells = 1;
    for (int k = 0; k < LIVE_KINDS; k++) {
        if (w->producers[k].there)
            out->cells[0].tracks[k] =
                (struct live_track){.producer_id = w->producers[k].id,
                                    .paused = w->producers[k].paused,
                                    .width = w->producers[k].width,
                                    .height = w->producers[k].height,
                                    .rotation = w->producers[k].rotation,
                                    .consumable = world_consumable(&w->producers[k])};
    }
}

static inline bool world_held(void *ctx, const struct ffmpeg *f)
{
    assert_non_null(f);
    return ((struct world *)ctx)->held;
}

static inline bool world_backlog(void *ctx, const uint16_t *ports, size_t n)
{
    assert_true(n > 0 && ports[0] % 2 == 0);
    return ((struct world *)ctx)->backlog;
}

static inline enum err world_publish(void *ctx, struct presentation *p)
{
    struct world *w = ctx;
    assert_null(w->published);
    w->published = p;
    w->publishes++;
    return OK;
}

static inline void world_withdraw(void *ctx, struct presentation *p)
{
    struct world *w = ctx;
    assert_ptr_equal(w->published, p);
    w->published = NULL;
}

static inline void world_on_playable(void *ctx)
{
    ((struct world *)ctx)->playable++;
}

static inline void world_on_state(void *ctx, enum pipeline_state from, enum pipeline_state to)
{
    (void)ctx;
    assert_int_not_equal(from, to);
}

static inline void world_on_restart(void *ctx, enum pipeline_reason reason)
{
    ((struct world *)ctx)->restarts[reason]++;
}

static inline void world_on_ended(void *ctx)
{
    struct world *w = ctx;
    w->ended++;
    assert_int_equal(pipeline_state(w->pipeline), PIPELINE_ENDED);
}

/* ---- making things happen ---- */

/* A picture or sound, unpaused, with a new id. */
static inline void world_produce(struct world *w, enum media_kind kind, const char *mime)
{
    static unsigned next;
    struct world_producer *p = &w->producers[kind];
    *p = (struct world_producer){.there = true, .mime = mime};
    snprintf(p->id, sizeof p->id, "producer-%u", next++);
}

/* The oldest waiting request is answered; false: there is none. */
static inline bool world_answer(struct world *w, enum err e)
{
    static const struct transport_consume_response response;
    if (w->n_calls == 0)
        return false;
    struct world_call c = w->calls[0];
    memmove(w->calls, w->calls + 1, --w->n_calls * sizeof w->calls[0]);
    if (c.reply)
        c.reply(c.ctx, e, e == OK ? "" : "refused by the test", e == OK ? &response : NULL);
    return true;
}

/* Moves time to the timer, and lets it fire; false: it is not set. */
static inline bool world_fire(struct world *w)
{
    if (w->timer_at == PIPELINE_NO_TIMER)
        return false;
    w->now = w->timer_at > w->now ? w->timer_at : w->now;
    w->timer_at = PIPELINE_NO_TIMER;
    pipeline_on_timer(w->pipeline);
    return true;
}

/* Moves time on, firing what comes due; nothing else happens. */
static inline void world_sleep(struct world *w, uint64_t ms)
{
    uint64_t end = w->now + ms;
    while (w->timer_at <= end)
        world_fire(w);
    w->now = end;
}

static inline void world_listening(struct world *w)
{
    w->listening = true;
    w->ffmpeg.on_listening(w->ffmpeg.ctx);
}

static inline void world_key_frame(struct world *w)
{
    struct consumer_trace_event event = {.type = CONSUMER_TRACE_KEYFRAME, .has_type = true};
    assert_non_null(w->listener);
    w->listener->on_event(w->listener->ctx, EVENT_CONSUMER_TRACE, &event);
}

/* ffmpeg has written a segment, and tells so. */
static inline void world_segment(struct world *w, double seconds)
{
    char path[512];
    char line[600];
    static const char protocol[] = "file:";
    assert_memory_equal(w->ffmpeg_output, protocol, strlen(protocol));
    /* The pattern's %05d. */
    const char *pattern = w->ffmpeg_output + strlen(protocol);
    const char *percent = strstr(pattern, "%05d");
    assert_non_null(percent);
    snprintf(path, sizeof path, "%.*s%05u.ts", (int)(percent - pattern), pattern, w->segments);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("x", f);
    fclose(f);
    snprintf(line, sizeof line, "%s,%f,%f", strrchr(path, '/') + 1, w->segments * seconds,
             (w->segments + 1) * seconds);
    w->segments++;
    w->ffmpeg.on_line(w->ffmpeg.ctx, line);
}

static inline void world_exit(struct world *w, int status, int signal)
{
    struct ffmpeg_exit how = {.status = status, .signal = signal, .last_words = "last words"};
    assert_true(w->ffmpeg_runs);
    w->ffmpeg_runs = false;
    world_log(w, "exit ");
    w->ffmpeg.on_exit(w->ffmpeg.ctx, &how);
}

/* The worker is lost with all that it had: fleet fails the calls, rooms drop producers, streams
 * tell. */
static inline void world_lose_worker(struct world *w)
{
    w->worker_runs = false;
    w->router = false;
    w->n_transports = 0;
    w->load = 0;
    while (world_answer(w, ERR_CLOSED))
        ;
    for (int k = 0; k < LIVE_KINDS; k++) {
        w->producers[k].there = false;
        pipeline_changed(w->pipeline);
    }
    pipeline_router_lost(w->pipeline);
}

/* One thing that is due happens, as on a good day. */
static inline void world_step(struct world *w)
{
    enum pipeline_state s = pipeline_state(w->pipeline);
    if (w->ffmpeg_runs && w->stopped_ms >= 0)
        world_exit(w, 0, 15);
    else if (world_answer(w, OK))
        ;
    else if (s == PIPELINE_LAUNCHING && w->ffmpeg_runs && !w->listening)
        world_listening(w);
    else if (s == PIPELINE_PRIMING && w->listener && !w->key_came)
        w->key_came = true, world_key_frame(w);
    else if (s == PIPELINE_PRIMING || s == PIPELINE_ACTIVE) {
        w->now += 1000;
        w->key_came = false;
        if (w->listener)
            world_key_frame(w);
        world_segment(w, 1.0);
    } else
        world_fire(w);
}

/* Steps until it is in a state; fails the test when it does not get there. */
static inline void world_until(struct world *w, enum pipeline_state s)
{
    for (int i = 0; pipeline_state(w->pipeline) != s; i++) {
        if (i == 200)
            fail_msg("still %s, not %s", pipeline_state_name(pipeline_state(w->pipeline)),
                     pipeline_state_name(s));
        world_step(w);
    }
}

/* ---- life ---- */

/* Nothing is open: transports in the worker, ffmpeg, ports, listeners. */
static inline void world_assert_empty(const struct world *w)
{
    for (size_t i = 0; i < w->n_transports; i++)
        assert_true(w->transports[i].closed);
    for (size_t i = 0; i < w->n_calls; i++)
        assert_null(w->calls[i].reply);
    assert_false(w->ffmpeg_runs);
    assert_int_equal(ports_taken(w->ports), 0);
    assert_int_equal(w->relays, 0);
    assert_null(w->listener);
    assert_int_equal(w->load, 0);
}

static inline void world_init_with(struct world *w, bool cmaf, bool ladder_fits)
{
    *w = (struct world){.now = 1000,
                        .timer_at = PIPELINE_NO_TIMER,
                        .router = true,
                        .worker_runs = true,
                        .stopped_ms = -1};
    snprintf(w->root, sizeof w->root, "/tmp/weir-pipeline-XXXXXX");
    assert_non_null(mkdtemp(w->root));
    rng_init_seeded(&w->rng, 5);
    /* Eight pairs, others for each process that runs this. */
    uint16_t port = (uint16_t)(22000 + getpid() % 400 * 16);
    assert_int_equal(ports_open(port, (uint16_t)(port + 15), &w->ports), OK);
    assert_int_equal(discontinuity_mark_open(NULL, &w->mark), OK);
    struct pipeline_config config = {.env = {.ctx = w,
                                             .now_ms = world_now,
                                             .wall = world_wall,
                                             .arm = world_arm,
                                             .request = world_request,
                                             .load = world_load,
                                             .forget = world_forget,
                                             .listen = world_fleet_listen,
                                             .unlisten = world_fleet_unlisten,
                                             .launch = world_launch,
                                             .stop = world_stop,
                                             .held = world_held,
                                             .relay = world_relay,
                                             .relay_port = world_relay_port,
                                             .relay_start = world_relay_start,
                                             .relay_close = world_relay_close,
                                             .backlog = world_backlog,
                                             .publish = world_publish,
                                             .withdraw = world_withdraw,
                                             .describe = world_describe,
                                             .on_playable = world_on_playable,
                                             .on_state = world_on_state,
                                             .on_restart = world_on_restart,
                                             .on_ended = world_on_ended},
                                     .ports = w->ports,
                                     .mark = w->mark,
                                     .rng = &w->rng,
                                     .room_id = "room",
                                     .root = w->root,
                                     .ffmpeg_path = "ffmpeg",
                                     .part = 250 * USEC_PER_MSEC,
                                     .window = 10 * USEC_PER_SEC,
                                     .memory = 10 * USEC_PER_SEC,
                                     .encoding = {.cmaf = cmaf,
                                                  .preset = "veryfast",
                                                  .segment = USEC_PER_SEC,
                                                  .encoder = "libx264",
                                                  .ladder = {{720, 1000000}, {144, 100000}},
                                                  .n_ladder = ladder_fits ? 2 : 1,
                                                  .ladder_fits = ladder_fits,
                                                  .audio_bps = 64000},
                                     .list_size = 5};
    assert_int_equal(pipeline_open(&config, &w->pipeline), OK);
}

static inline void world_init_as(struct world *w, bool cmaf)
{
    world_init_with(w, cmaf, false);
}

static inline void world_init(struct world *w)
{
    world_init_as(w, false);
}

/* Ends it, and checks that nothing is left. */
static inline void world_fini(struct world *w)
{
    pipeline_end(w->pipeline);
    world_until(w, PIPELINE_ENDED);
    while (world_answer(w, OK))
        ;
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->timer_at, PIPELINE_NO_TIMER);
    world_assert_empty(w);
    pipeline_close(w->pipeline, true);
    assert_null(w->published);
    assert_int_equal(rmdir(w->root), 0);
    ports_close(w->ports);
    discontinuity_mark_close(w->mark);
}

#endif
