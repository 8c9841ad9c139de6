/* Codecs of a section with their format parameters and feedback. Private to sdp/. Pure. */
#ifndef WEIR_CONTROLLER_SDP_SDP_CODECS_H
#define WEIR_CONTROLLER_SDP_SDP_CODECS_H

#include "controller/sdp/sdp_rtp.h"

/* Of a codec in the offer; out->mime_type is NULL for payload types that name none. */
MUST_CHECK enum err sdp_codec_parameters(const struct sdp_offer_media *m, const struct sdp_codec *c,
                                         struct arena *arena, struct rtp_codec_parameters *out);
/* "k=v;k2=v2" as names and values: digits become numbers, as clients send them in JSON. */
MUST_CHECK enum err sdp_fmtp_read(struct slice fmtp, struct arena *arena, struct dict_entry **out,
                                  size_t *n);
/* The reverse; NULL when the arena is exhausted, "" for none. */
const char *sdp_fmtp_write(const struct dict_entry *entries, size_t n, struct arena *arena);

#endif
