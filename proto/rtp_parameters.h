/* How RTP is described in messages: parameters, capabilities and mappings, with the names and the
 * spelling of mediasoup's public API (W3C ORTC). Structs and tables only; no IO. */
#ifndef WEIR_PROTO_RTP_PARAMETERS_H
#define WEIR_PROTO_RTP_PARAMETERS_H

#include "common/fields.h"

/* JSON numbers are exact up to here, in C and in JavaScript. */
#define SAFE_INTEGER_MAX INT64_C(9007199254740991)
#define BITRATE_MAX INT64_C(100000000000) /* bits per second */

enum { ID_MAX = 128, MID_MAX = 32, RID_MAX = 32, CNAME_MAX = 255 };

#define MEDIA_KIND_MAP(X)                                                                          \
    X(MEDIA_KIND_AUDIO, "audio", "Sound.")                                                         \
    X(MEDIA_KIND_VIDEO, "video", "Moving pictures.")
CHOICE_ENUM(media_kind, MEDIA_KIND_MAP);

#define RTP_TYPE_MAP(X)                                                                            \
    X(RTP_TYPE_SIMPLE, "simple", "One stream, without layers to choose from.")                     \
    X(RTP_TYPE_SIMULCAST, "simulcast", "Several streams of one source, each its own SSRC.")        \
    X(RTP_TYPE_SVC, "svc", "One stream that carries several spatial layers.")                      \
    X(RTP_TYPE_PIPE, "pipe", "All streams of the producer, unchanged; consumers only.")
CHOICE_ENUM(rtp_type, RTP_TYPE_MAP);

#define RTP_DIRECTION_MAP(X)                                                                       \
    X(RTP_DIRECTION_SENDRECV, "sendrecv", "Sent and received.")                                    \
    X(RTP_DIRECTION_SENDONLY, "sendonly", "Only sent.")                                            \
    X(RTP_DIRECTION_RECVONLY, "recvonly", "Only received.")                                        \
    X(RTP_DIRECTION_INACTIVE, "inactive", "Neither.")
CHOICE_ENUM(rtp_direction, RTP_DIRECTION_MAP);

/* ---- parameters: what one producer sends or one consumer gets ---- */

#define RTCP_FEEDBACK_FIELDS(X, S)                                                                 \
    X(S, str, type, "type", REQ, 1, 64, _, "For example nack, ccm, goog-remb, transport-cc.")      \
    X(S, str, parameter, "parameter", OPT, 0, 64, _, "For example pli, fir; none if left out.")
SHAPE_STRUCT(rtcp_feedback, RTCP_FEEDBACK_FIELDS);

#define RTP_CODEC_PARAMETERS_FIELDS(X, S)                                                          \
    X(S, str, mime_type, "mimeType", REQ, 3, 64, _,                                                \
      "Kind and encoding name, for example video/VP8; the case does not matter.")                  \
    X(S, u8, payload_type, "payloadType", REQ, 0, 127, _, "RTP payload type.")                     \
    X(S, u32, clock_rate, "clockRate", REQ, 1, 1000000, _, "RTP clock in Hz.")                     \
    X(S, u8, channels, "channels", OPT, 1, 255, _, "Audio channels; 1 if left out.")               \
    X(S, dict, parameters, "parameters", OPT, 0, 64, _,                                            \
      "Format parameters (fmtp) by name, such as packetization-mode; of RTX: apt.")                \
    X(S, objs, rtcp_feedback, "rtcpFeedback", OPT, 0, 32, rtcp_feedback,                           \
      "RTCP feedback that may be sent for this codec.")
SHAPE_STRUCT(rtp_codec_parameters, RTP_CODEC_PARAMETERS_FIELDS);

