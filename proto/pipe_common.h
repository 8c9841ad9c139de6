/* Parts that several payloads of the pipe protocol share: id tables, RTP stream dumps and
 * statistics, traces. Structs and tables only; no IO. */
#ifndef WEIR_PROTO_PIPE_COMMON_H
#define WEIR_PROTO_PIPE_COMMON_H

#include "proto/transport_parameters.h"

/* Base64 of one packet of at most 2 kB, and of one data-channel message. */
enum { PACKET_BASE64_MAX = 2800, MESSAGE_BASE64_MAX = 3 << 20 };
/* Most ids in one list of a dump. */
enum { DUMP_IDS_MAX = 65536 };

/* ---- maps, as arrays of objects ---- */

#define KEY_STRING_FIELDS(X, S)                                                                    \
    X(S, str, key, "key", REQ, 0, 255, _, "What stands for the value.")                            \
    X(S, str, value, "value", REQ, 0, 255, _, "What the key stands for.")
SHAPE_STRUCT(key_string, KEY_STRING_FIELDS);

#define KEY_STRINGS_FIELDS(X, S)                                                                   \
    X(S, str, key, "key", REQ, 0, 255, _, "What stands for the values.")                           \
    X(S, strs, values, "values", REQ, 0, DUMP_IDS_MAX, _, "What the key stands for.")
SHAPE_STRUCT(key_strings, KEY_STRINGS_FIELDS);

#define NUMBER_STRING_FIELDS(X, S)                                                                 \
    X(S, u32, key, "key", REQ, 0, UINT32_MAX, _, "What stands for the value.")                     \
    X(S, str, value, "value", REQ, 0, 255, _, "What the key stands for.")
SHAPE_STRUCT(number_string, NUMBER_STRING_FIELDS);

/* ---- RTP streams ---- */

#define RTX_STREAM_PARAMS_FIELDS(X, S)                                                             \
    X(S, u32, ssrc, "ssrc", REQ, 0, UINT32_MAX, _, "SSRC of the stream.")                          \
    X(S, u8, payload_type, "payloadType", REQ, 0, 127, _, "RTP payload type.")                     \
    X(S, str, mime_type, "mimeType", REQ, 1, 64, _, "For example video/rtx.")                      \
    X(S, u32, clock_rate, "clockRate", REQ, 1, 1000000, _, "RTP clock in Hz.")                     \
    X(S, str, rrid, "rrid", OPT, 0, RID_MAX, _, "Repaired RTP stream id.")                         \
    X(S, str, cname, "cname", REQ, 0, CNAME_MAX, _, "Canonical name of the sender (RTCP SDES).")
SHAPE_STRUCT(rtx_stream_params, RTX_STREAM_PARAMS_FIELDS);

#define RTX_STREAM_DUMP_FIELDS(X, S)                                                               \
    X(S, obj, params, "params", REQ, 0, 0, rtx_stream_params, "What the stream was made with.")
SHAPE_STRUCT(rtx_stream_dump, RTX_STREAM_DUMP_FIELDS);

#define RTP_STREAM_PARAMS_FIELDS(X, S)                                                             \
    X(S, u32, encoding_idx, "encodingIdx", REQ, 0, 255, _, "Index of the encoding.")               \
    X(S, u32, ssrc, "ssrc", REQ, 0, UINT32_MAX, _, "SSRC of the stream.")                          \
    X(S, u8, payload_type, "payloadType", REQ, 0, 127, _, "RTP payload type.")                     \
    X(S, str, mime_type, "mimeType", REQ, 1, 64, _, "Codec, for example video/VP8.")               \
    X(S, u32, clock_rate, "clockRate", REQ, 1, 1000000, _, "RTP clock in Hz.")                     \
    X(S, str, rid, "rid", OPT, 0, RID_MAX, _, "RTP stream id.")                                    \
    X(S, str, cname, "cname", REQ, 0, CNAME_MAX, _, "Canonical name of the sender (RTCP SDES).")   \
    X(S, u32, rtx_ssrc, "rtxSsrc", OPT, 0, UINT32_MAX, _, "SSRC of the retransmissions.")          \
    X(S, u8, rtx_payload_type, "rtxPayloadType", OPT, 0, 127, _,                                   \
      "Payload type of the retransmissions.")                                                      \
    X(S, flag, use_nack, "useNack", REQ, 0, 0, _, "Losses are reported by NACK.")                  \
    X(S, flag, use_pli, "usePli", REQ, 0, 0, _, "Key frames are asked for by PLI.")                \
    X(S, flag, use_fir, "useFir", REQ, 0, 0, _, "Key frames are asked for by FIR.")                \
    X(S, flag, use_in_band_fec, "useInBandFec", REQ, 0, 0, _, "Opus in-band FEC is on.")           \
    X(S, flag, use_dtx, "useDtx", REQ, 0, 0, _, "Silence is not sent.")                            \
    X(S, u8, spatial_layers, "spatialLayers", REQ, 0, 255, _, "How many spatial layers it has.")   \
    X(S, u8, temporal_layers, "temporalLayers", REQ, 0, 255, _, "How many temporal layers it has.")
