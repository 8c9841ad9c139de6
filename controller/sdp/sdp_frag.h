/* Fragments of SDP that trickle ICE sends (RFC 8840 9): candidates to add, or the credentials of an
 * ICE restart (RFC 9725 4.3). Pure; memory from the caller's arena; no IO. */
#ifndef WEIR_CONTROLLER_SDP_SDP_FRAG_H
#define WEIR_CONTROLLER_SDP_SDP_FRAG_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/err.h"
#include "proto/transport_parameters.h"

enum { SDP_FRAG_TEXT_MAX = 16 * 1024, SDP_FRAG_ARENA_MAX = 1024 * 1024 };

struct sdp_frag {
    const char *ufrag; /* "" where it has none */
    const char *pwd;
    size_t n_candidates;
    bool end_of_candidates;
};

/* ERR_MALFORMED, ERR_TOO_LARGE, ERR_NOMEM. Credentials of the session level or of the first
 * section; those of later ones must be the same: ERR_MALFORMED. */
MUST_CHECK enum err sdp_frag_read(struct slice text, struct arena *arena, struct sdp_frag *out);

/* What the server says after an ICE restart. mid: of the section that carries the transport, or "";
 * kind: of its m= line. ERR_TOO_LARGE, ERR_MALFORMED. */
MUST_CHECK enum err sdp_frag_write(const struct ice_parameters *ice,
                                   const struct ice_candidate *candidates, size_t n,
                                   const char *mid, const char *kind, struct wr *w);

#endif