#define RTP_HEADER_EXTENSION_PARAMETERS_FIELDS(X, S)                                               \
    X(S, str, uri, "uri", REQ, 1, 255, _,                                                          \
      "Which extension (proto/rtp_ext.h knows them); unknown ones are ignored.")                   \
    X(S, u8, id, "id", REQ, 1, 255, _, "Its id in the packets; above 14 needs the two-byte form.") \
    X(S, flag, encrypt, "encrypt", OPT, 0, 0, _, "Encrypted (RFC 6904); false if left out.")       \
    X(S, dict, parameters, "parameters", OPT, 0, 32, _, "Parameters of the extension by name.")
SHAPE_STRUCT(rtp_header_extension_parameters, RTP_HEADER_EXTENSION_PARAMETERS_FIELDS);

#define RTP_RTX_PARAMETERS_FIELDS(X, S)                                                            \
    X(S, u32, ssrc, "ssrc", REQ, 0, UINT32_MAX, _, "SSRC of the retransmissions.")
SHAPE_STRUCT(rtp_rtx_parameters, RTP_RTX_PARAMETERS_FIELDS);

#define RTP_ENCODING_PARAMETERS_FIELDS(X, S)                                                       \
    X(S, u32, ssrc, "ssrc", OPT, 0, UINT32_MAX, _,                                                 \
      "SSRC of the media; left out if only the RID "                                               \
      "tells.")                                                                                    \
    X(S, str, rid, "rid", OPT, 1, RID_MAX, _, "RTP stream id.")                                    \
    X(S, u8, codec_payload_type, "codecPayloadType", OPT, 0, 127, _,                               \
      "Which codec this encoding uses; the first one if left out.")                                \
    X(S, obj, rtx, "rtx", OPT, 0, 0, rtp_rtx_parameters, "Its retransmission stream (RFC 4588).")  \
    X(S, flag, dtx, "dtx", OPT, 0, 0, _, "Silence is not sent; false if left out.")                \
    X(S, str, scalability_mode, "scalabilityMode", OPT, 1, 32, _,                                  \
      "Spatial and temporal layers, for example L1T3, L3T3_KEY.")                                  \
    X(S, u64, max_bitrate, "maxBitrate", OPT, 0, BITRATE_MAX, _, "Bits per second at most.")
SHAPE_STRUCT(rtp_encoding_parameters, RTP_ENCODING_PARAMETERS_FIELDS);

#define RTCP_PARAMETERS_FIELDS(X, S)                                                               \
    X(S, str, cname, "cname", OPT, 0, CNAME_MAX, _, "Canonical name (RFC 3550 6.5.1).")            \
    X(S, flag, reduced_size, "reducedSize", OPT, 0, 0, _,                                          \
      "Reduced-size RTCP (RFC 5506) may be used; true if left out.")
SHAPE_STRUCT(rtcp_parameters, RTCP_PARAMETERS_FIELDS);

#define RTP_PARAMETERS_FIELDS(X, S)                                                                \
    X(S, str, mid, "mid", OPT, 1, MID_MAX, _, "Media id, unique in the transport.")                \
    X(S, objs, codecs, "codecs", REQ, 1, 64, rtp_codec_parameters,                                 \
      "Media codecs, each followed by its RTX codec where there is one.")                          \
    X(S, objs, header_extensions, "headerExtensions", OPT, 0, 32, rtp_header_extension_parameters, \
      "Header extensions in use; none if left out.")                                               \
    X(S, objs, encodings, "encodings", OPT, 0, 16, rtp_encoding_parameters,                        \
      "The streams, for simulcast from low to high.")                                              \
    X(S, obj, rtcp, "rtcp", OPT, 0, 0, rtcp_parameters, "RTCP parameters.")                        \
    X(S, str, msid, "msid", OPT, 0, 512, _, "MediaStream and track id (RFC 8830).")
SHAPE_STRUCT(rtp_parameters, RTP_PARAMETERS_FIELDS);

/* ---- capabilities: what an endpoint or a router understands ---- */

