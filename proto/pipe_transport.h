/* Payloads of the pipe protocol: transports of all four kinds, and what is created in them. Structs
 * and tables only; no IO. */
#ifndef WEIR_PROTO_PIPE_TRANSPORT_H
#define WEIR_PROTO_PIPE_TRANSPORT_H

#include "proto/pipe_common.h"
#include "proto/pipe_consumer.h"
#include "proto/pipe_data.h"

#define TRANSPORT_TYPE_MAP(X)                                                                      \
    X(TRANSPORT_TYPE_WEBRTC, "webrtc", "ICE, DTLS and SRTP, for browsers.")                        \
    X(TRANSPORT_TYPE_PLAIN, "plain", "RTP or SRTP with given keys, for ffmpeg and the like.")      \
    X(TRANSPORT_TYPE_PIPE, "pipe", "Between routers of different workers or hosts.")               \
    X(TRANSPORT_TYPE_DIRECT, "direct", "From and to the controller, over this pipe.")
CHOICE_ENUM(transport_type, TRANSPORT_TYPE_MAP);

#define TRANSPORT_STAT_TYPE_MAP(X)                                                                 \
    X(TRANSPORT_STAT_WEBRTC, "webrtc-transport", "A WebRTC transport.")                            \
    X(TRANSPORT_STAT_PLAIN, "plain-rtp-transport", "A plain transport.")                           \
    X(TRANSPORT_STAT_PIPE, "pipe-transport", "A pipe transport.")                                  \
    X(TRANSPORT_STAT_DIRECT, "direct-transport", "A direct transport.")
CHOICE_ENUM(transport_stat_type, TRANSPORT_STAT_TYPE_MAP);

#define TRANSPORT_TRACE_TYPE_MAP(X)                                                                \
    X(TRANSPORT_TRACE_PROBATION, "probation", "A probation packet was sent.")                      \
    X(TRANSPORT_TRACE_BWE, "bwe", "The bandwidth estimate changed.")
CHOICE_ENUM(transport_trace_type, TRANSPORT_TRACE_TYPE_MAP);

#define BWE_TYPE_MAP(X)                                                                            \
    X(BWE_TYPE_TRANSPORT_CC, "transport-cc", "By transport-wide feedback.")                        \
    X(BWE_TYPE_REMB, "remb", "By the receiver's estimate.")
CHOICE_ENUM(bwe_type, BWE_TYPE_MAP);

/* ---- dump ---- */

#define RECV_RTP_HEADER_EXTENSIONS_FIELDS(X, S)                                                    \
    X(S, u8, mid, "mid", OPT, 1, 255, _, "Id of MID.")                                             \
    X(S, u8, rid, "rid", OPT, 1, 255, _, "Id of RID.")                                             \
    X(S, u8, rrid, "rrid", OPT, 1, 255, _, "Id of repaired RID.")                                  \
    X(S, u8, abs_send_time, "absSendTime", OPT, 1, 255, _, "Id of abs-send-time.")                 \
    X(S, u8, transport_wide_cc01, "transportWideCc01", OPT, 1, 255, _, "Id of transport-wide-cc.")
SHAPE_STRUCT(recv_rtp_header_extensions, RECV_RTP_HEADER_EXTENSIONS_FIELDS);

#define RTP_LISTENER_DUMP_FIELDS(X, S)                                                             \
    X(S, objs, ssrc_table, "ssrcTable", REQ, 0, DUMP_IDS_MAX, number_string, "Producer by SSRC.")  \
    X(S, objs, mid_table, "midTable", REQ, 0, DUMP_IDS_MAX, key_string, "Producer by MID.")        \
    X(S, objs, rid_table, "ridTable", REQ, 0, DUMP_IDS_MAX, key_string, "Producer by RID.")
SHAPE_STRUCT(rtp_listener_dump, RTP_LISTENER_DUMP_FIELDS);

#define SCTP_LISTENER_DUMP_FIELDS(X, S)                                                            \
    X(S, objs, stream_id_table, "streamIdTable", REQ, 0, DUMP_IDS_MAX, number_string,              \
      "Data producer by SCTP stream.")
