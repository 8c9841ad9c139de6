/* The data channels of a WebRTC viewer: an SCTP association over its DTLS, as a browser's. No IO of
 * its own; aborts where it cannot. */
#ifndef WEIR_TEST_BENCH_CHANNEL_H
#define WEIR_TEST_BENCH_CHANNEL_H

#include <stddef.h>

#include "test/lib/rtc_peer.h"
#include "worker/engine/sctp.h"

enum { CHANNEL_STREAMS = 65535 /* each way, as Chromium announces */ };

struct channel {
    struct assoc *assoc;  /* owned; NULL: none */
    struct rtc_peer *rtc; /* borrowed */
    size_t messages;      /* that came */
};

/* Begins to connect; rtc is connected. */
void channel_open(struct channel *c, struct rtc_peer *rtc);
/* Without a word to the worker. */
void channel_close(struct channel *c);
/* What came by DTLS. */
void channel_input(struct channel *c, usec now, struct slice packet);
/* Sends what all channels want sent. To be called after input, and as time passes. */
void channels_turn(usec now);
/* A text of n bytes. */
void channel_send(struct channel *c, usec now, uint16_t stream, size_t n);

#endif
