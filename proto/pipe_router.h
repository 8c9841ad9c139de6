/* Payloads of the pipe protocol: routers, and what is created in them. Structs and tables only; no
 * IO. */
#ifndef WEIR_PROTO_PIPE_ROUTER_H
#define WEIR_PROTO_PIPE_ROUTER_H

#include "proto/pipe_common.h"

#define ROUTER_DUMP_RESPONSE_FIELDS(X, S)                                                          \
    X(S, str, id, "id", REQ, 1, ID_MAX, _, "Id of the router.")                                    \
    X(S, strs, transport_ids, "transportIds", REQ, 0, DUMP_IDS_MAX, _, "Transports in it.")        \
    X(S, strs, rtp_observer_ids, "rtpObserverIds", REQ, 0, DUMP_IDS_MAX, _,                        \
      "RTP observers in it.")                                                                      \
    X(S, objs, map_producer_id_consumer_ids, "mapProducerIdConsumerIds", REQ, 0, DUMP_IDS_MAX,     \
      key_strings, "Consumers of each producer.")                                                  \
    X(S, objs, map_consumer_id_producer_id, "mapConsumerIdProducerId", REQ, 0, DUMP_IDS_MAX,       \
      key_string, "Producer of each consumer.")                                                    \
    X(S, objs, map_producer_id_observer_ids, "mapProducerIdObserverIds", REQ, 0, DUMP_IDS_MAX,     \
      key_strings, "Observers of each producer.")                                                  \
    X(S, objs, map_data_producer_id_data_consumer_ids, "mapDataProducerIdDataConsumerIds", REQ, 0, \
      DUMP_IDS_MAX, key_strings, "Data consumers of each data producer.")                          \
    X(S, objs, map_data_consumer_id_data_producer_id, "mapDataConsumerIdDataProducerId", REQ, 0,   \
      DUMP_IDS_MAX, key_string, "Data producer of each data consumer.")
SHAPE_STRUCT(router_dump_response, ROUTER_DUMP_RESPONSE_FIELDS);

/* ---- transports ---- */

#define MESSAGE_SIZE_FIELDS(X, S)                                                                  \
    X(S, u32, max_send_message_size, "maxSendMessageSize", OPT, 0, UINT32_MAX, _,                  \
      "Bytes a message that data consumers send at most; 262144 if left out.")                     \
    X(S, u32, max_receive_message_size, "maxReceiveMessageSize", OPT, 0, UINT32_MAX, _,            \
      "Bytes a message that data producers take at most; 262144 if left out.")

/* What WebRTC, plain and pipe transports have in common. */
#define TRANSPORT_OPTIONS_FIELDS(X, S)                                                             \
    X(S, flag, enable_sctp, "enableSctp", OPT, 0, 0, _, "With SCTP; false if left out.")           \
    MESSAGE_SIZE_FIELDS(X, S)                                                                      \
    X(S, u32, sctp_send_buffer_size, "sctpSendBufferSize", OPT, 0, UINT32_MAX, _,                  \
      "Bytes that wait for sending at most, in all streams; 2000000 if left out.")                 \
    X(S, u32, sctp_per_stream_send_queue_limit, "sctpPerStreamSendQueueLimit", OPT, 0, UINT32_MAX, \
      _, "Bytes that wait for sending at most, in one stream; 2000000 if left out.")               \
    X(S, u32, sctp_max_receiver_window_buffer_size, "sctpMaxReceiverWindowBufferSize", OPT, 0,     \
      UINT32_MAX, _, "Receiver window in bytes; 5242880 if left out.")                             \
    X(S, u32, sctp_default_stream_buffered_amount_low_threshold,                                   \
      "sctpDefaultStreamBufferedAmountLowThreshold", OPT, 0, UINT32_MAX, _,                        \
      "Bytes at which bufferedAmountLow is told; 1024 if left out.")

#define WEBRTC_LISTEN_TYPE_MAP(X)                                                                  \
    X(WEBRTC_LISTEN_WORKER, "worker", "On the worker's own shared UDP and TCP port.")              \
    X(WEBRTC_LISTEN_INDIVIDUAL, "individual", "On sockets of its own, by listenInfos.")            \
    X(WEBRTC_LISTEN_SERVER, "server", "On the sockets of a WebRTC server.")
CHOICE_ENUM(webrtc_listen_type, WEBRTC_LISTEN_TYPE_MAP);

#define WEBRTC_LISTEN_FIELDS(X, S)                                                                 \
    X(S, choice, type, "type", REQ, 0, 0, webrtc_listen_type_names, "Which kind of listening.")    \
    X(S, objs, listen_infos, "listenInfos", OPT, 1, 32, listen_info, "Of individual: required.")   \
    X(S, str, web_rtc_server_id, "webRtcServerId", OPT, 1, ID_MAX, _, "Of server: required.")
