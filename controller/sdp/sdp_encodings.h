/* The streams that a section announces: simulcast by RID in the order of their size, or SSRCs with
 * their retransmission (RFC 5576 4.2, RFC 4588 8.7). Private to sdp/. Pure. */
#ifndef WEIR_CONTROLLER_SDP_SDP_ENCODINGS_H
#define WEIR_CONTROLLER_SDP_SDP_ENCODINGS_H

#include "controller/sdp/sdp_rtp.h"

/* Fills p->encodings; the codecs and the mid are there. ERR_UNSUPPORTED, ERR_NOMEM. */
MUST_CHECK enum err sdp_encodings(const struct sdp_offer_media *m, struct arena *arena,
                                  struct rtp_parameters *p, struct field_error *error);

#endif
