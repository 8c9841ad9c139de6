#include "controller/net/conn.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/metrics.h"

enum {
    /* Pipelined input that may wait while a request is being answered, in bytes; with more, the
     * answer is the connection's last. */
    IN_MAX = 64 * 1024,
    /* With more than this waiting to be sent, further pipelined requests wait. */
    OUT_PIPELINE_MAX = 64 * 1024,
    /* For all request bodies together; beyond, 503. */
    BODIES_MAX = 512 * 1024 * 1024,
    LINGER_US = 2 * 1000 * 1000,
    /* However steadily a body drips, it must be over after so many times request_timeout_s. */
    BODY_TIMEOUT_FACTOR = 20,
    REFUSED_LOG_US = 10 * 1000 * 1000,
    /* However fast one client reads, the others' turn comes. */
    SEND_PER_TURN = 1024 * 1024,
    /* Batches of pipelined requests that one turn answers. */
    PIPELINE_ROUNDS = 16,
    /* With more than this waiting for it, a WebSocket's messages wait too. */
    WS_OUT_MAX = 256 * 1024
};

static size_t bodies; /* bytes of all request bodies in the process */

usec conn_now(const struct conn *c)
{
    return sock_server_now(c->server->socks);
}

void conn_set_state(struct conn *c, enum conn_state state)
{
    if (c->state == CONN_DEAD)
        return;
    c->state = state;
    c->since = c->progress = conn_now(c);
}

void conn_abort(struct conn *c)
{
    c->state = CONN_DEAD;
    sock_close(c->sock);
}

void conn_kick(struct conn *c)
{
    if (!c->sending && !out_empty(&c->out)) {
        c->sending = true;
        c->progress = conn_now(c);
    }
    if (!c->pumping)
        sock_want_write(c->sock);
}

void request_free(struct http_request *req)
{
    bodies -= req->body_cap;
    free(req->body);
    free(req->extra);
    arena_fini(&req->arena);
    free(req);
}

/* ---- input ---- */

static void consume(struct conn *c, size_t n)
{
    c->view.p += n;
    c->view.n -= n;
}

static bool body_room(struct http_request *req, size_t more)
{
    size_t need = req->body_n + more + 1;
    if (need <= req->body_cap)
        return true;
    size_t cap = req->body_cap ? req->body_cap : 512;
    while (cap < need)
        cap *= 2;
    if (bodies + cap - req->body_cap > BODIES_MAX)
        return false;
    uint8_t *p = realloc(req->body, cap);
    if (!p)
        return false;
    bodies += cap - req->body_cap;
    req->body = p;
    req->body_cap = cap;
    return true;
}

/* False: no progress is possible now. */
static bool run_head(struct conn *c)
{
    if (c->view.n == 0)
        return false;
    if (c->out.files > 0 || c->out.memory > OUT_PIPELINE_MAX) {
        c->blocked = true;
        return false;
    }
    struct http_head h;
    size_t used = 0;
    int status = 0;
    if (c->scanned == 0)
        c->since = conn_now(c); /* of the head: the client has request_timeout_s from here */
    enum parse_result r = parse_head(c->view.p, c->view.n, &c->scanned, &h, &used, &status);
    if (r == PARSE_MORE)
        return false;
    if (r == PARSE_BAD) {
        respond_broken(c, status);
        return true;
    }
    struct http_request *req = request_new(c, &h, &status);
    c->scanned = 0;
    c->any = true;
    consume(c, used); /* h points to bytes that are still there */
    if (!req) {
        respond_broken(c, status);
        return true;
    }
    c->req = req;
    body_init(&c->body, &h);
    conn_set_state(c, CONN_BODY);
    if (!http_admit(c, req, &h))
        return true;
    if (h.expect_continue && !body_done(&c->body) && c->view.n == 0 &&
        !out_bytes(&c->out, "HTTP/1.1 100 Continue\r\n\r\n", 25))
        conn_abort(c);
    return true;
}

static void body_whole(struct conn *c)
{
    struct http_request *req = c->req;
    if (req->body)
        req->body[req->body_n] = '\0';
    conn_set_state(c, CONN_BUSY);
    req->with_handler = true;
    http_dispatch(req);
}

static bool run_body(struct conn *c)
{
    struct http_request *req = c->req;
    if (body_done(&c->body)) {
        body_whole(c);
        return true;
    }
    if (c->view.n == 0)
        return false;
    struct slice data;
    consume(c, body_input(&c->body, c->view.p, c->view.n, &data));
    c->progress = conn_now(c);
    int status = 0;
    if (c->body.state == BODY_BAD)
        status = 400;
    else if (req->body_n + data.n > req->max_body)
        status = 413;
    else if (data.n > 0 && !body_room(req, data.n))
        status = 503;
    if (status != 0) {
        respond_broken(c, status);
        return true;
    }
    if (data.n > 0)
        memcpy(req->body + req->body_n, data.p, data.n);
    req->body_n += data.n;
    return true;
}

