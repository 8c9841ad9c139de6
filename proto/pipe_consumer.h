/* Payloads of the pipe protocol: consumers. Structs and tables only; no IO. */
#ifndef WEIR_PROTO_PIPE_CONSUMER_H
#define WEIR_PROTO_PIPE_CONSUMER_H

#include "proto/pipe_common.h"

#define CONSUMER_TRACE_TYPE_MAP(X)                                                                 \
    X(CONSUMER_TRACE_KEYFRAME, "keyframe", "A key frame begins.")                                  \
    X(CONSUMER_TRACE_FIR, "fir", "FIR came.")                                                      \
    X(CONSUMER_TRACE_NACK, "nack", "NACK came.")                                                   \
    X(CONSUMER_TRACE_PLI, "pli", "PLI came.")                                                      \
    X(CONSUMER_TRACE_RTP, "rtp", "An RTP packet was sent.")
CHOICE_ENUM(consumer_trace_type, CONSUMER_TRACE_TYPE_MAP);

#define CONSUMER_LAYERS_FIELDS(X, S)                                                               \
    X(S, u8, spatial_layer, "spatialLayer", REQ, 0, 255, _, "Spatial layer, 0 is the lowest.")     \
    X(S, u8, temporal_layer, "temporalLayer", OPT, 0, 255, _,                                      \
      "Temporal layer, 0 is the lowest; the highest if left out.")
SHAPE_STRUCT(consumer_layers, CONSUMER_LAYERS_FIELDS);

#define CONSUMER_SCORE_FIELDS(X, S)                                                                \
    X(S, u8, score, "score", REQ, 0, 10, _, "Of what is sent to the consumer.")                    \
    X(S, u8, producer_score, "producerScore", REQ, 0, 10, _, "Of the stream that is consumed.")    \
    X(S, u8s, producer_scores, "producerScores", REQ, 0, 64, _,                                    \
      "Of all streams of the producer, from low to high.")
SHAPE_STRUCT(consumer_score, CONSUMER_SCORE_FIELDS);

#define CONSUMER_DUMP_RESPONSE_FIELDS(X, S)                                                        \
    X(S, str, id, "id", REQ, 1, ID_MAX, _, "Id of the consumer.")                                  \
    X(S, choice, type, "type", REQ, 0, 0, rtp_type_names, "simple, simulcast, svc or pipe.")       \
    X(S, str, producer_id, "producerId", REQ, 1, ID_MAX, _, "What is consumed.")                   \
    X(S, choice, kind, "kind", REQ, 0, 0, media_kind_names, "Audio or video.")                     \
    X(S, obj, rtp_parameters, "rtpParameters", REQ, 0, 0, rtp_parameters, "As it was consumed.")   \
    X(S, objs, consumable_rtp_encodings, "consumableRtpEncodings", REQ, 0, 16,                     \
      rtp_encoding_parameters, "As it was consumed.")                                              \
    X(S, u8s, supported_codec_payload_types, "supportedCodecPayloadTypes", REQ, 0, 128, _,         \
      "Payload types that are forwarded.")                                                         \
    X(S, choices, trace_event_types, "traceEventTypes", REQ, 0, 8, consumer_trace_type_names,      \
      "Traces that are on.")                                                                       \
    X(S, flag, paused, "paused", REQ, 0, 0, _, "Whether it is paused.")                            \
    X(S, flag, producer_paused, "producerPaused", REQ, 0, 0, _, "Whether its producer is.")        \
    X(S, u8, priority, "priority", REQ, 0, 255, _, "Priority; higher gets bits first.")            \
    X(S, objs, rtp_streams, "rtpStreams", REQ, 0, 64, rtp_stream_dump,                             \
      "What is sent: one stream, or, of pipe, one an encoding.")                                   \
    X(S, i64, preferred_spatial_layer, "preferredSpatialLayer", OPT, -1, 255, _,                   \
      "Of simulcast and svc: wished for.")                                                         \
    X(S, i64, target_spatial_layer, "targetSpatialLayer", OPT, -1, 255, _,                         \
      "Of simulcast and svc: aimed at now; -1: none.")                                             \
    X(S, i64, current_spatial_layer, "currentSpatialLayer", OPT, -1, 255, _,                       \
      "Of simulcast and svc: sent now; -1: none.")                                                 \
    X(S, i64, preferred_temporal_layer, "preferredTemporalLayer", OPT, -1, 255, _,                 \
      "Of simulcast and svc: wished for.")                                                         \
    X(S, i64, target_temporal_layer, "targetTemporalLayer", OPT, -1, 255, _,                       \
      "Of simulcast and svc: aimed at now; -1: none.")                                             \
    X(S, i64, current_temporal_layer, "currentTemporalLayer", OPT, -1, 255, _,                     \
      "Of simulcast and svc: sent now; -1: none.")
