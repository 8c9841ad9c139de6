/* The dependency descriptor RTP header extension: AOMedia RTP specification for AV1, appendix A.
 * It tells an SFU the layers of a frame and what the frame needs, for any codec. Pure: the template
 * structure of the last key frame is kept by the caller. No IO. */
#ifndef WEIR_PROTO_DD_H
#define WEIR_PROTO_DD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

enum {
    DD_TEMPLATES_MAX = 64,
    DD_TARGETS_MAX = 32,
    DD_CHAINS_MAX = 32,
    DD_FDIFFS_MAX = 8, /* ours: references of one frame; AV1 has seven */
    DD_SPATIAL_MAX = 4,
    DD_TEMPORAL_MAX = 8,
    DD_MANDATORY_LEN = 3,
    DD_LEN_MAX = 255 /* a header extension element */
};

enum dd_dti { DD_NOT_PRESENT, DD_DISCARDABLE, DD_SWITCH, DD_REQUIRED };

struct dd_template {
    uint8_t spatial;
    uint8_t temporal;
    uint8_t n_fdiffs;
    uint16_t fdiffs[DD_FDIFFS_MAX];      /* distance to the frames referred to, 1..4096 */
    uint8_t dtis[DD_TARGETS_MAX];        /* enum dd_dti for each decode target */
    uint8_t chain_fdiffs[DD_CHAINS_MAX]; /* 0: none */
};

struct dd_structure {
    uint8_t id_offset; /* of the first template, 0..63 */
    uint8_t n_templates;
    uint8_t n_targets;
    uint8_t n_chains;
    uint8_t max_spatial;
    uint8_t max_temporal;
    uint8_t n_resolutions; /* 0, or max_spatial + 1 */
    uint16_t width[DD_SPATIAL_MAX];
    uint16_t height[DD_SPATIAL_MAX];
    uint8_t target_chain[DD_TARGETS_MAX];   /* decode target protected by, when n_chains > 0 */
    uint8_t target_spatial[DD_TARGETS_MAX]; /* highest layer of the decode target: derived */
    uint8_t target_temporal[DD_TARGETS_MAX];
    struct dd_template templates[DD_TEMPLATES_MAX];
};

/* One frame's descriptor. */
struct dd {
    uint16_t frame_number;
    uint8_t template_id; /* as on the wire, 0..63 */
    uint8_t spatial;
    uint8_t temporal;
    bool start_of_frame;
    bool end_of_frame;
    bool has_structure;      /* a new structure came: a key frame begins */
    bool has_active_targets; /* the mask came with this frame */
    bool custom_dtis;
    bool custom_fdiffs;
    bool custom_chains;
    uint32_t active_targets; /* bit i: decode target i is active; all when a structure is new */
    uint8_t n_targets;
    uint8_t n_chains;
    uint8_t n_fdiffs;
    uint16_t fdiffs[DD_FDIFFS_MAX];
    uint8_t dtis[DD_TARGETS_MAX];
    uint8_t chain_fdiffs[DD_CHAINS_MAX];
    uint16_t width; /* of the frame; 0 when the structure has no resolutions */
    uint16_t height;
};

/* known: the structure in force, NULL when none came yet. fresh: filled when the element carries a
 * structure (out->has_structure): from then on that one is in force; it must not be `known`.
 * ERR_NOT_FOUND: the frame refers to a structure or template that is not known; ERR_TRUNCATED,
 * ERR_MALFORMED, ERR_TOO_LARGE (more references than DD_FDIFFS_MAX). */
MUST_CHECK enum err dd_parse(struct slice element, const struct dd_structure *known,
                             struct dd_structure *fresh, struct dd *out);
/* Writes an element that parses to d. s: the structure in force (with d->has_structure: it is
 * written too). ERR_TOO_LARGE, ERR_RANGE: d does not agree with s. */
MUST_CHECK enum err dd_write(struct wr *w, const struct dd_structure *s, const struct dd *d);
/* The mask of decode targets whose layers are at most these. */
uint32_t dd_targets_for(const struct dd_structure *s, uint8_t spatial, uint8_t temporal);

#endif
