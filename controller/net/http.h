/* HTTP/1.1 server on the controller's own libuv loop: routes, requests, answers at once or later.
 * RFC 9110, 9112. Owned by the composition; does IO, but only from the loop's turns: all functions
 * belong to the loop's thread.
 *
 * A handler gets a `struct http_request *` and owes it exactly one answer, now or in a later turn:
 * one of the http_respond_* functions, or http_stream_begin ... http_stream_end. The request stays
 * valid until then, also when its client has gone (the answer then goes nowhere); after the answer
 * the pointer is dead. WebSockets: net/ws.h; files: net/files.h. */
#ifndef WEIR_CONTROLLER_NET_HTTP_H
#define WEIR_CONTROLLER_NET_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/addr_range.h"
#include "common/bytes.h"
#include "common/err.h"
#include "common/fields.h"
#include "controller/net/origin.h"

struct uv_loop_s;
struct metrics;
struct http_server;
struct http_request;

/* id, name on the wire */
#define HTTP_METHODS(X)                                                                            \
    X(HTTP_GET, "GET")                                                                             \
    X(HTTP_HEAD, "HEAD")                                                                           \
    X(HTTP_POST, "POST")                                                                           \
    X(HTTP_PUT, "PUT")                                                                             \
    X(HTTP_PATCH, "PATCH")                                                                         \
    X(HTTP_DELETE, "DELETE")                                                                       \
    X(HTTP_OPTIONS, "OPTIONS")

enum http_method {
#define X(id, name) id,
    HTTP_METHODS(X)
#undef X
        HTTP_METHOD_COUNT
};

enum {
    HTTP_MAX_PARAMS = 8,
    HTTP_MAX_TARGET = 4096,       /* path and query, bytes; beyond: 414 */
    HTTP_MAX_HEADERS = 16 * 1024, /* all header fields, bytes; beyond: 431 */
    HTTP_DEFAULT_MAX_BODY = 1024 * 1024,
    HTTP_DEFAULT_MAX_CONNECTIONS = 10000,
    HTTP_STREAM_MAX_QUEUE = 1024 * 1024 /* bytes that a streamed answer may have waiting */
};

/* ---- server ---- */

struct http_config {
    const char *host;           /* literal address; NULL: all addresses */
    uint16_t port;              /* 0: any free one, see http_server_port */
    const char *cert_file;      /* PEM chain; NULL: no TLS. With key_file: TLS only on this port */
    const char *key_file;       /* PEM */
    unsigned max_connections;   /* 0: HTTP_DEFAULT_MAX_CONNECTIONS; beyond, new ones are closed */
    size_t max_body;            /* bytes; 0: HTTP_DEFAULT_MAX_BODY; a route may set its own */
    unsigned request_timeout_s; /* to receive a whole request's header, or more of its body; 0: 15
                                 */
    unsigned idle_timeout_s;    /* a connection between two requests; 0: 60 */
    unsigned write_timeout_s;   /* an answer of which the client takes nothing for so long; 0: 30 */
    unsigned max_connections_per_ip; /* 0: no limit; beyond, new ones are closed. Connections of
                                        trusted proxies do not count, but the WebSockets that they
                                        carry do, for whom they were opened */
    const struct addr_range *trusted_proxies; /* whose X-Forwarded-For and -Proto are believed */
    size_t n_trusted_proxies;                 /* at most FORWARDED_PROXIES_MAX count */
    const char *cors_origin;      /* Access-Control-Allow-Origin of routes with cors; NULL: "*" */
    struct origin_policy origins; /* other sites that may use routes with cors_listed; borrowed,
                                     outlives the server */
    const char *page_csp;         /* Content-Security-Policy of HTML; NULL: the built-in one */
    struct metrics *metrics;      /* borrowed, outlives the server; NULL: none */
};

/* Listens at once (the port is bound when this returns), answers when the loop runs. Strings are
 * copied. On failure a text for people that names host:port, or the file at fault, is in error. */
MUST_CHECK enum err http_server_open(struct http_server **out, struct uv_loop_s *loop,
                                     const struct http_config *config, char *error,
                                     size_t error_size);

/* Stops listening, closes every connection (requests in hand get their closed callback, ws
 * connections their close callback, with 1001), then calls done(user) from a later turn of the loop
 * and is gone. Requests that are not answered yet stay valid until they are. NULL: done at once. */
void http_server_close(struct http_server *s, void (*done)(void *user), void *user);

/* From now on every request is answered with 503, so that whom the handlers serve may go; requests
 * in hand and open WebSockets go on. */
void http_server_refuse(struct http_server *s);

uint16_t http_server_port(const struct http_server *s);
/* Connections that are open now, WebSockets included. */
unsigned http_server_connections(const struct http_server *s);

/* ---- routes ---- */

typedef void http_handler(struct http_request *req, void *user);

struct http_route {
    enum http_method method;
    const char *pattern; /* "/api/livestream/:streamId/join"; ":name" is one whole segment; borrowed
                            until the server is gone (use literals) */
    http_handler *handler;
    void *user;
    size_t max_body;  /* bytes; 0: the server's */
    bool cors;        /* open to other origins, with an answer to OPTIONS preflight */
    bool cors_listed; /* open to the configured origins; those by name may also send cookies */
};

