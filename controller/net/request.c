/* The request as handlers see it. */
#include "controller/net/conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "controller/net/target.h"

enum {
    /* What one request's strings may take: its head three times over, at most. */
    REQUEST_ARENA_MAX = 4 * PARSE_MAX_HEAD + 64 * 1024
};

static char *lower_copy(struct arena *a, struct slice s)
{
    char *t = arena_strndup(a, (const char *)s.p, s.n);
    for (char *p = t; p && *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 'a' - 'A');
    }
    return t;
}

/* RFC 9110 5.3: fields of one name are one list; RFC 6265 5.4 separates cookies otherwise. */
static bool join_value(struct arena *a, struct req_text *h, struct slice more)
{
    const char *sep = strcmp(h->name, "cookie") == 0 ? "; " : ", ";
    size_t n = strlen(h->value);
    char *joined = arena_alloc(a, n + 2 + more.n + 1);
    if (!joined)
        return false;
    memcpy(joined, h->value, n);
    memcpy(joined + n, sep, 2);
    memcpy(joined + n + 2, more.p, more.n);
    h->value = joined;
    return true;
}

static bool copy_headers(struct http_request *req, const struct http_head *h)
{
    req->headers = arena_array(&req->arena, h->n_fields + 1, sizeof *req->headers);
    if (!req->headers)
        return false;
    for (size_t i = 0; i < h->n_fields; i++) {
        const struct http_field *f = &h->fields[i];
        struct req_text *same = NULL;
        for (size_t k = 0; k < req->n_headers && !same; k++) {
            if (slice_is_nocase(f->name, req->headers[k].name))
                same = &req->headers[k];
        }
        if (same) {
            if (!join_value(&req->arena, same, f->value))
                return false;
            continue;
        }
        struct req_text *t = &req->headers[req->n_headers++];
        t->name = lower_copy(&req->arena, f->name);
        t->value = arena_strndup(&req->arena, (const char *)f->value.p, f->value.n);
        if (!t->name || !t->value)
            return false;
    }
    return true;
}

static void take_forwarded(struct http_request *req, const struct forwarded_proxies *trusted)
{
    if (!addr_ranges_have(trusted->ranges, trusted->n, &req->peer))
        return;
    req->peer = forwarded_peer(trusted, &req->peer, http_header(req, "x-forwarded-for"));
    req->tls = req->tls || forwarded_tls(http_header(req, "x-forwarded-proto"));
}

static bool fill(struct http_request *req, const struct http_head *h, int *status)
{
    struct slice path = target_path(h->target);
    struct slice query = target_query(h->target);
    char *decoded = arena_alloc(&req->arena, path.n + 1);
    char *pairs = arena_alloc(&req->arena, 2 * query.n + 2);
    *status = 503;
    if (!decoded || !pairs || !copy_headers(req, h))
        return false;
    *status = 400;
    if (target_decode_path(path, decoded) != OK)
        return false;
    req->path = decoded;
    req->n_query = query_decode(query, pairs);
    req->query = pairs;
    return true;
}

struct http_request *request_new(struct conn *c, const struct http_head *h, int *status)
{
    struct http_request *req = calloc(1, sizeof *req);
    *status = 503;
    if (!req)
        return NULL;
    arena_init(&req->arena, REQUEST_ARENA_MAX);
    req->conn = c;
    req->method = h->method;
    req->http10 = h->minor == 0;
    req->keep_alive = h->keep_alive;
    req->upgrade = h->upgrade_websocket;
    req->tls = sock_is_tls(c->sock);
    req->peer = c->peer;
    req->started = conn_now(c);
    req->max_body = c->server->config.max_body;
    if (!fill(req, h, status)) {
        request_free(req);
        return NULL;
    }
    take_forwarded(req, &c->server->proxies);
    return req;
}

enum http_method http_method(const struct http_request *req)
{
    return req->method;
}

const char *http_path(const struct http_request *req)
{
    return req->path;
}

const char *http_param(const struct http_request *req, const char *name)
{
    for (size_t i = 0; i < req->n_params; i++) {
        if (strcmp(req->params[i].name, name) == 0)
            return req->params[i].value;
    }
    return NULL;
}

