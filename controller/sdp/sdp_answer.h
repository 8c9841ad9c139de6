/* The answer of an ICE-lite server to an offer (RFC 3264 6, RFC 8829 5.3): one section for each of
 * the offer's, in its order, with its payload types and extension ids; what is not wanted is
 * rejected by port 0. Pure; writes into the caller's buffer, with memory from the arena; no IO. */
#ifndef WEIR_CONTROLLER_SDP_SDP_ANSWER_H
#define WEIR_CONTROLLER_SDP_SDP_ANSWER_H

#include "controller/sdp/sdp_offer.h"
#include "proto/rtp_parameters.h"

/* Strings and structs are borrowed. */
struct sdp_answer_media {
    /* What the offerer sends (as of sdp_producer_parameters) or gets; NULL: rejected. */
    const struct rtp_parameters *parameters;
    enum sdp_direction direction; /* the answerer's: SDP_RECVONLY or SDP_SENDONLY */
};

struct sdp_answer {
    uint64_t session_id; /* of the o= line; below 2^63 */
    const struct ice_parameters *ice;
    const struct ice_candidate *candidates;
    size_t n_candidates;
    const struct dtls_parameters *dtls;   /* fingerprints of the answerer */
    const struct sdp_answer_media *media; /* as many as the offer has */
    const char *stream; /* the MediaStream that what is sent belongs to; NULL: "-" */
};

/* ERR_TOO_LARGE: w is full; ERR_NOMEM; ERR_MALFORMED: a text has control characters. */
MUST_CHECK enum err sdp_answer_write(const struct sdp_offer *offer, const struct sdp_answer *answer,
                                     struct arena *arena, struct wr *w);

/* A candidate of the server's as a= has it. */
MUST_CHECK enum err sdp_candidate_of(const struct ice_candidate *c, struct sdp_candidate *out);

#endif
