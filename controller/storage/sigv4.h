/* AWS Signature Version 4 for S3: the Authorization header of a request, and addresses that are
 * signed for a while. Pure: no IO, no clock.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html */
#ifndef WEIR_CONTROLLER_STORAGE_SIGV4_H
#define WEIR_CONTROLLER_STORAGE_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* In place of a body's SHA-256: the body is not part of the signature. */
#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

enum {
    SIGV4_TIME_LEN = 17,          /* "20130524T000000Z" and its NUL */
    SIGV4_AUTH_MAX = 512,         /* an Authorization header's value */
    SIGV4_EXPIRES_MAX = 7 * 86400 /* seconds; S3 takes no more */
};

/* Strings are borrowed. */
struct sigv4 {
    const char *access_key;
    const char *secret_key;
    const char *region;
};

struct sigv4_request {
    const char *method;
    const char *host;    /* as in the Host header, with the port if it has one */
    const char *path;    /* encoded, as it is sent */
    const char *query;   /* encoded, sorted by name, every name with "="; "" for none */
    const char *payload; /* SHA-256 of the body in hexadecimal, or SIGV4_UNSIGNED */
    const char *time;    /* as sigv4_time makes it */
};

void sigv4_time(int64_t unix_s, char out[SIGV4_TIME_LEN]);
/* Percent-encodes all but A-Z a-z 0-9 - . _ ~ and, in paths, "/". ERR_TOO_LARGE. */
MUST_CHECK enum err sigv4_encode(const char *text, bool path, char *out, size_t n);
/* Signs host, x-amz-content-sha256 (payload) and x-amz-date (time), which the request has to carry.
 * ERR_TOO_LARGE, ERR_CRYPTO. */
MUST_CHECK enum err sigv4_authorization(const struct sigv4 *keys, const struct sigv4_request *r,
                                        char out[SIGV4_AUTH_MAX]);
/* The query of an address that is good for expires_s seconds (1..SIGV4_EXPIRES_MAX). r->query may
 * only have names that sort after "X-Amz-"; r->payload is not looked at. ERR_RANGE, ERR_TOO_LARGE,
 * ERR_CRYPTO. */
MUST_CHECK enum err sigv4_presign(const struct sigv4 *keys, const struct sigv4_request *r,
                                  unsigned expires_s, char *out, size_t n);

#endif
