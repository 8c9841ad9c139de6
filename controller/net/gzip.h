/* Compressed copies of text files that are asked for often: a bounded cache, least recently used
 * out first. No IO. */
#ifndef WEIR_CONTROLLER_NET_GZIP_H
#define WEIR_CONTROLLER_NET_GZIP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "controller/net/out.h"

/* NULL: out of memory. */
struct blob *gzip_bytes(const void *p, size_t n);

struct gzip_cache;

/* A file's contents at one time. */
struct gzip_key {
    uint64_t device;
    uint64_t inode;
    int64_t mtime_ns;
    uint64_t size;
};

MUST_CHECK enum err gzip_cache_open(struct gzip_cache **out, size_t max_bytes);
void gzip_cache_close(struct gzip_cache *cache);

/* A new reference to the compressed file, or NULL: not there. */
struct blob *gzip_cache_find(struct gzip_cache *cache, const struct gzip_key *key);
/* Compresses and remembers; a new reference, or NULL: out of memory. */
struct blob *gzip_cache_add(struct gzip_cache *cache, const struct gzip_key *key, const void *p,
                            size_t n);
size_t gzip_cache_bytes(const struct gzip_cache *cache);

#endif
