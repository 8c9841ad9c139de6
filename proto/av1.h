/* AV1 in RTP: the aggregation header and OBU elements of the AOMedia RTP specification,
 * section 4.4. Layers come from the dependency descriptor (dd.h). Pure; no IO.
 *
 *   |Z|Y| W |N|-|-|-|   OBU elements, each with a leb128 length but, for W != 0, the last
 */
#ifndef WEIR_PROTO_AV1_H
#define WEIR_PROTO_AV1_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

enum {
    AV1_OBU_SEQUENCE_HEADER = 1,
    AV1_OBU_TEMPORAL_DELIMITER = 2,
    AV1_OBU_FRAME_HEADER = 3,
    AV1_OBU_TILE_GROUP = 4,
    AV1_OBU_METADATA = 5,
    AV1_OBU_FRAME = 6,
    AV1_OBU_TILE_LIST = 8,
    AV1_OBU_PADDING = 15,
    AV1_OBUS_MAX = 64 /* elements walked in one packet; a sender has no reason for more */
};

struct av1_desc {
    uint8_t count;        /* W; 0: every element has a length */
    uint8_t n_obus;       /* elements in the packet */
    bool continues;       /* Z: the first element goes on from the packet before */
    bool continued;       /* Y: the last element goes on in the next packet */
    bool new_sequence;    /* N: first packet of a coded video sequence */
    bool sequence_header; /* a sequence header OBU begins here */
    bool key_frame;       /* new_sequence and sequence_header: a decoder may start here */
};

/* ERR_TRUNCATED, ERR_MALFORMED (Z with N, element lengths, W elements missing), ERR_TOO_LARGE:
 * over AV1_OBUS_MAX elements. */
MUST_CHECK enum err av1_parse(struct av1_desc *d, struct slice payload);
/* Walks the elements of a payload that passed av1_parse: *at starts at 0, *index too; false at the
 * end. */
bool av1_next_obu(struct slice payload, size_t *at, uint8_t *index, struct slice *obu);

#endif
