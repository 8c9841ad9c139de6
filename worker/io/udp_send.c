#include "worker/io/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "worker/io/udp_batch.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static void send_one(struct udp_io *io, struct udp_batch *b, const struct msghdr *m,
                     struct iovec packet)
{
    struct msghdr one = {.msg_name = m->msg_name,
                         .msg_namelen = m->msg_namelen,
                         .msg_iov = &packet,
                         .msg_iovlen = 1};
    ssize_t n = sendmsg(b->sock->fd, &one, MSG_DONTWAIT);
    if (n < 0) {
        io->counters.dropped_out++;
    } else {
        io->counters.datagrams_out++;
        io->counters.bytes_out += (uint64_t)n;
    }
}

/* Sends the packets of a message one by one, after the kernel refused it as a whole. Each piece of
 * memory has whole packets. */
static void send_singly(struct udp_io *io, struct udp_batch *b, unsigned i)
{
    const struct msghdr *m = &b->messages[i].msg_hdr;
    size_t size = b->segment_size[i];
    for (size_t k = 0; k < m->msg_iovlen; k++) {
        uint8_t *bytes = m->msg_iov[k].iov_base;
        size_t left = m->msg_iov[k].iov_len;
        for (size_t n; left > 0; bytes += n, left -= n) {
            n = left < size ? left : size;
            send_one(io, b, m, (struct iovec){.iov_base = bytes, .iov_len = n});
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
                        unsigned segments, uint16_t segment_size)
{
    unsigned i = b->n_messages++;
    struct msghdr *m = &b->messages[i].msg_hdr;
    *m = (struct msghdr){.msg_name = &b->names[i],
                         .msg_namelen = addr_to_sockaddr(&d->to.remote, b->sock->v6, &b->names[i]),
                         .msg_iov = &b->iovecs[first_iovec],
                         .msg_iovlen = b->n_iovecs - first_iovec};
    b->segments[i] = (uint16_t)segments;
    b->segment_size[i] = segment_size;
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

/* Adds a packet to the message whose pieces begin at first. */
static void add_packet(struct udp_batch *b, unsigned first, uint8_t *bytes, uint32_t len)
{
    struct iovec *last = b->n_iovecs > first ? &b->iovecs[b->n_iovecs - 1] : NULL;
    if (last && (uint8_t *)last->iov_base + last->iov_len == bytes)
        last->iov_len += len;
    else
        b->iovecs[b->n_iovecs++] = (struct iovec){.iov_base = bytes, .iov_len = len};
}

/* Takes a run from the slots: packets as long as its first; one shorter may end it. Returns the
 * slot behind it. */
static uint32_t add_run(struct udp_batch *b, const struct txq *q, const struct tx_dest *d,
                        uint32_t slot)
{
    unsigned first = b->n_iovecs;
    uint32_t size = q->slots[slot].len;
    uint32_t bytes = 0;
    unsigned segments = 0;
    unsigned most = b->sock->no_segmentation ? 1 : SEGMENTS_MAX;
    while (slot != TX_NONE && segments < most) {
        uint32_t len = q->slots[slot].len;
        if (len > size || bytes + len > SEGMENT_BYTES_MAX)
            break;
        add_packet(b, first, txq_bytes(q, slot), len);
        bytes += len;
        segments++;
        slot = q->slots[slot].next;
        if (len < size)
            break;
    }
    add_message(b, d, first, segments, (uint16_t)size);
    return slot;
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
        slot = add_run(b, q, d, slot);
    }
}
