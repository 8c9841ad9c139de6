/* What storage asks of an S3-compatible server, one blocking request after another (libcurl). For a
 * thread of its own, never the loop's; s3_client_url alone does no IO and may be called anywhere.
 */
#ifndef WEIR_CONTROLLER_STORAGE_S3_CLIENT_H
#define WEIR_CONTROLLER_STORAGE_S3_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct s3_client;

enum {
    S3_URL_MAX = 2048,
    S3_WHY_MAX = 256,
    S3_PARTS_MAX = 10000 /* of one upload; the server's limit */
};

/* Strings are borrowed and outlive it. */
struct s3_config {
    const char *endpoint; /* http[s]://host[:port], without a path */
    const char *region;
    const char *bucket;
    const char *prefix; /* before every key; "" none */
    const char *access_key;
    const char *secret_key;
    bool path_style;           /* endpoint/bucket/key, else bucket.endpoint/key */
    uint64_t part_size;        /* larger files go in parts of that many bytes */
    const atomic_bool *cancel; /* set: what runs ends soon, with ERR_CLOSED */
};

/* ERR_MALFORMED: the endpoint; ERR_NOMEM. */
MUST_CHECK enum err s3_client_open(const struct s3_config *config, struct s3_client **out);
void s3_client_close(struct s3_client *c);

/* The file at path under key. A file in parts keeps what the server has of it in path.upload, and
 * goes on from there the next time. OK: it is there, and path.upload is gone. why is for people,
 * unless OK. ERR_UNAVAILABLE, ERR_TIMEOUT: worth another try; ERR_NOT_FOUND: there is no such file;
 * ERR_CLOSED: canceled; ERR_DENIED and others: trying again changes nothing. */
MUST_CHECK enum err s3_client_put(struct s3_client *c, const char *key, const char *path,
                                  const char *content_type, char why[S3_WHY_MAX]);
/* OK also when there was none. Errors as above. */
MUST_CHECK enum err s3_client_delete(struct s3_client *c, const char *key, char why[S3_WHY_MAX]);
/* An address that reads key for `seconds` from now_s (since 1970); disposition, unless NULL, is
 * what the answer says as Content-Disposition. ERR_TOO_LARGE, ERR_RANGE, ERR_CRYPTO. */
MUST_CHECK enum err s3_client_url(const struct s3_client *c, const char *key, int64_t now_s,
                                  unsigned seconds, const char *disposition, char out[S3_URL_MAX]);

#endif
