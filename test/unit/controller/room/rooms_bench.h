/* Rooms over a real fleet of two workers, for tests of room/: no client is connected, peers act by
 * the functions that the handlers call. */
#ifndef WEIR_TEST_ROOMS_BENCH_H
#define WEIR_TEST_ROOMS_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "controller/room/room_pipe.h"
#include "controller/room/session.h"

enum { PATIENCE_MS = 10000, WORKERS = 2, PEERS_MAX = 8 };

struct bench {
    uv_loop_t loop;
    struct rng rng;
    struct fleet *fleet;
    struct http_server *http;
    struct rooms *rooms;
    struct rooms_observer observer;
    uv_timer_t alarm;
    bool rang;
    bool started;
    bool closed;
    struct session sessions[PEERS_MAX]; /* without a connection */
    unsigned n_sessions;
    int added; /* what features were told */
    int removed;
    int origins;
    int origins_lost;
};

/* Runs the loop until cond holds; fails after PATIENCE_MS. */
#define RUN_UNTIL(b, cond)                                                                         \
    do {                                                                                           \
        (b)->rang = false;                                                                         \
        uv_update_time(&(b)->loop);                                                                \
        uv_timer_start(&(b)->alarm, bench_alarm, PATIENCE_MS, 0);                                  \
        while (!(cond) && !(b)->rang)                                                              \
            uv_run(&(b)->loop, UV_RUN_ONCE);                                                       \
        uv_timer_stop(&(b)->alarm);                                                                \
        assert_true(cond);                                                                         \
    } while (0)

static void bench_alarm(uv_timer_t *t)
{
    ((struct bench *)t->data)->rang = true;
}

static void bench_started(void *ctx, enum err e, const char *text)
{
    if (e != OK)
        fail_msg("%s", text);
    ((struct bench *)ctx)->started = true;
}

static void bench_closed(void *ctx)
{
    ((struct bench *)ctx)->closed = true;
}

static void bench_added(void *ctx, struct room *room, struct room_producer *p)
{
    (void)room;
    (void)p;
    ((struct bench *)ctx)->added++;
}

static void bench_removed(void *ctx, struct room *room, struct room_producer *p)
{
    (void)room;
    (void)p;
    ((struct bench *)ctx)->removed++;
}

static void bench_origin(void *ctx, struct room *room)
{
    (void)room;
    ((struct bench *)ctx)->origins++;
}

static void bench_origin_lost(void *ctx, struct room *room)
{
    (void)room;
    ((struct bench *)ctx)->origins_lost++;
}

/* build/<variant>/test/... -> build/<variant>/weir-worker */
static const char *bench_worker_path(void)
{
    static char path[1024];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    assert_true(n > 0);
    path[n] = '\0';
    for (char *slash; (slash = strrchr(path, '/')) != NULL; *slash = '\0') {
        strcpy(slash, "/weir-worker");
        if (access(path, X_OK) == 0)
            return path;
    }
    fail_msg("weir-worker is not beside the test program: make all");
    return NULL;
}

static bool port_is_free(uint16_t port, int type)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    close(fd);
    return ok;
}

static uint16_t free_ports(struct rng *rng)
{
    for (;;) {
        uint16_t port = (uint16_t)(20000 + rng_u32(rng) % 10000);
        bool ok = true;
        for (uint16_t i = 0; i < WORKERS && ok; i++)
            ok = port_is_free((uint16_t)(port + i), SOCK_DGRAM) &&
                 port_is_free((uint16_t)(port + i), SOCK_STREAM);
        if (ok)
            return port;
    }
}

/* load_max: as rtc.worker_load_max. */
static void bench_open(struct bench *b, unsigned load_max)
{
    char error[256];
    memset(b, 0, sizeof *b);
    rng_init_system(&b->rng);
    uv_loop_init(&b->loop);
    uv_timer_init(&b->loop, &b->alarm);
    b->alarm.data = b;
    struct fleet_config fleet = {.loop = &b->loop,
                                 .worker_path = bench_worker_path(),
                                 .n_workers = WORKERS,
                                 .port_base = free_ports(&b->rng),
                                 .listens = {{.ip = "127.0.0.1"}},
                                 .n_listens = 1,
                                 .log_level = "error",
                                 .on_started = bench_started,
                                 .ctx = b};
    assert_int_equal(fleet_open(&fleet, &b->fleet), OK);
    struct http_config http = {.host = "127.0.0.1"};
    assert_int_equal(http_server_open(&b->http, &b->loop, &http, error, sizeof error), OK);
    struct rooms_config rooms = {.loop = &b->loop,
                                 .fleet = b->fleet,
                                 .http = b->http,
                                 .rng = &b->rng,
                                 .rooms_max = 10,
                                 .peers_per_room_max = PEERS_MAX,
                                 .message_bytes_max = 65536,
                                 .send_queue_bytes_max = 65536,
                                 .idle_s = 60,
                                 .worker_load_max = load_max};
    assert_int_equal(rooms_open(&rooms, &b->rooms), OK);
    b->observer = (struct rooms_observer){.on_router = bench_origin,
                                          .on_router_lost = bench_origin_lost,
                                          .on_producer_added = bench_added,
                                          .on_producer_removed = bench_removed,
                                          .ctx = b};
    rooms_observe(b->rooms, &b->observer);
    RUN_UNTIL(b, b->started);
}

