/* The ICE-lite agent of one transport (RFC 8445 with the lite side of RFC 7675): answers
 * connectivity checks, remembers which tuples proved that they know the password, follows the
 * peer's nomination. Sans-IO, in the caller's memory, allocates nothing. */
#ifndef WEIR_WORKER_ENGINE_ICE_H
#define WEIR_WORKER_ENGINE_ICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/bytes.h"
#include "common/rng.h"
#include "common/time.h"
#include "worker/engine/sink.h"

enum {
    /* RFC 8445 5.3: at least 4 characters of ufrag, 22 of password; mediasoup's lengths. */
    ICE_UFRAG_LEN = 16,
    ICE_PWD_LEN = 32,
    ICE_TUPLES_MAX = 8,
    /* Error responses a second; an answer is a bit larger than a bare request. */
    ICE_ERRORS_PER_SEC = 20,
};
/* RFC 7675 5.1: consent expires 30 s after the last valid check. */
#define ICE_CONSENT_TTL (30 * USEC_PER_SEC)

/* Names as in the public API of mediasoup: ice_state_name(). */
enum ice_state {
    ICE_NEW,          /* no valid request yet */
    ICE_CONNECTED,    /* a valid request came: media and DTLS may flow */
    ICE_COMPLETED,    /* the peer nominated a tuple */
    ICE_DISCONNECTED, /* consent expired, or the last tuple went away */
    ICE_STATE_COUNT
};

/* Codes of SINK_EVENT items. When a tuple replaces another one, ADDED comes before REMOVED. */
enum ice_event {
    ICE_EV_STATE = 0x100,    /* arg: the new enum ice_state */
    ICE_EV_TUPLE_ADDED,      /* tuple */
    ICE_EV_TUPLE_REMOVED,    /* tuple; also once for each when consent expires */
    ICE_EV_SELECTED,         /* tuple: the one to send to from now on; family 0: none is left */
    ICE_EV_OLD_UFRAG_DROPPED /* bytes: the ufrag from before a restart that is of no use any more */
};

struct ice_tuple {
    struct tuple tuple;
    usec seen_at; /* last valid request on it */
};

struct ice_stats {
    uint64_t requests;  /* valid ones */
    uint64_t responses; /* answers sent: successes and errors */
    uint64_t rejected;  /* 400, 401, 420, 487 */
    uint64_t ignored;   /* not STUN, damaged, indications, responses */
    uint64_t bytes_in;  /* STUN bytes received */
    uint64_t bytes_out; /* STUN bytes sent */
};

struct ice {
    struct rng *rng; /* borrowed, outlives us */
    enum ice_state state;
    char ufrag[ICE_UFRAG_LEN + 1];
    char pwd[ICE_PWD_LEN + 1];
    char old_ufrag[ICE_UFRAG_LEN + 1]; /* "" unless a restart is under way */
    char old_pwd[ICE_PWD_LEN + 1];
    struct ice_tuple tuples[ICE_TUPLES_MAX];
    uint8_t tuple_count;
    int8_t selected;     /* index in tuples, -1: none */
    bool has_nomination; /* a NOMINATION value was seen since the last restart */
    uint32_t nomination; /* the highest one */
    usec consent_ttl;    /* 0: consent never expires */
    usec consent_until;  /* USEC_NEVER when not running */
    usec errors_since;   /* beginning of the second that error_count counts in */
    uint32_t error_count;
    struct ice_stats stats;
};

/* consent_ttl: usually ICE_CONSENT_TTL, 0 turns consent off. */
void ice_init(struct ice *ice, struct rng *rng, usec consent_ttl);
/* Wipes the passwords. */
void ice_fini(struct ice *ice);

/* One datagram (or RFC 4571 frame) whose first byte is 0..3. Bad ones are counted and at most
 * answered with an error; they change nothing else. */
void ice_input(struct ice *ice, usec now, const struct tuple *from, struct slice datagram,
               struct sink *out);
/* To be called at ice_deadline. */
void ice_timeout(struct ice *ice, usec now, struct sink *out);
/* USEC_NEVER when nothing is to expire. */
usec ice_deadline(const struct ice *ice);

/* New credentials. The old ones are answered until the first valid request with the new ones. If
 * a restart was under way already, the credentials that it made and nobody used drop out (event):
 * the peer's consent checks still come with the older ones. */
void ice_restart(struct ice *ice, usec now, struct sink *out);
/* A TCP connection closed: its tuple leaves. Unknown tuples are fine. */
void ice_tuple_gone(struct ice *ice, usec now, const struct tuple *tuple, struct sink *out);

/* Whether DTLS, RTP and RTCP from this tuple are to be processed. */
bool ice_accepts(const struct ice *ice, const struct tuple *tuple);
/* Where to send to; NULL: nowhere now. Valid until the next call of ice_input and its like. */
const struct tuple *ice_selected(const struct ice *ice);

enum ice_state ice_get_state(const struct ice *ice);
/* "new", "connected", "completed", "disconnected". */
const char *ice_state_name(enum ice_state state);
const char *ice_ufrag(const struct ice *ice);
const char *ice_pwd(const struct ice *ice);
/* "" when no restart is under way. */
const char *ice_old_ufrag(const struct ice *ice);
size_t ice_tuple_count(const struct ice *ice);
/* i < ice_tuple_count. */
const struct tuple *ice_tuple_at(const struct ice *ice, size_t i);

#endif
