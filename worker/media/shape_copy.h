/* Deep copy of a struct that a field table describes: what an object keeps of the request that made
 * it, to show it in its dump. No IO. */
#ifndef WEIR_WORKER_MEDIA_SHAPE_COPY_H
#define WEIR_WORKER_MEDIA_SHAPE_COPY_H

#include "common/arena.h"
#include "common/fields.h"

/* out: shape->size bytes. Strings and everything else go into the arena; members of kind json are
 * left out (NULL). ERR_NOMEM. */
MUST_CHECK enum err shape_copy(const struct shape *shape, const void *in, void *out,
                               struct arena *arena);

#endif
