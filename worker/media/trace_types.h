/* The trace types that are on, from a bit mask to the list of a dump. No IO. */
#ifndef WEIR_WORKER_MEDIA_TRACE_TYPES_H
#define WEIR_WORKER_MEDIA_TRACE_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"

MUST_CHECK static inline enum err trace_types_list(uint32_t mask, struct arena *arena, int **out,
                                                   size_t *n)
{
    *n = 0;
    *out = arena_array(arena, 32, sizeof **out);
    if (!*out)
        return ERR_NOMEM;
    for (int bit = 0; bit < 32; bit++) {
        if ((mask >> bit & 1) != 0)
            (*out)[(*n)++] = bit;
    }
    return OK;
}

#endif
