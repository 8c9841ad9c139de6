/* Answers: heads, bodies, streams, errors. */
#include "controller/net/conn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/clock.h"
#include "common/metrics.h"
#include "controller/net/range.h"

enum {
    EXTRA_MAX = 4096, /* of header lines that a handler may set, bytes */
    HEAD_MAX = EXTRA_MAX + 4096
};

/* Default for pages: own scripts, media and workers from blobs (hls.js, MediaSource), signaling. */
static const char builtin_csp[] =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob: https:; media-src 'self' data: blob: https:; "
    "worker-src 'self' blob:; font-src 'self' data:; connect-src 'self' ws: wss: https: blob: "
    "data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *respond_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Unknown";
}

int http_status_of(enum err e)
{
    switch (e) {
    case OK:
        return 200;
    case ERR_TRUNCATED:
    case ERR_MALFORMED:
    case ERR_TYPE:
    case ERR_RANGE:
        return 400;
    case ERR_AUTH:
        return 401;
    case ERR_DENIED:
        return 403;
    case ERR_NOT_FOUND:
        return 404;
    case ERR_EXISTS:
    case ERR_STATE:
    case ERR_BUSY:
    case ERR_REPLAY:
        return 409;
    case ERR_CLOSED:
        return 410;
    case ERR_TOO_LARGE:
        return 413;
    case ERR_UNSUPPORTED:
        return 415;
    case ERR_FULL:
        return 429;
    case ERR_AGAIN:
    case ERR_UNAVAILABLE:
        return 503;
    case ERR_TIMEOUT:
        return 504;
    case ERR_NOMEM:
    case ERR_IO:
    case ERR_CRYPTO:
    case ERR_COUNT:
        break;
    }
    return 500;
}

/* ---- heads ---- */

struct text {
    char buf[HEAD_MAX];
    size_t n;
};

static void put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(t->buf + t->n, sizeof t->buf - t->n, fmt, args);
    va_end(args);
    if (n > 0)
        t->n += (size_t)n;
    if (t->n > sizeof t->buf - 1)
        t->n = sizeof t->buf - 1;
}

/* The Date field, made once a second. */
static const char *date_now(void)
{
    static time_t made;
    static char text[30];
    time_t now = (time_t)(clock_wall() / USEC_PER_SEC);
    if (now != made) {
        made = now;
        http_date(now, text);
    }
    return text;
}

static bool has_extra(const struct http_request *req, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = req->extra; p && *p != '\0';) {
        if (strncasecmp(p, name, n) == 0 && p[n] == ':')
            return true;
        p = strchr(p, '\n');
        p = p ? p + 1 : NULL;
    }
    return false;
}

/* Whom other than this site's own pages the answer is open to; NULL: nobody. */
static const char *cors_origin(const struct http_request *req, bool *with_cookies)
{
    const struct http_config *config = &req->conn->server->config;
    const char *origin = http_header(req, "origin");
    enum origin_listed listed =
        req->cors_listed ? origin_listed(&config->origins, origin) : ORIGIN_FOREIGN;
    *with_cookies = listed == ORIGIN_NAMED;
    if (listed == ORIGIN_NAMED)
        return origin;
    if (req->cors)
        return config->cors_origin ? config->cors_origin : "*";
    return listed == ORIGIN_ANY ? "*" : NULL;
}

static void put_cors(struct text *t, const struct http_request *req)
{
    bool with_cookies;
    const char *origin = cors_origin(req, &with_cookies);
    if (req->cors_listed || (origin && strcmp(origin, "*") != 0))
        put(t, "Vary: Origin\r\n");
    if (!origin)
        return;
    put(t,
        "Access-Control-Allow-Origin: %s\r\n"
        "Access-Control-Expose-Headers: Accept-Ranges, Content-Length, Content-Range, Date, ETag, "
        "Link, Location, Retry-After\r\n",
        origin);
    if (with_cookies)
        put(t, "Access-Control-Allow-Credentials: true\r\n");
}

static void put_defaults(struct text *t, const struct http_request *req, const char *content_type)
{
    put(t, "X-Content-Type-Options: nosniff\r\n"
           "Referrer-Policy: strict-origin-when-cross-origin\r\n");
    if (!has_extra(req, "cache-control"))
        put(t, "Cache-Control: no-store\r\n");
    if (content_type && strncmp(content_type, "text/html", 9) == 0 &&
        !has_extra(req, "content-security-policy")) {
        const char *csp = req->conn->server->config.page_csp;
        put(t, "Content-Security-Policy: %s\r\n", csp ? csp : builtin_csp);
    }
    if ((req->cors || req->cors_listed) && !has_extra(req, "access-control-allow-origin"))
        put_cors(t, req);
}

