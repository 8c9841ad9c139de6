#include "controller/net/ws.h"

#include <stdlib.h>
#include <string.h>

#include "common/metrics.h"
#include "controller/net/conn.h"
#include "controller/net/frame.h"

enum {
    CLOSE_TIMEOUT_US = 3 * 1000 * 1000, /* for the peer to answer our close frame */
    /* When all queues of the process hold more than this, in bytes, ... */
    QUEUES_MAX = 512 * 1024 * 1024,
    /* ... a slow reader gets no more than this. */
    CROWDED_QUEUE_MAX = 64 * 1024,
    REASON_MAX = WS_FRAME_MAX_CONTROL - 2
};

struct ws_route {
    struct ws_endpoint endpoint;
    struct ws_route *next; /* owned */
};

struct ws_conn {
    struct conn *conn;                  /* parent */
    const struct ws_endpoint *endpoint; /* borrowed from the server */
    struct ws_frame_reader reader;
    struct addr peer;
    void *user;  /* borrowed */
    usec heard;  /* last time that something came */
    usec pinged; /* 0: nothing is outstanding */
    usec closing_since;
    bool closing; /* our close frame is queued */
    bool counted; /* peer is in server->ips: it came by a proxy */
    int code;     /* to be told to the handler */
};

/* ---- endpoints ---- */

