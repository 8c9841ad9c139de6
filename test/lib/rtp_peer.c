#include "test/lib/rtp_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/demux.h"

enum { PACKET_MAX = 1600 };

static void die(const char *what)
{
    fprintf(stderr, "rtp peer: %s\n", what);
    abort();
}

static void receive(struct net_socket *s, uint8_t *bytes, size_t n)
{
    struct rtp_peer *p = s->ctx;
    enum packet_class class = packet_class(bytes, n);
    bool rtcp = class == PACKET_RTCP;
    enum err e = OK;
    if (!rtcp && class != PACKET_RTP)
        e = ERR_MALFORMED;
    else if (p->opener)
        e = rtcp ? opener_unprotect_rtcp(p->opener, bytes, &n)
                 : opener_unprotect_rtp(p->opener, bytes, &n);
    p->rtcp_on_rtp += rtcp && s == &p->rtp;
    if (e != OK)
        p->bad_in++;
    else if (rtcp)
        inbox_rtcp(p->in, bytes, n);
    else
        inbox_rtp(p->in, bytes, n);
}

void rtp_peer_init(struct rtp_peer *p, struct net *net, bool rtcp_mux)
{
    memset(p, 0, sizeof *p);
    p->net = net;
    p->rtcp_mux = rtcp_mux;
    p->in = calloc(1, sizeof *p->in);
    if (!p->in)
        die("memory");
    p->rtp.receive = p->rtcp.receive = receive;
    p->rtp.ctx = p->rtcp.ctx = p;
    p->rtcp.fd = -1;
    net_open_udp(net, &p->rtp, "127.0.0.1", 0);
    if (!rtcp_mux)
        net_open_udp(net, &p->rtcp, "127.0.0.1", 0);
}

void rtp_peer_fini(struct rtp_peer *p)
{
    net_close(p->net, &p->rtp);
    net_close(p->net, &p->rtcp);
    seal_close(p->sealer);
    opener_close(p->opener);
    free(p->in);
    p->in = NULL;
}

void rtp_peer_aim(struct rtp_peer *p, const json_t *transport)
{
    p->rtp.remote.port = (uint16_t)json_number_at(transport, "tuple.localPort");
    if (!p->rtcp_mux)
        p->rtcp.remote.port = (uint16_t)json_number_at(transport, "rtcpTuple.localPort");
}

void rtp_peer_seal(struct rtp_peer *p, enum srtp_suite suite, char text[SRTP_BASE64_MAX])
{
    struct srtp_key key;
    struct srtp_parameters unused;
    srtp_key_make(&key, suite, &p->net->rng);
    srtp_key_write(&key, text, &unused);
    if (seal_open(&p->sealer, &key) != OK)
        die("seal_open");
}

bool rtp_peer_open(struct rtp_peer *p, const json_t *srtp_parameters)
{
    struct srtp_key key;
    struct field_error e;
    int suite = choice_find(param_srtp_suite_names, json_text_at(srtp_parameters, "cryptoSuite"));
    struct srtp_parameters params = {.crypto_suite = suite,
                                     .key_base64 = json_text_at(srtp_parameters, "keyBase64")};
    return suite >= 0 && srtp_key_read(&key, &params, &e) == OK &&
           opener_open(&p->opener, &key) == OK;
}

static void send(struct rtp_peer *p, const void *bytes, size_t n, bool rtcp)
{
    uint8_t buf[PACKET_MAX];
    if (n + SEAL_OVERHEAD > sizeof buf)
        die("a packet that is too long");
    memcpy(buf, bytes, n);
    enum err e = !p->sealer ? OK
                 : rtcp     ? seal_protect_rtcp(p->sealer, buf, &n)
                            : seal_protect_rtp(p->sealer, buf, &n);
    if (e != OK)
        die("a packet that cannot be sealed");
    net_send(rtcp && !p->rtcp_mux ? &p->rtcp : &p->rtp, buf, n);
}

void rtp_peer_send(struct rtp_peer *p, const void *rtp, size_t n)
{
    send(p, rtp, n, false);
}

void rtp_peer_send_rtcp(struct rtp_peer *p, const void *rtcp, size_t n)
{
    send(p, rtcp, n, true);
}
