/* How transports are described in messages: listening, tuples, ICE, DTLS, SRTP and SCTP parameters,
 * with the names and the spelling of mediasoup's public API. The enumerations are called param_...,
 * since the engines have their own. Structs and tables only; no IO. */
#ifndef WEIR_PROTO_TRANSPORT_PARAMETERS_H
#define WEIR_PROTO_TRANSPORT_PARAMETERS_H

#include "proto/rtp_parameters.h"

enum { HOST_MAX = 255 }; /* an address or a host name */

#define PARAM_PROTOCOL_MAP(X)                                                                      \
    X(PARAM_PROTOCOL_UDP, "udp", "UDP.")                                                           \
    X(PARAM_PROTOCOL_TCP, "tcp", "TCP, framed by RFC 4571.")
CHOICE_ENUM(param_protocol, PARAM_PROTOCOL_MAP);

#define PARAM_ICE_ROLE_MAP(X)                                                                      \
    X(PARAM_ICE_ROLE_CONTROLLED, "controlled", "The peer nominates; always so for ICE-lite.")      \
    X(PARAM_ICE_ROLE_CONTROLLING, "controlling", "This side nominates.")
CHOICE_ENUM(param_ice_role, PARAM_ICE_ROLE_MAP);

#define PARAM_ICE_STATE_MAP(X)                                                                     \
    X(PARAM_ICE_STATE_NEW, "new", "No valid connectivity check yet.")                              \
    X(PARAM_ICE_STATE_CONNECTED, "connected", "A pair is valid, none is nominated.")               \
    X(PARAM_ICE_STATE_COMPLETED, "completed", "A pair is nominated.")                              \
    X(PARAM_ICE_STATE_DISCONNECTED, "disconnected",                                                \
      "Consent expired, or all TCP connections closed.")                                           \
    X(PARAM_ICE_STATE_CLOSED, "closed", "The transport is closed.")
CHOICE_ENUM(param_ice_state, PARAM_ICE_STATE_MAP);

#define PARAM_ICE_CANDIDATE_TYPE_MAP(X)                                                            \
    X(PARAM_ICE_CANDIDATE_HOST, "host", "An address of this host.")
CHOICE_ENUM(param_ice_candidate_type, PARAM_ICE_CANDIDATE_TYPE_MAP);

#define PARAM_ICE_TCP_TYPE_MAP(X) X(PARAM_ICE_TCP_PASSIVE, "passive", "Only accepts connections.")
CHOICE_ENUM(param_ice_tcp_type, PARAM_ICE_TCP_TYPE_MAP);

#define PARAM_DTLS_ROLE_MAP(X)                                                                     \
    X(PARAM_DTLS_ROLE_AUTO, "auto", "Not decided: in an offer, whoever answers decides.")          \
    X(PARAM_DTLS_ROLE_CLIENT, "client", "Sends the ClientHello.")                                  \
    X(PARAM_DTLS_ROLE_SERVER, "server", "Waits for the ClientHello.")
CHOICE_ENUM(param_dtls_role, PARAM_DTLS_ROLE_MAP);

#define PARAM_DTLS_STATE_MAP(X)                                                                    \
    X(PARAM_DTLS_STATE_NEW, "new", "Not started.")                                                 \
    X(PARAM_DTLS_STATE_CONNECTING, "connecting", "The handshake is under way.")                    \
    X(PARAM_DTLS_STATE_CONNECTED, "connected", "Verified, keys are in use.")                       \
    X(PARAM_DTLS_STATE_FAILED, "failed", "The handshake failed or the fingerprint did not match.") \
    X(PARAM_DTLS_STATE_CLOSED, "closed", "Closed by either side.")
CHOICE_ENUM(param_dtls_state, PARAM_DTLS_STATE_MAP);

#define PARAM_DTLS_HASH_MAP(X)                                                                     \
    X(PARAM_DTLS_HASH_SHA1, "sha-1", "SHA-1.")                                                     \
    X(PARAM_DTLS_HASH_SHA224, "sha-224", "SHA-224.")                                               \
    X(PARAM_DTLS_HASH_SHA256, "sha-256", "SHA-256.")                                               \
    X(PARAM_DTLS_HASH_SHA384, "sha-384", "SHA-384.")                                               \
    X(PARAM_DTLS_HASH_SHA512, "sha-512", "SHA-512.")