SHAPE_STRUCT(rtp_stream_params, RTP_STREAM_PARAMS_FIELDS);

#define RTP_STREAM_DUMP_FIELDS(X, S)                                                               \
    X(S, obj, params, "params", REQ, 0, 0, rtp_stream_params, "What the stream was made with.")    \
    X(S, u8, score, "score", REQ, 0, 10, _, "Quality of transmission, 10 is best.")                \
    X(S, obj, rtx_stream, "rtxStream", OPT, 0, 0, rtx_stream_dump, "Its retransmission stream.")
SHAPE_STRUCT(rtp_stream_dump, RTP_STREAM_DUMP_FIELDS);

#define RTP_STAT_TYPE_MAP(X)                                                                       \
    X(RTP_STAT_INBOUND, "inbound-rtp", "A stream that a producer receives.")                       \
    X(RTP_STAT_OUTBOUND, "outbound-rtp", "A stream that a consumer sends.")
CHOICE_ENUM(rtp_stat_type, RTP_STAT_TYPE_MAP);

#define RTP_STREAM_STAT_FIELDS(X, S)                                                               \
    X(S, choice, type, "type", REQ, 0, 0, rtp_stat_type_names, "Received or sent.")                \
    X(S, u64, timestamp, "timestamp", REQ, 0, SAFE_INTEGER_MAX, _,                                 \
      "When this was read: milliseconds on the worker's monotonic clock.")                         \
    X(S, u32, ssrc, "ssrc", REQ, 0, UINT32_MAX, _, "SSRC of the stream.")                          \
    X(S, u32, rtx_ssrc, "rtxSsrc", OPT, 0, UINT32_MAX, _, "SSRC of the retransmissions.")          \
    X(S, str, rid, "rid", OPT, 0, RID_MAX, _, "RTP stream id.")                                    \
    X(S, choice, kind, "kind", REQ, 0, 0, media_kind_names, "Audio or video.")                     \
    X(S, str, mime_type, "mimeType", REQ, 1, 64, _, "Codec, for example video/VP8.")               \
    X(S, i64, packets_lost, "packetsLost", REQ, -INT64_C(0x80000000), INT64_C(0x7fffffff), _,      \
      "Cumulative loss (RFC 3550 6.4.1); negative where duplicates came.")                         \
    X(S, u8, fraction_lost, "fractionLost", REQ, 0, 255, _,                                        \
      "Loss since the report before, in 1/256 (RFC 3550 6.4.1).")                                  \
    X(S, u32, jitter, "jitter", REQ, 0, UINT32_MAX, _, "Interarrival jitter in RTP clock ticks.")  \
    X(S, u64, packets_discarded, "packetsDiscarded", REQ, 0, SAFE_INTEGER_MAX, _,                  \
      "Packets that came but were of no use.")                                                     \
    X(S, u64, packets_retransmitted, "packetsRetransmitted", REQ, 0, SAFE_INTEGER_MAX, _,          \
      "Packets that came or went as retransmissions.")                                             \
    X(S, u64, packets_repaired, "packetsRepaired", REQ, 0, SAFE_INTEGER_MAX, _,                    \
      "Losses that retransmission made good.")                                                     \
    X(S, u64, nack_count, "nackCount", REQ, 0, SAFE_INTEGER_MAX, _,                                \
      "NACK messages received or sent.")                                                           \
    X(S, u64, nack_packet_count, "nackPacketCount", REQ, 0, SAFE_INTEGER_MAX, _,                   \
      "Packets that the NACK messages asked for.")                                                 \
    X(S, u64, pli_count, "pliCount", REQ, 0, SAFE_INTEGER_MAX, _,                                  \
      "PLI messages received or sent.")                                                            \
    X(S, u64, fir_count, "firCount", REQ, 0, SAFE_INTEGER_MAX, _,                                  \
      "FIR messages received or sent.")                                                            \
    X(S, u64, rtx_packets_discarded, "rtxPacketsDiscarded", OPT, 0, SAFE_INTEGER_MAX, _,           \
      "Retransmissions that were of no use.")                                                      \
    X(S, f64, round_trip_time, "roundTripTime", OPT, 0, UINT32_MAX, _,                             \
      "Milliseconds, once an RTCP report told.")                                                   \
    X(S, u8, score, "score", REQ, 0, 10, _, "Quality of transmission, 10 is best.")                \
    X(S, u64, packet_count, "packetCount", REQ, 0, SAFE_INTEGER_MAX, _,                            \
      "RTP packets received or sent.")                                                             \
    X(S, u64, byte_count, "byteCount", REQ, 0, SAFE_INTEGER_MAX, _, "Bytes of RTP, with header.")  \
    X(S, u64, bitrate, "bitrate", REQ, 0, BITRATE_MAX, _, "Bits per second, lately.")              \
    X(S, dict, bitrate_by_layer, "bitrateByLayer", OPT, 0, 64, _,                                  \
      "Inbound: bits per second of each layer, by \"spatial.temporal\".")