SHAPE_STRUCT(sctp_listener_dump, SCTP_LISTENER_DUMP_FIELDS);

#define TRANSPORT_DUMP_RESPONSE_FIELDS(X, S)                                                       \
    X(S, str, id, "id", REQ, 1, ID_MAX, _, "Id of the transport.")                                 \
    X(S, choice, type, "type", REQ, 0, 0, transport_type_names, "Which kind of transport.")        \
    X(S, strs, producer_ids, "producerIds", REQ, 0, DUMP_IDS_MAX, _, "Producers in it.")           \
    X(S, strs, consumer_ids, "consumerIds", REQ, 0, DUMP_IDS_MAX, _, "Consumers in it.")           \
    X(S, objs, map_ssrc_consumer_id, "mapSsrcConsumerId", REQ, 0, DUMP_IDS_MAX, number_string,     \
      "Consumer by SSRC.")                                                                         \
    X(S, objs, map_rtx_ssrc_consumer_id, "mapRtxSsrcConsumerId", REQ, 0, DUMP_IDS_MAX,             \
      number_string, "Consumer by SSRC of its retransmissions.")                                   \
    X(S, strs, data_producer_ids, "dataProducerIds", REQ, 0, DUMP_IDS_MAX, _,                      \
      "Data producers in it.")                                                                     \
    X(S, strs, data_consumer_ids, "dataConsumerIds", REQ, 0, DUMP_IDS_MAX, _,                      \
      "Data consumers in it.")                                                                     \
    X(S, obj, recv_rtp_header_extensions, "recvRtpHeaderExtensions", REQ, 0, 0,                    \
      recv_rtp_header_extensions, "Ids of header extensions in what is received.")                 \
    X(S, obj, rtp_listener, "rtpListener", REQ, 0, 0, rtp_listener_dump,                           \
      "How received packets find their producer.")                                                 \
    X(S, u32, max_send_message_size, "maxSendMessageSize", REQ, 0, UINT32_MAX, _,                  \
      "Bytes a message that data consumers send at most.")                                         \
    X(S, u32, max_receive_message_size, "maxReceiveMessageSize", REQ, 0, UINT32_MAX, _,            \
      "Bytes a message that data producers take at most.")                                         \
    X(S, obj, sctp_parameters, "sctpParameters", OPT, 0, 0, sctp_parameters,                       \
      "With SCTP: the worker\'s.")                                                                 \
    X(S, choice, sctp_state, "sctpState", OPT, 0, 0, param_sctp_state_names,                       \
      "With SCTP: state of the association.")                                                      \
    X(S, obj, sctp_negotiated_capabilities, "sctpNegotiatedCapabilities", OPT, 0, 0,               \
      sctp_negotiated_capabilities, "With SCTP, once connected.")                                  \
    X(S, obj, sctp_listener, "sctpListener", OPT, 0, 0, sctp_listener_dump,                        \
      "With SCTP: how messages find their data producer.")                                         \
    X(S, choices, trace_event_types, "traceEventTypes", REQ, 0, 8, transport_trace_type_names,     \
      "Traces that are on.")                                                                       \
    X(S, choice, ice_role, "iceRole", OPT, 0, 0, param_ice_role_names,                             \
      "WebRTC: always controlled.")                                                                \
    X(S, obj, ice_parameters, "iceParameters", OPT, 0, 0, ice_parameters, "WebRTC: the worker's.") \
    X(S, objs, ice_candidates, "iceCandidates", OPT, 0, 64, ice_candidate,                         \
      "WebRTC: the worker's.")                                                                     \
    X(S, choice, ice_state, "iceState", OPT, 0, 0, param_ice_state_names, "WebRTC: state of ICE.") \
    X(S, obj, ice_selected_tuple, "iceSelectedTuple", OPT, 0, 0, transport_tuple,                  \
      "WebRTC: where media goes to, once there is a pair.")                                        \
    X(S, obj, dtls_parameters, "dtlsParameters", OPT, 0, 0, dtls_parameters,                       \
      "WebRTC: the worker's.")                                                                     \
    X(S, choice, dtls_state, "dtlsState", OPT, 0, 0, param_dtls_state_names,                       \
      "WebRTC: state of DTLS.")                                                                    \
    X(S, str, dtls_remote_cert, "dtlsRemoteCert", OPT, 0, 16384, _,                                \
      "WebRTC: the peer's certificate as PEM, once connected.")                                    \
    X(S, flag, rtcp_mux, "rtcpMux", OPT, 0, 0, _, "Plain: RTCP on the RTP port.")                  \
    X(S, flag, comedia, "comedia", OPT, 0, 0, _,                                                   \
      "Plain: the address is learnt from the first packet.")                                       \
    X(S, obj, tuple, "tuple", OPT, 0, 0, transport_tuple, "Plain and pipe: of RTP.")               \
    X(S, obj, rtcp_tuple, "rtcpTuple", OPT, 0, 0, transport_tuple,                                 \
      "Plain without rtcpMux: of RTCP.")                                                           \
    X(S, flag, rtx, "rtx", OPT, 0, 0, _, "Pipe: whether RTX is on.")                               \
    X(S, obj, srtp_parameters, "srtpParameters", OPT, 0, 0, srtp_parameters,                       \
      "Plain and pipe with SRTP: what the worker sends with.")
