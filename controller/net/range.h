/* Conditional requests, ranges and accepted codings as headers say them (RFC 9110 12.5.3, 13, 14).
 * Pure. */
#ifndef WEIR_CONTROLLER_NET_RANGE_H
#define WEIR_CONTROLLER_NET_RANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum range_result {
    RANGE_NONE, /* absent, malformed, or several ranges: answer with the whole */
    RANGE_ONE,
    RANGE_UNSATISFIABLE /* 416 */
};

/* "bytes=0-499", "bytes=500-", "bytes=-500" against size bytes; first..last inclusive. */
enum range_result range_parse(const char *header, uint64_t size, uint64_t *first, uint64_t *last);

/* Whether If-None-Match ("*" or a list of tags) has the strong tag, in the weak comparison. */
bool etag_listed(const char *header, const char *etag);

/* "Sun, 06 Nov 1994 08:49:37 GMT"; out needs 30 bytes. */
void http_date(time_t t, char out[30]);
/* IMF-fixdate only, the form that every client sends; false otherwise. */
bool http_date_parse(const char *text, time_t *out);

/* Whether Accept-Encoding takes gzip (a q of 0 refuses it). */
bool accepts_gzip(const char *header);

#endif