CHOICE_ENUM(param_dtls_hash, PARAM_DTLS_HASH_MAP);

#define PARAM_SRTP_SUITE_MAP(X)                                                                    \
    X(PARAM_SRTP_SUITE_AEAD_AES_256_GCM, "AEAD_AES_256_GCM",                                       \
      "RFC 7714; key and salt have 44 bytes.")                                                     \
    X(PARAM_SRTP_SUITE_AEAD_AES_128_GCM, "AEAD_AES_128_GCM",                                       \
      "RFC 7714; key and salt have 28 bytes.")                                                     \
    X(PARAM_SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, "AES_CM_128_HMAC_SHA1_80",                         \
      "RFC 3711; key and salt have 30 bytes.")                                                     \
    X(PARAM_SRTP_SUITE_AES_CM_128_HMAC_SHA1_32, "AES_CM_128_HMAC_SHA1_32",                         \
      "RFC 3711; key and salt have 30 bytes.")
CHOICE_ENUM(param_srtp_suite, PARAM_SRTP_SUITE_MAP);

#define PARAM_SCTP_STATE_MAP(X)                                                                    \
    X(PARAM_SCTP_STATE_NEW, "new", "Not started.")                                                 \
    X(PARAM_SCTP_STATE_CONNECTING, "connecting", "The handshake is under way.")                    \
    X(PARAM_SCTP_STATE_CONNECTED, "connected", "Messages flow.")                                   \
    X(PARAM_SCTP_STATE_FAILED, "failed", "The handshake failed.")                                  \
    X(PARAM_SCTP_STATE_CLOSED, "closed", "Shut down or aborted.")
CHOICE_ENUM(param_sctp_state, PARAM_SCTP_STATE_MAP);

/* ---- listening ---- */

#define PORT_RANGE_FIELDS(X, S)                                                                    \
    X(S, u16, min, "min", REQ, 0, UINT16_MAX, _, "Lowest port; 0 with max 0: no range.")           \
    X(S, u16, max, "max", REQ, 0, UINT16_MAX, _, "Highest port.")
SHAPE_STRUCT(port_range, PORT_RANGE_FIELDS);

#define SOCKET_FLAGS_FIELDS(X, S)                                                                  \
    X(S, flag, ipv6_only, "ipv6Only", OPT, 0, 0, _, "An IPv6 socket takes no IPv4.")               \
    X(S, flag, udp_reuse_port, "udpReusePort", OPT, 0, 0, _,                                       \
      "SO_REUSEPORT; needs a fixed port. For multicast and tests.")
SHAPE_STRUCT(socket_flags, SOCKET_FLAGS_FIELDS);

#define LISTEN_INFO_FIELDS(X, S)                                                                   \
    X(S, choice, protocol, "protocol", OPT, 0, 0, param_protocol_names, "udp if left out.")        \
    X(S, str, ip, "ip", REQ, 1, 45, _, "Local IPv4 or IPv6 address to bind; no host name.")        \
    X(S, str, announced_address, "announcedAddress", OPT, 1, HOST_MAX, _,                          \
      "Address or host name that peers are told instead of ip.")                                   \
    X(S, flag, expose_internal_ip, "exposeInternalIp", OPT, 0, 0, _,                               \
      "Tell peers ip as well as announcedAddress.")                                                \
    X(S, u16, port, "port", OPT, 0, UINT16_MAX, _, "0 or left out: any of portRange.")             \
    X(S, obj, port_range, "portRange", OPT, 0, 0, port_range,                                      \
      "Ports to choose from where port is 0; the worker's range if left out.")                     \
    X(S, obj, flags, "flags", OPT, 0, 0, socket_flags, "Socket options.")                          \
    X(S, u32, send_buffer_size, "sendBufferSize", OPT, 0, INT32_MAX, _,                            \
      "SO_SNDBUF in bytes; 0: the system's default.")                                              \
    X(S, u32, recv_buffer_size, "recvBufferSize", OPT, 0, INT32_MAX, _,                            \
      "SO_RCVBUF in bytes; 0: the system's default.")
