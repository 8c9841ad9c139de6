/* An SDP offer of WebRTC (JSEP, RFC 8829), read into what a server that answers needs: its media
 * sections and one transport for all of them (BUNDLE, RFC 8843; rtcp-mux, RFC 8834 4.5; ICE,
 * RFC 8839; DTLS-SRTP, RFC 8842). On proto/sdp.h's parser. Pure; memory from the caller's arena;
 * no IO. */
#ifndef WEIR_CONTROLLER_SDP_SDP_OFFER_H
#define WEIR_CONTROLLER_SDP_SDP_OFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/err.h"
#include "common/fields.h"
#include "proto/sdp.h"
#include "proto/transport_parameters.h"

enum {
    /* A browser's offer of three sections is some 12 KiB. */
    SDP_OFFER_TEXT_MAX = 64 * 1024,
    /* What reading one and answering it takes at most. */
    SDP_OFFER_ARENA_MAX = 2 * 1024 * 1024
};

/* A section of the offer, in its order: the answer has one for each. */
struct sdp_offer_media {
    const struct sdp_media *sdp; /* borrowed from the offer */
    const char *mid;             /* "" where it has none */
    /* Audio or video that can be answered; else the section is to be rejected. */
    bool usable;
    enum media_kind kind;
    bool sends;    /* the offerer would */
    bool receives; /* so too */
    /* By extension id: it means different things in sections of the offer (RFC 8843 9.1 forbids
     * it), so that it cannot be used on one transport. */
    const bool *ambiguous;
};

struct sdp_offer {
    const struct sdp *sdp; /* in the arena, as all below */
    struct sdp_offer_media *media;
    size_t n_media;
    struct ice_parameters ice;   /* the offerer's */
    struct dtls_parameters dtls; /* the offerer's, with the role that is left to it */
    enum sdp_setup setup;        /* for the answer: passive where the offerer lets us choose */
};

/* text is copied. ERR_MALFORMED, ERR_TOO_LARGE: no SDP (error->path is "line 7"); ERR_UNSUPPORTED:
 * an offer that cannot be answered; ERR_NOMEM. */
MUST_CHECK enum err sdp_offer_read(struct slice text, struct arena *arena, struct sdp_offer *out,
                                   struct field_error *error);

/* NUL-terminated copy; NULL when the arena is exhausted. */
const char *sdp_copy(struct arena *arena, struct slice s);

#endif