static bool same_protocol(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

enum err ws_endpoint_add(struct http_server *s, const struct ws_endpoint *endpoint)
{
    if (endpoint->path[0] != '/')
        return ERR_MALFORMED;
    struct ws_route **at = &s->ws_routes;
    for (; *at; at = &(*at)->next) {
        if (strcmp((*at)->endpoint.path, endpoint->path) == 0 &&
            same_protocol((*at)->endpoint.subprotocol, endpoint->subprotocol))
            return ERR_EXISTS;
    }
    struct ws_route *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->endpoint = *endpoint;
    struct ws_endpoint *e = &r->endpoint;
    if (e->max_message == 0)
        e->max_message = WS_DEFAULT_MAX_MESSAGE;
    if (e->max_queue == 0)
        e->max_queue = WS_DEFAULT_MAX_QUEUE;
    if (e->ping_s == 0)
        e->ping_s = WS_DEFAULT_PING_S;
    if (e->idle_s == 0)
        e->idle_s = WS_DEFAULT_IDLE_S;
    *at = r;
    return OK;
}

void ws_routes_free(struct http_server *s)
{
    while (s->ws_routes) {
        struct ws_route *next = s->ws_routes->next;
        free(s->ws_routes);
        s->ws_routes = next;
    }
}

bool ws_path_known(const struct http_server *s, const char *path)
{
    for (const struct ws_route *r = s->ws_routes; r; r = r->next) {
        if (strcmp(r->endpoint.path, path) == 0)
            return true;
    }
    return false;
}

/* The endpoint of the first protocol offered that is known; else the one for none. */
static const struct ws_endpoint *choose(const struct http_server *s, const char *path,
                                        const char *offered)
{
    const struct ws_endpoint *fallback = NULL;
    const struct ws_endpoint *best = NULL;
    const char *best_at = NULL;
    struct slice all = offered ? slice_of(offered, strlen(offered)) : slice_of("", 0);
    for (const struct ws_route *r = s->ws_routes; r; r = r->next) {
        if (strcmp(r->endpoint.path, path) != 0)
            continue;
        if (!r->endpoint.subprotocol) {
            fallback = &r->endpoint;
        } else if (list_has_token(all, r->endpoint.subprotocol)) {
            const char *at = strstr(offered, r->endpoint.subprotocol);
            if (!best || (at && at < best_at)) {
                best = &r->endpoint;
                best_at = at;
            }
        }
    }
    return best ? best : fallback;
}

/* ---- the handshake ---- */

/* RFC 6455 4.2.1. NULL: req was answered. */
static const struct ws_endpoint *check_handshake(struct http_request *req, char accept[29])
{
    const char *version = http_header(req, "sec-websocket-version");
    if (!version || strcmp(version, "13") != 0) {
        (void)http_set_header(req, "Sec-WebSocket-Version", "13");
        http_respond_error(req, 426, err_name(ERR_UNSUPPORTED), "sec-websocket-version",
                           "only version 13 is spoken");
        return NULL;
    }
    const char *key = http_header(req, "sec-websocket-key");
    if (!key || !ws_frame_accept_key(slice_of(key, strlen(key)), accept)) {
        http_respond_error(req, 400, err_name(ERR_MALFORMED), "sec-websocket-key",
                           "sec-websocket-key must be 16 bytes in base64");
        return NULL;
    }
    const char *offered = http_header(req, "sec-websocket-protocol");
    const struct ws_endpoint *e = choose(req->conn->server, req->path, offered);
    if (!e) {
        http_respond_error(req, 400, err_name(ERR_UNSUPPORTED), "sec-websocket-protocol",
                           "no subprotocol that is offered is spoken here");
        return NULL;
    }
    int status = e->handlers->accept ? e->handlers->accept(req, e->user) : 0;
    if (status != 0) {
        enum err e_name = status == 401 ? ERR_AUTH : status == 503 ? ERR_UNAVAILABLE : ERR_DENIED;
        http_respond_error(req, status, err_name(e_name), NULL, "the connection is refused");
        return NULL;
    }
    return e;
}

void ws_upgrade(struct conn *c, struct http_request *req)
{
    char accept[29];
    const struct ws_endpoint *e = check_handshake(req, accept);
    if (!e)
        return;
    /* A proxy's connection was not counted when it came; whom it is for was not known yet. */
    bool counted = !c->counted && !addr_eq(&req->peer, &c->peer);
    if (counted && !ip_limit_take(&c->server->ips, &req->peer)) {
        conn_refused_for_ip(c->server, &req->peer);
        http_respond_error(req, 429, err_name(ERR_FULL), NULL,
                           "this address has as many connections as it may have");
        return;
    }
    struct ws_conn *ws = calloc(1, sizeof *ws);
    if (!ws) {
        if (counted)
            ip_limit_give(&c->server->ips, &req->peer);
        http_respond_error(req, 503, err_name(ERR_NOMEM), NULL, err_text(ERR_NOMEM));
        return;
    }
    ws->conn = c;
    ws->endpoint = e;
    ws->peer = req->peer;
    ws->counted = counted;
    ws->heard = conn_now(c);
    ws->code = WS_CLOSE_ABNORMAL;
    ws_frame_reader_init(&ws->reader, e->max_message);
    (void)http_set_header(req, "Upgrade", "websocket");
    (void)http_set_header(req, "Connection", "Upgrade");
    (void)http_set_header(req, "Sec-WebSocket-Accept", accept);
    if (e->subprotocol)
        (void)http_set_header(req, "Sec-WebSocket-Protocol", e->subprotocol);
    if (!respond_head(req, 101, NULL, 0)) {
        if (counted)
            ip_limit_give(&c->server->ips, &req->peer);
        free(ws);
        respond_finish(req, 500);
        return;
    }
    c->ws = ws;
    c->req = NULL;
    conn_set_state(c, CONN_WS);
    conn_kick(c);
    metric_add(c->server->metrics.ws_connections, 1);
    respond_count(c->server, 101, conn_now(c) - req->started);
    e->handlers->open(ws, req, e->user);
    request_free(req);
}

/* ---- sending ---- */

static enum err queue_frame(struct ws_conn *ws, enum ws_frame_op op, const void *a, size_t a_n,
                            const void *b, size_t b_n)
{
    uint8_t header[WS_FRAME_MAX_HEADER];
    size_t h = ws_frame_header(header, op, a_n + b_n);
    uint8_t *p = out_reserve(&ws->conn->out, h + a_n + b_n);
    if (!p)
        return ERR_NOMEM;
    memcpy(p, header, h);
    if (a_n > 0)
        memcpy(p + h, a, a_n);
    if (b_n > 0)
        memcpy(p + h + a_n, b, b_n);
    conn_kick(ws->conn);
    return OK;
}

static bool is_up(const struct ws_conn *ws)
{
    return ws->conn->state == CONN_WS && !ws->closing;
}

static void begin_close(struct ws_conn *ws, int code, const char *reason)
{
    size_t n = reason ? strlen(reason) : 0;
    if (n > REASON_MAX)
        n = REASON_MAX;
    while (n > 0 && utf8_check(UTF8_START, (const uint8_t *)reason, n) != UTF8_START)
        n--; /* RFC 6455 5.5.1: the reason is UTF-8; not half a character */
    uint8_t be[2];
    put_u16(be, (uint16_t)code);
    ws->closing = true;
    ws->code = code;
    ws->closing_since = conn_now(ws->conn);
    if (queue_frame(ws, WS_FRAME_CLOSE, be, 2, reason, n) != OK)
        conn_abort(ws->conn);
}

void ws_close(struct ws_conn *ws, int code, const char *reason)
{
    if (is_up(ws))
        begin_close(ws, code, reason);
}

/* Whether n bytes more may wait; if not, the connection is closed: a reader that is this slow gets
 * nothing whole any more. */
static enum err check_queue(struct ws_conn *ws, size_t n)
{
    if (!is_up(ws))
        return ERR_CLOSED;
    size_t max = ws->endpoint->max_queue;
    if (out_total() > QUEUES_MAX && max > CROWDED_QUEUE_MAX)
        max = CROWDED_QUEUE_MAX;
    if (ws->conn->out.memory + n > max) {
        out_drop_unsent(&ws->conn->out);
        begin_close(ws, WS_CLOSE_TRY_AGAIN_LATER, "too slow to read");
        return ERR_FULL;
    }
    return OK;
}

static enum err send_message(struct ws_conn *ws, enum ws_frame_op op, const void *p, size_t n)
{
    enum err e = check_queue(ws, n);
    return e == OK ? queue_frame(ws, op, p, n, NULL, 0) : e;
}

struct blob *ws_shared_text(const char *text, size_t n)
{
    uint8_t header[WS_FRAME_MAX_HEADER];
    size_t h = ws_frame_header(header, WS_FRAME_TEXT, n);
    struct blob *b = blob_new(h + n);
    if (!b)
        return NULL;
    memcpy(b->bytes, header, h);
    memcpy(b->bytes + h, text, n);
    return b;
}

enum err ws_send_shared(struct ws_conn *ws, struct blob *message)
{
    enum err e = check_queue(ws, message->n);
    if (e != OK)
        return e;
    if (!out_blob(&ws->conn->out, blob_ref(message)))
        return ERR_NOMEM;
    conn_kick(ws->conn);
    return OK;
}

enum err ws_send(struct ws_conn *ws, const char *text, size_t n)
{
    if (utf8_check(UTF8_START, (const uint8_t *)text, n) != UTF8_START)
        return ERR_MALFORMED;
    return send_message(ws, WS_FRAME_TEXT, text, n);
}

enum err ws_send_binary(struct ws_conn *ws, const void *bytes, size_t n)
{
    return send_message(ws, WS_FRAME_BINARY, bytes, n);
}

enum err ws_send_json(struct ws_conn *ws, const json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text)
        return ERR_NOMEM;
    enum err e = send_message(ws, WS_FRAME_TEXT, text, strlen(text));
    free(text);
    return e;
}

