/* What one flush hands to the kernel: messages for one socket, each a run of equal packets to one
 * destination. Private to io. */
#ifndef WEIR_WORKER_IO_UDP_BATCH_H
#define WEIR_WORKER_IO_UDP_BATCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <uv.h>

#include "common/addr.h"
#include "common/packet.h"

enum {
    BATCH_MESSAGES = 256,
    BATCH_IOVECS = 2048,
    /* UDP_MAX_SEGMENTS of older kernels. */
    SEGMENTS_MAX = 64,
    /* A UDP datagram before segmentation: 65535 less IPv6 and UDP headers, rounded down. */
    SEGMENT_BYTES_MAX = 65000,
    RECV_BURST = 64
};

struct udp_socket {
    struct udp_io *io; /* parent, outlives us; NULL once closing */
    uv_poll_t poll;
    int fd;
    uint16_t index;
    bool v6;
    bool no_segmentation; /* the kernel or device refused UDP_SEGMENT once */
};

struct udp_batch {
    struct udp_socket *sock; /* whose messages these are */
    unsigned n_messages;
    unsigned n_iovecs;
    struct mmsghdr messages[BATCH_MESSAGES];
    uint16_t segments[BATCH_MESSAGES];     /* packets in each message */
    uint16_t segment_size[BATCH_MESSAGES]; /* bytes of all but the last */
    struct sockaddr_storage names[BATCH_MESSAGES];
    union {
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr align;
    } controls[BATCH_MESSAGES];
    struct iovec iovecs[BATCH_IOVECS];

    struct mmsghdr in_messages[RECV_BURST];
    struct iovec in_iovecs[RECV_BURST];
    struct sockaddr_storage in_names[RECV_BURST];
    struct tuple in_tuples[RECV_BURST];
    struct packet *in_packets[RECV_BURST]; /* owned: buffers waiting to be filled */
};

#endif
