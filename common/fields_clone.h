/* Deep copies of structs that are described by a shape (common/fields.h): what one message said is
 * kept beyond the message. No IO. */
#ifndef WEIR_COMMON_FIELDS_CLONE_H
#define WEIR_COMMON_FIELDS_CLONE_H

#include "common/fields.h"

/* Copies in into out, with everything that it points at, into the arena. A `json` member is set to
 * NULL: it has an owner of its own. ERR_NOMEM: the arena is exhausted, out is not to be used. */
MUST_CHECK enum err shape_clone(const struct shape *shape, const void *in, void *out,
                                struct arena *arena);

#endif
