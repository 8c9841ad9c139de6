#include "worker/rtp/codec.h"

#include <strings.h>

#include "proto/av1.h"
#include "proto/h264.h"
#include "proto/opus.h"
#include "proto/vp8.h"
#include "proto/vp9.h"

static const struct {
    const char *mime;
    enum media_kind kind;
} codecs[CODEC_COUNT] = {[CODEC_UNKNOWN] = {"", MEDIA_KIND_AUDIO},
#define X(id, mime, kind) [id] = {mime, kind},
                         CODEC_MAP(X)
#undef X
};

enum codec codec_of_mime(const char *mime)
{
    for (int i = CODEC_UNKNOWN + 1; i < CODEC_COUNT; i++)
        if (strcasecmp(codecs[i].mime, mime) == 0)
            return (enum codec)i;
    return CODEC_UNKNOWN;
}

const char *codec_mime(enum codec codec)
{
    return codecs[codec].mime;
}

enum media_kind codec_kind(enum codec codec)
{
    return codecs[codec].kind;
}

bool codec_has_key_frames(enum codec codec)
{
    return codec == CODEC_VP8 || codec == CODEC_VP9 || codec == CODEC_H264 || codec == CODEC_AV1;
}

static bool vp8_key_frame(struct slice payload)
{
    struct vp8_desc d;
    return vp8_parse(&d, payload) == OK && d.key_frame;
}

static bool vp9_key_frame(struct slice payload)
{
    struct vp9_desc d;
    return vp9_parse(&d, payload) == OK && d.key_frame;
}

static bool h264_key_frame(struct slice payload)
{
    struct h264_info h;
    return h264_parse(&h, payload) == OK && h.key_frame;
}

static bool av1_key_frame(struct slice payload)
{
    struct av1_desc d;
    return av1_parse(&d, payload) == OK && d.key_frame;
}

bool codec_is_key_frame(enum codec codec, struct slice payload)
{
    static bool (*const tests[CODEC_COUNT])(struct slice) = {
        [CODEC_VP8] = vp8_key_frame,
        [CODEC_VP9] = vp9_key_frame,
        [CODEC_H264] = h264_key_frame,
        [CODEC_AV1] = av1_key_frame,
    };
    return tests[codec] && payload.n > 0 && tests[codec](payload);
}

bool codec_has_parameter_sets(enum codec codec, struct slice payload)
{
    struct h264_info h;
    return codec == CODEC_H264 && h264_parse(&h, payload) == OK && h.sps;
}

bool codec_may_start(enum codec codec, struct slice payload)
{
    return !codec_has_key_frames(codec) || codec_is_key_frame(codec, payload);
}

bool codec_is_dtx(enum codec codec, struct slice payload)
{
    struct opus_info o;
    return codec == CODEC_OPUS && opus_parse(&o, payload) == OK && o.dtx;
}
