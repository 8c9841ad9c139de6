#include "controller/room/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "controller/room/protoo.h"
#include "controller/room/rooms_metrics.h"

/* Decoded requests: rtpParameters and rtpCapabilities are the largest. */
enum { REQUEST_BYTES_MAX = 1024 * 1024 };

/* ---- out ---- */

static void send_json(struct session *s, json_t *message)
{
    if (message && s->conn)
        (void)ws_send_json(s->conn, message); /* what fails closes the connection, which tells */
    json_decref(message);
}

void session_answer(struct session *s, uint32_t request_id, json_t *data)
{
    if (!data) {
        session_fail(s, request_id, ERR_NOMEM, "out of memory");
    } else if (s->sink) {
        s->sink->answer(s, request_id, OK, "", data);
        json_decref(data);
    } else {
        send_json(s, protoo_response(request_id, data));
    }
}

void session_fail(struct session *s, uint32_t request_id, enum err e, const char *reason)
{
    const char *why = reason[0] ? reason : err_text(e);
    metric_add(s->rooms->metrics->refused, 1);
    if (s->sink)
        s->sink->answer(s, request_id, e, why, NULL);
    else
        send_json(s, protoo_error(request_id, http_status_of(e), why));
}

void session_bytes(struct session *s, struct blob *bytes)
{
    if (s->conn)
        (void)ws_send_shared(s->conn, bytes); /* what fails closes the connection, which tells */
}

const struct addr *session_addr(const struct session *s)
{
    return s->conn ? ws_peer(s->conn) : NULL;
}

void session_end(struct session *s, int code, const char *reason)
{
    s->ending = true;
    if (s->conn)
        ws_close(s->conn, code, reason);
    else if (s->sink)
        s->sink->end(s, reason);
}

void session_forget_peer(struct session *s)
{
    s->peer = NULL;
}

void sig_fail(struct sig_call *call, enum err e, const char *reason)
{
    session_fail(call->session, call->id, e, reason);
}

void sig_answer(struct sig_call *call, json_t *data)
{
    session_answer(call->session, call->id, data ? data : json_object());
}

void sig_answer_struct(struct sig_call *call, const struct shape *shape, const void *answer)
{
    session_answer(call->session, call->id, shape_encode(shape, answer));
}

/* ---- in ---- */

/* A token bucket. */
static bool take_token(struct session *s)
{
    double rate = s->rooms->config.requests_per_second;
    uint64_t now = uv_now(s->rooms->config.loop);
    s->tokens += (double)(now - s->tokens_at_ms) / 1000.0 * rate;
    s->tokens_at_ms = now;
    if (s->tokens > s->rooms->config.requests_burst)
        s->tokens = s->rooms->config.requests_burst;
    if (s->tokens < 1)
        return false;
    s->tokens -= 1;
    return true;
}

/* Answered where the method needs a room and there is none. */
static bool is_outside(struct session *s, uint32_t request_id, enum sig_method method)
{
    /* What features answer is about a room. */
    bool needs_peer = sig_handlers[method].needs_peer || !sig_handlers[method].handle;
    bool outside = needs_peer && !s->peer;
    if (outside)
        session_fail(s, request_id, ERR_STATE, "not in a room: joinRoom comes first");
    return outside;
}

void session_run(struct session *s, uint32_t request_id, enum sig_method method, const void *data)
{
    const struct rooms_method *feature = &s->rooms->methods[method];
    if (is_outside(s, request_id, method))
        return;
    if (feature->fn) {
        struct room_call call = {
            .peer = s->peer, .data = data, .session = s->serial, .id = request_id};
        feature->fn(feature->ctx, &call);
    } else if (sig_handlers[method].handle) {
        struct sig_call call = {.session = s,
                                .id = request_id,
                                .data = data,
                                .request = {.answers = true, .id = request_id}};
        sig_handlers[method].handle(&call);
    } else {
        session_fail(s, request_id, ERR_UNSUPPORTED, "this service does not have it");
    }
}

static void run(struct session *s, const struct protoo_request *request, enum sig_method method)
{
    const struct shape *shape = sig_methods[method].request;
    struct arena arena;
    struct field_error error;
    arena_init(&arena, REQUEST_BYTES_MAX);
    json_t *data = request->data ? json_incref(request->data) : json_object();
    void *decoded = shape ? arena_alloc(&arena, shape->size) : NULL;
    enum err e = shape && (!decoded || !data) ? ERR_NOMEM : OK;
    if (e == OK && shape)
        e = shape_decode(shape, data, decoded, &arena, &error);
    if (e == ERR_NOMEM) {
        session_fail(s, request->id, ERR_TOO_LARGE, "the request is too large");
    } else if (e != OK) {
        session_fail(s, request->id, e, error.reason);
    } else {
        session_run(s, request->id, method, decoded);
    }
    json_decref(data);
    arena_fini(&arena);
}

static void on_request(struct session *s, const struct protoo_request *request)
{
    metric_add(s->rooms->metrics->requests, 1);
    int method = sig_method_find(request->method);
    if (!take_token(s))
        session_fail(s, request->id, ERR_FULL, "too many requests, slow down");
    else if (method < 0)
        session_fail(s, request->id, ERR_NOT_FOUND, "method is not known");
    else if (!is_outside(s, request->id, (enum sig_method)method))
        run(s, request, (enum sig_method)method);
}

