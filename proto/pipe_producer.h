/* Payloads of the pipe protocol: producers. Structs and tables only; no IO. */
#ifndef WEIR_PROTO_PIPE_PRODUCER_H
#define WEIR_PROTO_PIPE_PRODUCER_H

#include "proto/pipe_common.h"

#define PRODUCER_TRACE_TYPE_MAP(X)                                                                 \
    X(PRODUCER_TRACE_KEYFRAME, "keyframe", "A key frame begins.")                                  \
    X(PRODUCER_TRACE_FIR, "fir", "FIR was sent.")                                                  \
    X(PRODUCER_TRACE_NACK, "nack", "NACK was sent.")                                               \
    X(PRODUCER_TRACE_PLI, "pli", "PLI was sent.")                                                  \
    X(PRODUCER_TRACE_RTP, "rtp", "An RTP packet came.")                                            \
    X(PRODUCER_TRACE_SR, "sr", "An RTCP sender report came.")
CHOICE_ENUM(producer_trace_type, PRODUCER_TRACE_TYPE_MAP);

#define PRODUCER_DUMP_RESPONSE_FIELDS(X, S)                                                        \
    X(S, str, id, "id", REQ, 1, ID_MAX, _, "Id of the producer.")                                  \
    X(S, choice, kind, "kind", REQ, 0, 0, media_kind_names, "Audio or video.")                     \
    X(S, choice, type, "type", REQ, 0, 0, rtp_type_names, "simple, simulcast or svc.")             \
    X(S, obj, rtp_parameters, "rtpParameters", REQ, 0, 0, rtp_parameters, "As it was produced.")   \
    X(S, obj, rtp_mapping, "rtpMapping", REQ, 0, 0, rtp_mapping, "As it was produced.")            \
    X(S, objs, rtp_streams, "rtpStreams", REQ, 0, 64, rtp_stream_dump,                             \
      "Streams of which packets came.")                                                            \
    X(S, choices, trace_event_types, "traceEventTypes", REQ, 0, 8, producer_trace_type_names,      \
      "Traces that are on.")                                                                       \
    X(S, flag, paused, "paused", REQ, 0, 0, _, "Whether it is paused.")
SHAPE_STRUCT(producer_dump_response, PRODUCER_DUMP_RESPONSE_FIELDS);

#define PRODUCER_GET_STATS_RESPONSE_FIELDS(X, S)                                                   \
    X(S, objs, stats, "stats", REQ, 0, 64, rtp_stream_stat, "One entry a stream, inbound-rtp.")
SHAPE_STRUCT(producer_get_stats_response, PRODUCER_GET_STATS_RESPONSE_FIELDS);

#define PRODUCER_ENABLE_TRACE_EVENT_REQUEST_FIELDS(X, S)                                           \
    X(S, choices, events, "events", REQ, 0, 16, producer_trace_type_names,                         \
      "Traces that are to be on; all others go off.")
SHAPE_STRUCT(producer_enable_trace_event_request, PRODUCER_ENABLE_TRACE_EVENT_REQUEST_FIELDS);

#define PRODUCER_SEND_COMMAND_FIELDS(X, S)                                                         \
    X(S, str, data, "data", REQ, 16, PACKET_BASE64_MAX, _, "One RTP packet in base64.")
SHAPE_STRUCT(producer_send_command, PRODUCER_SEND_COMMAND_FIELDS);

/* ---- events ---- */

#define PRODUCER_SCORE_FIELDS(X, S)                                                                \
    X(S, u32, encoding_idx, "encodingIdx", REQ, 0, 255, _, "Index of the encoding.")               \
    X(S, u32, ssrc, "ssrc", REQ, 0, UINT32_MAX, _, "SSRC of the stream.")                          \
    X(S, str, rid, "rid", OPT, 0, RID_MAX, _, "RID of the stream.")                                \
    X(S, u8, score, "score", REQ, 0, 10, _, "Quality of transmission, 10 is best.")
SHAPE_STRUCT(producer_score, PRODUCER_SCORE_FIELDS);

#define PRODUCER_SCORE_EVENT_FIELDS(X, S)                                                          \
    X(S, objs, scores, "scores", REQ, 0, 64, producer_score, "One entry a stream.")
SHAPE_STRUCT(producer_score_event, PRODUCER_SCORE_EVENT_FIELDS);

#define PRODUCER_VIDEO_ORIENTATION_CHANGE_EVENT_FIELDS(X, S)                                       \
    X(S, flag, camera, "camera", REQ, 0, 0, _, "The camera faces away from the user.")             \
    X(S, flag, flip, "flip", REQ, 0, 0, _, "The picture is mirrored.")                             \
    X(S, u16, rotation, "rotation", REQ, 0, 270, _, "Clockwise degrees: 0, 90, 180 or 270.")
SHAPE_STRUCT(producer_video_orientation_change_event,
             PRODUCER_VIDEO_ORIENTATION_CHANGE_EVENT_FIELDS);

#define PRODUCER_VIDEO_SIZE_CHANGE_EVENT_FIELDS(X, S)                                              \
    X(S, u16, width, "width", REQ, 1, UINT16_MAX, _, "Pixels, before it is turned upright.")       \
    X(S, u16, height, "height", REQ, 1, UINT16_MAX, _, "Pixels, likewise.")
SHAPE_STRUCT(producer_video_size_change_event, PRODUCER_VIDEO_SIZE_CHANGE_EVENT_FIELDS);

#define PRODUCER_TRACE_EVENT_FIELDS(X, S)                                                          \
    X(S, choice, type, "type", REQ, 0, 0, producer_trace_type_names, "What was seen.")             \
    X(S, u64, timestamp, "timestamp", REQ, 0, SAFE_INTEGER_MAX, _,                                 \
      "When: milliseconds on the worker's monotonic clock.")                                       \
    X(S, choice, direction, "direction", REQ, 0, 0, trace_direction_names, "Received or sent.")    \
    X(S, obj, info, "info", OPT, 0, 0, rtp_trace_info, "Details; none for nack.")
SHAPE_STRUCT(producer_trace_event, PRODUCER_TRACE_EVENT_FIELDS);

#endif