static void bench_close(struct bench *b)
{
    rooms_close(b->rooms, bench_closed, b);
    RUN_UNTIL(b, b->closed);
    b->closed = false;
    http_server_close(b->http, bench_closed, b);
    RUN_UNTIL(b, b->closed);
    b->closed = false;
    fleet_close(b->fleet, bench_closed, b);
    RUN_UNTIL(b, b->closed);
    uv_close((uv_handle_t *)&b->alarm, NULL);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&b->loop), 0);
}

/* ---- what a worker has ---- */

struct held {
    bool told;
    uint64_t routers;
    uint64_t transports;
    uint64_t producers;
    uint64_t consumers;
    uint64_t data_producers;
    uint64_t data_consumers;
};

static void on_held(void *ctx, enum err e, const char *reason, const void *data)
{
    const struct worker_get_metrics_response *r = data;
    struct held *h = ctx;
    if (e != OK)
        fail_msg("%s", reason);
    *h = (struct held){.told = true,
                       .routers = r->routers,
                       .transports = r->transports,
                       .producers = r->producers,
                       .consumers = r->consumers,
                       .data_producers = r->data_producers,
                       .data_consumers = r->data_consumers};
}

/* Asked behind everything that was asked before. */
static struct held held_by(struct bench *b, struct fleet_worker *w)
{
    struct held h = {0};
    assert_int_equal(fleet_request(w, METHOD_WORKER_GET_METRICS, "", NULL, on_held, &h), OK);
    RUN_UNTIL(b, h.told);
    return h;
}

#define assert_held(b, worker, n_routers, n_transports, n_producers, n_consumers)                  \
    do {                                                                                           \
        struct held held_now = held_by(b, worker);                                                 \
        assert_int_equal(held_now.routers, n_routers);                                             \
        assert_int_equal(held_now.transports, n_transports);                                       \
        assert_int_equal(held_now.producers, n_producers);                                         \
        assert_int_equal(held_now.consumers, n_consumers);                                         \
    } while (0)

/* ---- peers ---- */

static inline struct room_peer *join(struct bench *b, const char *id)
{
    struct room *room;
    struct room_peer *p;
    struct session *s = &b->sessions[b->n_sessions++];
    s->rooms = b->rooms;
    assert_int_equal(room_get(b->rooms, "hall", &room), OK);
    struct peer_join who = {.peer_id = id, .session = s};
    assert_int_equal(peer_open(room, &who, &p), OK);
    s->peer = p;
    return p;
}

static inline struct room_transport *transport(struct room_peer *p, enum transport_use use)
{
    assert_int_equal(peer_enter_router(p), OK);
    struct room_transport *t = transport_new(p, use, NULL);
    assert_non_null(t);
    struct webrtc_transport_options options = {.enable_sctp = true, .has_enable_sctp = true};
    struct router_create_webrtc_transport_request request = {.transport_id = t->id,
                                                             .options = &options};
    assert_int_equal(fleet_request(p->router->worker, METHOD_ROUTER_CREATE_WEBRTC_TRANSPORT,
                                   p->router->id, &request, NULL, NULL),
                     OK);
    t->n_streams = 16;
    return t;
}

static inline struct room_producer *produce(struct bench *b, struct room_transport *t)
{
    static uint32_t ssrc = 1000;
    struct rtcp_parameters rtcp = {.cname = (char[]){"c"}};
    struct rtp_codec_parameters codec = {.mime_type = (char[]){"audio/opus"},
                                         .payload_type = 111,
                                         .has_payload_type = true,
                                         .clock_rate = 48000,
                                         .has_clock_rate = true,
                                         .channels = 2,
                                         .has_channels = true};
    struct rtp_encoding_parameters encoding = {.ssrc = ++ssrc, .has_ssrc = true};
    struct rtp_parameters parameters = {
        .codecs = &codec, .n_codecs = 1, .encodings = &encoding, .n_encodings = 1, .rtcp = &rtcp};
    struct room_producer *p;
    struct field_error error;
    if (producer_open(t, (struct op_request){0}, MEDIA_KIND_AUDIO, &parameters, false, NULL, &p,
                      &error) != OK)
        fail_msg("%s", error.reason);
    RUN_UNTIL(b, p->ready);
    return p;
}

static inline struct room_consumer *consume(struct bench *b, struct room_transport *t,
                                            struct room_producer *p)
{
    struct field_error error;
    struct rtp_capabilities caps = b->rooms->capabilities;
    struct sig_consume in = {.rtp_capabilities = &caps, .has_paused = true};
    if (consumer_open(t, (struct op_request){0}, p, &in, &error) != OK)
        fail_msg("%s", error.reason);
    return container_of(t->consumers.prev, struct room_consumer, node);
}

static inline struct room_data_producer *produce_data(struct bench *b, struct room_transport *t)
{
    struct sctp_stream_parameters stream = {
        .stream_id = 3, .has_stream_id = true, .ordered = true, .has_ordered = true};
    struct sig_produce_data in = {.sctp_stream_parameters = &stream};
    assert_int_equal(data_producer_open(t, (struct op_request){0}, &in), OK);
    struct room_data_producer *p =
        container_of(t->data_producers.prev, struct room_data_producer, node);
    RUN_UNTIL(b, p->ready);
    return p;
}

static inline size_t length(const struct list *l)
{
    size_t n = 0;
    for (const struct list *node = l->next; node != l; node = node->next)
        n++;
    return n;
}

#endif