static bool bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

/* Whether the connection can go on after this answer. */
static bool stays(const struct http_request *req, int64_t length)
{
    const struct conn *c = req->conn;
    if (c->state == CONN_BODY && !body_done(&c->body))
        return false; /* the rest of its body would be taken for a request */
    if (length < 0 && req->http10)
        return false; /* its end is the connection's */
    return req->keep_alive && !c->server->closing;
}

bool respond_head(struct http_request *req, int status, const char *content_type, int64_t length)
{
    struct conn *c = req->conn;
    struct text t = {.n = 0};
    put(&t, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, respond_reason(status), date_now());
    req->keep_alive = stays(req, length);
    if (status != 101) {
        if (!req->keep_alive)
            put(&t, "Connection: close\r\n");
        else if (req->http10)
            put(&t, "Connection: keep-alive\r\n");
        if (content_type)
            put(&t, "Content-Type: %s\r\n", content_type);
        if (length >= 0 && !bodiless(status))
            put(&t, "Content-Length: %lld\r\n", (long long)length);
        else if (length < 0 && !req->http10)
            put(&t, "Transfer-Encoding: chunked\r\n");
        put_defaults(&t, req, content_type);
    }
    if (req->extra)
        put(&t, "%s", req->extra);
    put(&t, "\r\n");
    if (out_bytes(&c->out, t.buf, t.n))
        return true;
    conn_abort(c);
    return false;
}

enum err http_set_header(struct http_request *req, const char *name, const char *value)
{
    for (const char *p = name; *p != '\0'; p++) {
        if (*p <= ' ' || *p == ':' || *p == 0x7f)
            return ERR_MALFORMED;
    }
    for (const char *p = value; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return ERR_MALFORMED;
    }
    size_t more = strlen(name) + strlen(value) + 4;
    if (req->extra_n + more > EXTRA_MAX)
        return ERR_FULL;
    char *p = realloc(req->extra, req->extra_n + more + 1);
    if (!p)
        return ERR_NOMEM;
    req->extra = p;
    snprintf(p + req->extra_n, more + 1, "%s: %s\r\n", name, value);
    req->extra_n += more;
    return OK;
}

/* ---- whole answers ---- */

static const double seconds_bounds[] = {0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30};

void respond_count(struct http_server *s, int status, usec took)
{
    struct http_metrics *m = &s->metrics;
    size_t i = status >= 100 && status < 600 ? (size_t)status : 0;
    if (!m->codes[i]) {
        char code[12];
        snprintf(code, sizeof code, "%d", status);
        m->codes[i] = metric_counter(s->config.metrics, "http_requests_total",
                                     "Requests answered, by status.",
                                     &(struct metric_label){"code", code}, 1);
    }
    if (!m->seconds)
        m->seconds =
            metric_histogram(s->config.metrics, "http_request_seconds",
                             "From a request's head to its whole answer, seconds.", NULL, 0,
                             seconds_bounds, sizeof seconds_bounds / sizeof seconds_bounds[0]);
    metric_add(m->codes[i], 1);
    metric_observe(m->seconds, (double)took / USEC_PER_SEC);
}

void respond_finish(struct http_request *req, int status)
{
    struct conn *c = req->conn;
    bool keep_alive = req->keep_alive;
    if (c) {
        respond_count(c->server, status, conn_now(c) - req->started);
        c->req = NULL;
    }
    request_free(req);
    if (c)
        conn_answered(c, keep_alive);
}

void http_respond(struct http_request *req, int status, const char *content_type, const void *body,
                  size_t n)
{
    if (!http_is_closed(req) &&
        respond_head(req, status, n > 0 ? content_type : NULL, (int64_t)n) &&
        req->method != HTTP_HEAD && !bodiless(status) && !out_bytes(&req->conn->out, body, n))
        conn_abort(req->conn);
    respond_finish(req, status);
}

void http_respond_empty(struct http_request *req, int status)
{
    http_respond(req, status, NULL, "", 0);
}

void http_respond_json(struct http_request *req, int status, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(body);
    if (!text) {
        http_respond_error(req, 500, err_name(ERR_NOMEM), NULL, err_text(ERR_NOMEM));
        return;
    }
    http_respond(req, status, "application/json", text, strlen(text));
    free(text);
}

void http_respond_error(struct http_request *req, int status, const char *code, const char *field,
                        const char *reason)
{
    json_t *body = field ? json_pack("{s:{s:s,s:s,s:s}}", "error", "code", code, "reason", reason,
                                     "field", field)
                         : json_pack("{s:{s:s,s:s}}", "error", "code", code, "reason", reason);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    const char *fallback = "{\"error\":{\"code\":\"OutOfMemory\",\"reason\":\"out of memory\"}}";
    const char *send = text ? text : fallback;
    http_respond(req, status, "application/json", send, strlen(send));
    free(text);
}

