/* The sequence parameter set of H.264, as far as its picture: ITU-T H.264 7.3.2.1.1. Pure; no IO.
 */
#ifndef WEIR_PROTO_H264_SPS_H
#define WEIR_PROTO_H264_SPS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

enum { H264_SPS_MAX = 512 /* bytes; those of encoders take 10 to 50 */ };

struct h264_sps {
    unsigned profile; /* profile_idc */
    uint32_t chroma_format;
    uint32_t luma_depth; /* minus 8 */
    uint32_t chroma_depth;
    uint32_t width; /* of what is shown, after cropping */
    uint32_t height;
};

/* nal: a whole NAL unit with its header. ERR_MALFORMED: no SPS, or it makes no sense;
 * ERR_TOO_LARGE. */
MUST_CHECK enum err h264_sps_parse(struct h264_sps *s, struct slice nal);
/* Whether parameter sets of this profile say more of chroma and depth. */
bool h264_has_chroma_format(unsigned profile);

#endif
