#include "test/lib/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/engine/seal.h"

struct datagram {
    struct datagram *next;
    struct endpoint *to;
    size_t n;
    uint8_t bytes[];
};

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "test world: %s: %s\n", what, detail);
    abort();
}

/* ---- the worker's io ---- */

static enum err open_socket(void *ctx, const struct udp_listen *listen, uint16_t *sock,
                            uint16_t *port)
{
    struct world *w = ctx;
    if (listen->ip.port == 1)
        return ERR_BUSY;
    *sock = w->next_sock++;
    *port = listen->ip.port ? listen->ip.port : w->next_port++;
    w->open_sockets++;
    return OK;
}

static void close_socket(void *ctx, uint16_t sock)
{
    (void)sock;
    ((struct world *)ctx)->open_sockets--;
}

static void close_tcp(void *ctx, const struct tuple *tuple)
{
    (void)ctx;
    (void)tuple;
}

static struct endpoint *find(const struct world *w, const struct addr *at)
{
    for (size_t i = 0; i < w->n_endpoints; i++) {
        if (addr_eq(&w->endpoints[i]->at, at))
            return w->endpoints[i];
    }
    return NULL;
}

static void queue(struct world *w, struct endpoint *to, const uint8_t *bytes, size_t n)
{
    if (!to || (w->lose && w->lose(w, bytes, n)))
        return;
    struct datagram *d = malloc(sizeof *d + n);
    if (!d)
        die("memory", "none");
    d->next = NULL;
    d->to = to;
    d->n = n;
    memcpy(d->bytes, bytes, n);
    *w->last = d;
    w->last = &d->next;
}

static void drain(void *ctx, struct txq *q)
{
    struct world *w = ctx;
    list_each (node, &q->dirty) {
        const struct tx_dest *d = container_of(node, struct tx_dest, dirty);
        struct endpoint *to = w->count_only ? NULL : find(w, &d->to.remote);
        for (uint32_t i = d->first; i != TX_NONE; i = q->slots[i].next) {
            w->sent++;
            queue(w, to, txq_bytes(q, i), q->slots[i].len);
        }
    }
    txq_reset(q);
}

/* ---- pipe ---- */

static json_t *next_message(struct world *w)
{
    struct slice s = frame_queue_peek(&w->out);
    if (s.n == 0)
        return NULL;
    size_t n = (size_t)s.p[0] | (size_t)s.p[1] << 8 | (size_t)s.p[2] << 16 | (size_t)s.p[3] << 24;
    json_error_t e;
    json_t *m = json_loadb((const char *)s.p + FRAME_HEAD, n, 0, &e);
    if (!m)
        die("the worker sent bad JSON", e.text);
    frame_queue_consume(&w->out, FRAME_HEAD + n);
    return m;
}

/* Events go to the list; the response, when there is one, is returned. */
static json_t *take_messages(struct world *w)
{
    json_t *response = NULL;
    json_t *m;
    while ((m = next_message(w))) {
        if (json_object_get(m, "event"))
            json_array_append_new(w->events, m);
        else
            response = m;
    }
    return response;
}

static json_t *exchange(struct world *w, const char *method, const char *handler, const char *data,
                        va_list args)
{
    static char frame[1 << 16];
    static char body[1 << 15];
    body[0] = '\0';
    if (data)
        vsnprintf(body, sizeof body, data, args);
    snprintf(frame, sizeof frame, "{'id':%u,'method':'%s','handlerId':'%s'%s%s}", ++w->next_id,
             method, handler, data ? ",'data':" : "", body);
    for (char *p = frame; *p; p++) {
        if (*p == '\'')
            *p = '"';
    }
    api_frame(&w->api, w->now, slice_of(frame, strlen(frame)));
    json_t *response = take_messages(w);
    if (!response || json_integer_value(json_object_get(response, "id")) != w->next_id)
        die("no response", frame);
    return response;
}

json_t *world_call(struct world *w, const char *method, const char *handler, json_t **error,
                   const char *data, ...)
{
    va_list args;
    va_start(args, data);
    json_t *response = exchange(w, method, handler, data, args);
    va_end(args);
    if (!json_is_true(json_object_get(response, "accepted"))) {
        if (error)
            *error = response;
        else
            json_decref(response);
        return NULL;
    }
    json_t *out = json_object_get(response, "data");
    out = out ? json_incref(out) : json_true();
    json_decref(response);
    return out;
}

void world_do(struct world *w, const char *method, const char *handler, const char *data, ...)
{
    va_list args;
    va_start(args, data);
    json_t *response = exchange(w, method, handler, data, args);
    va_end(args);
    if (!json_is_true(json_object_get(response, "accepted")))
        die(method, json_string_value(json_object_get(response, "reason")));
    json_decref(response);
}