SHAPE_STRUCT(listen_info, LISTEN_INFO_FIELDS);

#define TRANSPORT_TUPLE_FIELDS(X, S)                                                               \
    X(S, str, local_address, "localAddress", REQ, 1, HOST_MAX, _,                                  \
      "Local address, or the announced one.")                                                      \
    X(S, u16, local_port, "localPort", REQ, 0, UINT16_MAX, _, "Local port of the socket.")         \
    X(S, str, remote_ip, "remoteIp", OPT, 1, 45, _, "Address of the peer, once known.")            \
    X(S, u16, remote_port, "remotePort", OPT, 0, UINT16_MAX, _, "Port of the peer, once known.")   \
    X(S, choice, protocol, "protocol", REQ, 0, 0, param_protocol_names, "udp or tcp.")
SHAPE_STRUCT(transport_tuple, TRANSPORT_TUPLE_FIELDS);

/* ---- ICE ---- */

#define ICE_PARAMETERS_FIELDS(X, S)                                                                \
    X(S, str, username_fragment, "usernameFragment", REQ, 4, 256, _,                               \
      "ICE username fragment (RFC 8445 5.3).")                                                     \
    X(S, str, password, "password", REQ, 22, 256, _, "ICE password (RFC 8445 5.3).")               \
    X(S, flag, ice_lite, "iceLite", OPT, 0, 0, _, "Whether this side is ICE-lite.")
SHAPE_STRUCT(ice_parameters, ICE_PARAMETERS_FIELDS);

#define ICE_CANDIDATE_FIELDS(X, S)                                                                 \
    X(S, str, foundation, "foundation", REQ, 1, 64, _, "Equal for candidates of one base.")        \
    X(S, u32, priority, "priority", REQ, 0, UINT32_MAX, _, "RFC 8445 5.1.2; higher is better.")    \
    X(S, str, ip, "ip", OPT, 1, HOST_MAX, _, "The same as address, for older clients.")            \
    X(S, str, address, "address", REQ, 1, HOST_MAX, _, "Address or host name.")                    \
    X(S, choice, protocol, "protocol", REQ, 0, 0, param_protocol_names, "udp or tcp.")             \
    X(S, u16, port, "port", REQ, 0, UINT16_MAX, _, "Port that the peer sends to.")                 \
    X(S, choice, type, "type", REQ, 0, 0, param_ice_candidate_type_names, "Always host.")          \
    X(S, choice, tcp_type, "tcpType", OPT, 0, 0, param_ice_tcp_type_names, "passive where TCP.")
SHAPE_STRUCT(ice_candidate, ICE_CANDIDATE_FIELDS);

/* ---- DTLS, SRTP ---- */

#define DTLS_FINGERPRINT_FIELDS(X, S)                                                              \
    X(S, choice, algorithm, "algorithm", REQ, 0, 0, param_dtls_hash_names,                         \
      "Hash of the certificate.")                                                                  \
    X(S, str, value, "value", REQ, 59, 191, _, "Upper-case hex pairs with colons (RFC 8122).")
SHAPE_STRUCT(dtls_fingerprint, DTLS_FINGERPRINT_FIELDS);

#define DTLS_PARAMETERS_FIELDS(X, S)                                                               \
    X(S, choice, role, "role", OPT, 0, 0, param_dtls_role_names, "auto if left out.")              \
    X(S, objs, fingerprints, "fingerprints", REQ, 1, 16, dtls_fingerprint,                         \
      "Fingerprints of one certificate.")
SHAPE_STRUCT(dtls_parameters, DTLS_PARAMETERS_FIELDS);

#define SRTP_PARAMETERS_FIELDS(X, S)                                                               \
    X(S, choice, crypto_suite, "cryptoSuite", REQ, 0, 0, param_srtp_suite_names,                   \
      "Cipher and tag.")                                                                           \
    X(S, str, key_base64, "keyBase64", REQ, 4, 64, _, "Master key, then master salt, in base64.")
SHAPE_STRUCT(srtp_parameters, SRTP_PARAMETERS_FIELDS);

/* ---- SCTP ---- */

