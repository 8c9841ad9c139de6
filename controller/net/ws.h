/* WebSocket endpoints (RFC 6455) on the HTTP server's port: messages in and out, all queues
 * bounded. Text messages of valid UTF-8; no extensions. Same loop, same thread as net/http.h. */
#ifndef WEIR_CONTROLLER_NET_WS_H
#define WEIR_CONTROLLER_NET_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/blob.h"
#include "common/err.h"
#include "controller/net/http.h"

struct ws_conn;

/* Close codes, RFC 6455 7.4.1 and its IANA registry. */
enum {
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_GOING_AWAY = 1001,
    WS_CLOSE_PROTOCOL = 1002,
    WS_CLOSE_UNACCEPTABLE = 1003,
    WS_CLOSE_NO_STATUS = 1005, /* reported only: the peer gave none */
    WS_CLOSE_ABNORMAL = 1006,  /* reported only: the connection broke */
    WS_CLOSE_BAD_DATA = 1007,
    WS_CLOSE_POLICY = 1008,
    WS_CLOSE_TOO_LARGE = 1009,
    WS_CLOSE_TRY_AGAIN_LATER = 1013
};

enum {
    WS_DEFAULT_MAX_MESSAGE = 256 * 1024,
    WS_DEFAULT_MAX_QUEUE = 4 * 1024 * 1024,
    WS_DEFAULT_PING_S = 20,
    WS_DEFAULT_IDLE_S = 50
};

struct ws_handlers {
    /* Optional. Before the handshake: 0 accepts, an HTTP status such as 401 or 403 refuses. req is
     * a view for this call only (http_path, http_query, http_header, http_peer, ...; no
     * answers). */
    int (*accept)(const struct http_request *req, void *user);
    /* The connection is up; req as above, for this call only. May send, may close. */
    void (*open)(struct ws_conn *conn, const struct http_request *req, void *user);
    /* One whole text message; text[n] is NUL. */
    void (*message)(struct ws_conn *conn, const char *text, size_t n, void *user);
    /* Optional; without it a binary message closes with WS_CLOSE_UNACCEPTABLE. */
    void (*binary)(struct ws_conn *conn, const uint8_t *bytes, size_t n, void *user);
    /* Exactly once for each open, whatever ended it; conn is dead afterwards. code: the peer's, or
     * ours if we closed, or WS_CLOSE_ABNORMAL. Never called from inside ws_send or ws_close. */
    void (*close)(struct ws_conn *conn, int code, void *user);
};

struct ws_endpoint {
    const char *path;        /* exact, "/ws"; borrowed until the server is gone */
    const char *subprotocol; /* "protoo"; NULL: for clients that ask for none, or for one nobody
                                here knows. Several endpoints may share a path, each with its own */
    const struct ws_handlers *handlers; /* borrowed until the server is gone */
    void *user;
    size_t max_message; /* bytes, fragments together; 0: WS_DEFAULT_MAX_MESSAGE; beyond: 1009 */
    size_t max_queue;   /* bytes that may wait for a slow reader; 0: WS_DEFAULT_MAX_QUEUE */
    unsigned ping_s;    /* silence after which we ping; 0: WS_DEFAULT_PING_S */
    unsigned idle_s;    /* silence after which the peer counts as gone; 0: WS_DEFAULT_IDLE_S */
};

/* ERR_EXISTS: the same path and subprotocol twice. A path that is also a GET route serves both. */
MUST_CHECK enum err ws_endpoint_add(struct http_server *s, const struct ws_endpoint *endpoint);

/* Queues a copy of one text message (valid UTF-8, else ERR_MALFORMED). ERR_FULL: it does not fit in
 * max_queue, and the connection is being closed with 1013. ERR_CLOSED: it is closing already. Both
 * may be ignored: close() tells. */
enum err ws_send(struct ws_conn *conn, const char *text, size_t n);
enum err ws_send_binary(struct ws_conn *conn, const void *bytes, size_t n);
/* Dumps and queues. */
enum err ws_send_json(struct ws_conn *conn, const json_t *message);

/* One text message for many connections: made once, each only refers to it. text: valid UTF-8. One
 * reference; NULL: out of memory. */
struct blob *ws_shared_text(const char *text, size_t n);
/* As ws_send; takes a reference of its own. All of it counts against max_queue. */
enum err ws_send_shared(struct ws_conn *conn, struct blob *message);

/* Sends what is queued, then the close frame; close() follows later, after at most a few seconds.
 * reason: at most 123 bytes; NULL: none. Repeated calls do nothing. */
void ws_close(struct ws_conn *conn, int code, const char *reason);

void ws_set_user(struct ws_conn *conn, void *conn_user);
void *ws_user(const struct ws_conn *conn);
const struct addr *ws_peer(const struct ws_conn *conn);
size_t ws_queued(const struct ws_conn *conn);

#endif
