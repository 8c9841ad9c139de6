/* When two codec descriptions mean the same codec. Private to rtc. */
#ifndef WEIR_CONTROLLER_RTC_ORTC_MATCH_H
#define WEIR_CONTROLLER_RTC_ORTC_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/fields.h"
#include "proto/rtp_parameters.h"

/* The part of codec parameters and capabilities that is compared. */
struct ortc_codec {
    const char *mime_type;
    uint32_t clock_rate;
    unsigned channels; /* 1 where it is left out */
    const struct dict_entry *parameters;
    size_t n_parameters;
};

struct ortc_codec ortc_codec_of_parameters(const struct rtp_codec_parameters *c);
struct ortc_codec ortc_codec_of_capability(const struct rtp_codec_capability *c);

/* strict: also what decides whether a stream of a can be decoded as b (profiles, packetization).
 * For H.264, with profile_level_id not NULL, it gets the answer's, which is "" when neither side
 * names one. */
bool ortc_codecs_match(const struct ortc_codec *a, const struct ortc_codec *b, bool strict,
                       char profile_level_id[7]);

#endif
