#include "common/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first is small, since most arenas stay so, and thousands may exist at once. */
enum { FIRST_CHUNK_BYTES = 1024, CHUNK_BYTES = 4096 };

struct arena_chunk {
    struct arena_chunk *next; /* owned */
    size_t capacity;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *a, size_t limit)
{
    *a = (struct arena){.limit = limit};
}

void arena_fini(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
    a->used = a->total = 0;
}

void *arena_alloc(struct arena *a, size_t n)
{
    const size_t align = alignof(max_align_t);
    if (n > SIZE_MAX - align)
        return NULL;
    n = n == 0 ? align : (n + align - 1) / align * align;
    if (n > a->limit - a->total)
        return NULL;
    if (!a->chunks || n > a->chunks->capacity - a->used) {
        size_t usual = a->chunks ? CHUNK_BYTES : FIRST_CHUNK_BYTES;
        size_t capacity = n > usual ? n : usual;
        struct arena_chunk *c = malloc(sizeof *c + capacity);
        if (!c)
            return NULL;
        c->next = a->chunks;
        c->capacity = capacity;
        a->chunks = c;
        a->used = 0;
    }
    void *p = a->chunks->bytes + a->used;
    a->used += n;
    a->total += n;
    return memset(p, 0, n);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return arena_alloc(a, count * size);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *copy = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;
    if (copy)
        memcpy(copy, s, n);
    return copy;
}
