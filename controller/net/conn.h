/* One client's connection: bytes in, requests out to the handlers, answers back in order; later
 * perhaps a WebSocket. Internal to net/. */
#ifndef WEIR_CONTROLLER_NET_CONN_H
#define WEIR_CONTROLLER_NET_CONN_H

#include "common/addr.h"
#include "common/arena.h"
#include "common/list.h"
#include "common/time.h"
#include "controller/net/forwarded.h"
#include "controller/net/http.h"
#include "controller/net/ip_limit.h"
#include "controller/net/out.h"
#include "controller/net/parse.h"
#include "controller/net/router.h"
#include "controller/net/sock.h"

struct files_mount;
struct ws_conn;
struct ws_route;

enum conn_state {
    CONN_HEAD,   /* between requests, or a head is coming in */
    CONN_BODY,   /* the body of req */
    CONN_BUSY,   /* req is with its handler */
    CONN_WS,     /* upgraded */
    CONN_DRAIN,  /* the last answer is queued: send it, then the end of file */
    CONN_LINGER, /* sent: read until the client closes, so that it sees the answer, no reset */
    CONN_DEAD    /* to be closed */
};

struct conn {
    struct list node;           /* in server->conns */
    struct http_server *server; /* parent */
    struct sock *sock;
    struct addr peer;
    bool counted; /* in server->ips */
    enum conn_state state;
    usec since;    /* when the state, or the head, began */
    usec progress; /* last time something was received (BODY) or taken by the client */
    bool any;      /* a request came before */
    bool sending;  /* something is queued here or in lws */
    bool pumping;  /* input is being understood: what comes of it is sent right after */
    bool blocked;  /* pipelined requests wait for the queue */
    bool deaf;     /* sent far too much while waiting: no more is listened to */
    bool reading;
    uint8_t *in; /* owned; received and not yet understood */
    size_t in_n;
    size_t in_cap;
    size_t scanned;    /* parse_head's */
    struct slice view; /* what is being looked at: in, or what was just received */
    struct body body;
    struct http_request *req; /* owned until answered or closed: it then owns itself */
    struct out out;
    struct ws_conn *ws; /* owned */
};

struct http_request {
    struct conn *conn; /* NULL: the client has gone */
    struct arena arena;
    enum http_method method;
    bool http10;
    bool keep_alive;
    bool tls;
    bool upgrade;      /* to a WebSocket */
    bool with_handler; /* which owes the answer */
    bool streaming;
    bool chunked_out;
    bool cors;
    bool cors_listed;
    unsigned methods; /* that its path knows, for preflight */
    const char *path;
    const char *query; /* pairs, see query_decode */
    size_t n_query;
    struct req_text {
        const char *name;
        const char *value;
    } * headers, params[HTTP_MAX_PARAMS];
    size_t n_headers;
    size_t n_params;
    struct addr peer;
    usec started;
    uint8_t *body; /* owned */
    size_t body_n;
    size_t body_cap;
    size_t max_body;
    const struct http_route *route;  /* borrowed from the server */
    const struct files_mount *mount; /* borrowed from the server */
    void (*closed)(struct http_request *req, void *user);
    void *closed_user; /* borrowed */
    void (*drained)(struct http_request *req, void *user);
    void *drained_user; /* borrowed */
    char *extra;        /* owned; header lines that the handler set */
    size_t extra_n;
};

struct http_server {
    struct sock_server *socks; /* owned */
    struct list conns;
    struct router router;
    struct files_mount *mounts; /* owned, longest prefix first */
    struct ws_route *ws_routes; /* owned */
    struct gzip_cache *gzip;    /* owned */
    struct ip_limit ips;        /* connections, and WebSockets that came by proxies */
    struct forwarded_proxies proxies;
    struct http_config config; /* its strings are owned */
    uint16_t port;
    bool refusing; /* see http_server_refuse */
    bool closing;
    void (*done)(void *user);
    void *done_user; /* borrowed */
    struct http_metrics {
        struct metric *codes[600]; /* by status, filled on first use */
        struct metric *connections;
        struct metric *ws_connections;
        struct metric *refused_ip;
        struct metric *received;
        struct metric *sent;
        struct metric_histogram *seconds;
    } metrics;
};

extern const struct sock_events conn_events;

usec conn_now(const struct conn *c);
/* Sends what can be sent; may find that the connection is finished. Only from the socket's
 * callbacks. */
void conn_flush(struct conn *c);
/* Something is in the queue, or can go on: conn_flush and conn_run follow. */
void conn_kick(struct conn *c);
/* The answer to c->req is queued whole. */
void conn_answered(struct conn *c, bool keep_alive);
void conn_set_state(struct conn *c, enum conn_state state);
/* Breaks off. */
void conn_abort(struct conn *c);
/* Forgets a request that its handler or the connection still knows. */
void request_free(struct http_request *req);

/* request.c: from a head; NULL and *status on failure. */
struct http_request *request_new(struct conn *c, const struct http_head *h, int *status);

/* http.c: finds out where req belongs. 0: go on with the body; otherwise it was answered. */
bool http_admit(struct conn *c, struct http_request *req, const struct http_head *h);
/* The request is whole. */
void http_dispatch(struct http_request *req);

/* respond.c: an answer without a request of its own, on which the connection ends. */
void respond_broken(struct conn *c, int status);
const char *respond_reason(int status);
/* Queues a head for req, length < 0: unknown. False: out of memory, c is aborted. */
bool respond_head(struct http_request *req, int status, const char *content_type, int64_t length);
void respond_count(struct http_server *s, int status, usec took);
/* Counts it, and gives the request back. */
void respond_finish(struct http_request *req, int status);
void respond_preflight(struct http_request *req);
void respond_method_not_allowed(struct http_request *req);

/* conn.c: told to the log now and then. */
void conn_refused_for_ip(struct http_server *s, const struct addr *ip);

/* ws.c */
void ws_routes_free(struct http_server *s);
bool ws_path_known(const struct http_server *s, const char *path);
/* Answers req with 101 and makes c a WebSocket, or with an error. */
void ws_upgrade(struct conn *c, struct http_request *req);
/* Consumes from c->view. */
void ws_run(struct conn *c);
void ws_tick(struct conn *c, usec now);
/* c is closing; frees c->ws. */
void ws_closed(struct conn *c);
/* Asks the peer to go: 1001. */
void ws_going_away(struct conn *c);

/* files.c */
void files_mounts_free(struct http_server *s);
const struct files_mount *files_find(const struct http_server *s, const char *path);
bool files_mount_cors(const struct files_mount *m);
void files_serve(struct http_request *req);

#endif
