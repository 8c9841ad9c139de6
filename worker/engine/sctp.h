/* SCTP associations for data channels (RFC 8831, RFC 9260, RFC 3758, RFC 6525) over usrsctp.
 * Sans-IO: SCTP packets, as DTLS or UDP carry them, in and out; the caller's clock. Our names begin
 * with assoc_, since sctp_ belongs to the library.
 *
 * usrsctp is one for the process, and so are its timers: assocs_timeout serves all associations.
 * After it, take every association that assocs_ready names of one's own group, and poll it dry;
 * after a call for one association, poll that one dry.
 *
 *     assoc_input(a, now, datagram);
 *     while (assoc_poll(a, now, &item))
 *         switch (item.kind) ...
 *
 * One thread. usrsctp starts a thread of its own (its "iterator", which serves requests to all
 * associations at once and changes of local addresses); we ask for neither, so that it sleeps until
 * assocs_fini ends it, and it never calls back. */
#ifndef WEIR_WORKER_ENGINE_SCTP_H
#define WEIR_WORKER_ENGINE_SCTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"
#include "common/list.h"
#include "common/time.h"

enum {
    /* RFC 8841 6: the usual port; both sides know it from signaling. */
    ASSOC_PORT = 5000,
    /* Largest packet that is made: fits a DTLS record of 1,200 bytes with any cipher. */
    ASSOC_PACKET_MAX = 1136,
    /* Packets that wait for being polled; more is dropped, and SCTP repeats it. */
    ASSOC_WAITING_MAX = 1024 * 1024,
    /* Larger messages are refused whatever the configuration says. */
    ASSOC_MESSAGE_MAX = 16 * 1024 * 1024
};

enum assoc_state {
    ASSOC_NEW,
    ASSOC_CONNECTING,
    ASSOC_CONNECTED,
    ASSOC_FAILED, /* the handshake got no answer, or was refused */
    ASSOC_CLOSED, /* shut down or aborted, by either side, or the peer no longer answers */
    ASSOC_STATE_COUNT
};

/* Those of one owner: a worker. */
struct assoc_group {
    struct list ready;
};

struct assoc_config {
    struct assoc_group *group;    /* outlives the association */
    void *owner;                  /* borrowed; see assoc_owner */
    uint16_t port;                /* on both sides */
    uint16_t out_streams;         /* most that we send on, 1.. */
    uint16_t in_streams;          /* most that the peer may send on, 1.. */
    uint16_t streams_at_first;    /* each way that get memory before they are used; 0: all */
    uint32_t max_send_message;    /* bytes */
    uint32_t max_receive_message; /* bytes; larger ones are dropped and counted */
    uint32_t send_buffer;         /* bytes that wait or are under way, over all streams */
    uint32_t stream_send_buffer;  /* the same for one stream */
    uint32_t receive_buffer;      /* bytes: the window that the peer is told */
    uint32_t low_threshold;       /* of streams that assoc_set_low_threshold does not name */
    bool data_channels;           /* answer the reset of a stream (RFC 8831 6.7) */
};

enum assoc_reliability { ASSOC_RELIABLE, ASSOC_MAX_RETRANSMITS, ASSOC_MAX_LIFETIME };

/* How a message is to be sent. */
struct assoc_sending {
    uint16_t stream;
    bool unordered;
    enum assoc_reliability reliability;
    uint32_t limit; /* retransmissions, or milliseconds */
    uint32_t ppid;  /* RFC 8831 8; empty messages get 56 or 57 instead of 51 or 53 */
};

enum assoc_item_kind {
    ASSOC_PACKET,        /* bytes: send it */
    ASSOC_STATE_CHANGED, /* state */
    ASSOC_MESSAGE,       /* stream, ppid, bytes as on the wire: an empty one has a byte, see ppid */
    ASSOC_STREAMS_RESET, /* the peer will send no more of what it had begun on `streams` */
    ASSOC_BUFFERED_LOW   /* stream, buffered: fell to the threshold or below */
};

/* What it points to is valid until the next assoc_poll of any association; a message may be given
 * to assoc_send of others meanwhile. */
struct assoc_item {
    enum assoc_item_kind kind;
    enum assoc_state state;
    uint16_t stream;
    uint32_t ppid;
    uint32_t buffered;
    struct slice bytes;
    const uint16_t *streams;
    size_t n_streams;
};

struct assoc_stats {
    uint64_t messages_sent; /* given to SCTP */
    uint64_t messages_received;
    uint64_t expired;          /* their lifetime ended before SCTP took them */
    uint64_t dropped_messages; /* received: too large, or ended in the middle */
    uint64_t dropped_packets;  /* to be sent, but ASSOC_WAITING_MAX was reached */
};

struct assoc;

/* ---- all associations of the process ---- */

/* Frees what usrsctp holds and ends its thread, unless there are associations. usrsctp starts again
 * with the next assoc_open. */
void assocs_fini(void);
/* To be called at assocs_deadline. */
void assocs_timeout(usec now);
/* usrsctp tells nobody when its next timer is due: every 10 ms while there are associations,
 * USEC_NEVER otherwise. */
usec assocs_deadline(void);
void assoc_group_init(struct assoc_group *group);
/* The next association of the group that has something to poll and has not been named since; NULL:
 * none. */
struct assoc *assocs_ready(struct assoc_group *group);

/* ---- one association ---- */

/* ERR_RANGE: no streams or no port; ERR_NOMEM; ERR_IO: refused by usrsctp. */
MUST_CHECK enum err assoc_open(struct assoc **out, usec now, const struct assoc_config *config);
/* Frees without a word to the peer; after assoc_abort and polling it has been told. NULL is fine.
 */
void assoc_close(struct assoc *a);

/* Sends INIT; the other side may do the same at the same time. ERR_STATE: done before. */
MUST_CHECK enum err assoc_connect(struct assoc *a);
/* One packet from the peer. Dropped before assoc_connect; the peer repeats it. */
void assoc_input(struct assoc *a, usec now, struct slice packet);
/* The next thing to do for it; false: nothing now. */
bool assoc_poll(struct assoc *a, usec now, struct assoc_item *out);
/* Tells the peer by ABORT (to be polled) and becomes CLOSED without an item. */
void assoc_abort(struct assoc *a);

/* Takes a copy. ERR_STATE: not connected; ERR_RANGE: no such stream; ERR_TOO_LARGE: over
 * max_send_message; ERR_FULL: it would not fit the buffers (send_buffer, stream_send_buffer);
 * ERR_NOMEM. Nothing was taken then. */
MUST_CHECK enum err assoc_send(struct assoc *a, usec now, const struct assoc_sending *how,
                               struct slice message);
/* Drops what waits for the stream and resets it (RFC 6525), as soon as no other reset is under way;
 * the stream may be used again. Not connected or no such stream: nothing happens. */
void assoc_reset_stream(struct assoc *a, usec now, uint16_t stream);

/* Bytes of messages that were not yet sent for the first time. */
uint32_t assoc_buffered(const struct assoc *a, uint16_t stream);
/* ERR_NOMEM. */
MUST_CHECK enum err assoc_set_low_threshold(struct assoc *a, uint16_t stream, uint32_t bytes);

void *assoc_owner(const struct assoc *a);
enum assoc_state assoc_get_state(const struct assoc *a);
const struct assoc_stats *assoc_get_stats(const struct assoc *a);
/* What both sides agreed on; 0 before CONNECTED. */
uint16_t assoc_out_streams(const struct assoc *a);
uint16_t assoc_in_streams(const struct assoc *a);

#endif
