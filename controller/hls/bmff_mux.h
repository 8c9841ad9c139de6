/* One fragmented MP4 of several tracks out of the tracks of a presentation: their initialization
 * segments joined into one, their fragments told apart by number (ISO/IEC 14496-12 8.3.2, 8.8.3,
 * 8.8.7). For files that anybody plays, also while they grow. Pure. */
#ifndef WEIR_CONTROLLER_HLS_BMFF_MUX_H
#define WEIR_CONTROLLER_HLS_BMFF_MUX_H

#include <stddef.h>
#include <stdint.h>

#include "common/blob.h"
#include "common/err.h"

/* inits: as encoders wrote them, one track each; they become tracks 1, 2, ... in one moov.
 * ERR_MALFORMED, ERR_NOMEM. */
MUST_CHECK enum err bmff_mux_inits(const struct blob *const *inits, size_t n, struct blob **out);

/* A copy of a part (bmff_chunk_take) as a fragment of track `track` with this sequence number.
 * NULL: out of memory. */
struct blob *bmff_mux_part(const struct blob *part, uint32_t track, uint32_t sequence);

#endif
