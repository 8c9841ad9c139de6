/* HTTP/1.1 requests as bytes (RFC 9112): the head, and the framing of the body. Pure, no state but
 * the caller's, no IO. It is strict where leniency invites request smuggling: CRLF only, no folded
 * lines, no space before a colon, one length and not two. */
#ifndef WEIR_CONTROLLER_NET_PARSE_H
#define WEIR_CONTROLLER_NET_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "controller/net/http.h"

enum {
    PARSE_MAX_FIELDS = 100,
    /* Request line and header fields together; more is refused before it is stored. */
    PARSE_MAX_HEAD = HTTP_MAX_TARGET + 64 + HTTP_MAX_HEADERS,
    PARSE_MAX_TRAILERS = 4096
};

struct http_field {
    struct slice name;  /* as sent; compare without case */
    struct slice value; /* without white space around it */
};

struct http_head {
    enum http_method method;
    struct slice target;    /* origin form, "/path?query", or "*" */
    struct slice authority; /* Host, or the target's own when it was absolute */
    int minor;              /* HTTP/1.minor */
    struct http_field fields[PARSE_MAX_FIELDS];
    size_t n_fields;
    bool keep_alive;
    bool chunked;
    bool has_length;
    uint64_t length; /* Content-Length */
    bool expect_continue;
    bool upgrade_websocket; /* Connection: upgrade and Upgrade: websocket */
};

enum parse_result {
    PARSE_MORE, /* not whole yet */
    PARSE_DONE,
    PARSE_BAD /* status says what to answer before closing */
};

/* Slices of out point into p. *used: bytes of the head with its empty line, when PARSE_DONE.
 * *status, when PARSE_BAD: 400, 414, 417, 431, 501 or 505. *scanned: the caller's, 0 for a new
 * head; spares looking again at bytes that were seen before. */
enum parse_result parse_head(const uint8_t *p, size_t n, size_t *scanned, struct http_head *out,
                             size_t *used, int *status);

/* The field's value, the first of that name; {NULL, 0} when absent. name in lower case. */
struct slice head_field(const struct http_head *h, const char *name);
/* Whether a comma-separated list value has the token, without case. */
bool list_has_token(struct slice list, const char *token);
bool slice_is_nocase(struct slice s, const char *text);

/* ---- body ---- */

enum body_state {
    BODY_LENGTH,
    BODY_CHUNK_SIZE,
    BODY_CHUNK_EXT,
    BODY_CHUNK_SIZE_LF,
    BODY_CHUNK_DATA,
    BODY_CHUNK_CR,
    BODY_CHUNK_LF,
    BODY_TRAILER,
    BODY_TRAILER_LINE,
    BODY_TRAILER_LF,
    BODY_END_LF,
    BODY_DONE,
    BODY_BAD
};

struct body {
    enum body_state state;
    uint64_t left;    /* of the whole (BODY_LENGTH) or of this chunk */
    unsigned digits;  /* of the chunk's size */
    unsigned skipped; /* bytes of extensions and trailers: bounded */
    uint64_t total;   /* of data so far */
};

void body_init(struct body *b, const struct http_head *h);
/* Consumes a prefix of p: returns how many bytes, and *data: the part of them that is body (may be
 * empty). Stops after each run of data; call until nothing is left or body_done. */
size_t body_input(struct body *b, const uint8_t *p, size_t n, struct slice *data);
static inline bool body_done(const struct body *b)
{
    return b->state == BODY_DONE;
}

#endif
