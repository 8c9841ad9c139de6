/* One of the viewers (viewers.h), to the files that connect and that run them. */
#ifndef WEIR_TEST_BENCH_VIEWER_H
#define WEIR_TEST_BENCH_VIEWER_H

#include "test/bench/channel.h"
#include "test/bench/viewers.h"
#include "test/lib/rtc_peer.h"
#include "worker/bwe/twcc_receiver.h"

enum { VIEWER_RECEIVE_BUFFER = 512 * 1024 };

struct viewer {
    struct viewers *all; /* parent */
    int fd;
    struct sockaddr_in worker;
    struct rtc_peer rtc;    /* WebRTC */
    struct sealer *sealer;  /* plain, owned */
    struct opener *opener;  /* plain, owned */
    struct channel channel; /* WebRTC with data channels */
    uint32_t ssrc;
    uint32_t consumed;   /* streams */
    uint64_t arrived_ns; /* what is being read; 0: not known */
    uint32_t nack_in;    /* packets until one counts as lost */
    struct twcc_receiver twcc;
    uint16_t last_number; /* transport-wide */
    bool started;
    uint16_t max_seq;
    uint32_t cycles;
    uint32_t lsr;
    usec sr_at;
    usec next_report;
    usec ignored_since; /* up to when feedback was made up */
};

/* Ends the bench. */
_Noreturn void viewer_die(const char *what, const char *detail);
/* Sockets at this address (network order) and all that needs no peer; each viewer's SSRC, peer and
 * connection are left to do. */
void viewers_prepare(struct viewers *v, const struct call *call, in_addr_t address);
/* What WebRTC viewers sign with. */
struct dtls_identity *viewers_identity(void);
/* ICE, DTLS and SRTP of a WebRTC viewer whose rtc is initialised. */
void viewer_connect(struct viewer *v);
/* Reads what has come; keep: and handles it. */
void viewer_receive(struct viewer *v, usec now, bool keep);
/* Callbacks of its rtc_peer; ctx is the viewer. */
void viewer_send(void *ctx, const void *bytes, size_t n);
void viewer_on_rtp(void *ctx, usec now, uint8_t *bytes, size_t n);
void viewer_on_rtcp(void *ctx, usec now, uint8_t *bytes, size_t n);
void viewer_on_data(void *ctx, usec now, struct slice packet);

#endif
