#include "controller/live/rtp_relay.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <uv.h>

#include "controller/live/silence_splice.h"
#include "controller/live/vp9_strip.h"

enum { DATAGRAM_MAX = 2048, RECEIVE_BUFFER = 2 * 1024 * 1024, TICK_MS = SILENCE_PACKET_US / 1000 };

struct rtp_relay {
    uv_udp_t socket;
    uv_timer_t tick;
    unsigned handles; /* open */
    uint16_t port;
    struct sockaddr_in target;
    bool vp9;
    struct silence_splice splice; /* of sound */
    bool started;
    char buffer[DATAGRAM_MAX]; /* of one datagram */
};

static usec now_of(const struct rtp_relay *r)
{
    return (usec)uv_now(r->socket.loop) * USEC_PER_MSEC;
}

/* What ffmpeg has no room for is lost, as on any way. */
static void send_on(struct rtp_relay *r, uint8_t *bytes, size_t n)
{
    uv_buf_t b = uv_buf_init((char *)bytes, (unsigned)n);
    (void)uv_udp_try_send(&r->socket, &b, 1, (const struct sockaddr *)&r->target);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
    struct rtp_relay *r = h->data;
    (void)suggested;
    *out = uv_buf_init(r->buffer, sizeof r->buffer);
}

/* RFC 5761 4: on one port the second byte tells. */
static bool is_rtcp(const uint8_t *bytes, size_t n)
{
    return n > 1 && bytes[1] >= 192 && bytes[1] <= 223;
}

static void on_vp9(struct rtp_relay *r, uint8_t *bytes, size_t n)
{
    size_t gone = is_rtcp(bytes, n) ? 0 : vp9_strip(bytes, n);
    if (gone < n)
        send_on(r, bytes + gone, n - gone);
}

static void on_datagram(uv_udp_t *u, ssize_t n, const uv_buf_t *b, const struct sockaddr *from,
                        unsigned flags)
{
    struct rtp_relay *r = u->data;
    uint8_t *bytes = (uint8_t *)b->base;
    if (n <= 0 || !from || (flags & UV_UDP_PARTIAL) != 0 || !r->started)
        return;
    if (r->vp9)
        on_vp9(r, bytes, (size_t)n);
    else if (silence_splice_packet(&r->splice, now_of(r), bytes, (size_t)n))
        send_on(r, bytes, (size_t)n);
}

static void on_tick(uv_timer_t *t)
{
    struct rtp_relay *r = t->data;
    uint8_t packet[SILENCE_PACKET_MAX];
    size_t n = silence_splice_fill(&r->splice, now_of(r), packet);
    if (n > 0)
        send_on(r, packet, n);
}

static void on_closed(uv_handle_t *h)
{
    struct rtp_relay *r = h->data;
    if (--r->handles == 0)
        free(r);
}

static enum err bind_socket(struct rtp_relay *r)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int n = sizeof own;
    if (uv_udp_bind(&r->socket, (const struct sockaddr *)&own, 0) != 0 ||
        uv_udp_getsockname(&r->socket, (struct sockaddr *)&own, &n) != 0 ||
        uv_udp_recv_start(&r->socket, on_alloc, on_datagram) != 0)
        return ERR_IO;
    /* A key frame is a hundred packets at once; the kernel gives what it allows. */
    int room = RECEIVE_BUFFER;
    (void)uv_recv_buffer_size((uv_handle_t *)&r->socket, &room);
    r->port = ntohs(own.sin_port);
    return OK;
}

enum err rtp_relay_open(const struct rtp_relay_config *config, struct rtp_relay **out)
{
    struct rtp_relay *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    if (uv_udp_init(config->loop, &r->socket) != 0) {
        free(r);
        return ERR_IO;
    }
    uv_timer_init(config->loop, &r->tick);
    r->socket.data = r->tick.data = r;
    r->handles = 2;
    r->vp9 = config->vp9;
    r->target = (struct sockaddr_in){.sin_family = AF_INET,
                                     .sin_port = htons(config->target),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    silence_splice_init(&r->splice, config->silence, config->payload_type, config->ssrc,
                        config->clock_rate);
    enum err e = bind_socket(r);
    if (e != OK) {
        rtp_relay_close(r);
        return e;
    }
    *out = r;
    return OK;
}

uint16_t rtp_relay_port(const struct rtp_relay *r)
{
    return r->port;
}

void rtp_relay_start(struct rtp_relay *r)
{
    if (r->started)
        return;
    r->started = true;
    if (!r->vp9)
        uv_timer_start(&r->tick, on_tick, 0, TICK_MS);
}

void rtp_relay_close(struct rtp_relay *r)
{
    if (!r)
        return;
    uv_close((uv_handle_t *)&r->socket, on_closed);
    uv_close((uv_handle_t *)&r->tick, on_closed);
}
