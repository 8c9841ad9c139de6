/* Payloads of the pipe protocol: events of transports. Structs and tables only; no IO. */
#ifndef WEIR_PROTO_PIPE_TRANSPORT_EVENT_H
#define WEIR_PROTO_PIPE_TRANSPORT_EVENT_H

#include "proto/pipe_transport.h"

#define TRANSPORT_SCTP_STATE_CHANGE_EVENT_FIELDS(X, S)                                             \
    X(S, choice, sctp_state, "sctpState", REQ, 0, 0, param_sctp_state_names, "The new state.")
SHAPE_STRUCT(transport_sctp_state_change_event, TRANSPORT_SCTP_STATE_CHANGE_EVENT_FIELDS);

#define TRANSPORT_SCTP_NEGOTIATED_CAPABILITIES_EVENT_FIELDS(X, S)                                  \
    X(S, obj, negotiated_capabilities, "negotiatedCapabilities", REQ, 0, 0,                        \
      sctp_negotiated_capabilities, "What both sides agreed on.")
SHAPE_STRUCT(transport_sctp_negotiated_capabilities_event,
             TRANSPORT_SCTP_NEGOTIATED_CAPABILITIES_EVENT_FIELDS);

#define BWE_TRACE_INFO_FIELDS(X, S)                                                                \
    X(S, choice, bwe_type, "bweType", REQ, 0, 0, bwe_type_names, "Where the estimate is from.")    \
    X(S, u64, desired_bitrate, "desiredBitrate", REQ, 0, BITRATE_MAX, _,                           \
      "What all consumers would use.")                                                             \
    X(S, u64, effective_desired_bitrate, "effectiveDesiredBitrate", REQ, 0, BITRATE_MAX, _,        \
      "The same, within the limits.")                                                              \
    X(S, u64, min_bitrate, "minBitrate", REQ, 0, BITRATE_MAX, _, "Lower limit.")                   \
    X(S, u64, max_bitrate, "maxBitrate", REQ, 0, BITRATE_MAX, _, "Upper limit.")                   \
    X(S, u64, start_bitrate, "startBitrate", REQ, 0, BITRATE_MAX, _, "Where it started.")          \
    X(S, u64, max_padding_bitrate, "maxPaddingBitrate", REQ, 0, BITRATE_MAX, _,                    \
      "Most that probing may add.")                                                                \
    X(S, u64, available_bitrate, "availableBitrate", REQ, 0, BITRATE_MAX, _, "The estimate.")
SHAPE_STRUCT(bwe_trace_info, BWE_TRACE_INFO_FIELDS);

#define TRANSPORT_TRACE_EVENT_FIELDS(X, S)                                                         \
    X(S, choice, type, "type", REQ, 0, 0, transport_trace_type_names, "What was seen.")            \
    X(S, u64, timestamp, "timestamp", REQ, 0, SAFE_INTEGER_MAX, _,                                 \
      "When: milliseconds on the worker's monotonic clock.")                                       \
    X(S, choice, direction, "direction", REQ, 0, 0, trace_direction_names, "Received or sent.")    \
    X(S, obj, info, "info", OPT, 0, 0, bwe_trace_info, "Of bwe: details.")
SHAPE_STRUCT(transport_trace_event, TRANSPORT_TRACE_EVENT_FIELDS);

#define WEBRTC_TRANSPORT_ICE_SELECTED_TUPLE_CHANGE_EVENT_FIELDS(X, S)                              \
    X(S, obj, tuple, "tuple", REQ, 0, 0, transport_tuple, "Where media goes from now on.")
SHAPE_STRUCT(webrtc_transport_ice_selected_tuple_change_event,
             WEBRTC_TRANSPORT_ICE_SELECTED_TUPLE_CHANGE_EVENT_FIELDS);

#define WEBRTC_TRANSPORT_ICE_STATE_CHANGE_EVENT_FIELDS(X, S)                                       \
    X(S, choice, ice_state, "iceState", REQ, 0, 0, param_ice_state_names, "The new state.")
SHAPE_STRUCT(webrtc_transport_ice_state_change_event,
             WEBRTC_TRANSPORT_ICE_STATE_CHANGE_EVENT_FIELDS);

#define WEBRTC_TRANSPORT_DTLS_STATE_CHANGE_EVENT_FIELDS(X, S)                                      \
    X(S, choice, dtls_state, "dtlsState", REQ, 0, 0, param_dtls_state_names, "The new state.")     \
    X(S, str, remote_cert, "remoteCert", OPT, 0, 16384, _,                                         \
      "Of connected: the peer's certificate as PEM.")
SHAPE_STRUCT(webrtc_transport_dtls_state_change_event,
             WEBRTC_TRANSPORT_DTLS_STATE_CHANGE_EVENT_FIELDS);

/* Of plainTransport.tuple and plainTransport.rtcpTuple. */
#define PLAIN_TRANSPORT_TUPLE_EVENT_FIELDS(X, S)                                                   \
    X(S, obj, tuple, "tuple", REQ, 0, 0, transport_tuple, "With the address that was learnt.")
SHAPE_STRUCT(plain_transport_tuple_event, PLAIN_TRANSPORT_TUPLE_EVENT_FIELDS);

#define DIRECT_TRANSPORT_RTCP_EVENT_FIELDS(X, S)                                                   \
    X(S, str, data, "data", REQ, 8, PACKET_BASE64_MAX, _, "One RTCP packet in base64.")
SHAPE_STRUCT(direct_transport_rtcp_event, DIRECT_TRANSPORT_RTCP_EVENT_FIELDS);

#endif