static void run(struct conn *c)
{
    for (;;) {
        switch (c->state) {
        case CONN_HEAD:
            if (!run_head(c))
                return;
            break;
        case CONN_BODY:
            if (!run_body(c))
                return;
            break;
        case CONN_WS:
            ws_run(c);
            if (c->state == CONN_WS)
                return;
            break;
        case CONN_BUSY:
            return;
        case CONN_DRAIN:
        case CONN_LINGER:
        case CONN_DEAD:
            c->view.n = 0;
            return;
        }
    }
}

/* Keeps what run() left of the view in c->in. False: out of memory. */
static bool keep_rest(struct conn *c)
{
    if (c->state == CONN_BUSY && c->view.n > IN_MAX) {
        /* Reading goes on, since that is how one learns that the client left. */
        c->deaf = true;
        c->req->keep_alive = false;
        c->view.n = 0;
    }
    size_t n = c->view.n;
    if (n == 0) {
        free(c->in);
        c->in = NULL;
        c->in_n = c->in_cap = 0;
    } else if (c->in_n > 0) { /* the view is the end of in */
        memmove(c->in, c->view.p, n);
        c->in_n = n;
    } else {
        uint8_t *p = malloc(n);
        if (!p)
            return false;
        memcpy(p, c->view.p, n);
        c->in = p;
        c->in_n = c->in_cap = n;
    }
    c->view = (struct slice){0};
    return true;
}

static void update_reading(struct conn *c)
{
    bool want = !c->blocked || c->in_n < IN_MAX;
    if (c->state == CONN_WS && c->out.memory > WS_OUT_MAX)
        want = false; /* who does not read our answers is not asked for more */
    if (want != c->reading) {
        c->reading = want;
        sock_set_reading(c->sock, want);
    }
}

/* Understands what is in the view, and sends what came of it. */
static bool pump(struct conn *c)
{
    for (int i = 0; i < PIPELINE_ROUNDS; i++) {
        c->blocked = false;
        c->pumping = true;
        run(c);
        c->pumping = false;
        if (c->state != CONN_DEAD)
            conn_flush(c);
        if (!c->blocked || c->sending || c->state == CONN_DEAD)
            break;
    }
    if (!keep_rest(c) || c->state == CONN_DEAD)
        return false;
    if (c->blocked)
        conn_kick(c);
    update_reading(c);
    return true;
}

static bool append_in(struct conn *c, const uint8_t *p, size_t n)
{
    if (c->in_n + n > c->in_cap) {
        size_t cap = c->in_cap * 2 > c->in_n + n ? c->in_cap * 2 : c->in_n + n;
        uint8_t *grown = realloc(c->in, cap);
        if (!grown)
            return false;
        c->in = grown;
        c->in_cap = cap;
    }
    memcpy(c->in + c->in_n, p, n);
    c->in_n += n;
    return true;
}

static bool on_received(void *user, const uint8_t *p, size_t n)
{
    struct conn *c = user;
    metric_add(c->server->metrics.received, (double)n);
    if (c->deaf)
        n = 0;
    if (c->in_n == 0) {
        c->view = slice_of(p, n);
    } else {
        if (!append_in(c, p, n))
            return false;
        c->view = slice_of(c->in, c->in_n);
    }
    return pump(c);
}

/* ---- output ---- */

/* Everything that was queued is on its way. */
static void out_emptied(struct conn *c)
{
    if (c->state == CONN_DRAIN) {
        sock_shutdown(c->sock);
        conn_set_state(c, CONN_LINGER);
        return;
    }
    struct http_request *req = c->state == CONN_BUSY ? c->req : NULL;
    if (req && req->streaming && req->drained)
        req->drained(req, req->drained_user);
}

/* As sock_send: bytes that were taken, at most max; 0: none for now; -1. */
static long send_front(struct conn *c, size_t max)
{
    struct out_front f;
    out_look(&c->out, max, &f);
    long n = f.n_pieces > 0 ? sock_send(c->sock, f.pieces, f.n_pieces, f.more)
                            : sock_send_file(c->sock, f.fd, f.offset, f.n);
    if (n > 0)
        out_sent(&c->out, (size_t)n);
    return n;
}

