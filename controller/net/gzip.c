#include "controller/net/gzip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/list.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum {
    WINDOW_BITS_GZIP = 15 + 16, /* zlib.h: 16 more asks for a gzip header */
    MEMORY_LEVEL = 8,
    LEVEL = 6
};

struct entry {
    struct gzip_key key;
    struct blob *blob; /* ref */
    struct list node;  /* in cache->used */
    UT_hash_handle hh;
};

struct gzip_cache {
    struct entry *entries; /* owned */
    struct list used;      /* least recently used first */
    size_t bytes;
    size_t max_bytes;
};

enum err gzip_cache_open(struct gzip_cache **out, size_t max_bytes)
{
    struct gzip_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return ERR_NOMEM;
    cache->max_bytes = max_bytes;
    list_init(&cache->used);
    *out = cache;
    return OK;
}

static void entry_drop(struct gzip_cache *cache, struct entry *e)
{
    HASH_DEL(cache->entries, e);
    list_remove(&e->node);
    cache->bytes -= e->blob->n;
    blob_unref(e->blob);
    free(e);
}

void gzip_cache_close(struct gzip_cache *cache)
{
    if (!cache)
        return;
    while (!list_empty(&cache->used))
        entry_drop(cache, container_of(cache->used.next, struct entry, node));
    free(cache);
}

struct blob *gzip_cache_find(struct gzip_cache *cache, const struct gzip_key *key)
{
    struct entry *e;
    HASH_FIND(hh, cache->entries, key, sizeof *key, e);
    if (!e)
        return NULL;
    list_remove(&e->node);
    list_add(&cache->used, &e->node);
    return blob_ref(e->blob);
}

struct blob *gzip_bytes(const void *p, size_t n)
{
    z_stream z = {0};
    if (deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return NULL;
    struct blob *b = blob_new(deflateBound(&z, n));
    if (b) {
        z.next_in = (Bytef *)(uintptr_t)p; /* zlib does not write there */
        z.avail_in = (uInt)n;
        z.next_out = b->bytes;
        z.avail_out = (uInt)b->n;
        if (deflate(&z, Z_FINISH) == Z_STREAM_END) {
            b->n = z.total_out;
        } else {
            blob_unref(b);
            b = NULL;
        }
    }
    deflateEnd(&z);
    if (!b)
        return NULL;
    struct blob *fitted = realloc(b, sizeof *b + b->n);
    return fitted ? fitted : b;
}

struct blob *gzip_cache_add(struct gzip_cache *cache, const struct gzip_key *key, const void *p,
                            size_t n)
{
    struct blob *b = gzip_bytes(p, n);
    if (!b || b->n > cache->max_bytes)
        return b;
    struct entry *e = calloc(1, sizeof *e);
    if (!e)
        return b;
    e->key = *key;
    e->blob = b;
    HASH_ADD(hh, cache->entries, key, sizeof e->key, e);
    if (!e->hh.tbl) { /* out of memory */
        free(e);
        return b;
    }
    list_add(&cache->used, &e->node);
    cache->bytes += b->n;
    blob_ref(b);
    while (cache->bytes > cache->max_bytes)
        entry_drop(cache, container_of(cache->used.next, struct entry, node));
    return b;
}

size_t gzip_cache_bytes(const struct gzip_cache *cache)
{
    return cache->bytes;
}
