/* What an offer's section says of RTP, as the ORTC structs that rooms and workers speak
 * (proto/rtp_parameters.h): codecs with RTX (RFC 4588), feedback (RFC 4585), header extensions
 * (RFC 8285), SSRCs (RFC 5576), simulcast by RID (RFC 8851, 8853). Pure; memory from the caller's
 * arena; no IO. */
#ifndef WEIR_CONTROLLER_SDP_SDP_RTP_H
#define WEIR_CONTROLLER_SDP_SDP_RTP_H

#include "common/arena.h"
#include "common/err.h"
#include "common/fields.h"
#include "controller/sdp/sdp_offer.h"
#include "proto/rtp_parameters.h"

/* What the offerer sends there, for producing: the first of its codecs that the router has, with
 * its RTX, the feedback and extensions that both know, and the encodings, of simulcast from low to
 * high. All numbers are the offerer's. ERR_UNSUPPORTED: no codec in common; ERR_NOMEM. */
MUST_CHECK enum err sdp_producer_parameters(const struct sdp_offer_media *m,
                                            const struct rtp_capabilities *router,
                                            struct arena *arena, struct rtp_parameters *out,
                                            struct field_error *error);

/* What the offerer can receive there, for consuming with its own numbers. ERR_NOMEM. */
MUST_CHECK enum err sdp_consumer_capabilities(const struct sdp_offer_media *m, struct arena *arena,
                                              struct rtp_capabilities *out);

#endif