const char *http_query(const struct http_request *req, const char *name)
{
    return query_find(req->query, req->n_query, name);
}

static enum err query_error(struct field_error *error, enum err e, const char *name,
                            const char *reason)
{
    error->err = e;
    snprintf(error->path, sizeof error->path, "%s", name);
    snprintf(error->reason, sizeof error->reason, "%s %s", name, reason);
    return e;
}

enum err http_query_int(const struct http_request *req, const char *name, int64_t min, int64_t max,
                        int64_t fallback, int64_t *out, struct field_error *error)
{
    const char *text = http_query(req, name);
    if (!text) {
        *out = fallback;
        return OK;
    }
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || *text == ' ' || *text == '+')
        return query_error(error, ERR_TYPE, name, "must be an integer");
    if (errno == ERANGE || v < min || v > max) {
        char reason[96];
        snprintf(reason, sizeof reason, "must be from %lld to %lld", (long long)min,
                 (long long)max);
        return query_error(error, ERR_RANGE, name, reason);
    }
    *out = v;
    return OK;
}

enum err http_query_flag(const struct http_request *req, const char *name, bool fallback, bool *out,
                         struct field_error *error)
{
    const char *text = http_query(req, name);
    if (!text)
        *out = fallback;
    else if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || *text == '\0')
        *out = true;
    else if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
        *out = false;
    else
        return query_error(error, ERR_TYPE, name, "must be true or false");
    return OK;
}

const char *http_header(const struct http_request *req, const char *name)
{
    for (size_t i = 0; i < req->n_headers; i++) {
        if (strcmp(req->headers[i].name, name) == 0)
            return req->headers[i].value;
    }
    return NULL;
}

const char *http_bearer(const struct http_request *req)
{
    const char *v = http_header(req, "authorization");
    if (!v || strncasecmp(v, "bearer ", 7) != 0)
        return NULL;
    v += 7;
    v += strspn(v, " ");
    return *v != '\0' ? v : NULL;
}

const char *http_cookie(const struct http_request *req, const char *name)
{
    const char *v = http_header(req, "cookie");
    size_t n = strlen(name);
    while (v && *v != '\0') {
        v += strspn(v, "; ");
        size_t len = strcspn(v, ";");
        if (len > n && v[n] == '=' && memcmp(v, name, n) == 0) {
            const char *value = v + n + 1;
            size_t value_n = len - n - 1;
            if (value_n >= 2 && value[0] == '"' && value[value_n - 1] == '"') {
                value++;
                value_n -= 2;
            }
            /* The view is const for its users; a copy is kept with it. */
            struct arena *a = &((struct http_request *)(uintptr_t)req)->arena;
            return arena_strndup(a, value, value_n);
        }
        v += len;
    }
    return NULL;
}

const struct addr *http_peer(const struct http_request *req)
{
    return &req->peer;
}

bool http_is_forwarded(const struct http_request *req)
{
    static const char *const names[] = {"x-forwarded-for", "forwarded", "x-real-ip", "via"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (http_header(req, names[i]))
            return true;
    }
    return false;
}

bool http_is_tls(const struct http_request *req)
{
    return req->tls;
}

struct slice http_body(const struct http_request *req)
{
    return req->body ? slice_of(req->body, req->body_n) : slice_of("", 0);
}

enum err http_body_json(const struct http_request *req, json_t **out, struct field_error *error)
{
    struct slice body = http_body(req);
    json_error_t why;
    *error = (struct field_error){.err = ERR_MALFORMED};
    if (body.n == 0) {
        snprintf(error->reason, sizeof error->reason, "the body must be JSON; it is empty");
        return ERR_MALFORMED;
    }
    *out = json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, &why);
    if (*out)
        return OK;
    snprintf(error->reason, sizeof error->reason, "the body is not valid JSON: line %d: %s",
             why.line, why.text);
    return ERR_MALFORMED;
}

void http_on_closed(struct http_request *req, void (*closed)(struct http_request *req, void *user),
                    void *user)
{
    req->closed = closed;
    req->closed_user = user;
}

bool http_is_closed(const struct http_request *req)
{
    return !req->conn || req->conn->state == CONN_DEAD;
}
