/* H.264 in RTP: single NAL unit packets, STAP-A and FU-A of RFC 6184 (packetization modes 0 and 1),
 * and the profile-level-id of its section 8.1 with the answer rules of 8.2.2. Pure; no IO. */
#ifndef WEIR_PROTO_H264_H
#define WEIR_PROTO_H264_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"

enum {
    H264_NAL_SLICE = 1,
    H264_NAL_IDR = 5,
    H264_NAL_SEI = 6,
    H264_NAL_SPS = 7,
    H264_NAL_PPS = 8,
    H264_NAL_AUD = 9,
    H264_NAL_STAP_A = 24,
    H264_NAL_FU_A = 28
};

/* What a payload holds. */
struct h264_info {
    uint8_t type;     /* of the packet: 1..23 single NAL unit, 24 STAP-A, 28 FU-A */
    uint8_t nal_type; /* of the NAL unit inside; of the first one in a STAP-A */
    bool start;       /* begins a NAL unit: always true but for later FU-A fragments */
    bool end;         /* ends a NAL unit: always true but for earlier FU-A fragments */
    bool sps;         /* an SPS begins here */
    bool pps;
    bool idr;       /* an IDR slice begins here */
    bool key_frame; /* sps || idr: a decoder may start here, if it has parameter sets */
};

/* ERR_TRUNCATED; ERR_MALFORMED: type 0, forbidden bit, FU-A that starts and ends at once;
 * ERR_UNSUPPORTED: STAP-B, MTAP, FU-B, types 30 and 31. */
MUST_CHECK enum err h264_parse(struct h264_info *h, struct slice payload);

/* Walks whole NAL units of a single NAL unit packet or STAP-A: *at starts at 0; false at the end.
 * For FU-A gives nothing. The payload must have passed h264_parse. */
bool h264_next_nal(struct slice payload, size_t *at, struct slice *nal);

/* ---- profile-level-id ---- */

enum h264_profile {
    H264_CONSTRAINED_BASELINE,
    H264_BASELINE,
    H264_MAIN,
    H264_CONSTRAINED_HIGH,
    H264_HIGH,
    H264_PREDICTIVE_HIGH_444
};

struct h264_profile_level {
    enum h264_profile profile;
    uint8_t level; /* level_idc: 10 times the level, 31 for 3.1; H264_LEVEL_1B */
};

enum { H264_LEVEL_1B = 0, H264_PROFILE_LEVEL_TEXT = 7 };

/* Six hex digits. ERR_MALFORMED, ERR_UNSUPPORTED: unknown profile or level. */
MUST_CHECK enum err h264_profile_level_parse(struct h264_profile_level *out, struct slice text);
/* ERR_UNSUPPORTED: level 1b in a profile that has none. */
MUST_CHECK enum err h264_profile_level_print(struct h264_profile_level pl,
                                             char out[H264_PROFILE_LEVEL_TEXT]);
/* What counts when fmtp has none: RFC 6184 8.1, Constrained Baseline here as browsers do, 3.1. */
struct h264_profile_level h264_profile_level_default(void);
/* Negative, zero, positive as a is below, equal to, above b: 1b stands between 1 and 1.1. */
int h264_level_compare(uint8_t a, uint8_t b);
/* Texts; an empty one is the default. false also when either is malformed. */
bool h264_same_profile(struct slice a, struct slice b);
/* Answer of a receiver that supports `local` to an offer of `remote`: the common profile, with the
 * local level when both allow asymmetry, else the lower one. ERR_UNSUPPORTED: profiles differ. */
MUST_CHECK enum err h264_answer_profile_level(struct slice local, bool local_asymmetry,
                                              struct slice remote, bool remote_asymmetry,
                                              char out[H264_PROFILE_LEVEL_TEXT]);

#endif
