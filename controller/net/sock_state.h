/* What a server and a socket consist of; internal to the files of sock.h. */
#ifndef WEIR_CONTROLLER_NET_SOCK_STATE_H
#define WEIR_CONTROLLER_NET_SOCK_STATE_H

#include <uv.h>

/* OpenSSL has a type of the same name as our error code. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <libwebsockets.h>
#undef ERR_STATE

#include "common/list.h"
#include "controller/net/sock.h"

enum { SOCK_RECORD_MAX = 64 * 1024 }; /* bytes that lws gets at once */

/* Closing takes several turns of the loop, because libuv and lws free their things in later ones.
 */
enum sock_phase { RUNNING, CLOSING_SOCKETS, CLOSING_CONTEXT, CLOSING_HANDLES };

struct sock_server {
    struct sock_events events;
    void *owner;        /* borrowed */
    uv_loop_t *loop;    /* borrowed */
    uv_poll_t listener; /* of listen_fd */
    uv_timer_t timer;
    uv_timer_t reaper;
    uv_idle_t turn;   /* runs while somebody is in soon */
    unsigned handles; /* of the four above, those that libuv still knows */
    int listen_fd;
    bool accept_paused; /* out of descriptors: tried again by the timer */
    bool tls;
    bool context_done; /* lws_context_destroy was called once */
    uint16_t port;
    unsigned max_connections;
    unsigned count;
    unsigned n_wsi;              /* that lws has not freed yet */
    struct lws_context *context; /* owned; lws sets it NULL when it is gone */
    struct lws_vhost *vhost;     /* of context */
    struct list socks;           /* struct sock.node */
    struct list doomed;          /* struct sock.node */
    struct list soon;            /* struct sock.soon: who may write in the next turn */
    enum sock_phase phase;
    void (*done)(void *user);
    void *done_user; /* borrowed */
};

struct sock {
    struct list node;           /* in server->socks, or ->doomed */
    struct list soon;           /* in server->soon, or in none */
    struct sock_server *server; /* parent */
    struct lws *wsi;            /* lws's; NULL once it closed */
    void *conn;                 /* borrowed; NULL until opened */
    bool reading;               /* wanted by the owner */
    bool flowing;               /* what lws was told */
    bool greeted;               /* something was received */
    bool full;                  /* the kernel, or lws's buffer, takes no more for now */
    bool adopting;
    bool doomed;
};

/* lws spins when it may read while its own output waits, so reading stops meanwhile. */
void sock_apply_reading(struct sock *s);
/* server->turn: all that are in server->soon write what they have. */
void sock_on_turn(uv_idle_t *turn);

#endif
