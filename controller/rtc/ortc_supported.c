#include "controller/rtc/ortc.h"

#include "proto/rtp_ext.h"

#define LEN(a) (sizeof(a) / sizeof(a)[0])

static struct rtcp_feedback audio_feedback[] = {{.type = "nack"}, {.type = "transport-cc"}};
static struct rtcp_feedback plain_audio_feedback[] = {{.type = "transport-cc"}};
static struct rtcp_feedback video_feedback[] = {{.type = "nack"},
                                                {.type = "nack", .parameter = "pli"},
                                                {.type = "ccm", .parameter = "fir"},
                                                {.type = "goog-remb"},
                                                {.type = "transport-cc"}};

static struct dict_entry h264_parameters[] = {
    {.key = "level-asymmetry-allowed", .type = DICT_INT, .num = 1}};
static struct dict_entry opus4[] = {{.key = "channel_mapping", .type = DICT_STR, .str = "0,1,2,3"},
                                    {.key = "num_streams", .type = DICT_INT, .num = 2},
                                    {.key = "coupled_streams", .type = DICT_INT, .num = 2}};
static struct dict_entry opus6[] = {
    {.key = "channel_mapping", .type = DICT_STR, .str = "0,4,1,2,3,5"},
    {.key = "num_streams", .type = DICT_INT, .num = 4},
    {.key = "coupled_streams", .type = DICT_INT, .num = 2}};
static struct dict_entry opus8[] = {
    {.key = "channel_mapping", .type = DICT_STR, .str = "0,6,1,2,3,4,5,7"},
    {.key = "num_streams", .type = DICT_INT, .num = 5},
    {.key = "coupled_streams", .type = DICT_INT, .num = 3}};

#define AUDIO(mime, rate, ...)                                                                     \
    {                                                                                              \
        .kind = MEDIA_KIND_AUDIO, .has_kind = true, .mime_type = (mime), .clock_rate = (rate),     \
        .has_clock_rate = true, __VA_ARGS__                                                        \
    }
#define VIDEO(mime, ...)                                                                           \
    {                                                                                              \
        .kind = MEDIA_KIND_VIDEO, .has_kind = true, .mime_type = (mime), .clock_rate = 90000,      \
        .has_clock_rate = true, .rtcp_feedback = video_feedback,                                   \
        .n_rtcp_feedback = LEN(video_feedback), __VA_ARGS__                                        \
    }
#define CHANNELS(n) .channels = (n), .has_channels = true
#define PARAMS(p) .parameters = (p), .n_parameters = LEN(p)
#define STATIC_PT(n) .preferred_payload_type = (n), .has_preferred_payload_type = true
#define NACKED .rtcp_feedback = audio_feedback, .n_rtcp_feedback = LEN(audio_feedback)
#define COUNTED .rtcp_feedback = plain_audio_feedback, .n_rtcp_feedback = LEN(plain_audio_feedback)

static struct rtp_codec_capability codecs[] = {
    AUDIO("audio/opus", 48000, CHANNELS(2), NACKED),
    AUDIO("audio/multiopus", 48000, CHANNELS(4), PARAMS(opus4), NACKED),
    AUDIO("audio/multiopus", 48000, CHANNELS(6), PARAMS(opus6), NACKED),
    AUDIO("audio/multiopus", 48000, CHANNELS(8), PARAMS(opus8), NACKED),
    AUDIO("audio/PCMU", 8000, STATIC_PT(0), COUNTED),
    AUDIO("audio/PCMA", 8000, STATIC_PT(8), COUNTED),
    AUDIO("audio/ISAC", 32000, COUNTED),
    AUDIO("audio/ISAC", 16000, COUNTED),
    AUDIO("audio/G722", 8000, STATIC_PT(9), COUNTED),
    AUDIO("audio/iLBC", 8000, COUNTED),
    AUDIO("audio/SILK", 24000, COUNTED),
    AUDIO("audio/SILK", 16000, COUNTED),
    AUDIO("audio/SILK", 12000, COUNTED),
    AUDIO("audio/SILK", 8000, COUNTED),
    AUDIO("audio/CN", 32000, STATIC_PT(13)),
    AUDIO("audio/CN", 16000, STATIC_PT(13)),
    AUDIO("audio/CN", 8000, STATIC_PT(13)),
    AUDIO("audio/telephone-event", 48000),
    AUDIO("audio/telephone-event", 32000),
    AUDIO("audio/telephone-event", 16000),
    AUDIO("audio/telephone-event", 8000),
    VIDEO("video/VP8"),
    VIDEO("video/VP9"),
    VIDEO("video/H264", PARAMS(h264_parameters)),
    VIDEO("video/AV1"),
};

