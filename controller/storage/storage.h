/* Where finished files are kept for good: a folder of this machine, or an S3-compatible server. The
 * same calls for both; what a caller puts is on local disk first. Puts and deletions are done one
 * after another by a thread of their own, again and again until the server takes them: neither the
 * loop nor its threads, which write what is live, ever wait. */
#ifndef WEIR_CONTROLLER_STORAGE_STORAGE_H
#define WEIR_CONTROLLER_STORAGE_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/metrics.h"
#include "common/time.h"

struct uv_loop_s;
struct storage;

enum { STORAGE_URL_MAX = 2048, STORAGE_KEY_MAX = 256 };

/* Strings are borrowed and outlive it. */
struct storage_config {
    struct uv_loop_s *loop;
    struct metrics *metrics; /* NULL: none */
    const char *endpoint;    /* http[s]://host[:port]; "": the local folder */
    const char *region;
    const char *bucket;
    const char *prefix;
    const char *access_key;
    const char *secret_key;
    bool path_style;
    uint64_t part_size;
    usec url_lifetime;
    usec retry_min; /* between two tries of the same thing; doubles up to 60 s */
};

/* ERR_MALFORMED: the endpoint; ERR_NOMEM; ERR_IO: no thread. */
MUST_CHECK enum err storage_open(const struct storage_config *config, struct storage **out);
/* What runs is ended within about a second, what waits is dropped; both get ERR_CLOSED. */
void storage_close(struct storage *s, void (*closed)(void *ctx), void *ctx);
/* False: files stay where they are put from, and are served from there. */
bool storage_is_remote(const struct storage *s);

typedef void storage_done_fn(void *ctx, enum err e);
/* The file at path under key; done is called once, in a later turn. Local: nothing is to be done.
 * ERR_CLOSED: it ended before that, the next start may put it again; ERR_NOT_FOUND: no such file;
 * others: the server refuses it, the log says why. */
MUST_CHECK enum err storage_put(struct storage *s, const char *key, const char *path,
                                const char *content_type, storage_done_fn *done, void *ctx);
/* Likewise; after puts of the same key that were asked for before. */
MUST_CHECK enum err storage_delete(struct storage *s, const char *key, storage_done_fn *done,
                                   void *ctx);
/* An address from which anybody reads key for url_lifetime; disposition: the answer's
 * Content-Disposition, or NULL. ERR_UNSUPPORTED: local, serve the file. */
MUST_CHECK enum err storage_url(const struct storage *s, const char *key, const char *disposition,
                                char out[STORAGE_URL_MAX]);

#endif
