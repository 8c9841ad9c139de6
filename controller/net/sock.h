/* Listening and connected stream sockets, plain or TLS, by libwebsockets on the caller's libuv
 * loop. The only code that knows lws.
 *
 * lws is used in its raw role: it owns the descriptors, TLS and readiness. Its own HTTP role (4.1)
 * does not do what this server promises (chunked bodies, ranges, 431, noticing that a client left
 * while an answer is pending, ...), so HTTP and WebSocket are ours: net/parse.h, net/frame.h. */
#ifndef WEIR_CONTROLLER_NET_SOCK_H
#define WEIR_CONTROLLER_NET_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/addr.h"
#include "common/err.h"

struct uv_loop_s;
struct sock;
struct sock_server;

enum {
    SOCK_READ_MAX = 32 * 1024, /* bytes that one received() brings at most */
    SOCK_TICK_MS = 250
};

struct sock_events {
    /* A connection; what is returned comes back in the calls below. NULL refuses it. */
    void *(*opened)(void *owner, struct sock *s, const struct addr *peer);
    /* These two: false closes the socket at once. */
    bool (*received)(void *conn, const uint8_t *p, size_t n);
    bool (*writable)(void *conn); /* after sock_want_write */
    /* The last call; s is dead afterwards. Never from inside another function of this header but
     * sock_server_close. */
    void (*closed)(void *conn);
    void (*tick)(void *owner); /* every SOCK_TICK_MS */
};

struct sock_config {
    const char *host; /* literal address; NULL: all */
    uint16_t port;    /* 0: any */
    const char *cert_file;
    const char *key_file; /* NULL: no TLS */
    unsigned max_connections;
    const struct sock_events *events; /* borrowed */
    void *owner;                      /* borrowed */
};

MUST_CHECK enum err sock_server_open(struct sock_server **out, struct uv_loop_s *loop,
                                     const struct sock_config *config, char *error,
                                     size_t error_size);
/* Everything is closed in the next turns; then done(user), and the server is gone. */
void sock_server_close(struct sock_server *server, void (*done)(void *user), void *user);
uint16_t sock_server_port(const struct sock_server *server);
unsigned sock_server_count(const struct sock_server *server);
/* The loop's time in microseconds, monotonic, as of this turn. */
int64_t sock_server_now(const struct sock_server *server);

/* These two: how many bytes were taken, from the front; 0: none for now; -1: the socket is dead,
 * and closed() follows. */
/* more: what follows at once shall come in the same packets. */
long sock_send(struct sock *s, const struct iovec *pieces, size_t n_pieces, bool more);
/* A file that ends before offset + n kills the socket. */
long sock_send_file(struct sock *s, int fd, uint64_t offset, size_t n);
/* Whether all that was taken is with the kernel, and it takes more. */
bool sock_can_write(const struct sock *s);
/* writable() follows, from the loop: in its next turn, or when the peer has read. Many that ask in
 * one turn cost nothing but their own sending. */
void sock_want_write(struct sock *s);
/* Stops or goes on reading. While it is off, a peer that leaves may go unnoticed. */
void sock_set_reading(struct sock *s, bool on);
/* No more will be written: the peer reads an end of file. */
void sock_shutdown(struct sock *s);
/* closed() follows in a later turn; no other call does. */
void sock_close(struct sock *s);
bool sock_is_tls(const struct sock *s);

#endif