const char *world_refused(struct world *w, const char *method, const char *handler,
                          const char *data, ...)
{
    static char text[512];
    va_list args;
    va_start(args, data);
    json_t *response = exchange(w, method, handler, data, args);
    va_end(args);
    const char *error = json_string_value(json_object_get(response, "error"));
    const char *reason = json_string_value(json_object_get(response, "reason"));
    snprintf(text, sizeof text, "%s %s", error ? error : "accepted", reason ? reason : "");
    json_decref(response);
    return text;
}

static bool matches(const json_t *m, const char *handler, const char *event)
{
    return strcmp(json_string_value(json_object_get(m, "event")), event) == 0 &&
           (!handler || strcmp(json_string_value(json_object_get(m, "handlerId")), handler) == 0);
}

size_t world_events(const struct world *w, const char *handler, const char *event)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(w->events); i++)
        n += matches(json_array_get(w->events, i), handler, event);
    return n;
}

json_t *world_last_event(const struct world *w, const char *handler, const char *event)
{
    for (size_t i = json_array_size(w->events); i > 0; i--) {
        const json_t *m = json_array_get(w->events, i - 1);
        if (matches(m, handler, event))
            return json_object_get(m, "data");
    }
    return NULL;
}

/* ---- life ---- */

struct dtls_identity *world_identity(void)
{
    static struct dtls_identity *identity;
    if (!identity && dtls_identity_open(&identity, NULL, NULL) != OK)
        die("identity", "cannot be made");
    return identity;
}

void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->now = 1000 * USEC_PER_SEC;
    w->last = &w->first;
    w->next_sock = 10;
    w->next_port = 50000;
    w->events = json_array();
    rng_init_seeded(&w->rng, 42);
    frame_queue_init(&w->out, 16 << 20);
    w->api = (struct api){.out = &w->out, .version = "test"};
    struct worker_config config = {.io = {.ctx = w,
                                          .open_udp = open_socket,
                                          .open_tcp = open_socket,
                                          .close_udp = close_socket,
                                          .close_tcp_listener = close_socket,
                                          .close_tcp = close_tcp},
                                   .n_listens = 2,
                                   .rng = &w->rng,
                                   .max_packets = 65536,
                                   .use_retransmissions = true,
                                   .notify = api_notify,
                                   .notify_ctx = &w->api};
    config.listens[0].proto = TUPLE_UDP;
    config.listens[1].proto = TUPLE_TCP;
    for (int i = 0; i < 2; i++) {
        if (addr_parse(&config.listens[i].bound, "10.0.0.1", 40000) != OK)
            die("address", "bad");
    }
    if (worker_open(&config, w->now, 1700000000 * USEC_PER_SEC, &w->worker) != OK)
        die("worker_open", "failed");
    w->api.worker = w->worker;
    worker_txq(w->worker)->drain = drain;
    worker_txq(w->worker)->drain_ctx = w;
}

void world_fini(struct world *w)
{
    w->n_endpoints = 0; /* some are of tests that have ended; goodbyes go nowhere */
    worker_close(w->worker);
    json_decref(take_messages(w));
    while (w->first) {
        struct datagram *d = w->first;
        w->first = d->next;
        free(d);
    }
    frame_queue_fini(&w->out);
    json_decref(w->events);
}

/* ---- datagrams and time ---- */

void world_add(struct world *w, struct endpoint *e, const char *ip, uint16_t port)
{
    if (w->n_endpoints == WORLD_ENDPOINTS || addr_parse(&e->at, ip, port) != OK)
        die("endpoint", ip);
    e->world = w;
    w->endpoints[w->n_endpoints++] = e;
}

void world_send(struct world *w, const struct endpoint *e, uint16_t sock, const void *bytes,
                size_t n)
{
    struct tuple from = {.remote = e->at, .sock = sock, .proto = TUPLE_UDP};
    struct packet *p = packet_get(worker_pool(w->worker));
    if (!p || n > PACKET_CAP)
        die("packet", "none");
    memcpy(p->data, bytes, n);
    p->len = (uint32_t)n;
    p->arrived_at = w->now;
    worker_datagram(w->worker, w->now, &from, p);
    if (!w->bursts)
        worker_burst_end(w->worker, w->now);
    packet_unref(p);
}

static void drain_worker(struct world *w)
{
    if (w->bursts)
        worker_burst_end(w->worker, w->now);
    struct txq *q = worker_txq(w->worker);
    if (!list_empty(&q->dirty))
        drain(w, q);
}

void world_settle(struct world *w)
{
    drain_worker(w);
    for (int rounds = 0; w->first; rounds++) {
        struct datagram *d = w->first;
        w->first = d->next;
        if (!w->first)
            w->last = &w->first;
        d->to->receive(d->to, d->bytes, d->n);
        free(d);
        drain_worker(w);
        if (rounds > 1000000)
            die("world_settle", "does not end");
    }
    json_decref(take_messages(w));
}