static void on_message(struct ws_conn *conn, const char *text, size_t n, void *user)
{
    struct session *s = ws_user(conn);
    (void)user;
    if (!s || s->ending)
        return;
    struct protoo_request request;
    char reason[PROTOO_REASON_MAX] = "";
    enum err e = protoo_parse(&request, text, n, reason);
    if (e == OK && n > s->rooms->config.message_bytes_max) {
        e = ERR_TOO_LARGE;
        snprintf(reason, sizeof reason, "message is larger than %zu bytes",
                 s->rooms->config.message_bytes_max);
    }
    if (e == OK)
        on_request(s, &request);
    else if (e != ERR_STATE && request.has_id)
        session_fail(s, request.id, e, reason);
    else if (e != ERR_STATE && take_token(s))
        /* Nothing to answer to: the client is told all the same. */
        send_json(
            s, protoo_notification("error", json_pack("{s:i,s:s}", "errorCode", http_status_of(e),
                                                      "errorReason", reason)));
    protoo_request_fini(&request);
}

/* Of the upgrade request: what a page of another site asks is refused. */
static int on_accept(const struct http_request *req, void *user)
{
    const struct rooms *r = user;
    const char *origin = http_header(req, "origin");
    if (origin_allowed(&r->config.origins, origin, http_header(req, "host"), http_is_tls(req)))
        return 0;
    char quoted[160];
    log_debug("session.foreign_origin", "origin=%s", log_quote(origin, quoted, sizeof quoted));
    metric_add(r->metrics->foreign, 1);
    return 403;
}

static void on_open(struct ws_conn *conn, const struct http_request *req, void *user)
{
    struct rooms *r = user;
    struct session *s = r->closing ? NULL : calloc(1, sizeof *s);
    if (!s) {
        ws_close(conn, WS_CLOSE_TRY_AGAIN_LATER, "not now");
        return;
    }
    s->rooms = r;
    s->conn = conn;
    s->serial = ++r->next_session;
    s->tokens = r->config.requests_burst;
    s->tokens_at_ms = uv_now(r->config.loop);
    ws_set_user(conn, s);
    list_add(&r->sessions, &s->node);
    metric_add(r->metrics->connections, 1);
    session_identify(s, req);
}

static void on_close(struct ws_conn *conn, int code, void *user)
{
    struct session *s = ws_user(conn);
    struct rooms *r = user;
    if (!s)
        return;
    log_debug("session.closed", "code=%d", code);
    s->conn = NULL;
    if (s->peer)
        peer_close(s->peer, "the connection was closed");
    metric_add(r->metrics->connections, -1);
    list_remove(&s->node);
    free(s);
    rooms_finish_close(r);
}

/* ---- methods that a feature answers ---- */

void rooms_answer_method(struct rooms *r, enum sig_method method, room_call_fn *fn, void *ctx)
{
    r->methods[method] = (struct rooms_method){fn, ctx};
}

/* Of a copy that was kept: it may be gone. */
static struct session *find_session(struct rooms *r, const struct room_call *call)
{
    list_each (node, &r->sessions) {
        struct session *s = container_of(node, struct session, node);
        if (s->serial == call->session)
            return s;
    }
    return NULL;
}

void room_call_answer(struct rooms *r, const struct room_call *call, json_t *data)
{
    struct session *s = call->peer ? call->peer->session : find_session(r, call);
    if (s)
        session_answer(s, call->id, data ? data : json_object());
    else
        json_decref(data);
}

void room_call_fail(struct rooms *r, const struct room_call *call, enum err e, const char *reason)
{
    struct session *s = call->peer ? call->peer->session : find_session(r, call);
    if (s)
        session_fail(s, call->id, e, reason);
}

/* ---- life ---- */

static const struct ws_handlers handlers = {
    .accept = on_accept, .open = on_open, .message = on_message, .close = on_close};

/* Early enough for the answer to cross a bad network before the client counts as gone. */
static unsigned ping_s(unsigned idle_s)
{
    return idle_s / 3 > 1 ? idle_s / 3 : 1;
}

enum err sessions_open(struct rooms *r)
{
    /* Messages over message_bytes_max are answered with an error; only ones far beyond it end the
     * connection. */
    struct ws_endpoint endpoint = {.path = "/ws",
                                   .subprotocol = "protoo",
                                   .handlers = &handlers,
                                   .user = r,
                                   .max_message = 4 * r->config.message_bytes_max,
                                   .max_queue = r->config.send_queue_bytes_max,
                                   .ping_s = ping_s(r->config.idle_s),
                                   .idle_s = r->config.idle_s};
    enum err e = ws_endpoint_add(r->config.http, &endpoint);
    endpoint.subprotocol = NULL;
    return e == OK ? ws_endpoint_add(r->config.http, &endpoint) : e;
}

void sessions_close(struct rooms *r, int code, const char *reason)
{
    list_each (node, &r->sessions) {
        session_end(container_of(node, struct session, node), code, reason);
    }
}

bool sessions_empty(const struct rooms *r)
{
    return list_empty(&r->sessions);
}
