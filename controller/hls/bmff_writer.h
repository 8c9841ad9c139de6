/* Movie fragments (ISO/IEC 14496-12 8.8): samples collected into one moof + mdat, as a CMAF chunk
 * (ISO/IEC 23000-19 7.3.2.3). No IO. */
#ifndef WEIR_CONTROLLER_HLS_BMFF_WRITER_H
#define WEIR_CONTROLLER_HLS_BMFF_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "common/blob.h"
#include "common/err.h"
#include "controller/hls/media_sample.h"

enum {
    BMFF_CHUNK_SAMPLES_MAX = 2048,
    BMFF_CHUNK_BYTES_MAX = 32 * 1024 * 1024 /* of media */
};

struct bmff_chunk_sample {
    int64_t dts;
    uint32_t duration; /* as the encoder says */
    uint32_t size;
    int32_t cts;
    bool sync;
};

/* Samples that wait to be cut into fragments, oldest first; one a track. */
struct bmff_chunk {
    struct bmff_chunk_sample *samples; /* owned */
    size_t n;
    size_t cap;
    uint8_t *data; /* owned */
    size_t data_n;
    size_t data_cap;
};

void bmff_chunk_init(struct bmff_chunk *c);
void bmff_chunk_fini(struct bmff_chunk *c);
/* Copies, at the end. ERR_FULL at a limit, ERR_MALFORMED when it is not later than the one before,
 * ERR_NOMEM: nothing was added. */
MUST_CHECK enum err bmff_chunk_add(struct bmff_chunk *c, const struct media_sample *s);
/* The first k samples as moof and mdat; they leave c. A sample lasts until the next one, the last
 * of all as long as its encoder said. sequence: of the fragment, from 1. base: added to decoding
 * times, which must not be negative with it. NULL: out of memory; nothing changed. 0 < k <= c->n.
 */
struct blob *bmff_chunk_take(struct bmff_chunk *c, size_t k, uint32_t sequence, int64_t base);
/* The end of the first k samples, from the beginning of the run, in the track's timescale. */
int64_t bmff_chunk_end(const struct bmff_chunk *c, size_t k);

#endif