/* ---- receiving ---- */

/* Our last frame is queued: once it is out, the connection ends. */
static void finish(struct ws_conn *ws)
{
    conn_set_state(ws->conn, CONN_DRAIN);
    conn_kick(ws->conn);
}

/* 0: no code was given; -1: the frame breaks the rules. */
static int read_close(struct slice data, int *answer)
{
    *answer = WS_CLOSE_NORMAL;
    if (data.n == 0)
        return WS_CLOSE_NO_STATUS;
    int code = data.n >= 2 ? data.p[0] << 8 | data.p[1] : 0;
    *answer = code;
    if (data.n < 2 || !ws_frame_close_code_ok(code))
        *answer = WS_CLOSE_PROTOCOL;
    else if (utf8_check(UTF8_START, data.p + 2, data.n - 2) != UTF8_START)
        *answer = WS_CLOSE_BAD_DATA;
    return code;
}

static void on_close_frame(struct ws_conn *ws, struct slice data)
{
    int answer;
    int code = read_close(data, &answer);
    if (!ws->closing) {
        begin_close(ws, answer, NULL);
        ws->code = code > 0 ? code : WS_CLOSE_PROTOCOL;
    }
    finish(ws);
}

static void on_control(struct ws_conn *ws, const struct ws_frame_out *f)
{
    if (f->op == WS_FRAME_CLOSE)
        on_close_frame(ws, f->data);
    else if (f->op == WS_FRAME_PING && is_up(ws) &&
             queue_frame(ws, WS_FRAME_PONG, f->data.p, f->data.n, NULL, 0) != OK)
        conn_abort(ws->conn);
}

