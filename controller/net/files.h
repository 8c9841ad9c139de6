/* Static files over the HTTP server: folders mounted under a path. ETag, conditional requests,
 * ranges, gzip of text, no way out of the folder. RFC 9110 sections 13 and 14. Same loop, same
 * thread as net/http.h; files are read in pieces as the client takes them. */
#ifndef WEIR_CONTROLLER_NET_FILES_H
#define WEIR_CONTROLLER_NET_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "controller/net/http.h"

/* Cache-Control by the beginning or the end of a path inside the mount; the first that fits. */
struct files_rule {
    const char *prefix;        /* "assets/"; NULL: any */
    const char *suffix;        /* ".m3u8"; NULL: any */
    const char *cache_control; /* "no-cache" */
};

#define FILES_IMMUTABLE "public, max-age=31536000, immutable"

struct files_mount_config {
    const char *prefix;             /* "/live/"; "/" for all that nothing else takes; copied */
    const char *root;               /* folder; need not exist yet; copied */
    const struct files_rule *rules; /* borrowed until the server is gone; NULL with n_rules 0:
                                       "no-cache" for all */
    size_t n_rules;
    bool cors; /* Access-Control-Allow-Origin: *, with Range allowed and exposed */
    bool spa;  /* index.html for paths without an extension, when the client accepts text/html */
    /* Optional; path: inside the mount, decoded. True: the callback took the request over, and
     * answers it (perhaps later, perhaps with http_respond_file). */
    bool (*intercept)(struct http_request *req, const char *path, void *user);
    void *user;
};

/* GET, HEAD and, with cors, OPTIONS. Routes go before mounts, longer prefixes before shorter. */
MUST_CHECK enum err files_mount(struct http_server *s, const struct files_mount_config *config);

/* The mount for a Vite build: "/" with spa, assets/ immutable, all else no-cache. */
MUST_CHECK enum err files_mount_app(struct http_server *s, const char *root);
/* The mount for HLS: playlists and manifests no-cache, segments immutable, CORS open. */
MUST_CHECK enum err files_mount_hls(struct http_server *s, const char *prefix, const char *root,
                                    bool (*intercept)(struct http_request *req, const char *path,
                                                      void *user),
                                    void *user);

/* The media type by the end of the name, for example "video/mp4"; application/octet-stream for what
 * is unknown. */
const char *files_content_type(const char *path);

#endif
