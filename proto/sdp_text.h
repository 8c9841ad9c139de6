/* Pieces of text that the SDP parser and printer share. Private to proto/sdp*.c. Pure; no IO. */
#ifndef WEIR_PROTO_SDP_TEXT_H
#define WEIR_PROTO_SDP_TEXT_H

#include "proto/sdp.h"

/* Spaces off both ends; {NULL, 0} when nothing is left: an empty text counts as absent. */
struct slice sdp_trim(struct slice s);
/* Takes the text before the separator off s, both trimmed. */
struct slice sdp_token(struct slice *s, char separator);
bool sdp_is(struct slice s, const char *text);
/* Decimal digits only; false when it is over max. */
bool sdp_number(struct slice s, uint64_t max, uint64_t *out);

extern const char *const sdp_direction_names[4];
extern const char *const sdp_setup_names[4];

#endif
