#include "test/bench/web_probe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "test/lib/net.h"
#include "test/lib/stage.h"

enum { BURST = 64, DATAGRAM_MAX = 1600, RECEIVE_BUFFER = 16 << 20 };

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "bench viewer: %s: %s\n", what, why);
    abort();
}

static void send_datagram(void *ctx, const void *bytes, size_t n)
{
    const struct web_probe *p = ctx;
    (void)sendto(p->fd, bytes, n, 0, (const struct sockaddr *)&p->worker, sizeof p->worker);
}

static void on_rtp(void *ctx, usec now, uint8_t *bytes, size_t n)
{
    (void)now;
    struct web_probe *p = ctx;
    p->on_packet(p->ctx, p->arrived_ns, bytes, n);
}

static void open_socket(struct web_probe *p)
{
    int size = RECEIVE_BUFFER;
    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&own, sizeof own) < 0 ||
        setsockopt(p->fd, SOL_SOCKET, SO_TIMESTAMPNS, &(int){1}, sizeof(int)) < 0)
        die("socket", strerror(errno));
    if (setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    p->worker = own;
    p->worker.sin_port = htons(p->driver->port);
}

static void open_peer(struct web_probe *p)
{
    static struct dtls_identity *identity;
    const char *print = "";
    json_t *t = driver_call(p->driver, "router.createWebRtcTransport", "room",
                            "{'transportId':'%s','options':{}}", p->id);
    if (!t)
        die("createWebRtcTransport", p->driver->error);
    const json_t *prints = json_at(t, "dtlsParameters.fingerprints");
    for (size_t i = 0; i < json_array_size(prints); i++) {
        if (strcmp(json_text_at(json_array_get(prints, i), "algorithm"), "sha-256") == 0)
            print = json_text_at(json_array_get(prints, i), "value");
    }
    if (!identity && dtls_identity_open(&identity, NULL, NULL) != OK)
        die("identity", "none");
    rng_init_system(&p->rng);
    struct rtc_peer_config config = {.rng = &p->rng,
                                     .identity = identity,
                                     .remote_ufrag =
                                         json_text_at(t, "iceParameters.usernameFragment"),
                                     .remote_pwd = json_text_at(t, "iceParameters.password"),
                                     .remote_fingerprint = print,
                                     .send = send_datagram,
                                     .on_rtp = on_rtp,
                                     .ctx = p};
    if (rtc_peer_init(&p->rtc, &config) != OK)
        die("rtc_peer_init", p->id);
    json_decref(t);
}

void web_probe_open(struct web_probe *p, struct worker_driver *driver, const char *id,
                    web_probe_packet *on_packet, void *ctx)
{
    *p = (struct web_probe){.driver = driver, .on_packet = on_packet, .ctx = ctx};
    snprintf(p->id, sizeof p->id, "%s", id);
    open_socket(p);
    open_peer(p);
    driver_do(driver, "webRtcTransport.connect", p->id,
              "{'dtlsParameters':{'role':'client','fingerprints':[{'algorithm':'sha-256','value':"
              "'%s'}]}}",
              rtc_peer_fingerprint(&p->rtc));
    usec since = clock_now();
    rtc_peer_start(&p->rtc, since);
    while (!rtc_peer_connected(&p->rtc)) {
        struct pollfd f = {.fd = p->fd, .events = POLLIN};
        poll(&f, 1, 10);
        web_probe_run(p);
        if (clock_now() - since > DRIVER_PATIENCE)
            die("did not connect", driver_log(driver));
    }
}

void web_probe_close(struct web_probe *p)
{
    rtc_peer_fini(&p->rtc);
    close(p->fd);
}

void web_probe_consume(const struct web_probe *p, uint32_t ssrc)
{
    char consumer[40];
    snprintf(consumer, sizeof consumer, "c-%s-%u", p->id, ssrc);
    driver_do(p->driver, "transport.consume", p->id, "%s",
              consume_video_json(consumer, "cam", ssrc));
}

static uint64_t stamp_of(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct timespec t;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
    }
    die("the kernel's stamp", "none");
}

void web_probe_run(struct web_probe *p)
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
            p->arrived_ns = stamp_of(&m[i].msg_hdr);
            rtc_peer_input(&p->rtc, clock_now(), bytes[i], m[i].msg_len);
        }
    } while (n == BURST);
    rtc_peer_timeout(&p->rtc, clock_now());
}
