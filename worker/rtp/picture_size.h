/* How large the pictures are that begin with a key frame, as its first packet says it: VP8 and VP9
 * in their frame headers, or VP9 in the scalability structure (RFC 9628 4.2.1), H.264 in the SPS.
 * Pure. */
#ifndef WEIR_RTP_PICTURE_SIZE_H
#define WEIR_RTP_PICTURE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "worker/rtp/codec.h"

struct picture_size {
    uint16_t width; /* pixels; of the largest spatial layer */
    uint16_t height;
};

/* payload: of a packet that codec_is_key_frame. False: it does not say, as AV1, or makes no sense.
 */
bool picture_size_read(enum codec codec, struct slice payload, struct picture_size *out);

#endif