/* Without waiting for the peer's answer: it has broken the rules. */
static void refuse(struct ws_conn *ws, int code, const char *reason)
{
    if (!ws->closing)
        begin_close(ws, code, reason);
    finish(ws);
}

static void on_message(struct ws_conn *ws, const struct ws_frame_out *f)
{
    const struct ws_endpoint *e = ws->endpoint;
    if (!is_up(ws))
        return;
    if (f->op == WS_FRAME_TEXT)
        e->handlers->message(ws, (const char *)f->data.p, f->data.n, e->user);
    else if (e->handlers->binary)
        e->handlers->binary(ws, f->data.p, f->data.n, e->user);
    else
        refuse(ws, WS_CLOSE_UNACCEPTABLE, "only text messages are taken");
}

void ws_run(struct conn *c)
{
    struct ws_conn *ws = c->ws;
    if (c->view.n > 0) {
        ws->heard = conn_now(c);
        ws->pinged = 0;
    }
    while (c->view.n > 0 && c->state == CONN_WS) {
        struct ws_frame_out f;
        size_t used = ws_frame_input(&ws->reader, c->view.p, c->view.n, &f);
        c->view.p += used;
        c->view.n -= used;
        switch (f.event) {
        case WS_FRAME_NONE:
            break;
        case WS_FRAME_MESSAGE:
            on_message(ws, &f);
            break;
        case WS_FRAME_CONTROL:
            on_control(ws, &f);
            break;
        case WS_FRAME_ERROR:
            refuse(ws, f.code, f.code == WS_CLOSE_TOO_LARGE ? "message too large" : NULL);
            break;
        }
    }
}

/* ---- time and end ---- */

void ws_tick(struct conn *c, usec now)
{
    struct ws_conn *ws = c->ws;
    if (ws->closing) {
        if (now - ws->closing_since > CLOSE_TIMEOUT_US)
            conn_abort(c);
        return;
    }
    usec silent = now - ws->heard;
    if (silent > (usec)ws->endpoint->idle_s * USEC_PER_SEC) {
        conn_abort(c);
    } else if (silent > (usec)ws->endpoint->ping_s * USEC_PER_SEC && ws->pinged == 0) {
        ws->pinged = now;
        (void)queue_frame(ws, WS_FRAME_PING, NULL, 0, NULL, 0);
    }
}

void ws_going_away(struct conn *c)
{
    if (is_up(c->ws))
        begin_close(c->ws, WS_CLOSE_GOING_AWAY, NULL);
}

void ws_closed(struct conn *c)
{
    struct ws_conn *ws = c->ws;
    metric_add(c->server->metrics.ws_connections, -1);
    ws->endpoint->handlers->close(ws, ws->code, ws->endpoint->user);
    if (ws->counted)
        ip_limit_give(&c->server->ips, &ws->peer);
    ws_frame_reader_fini(&ws->reader);
    free(ws);
    c->ws = NULL;
}

void ws_set_user(struct ws_conn *ws, void *conn_user)
{
    ws->user = conn_user;
}

void *ws_user(const struct ws_conn *ws)
{
    return ws->user;
}

const struct addr *ws_peer(const struct ws_conn *ws)
{
    return &ws->peer;
}

size_t ws_queued(const struct ws_conn *ws)
{
    return ws->conn->out.memory;
}