/* Ids are the router's: every producer's are rewritten to them, so that all consumers agree. */
#define EXT_BOTH(ext, ident, dir)                                                                  \
    EXT(MEDIA_KIND_AUDIO, ext, ident, dir), EXT(MEDIA_KIND_VIDEO, ext, ident, dir)
#define EXT(k, ext, ident, dir)                                                                    \
    {                                                                                              \
        .kind = (k), .has_kind = true, .uri = (ext), .preferred_id = (ident),                      \
        .has_preferred_id = true, .has_preferred_encrypt = true, .direction = (dir),               \
        .has_direction = true                                                                      \
    }

#define X(id, uri) static const char uri_##id[] = uri;
RTP_EXT_MAP(X)
#undef X

static struct rtp_header_extension extensions[] = {
    EXT_BOTH(uri_MID, 1, RTP_DIRECTION_SENDRECV),
    EXT(MEDIA_KIND_VIDEO, uri_RID, 2, RTP_DIRECTION_RECVONLY),
    EXT(MEDIA_KIND_VIDEO, uri_RRID, 3, RTP_DIRECTION_RECVONLY),
    EXT_BOTH(uri_ABS_SEND_TIME, 4, RTP_DIRECTION_SENDRECV),
    EXT(MEDIA_KIND_AUDIO, uri_TWCC, 5, RTP_DIRECTION_RECVONLY),
    EXT(MEDIA_KIND_VIDEO, uri_TWCC, 5, RTP_DIRECTION_SENDRECV),
    EXT(MEDIA_KIND_AUDIO, uri_AUDIO_LEVEL, 6, RTP_DIRECTION_SENDRECV),
    EXT(MEDIA_KIND_VIDEO, uri_DEPENDENCY_DESCRIPTOR, 7, RTP_DIRECTION_SENDRECV),
    EXT(MEDIA_KIND_VIDEO, uri_VIDEO_ORIENTATION, 8, RTP_DIRECTION_SENDRECV),
    EXT(MEDIA_KIND_VIDEO, uri_TOFFSET, 9, RTP_DIRECTION_SENDRECV),
    EXT_BOTH(uri_ABS_CAPTURE_TIME, 10, RTP_DIRECTION_SENDRECV),
    EXT_BOTH(uri_PLAYOUT_DELAY, 11, RTP_DIRECTION_SENDRECV),
};

static const struct rtp_capabilities supported = {.codecs = codecs,
                                                  .n_codecs = LEN(codecs),
                                                  .header_extensions = extensions,
                                                  .n_header_extensions = LEN(extensions)};

const struct rtp_capabilities *ortc_supported(void)
{
    return &supported;
}

static struct dict_entry room_opus[] = {{.key = "useinbandfec", .type = DICT_INT, .num = 1}};
static struct dict_entry room_vp9[] = {{.key = "profile-id", .type = DICT_INT, .num = 0}};
static struct dict_entry room_h264_baseline[] = {
    {.key = "packetization-mode", .type = DICT_INT, .num = 1},
    {.key = "profile-level-id", .type = DICT_STR, .str = "42e01f"},
    {.key = "level-asymmetry-allowed", .type = DICT_INT, .num = 1}};
static struct dict_entry room_h264_main[] = {
    {.key = "packetization-mode", .type = DICT_INT, .num = 1},
    {.key = "profile-level-id", .type = DICT_STR, .str = "4d001f"},
    {.key = "level-asymmetry-allowed", .type = DICT_INT, .num = 1}};
static struct dict_entry room_h264_high[] = {
    {.key = "packetization-mode", .type = DICT_INT, .num = 1},
    {.key = "profile-level-id", .type = DICT_STR, .str = "64001f"},
    {.key = "level-asymmetry-allowed", .type = DICT_INT, .num = 1}};

/* The order is the preference of mediasoup-client, which sends the first that the browser has: VP8
 * plays in every WebRTC browser. */
const struct rtp_codec_capability ortc_default_codecs[] = {
    AUDIO("audio/opus", 48000, CHANNELS(2), PARAMS(room_opus)),
    VIDEO("video/VP8"),
    VIDEO("video/VP9", PARAMS(room_vp9)),
    VIDEO("video/H264", PARAMS(room_h264_baseline)),
    VIDEO("video/H264", PARAMS(room_h264_main)),
    VIDEO("video/H264", PARAMS(room_h264_high)),
    VIDEO("video/AV1"),
};
const size_t ortc_n_default_codecs = LEN(ortc_default_codecs);