#define RTP_CODEC_CAPABILITY_FIELDS(X, S)                                                          \
    X(S, choice, kind, "kind", REQ, 0, 0, media_kind_names, "Audio or video.")                     \
    X(S, str, mime_type, "mimeType", REQ, 3, 64, _, "Kind and encoding name.")                     \
    X(S, u8, preferred_payload_type, "preferredPayloadType", OPT, 0, 127, _,                       \
      "Payload type that the endpoint would like.")                                                \
    X(S, u32, clock_rate, "clockRate", REQ, 1, 1000000, _, "RTP clock in Hz.")                     \
    X(S, u8, channels, "channels", OPT, 1, 255, _, "Audio channels; 1 if left out.")               \
    X(S, dict, parameters, "parameters", OPT, 0, 64, _, "Format parameters (fmtp) by name.")       \
    X(S, objs, rtcp_feedback, "rtcpFeedback", OPT, 0, 32, rtcp_feedback,                           \
      "RTCP feedback that is understood for this codec.")
SHAPE_STRUCT(rtp_codec_capability, RTP_CODEC_CAPABILITY_FIELDS);

#define RTP_HEADER_EXTENSION_FIELDS(X, S)                                                          \
    X(S, choice, kind, "kind", OPT, 0, 0, media_kind_names, "Audio or video; both if left out.")   \
    X(S, str, uri, "uri", REQ, 1, 255, _, "Which extension.")                                      \
    X(S, u8, preferred_id, "preferredId", REQ, 1, 255, _, "Id that the endpoint would like.")      \
    X(S, flag, preferred_encrypt, "preferredEncrypt", OPT, 0, 0, _,                                \
      "Whether it would like it encrypted; false if left out.")                                    \
    X(S, choice, direction, "direction", OPT, 0, 0, rtp_direction_names,                           \
      "Which way it may flow; sendrecv if left out.")
SHAPE_STRUCT(rtp_header_extension, RTP_HEADER_EXTENSION_FIELDS);

#define RTP_CAPABILITIES_FIELDS(X, S)                                                              \
    X(S, objs, codecs, "codecs", OPT, 0, 128, rtp_codec_capability, "Media and RTX codecs.")       \
    X(S, objs, header_extensions, "headerExtensions", OPT, 0, 64, rtp_header_extension,            \
      "Header extensions.")
SHAPE_STRUCT(rtp_capabilities, RTP_CAPABILITIES_FIELDS);

/* ---- mapping: how a producer's payload types and SSRCs are renumbered inside the router ---- */

#define RTP_CODEC_MAPPING_FIELDS(X, S)                                                             \
    X(S, u8, payload_type, "payloadType", REQ, 0, 127, _, "As the producer sends it.")             \
    X(S, u8, mapped_payload_type, "mappedPayloadType", REQ, 0, 127, _, "As consumers get it.")
SHAPE_STRUCT(rtp_codec_mapping, RTP_CODEC_MAPPING_FIELDS);

#define RTP_ENCODING_MAPPING_FIELDS(X, S)                                                          \
    X(S, str, rid, "rid", OPT, 1, RID_MAX, _, "RID of the producer's encoding.")                   \
    X(S, u32, ssrc, "ssrc", OPT, 0, UINT32_MAX, _, "SSRC of the producer's encoding.")             \
    X(S, u32, mapped_ssrc, "mappedSsrc", REQ, 0, UINT32_MAX, _, "SSRC inside the router.")
SHAPE_STRUCT(rtp_encoding_mapping, RTP_ENCODING_MAPPING_FIELDS);

#define RTP_MAPPING_FIELDS(X, S)                                                                   \
    X(S, objs, codecs, "codecs", REQ, 0, 64, rtp_codec_mapping, "One entry a codec, RTX too.")     \
    X(S, objs, encodings, "encodings", REQ, 0, 16, rtp_encoding_mapping,                           \
      "One entry an encoding, in the order of the encodings.")
SHAPE_STRUCT(rtp_mapping, RTP_MAPPING_FIELDS);

#endif
