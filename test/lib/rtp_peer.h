/* A plain RTP endpoint of a real worker: one or two UDP sockets, SRTP if wanted. For integration
 * tests. */
#ifndef WEIR_TEST_RTP_PEER_H
#define WEIR_TEST_RTP_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "test/lib/net.h"
#include "test/lib/stage.h"
#include "worker/engine/seal.h"
#include "worker/media/srtp_text.h"

struct rtp_peer {
    struct net *net; /* borrowed */
    struct net_socket rtp;
    struct net_socket rtcp; /* unused with rtcp-mux */
    bool rtcp_mux;
    struct sealer *sealer; /* owned; NULL: no SRTP */
    struct opener *opener; /* owned; NULL: no SRTP */
    uint64_t bad_in;       /* SRTP that did not authenticate, or no RTP */
    uint64_t rtcp_on_rtp;  /* RTCP packets that came to the RTP port */
    struct inbox *in;      /* owned */
};

void rtp_peer_init(struct rtp_peer *p, struct net *net, bool rtcp_mux);
void rtp_peer_fini(struct rtp_peer *p);
/* The worker's ports on 127.0.0.1, from the transport's dump. */
void rtp_peer_aim(struct rtp_peer *p, const json_t *transport);
/* Makes a key that this end seals with; text is what plainTransport.connect wants as keyBase64. */
void rtp_peer_seal(struct rtp_peer *p, enum srtp_suite suite, char text[SRTP_BASE64_MAX]);
/* The key that the worker answered with. False: not a key. */
bool rtp_peer_open(struct rtp_peer *p, const json_t *srtp_parameters);
void rtp_peer_send(struct rtp_peer *p, const void *rtp, size_t n);
void rtp_peer_send_rtcp(struct rtp_peer *p, const void *rtcp, size_t n);

#endif
