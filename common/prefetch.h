/* Asks for memory before it is needed: a hint, which costs nothing but its own instructions and
 * may point anywhere. No IO. */
#ifndef WEIR_COMMON_PREFETCH_H
#define WEIR_COMMON_PREFETCH_H

#include <stddef.h>
#include <stdint.h>

enum { CACHE_LINE = 64 };

/* The lines of n bytes at p, to be written to or read. */
static inline void prefetch(const void *p, size_t n)
{
    uintptr_t end = (uintptr_t)p + n;
    for (uintptr_t at = (uintptr_t)p & ~(uintptr_t)(CACHE_LINE - 1); at < end; at += CACHE_LINE)
        __builtin_prefetch((const void *)at, 1);
}

#endif
