/* Two SCTP associations over two simulated links, in virtual time, which usrsctp's own reading of
 * the clock sees too. For tests. No IO. */
#ifndef WEIR_TEST_SCTP_PAIR_H
#define WEIR_TEST_SCTP_PAIR_H

#include "test/lib/link.h"
#include "worker/engine/sctp.h"

enum { SCTP_PAIR_MESSAGES = 4096, SCTP_PAIR_STATES = 8, SCTP_PAIR_RESETS = 64 };

struct sctp_message {
    uint16_t stream;
    uint32_t ppid;
    uint8_t *bytes; /* owned */
    size_t n;
    usec at;
};

struct sctp_end {
    struct assoc *assoc; /* owned */
    struct link out;
    struct sctp_message messages[SCTP_PAIR_MESSAGES];
    size_t n_messages;
    enum assoc_state states[SCTP_PAIR_STATES];
    size_t n_states;
    uint16_t resets[SCTP_PAIR_RESETS]; /* streams that the peer has reset */
    size_t n_resets;
    size_t lows; /* ASSOC_BUFFERED_LOW */
    uint32_t low_buffered;
    size_t packets; /* sent */
    size_t largest; /* packet */
};

struct sctp_pair {
    struct sctp_end a;
    struct sctp_end b;
    struct assoc_group group;
    usec now;
};

struct assoc_config sctp_pair_config(void);
/* NULL: the usual configuration, an ideal link. Aborts when it cannot. */
void sctp_pair_init(struct sctp_pair *p, const struct assoc_config *config,
                    const struct link_config *link, uint64_t seed);
void sctp_pair_fini(struct sctp_pair *p);

/* Both connect, and run until both are connected; false: not within patience. */
bool sctp_pair_connect(struct sctp_pair *p, usec patience);
/* Everything that is due in this time. */
void sctp_pair_run(struct sctp_pair *p, usec time);
/* Until e has n messages; false: not within patience. */
bool sctp_pair_until(struct sctp_pair *p, const struct sctp_end *e, size_t n, usec patience);
/* Sends what the associations want sent now. */
void sctp_pair_drain(struct sctp_pair *p);
/* Forgets what has arrived. */
void sctp_end_forget(struct sctp_end *e);

#endif