SHAPE_STRUCT(transport_dump_response, TRANSPORT_DUMP_RESPONSE_FIELDS);

/* ---- statistics ---- */

#define TRANSPORT_BYTES(X, S, m, json, doc) X(S, u64, m, json, REQ, 0, SAFE_INTEGER_MAX, _, doc)
#define TRANSPORT_RATE(X, S, presence, m, json, doc)                                               \
    X(S, u64, m, json, presence, 0, BITRATE_MAX, _, doc)
#define TRANSPORT_GET_STATS_RESPONSE_FIELDS(X, S)                                                  \
    X(S, choice, type, "type", REQ, 0, 0, transport_stat_type_names, "Which kind of transport.")   \
    X(S, str, transport_id, "transportId", REQ, 1, ID_MAX, _, "Id of the transport.")              \
    X(S, u64, timestamp, "timestamp", REQ, 0, SAFE_INTEGER_MAX, _,                                 \
      "When this was read: milliseconds on the worker's monotonic clock.")                         \
    X(S, choice, sctp_state, "sctpState", OPT, 0, 0, param_sctp_state_names,                       \
      "With SCTP: state of the association.")                                                      \
    TRANSPORT_BYTES(X, S, bytes_received, "bytesReceived", "All bytes received.")                  \
    TRANSPORT_RATE(X, S, REQ, recv_bitrate, "recvBitrate", "The same, bits per second lately.")    \
    TRANSPORT_BYTES(X, S, bytes_sent, "bytesSent", "All bytes sent.")                              \
    TRANSPORT_RATE(X, S, REQ, send_bitrate, "sendBitrate", "The same, bits per second lately.")    \
    TRANSPORT_BYTES(X, S, rtp_bytes_received, "rtpBytesReceived", "RTP bytes received.")           \
    TRANSPORT_RATE(X, S, REQ, rtp_recv_bitrate, "rtpRecvBitrate",                                  \
                   "The same, bits per second lately.")                                            \
    TRANSPORT_BYTES(X, S, rtp_bytes_sent, "rtpBytesSent", "RTP bytes sent.")                       \
    TRANSPORT_RATE(X, S, REQ, rtp_send_bitrate, "rtpSendBitrate",                                  \
                   "The same, bits per second lately.")                                            \
    TRANSPORT_BYTES(X, S, rtx_bytes_received, "rtxBytesReceived", "Retransmissions received.")     \
    TRANSPORT_RATE(X, S, REQ, rtx_recv_bitrate, "rtxRecvBitrate",                                  \
                   "The same, bits per second lately.")                                            \
    TRANSPORT_BYTES(X, S, rtx_bytes_sent, "rtxBytesSent", "Retransmissions sent.")                 \
    TRANSPORT_RATE(X, S, REQ, rtx_send_bitrate, "rtxSendBitrate",                                  \
                   "The same, bits per second lately.")                                            \
    TRANSPORT_BYTES(X, S, probation_bytes_sent, "probationBytesSent", "Probation bytes sent.")     \
    TRANSPORT_RATE(X, S, REQ, probation_send_bitrate, "probationSendBitrate",                      \
                   "The same, bits per second lately.")                                            \
    TRANSPORT_RATE(X, S, OPT, available_outgoing_bitrate, "availableOutgoingBitrate",              \
                   "Estimate of what can be sent.")                                                \
    TRANSPORT_RATE(X, S, OPT, available_incoming_bitrate, "availableIncomingBitrate",              \
                   "Estimate of what can be received.")                                            \
    TRANSPORT_RATE(X, S, OPT, max_incoming_bitrate, "maxIncomingBitrate", "Limit, where set.")     \
    TRANSPORT_RATE(X, S, OPT, max_outgoing_bitrate, "maxOutgoingBitrate", "Limit, where set.")     \
    TRANSPORT_RATE(X, S, OPT, min_outgoing_bitrate, "minOutgoingBitrate", "Limit, where set.")     \
    X(S, f64, rtp_packet_loss_received, "rtpPacketLossReceived", OPT, 0, 1, _,                     \
      "Fraction of packets lost on the way in.")                                                   \
    X(S, f64, rtp_packet_loss_sent, "rtpPacketLossSent", OPT, 0, 1, _,                             \
      "Fraction of packets lost on the way out.")                                                  \
    X(S, choice, ice_role, "iceRole", OPT, 0, 0, param_ice_role_names,                             \
      "WebRTC: always controlled.")                                                                \
    X(S, choice, ice_state, "iceState", OPT, 0, 0, param_ice_state_names, "WebRTC: state of ICE.") \
    X(S, obj, ice_selected_tuple, "iceSelectedTuple", OPT, 0, 0, transport_tuple,                  \
      "WebRTC: where media goes to.")                                                              \
    X(S, choice, dtls_state, "dtlsState", OPT, 0, 0, param_dtls_state_names,                       \
      "WebRTC: state of DTLS.")                                                                    \
    X(S, flag, rtcp_mux, "rtcpMux", OPT, 0, 0, _, "Plain: RTCP on the RTP port.")                  \
    X(S, flag, comedia, "comedia", OPT, 0, 0, _,                                                   \
      "Plain: the address is learnt from the first packet.")                                       \
    X(S, obj, tuple, "tuple", OPT, 0, 0, transport_tuple, "Plain and pipe: of RTP.")               \
    X(S, obj, rtcp_tuple, "rtcpTuple", OPT, 0, 0, transport_tuple,                                 \
      "Plain without rtcpMux: of RTCP.")
