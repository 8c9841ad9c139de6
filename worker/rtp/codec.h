/* What forwarding must know of each codec: is this packet the beginning of a key frame, may a
 * receiver start here, is it discontinuous-transmission filler. Pure. */
#ifndef WEIR_RTP_CODEC_H
#define WEIR_RTP_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "proto/rtp_parameters.h"

/* id, MIME type, kind */
#define CODEC_MAP(X)                                                                               \
    X(CODEC_OPUS, "audio/opus", MEDIA_KIND_AUDIO)                                                  \
    X(CODEC_MULTIOPUS, "audio/multiopus", MEDIA_KIND_AUDIO)                                        \
    X(CODEC_PCMU, "audio/PCMU", MEDIA_KIND_AUDIO)                                                  \
    X(CODEC_PCMA, "audio/PCMA", MEDIA_KIND_AUDIO)                                                  \
    X(CODEC_G722, "audio/G722", MEDIA_KIND_AUDIO)                                                  \
    X(CODEC_ILBC, "audio/iLBC", MEDIA_KIND_AUDIO)                                                  \
    X(CODEC_ISAC, "audio/ISAC", MEDIA_KIND_AUDIO)                                                  \
    X(CODEC_SILK, "audio/SILK", MEDIA_KIND_AUDIO)                                                  \
    X(CODEC_CN, "audio/CN", MEDIA_KIND_AUDIO)                                                      \
    X(CODEC_TELEPHONE_EVENT, "audio/telephone-event", MEDIA_KIND_AUDIO)                            \
    X(CODEC_VP8, "video/VP8", MEDIA_KIND_VIDEO)                                                    \
    X(CODEC_VP9, "video/VP9", MEDIA_KIND_VIDEO)                                                    \
    X(CODEC_H264, "video/H264", MEDIA_KIND_VIDEO)                                                  \
    X(CODEC_AV1, "video/AV1", MEDIA_KIND_VIDEO)                                                    \
    X(CODEC_AUDIO_RTX, "audio/rtx", MEDIA_KIND_AUDIO)                                              \
    X(CODEC_VIDEO_RTX, "video/rtx", MEDIA_KIND_VIDEO)

enum codec {
    CODEC_UNKNOWN,
#define X(id, mime, kind) id,
    CODEC_MAP(X)
#undef X
        CODEC_COUNT
};

/* Without regard to case; CODEC_UNKNOWN for what is not in the list. */
enum codec codec_of_mime(const char *mime);
/* "audio/opus"; "" for CODEC_UNKNOWN. */
const char *codec_mime(enum codec codec);
enum media_kind codec_kind(enum codec codec);

static inline bool codec_is_rtx(enum codec codec)
{
    return codec == CODEC_AUDIO_RTX || codec == CODEC_VIDEO_RTX;
}

/* Whether streams of it have key frames that can be told from the payload. False for audio. */
bool codec_has_key_frames(enum codec codec);
/* The payload begins a key frame: its first packet (for H.264 that with the SPS, or the IDR when
 * parameter sets are out of band). False for audio and for what cannot be parsed. */
bool codec_is_key_frame(enum codec codec, struct slice payload);
/* The payload carries what decoders need ahead of the key frame itself (the SPS of H.264). */
bool codec_has_parameter_sets(enum codec codec, struct slice payload);
/* A receiver that has seen nothing yet may start with this packet. */
bool codec_may_start(enum codec codec, struct slice payload);
/* Filler of discontinuous transmission, which a consumer may ask to be spared (ignoreDtx). */
bool codec_is_dtx(enum codec codec, struct slice payload);

#endif
