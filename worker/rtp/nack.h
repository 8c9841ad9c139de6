/* Which packets of a received stream are missing and when to ask for them again (generic NACK,
 * RFC 4585 6.2.1). Sans-IO: input, collect at the deadline. Memory grows on demand up to the limit
 * of outstanding packets. */
#ifndef WEIR_RTP_NACK_H
#define WEIR_RTP_NACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/time.h"

enum {
    NACK_MAX_OUTSTANDING = 1000,
    NACK_MAX_TRIES = 10,
    NACK_MAX_AGE = 10000, /* packets behind the newest */
    NACK_TICK_US = 40 * 1000,
    NACK_DEFAULT_RTT_US = 100 * 1000
};

struct nack_entry {
    uint16_t seq;
    uint8_t tries;
    usec due; /* when to ask (again) */
};

struct nack {
    struct nack_entry *entries; /* owned; ascending */
    uint16_t n;
    uint16_t cap;
    uint16_t newest;
    uint16_t key_frame; /* newest packet that began a key frame */
    bool started;
    bool has_key_frame;
    usec delay; /* before the first request, for networks that reorder */
    usec next;  /* earliest due, USEC_NEVER */

    uint64_t requested; /* sequence numbers asked for, tries included */
    uint64_t gave_up;   /* lost for good */
};

struct nack_verdict {
    bool was_missing;       /* it had been asked for */
    uint8_t tries;          /* how often */
    bool request_key_frame; /* too much is missing: NACK has been reset, ask for a key frame */
};

/* delay: how long a gap may settle before it is asked for; 0: at once. */
void nack_init(struct nack *n, usec delay);
void nack_fini(struct nack *n);
/* Forgets everything; the next packet starts anew. For a paused or restarted stream. */
void nack_reset(struct nack *n);
/* Each packet that is not a duplicate, retransmitted ones too. When memory for the list cannot be
 * had, it reads as "too much is missing". */
struct nack_verdict nack_received(struct nack *n, usec now, uint16_t seq, bool key_frame);
/* Up to cap sequence numbers to ask for now, ascending; their tries are counted. What was asked for
 * NACK_MAX_TRIES times is dropped. With more due than cap, the deadline stays. rtt: 0 when unknown.
 */
size_t nack_collect(struct nack *n, usec now, usec rtt, uint16_t *out, size_t cap);
usec nack_deadline(const struct nack *n);
/* Whether it is missing and may still come. */
bool nack_awaits(const struct nack *n, uint16_t seq);

#endif
