/* Fragmented MP4 (ISO/IEC 14496-12) of one track, as an encoder writes it to a pipe: taken apart,
 * while it comes, into the initialization segment and samples. ISO/IEC 14496-12 8.8. No IO. */
#ifndef WEIR_CONTROLLER_HLS_BMFF_READER_H
#define WEIR_CONTROLLER_HLS_BMFF_READER_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "controller/hls/media_sample.h"

enum {
    /* A fragment is one picture here, or a few frames of sound; a box beyond this is not ours. */
    BMFF_BOX_MAX = 16 * 1024 * 1024,
    BMFF_SAMPLES_MAX = 4096 /* of one fragment */
};

struct bmff_sink {
    /* ftyp and moov as they came. Once. */
    void (*on_init)(void *ctx, const struct media_format *format, struct slice init);
    /* In the order of decoding, after on_init. */
    void (*on_sample)(void *ctx, const struct media_sample *s);
    void *ctx; /* borrowed */
};

struct bmff_reader {
    struct bmff_sink sink;
    uint8_t *bytes; /* owned; boxes that are not complete, or still needed */
    size_t n;
    size_t cap;
    size_t init_n; /* bytes at the front that belong to the initialization segment */
    size_t moof_n; /* a moof of this size lies at the front and waits for its mdat */
    bool has_init;
    struct media_format format;
    uint32_t default_duration; /* trex */
    uint32_t default_size;
    uint32_t default_flags;
    enum err failed; /* sticky */
};

void bmff_reader_init(struct bmff_reader *r, const struct bmff_sink *sink);
void bmff_reader_fini(struct bmff_reader *r);

/* Any piece of the stream. ERR_MALFORMED, ERR_TOO_LARGE, ERR_UNSUPPORTED (no or several tracks, an
 * unknown codec, data that is not beside its fragment), ERR_NOMEM: nothing more will be read, and
 * the same comes again. The sink must not call back into the reader. */
MUST_CHECK enum err bmff_reader_feed(struct bmff_reader *r, const void *bytes, size_t n);

/* The track of an initialization segment. ERR_MALFORMED, ERR_UNSUPPORTED. */
MUST_CHECK enum err bmff_parse_init(struct slice init, struct media_format *out,
                                    uint32_t defaults[3]);

#endif