/* Literal segments win over ":name". HEAD is served by GET's route unless it has its own.
 * ERR_EXISTS: the same method and pattern twice; ERR_MALFORMED: no leading slash, an empty name, or
 * more than HTTP_MAX_PARAMS. */
MUST_CHECK enum err http_route_add(struct http_server *s, const struct http_route *route);

/* ---- request view: all strings are valid as long as the request ---- */

enum http_method http_method(const struct http_request *req);
const char *http_method_name(enum http_method m);
/* Decoded, starts with "/", no "." or ".." segments, no NUL. */
const char *http_path(const struct http_request *req);
/* The decoded ":name" segment; never empty. NULL only when the pattern has no such name. */
const char *http_param(const struct http_request *req, const char *name);
/* First value of the query key, decoded ("" for a key without "="); NULL: absent. */
const char *http_query(const struct http_request *req, const char *name);
/* fallback when absent. Otherwise an integer in min..max, or an error that names the field, for
 * http_respond_field_error. */
MUST_CHECK enum err http_query_int(const struct http_request *req, const char *name, int64_t min,
                                   int64_t max, int64_t fallback, int64_t *out,
                                   struct field_error *error);
/* "true", "1", "" → true; "false", "0" → false. */
MUST_CHECK enum err http_query_flag(const struct http_request *req, const char *name, bool fallback,
                                    bool *out, struct field_error *error);
/* By lower-case name without the colon, "x-api-key"; several of one name come joined by ", ". NULL:
 * absent. */
const char *http_header(const struct http_request *req, const char *name);
/* The token of "Authorization: Bearer <token>", or NULL. */
const char *http_bearer(const struct http_request *req);
const char *http_cookie(const struct http_request *req, const char *name);
/* Who sent it, also by way of a trusted proxy; IPv4-mapped addresses appear as IPv4. */
const struct addr *http_peer(const struct http_request *req);
/* Some proxy says that it speaks for somebody else, be it trusted or not. */
bool http_is_forwarded(const struct http_request *req);
/* The client speaks TLS: to us, or to a trusted proxy. */
bool http_is_tls(const struct http_request *req);
/* NUL-terminated behind its n bytes. */
struct slice http_body(const struct http_request *req);
/* *out: a new reference to the JSON object or array in the body. On failure error is filled. */
MUST_CHECK enum err http_body_json(const struct http_request *req, json_t **out,
                                   struct field_error *error);

/* Called at most once, when the client goes before the answer is complete. The request stays valid
 * and still has to be answered (it may be answered inside the callback). */
void http_on_closed(struct http_request *req, void (*closed)(struct http_request *req, void *user),
                    void *user);
bool http_is_closed(const struct http_request *req);

/* ---- answers: each consumes the request ---- */

/* Adds a header field to the coming answer. ERR_MALFORMED for control characters; ERR_FULL over 4
 * KiB. Without it answers carry Content-Type, Content-Length, X-Content-Type-Options: nosniff,
 * Referrer-Policy, CORS by route, and `Cache-Control: no-store` unless it is set. */
enum err http_set_header(struct http_request *req, const char *name, const char *value);

/* body is copied; n may be 0. */
void http_respond(struct http_request *req, int status, const char *content_type, const void *body,
                  size_t n);
/* Takes over the reference. NULL (out of memory) answers 500. */
void http_respond_json(struct http_request *req, int status, json_t *body);
/* {"error":{"code":..., "reason":..., "field":...}}; field NULL: left out. code as err_name gives:
 * "NotFound". */
void http_respond_error(struct http_request *req, int status, const char *code, const char *field,
                        const char *reason);
/* 400 (500 for ERR_NOMEM) with the path as field. */
void http_respond_field_error(struct http_request *req, const struct field_error *error);
/* The status that suits an error: ERR_NOT_FOUND 404, ERR_DENIED 403, ERR_AUTH 401, ERR_EXISTS 409,
 * ERR_FULL 429, ERR_UNAVAILABLE 503, ... */
int http_status_of(enum err e);
/* Bare status such as 204 or 304, no body. */
void http_respond_empty(struct http_request *req, int status);

/* path, relative to the folder root and as a client may have chosen it: cannot leave the folder.
 * cache_control NULL: "no-cache". Handles ETag, If-None-Match, If-Modified-Since, Range, HEAD,
 * gzip; 404 when it does not exist. */
void http_respond_file(struct http_request *req, const char *root, const char *path,
                       const char *cache_control);

/* A long answer, chunk by chunk (Server-Sent Events, exports). The request stays valid until
 * http_stream_end, which must be called even when the client has gone. */
void http_stream_begin(struct http_request *req, int status, const char *content_type);
/* Copies. ERR_FULL: more than HTTP_STREAM_MAX_QUEUE would wait, nothing was taken; wait for
 * drained, or end. ERR_CLOSED: the client has gone. */
MUST_CHECK enum err http_stream_write(struct http_request *req, const void *data, size_t n);
/* drained(req, user) after the queue ran empty. */
void http_stream_on_drained(struct http_request *req,
                            void (*drained)(struct http_request *req, void *user), void *user);
size_t http_stream_queued(const struct http_request *req);
void http_stream_end(struct http_request *req);

#endif
