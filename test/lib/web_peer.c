#include "test/lib/web_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "proto/demux.h"
#include "test/lib/world.h"

static void die(const struct web_peer *p, const char *what)
{
    fprintf(stderr, "web peer %s: %s\n---- the worker's log:\n%s----\n", p->transport, what,
            driver_log(&p->net->driver));
    abort();
}

static void send(void *ctx, const void *bytes, size_t n)
{
    struct web_peer *p = ctx;
    memcpy(p->last_sent, bytes, n);
    p->last_sent_len = n;
    net_send(&p->socket, bytes, n);
}

static bool lost(struct web_peer *p, const uint8_t *bytes, size_t n)
{
    if (p->lose == 0 || packet_class(bytes, n) != PACKET_RTP)
        return false;
    uint32_t ssrc =
        (uint32_t)bytes[8] << 24 | (uint32_t)bytes[9] << 16 | (uint32_t)bytes[10] << 8 | bytes[11];
    if (ssrc != p->lose_ssrc)
        return false;
    p->lose--;
    return true;
}

static void receive(struct net_socket *s, uint8_t *bytes, size_t n)
{
    struct web_peer *p = s->ctx;
    if (n > 0 && !lost(p, bytes, n))
        rtc_peer_input(&p->rtc, clock_now(), bytes, n);
}

static void on_rtp(void *ctx, usec now, uint8_t *bytes, size_t n)
{
    (void)now;
    inbox_rtp(((struct web_peer *)ctx)->in, bytes, n);
}

static void on_rtcp(void *ctx, usec now, uint8_t *bytes, size_t n)
{
    (void)now;
    inbox_rtcp(((struct web_peer *)ctx)->in, bytes, n);
}

static usec deadline(void *ctx)
{
    return rtc_peer_deadline(&((struct web_peer *)ctx)->rtc);
}

static void timeout(void *ctx, usec now)
{
    rtc_peer_timeout(&((struct web_peer *)ctx)->rtc, now);
}

static const char *sha256_of(const json_t *transport)
{
    const json_t *prints = json_at(transport, "dtlsParameters.fingerprints");
    for (size_t i = 0; i < json_array_size(prints); i++) {
        const json_t *print = json_array_get(prints, i);
        if (strcmp(json_text_at(print, "algorithm"), "sha-256") == 0)
            return json_text_at(print, "value");
    }
    return "";
}

static uint16_t port_of(const struct web_peer *p, const json_t *transport, const char *protocol)
{
    const json_t *candidates = json_at(transport, "iceCandidates");
    for (size_t i = 0; i < json_array_size(candidates); i++) {
        const json_t *c = json_array_get(candidates, i);
        if (strcmp(json_text_at(c, "protocol"), protocol) == 0 &&
            strcmp(json_text_at(c, "address"), p->ip) == 0)
            return (uint16_t)json_number_at(c, "port");
    }
    die(p, "no candidate with that protocol and address");
    return 0;
}

static void open_socket(struct web_peer *p)
{
    p->socket.receive = receive;
    p->socket.ctx = p;
    if (p->socket.tcp)
        net_open_tcp(p->net, &p->socket, p->ip, p->port);
    else
        net_open_udp(p->net, &p->socket, p->ip, p->port);
}

void web_peer_init(struct web_peer *p, struct net *net, const char *router, const char *transport,
                   const struct web_peer_options *options)
{
    static const struct web_peer_options none;
    const struct web_peer_options *o = options ? options : &none;
    memset(p, 0, sizeof *p);
    p->net = net;
    p->dtls_server = o->dtls_server;
    snprintf(p->transport, sizeof p->transport, "%s", transport);
    snprintf(p->ip, sizeof p->ip, "%s", o->ip ? o->ip : "127.0.0.1");
    p->in = calloc(1, sizeof *p->in);
    json_t *t =
        driver_call(&net->driver, "router.createWebRtcTransport", router,
                    "{'transportId':'%s','options':{%s}}", transport, o->options ? o->options : "");
    if (!p->in || !t)
        die(p, net->driver.error);
    struct rtc_peer_config config = {.rng = &net->rng,
                                     .identity = world_identity(),
                                     .remote_ufrag =
                                         json_text_at(t, "iceParameters.usernameFragment"),
                                     .remote_pwd = json_text_at(t, "iceParameters.password"),
                                     .remote_fingerprint = sha256_of(t),
                                     .dtls_server = o->dtls_server,
                                     .send = send,
                                     .on_rtp = on_rtp,
                                     .on_rtcp = on_rtcp,
                                     .ctx = p};
    if (rtc_peer_init(&p->rtc, &config) != OK)
        die(p, "rtc_peer_init");
    p->port = port_of(p, t, o->tcp ? "tcp" : "udp");
    json_decref(t);
    p->socket.tcp = o->tcp;
    open_socket(p);
    p->timer = (struct net_timer){.deadline = deadline, .timeout = timeout, .ctx = p};
    net_add_timer(net, &p->timer);
}

void web_peer_tell(struct web_peer *p)
{
    driver_do(&p->net->driver, "webRtcTransport.connect", p->transport,
              "{'dtlsParameters':{'role':'%s','fingerprints':[{'algorithm':'sha-256','value':'%s'}"
              "]}}",
              p->dtls_server ? "server" : "client", rtc_peer_fingerprint(&p->rtc));
}

void web_peer_connect(struct web_peer *p)
{
    usec since = clock_now();
    rtc_peer_start(&p->rtc, since);
    while (!rtc_peer_connected(&p->rtc)) {
        net_step(p->net, USEC_PER_SEC);
        if (p->rtc.failed || clock_now() - since > DRIVER_PATIENCE)
            die(p, "did not connect");
    }
}

void web_peer_open(struct web_peer *p, struct net *net, const char *router, const char *transport,
                   const struct web_peer_options *options)
{
    web_peer_init(p, net, router, transport, options);
    web_peer_tell(p);
    web_peer_connect(p);
}

void web_peer_fini(struct web_peer *p)
{
    net_remove_timer(p->net, &p->timer);
    net_close(p->net, &p->socket);
    rtc_peer_fini(&p->rtc);
    free(p->in);
    p->in = NULL;
}

void web_peer_restart(struct web_peer *p, const char *ufrag, const char *pwd)
{
    snprintf(p->rtc.remote_ufrag, sizeof p->rtc.remote_ufrag, "%s", ufrag);
    snprintf(p->rtc.remote_pwd, sizeof p->rtc.remote_pwd, "%s", pwd);
    rng_token(&p->net->rng, p->rtc.ufrag, sizeof p->rtc.ufrag);
    rtc_peer_start(&p->rtc, clock_now());
}

void web_peer_move(struct web_peer *p)
{
    net_close(p->net, &p->socket);
    open_socket(p);
    rtc_peer_start(&p->rtc, clock_now());
}
