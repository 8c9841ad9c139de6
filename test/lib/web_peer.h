/* A WebRTC client of a real worker: rtc_peer over a UDP socket or a TCP connection. For integration
 * tests. */
#ifndef WEIR_TEST_WEB_PEER_H
#define WEIR_TEST_WEB_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "test/lib/net.h"
#include "test/lib/rtc_peer.h"
#include "test/lib/stage.h"

struct web_peer_options {
    bool tcp;
    bool dtls_server;    /* the client's role */
    const char *ip;      /* of the candidate to use; NULL: "127.0.0.1" */
    const char *options; /* members of the transport's options as JSON, ' for "; NULL: none */
};

struct web_peer {
    struct net *net; /* borrowed */
    struct net_socket socket;
    struct net_timer timer;
    struct rtc_peer rtc;
    struct inbox *in; /* owned */
    char transport[64];
    char ip[46];
    uint16_t port; /* of the worker's candidate */
    bool dtls_server;
    unsigned lose; /* so many packets of lose_ssrc from the worker get lost */
    uint32_t lose_ssrc;
    uint8_t last_sent[RTC_PEER_PACKET_MAX]; /* as it went over the wire */
    size_t last_sent_len;
};

/* Creates the transport in the router and opens the socket; nothing is sent yet. options may be
 * NULL. */
void web_peer_init(struct web_peer *p, struct net *net, const char *router, const char *transport,
                   const struct web_peer_options *options);
/* webRtcTransport.connect with our fingerprint. */
void web_peer_tell(struct web_peer *p);
/* ICE and DTLS until both are up; aborts when they do not come up. */
void web_peer_connect(struct web_peer *p);
/* All three. */
void web_peer_open(struct web_peer *p, struct net *net, const char *router, const char *transport,
                   const struct web_peer_options *options);
void web_peer_fini(struct web_peer *p);
/* ICE credentials after transport.restartIce; sends a check at once. */
void web_peer_restart(struct web_peer *p, const char *ufrag, const char *pwd);
/* Goes on from another local port, as after a change of network; sends a check at once. */
void web_peer_move(struct web_peer *p);

#endif
