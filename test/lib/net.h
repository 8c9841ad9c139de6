/* A real worker and the real sockets of its peers in one poll loop, with the worker's pipe. For
 * integration tests; web_peer.h and rtp_peer.h build on it. Does IO; aborts where the machine
 * refuses what a test needs. */
#ifndef WEIR_TEST_NET_H
#define WEIR_TEST_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/rng.h"
#include "test/lib/worker_driver.h"

enum { NET_SOCKETS = 512 };

struct net_frames;

/* A UDP socket, or a TCP connection with RFC 4571 framing. */
struct net_socket {
    int fd; /* -1: closed */
    bool tcp;
    bool ended; /* TCP: the worker closed it */
    struct addr local;
    struct addr remote; /* where net_send sends to */
    void (*receive)(struct net_socket *s, uint8_t *bytes, size_t n);
    void *ctx;                 /* borrowed */
    uint64_t received;         /* datagrams or frames */
    struct net_frames *frames; /* owned, TCP: unfinished ones */
};

/* Something with timers. */
struct net_timer {
    usec (*deadline)(void *ctx);
    void (*timeout)(void *ctx, usec now);
    void *ctx; /* borrowed */
};

struct net {
    struct worker_driver driver;
    struct rng rng;
    struct net_socket *sockets[NET_SOCKETS]; /* borrowed; NULL: free */
    struct net_timer *timers[NET_SOCKETS];   /* borrowed; NULL: free */
};

/* Starts a worker. options may be NULL. */
void net_init(struct net *net, const struct driver_options *options);
/* The worker is killed if it still runs. */
void net_fini(struct net *net);

/* One turn: waits for anything until the next timer, at most so long. */
void net_step(struct net *net, usec wait);
/* Runs for a while: for what must not happen, and where time is what is tested. */
void net_pass(struct net *net, usec time);
/* For tests, which say what they wait for: if (net_late(...)) fail. Prints what and the log. */
bool net_late(struct net *net, usec since, const char *what);

void net_add_timer(struct net *net, struct net_timer *t);
void net_remove_timer(struct net *net, struct net_timer *t);

/* ip: of both ends, "127.0.0.1" or "::1". remote_port may be 0 and set later. */
void net_open_udp(struct net *net, struct net_socket *s, const char *ip, uint16_t remote_port);
void net_open_tcp(struct net *net, struct net_socket *s, const char *ip, uint16_t remote_port);
void net_close(struct net *net, struct net_socket *s);
/* TCP: as one frame. */
void net_send(struct net_socket *s, const void *bytes, size_t n);
/* TCP: without a frame around it. False: the connection is gone. */
bool net_send_raw(struct net_socket *s, const void *bytes, size_t n);

/* A value by a path such as "iceParameters.password" or "iceCandidates.0.port"; NULL when there is
 * none. Borrowed. */
json_t *json_at(const json_t *root, const char *path);
const char *json_text_at(const json_t *root, const char *path);
/* -1: absent or not an integer. */
int64_t json_number_at(const json_t *root, const char *path);

#endif
