#include "test/bench/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "test/lib/net.h"

enum { BURST = 64, DATAGRAM_MAX = 1600, RECEIVE_BUFFER = 16 << 20 };

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench probe: %s: %s\n", what, strerror(errno));
    abort();
}

static void connect_transport(struct probe *p)
{
    json_t *t =
        driver_call(p->driver, "router.createPlainTransport", "room",
                    "{'transportId':'%s','options':{'listenInfo':{'ip':'127.0.0.1'}}}", p->id);
    if (!t)
        die(p->driver->error);
    json_decref(t);
    driver_do(p->driver, "plainTransport.connect", p->id, "{'ip':'127.0.0.1','port':%u}",
              ntohs(p->address.sin_port));
}

void probe_stamp(int fd)
{
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &(int){1}, sizeof(int)) < 0)
        die("the kernel's stamps");
}

void probe_open(struct probe *p, struct worker_driver *driver, const char *id)
{
    int size = RECEIVE_BUFFER;
    socklen_t n = sizeof p->address;
    *p = (struct probe){.driver = driver, .address = {.sin_family = AF_INET}};
    snprintf(p->id, sizeof p->id, "%s", id);
    p->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&p->address, n) < 0 ||
        getsockname(p->fd, (struct sockaddr *)&p->address, &n) < 0)
        die("socket");
    probe_stamp(p->fd);
    if (setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (driver)
        connect_transport(p);
}

void probe_close(struct probe *p)
{
    close(p->fd);
}

void probe_consume(const struct probe *p, const struct call *call, uint32_t ssrc)
{
    bool audio = call->media == CALL_AUDIO;
    driver_do(p->driver, "transport.consume", p->id,
              "{'consumerId':'c-%s-%u','producerId':'cam','kind':'%s','type':'simple',"
              "'rtpParameters':{'mid':'%u','codecs':[%s],'encodings':[{'ssrc':%u}]},"
              "'consumableRtpEncodings':[{'ssrc':%d}]}",
              p->id, ssrc, audio ? "audio" : "video", ssrc,
              audio ? "{'mimeType':'audio/opus','payloadType':100,'clockRate':48000,'channels':2}"
                    : "{'mimeType':'video/VP8','payloadType':101,'clockRate':90000,"
                      "'rtcpFeedback':[{'type':'nack','parameter':'pli'}]}",
              ssrc, audio ? 9001 : 9002);
}

uint64_t probe_stamp_of(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct timespec t;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
    }
    return 0;
}

void probe_read(struct probe *p,
                void (*on_packet)(void *ctx, uint64_t arrived_ns, uint8_t *bytes, size_t n),
                void *ctx)
{
    static uint8_t bytes[BURST][DATAGRAM_MAX];
    static union {
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr align;
    } controls[BURST];
    struct mmsghdr m[BURST];
    struct iovec io[BURST];
    int n;
    do {
        memset(m, 0, sizeof m);
        for (int i = 0; i < BURST; i++) {
            io[i] = (struct iovec){bytes[i], DATAGRAM_MAX};
            m[i].msg_hdr = (struct msghdr){.msg_iov = &io[i],
                                           .msg_iovlen = 1,
                                           .msg_control = controls[i].bytes,
                                           .msg_controllen = sizeof controls[i].bytes};
        }
        n = recvmmsg(p->fd, m, BURST, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            if (m[i].msg_len >= 20)
                on_packet(ctx, probe_stamp_of(&m[i].msg_hdr), bytes[i], m[i].msg_len);
        }
    } while (n == BURST);
}