void conn_flush(struct conn *c)
{
    size_t room = SEND_PER_TURN;
    while (room > 0 && !out_empty(&c->out) && sock_can_write(c->sock)) {
        long n = send_front(c, room);
        if (n < 0) {
            conn_abort(c);
            return;
        }
        if (n > 0) {
            metric_add(c->server->metrics.sent, (double)n);
            c->progress = conn_now(c);
        }
        c->sending = true;
        room -= (size_t)n;
    }
    if (!out_empty(&c->out) || !sock_can_write(c->sock)) {
        conn_kick(c);
        return;
    }
    if (!c->sending && c->state != CONN_DRAIN)
        return;
    c->sending = false;
    out_emptied(c);
    if (!out_empty(&c->out))
        conn_kick(c);
}

static bool on_writable(void *user)
{
    struct conn *c = user;
    if (c->state == CONN_DEAD)
        return false;
    c->progress = conn_now(c);
    conn_flush(c);
    if (c->state == CONN_DEAD)
        return false;
    c->view = slice_of(c->in, c->in_n);
    return pump(c);
}

void conn_answered(struct conn *c, bool keep_alive)
{
    c->req = NULL;
    /* A body that nobody read cannot be skipped safely: the connection ends. */
    bool whole = c->state != CONN_BODY || body_done(&c->body);
    conn_set_state(c, keep_alive && whole && !c->server->closing ? CONN_HEAD : CONN_DRAIN);
    conn_kick(c);
}

/* ---- life ---- */

void conn_refused_for_ip(struct http_server *s, const struct addr *ip)
{
    static usec told; /* when the log last said so */
    usec now = sock_server_now(s->socks);
    char text[ADDR_TEXT_MAX];
    metric_add(s->metrics.refused_ip, 1);
    if (told != 0 && now - told < REFUSED_LOG_US)
        return;
    told = now;
    log_warn("net.too_many_connections", "ip=%s limit=%u", addr_ip_text(ip, text, sizeof text),
             s->ips.max);
}

static void *on_opened(void *owner, struct sock *sock, const struct addr *peer)
{
    struct http_server *s = owner;
    if (s->closing)
        return NULL;
    bool counted = !addr_ranges_have(s->proxies.ranges, s->proxies.n, peer);
    if (counted && !ip_limit_take(&s->ips, peer)) {
        conn_refused_for_ip(s, peer);
        return NULL;
    }
    struct conn *c = calloc(1, sizeof *c);
    if (!c) {
        if (counted)
            ip_limit_give(&s->ips, peer);
        return NULL;
    }
    c->counted = counted;
    c->server = s;
    c->sock = sock;
    c->peer = *peer;
    c->reading = true;
    conn_set_state(c, CONN_HEAD);
    list_add(&s->conns, &c->node);
    metric_add(s->metrics.connections, 1);
    return c;
}

static void on_closed(void *user)
{
    struct conn *c = user;
    struct http_request *req = c->req;
    c->state = CONN_DEAD;
    list_remove(&c->node);
    metric_add(c->server->metrics.connections, -1);
    if (c->counted)
        ip_limit_give(&c->server->ips, &c->peer);
    if (c->ws)
        ws_closed(c);
    out_fini(&c->out);
    free(c->in);
    free(c);
    if (!req)
        return;
    req->conn = NULL;
    if (!req->with_handler)
        request_free(req);
    else if (req->closed)
        req->closed(req, req->closed_user);
}

static void check_time(struct conn *c, usec now)
{
    const struct http_config *cfg = &c->server->config;
    usec request_us = (usec)cfg->request_timeout_s * USEC_PER_SEC;
    usec write_us = (usec)cfg->write_timeout_s * USEC_PER_SEC;
    bool waiting = c->sending;
    if (c->state != CONN_LINGER && waiting && now - c->progress > write_us) {
        conn_abort(c);
        return;
    }
    switch (c->state) {
    case CONN_HEAD:
        if (c->in_n == 0 && c->any) {
            if (now - c->since > (usec)cfg->idle_timeout_s * USEC_PER_SEC)
                conn_abort(c);
        } else if (now - c->since > request_us && !waiting) {
            if (c->in_n == 0)
                conn_abort(c); /* never said a word */
            else
                respond_broken(c, 408);
        }
        break;
    case CONN_BODY:
        if (now - c->progress > request_us || now - c->since > BODY_TIMEOUT_FACTOR * request_us)
            respond_broken(c, 408);
        break;
    case CONN_LINGER:
        if (now - c->since > LINGER_US)
            conn_abort(c);
        break;
    case CONN_WS:
        ws_tick(c, now);
        break;
    case CONN_BUSY:
    case CONN_DRAIN:
    case CONN_DEAD:
        break;
    }
}

static void on_tick(void *owner)
{
    struct http_server *s = owner;
    usec now = sock_server_now(s->socks);
    list_each (node, &s->conns)
        check_time(container_of(node, struct conn, node), now);
}

const struct sock_events conn_events = {
    .opened = on_opened,
    .received = on_received,
    .writable = on_writable,
    .closed = on_closed,
    .tick = on_tick,
};
