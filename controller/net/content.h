/* Answers from memory that many requests share: nothing is copied. ETag, conditional requests,
 * ranges and HEAD as for files (RFC 9110 13, 14). */
#ifndef WEIR_CONTROLLER_NET_CONTENT_H
#define WEIR_CONTROLLER_NET_CONTENT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/blob.h"
#include "controller/net/http.h"

struct http_content {
    const char *type;
    const char *etag;          /* with its quotes; of the plain bytes; NULL: none */
    const char *cache_control; /* NULL: "no-cache" */
    struct blob *const *blobs; /* one behind the other; referenced as long as they are needed */
    size_t n_blobs;
    bool varies;       /* others may get it compressed, also where gzip is NULL */
    struct blob *gzip; /* all of it, compressed, for who accepts that; NULL: never */
};

/* Whether it pays to compress an answer to this request. */
bool http_accepts_gzip(const struct http_request *req);
void http_respond_content(struct http_request *req, const struct http_content *content);

#endif
