#include "worker/io/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "worker/io/udp_batch.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* Sends the packets of a message one by one, after the kernel refused it as a whole. */
static void send_singly(struct udp_io *io, struct udp_batch *b, unsigned i)
{
    struct msghdr *m = &b->messages[i].msg_hdr;
    for (size_t k = 0; k < m->msg_iovlen; k++) {
        struct msghdr one = {.msg_name = m->msg_name,
                             .msg_namelen = m->msg_namelen,
                             .msg_iov = &m->msg_iov[k],
                             .msg_iovlen = 1};
        ssize_t n = sendmsg(b->sock->fd, &one, MSG_DONTWAIT);
        if (n < 0) {
            io->counters.dropped_out++;
        } else {
            io->counters.datagrams_out++;
            io->counters.bytes_out += (uint64_t)n;
        }
    }
}

/* The message at i failed with the error e; returns how many messages are dealt with by that. */
static unsigned on_send_error(struct udp_io *io, struct udp_batch *b, unsigned i, int e)
{
    if (e == EAGAIN || e == EWOULDBLOCK || e == ENOBUFS) {
        /* Media is worthless when it is late: what does not fit is dropped, and NACKed by who
         * misses it. */
        for (unsigned k = i; k < b->n_messages; k++)
            io->counters.dropped_out += b->segments[k];
        return b->n_messages - i;
    }
    if (b->segments[i] > 1 && (e == EIO || e == EINVAL || e == EMSGSIZE || e == EOPNOTSUPP)) {
        /* EIO: the device cannot checksum segments; that will not change. Others: this one message.
         */
        if (e == EIO || e == EOPNOTSUPP)
            b->sock->no_segmentation = true;
        send_singly(io, b, i);
        return 1;
    }
    /* For example ECONNREFUSED or EPERM for one destination: nothing that concerns the next. */
    io->counters.dropped_out += b->segments[i];
    return 1;
}

void udp_flush(struct udp_io *io)
{
    struct udp_batch *b = io->batch;
    unsigned i = 0;
    while (i < b->n_messages) {
        int sent = sendmmsg(b->sock->fd, b->messages + i, b->n_messages - i, MSG_DONTWAIT);
        io->counters.send_calls++;
        if (sent < 0) {
            if (errno != EINTR)
                i += on_send_error(io, b, i, errno);
            continue;
        }
        for (int k = 0; k < sent; k++, i++) {
            io->counters.datagrams_out += b->segments[i];
            io->counters.bytes_out += b->messages[i].msg_len;
        }
    }
    b->n_messages = b->n_iovecs = 0;
    b->sock = NULL;
}

static void add_message(struct udp_batch *b, const struct tx_dest *d, unsigned first_iovec,
                        uint16_t segment_size)
{
    unsigned i = b->n_messages++;
    unsigned segments = b->n_iovecs - first_iovec;
    struct msghdr *m = &b->messages[i].msg_hdr;
    *m = (struct msghdr){.msg_name = &b->names[i],
                         .msg_namelen = addr_to_sockaddr(&d->to.remote, b->sock->v6, &b->names[i]),
                         .msg_iov = &b->iovecs[first_iovec],
                         .msg_iovlen = segments};
    b->segments[i] = (uint16_t)segments;
    if (segments > 1) {
        m->msg_control = b->controls[i].bytes;
        m->msg_controllen = sizeof b->controls[i].bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(m);
        c->cmsg_level = SOL_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof segment_size);
        memcpy(CMSG_DATA(c), &segment_size, sizeof segment_size);
    }
}

void udp_send(struct udp_io *io, struct txq *q, const struct tx_dest *d)
{
    struct udp_batch *b = io->batch;
    struct udp_socket *s = d->to.sock < io->n_sockets ? io->sockets[d->to.sock] : NULL;
    if (!s) {
        io->counters.dropped_out += d->count;
        return;
    }
    if (b->sock != s) {
        udp_flush(io);
        b->sock = s;
    }
    for (uint32_t slot = d->first; slot != TX_NONE;) {
        if (b->n_messages == BATCH_MESSAGES || b->n_iovecs + SEGMENTS_MAX > BATCH_IOVECS) {
            udp_flush(io);
            b->sock = s;
        }
        /* A run: packets as long as its first; one shorter may end it. */
        unsigned first_iovec = b->n_iovecs;
        uint32_t size = q->slots[slot].len;
        uint32_t bytes = 0;
        unsigned most = s->no_segmentation ? 1 : SEGMENTS_MAX;
        while (slot != TX_NONE && b->n_iovecs - first_iovec < most) {
            uint32_t len = q->slots[slot].len;
            if (len > size || bytes + len > SEGMENT_BYTES_MAX)
                break;
            b->iovecs[b->n_iovecs++] =
                (struct iovec){.iov_base = txq_bytes(q, slot), .iov_len = len};
            bytes += len;
            slot = q->slots[slot].next;
            if (len < size)
                break;
        }
        add_message(b, d, first_iovec, (uint16_t)size);
    }
}
