/* H.264 whose picture changes while it is sent: parameter sets in band (ITU-T H.264 7.3.2.1), and
 * the initialization segment that goes with them (ISO/IEC 14496-15 5.3.3). No IO. */
#ifndef WEIR_CONTROLLER_HLS_AVC_SETS_H
#define WEIR_CONTROLLER_HLS_AVC_SETS_H

#include "common/blob.h"
#include "common/bytes.h"
#include "common/err.h"

enum { AVC_SET_MAX = 512 /* bytes; those of encoders take 10 to 50 */ };

struct avc_sets {
    uint8_t sps[AVC_SET_MAX];
    uint8_t pps[AVC_SET_MAX];
    size_t sps_n; /* 0: none */
    size_t pps_n;
};

/* The first of each kind in a sample of NAL units with lengths of four bytes; false: not both are
 * there, or what is there makes no sense. */
bool avc_find_sets(struct slice sample, struct avc_sets *out);
bool avc_same_sets(const struct avc_sets *a, const struct avc_sets *b);

/* init with these sets and their picture's size in place of what it has. ERR_MALFORMED: it is none
 * of AVC, ERR_NOMEM. */
MUST_CHECK enum err avc_change_init(struct slice init, const struct avc_sets *s, struct blob **out);

#endif