void http_respond_field_error(struct http_request *req, const struct field_error *error)
{
    const char *field = error->path[0] != '\0' ? error->path : NULL;
    http_respond_error(req, error->err == ERR_NOMEM ? 500 : 400, err_name(error->err), field,
                       error->reason);
}

void respond_preflight(struct http_request *req)
{
    char methods[64];
    methods_text(req->methods, methods);
    (void)http_set_header(req, "Allow", methods);
    bool with_cookies;
    if (cors_origin(req, &with_cookies) && http_header(req, "access-control-request-method")) {
        const char *wanted = http_header(req, "access-control-request-headers");
        (void)http_set_header(req, "Access-Control-Allow-Methods", methods);
        if (wanted)
            (void)http_set_header(req, "Access-Control-Allow-Headers", wanted);
        (void)http_set_header(req, "Access-Control-Max-Age", "86400");
    }
    http_respond_empty(req, 204);
}

void respond_method_not_allowed(struct http_request *req)
{
    char methods[64];
    methods_text(req->methods, methods);
    (void)http_set_header(req, "Allow", methods);
    http_respond_error(req, 405, err_name(ERR_UNSUPPORTED), NULL,
                       "this path does not know the method");
}

/* code and reason for what the parser refuses */
static const char *broken_code(int status)
{
    switch (status) {
    case 408:
        return err_name(ERR_TIMEOUT);
    case 413:
    case 414:
    case 431:
        return err_name(ERR_TOO_LARGE);
    case 417:
    case 501:
    case 505:
        return err_name(ERR_UNSUPPORTED);
    case 503:
        return err_name(ERR_UNAVAILABLE);
    default:
        return err_name(ERR_MALFORMED);
    }
}

void respond_broken(struct conn *c, int status)
{
    char body[160];
    int n = snprintf(body, sizeof body, "{\"error\":{\"code\":\"%s\",\"reason\":\"%s\"}}",
                     broken_code(status), respond_reason(status));
    char head[256];
    int h = snprintf(head, sizeof head,
                     "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\n"
                     "Content-Type: application/json\r\nContent-Length: %d\r\n"
                     "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\n",
                     status, respond_reason(status), date_now(), n);
    if (c->req) {
        request_free(c->req);
        c->req = NULL;
    }
    respond_count(c->server, status, 0);
    if (!out_bytes(&c->out, head, (size_t)h) || !out_bytes(&c->out, body, (size_t)n)) {
        conn_abort(c);
        return;
    }
    conn_set_state(c, CONN_DRAIN);
    conn_kick(c);
}

/* ---- streams ---- */

void http_stream_begin(struct http_request *req, int status, const char *content_type)
{
    req->streaming = true;
    req->chunked_out = !req->http10;
    if (http_is_closed(req) || !respond_head(req, status, content_type, -1))
        return;
    respond_count(req->conn->server, status, 0);
    conn_kick(req->conn);
}

enum err http_stream_write(struct http_request *req, const void *data, size_t n)
{
    if (http_is_closed(req))
        return ERR_CLOSED;
    struct out *out = &req->conn->out;
    if (n == 0 || req->method == HTTP_HEAD)
        return OK;
    if (out->memory + n > HTTP_STREAM_MAX_QUEUE)
        return ERR_FULL;
    char size[24];
    size_t size_n = req->chunked_out ? (size_t)snprintf(size, sizeof size, "%zx\r\n", n) : 0;
    uint8_t *p = out_reserve(out, size_n + n + (size_n > 0 ? 2 : 0));
    if (!p)
        return ERR_NOMEM;
    memcpy(p, size, size_n);
    memcpy(p + size_n, data, n);
    if (size_n > 0)
        memcpy(p + size_n + n, "\r\n", 2);
    conn_kick(req->conn);
    return OK;
}

void http_stream_on_drained(struct http_request *req,
                            void (*drained)(struct http_request *req, void *user), void *user)
{
    req->drained = drained;
    req->drained_user = user;
}

size_t http_stream_queued(const struct http_request *req)
{
    return http_is_closed(req) ? 0 : req->conn->out.memory;
}

void http_stream_end(struct http_request *req)
{
    struct conn *c = req->conn;
    bool keep_alive = req->keep_alive;
    if (!http_is_closed(req) && req->chunked_out && req->method != HTTP_HEAD &&
        !out_bytes(&c->out, "0\r\n\r\n", 5))
        conn_abort(c);
    request_free(req);
    if (c)
        conn_answered(c, keep_alive);
}