#define SCTP_PARAMETERS_FIELDS(X, S)                                                               \
    X(S, u16, port, "port", REQ, 0, UINT16_MAX, _, "SCTP port, 5000 on both sides.")               \
    X(S, u16, os, "OS", OPT, 1, UINT16_MAX, _, "Outgoing streams at the start.")                   \
    X(S, u16, mis, "MIS", OPT, 1, UINT16_MAX, _, "Incoming streams at most.")                      \
    X(S, u32, max_message_size, "maxMessageSize", OPT, 0, UINT32_MAX, _,                           \
      "Bytes a message that the peer may send at most; the same as maxReceiveMessageSize.")        \
    X(S, u32, max_send_message_size, "maxSendMessageSize", OPT, 0, UINT32_MAX, _,                  \
      "Bytes a message that data consumers send at most.")                                         \
    X(S, u32, max_receive_message_size, "maxReceiveMessageSize", OPT, 0, UINT32_MAX, _,            \
      "Bytes a message that data producers take at most.")                                         \
    X(S, u32, send_buffer_size, "sendBufferSize", OPT, 0, UINT32_MAX, _,                           \
      "Bytes that wait for sending at most, in all streams.")                                      \
    X(S, u32, per_stream_send_queue_limit, "perStreamSendQueueLimit", OPT, 0, UINT32_MAX, _,       \
      "Bytes that wait for sending at most, in one stream.")                                       \
    X(S, u32, max_receiver_window_buffer_size, "maxReceiverWindowBufferSize", OPT, 0, UINT32_MAX,  \
      _, "Receiver window in bytes.")                                                              \
    X(S, flag, is_data_channel, "isDataChannel", OPT, 0, 0, _,                                     \
      "Data channels of WebRTC (RFC 8831) run on it.")
SHAPE_STRUCT(sctp_parameters, SCTP_PARAMETERS_FIELDS);

#define SCTP_NEGOTIATED_CAPABILITIES_FIELDS(X, S)                                                  \
    X(S, u16, negotiated_max_outbound_streams, "negotiatedMaxOutboundStreams", REQ, 0, UINT16_MAX, \
      _, "Streams that may be sent.")                                                              \
    X(S, u16, negotiated_max_inbound_streams, "negotiatedMaxInboundStreams", REQ, 0, UINT16_MAX,   \
      _, "Streams that may be received.")
SHAPE_STRUCT(sctp_negotiated_capabilities, SCTP_NEGOTIATED_CAPABILITIES_FIELDS);

#define SCTP_STREAM_PARAMETERS_FIELDS(X, S)                                                        \
    X(S, u16, stream_id, "streamId", REQ, 0, UINT16_MAX - 1, _, "SCTP stream.")                    \
    X(S, flag, ordered, "ordered", OPT, 0, 0, _, "In order and reliable; true if left out.")       \
    X(S, u16, max_packet_life_time, "maxPacketLifeTime", OPT, 0, UINT16_MAX, _,                    \
      "Milliseconds after which a message is given up; not with maxRetransmits.")                  \
    X(S, u16, max_retransmits, "maxRetransmits", OPT, 0, UINT16_MAX, _,                            \
      "Retransmissions after which a message is given up; not with maxPacketLifeTime.")
SHAPE_STRUCT(sctp_stream_parameters, SCTP_STREAM_PARAMETERS_FIELDS);

/* What clients say of themselves in signaling. */
#define NUM_SCTP_STREAMS_FIELDS(X, S)                                                              \
    X(S, u16, os, "OS", REQ, 1, UINT16_MAX, _, "Outgoing streams at the start.")                   \
    X(S, u16, mis, "MIS", REQ, 1, UINT16_MAX, _, "Incoming streams at most.")
SHAPE_STRUCT(num_sctp_streams, NUM_SCTP_STREAMS_FIELDS);

#define SCTP_CAPABILITIES_FIELDS(X, S)                                                             \
    X(S, obj, num_streams, "numStreams", OPT, 0, 0, num_sctp_streams, "Streams that it can have.")
SHAPE_STRUCT(sctp_capabilities, SCTP_CAPABILITIES_FIELDS);

#endif