SHAPE_STRUCT(webrtc_listen, WEBRTC_LISTEN_FIELDS);

#define WEBRTC_TRANSPORT_OPTIONS_FIELDS(X, S)                                                      \
    TRANSPORT_OPTIONS_FIELDS(X, S)                                                                 \
    X(S, flag, is_data_channel, "isDataChannel", OPT, 0, 0, _,                                     \
      "SCTP carries data channels of WebRTC; true if left out.")                                   \
    X(S, u64, initial_available_outgoing_bitrate, "initialAvailableOutgoingBitrate", OPT, 0,       \
      BITRATE_MAX, _, "Where the send-side estimate starts, in bit/s; 600000 if left out.")        \
    X(S, obj, listen, "listen", OPT, 0, 0, webrtc_listen,                                          \
      "Where it is reached; the worker's own port if left out.")                                   \
    X(S, flag, enable_udp, "enableUdp", OPT, 0, 0, _, "UDP candidates; true if left out.")         \
    X(S, flag, enable_tcp, "enableTcp", OPT, 0, 0, _, "TCP candidates; true if left out.")         \
    X(S, flag, prefer_udp, "preferUdp", OPT, 0, 0, _, "UDP gets the higher priority.")             \
    X(S, flag, prefer_tcp, "preferTcp", OPT, 0, 0, _, "TCP gets the higher priority.")             \
    X(S, u8, ice_consent_timeout, "iceConsentTimeout", OPT, 0, 255, _,                             \
      "Seconds without consent until disconnected; 0: never; 30 if left out.")
SHAPE_STRUCT(webrtc_transport_options, WEBRTC_TRANSPORT_OPTIONS_FIELDS);

#define ROUTER_CREATE_WEBRTC_TRANSPORT_REQUEST_FIELDS(X, S)                                        \
    X(S, str, transport_id, "transportId", REQ, 1, ID_MAX, _, "Id of the new transport.")          \
    X(S, obj, options, "options", REQ, 0, 0, webrtc_transport_options, "How it is to be.")
SHAPE_STRUCT(router_create_webrtc_transport_request, ROUTER_CREATE_WEBRTC_TRANSPORT_REQUEST_FIELDS);

#define PLAIN_TRANSPORT_OPTIONS_FIELDS(X, S)                                                       \
    TRANSPORT_OPTIONS_FIELDS(X, S)                                                                 \
    X(S, obj, listen_info, "listenInfo", REQ, 0, 0, listen_info, "Where RTP is taken.")            \
    X(S, obj, rtcp_listen_info, "rtcpListenInfo", OPT, 0, 0, listen_info,                          \
      "Without rtcpMux: where RTCP is taken; like listenInfo, on another port, if left out.")      \
    X(S, flag, rtcp_mux, "rtcpMux", OPT, 0, 0, _, "RTCP on the RTP port; true if left out.")       \
    X(S, flag, comedia, "comedia", OPT, 0, 0, _,                                                   \
      "The peer's address is learnt from its first packet; false if left out.")                    \
    X(S, flag, enable_srtp, "enableSrtp", OPT, 0, 0, _, "With SRTP; false if left out.")           \
    X(S, choice, srtp_crypto_suite, "srtpCryptoSuite", OPT, 0, 0, param_srtp_suite_names,          \
      "Suite that this side sends with; AES_CM_128_HMAC_SHA1_80 if left out.")
SHAPE_STRUCT(plain_transport_options, PLAIN_TRANSPORT_OPTIONS_FIELDS);

#define ROUTER_CREATE_PLAIN_TRANSPORT_REQUEST_FIELDS(X, S)                                         \
    X(S, str, transport_id, "transportId", REQ, 1, ID_MAX, _, "Id of the new transport.")          \
    X(S, obj, options, "options", REQ, 0, 0, plain_transport_options, "How it is to be.")
SHAPE_STRUCT(router_create_plain_transport_request, ROUTER_CREATE_PLAIN_TRANSPORT_REQUEST_FIELDS);

#define PIPE_TRANSPORT_OPTIONS_FIELDS(X, S)                                                        \
    TRANSPORT_OPTIONS_FIELDS(X, S)                                                                 \
    X(S, obj, listen_info, "listenInfo", REQ, 0, 0, listen_info, "Where RTP and RTCP are taken.")  \
    X(S, flag, enable_rtx, "enableRtx", OPT, 0, 0, _,                                              \
      "NACK and RTX between the two; false if left out.")                                          \
    X(S, flag, enable_srtp, "enableSrtp", OPT, 0, 0, _,                                            \
      "With SRTP, AEAD_AES_256_GCM; false if left out.")
