/* The dependency descriptors of one received stream (AOMedia RTP specification, appendix A): keeps
 * the template structure of the last key frame, and the one before for packets that come late.
 * Owned by the stream, shared by all of its consumers. No IO. */
#ifndef WEIR_RTP_DD_CACHE_H
#define WEIR_RTP_DD_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "proto/dd.h"
#include "worker/rtp/layers.h"
#include "worker/rtp/seq.h"

/* A structure with what follows from it for all consumers. */
struct dd_epoch {
    struct dd_structure structure;
    /* support[t], bit u: who gets all frames that decode target t needs can decode u too. */
    uint32_t support[DD_TARGETS_MAX];
    int64_t from; /* frame with which it came */
    bool valid;
};

struct dd_cache {
    struct dd_epoch epochs[3];
    uint8_t newer; /* indices */
    uint8_t older;
    uint8_t spare;   /* what comes is read into it */
    uint32_t active; /* decode targets that the sender still produces, by the newer */
    struct seq_unwrap frames;
};

/* One packet's descriptor. */
struct dd_packet {
    struct dd dd;
    const struct dd_epoch *epoch; /* borrowed from the cache until its next packet */
    int64_t frame;                /* frame number, unwrapped */
    uint32_t active;              /* decode targets */
};

void dd_cache_init(struct dd_cache *c);
/* False: malformed, or of a structure that has not come. */
bool dd_cache_packet(struct dd_cache *c, struct slice element, struct dd_packet *out);
/* The element with the patch applied, written to out; the element itself when there is nothing to
 * change or it cannot be understood any more. */
struct slice dd_cache_patch(const struct dd_cache *c, layer_patch patch, struct slice element,
                            uint8_t out[DD_LEN_MAX]);

#endif