SHAPE_STRUCT(transport_get_stats_response, TRANSPORT_GET_STATS_RESPONSE_FIELDS);

/* ---- connect ---- */

#define WEBRTC_TRANSPORT_CONNECT_REQUEST_FIELDS(X, S)                                              \
    X(S, obj, dtls_parameters, "dtlsParameters", REQ, 0, 0, dtls_parameters, "The peer's.")
SHAPE_STRUCT(webrtc_transport_connect_request, WEBRTC_TRANSPORT_CONNECT_REQUEST_FIELDS);

#define WEBRTC_TRANSPORT_CONNECT_RESPONSE_FIELDS(X, S)                                             \
    X(S, choice, dtls_local_role, "dtlsLocalRole", REQ, 0, 0, param_dtls_role_names,               \
      "Role that the worker takes.")
SHAPE_STRUCT(webrtc_transport_connect_response, WEBRTC_TRANSPORT_CONNECT_RESPONSE_FIELDS);

#define PLAIN_TRANSPORT_CONNECT_REQUEST_FIELDS(X, S)                                               \
    X(S, str, ip, "ip", OPT, 1, 45, _, "The peer's address; required without comedia.")            \
    X(S, u16, port, "port", OPT, 1, UINT16_MAX, _, "Its RTP port; required without comedia.")      \
    X(S, u16, rtcp_port, "rtcpPort", OPT, 1, UINT16_MAX, _,                                        \
      "Its RTCP port; required without comedia and without rtcpMux.")                              \
    X(S, obj, srtp_parameters, "srtpParameters", OPT, 0, 0, srtp_parameters,                       \
      "What the peer sends with; required with SRTP.")