SHAPE_STRUCT(consumer_dump_response, CONSUMER_DUMP_RESPONSE_FIELDS);

#define CONSUMER_GET_STATS_RESPONSE_FIELDS(X, S)                                                   \
    X(S, objs, stats, "stats", REQ, 0, 64, rtp_stream_stat,                                        \
      "What is sent (outbound-rtp), then what it is made of (inbound-rtp).")
SHAPE_STRUCT(consumer_get_stats_response, CONSUMER_GET_STATS_RESPONSE_FIELDS);

#define CONSUMER_SET_PREFERRED_LAYERS_REQUEST_FIELDS(X, S)                                         \
    X(S, obj, preferred_layers, "preferredLayers", REQ, 0, 0, consumer_layers, "Wished for.")
SHAPE_STRUCT(consumer_set_preferred_layers_request, CONSUMER_SET_PREFERRED_LAYERS_REQUEST_FIELDS);

#define CONSUMER_SET_PREFERRED_LAYERS_RESPONSE_FIELDS(X, S)                                        \
    X(S, obj, preferred_layers, "preferredLayers", OPT, 0, 0, consumer_layers,                     \
      "What counts now; left out where the consumer has no layers.")
SHAPE_STRUCT(consumer_set_preferred_layers_response, CONSUMER_SET_PREFERRED_LAYERS_RESPONSE_FIELDS);

#define CONSUMER_SET_PRIORITY_REQUEST_FIELDS(X, S)                                                 \
    X(S, u8, priority, "priority", REQ, 1, 255, _, "Higher gets bits first; 1 at the start.")
SHAPE_STRUCT(consumer_set_priority_request, CONSUMER_SET_PRIORITY_REQUEST_FIELDS);

#define CONSUMER_SET_PRIORITY_RESPONSE_FIELDS(X, S)                                                \
    X(S, u8, priority, "priority", REQ, 1, 255, _, "What counts now.")
SHAPE_STRUCT(consumer_set_priority_response, CONSUMER_SET_PRIORITY_RESPONSE_FIELDS);

#define CONSUMER_ENABLE_TRACE_EVENT_REQUEST_FIELDS(X, S)                                           \
    X(S, choices, events, "events", REQ, 0, 16, consumer_trace_type_names,                         \
      "Traces that are to be on; all others go off.")
SHAPE_STRUCT(consumer_enable_trace_event_request, CONSUMER_ENABLE_TRACE_EVENT_REQUEST_FIELDS);

/* ---- events ---- */

#define CONSUMER_SCORE_EVENT_FIELDS(X, S)                                                          \
    X(S, obj, score, "score", REQ, 0, 0, consumer_score, "The new scores.")
SHAPE_STRUCT(consumer_score_event, CONSUMER_SCORE_EVENT_FIELDS);

#define CONSUMER_LAYERS_CHANGE_EVENT_FIELDS(X, S)                                                  \
    X(S, obj, layers, "layers", OPT, 0, 0, consumer_layers, "Sent now; left out: none.")
SHAPE_STRUCT(consumer_layers_change_event, CONSUMER_LAYERS_CHANGE_EVENT_FIELDS);

#define CONSUMER_RTP_EVENT_FIELDS(X, S)                                                            \
    X(S, str, data, "data", REQ, 16, PACKET_BASE64_MAX, _, "One RTP packet in base64.")
SHAPE_STRUCT(consumer_rtp_event, CONSUMER_RTP_EVENT_FIELDS);

#define CONSUMER_TRACE_EVENT_FIELDS(X, S)                                                          \
    X(S, choice, type, "type", REQ, 0, 0, consumer_trace_type_names, "What was seen.")             \
    X(S, u64, timestamp, "timestamp", REQ, 0, SAFE_INTEGER_MAX, _,                                 \
      "When: milliseconds on the worker's monotonic clock.")                                       \
    X(S, choice, direction, "direction", REQ, 0, 0, trace_direction_names, "Received or sent.")    \
    X(S, obj, info, "info", OPT, 0, 0, rtp_trace_info, "Details; none for nack.")
SHAPE_STRUCT(consumer_trace_event, CONSUMER_TRACE_EVENT_FIELDS);

#endif
