/* Memory that is given back all at once: what one decoded message needs. No IO. */
#ifndef WEIR_COMMON_ARENA_H
#define WEIR_COMMON_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* owned */
    size_t used;                /* of the newest chunk */
    size_t total;               /* bytes handed out so far */
    size_t limit;               /* most bytes that may be handed out */
};

/* limit bounds what one arena may hand out, in bytes. */
void arena_init(struct arena *a, size_t limit);
void arena_fini(struct arena *a);

/* Zeroed and aligned for any type; NULL when memory or the limit is exhausted. n = 0 gives a valid
 * pointer. */
void *arena_alloc(struct arena *a, size_t n);
/* count * size with overflow check. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* A copy of the first n characters of s with a NUL. */
char *arena_strndup(struct arena *a, const char *s, size_t n);

#endif
