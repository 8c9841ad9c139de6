/* A WebRTC client for tests and benches: full ICE controlling side of one candidate pair, DTLS,
 * SRTP. Sans-IO: datagrams in by rtc_peer_input, out by the send callback; time is an argument. */
#ifndef WEIR_TEST_RTC_PEER_H
#define WEIR_TEST_RTC_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/rng.h"
#include "common/time.h"
#include "worker/engine/dtls.h"
#include "worker/engine/seal.h"
#include "worker/engine/sink.h"

enum { RTC_PEER_PACKET_MAX = 1600 };

/* How often connectivity checks go out: fast until the first answer, then as consent. */
#define RTC_PEER_CHECK_FAST (50 * USEC_PER_MSEC)
#define RTC_PEER_CHECK_SLOW (5 * USEC_PER_SEC)

struct rtc_peer_config {
    struct rng *rng;                /* borrowed */
    struct dtls_identity *identity; /* borrowed; may be shared by many peers */
    const char *remote_ufrag;       /* copied, as all strings here */
    const char *remote_pwd;
    const char *remote_fingerprint; /* sha-256, "AA:BB:..." */
    bool dtls_server;               /* our DTLS role; default: client */
    struct addr remote; /* its address, for answers to its checks; family 0: it sends none */
    /* A datagram to the worker. */
    void (*send)(void *ctx, const void *bytes, size_t n);
    /* Decrypted packets from the worker; NULL: counted only. The bytes may be changed. */
    void (*on_rtp)(void *ctx, usec now, uint8_t *bytes, size_t n);
    void (*on_rtcp)(void *ctx, usec now, uint8_t *bytes, size_t n);
    /* One application message of DTLS: an SCTP packet. */
    void (*on_data)(void *ctx, usec now, struct slice message);
    void *ctx; /* borrowed */
};

struct rtc_peer {
    struct rtc_peer_config config;
    char ufrag[9];
    char pwd[25];
    char remote_ufrag[33];
    char remote_pwd[65];
    struct dtls *dtls;     /* owned */
    struct sealer *sealer; /* owned, NULL until connected */
    struct opener *opener; /* owned, NULL until connected */
    struct sink *sink;     /* owned */
    uint64_t tie_breaker;
    uint8_t tid[12]; /* of the last check */
    usec next_check;
    bool ice_done; /* a check was answered */
    bool failed;   /* DTLS failed */
    bool silent;   /* set to stop checks: consent must expire */
    uint64_t rtp_in;
    uint64_t rtcp_in;
    uint64_t bad_in; /* did not authenticate, or not understood */
};

MUST_CHECK enum err rtc_peer_init(struct rtc_peer *p, const struct rtc_peer_config *config);
void rtc_peer_fini(struct rtc_peer *p);

/* "sha-256" fingerprint to give to webRtcTransport.connect. */
const char *rtc_peer_fingerprint(const struct rtc_peer *p);

/* Sends the first check. */
void rtc_peer_start(struct rtc_peer *p, usec now);
void rtc_peer_input(struct rtc_peer *p, usec now, const void *bytes, size_t n);
void rtc_peer_timeout(struct rtc_peer *p, usec now);
usec rtc_peer_deadline(const struct rtc_peer *p);

static inline bool rtc_peer_connected(const struct rtc_peer *p)
{
    return p->sealer != NULL;
}

/* Seals and sends; false when not connected or refused by SRTP. */
bool rtc_peer_send_rtp(struct rtc_peer *p, const void *bytes, size_t n);
bool rtc_peer_send_rtcp(struct rtc_peer *p, const void *bytes, size_t n);
/* By DTLS; false when not connected. Not from within on_data. */
bool rtc_peer_send_data(struct rtc_peer *p, usec now, struct slice message);

#endif