SHAPE_STRUCT(rtp_stream_stat, RTP_STREAM_STAT_FIELDS);

/* ---- traces: single packets, told one by one to whoever looks for a fault ---- */

#define TRACE_DIRECTION_MAP(X)                                                                     \
    X(TRACE_IN, "in", "Received from the peer.")                                                   \
    X(TRACE_OUT, "out", "Sent to the peer.")
CHOICE_ENUM(trace_direction, TRACE_DIRECTION_MAP);

#define RTP_PACKET_DUMP_FIELDS(X, S)                                                               \
    X(S, u8, payload_type, "payloadType", REQ, 0, 127, _, "RTP payload type.")                     \
    X(S, u16, sequence_number, "sequenceNumber", REQ, 0, UINT16_MAX, _, "RTP sequence number.")    \
    X(S, u32, timestamp, "timestamp", REQ, 0, UINT32_MAX, _, "RTP timestamp.")                     \
    X(S, flag, marker, "marker", REQ, 0, 0, _, "RTP marker bit.")                                  \
    X(S, u32, ssrc, "ssrc", REQ, 0, UINT32_MAX, _, "SSRC of the packet.")                          \
    X(S, flag, is_key_frame, "isKeyFrame", REQ, 0, 0, _, "Begins a key frame.")                    \
    X(S, u64, size, "size", REQ, 0, 65535, _, "Bytes, with header.")                               \
    X(S, u64, payload_size, "payloadSize", REQ, 0, 65535, _, "Bytes of payload.")                  \
    X(S, u8, spatial_layer, "spatialLayer", REQ, 0, 255, _, "Spatial layer of the packet.")        \
    X(S, u8, temporal_layer, "temporalLayer", REQ, 0, 255, _, "Temporal layer of the packet.")     \
    X(S, str, mid, "mid", OPT, 0, MID_MAX, _, "Value of the MID extension.")                       \
    X(S, str, rid, "rid", OPT, 0, RID_MAX, _, "Value of the RID extension.")                       \
    X(S, str, rrid, "rrid", OPT, 0, RID_MAX, _, "Value of the repaired RID extension.")            \
    X(S, u16, wide_sequence_number, "wideSequenceNumber", OPT, 0, UINT16_MAX, _,                   \
      "Transport-wide sequence number.")
SHAPE_STRUCT(rtp_packet_dump, RTP_PACKET_DUMP_FIELDS);

#define RTP_TRACE_INFO_FIELDS(X, S)                                                                \
    X(S, obj, rtp_packet, "rtpPacket", OPT, 0, 0, rtp_packet_dump, "Of rtp and keyframe.")         \
    X(S, flag, is_rtx, "isRtx", OPT, 0, 0, _, "Of rtp and keyframe: came as a retransmission.")    \
    X(S, u32, ssrc, "ssrc", OPT, 0, UINT32_MAX, _, "Of pli, fir and sr.")                          \
    X(S, u32, ntp_sec, "ntpSec", OPT, 0, UINT32_MAX, _, "Of sr: NTP seconds.")                     \
    X(S, u32, ntp_frac, "ntpFrac", OPT, 0, UINT32_MAX, _, "Of sr: NTP fraction.")                  \
    X(S, u32, rtp_ts, "rtpTs", OPT, 0, UINT32_MAX, _, "Of sr: RTP timestamp.")                     \
    X(S, u32, packet_count, "packetCount", OPT, 0, UINT32_MAX, _, "Of sr: packets sent.")          \
    X(S, u32, octet_count, "octetCount", OPT, 0, UINT32_MAX, _, "Of sr: payload bytes sent.")
SHAPE_STRUCT(rtp_trace_info, RTP_TRACE_INFO_FIELDS);

#endif
