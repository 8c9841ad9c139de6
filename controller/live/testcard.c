#include "controller/live/testcard.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/log.h"
#include "controller/fleet/fleet.h"
#include "controller/live/ffmpeg.h"
#include "controller/live/testcard_command.h"

#define TESTCARD_PEER "test-card"

enum {
    KINDS = 2,
    ID_LEN = 37,
    BACKOFF_FIRST_MS = 250,
    BACKOFF_MAX_MS = 10 * 1000,
    /* So long on the air is a success. */
    STABLE_MS = 10 * 1000,
    /* A command that ends sooner is wrong for this machine: most likely it has no font. */
    BAD_COMMAND_MS = 3000,
    ARENA_BYTES_MAX = 64 * 1024
};

/* The order of things; each attempt goes through it, and ends in ENDING or in one go to PAUSE. */
enum state {
    PAUSE,      /* the timer begins the next attempt */
    ROUTER,     /* the peer is in the room, which has no router yet */
    TRANSPORTS, /* asked for */
    PRODUCING,  /* producers are announced */
    ON_AIR,     /* ffmpeg runs */
    ENDING,     /* ffmpeg is ending */
    CLOSED
};

struct track {
    char transport_id[ID_LEN];
    struct testcard_target target;
};

struct testcard {
    struct testcard_config config;
    struct rooms_observer observer;
    uv_timer_t timer;
    enum state state;
    struct room_peer *peer;      /* ref; NULL: not in the room */
    struct fleet_worker *worker; /* of the transports; NULL: none, or lost */
    char router_id[ID_LEN];
    struct track tracks[KINDS];
    unsigned pending; /* answers still to come */
    struct ffmpeg *ffmpeg;
    uint64_t on_air_ms; /* since when */
    unsigned failures;
    bool plain;
    bool closing;
    struct metric *restarts;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void on_timer(uv_timer_t *timer);

static uint64_t now_ms(const struct testcard *t)
{
    return uv_now(t->config.loop);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct testcard *t = h->data;
    void (*closed)(void *) = t->closed;
    void *ctx = t->closed_ctx;
    free(t);
    if (closed)
        closed(ctx);
}

/* ---- the end of an attempt ---- */

static void close_transports(struct testcard *t)
{
    if (!t->worker)
        return;
    fleet_forget(t->worker, t);
    for (int k = 0; k < KINDS; k++) {
        struct router_close_transport_request request = {.transport_id = t->tracks[k].transport_id};
        if (!t->tracks[k].transport_id[0])
            continue;
        (void)fleet_request(t->worker, METHOD_ROUTER_CLOSE_TRANSPORT, t->router_id, &request, NULL,
                            NULL);
        fleet_worker_add_load(t->worker, -1);
        t->tracks[k].transport_id[0] = '\0';
    }
    t->worker = NULL;
}

static uint64_t backoff_ms(const struct testcard *t)
{
    if (t->failures <= 1)
        return 0;
    unsigned shift = t->failures - 2 < 8 ? t->failures - 2 : 8;
    uint64_t ms = (uint64_t)BACKOFF_FIRST_MS << shift;
    return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

/* Nothing of ffmpeg is left: give the rest back, and begin again some time. */
static void leave(struct testcard *t)
{
    close_transports(t);
    struct room_peer *peer = t->peer;
    t->peer = NULL;
    if (peer)
        room_own_peer_close(peer);
    if (t->closing) {
        t->state = CLOSED;
        rooms_unobserve(&t->observer);
        uv_close((uv_handle_t *)&t->timer, on_timer_closed);
        return;
    }
    t->state = PAUSE;
    uv_timer_start(&t->timer, on_timer, backoff_ms(t), 0);
}

static void end_attempt(struct testcard *t)
{
    if (t->state == ENDING || t->state == PAUSE || t->state == CLOSED)
        return;
    if (t->ffmpeg) {
        t->state = ENDING;
        ffmpeg_stop(t->ffmpeg, 0);
    } else {
        leave(t);
    }
}

static void fail(struct testcard *t, const char *why)
{
    bool stable = t->state == ON_AIR && now_ms(t) - t->on_air_ms >= STABLE_MS;
    t->failures = stable ? 1 : t->failures + 1;
    metric_add(t->restarts, 1);
    /* Told at the beginning, and then ever more rarely. */
    if ((t->failures & (t->failures - 1)) == 0)
        log_warn("testcard.failed", "times=%u why=\"%s\"", t->failures, why);
    end_attempt(t);
}

/* ---- ffmpeg ---- */

static void on_ffmpeg_exit(void *ctx, const struct ffmpeg_exit *how)
{
    struct testcard *t = ctx;
    char why[FFMPEG_WORDS_MAX + 64];
    t->ffmpeg = NULL;
    if (t->state == ENDING) {
        leave(t);
        return;
    }
    if (how->signal == 0 && now_ms(t) - t->on_air_ms < BAD_COMMAND_MS)
        t->plain = true;
    if (how->signal)
        snprintf(why, sizeof why, "ffmpeg got signal %d", how->signal);
    else
        snprintf(why, sizeof why, "ffmpeg exited with %d: %s", how->status, how->last_words);
    fail(t, why);
}

static void on_listening(void *ctx)
{
    const struct testcard *t = ctx;
    if (t->state == ON_AIR)
        log_info("testcard.on_air", "room=%s pid=%d", TESTCARD_ROOM, ffmpeg_pid(t->ffmpeg));
}

static void launch(struct testcard *t)
{
    struct command c;
    struct testcard_target targets[KINDS];
    char why[FFMPEG_WORDS_MAX] = "its command does not fit";
    for (int k = 0; k < KINDS; k++)
        targets[k] = t->tracks[k].target;
    command_init(&c);
    testcard_command(&c, targets, t->plain);
    struct ffmpeg_config config = {.path = t->config.ffmpeg,
                                   .args = c.args,
                                   .name = "testcard",
                                   .on_listening = on_listening,
                                   .on_exit = on_ffmpeg_exit,
                                   .ctx = t};
    enum err e = c.bad ? ERR_TOO_LARGE : ffmpeg_start(t->config.loop, &config, &t->ffmpeg, why);
    command_fini(&c);
    if (e != OK) {
        fail(t, why);
        return;
    }
    t->state = ON_AIR;
    t->on_air_ms = now_ms(t);
}

/* ---- producers ---- */

static void on_produced(void *ctx, enum err e, const char *reason, struct room_producer *p)
{
    struct testcard *t = ctx;
    (void)p;
    if (t->state != PRODUCING)
        return;
    if (e != OK)
        fail(t, reason && reason[0] ? reason : err_text(e));
    else if (--t->pending == 0)
        launch(t);
}

static enum err produce(struct testcard *t, enum media_kind kind, struct field_error *error)
{
    struct arena arena;
    struct rtp_parameters parameters;
    arena_init(&arena, ARENA_BYTES_MAX);
    enum err e = testcard_parameters(kind, t->tracks[kind].target.ssrc, &arena, &parameters);
    if (e == OK)
        e = room_own_produce(t->peer, t->tracks[kind].transport_id, kind, &parameters, on_produced,
                             t, error);
    arena_fini(&arena);
    return e;
}

static void produce_all(struct testcard *t)
{
    t->state = PRODUCING;
    t->pending = KINDS;
    for (int k = 0; k < KINDS; k++) {
        struct field_error error = {.reason = "out of memory"};
        if (produce(t, (enum media_kind)k, &error) != OK) {
            fail(t, error.reason);
            return;
        }
    }
}

/* ---- transports ---- */

static void take_tuple(struct testcard *t, const struct transport_dump_response *r)
{
    for (int k = 0; k < KINDS; k++) {
        if (strcmp(t->tracks[k].transport_id, r->id) == 0 && r->tuple && r->rtcp_tuple) {
            t->tracks[k].target.port = r->tuple->local_port;
            t->tracks[k].target.rtcp_port = r->rtcp_tuple->local_port;
        }
    }
}

static void on_transport(void *ctx, enum err e, const char *reason, const void *data)
{
    struct testcard *t = ctx;
    if (t->state != TRANSPORTS)
        return;
    if (e != OK) {
        fail(t, reason && reason[0] ? reason : err_text(e));
        return;
    }
    take_tuple(t, data);
    if (--t->pending > 0)
        return;
    if (t->tracks[0].target.port == 0 || t->tracks[1].target.port == 0)
        fail(t, "the media worker told no ports");
    else
        produce_all(t);
}

/* ffmpeg sends RTP and RTCP from ports of its own, each; so they go to different ports here, where
 * each learns its peer's address. */
static enum err make_transport(struct testcard *t, struct track *track)
{
    struct listen_info listen = {
        .protocol = PARAM_PROTOCOL_UDP, .has_protocol = true, .ip = "127.0.0.1"};
    struct plain_transport_options options = {.listen_info = &listen,
                                              .rtcp_mux = false,
                                              .has_rtcp_mux = true,
                                              .comedia = true,
                                              .has_comedia = true};
    char id[ID_LEN];
    rng_uuid(t->config.rng, id);
    struct router_create_plain_transport_request request = {.transport_id = id,
                                                            .options = &options};
    *track = (struct track){.target.ssrc = 1 + rng_u32(t->config.rng) % (uint32_t)INT32_MAX};
    enum err e = fleet_request(t->worker, METHOD_ROUTER_CREATE_PLAIN_TRANSPORT, t->router_id,
                               &request, on_transport, t);
    if (e != OK)
        return e;
    memcpy(track->transport_id, id, sizeof id);
    fleet_worker_add_load(t->worker, 1);
    return OK;
}

static void make_transports(struct testcard *t)
{
    struct room *room = peer_room(t->peer);
    const char *router_id = room_router_id(room);
    if (!router_id)
        return;
    t->worker = room_worker(room);
    snprintf(t->router_id, sizeof t->router_id, "%s", router_id);
    t->state = TRANSPORTS;
    t->pending = KINDS;
    for (int k = 0; k < KINDS; k++)
        t->tracks[k] = (struct track){0};
    for (int k = 0; k < KINDS; k++) {
        enum err e = make_transport(t, &t->tracks[k]);
        if (e != OK) {
            fail(t, err_text(e));
            return;
        }
    }
}

/* ---- the room ---- */

static void join(struct testcard *t)
{
    t->state = ROUTER;
    enum err e = room_own_peer_open(t->config.rooms, TESTCARD_ROOM, TESTCARD_PEER, "Test card",
                                    ROLE_BROADCASTER, "Test card", &t->peer);
    if (e != OK)
        fail(t, e == ERR_EXISTS ? "somebody is in the room under its name" : err_text(e));
    else
        make_transports(t);
}

static bool is_ours(const struct testcard *t, const struct room *room)
{
    return t->peer && peer_room(t->peer) == room;
}

static void on_router(void *ctx, struct room *room)
{
    struct testcard *t = ctx;
    if (is_ours(t, room) && t->state == ROUTER)
        uv_timer_start(&t->timer, on_timer, 0, 0);
}

/* Its transports are gone without being closed; the rest is done in a turn of its own. */
static void on_router_lost(void *ctx, struct room *room)
{
    struct testcard *t = ctx;
    if (!is_ours(t, room))
        return;
    if (t->worker)
        fleet_forget(t->worker, t);
    t->worker = NULL;
    if (t->state == TRANSPORTS || t->state == PRODUCING || t->state == ON_AIR)
        uv_timer_start(&t->timer, on_timer, 0, 0);
}

/* Not by us: the room was closed. */
static void on_peer_left(void *ctx, struct room *room, struct room_peer *peer)
{
    struct testcard *t = ctx;
    (void)room;
    if (peer != t->peer)
        return;
    t->peer = NULL;
    if (t->state == ROUTER || t->state == TRANSPORTS || t->state == PRODUCING || t->state == ON_AIR)
        uv_timer_start(&t->timer, on_timer, 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct testcard *t = timer->data;
    switch (t->state) {
    case PAUSE:
        join(t);
        break;
    case ROUTER:
        if (t->peer)
            make_transports(t);
        else
            fail(t, "the room was closed");
        break;
    case TRANSPORTS:
    case PRODUCING:
    case ON_AIR:
        if (!t->worker || !t->peer)
            fail(t, t->peer ? "the media worker was lost" : "the room was closed");
        break;
    case ENDING:
    case CLOSED:
        break;
    }
}

/* ---- life ---- */

enum err testcard_open(const struct testcard_config *config, struct testcard **out)
{
    struct testcard *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->config = *config;
    t->restarts = metric_counter(config->metrics, "weir_testcard_restarts_total",
                                 "How often the test card began again.", NULL, 0);
    t->observer = (struct rooms_observer){.on_router = on_router,
                                          .on_router_lost = on_router_lost,
                                          .on_peer_left = on_peer_left,
                                          .ctx = t};
    rooms_observe(config->rooms, &t->observer);
    uv_timer_init(config->loop, &t->timer);
    t->timer.data = t;
    t->state = PAUSE;
    uv_timer_start(&t->timer, on_timer, 0, 0);
    *out = t;
    return OK;
}

void testcard_close(struct testcard *t, void (*closed)(void *ctx), void *ctx)
{
    if (t->closing)
        return;
    t->closing = true;
    t->closed = closed;
    t->closed_ctx = ctx;
    uv_timer_stop(&t->timer);
    if (t->state == PAUSE)
        leave(t);
    else
        end_attempt(t);
}
