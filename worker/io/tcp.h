/* ICE over TCP (RFC 6544 passive candidates): listening sockets and connections, RFC 4571 framing
 * both ways. Each connection is bounded in what it may queue; frames that do not fit are dropped,
 * as UDP would. */
#ifndef WEIR_WORKER_IO_TCP_H
#define WEIR_WORKER_IO_TCP_H

#include <stdint.h>
#include <uv.h>

#include "common/addr.h"
#include "common/bytes.h"
#include "common/err.h"
#include "common/packet.h"
#include "worker/media/txq.h"
#include "worker/media/worker.h"

struct tcp_conn;
struct tcp_listener;

struct tcp_counters {
    uint64_t accepted;
    uint64_t refused; /* over the limit of connections */
    uint64_t frames_in;
    uint64_t bytes_in;
    uint64_t oversized_in; /* frames longer than a packet: skipped */
    uint64_t frames_out;
    uint64_t bytes_out;
    uint64_t dropped_out; /* the connection's queue was full */
};

typedef void tcp_recv_fn(void *ctx, usec now, const struct tuple *from, struct packet *p);
typedef void tcp_closed_fn(void *ctx, usec now, const struct tuple *tuple);

struct tcp_io {
    uv_loop_t *loop;          /* borrowed, outlives us */
    struct packet_pool *pool; /* borrowed, outlives us; set before the first connection */
    tcp_recv_fn *on_recv;
    tcp_closed_fn *on_closed;
    void *ctx;                       /* borrowed */
    struct tcp_conn *conns;          /* owned; hash by id */
    struct tcp_listener **listeners; /* owned; index is tuple.sock, NULL: free */
    uint16_t n_listeners;
    uint32_t n_conns;
    uint32_t next_id;
    uv_timer_t sweep; /* closes connections that say nothing */
    struct tcp_counters counters;
};

MUST_CHECK enum err tcp_io_init(struct tcp_io *io, uv_loop_t *loop, tcp_recv_fn *on_recv,
                                tcp_closed_fn *on_closed, void *ctx);
void tcp_io_fini(struct tcp_io *io);

/* As worker_io.open_tcp; indices of sockets are TCP's own. */
MUST_CHECK enum err tcp_open(struct tcp_io *io, const struct udp_listen *listen, uint16_t *sock,
                             uint16_t *port);
/* Closes the listener and its connections, without telling on_closed. */
void tcp_close(struct tcp_io *io, uint16_t sock);
/* Without telling on_closed. */
void tcp_close_conn(struct tcp_io *io, const struct tuple *tuple);
/* Sends all that is queued for d, which is a TCP destination; copies what the kernel does not take.
 */
void tcp_send(struct tcp_io *io, struct txq *q, const struct tx_dest *d);

#endif
