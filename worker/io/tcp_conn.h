/* One TCP connection of a worker. Private to io. */
#ifndef WEIR_WORKER_IO_TCP_CONN_H
#define WEIR_WORKER_IO_TCP_CONN_H

#include <stdbool.h>
#include <uthash.h>

#include "worker/io/tcp.h"

enum {
    /* RFC 4571: a frame is a 16-bit length and that many bytes. */
    TCP_FRAME_HEAD = 2,
    READ_CAP = 16 * 1024,
    /* What may wait for a peer that reads slowly: about a second of 2.5 Mbit/s video. */
    PENDING_CAP = 384 * 1024,
    CONNS_MAX = 8192,
    /* A WebRTC peer sends a consent check at least every few seconds (RFC 7675). */
    SILENCE_MS = 40 * 1000,
    /* Somebody who connects and says nothing useful is gone sooner. */
    SWEEP_MS = 5 * 1000
};

struct tcp_listener {
    struct tcp_io *io; /* parent, outlives us; NULL once closing */
    uv_tcp_t handle;
    uint16_t index;
};

struct tcp_conn {
    struct tcp_io *io; /* parent, outlives us; NULL once closing */
    uv_tcp_t handle;
    uint32_t id;
    struct tuple tuple;
    UT_hash_handle hh;
    uint64_t last_read_ms;

    uint32_t have;       /* bytes of an unfinished frame at the start of buf */
    uint32_t skip;       /* bytes of an oversized frame still to be passed over */
    uint8_t *pending;    /* owned; PENDING_CAP, made when first needed */
    uint32_t pending_at; /* first byte not yet written */
    uint32_t pending_len;
    uint32_t in_write; /* bytes handed to uv_write, 0: none under way */
    uv_write_t write;
    uint8_t buf[READ_CAP];
};

/* Takes a connection from the listener. */
void tcp_conn_accept(struct tcp_listener *l);
/* tell: on_closed is called, as the last thing. */
void tcp_conn_close(struct tcp_conn *c, bool tell);
struct tcp_conn *tcp_conn_find(struct tcp_io *io, uint32_t id);
/* Starts writing what is pending, unless a write is under way. */
void tcp_conn_write_pending(struct tcp_conn *c);

#endif