SHAPE_STRUCT(plain_transport_connect_request, PLAIN_TRANSPORT_CONNECT_REQUEST_FIELDS);

#define PLAIN_TRANSPORT_CONNECT_RESPONSE_FIELDS(X, S)                                              \
    X(S, obj, tuple, "tuple", OPT, 0, 0, transport_tuple, "Local and remote address of RTP.")      \
    X(S, obj, rtcp_tuple, "rtcpTuple", OPT, 0, 0, transport_tuple, "Of RTCP, without rtcpMux.")    \
    X(S, obj, srtp_parameters, "srtpParameters", OPT, 0, 0, srtp_parameters,                       \
      "With SRTP: what the worker sends with.")
SHAPE_STRUCT(plain_transport_connect_response, PLAIN_TRANSPORT_CONNECT_RESPONSE_FIELDS);

#define PIPE_TRANSPORT_CONNECT_REQUEST_FIELDS(X, S)                                                \
    X(S, str, ip, "ip", REQ, 1, 45, _, "The peer's address.")                                      \
    X(S, u16, port, "port", REQ, 1, UINT16_MAX, _, "The peer's port.")                             \
    X(S, obj, srtp_parameters, "srtpParameters", OPT, 0, 0, srtp_parameters,                       \
      "What the peer sends with; required with SRTP.")
SHAPE_STRUCT(pipe_transport_connect_request, PIPE_TRANSPORT_CONNECT_REQUEST_FIELDS);

#define PIPE_TRANSPORT_CONNECT_RESPONSE_FIELDS(X, S)                                               \
    X(S, obj, tuple, "tuple", REQ, 0, 0, transport_tuple, "Local and remote address.")
SHAPE_STRUCT(pipe_transport_connect_response, PIPE_TRANSPORT_CONNECT_RESPONSE_FIELDS);

/* ---- settings ---- */

#define TRANSPORT_SET_MAX_INCOMING_BITRATE_REQUEST_FIELDS(X, S)                                    \
    X(S, u64, max_incoming_bitrate, "maxIncomingBitrate", REQ, 0, BITRATE_MAX, _,                  \
      "Bits per second that the peer may send; 0: no limit.")
SHAPE_STRUCT(transport_set_max_incoming_bitrate_request,
             TRANSPORT_SET_MAX_INCOMING_BITRATE_REQUEST_FIELDS);

#define TRANSPORT_SET_MAX_OUTGOING_BITRATE_REQUEST_FIELDS(X, S)                                    \
    X(S, u64, max_outgoing_bitrate, "maxOutgoingBitrate", REQ, 0, BITRATE_MAX, _,                  \
      "Bits per second that consumers are given at most; 0: no limit.")
SHAPE_STRUCT(transport_set_max_outgoing_bitrate_request,
             TRANSPORT_SET_MAX_OUTGOING_BITRATE_REQUEST_FIELDS);

#define TRANSPORT_SET_MIN_OUTGOING_BITRATE_REQUEST_FIELDS(X, S)                                    \
    X(S, u64, min_outgoing_bitrate, "minOutgoingBitrate", REQ, 0, BITRATE_MAX, _,                  \
      "Bits per second that the estimate does not go below; 0: no limit.")
SHAPE_STRUCT(transport_set_min_outgoing_bitrate_request,
             TRANSPORT_SET_MIN_OUTGOING_BITRATE_REQUEST_FIELDS);

#define TRANSPORT_ENABLE_TRACE_EVENT_REQUEST_FIELDS(X, S)                                          \
    X(S, choices, events, "events", REQ, 0, 16, transport_trace_type_names,                        \
      "Traces that are to be on; all others go off.")
SHAPE_STRUCT(transport_enable_trace_event_request, TRANSPORT_ENABLE_TRACE_EVENT_REQUEST_FIELDS);

#define TRANSPORT_SEND_RTCP_COMMAND_FIELDS(X, S)                                                   \
    X(S, str, data, "data", REQ, 8, PACKET_BASE64_MAX, _, "One RTCP packet in base64.")
SHAPE_STRUCT(transport_send_rtcp_command, TRANSPORT_SEND_RTCP_COMMAND_FIELDS);

#endif
