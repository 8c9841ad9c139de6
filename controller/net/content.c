#include "controller/net/content.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controller/net/conn.h"
#include "controller/net/range.h"

enum { ETAG_MAX = 128 };

static uint64_t size_of(const struct http_content *c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < c->n_blobs; i++)
        n += c->blobs[i]->n;
    return n;
}

static bool queue(struct http_request *req, const struct http_content *c, uint64_t from, uint64_t n)
{
    for (size_t i = 0; i < c->n_blobs && n > 0; i++) {
        struct blob *b = c->blobs[i];
        if (from >= b->n) {
            from -= b->n;
            continue;
        }
        uint64_t take = b->n - from < n ? b->n - from : n;
        if (!out_blob_range(&req->conn->out, blob_ref(b), (size_t)from, (size_t)take))
            return false;
        from = 0;
        n -= take;
    }
    return true;
}

static void send(struct http_request *req, const struct http_content *c, int status, uint64_t from,
                 uint64_t n)
{
    if (respond_head(req, status, c->type, (int64_t)n) && req->method != HTTP_HEAD &&
        !queue(req, c, from, n))
        conn_abort(req->conn);
    respond_finish(req, status);
}

static void send_plain(struct http_request *req, const struct http_content *c)
{
    uint64_t size = size_of(c);
    uint64_t first = 0;
    uint64_t last = 0;
    char text[80];
    const char *condition = http_header(req, "if-range");
    bool applies = !condition || (c->etag && strcmp(condition, c->etag) == 0);
    enum range_result r = RANGE_NONE;
    if (req->method == HTTP_GET && applies)
        r = range_parse(http_header(req, "range"), size, &first, &last);
    (void)http_set_header(req, "Accept-Ranges", "bytes");
    if (r == RANGE_UNSATISFIABLE) {
        snprintf(text, sizeof text, "bytes */%" PRIu64, size);
        (void)http_set_header(req, "Content-Range", text);
        http_respond_error(req, 416, err_name(ERR_RANGE), NULL, "it is shorter");
        return;
    }
    if (r == RANGE_NONE) {
        send(req, c, 200, 0, size);
        return;
    }
    snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first, last, size);
    (void)http_set_header(req, "Content-Range", text);
    send(req, c, 206, first, last - first + 1);
}

bool http_accepts_gzip(const struct http_request *req)
{
    return !http_header(req, "range") && accepts_gzip(http_header(req, "accept-encoding"));
}

void http_respond_content(struct http_request *req, const struct http_content *c)
{
    char etag[ETAG_MAX];
    if (http_is_closed(req)) {
        respond_finish(req, 200);
        return;
    }
    bool gzip = c->gzip && http_accepts_gzip(req);
    if (c->etag && gzip)
        snprintf(etag, sizeof etag, "%.*s-gz\"", (int)strlen(c->etag) - 1, c->etag);
    else
        snprintf(etag, sizeof etag, "%s", c->etag ? c->etag : "");
    (void)http_set_header(req, "Cache-Control", c->cache_control ? c->cache_control : "no-cache");
    if (c->varies || c->gzip)
        (void)http_set_header(req, "Vary", "Accept-Encoding");
    if (etag[0] != '\0')
        (void)http_set_header(req, "ETag", etag);
    const char *known = http_header(req, "if-none-match");
    if (known && etag[0] != '\0' && etag_listed(known, etag)) {
        http_respond_empty(req, 304);
        return;
    }
    if (!gzip) {
        send_plain(req, c);
        return;
    }
    (void)http_set_header(req, "Content-Encoding", "gzip");
    struct http_content packed = {.type = c->type, .blobs = &c->gzip, .n_blobs = 1};
    send(req, &packed, 200, 0, c->gzip->n);
}
