/* UDP sockets of a worker: bursts in by recvmmsg into pooled packets, bursts out as UDP_SEGMENT
 * messages by sendmmsg. Owns the descriptors; does system calls; knows nothing of RTP. */
#ifndef WEIR_WORKER_IO_UDP_H
#define WEIR_WORKER_IO_UDP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/packet.h"
#include "worker/media/txq.h"
#include "worker/media/worker.h"

struct udp_counters {
    uint64_t datagrams_in;
    uint64_t bytes_in;
    uint64_t truncated_in;  /* longer than a packet buffer: dropped */
    uint64_t no_buffer_in;  /* the packet pool was exhausted: dropped */
    uint64_t datagrams_out; /* segments, not system calls */
    uint64_t bytes_out;
    uint64_t dropped_out; /* the socket's buffer was full, or the kernel refused */
    uint64_t send_calls;  /* sendmmsg */
    uint64_t recv_calls;  /* recvmmsg */
};

struct udp_socket;

/* A datagram came. The callback keeps a reference if it wants the packet. */
typedef void udp_recv_fn(void *ctx, usec now, const struct tuple *from, struct packet *p);
/* These n came together, and are told one after the other from now on: a hint to have memory
 * fetched. `at`: the next to be told. */
typedef void udp_ahead_fn(void *ctx, const struct tuple *from, struct packet *const *p, size_t n,
                          size_t at);
/* All that was there has been told. False: it is worth looking once more at once. That is asked
 * with `last` unset; with it set, nothing more comes. */
typedef bool udp_burst_fn(void *ctx, usec now, bool last);

struct udp_io {
    uv_loop_t *loop;          /* borrowed, outlives us */
    struct packet_pool *pool; /* borrowed, outlives us; set before the first datagram */
    udp_recv_fn *on_recv;
    udp_ahead_fn *on_ahead;
    udp_burst_fn *on_burst;
    void *ctx; /* borrowed */
    struct udp_counters counters;
    struct udp_socket **sockets; /* owned; the index is tuple.sock, NULL: free */
    uint16_t n_sockets;
    struct udp_batch *batch; /* owned */
};

MUST_CHECK enum err udp_io_init(struct udp_io *io, uv_loop_t *loop, udp_recv_fn *on_recv,
                                udp_ahead_fn *on_ahead, udp_burst_fn *on_burst, void *ctx);
/* Gives the buffers for what comes next back to the pool: nothing may come any more. */
void udp_io_release(struct udp_io *io);
/* Closes what is open; the memory of sockets goes in a later turn of the loop. */
void udp_io_fini(struct udp_io *io);

/* As worker_io.open_udp. */
MUST_CHECK enum err udp_open(struct udp_io *io, const struct udp_listen *listen, uint16_t *sock,
                             uint16_t *port);
void udp_close(struct udp_io *io, uint16_t sock);

/* Sends all that is queued for d, which is a UDP destination; messages are collected and leave at
 * the latest with udp_flush, so slots must stay as they are until then. */
void udp_send(struct udp_io *io, struct txq *q, const struct tx_dest *d);
void udp_flush(struct udp_io *io);

/* Socket address <-> addr, shared with TCP. An IPv4-mapped address becomes IPv4. */
socklen_t addr_to_sockaddr(const struct addr *a, bool v6_socket, struct sockaddr_storage *out);
struct addr addr_from_sockaddr(const struct sockaddr_storage *sa);

#endif
