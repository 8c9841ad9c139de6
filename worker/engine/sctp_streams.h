/* Streams that take memory when they are used, for worker/engine/sctp*.c only. No IO.
 *
 * usrsctp allocates 104 bytes for each pair of streams that two sides agree on, and they agree on
 * as many as there may ever be. So usrsctp is told of few: in INIT and INIT ACK the numbers are
 * replaced as packets pass, in both directions. When a stream beyond them is used, it is given more
 * in the way it knows, RFC 6525's requests to add streams. These never reach the peer, which has
 * known of the streams from the start: the answer to usrsctp's request, and a request in the peer's
 * name, are made here. As requests are numbered, the numbers of all others shift by those.
 *
 * usrsctp does neither with a peer that does not know RFC 6525: such a one gets memory for all that
 * it may send on, and is sent to on assoc_config.streams_at_first. */
#ifndef WEIR_WORKER_ENGINE_SCTP_STREAMS_H
#define WEIR_WORKER_ENGINE_SCTP_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

/* Each addition doubles the streams at least. */
enum { STREAM_ADDITIONS_MAX = 16 };

/* Requests of one direction that only usrsctp knows of: their numbers as it counts, ascending. */
struct request_shift {
    uint32_t at[STREAM_ADDITIONS_MAX];
    unsigned n;
};

struct assoc_streams {
    /* What the peer's INIT or INIT ACK said last. */
    struct {
        uint16_t out;
        uint16_t in;
        uint32_t tsn;  /* its first request has this number too: RFC 6525 4.1 */
        bool reconfig; /* it knows RFC 6525; browsers must (RFC 8831 6.2) */
    } offer;
    bool up;           /* the association; what follows holds from then on */
    uint16_t in_limit; /* agreed on with the peer */
    uint16_t out_have; /* what usrsctp has memory for */
    uint16_t in_have;
    uint32_t peer_request; /* number of the peer's next request, as it counts */
    struct request_shift out;
    struct request_shift in;
    bool asking;        /* usrsctp was told to ask for more, and has not asked yet */
    bool answer_due;    /* it asked: out.at[out.n - 1] */
    uint32_t in_result; /* what usrsctp said to the last request in the peer's name */
    uint8_t header[8];  /* ports and tag of what the peer sends */
};

/* Numbers as the peer counts and as usrsctp does. */
uint32_t request_to_peer(const struct request_shift *s, uint32_t number);
uint32_t request_from_peer(const struct request_shift *s, uint32_t number);
bool request_is_hidden(const struct request_shift *s, uint32_t number);

struct assoc;

/* A packet that usrsctp wants sent, changed where it must be; returns its length, 0: not to be
 * sent. Called with usrsctp's locks held. */
size_t streams_output(struct assoc *a, uint8_t *packet, size_t n);
/* Hands a packet of the peer to usrsctp. */
void streams_input(struct assoc *a, struct slice packet);
/* usrsctp says that the association is up; again: after the peer began anew. */
void streams_up(struct assoc *a, bool again);
/* Sees to it that usrsctp can send on sid < a->n_out. False: not now. */
bool streams_open_out(struct assoc *a, uint16_t sid);

#endif
