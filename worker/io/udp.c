#include "worker/io/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "worker/io/udp_batch.h"

enum {
    /* Most sockets of a worker: one a plain or pipe transport, and the shared ones. */
    SOCKETS_MAX = 16384,
    /* Datagrams read from one socket before others get their turn. */
    PACKETS_PER_TURN = 4 * RECV_BURST,
    /* A key frame to hundreds of viewers is megabytes at once. The kernel clamps to its own limits.
     */
    DEFAULT_BUFFER = 4 * 1024 * 1024
};

enum err udp_io_init(struct udp_io *io, uv_loop_t *loop, udp_recv_fn *on_recv,
                     udp_ahead_fn *on_ahead, udp_burst_fn *on_burst, void *ctx)
{
    *io = (struct udp_io){
        .loop = loop, .on_recv = on_recv, .on_ahead = on_ahead, .on_burst = on_burst, .ctx = ctx};
    io->batch = calloc(1, sizeof *io->batch);
    return io->batch ? OK : ERR_NOMEM;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void udp_close(struct udp_io *io, uint16_t sock)
{
    struct udp_socket *s = sock < io->n_sockets ? io->sockets[sock] : NULL;
    if (!s)
        return;
    if (io->batch->sock == s)
        udp_flush(io);
    io->sockets[sock] = NULL;
    s->io = NULL;
    uv_poll_stop(&s->poll);
    uv_close((uv_handle_t *)&s->poll, on_closed);
    /* At once, as the next request may bind the same port. */
    close(s->fd);
}

void udp_io_release(struct udp_io *io)
{
    for (unsigned i = 0; io->batch && i < RECV_BURST; i++) {
        packet_unref(io->batch->in_packets[i]);
        io->batch->in_packets[i] = NULL;
    }
}

void udp_io_fini(struct udp_io *io)
{
    for (uint16_t i = 0; i < io->n_sockets; i++)
        udp_close(io, i);
    free(io->sockets);
    io->sockets = NULL;
    io->n_sockets = 0;
    udp_io_release(io);
    free(io->batch);
    io->batch = NULL;
}

/* Gives every place of the burst a buffer; returns how many have one. */
static unsigned fill_buffers(struct udp_io *io, struct udp_batch *b)
{
    unsigned n = 0;
    for (; n < RECV_BURST; n++) {
        if (!b->in_packets[n] && !(b->in_packets[n] = packet_get(io->pool)))
            break;
        b->in_iovecs[n] = (struct iovec){.iov_base = b->in_packets[n]->data, .iov_len = PACKET_CAP};
        b->in_messages[n].msg_hdr = (struct msghdr){.msg_name = &b->in_names[n],
                                                    .msg_namelen = sizeof b->in_names[n],
                                                    .msg_iov = &b->in_iovecs[n],
                                                    .msg_iovlen = 1};
    }
    return n;
}

/* Reads and drops one datagram when there is no memory for it, so that the loop does not spin. */
static void discard_one(struct udp_io *io, int fd)
{
    char byte;
    if (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0)
        io->counters.no_buffer_in++;
}

static void deliver(struct udp_io *io, usec now, unsigned i)
{
    struct udp_batch *b = io->batch;
    struct packet *p = b->in_packets[i];
    b->in_packets[i] = NULL;
    if (b->in_messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
        io->counters.truncated_in++;
    } else {
        p->arrived_at = now;
        io->counters.datagrams_in++;
        io->counters.bytes_in += p->len;
        io->on_recv(io->ctx, now, &b->in_tuples[i], p);
    }
    packet_unref(p);
}

static void deliver_all(struct udp_io *io, struct udp_socket *s, usec now, unsigned n)
{
    struct udp_batch *b = io->batch;
    for (unsigned i = 0; i < n; i++) {
        b->in_packets[i]->len = b->in_messages[i].msg_len;
        b->in_tuples[i] = (struct tuple){
            .remote = addr_from_sockaddr(&b->in_names[i]), .sock = s->index, .proto = TUPLE_UDP};
    }
    for (unsigned i = 0; i < n && s->io; i++) {
        io->on_ahead(io->ctx, b->in_tuples, b->in_packets, n, i);
        deliver(io, now, i);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct udp_socket *s = poll->data;
    /* A packet may close its own socket: then s->io is gone. */
    struct udp_io *io = s->io;
    usec now = 0;
    bool open = false; /* a burst that is not told to be over */
    (void)status;
    (void)events;
    for (unsigned taken = 0; s->io && taken < PACKETS_PER_TURN;) {
        unsigned places = fill_buffers(io, io->batch);
        if (places == 0) {
            discard_one(io, s->fd);
            break;
        }
        int n = recvmmsg(s->fd, io->batch->in_messages, places, MSG_DONTWAIT, NULL);
        io->counters.recv_calls++;
        if (n <= 0)
            break; /* EAGAIN; a pending ICMP error is consumed by the call */
        now = clock_now();
        taken += (unsigned)n;
        deliver_all(io, s, now, (unsigned)n);
        open = !io->on_burst(io->ctx, now, false);
        if (!open && (unsigned)n < places)
            return;
    }
    if (open)
        (void)io->on_burst(io->ctx, now, true);
}

static void set_buffer(int fd, int option, int force_option, uint32_t bytes)
{
    int size = bytes ? (int)(bytes < INT32_MAX ? bytes : INT32_MAX) : DEFAULT_BUFFER;
    /* The forced one goes past net.core.*mem_max, and needs CAP_NET_ADMIN. */
    if (setsockopt(fd, SOL_SOCKET, force_option, &size, sizeof size) < 0)
        (void)setsockopt(fd, SOL_SOCKET, option, &size, sizeof size);
}

static enum err err_of_errno(int e)
{
    if (e == EADDRINUSE || e == EACCES)
        return ERR_BUSY;
    return e == EADDRNOTAVAIL ? ERR_RANGE : ERR_IO;
}

static enum err bind_port(int fd, bool v6, const struct addr *ip, uint16_t port)
{
    struct addr a = *ip;
    a.port = port;
    struct sockaddr_storage sa;
    socklen_t n = addr_to_sockaddr(&a, v6, &sa);
    return bind(fd, (struct sockaddr *)&sa, n) < 0 ? err_of_errno(errno) : OK;
}

/* port set: that one. A range: the next free one from a place that moves on, so that a port just
 * given back is not taken again at once. */
static enum err bind_listen(int fd, bool v6, const struct udp_listen *l)
{
    static uint32_t cursor;
    if (l->ip.port != 0 || l->port_min == 0)
        return bind_port(fd, v6, &l->ip, l->ip.port);
    uint32_t span = (uint32_t)l->port_max - l->port_min + 1;
    enum err e = ERR_BUSY;
    for (uint32_t i = 0; i < span && e == ERR_BUSY; i++)
        e = bind_port(fd, v6, &l->ip, (uint16_t)(l->port_min + cursor++ % span));
    return e;
}

static enum err open_fd(const struct udp_listen *l, int *out, uint16_t *port)
{
    bool v6 = l->ip.family == 6;
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_IO;
    int on = 1;
    if (v6 && (l->ipv6_only || !addr_is_any(&l->ip)))
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (l->reuse_port)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    set_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, l->recv_buffer);
    set_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, l->send_buffer);
    enum err e = bind_listen(fd, v6, l);
    struct sockaddr_storage sa;
    socklen_t n = sizeof sa;
    if (e == OK && getsockname(fd, (struct sockaddr *)&sa, &n) < 0)
        e = ERR_IO;
    if (e != OK) {
        close(fd);
        return e;
    }
    *port = addr_from_sockaddr(&sa).port;
    *out = fd;
    return OK;
}

