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

/* The same as enum err: ERR_RANGE. */
enum err sdp_bounded(struct slice text, uint64_t max, uint64_t *out);
enum err sdp_u16(struct slice text, uint16_t *out);
enum err sdp_u32(struct slice text, uint32_t *out);
/* 0..127 */
enum err sdp_payload_type(struct slice text, uint8_t *out);

/* What an attribute's parser is given. */
struct sdp_context {
    struct sdp *s;
    struct sdp_media *m; /* NULL: the session */
    struct sdp_transport *t;
};

/* value: what follows "a=". ERR_MALFORMED, ERR_RANGE, ERR_TOO_LARGE; unknown ones are skipped. */
enum err sdp_read_attribute(struct sdp_context *c, struct slice value);

extern const char *const sdp_direction_names[4];
extern const char *const sdp_setup_names[4];

#endif
