#include "controller/live/sound_relay.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <uv.h>

#include "controller/live/silence_splice.h"

enum { DATAGRAM_MAX = 2048, TICK_MS = SILENCE_PACKET_US / 1000 };

struct sound_relay {
    uv_udp_t socket;
    uv_timer_t tick;
    unsigned handles; /* open */
    uint16_t port;
    struct sockaddr_in target;
    struct silence_splice splice;
    bool started;
    char buffer[DATAGRAM_MAX]; /* of one datagram */
};

static usec now_of(const struct sound_relay *r)
{
    return (usec)uv_now(r->socket.loop) * USEC_PER_MSEC;
}

/* What ffmpeg has no room for is lost, as on any way. */
static void send_on(struct sound_relay *r, uint8_t *bytes, size_t n)
{
    uv_buf_t b = uv_buf_init((char *)bytes, (unsigned)n);
    (void)uv_udp_try_send(&r->socket, &b, 1, (const struct sockaddr *)&r->target);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
    struct sound_relay *r = h->data;
    (void)suggested;
    *out = uv_buf_init(r->buffer, sizeof r->buffer);
}

static void on_datagram(uv_udp_t *u, ssize_t n, const uv_buf_t *b, const struct sockaddr *from,
                        unsigned flags)
{
    struct sound_relay *r = u->data;
    uint8_t *bytes = (uint8_t *)b->base;
    bool whole = n > 0 && from && (flags & UV_UDP_PARTIAL) == 0;
    if (whole && r->started && silence_splice_packet(&r->splice, now_of(r), bytes, (size_t)n))
        send_on(r, bytes, (size_t)n);
}

static void on_tick(uv_timer_t *t)
{
    struct sound_relay *r = t->data;
    uint8_t packet[SILENCE_PACKET_MAX];
    size_t n = silence_splice_fill(&r->splice, now_of(r), packet);
    if (n > 0)
        send_on(r, packet, n);
}

static void on_closed(uv_handle_t *h)
{
    struct sound_relay *r = h->data;
    if (--r->handles == 0)
        free(r);
}

static enum err bind_socket(struct sound_relay *r)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int n = sizeof own;
    if (uv_udp_bind(&r->socket, (const struct sockaddr *)&own, 0) != 0 ||
        uv_udp_getsockname(&r->socket, (struct sockaddr *)&own, &n) != 0 ||
        uv_udp_recv_start(&r->socket, on_alloc, on_datagram) != 0)
        return ERR_IO;
    r->port = ntohs(own.sin_port);
    return OK;
}

enum err sound_relay_open(const struct sound_relay_config *config, struct sound_relay **out)
{
    struct sound_relay *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    if (uv_udp_init(config->loop, &r->socket) != 0) {
        free(r);
        return ERR_IO;
    }
    uv_timer_init(config->loop, &r->tick);
    r->socket.data = r->tick.data = r;
    r->handles = 2;
    r->target = (struct sockaddr_in){.sin_family = AF_INET,
                                     .sin_port = htons(config->target),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    silence_splice_init(&r->splice, config->silence, config->payload_type, config->ssrc,
                        config->clock_rate);
    enum err e = bind_socket(r);
    if (e != OK) {
        sound_relay_close(r);
        return e;
    }
    *out = r;
    return OK;
}

uint16_t sound_relay_port(const struct sound_relay *r)
{
    return r->port;
}

void sound_relay_start(struct sound_relay *r)
{
    if (r->started)
        return;
    r->started = true;
    uv_timer_start(&r->tick, on_tick, 0, TICK_MS);
}

void sound_relay_close(struct sound_relay *r)
{
    if (!r)
        return;
    uv_close((uv_handle_t *)&r->socket, on_closed);
    uv_close((uv_handle_t *)&r->tick, on_closed);
}
