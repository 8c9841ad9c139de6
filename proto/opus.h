/* Opus packets: the TOC byte and frame lengths of RFC 6716 section 3. Pure; no IO.
 *
 *   | config  |s| c |
 */
#ifndef WEIR_PROTO_OPUS_H
#define WEIR_PROTO_OPUS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

enum opus_mode { OPUS_SILK, OPUS_HYBRID, OPUS_CELT };

enum {
    OPUS_FRAMES_MAX = 48,        /* RFC 6716 3.4 R5: at most 120 ms */
    OPUS_FRAME_BYTES_MAX = 1275, /* RFC 6716 3.4 R2 */
    OPUS_PACKET_USEC_MAX = 120000
};

struct opus_info {
    enum opus_mode mode;
    uint32_t bandwidth_hz;  /* audio bandwidth: 4000, 6000, 8000, 12000, 20000 */
    uint32_t frame_usec;    /* 2500 .. 60000 */
    uint32_t duration_usec; /* of all frames */
    uint8_t config;         /* 0..31 */
    uint8_t channels;       /* 1 or 2 */
    uint8_t n_frames;       /* 1..48 */
    bool dtx;               /* no frame holds more than one byte: silence, may be dropped */
};

/* ERR_TRUNCATED: empty; ERR_MALFORMED: breaks a rule of RFC 6716 3.4. */
MUST_CHECK enum err opus_parse(struct opus_info *o, struct slice payload);

#endif