void world_pass(struct world *w, usec time, void (*tick)(void *ctx, usec now), void *ctx)
{
    usec end = w->now + time;
    world_settle(w);
    while (w->now < end) {
        usec next = usec_min(worker_deadline(w->worker), w->now + 10 * USEC_PER_MSEC);
        w->now = next <= w->now ? w->now + 1 : usec_min(next, end);
        if (worker_deadline(w->worker) <= w->now)
            worker_timeout(w->worker, w->now);
        world_settle(w);
        if (tick)
            tick(ctx, w->now);
        world_settle(w);
    }
}

/* ---- a browser ---- */

static void browser_send(void *ctx, const void *bytes, size_t n)
{
    struct browser *b = ctx;
    world_send(b->endpoint.world, &b->endpoint, WORLD_SOCKET_SHARED, bytes, n);
}

static void browser_receive(struct endpoint *e, uint8_t *bytes, size_t n)
{
    struct browser *b = e->ctx;
    rtc_peer_input(&b->peer, e->world->now, bytes, n);
}

static void browser_rtp(void *ctx, usec now, uint8_t *bytes, size_t n)
{
    struct browser *b = ctx;
    (void)now;
    if (b->on_rtp)
        b->on_rtp(b, bytes, n);
}

static void browser_rtcp(void *ctx, usec now, uint8_t *bytes, size_t n)
{
    struct browser *b = ctx;
    (void)now;
    if (b->on_rtcp)
        b->on_rtcp(b, bytes, n);
}

static void browser_data(void *ctx, usec now, struct slice message)
{
    struct browser *b = ctx;
    (void)now;
    if (b->on_data)
        b->on_data(b, message);
}

static const char *text_at(const json_t *o, const char *a, const char *b)
{
    return json_string_value(json_object_get(json_object_get(o, a), b));
}

void browser_create(struct browser *b, struct world *w, const char *router, const char *transport,
                    bool dtls_server)
{
    memset(b, 0, sizeof *b);
    snprintf(b->transport, sizeof b->transport, "%s", transport);
    json_t *t = world_call(w, "router.createWebRtcTransport", router, NULL,
                           "{'transportId':'%s','options':%s}", transport,
                           w->transport_options ? w->transport_options : "{}");
    if (!t)
        die("createWebRtcTransport", transport);
    const char *print = NULL;
    json_t *prints = json_object_get(json_object_get(t, "dtlsParameters"), "fingerprints");
    for (size_t i = 0; i < json_array_size(prints); i++) {
        const json_t *p = json_array_get(prints, i);
        if (strcmp(json_string_value(json_object_get(p, "algorithm")), "sha-256") == 0)
            print = json_string_value(json_object_get(p, "value"));
    }
    struct rtc_peer_config config = {.rng = &w->rng,
                                     .identity = world_identity(),
                                     .remote_ufrag =
                                         text_at(t, "iceParameters", "usernameFragment"),
                                     .remote_pwd = text_at(t, "iceParameters", "password"),
                                     .remote_fingerprint = print,
                                     .dtls_server = dtls_server,
                                     .send = browser_send,
                                     .on_rtp = browser_rtp,
                                     .on_rtcp = browser_rtcp,
                                     .on_data = browser_data,
                                     .ctx = b};
    if (rtc_peer_init(&b->peer, &config) != OK)
        die("rtc_peer_init", transport);
    json_decref(t);
    b->endpoint.receive = browser_receive;
    b->endpoint.ctx = b;
    world_add(w, &b->endpoint, "10.1.0.1", (uint16_t)(10000 + w->n_endpoints));
}

void browser_connect(struct browser *b, struct world *w, const char *router, const char *transport,
                     bool dtls_server)
{
    browser_create(b, w, router, transport, dtls_server);
    world_do(w, "webRtcTransport.connect", transport,
             "{'dtlsParameters':{'role':'%s','fingerprints':[{'algorithm':'sha-256','value':'%s'}]}"
             "}",
             dtls_server ? "server" : "client", rtc_peer_fingerprint(&b->peer));
    rtc_peer_start(&b->peer, w->now);
    for (int i = 0; i < 100 && !rtc_peer_connected(&b->peer); i++) {
        world_pass(w, 10 * USEC_PER_MSEC, NULL, NULL);
        rtc_peer_timeout(&b->peer, w->now);
    }
    world_settle(w);
    if (!rtc_peer_connected(&b->peer))
        die("DTLS did not connect", transport);
}

void browser_fini(struct browser *b)
{
    rtc_peer_fini(&b->peer);
}
