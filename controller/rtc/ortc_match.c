#include "controller/rtc/ortc_match.h"

#include <string.h>
#include <strings.h>

#include "common/bytes.h"
#include "proto/h264.h"

struct ortc_codec ortc_codec_of_parameters(const struct rtp_codec_parameters *c)
{
    return (struct ortc_codec){.mime_type = c->mime_type,
                               .clock_rate = c->clock_rate,
                               .channels = c->has_channels ? c->channels : 1,
                               .parameters = c->parameters,
                               .n_parameters = c->n_parameters};
}

struct ortc_codec ortc_codec_of_capability(const struct rtp_codec_capability *c)
{
    return (struct ortc_codec){.mime_type = c->mime_type,
                               .clock_rate = c->clock_rate,
                               .channels = c->has_channels ? c->channels : 1,
                               .parameters = c->parameters,
                               .n_parameters = c->n_parameters};
}

static int64_t param(const struct ortc_codec *c, const char *key, int64_t fallback)
{
    return dict_int(c->parameters, c->n_parameters, key, fallback);
}

static struct slice profile_text(const struct ortc_codec *c)
{
    const char *s = dict_str(c->parameters, c->n_parameters, "profile-level-id");
    return s ? slice_of(s, strlen(s)) : slice_of("", 0);
}

static bool h264_match(const struct ortc_codec *a, const struct ortc_codec *b, char answer[7])
{
    if (param(a, "packetization-mode", 0) != param(b, "packetization-mode", 0))
        return false;
    struct slice pa = profile_text(a);
    struct slice pb = profile_text(b);
    if (!h264_same_profile(pa, pb))
        return false;
    char text[H264_PROFILE_LEVEL_TEXT] = "";
    if ((pa.n > 0 || pb.n > 0) &&
        h264_answer_profile_level(pa, param(a, "level-asymmetry-allowed", 0) == 1, pb,
                                  param(b, "level-asymmetry-allowed", 0) == 1, text) != OK)
        return false;
    if (answer)
        memcpy(answer, text, sizeof text);
    return true;
}

static bool multiopus_match(const struct ortc_codec *a, const struct ortc_codec *b)
{
    return param(a, "num_streams", 0) == param(b, "num_streams", 0) &&
           param(a, "coupled_streams", 0) == param(b, "coupled_streams", 0);
}

bool ortc_codecs_match(const struct ortc_codec *a, const struct ortc_codec *b, bool strict,
                       char profile_level_id[7])
{
    if (strcasecmp(a->mime_type, b->mime_type) != 0 || a->clock_rate != b->clock_rate)
        return false;
    bool audio = strncasecmp(a->mime_type, "audio/", 6) == 0;
    if (audio && a->channels != b->channels)
        return false;
    if (strcasecmp(a->mime_type, "audio/multiopus") == 0)
        return multiopus_match(a, b);
    if (!strict)
        return true;
    if (strcasecmp(a->mime_type, "video/H264") == 0)
        return h264_match(a, b, profile_level_id);
    if (strcasecmp(a->mime_type, "video/VP9") == 0)
        return param(a, "profile-id", 0) == param(b, "profile-id", 0);
    if (strcasecmp(a->mime_type, "video/AV1") == 0)
        return param(a, "profile", 0) == param(b, "profile", 0);
    return true;
}