static enum err free_index(struct udp_io *io, uint16_t *out)
{
    for (uint16_t i = 0; i < io->n_sockets; i++) {
        if (!io->sockets[i]) {
            *out = i;
            return OK;
        }
    }
    if (io->n_sockets == SOCKETS_MAX)
        return ERR_FULL;
    uint16_t n = io->n_sockets ? (uint16_t)(io->n_sockets * 2) : 16;
    struct udp_socket **grown = realloc(io->sockets, n * sizeof(struct udp_socket *));
    if (!grown)
        return ERR_NOMEM;
    memset(grown + io->n_sockets, 0, (size_t)(n - io->n_sockets) * sizeof(struct udp_socket *));
    *out = io->n_sockets;
    io->sockets = grown;
    io->n_sockets = n;
    return OK;
}

enum err udp_open(struct udp_io *io, const struct udp_listen *listen, uint16_t *sock,
                  uint16_t *port)
{
    uint16_t index = 0;
    uint16_t bound = 0;
    enum err e = free_index(io, &index);
    if (e != OK)
        return e;
    struct udp_socket *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->io = io;
    s->index = index;
    s->v6 = listen->ip.family == 6;
    e = open_fd(listen, &s->fd, &bound);
    if (e != OK) {
        free(s);
        return e;
    }
    if (uv_poll_init(io->loop, &s->poll, s->fd) != 0) {
        close(s->fd);
        free(s);
        return ERR_IO;
    }
    s->poll.data = s;
    if (uv_poll_start(&s->poll, UV_READABLE, on_readable) != 0) {
        uv_close((uv_handle_t *)&s->poll, on_closed);
        close(s->fd);
        return ERR_IO;
    }
    io->sockets[index] = s;
    *sock = index;
    *port = bound;
    return OK;
}
