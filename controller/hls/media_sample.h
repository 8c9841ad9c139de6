/* One encoded picture, or one frame of sound, on its way into segments; and what a track of them
 * is. Plain data. */
#ifndef WEIR_CONTROLLER_HLS_MEDIA_SAMPLE_H
#define WEIR_CONTROLLER_HLS_MEDIA_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"

enum { MEDIA_CODEC_MAX = 48 };

struct media_format {
    bool video;
    uint32_t timescale;          /* units of dts a second; never 0 */
    uint32_t width;              /* 0 for sound */
    uint32_t height;             /* 0 for sound */
    uint16_t rotation;           /* clockwise degrees in which it is to be shown */
    uint32_t sample_rate;        /* 0 for pictures */
    uint16_t channels;           /* 0 for pictures */
    char codec[MEDIA_CODEC_MAX]; /* RFC 6381: "avc1.42e01f", "mp4a.40.2", "opus" */
};

struct media_sample {
    int64_t dts; /* of the track's timescale, from the beginning of the run; may be negative */
    int32_t cts; /* presentation - decoding time */
    uint32_t duration; /* as the encoder says; 0: unknown */
    bool sync;         /* decoding can begin here */
    struct slice data; /* borrowed */
};

#endif