SHAPE_STRUCT(pipe_transport_options, PIPE_TRANSPORT_OPTIONS_FIELDS);

#define ROUTER_CREATE_PIPE_TRANSPORT_REQUEST_FIELDS(X, S)                                          \
    X(S, str, transport_id, "transportId", REQ, 1, ID_MAX, _, "Id of the new transport.")          \
    X(S, obj, options, "options", REQ, 0, 0, pipe_transport_options, "How it is to be.")
SHAPE_STRUCT(router_create_pipe_transport_request, ROUTER_CREATE_PIPE_TRANSPORT_REQUEST_FIELDS);

#define DIRECT_TRANSPORT_OPTIONS_FIELDS(X, S) MESSAGE_SIZE_FIELDS(X, S)
SHAPE_STRUCT(direct_transport_options, DIRECT_TRANSPORT_OPTIONS_FIELDS);

#define ROUTER_CREATE_DIRECT_TRANSPORT_REQUEST_FIELDS(X, S)                                        \
    X(S, str, transport_id, "transportId", REQ, 1, ID_MAX, _, "Id of the new transport.")          \
    X(S, obj, options, "options", REQ, 0, 0, direct_transport_options, "How it is to be.")
SHAPE_STRUCT(router_create_direct_transport_request, ROUTER_CREATE_DIRECT_TRANSPORT_REQUEST_FIELDS);

#define ROUTER_CLOSE_TRANSPORT_REQUEST_FIELDS(X, S)                                                \
    X(S, str, transport_id, "transportId", REQ, 1, ID_MAX, _,                                      \
      "Which transport, with all that it carries.")
SHAPE_STRUCT(router_close_transport_request, ROUTER_CLOSE_TRANSPORT_REQUEST_FIELDS);

/* ---- observers ---- */

#define ACTIVE_SPEAKER_OBSERVER_OPTIONS_FIELDS(X, S)                                               \
    X(S, u16, interval, "interval", OPT, 100, UINT16_MAX, _,                                       \
      "Milliseconds between decisions; 300 if left out.")
SHAPE_STRUCT(active_speaker_observer_options, ACTIVE_SPEAKER_OBSERVER_OPTIONS_FIELDS);

#define ROUTER_CREATE_ACTIVE_SPEAKER_OBSERVER_REQUEST_FIELDS(X, S)                                 \
    X(S, str, rtp_observer_id, "rtpObserverId", REQ, 1, ID_MAX, _, "Id of the new observer.")      \
    X(S, obj, options, "options", REQ, 0, 0, active_speaker_observer_options, "How it is to be.")
SHAPE_STRUCT(router_create_active_speaker_observer_request,
             ROUTER_CREATE_ACTIVE_SPEAKER_OBSERVER_REQUEST_FIELDS);

#define AUDIO_LEVEL_OBSERVER_OPTIONS_FIELDS(X, S)                                                  \
    X(S, u16, max_entries, "maxEntries", OPT, 1, UINT16_MAX, _,                                    \
      "Producers in one volumes event at most, the loudest first; 1 if left out.")                 \
    X(S, i64, threshold, "threshold", OPT, -127, 0, _,                                             \
      "Least average volume in dBov that is told; -80 if left out.")                               \
    X(S, u16, interval, "interval", OPT, 100, UINT16_MAX, _,                                       \
      "Milliseconds between events; 1000 if left out.")
SHAPE_STRUCT(audio_level_observer_options, AUDIO_LEVEL_OBSERVER_OPTIONS_FIELDS);

#define ROUTER_CREATE_AUDIO_LEVEL_OBSERVER_REQUEST_FIELDS(X, S)                                    \
    X(S, str, rtp_observer_id, "rtpObserverId", REQ, 1, ID_MAX, _, "Id of the new observer.")      \
    X(S, obj, options, "options", REQ, 0, 0, audio_level_observer_options, "How it is to be.")
SHAPE_STRUCT(router_create_audio_level_observer_request,
             ROUTER_CREATE_AUDIO_LEVEL_OBSERVER_REQUEST_FIELDS);

#define ROUTER_CLOSE_RTP_OBSERVER_REQUEST_FIELDS(X, S)                                             \
    X(S, str, rtp_observer_id, "rtpObserverId", REQ, 1, ID_MAX, _, "Which observer.")
SHAPE_STRUCT(router_close_rtp_observer_request, ROUTER_CLOSE_RTP_OBSERVER_REQUEST_FIELDS);

#endif
