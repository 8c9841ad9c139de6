/* Request targets: "/path?query" decoded and made safe (RFC 3986, RFC 9112 3.2). Pure. */
#ifndef WEIR_CONTROLLER_NET_TARGET_H
#define WEIR_CONTROLLER_NET_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/bytes.h"
#include "common/err.h"

/* Decodes the path part of target into out (NUL-terminated, needs path.n + 1 bytes). ERR_MALFORMED:
 * a bad escape, an escaped NUL, slash or backslash, another control character, or a "." or ".."
 * segment. Repeated slashes stay; they match no route and no file. */
MUST_CHECK enum err target_decode_path(struct slice path, char *out);

/* Where the query begins (behind '?'), and its length without a fragment; {NULL, 0}: none. */
struct slice target_query(struct slice target);
struct slice target_path(struct slice target);

/* Splits "a=b&c" into decoded pairs one after the other: out gets "a\0b\0c\0\0", needs 2 * n + 2
 * bytes; returns the number of pairs. '+' is a space; a bad escape stays as it is. */
size_t query_decode(struct slice query, char *out);
/* The first value of key in such a block, or NULL. */
const char *query_find(const char *block, size_t n_pairs, const char *key);

#endif
