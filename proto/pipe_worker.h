/* Payloads of the pipe protocol: the worker itself and its WebRTC servers. Structs and tables only;
 * no IO. */
#ifndef WEIR_PROTO_PIPE_WORKER_H
#define WEIR_PROTO_PIPE_WORKER_H

#include "proto/pipe_common.h"

/* ---- worker.running ---- */

#define WORKER_SOCKET_FIELDS(X, S)                                                                 \
    X(S, choice, protocol, "protocol", REQ, 0, 0, param_protocol_names, "udp or tcp.")             \
    X(S, str, ip, "ip", REQ, 1, 45, _, "Bound address.")                                           \
    X(S, u16, port, "port", REQ, 0, UINT16_MAX, _, "Bound port.")                                  \
    X(S, str, announced_address, "announcedAddress", OPT, 1, HOST_MAX, _, "What peers are told.")
SHAPE_STRUCT(worker_socket, WORKER_SOCKET_FIELDS);

#define WORKER_RUNNING_EVENT_FIELDS(X, S)                                                          \
    X(S, u32, protocol_version, "protocolVersion", REQ, 1, UINT32_MAX, _,                          \
      "Version of this protocol; the controller refuses one that is not its own.")                 \
    X(S, u32, pid, "pid", REQ, 1, UINT32_MAX, _, "Process id.")                                    \
    X(S, str, version, "version", OPT, 0, 64, _, "Version of the program, for people.")            \
    X(S, objs, sockets, "sockets", OPT, 0, 64, worker_socket,                                      \
      "The worker's own shared ports, on which WebRTC transports are reached.")
SHAPE_STRUCT(worker_running_event, WORKER_RUNNING_EVENT_FIELDS);

/* ---- dump, usage, settings ---- */

#define CHANNEL_MESSAGE_HANDLERS_FIELDS(X, S)                                                      \
    X(S, strs, channel_request_handlers, "channelRequestHandlers", REQ, 0, DUMP_IDS_MAX, _,        \
      "Ids that take requests.")                                                                   \
    X(S, strs, channel_notification_handlers, "channelNotificationHandlers", REQ, 0, DUMP_IDS_MAX, \
      _, "Ids that take notifications.")
SHAPE_STRUCT(channel_message_handlers, CHANNEL_MESSAGE_HANDLERS_FIELDS);

#define WORKER_DUMP_RESPONSE_FIELDS(X, S)                                                          \
    X(S, u32, pid, "pid", REQ, 0, UINT32_MAX, _, "Process id.")                                    \
    X(S, strs, web_rtc_server_ids, "webRtcServerIds", REQ, 0, DUMP_IDS_MAX, _,                     \
      "WebRTC servers in it.")                                                                     \
    X(S, strs, router_ids, "routerIds", REQ, 0, DUMP_IDS_MAX, _, "Routers in it.")                 \
    X(S, obj, channel_message_handlers, "channelMessageHandlers", REQ, 0, 0,                       \
      channel_message_handlers, "Who takes messages.")
SHAPE_STRUCT(worker_dump_response, WORKER_DUMP_RESPONSE_FIELDS);

#define WORKER_RU(X, S, m, doc) X(S, u64, m, #m, REQ, 0, SAFE_INTEGER_MAX, _, doc)
#define WORKER_GET_RESOURCE_USAGE_RESPONSE_FIELDS(X, S)                                            \
    WORKER_RU(X, S, ru_utime, "User CPU time in milliseconds.")                                    \
    WORKER_RU(X, S, ru_stime, "System CPU time in milliseconds.")                                  \
    WORKER_RU(X, S, ru_maxrss, "Greatest resident set in kB.")                                     \
    WORKER_RU(X, S, ru_ixrss, "Shared memory; unused on Linux.")                                   \
    WORKER_RU(X, S, ru_idrss, "Unshared data; unused on Linux.")                                   \
    WORKER_RU(X, S, ru_isrss, "Unshared stack; unused on Linux.")                                  \
    WORKER_RU(X, S, ru_minflt, "Page faults without IO.")                                          \
    WORKER_RU(X, S, ru_majflt, "Page faults with IO.")                                             \
    WORKER_RU(X, S, ru_nswap, "Swaps; unused on Linux.")                                           \
    WORKER_RU(X, S, ru_inblock, "Block reads.")                                                    \
    WORKER_RU(X, S, ru_oublock, "Block writes.")                                                   \
    WORKER_RU(X, S, ru_msgsnd, "Messages sent; unused on Linux.")                                  \
    WORKER_RU(X, S, ru_msgrcv, "Messages received; unused on Linux.")                              \
    WORKER_RU(X, S, ru_nsignals, "Signals; unused on Linux.")                                      \
    WORKER_RU(X, S, ru_nvcsw, "Voluntary context switches.")                                       \
    WORKER_RU(X, S, ru_nivcsw, "Involuntary context switches.")
SHAPE_STRUCT(worker_get_resource_usage_response, WORKER_GET_RESOURCE_USAGE_RESPONSE_FIELDS);

#define WORKER_LOG_LEVEL_MAP(X)                                                                    \
    X(WORKER_LOG_DEBUG, "debug", "Everything.")                                                    \
    X(WORKER_LOG_WARN, "warn", "Warnings and errors.")                                             \
    X(WORKER_LOG_ERROR, "error", "Errors.")                                                        \
    X(WORKER_LOG_NONE, "none", "Nothing.")                                                         \
    X(WORKER_LOG_INFO, "info", "Life cycle, warnings and errors.")
CHOICE_ENUM(worker_log_level, WORKER_LOG_LEVEL_MAP);

#define WORKER_UPDATE_SETTINGS_REQUEST_FIELDS(X, S)                                                \
    X(S, choice, log_level, "logLevel", OPT, 0, 0, worker_log_level_names, "What is logged.")      \
    X(S, strs, log_tags, "logTags", OPT, 0, 32, _,                                                 \
      "Areas of which debug lines are logged; accepted, all areas are one.")
SHAPE_STRUCT(worker_update_settings_request, WORKER_UPDATE_SETTINGS_REQUEST_FIELDS);

/* ---- heartbeat and counters ---- */

#define WORKER_PING_RESPONSE_FIELDS(X, S)                                                          \
    X(S, u64, uptime_usec, "uptimeUsec", REQ, 0, SAFE_INTEGER_MAX, _,                              \
      "Microseconds since the worker started.")
SHAPE_STRUCT(worker_ping_response, WORKER_PING_RESPONSE_FIELDS);

#define WORKER_COUNTER(X, S, m, json, doc) X(S, u64, m, json, REQ, 0, SAFE_INTEGER_MAX, _, doc)
#define WORKER_GET_METRICS_RESPONSE_FIELDS(X, S)                                                   \
    WORKER_COUNTER(X, S, uptime_usec, "uptimeUsec", "Microseconds since the worker started.")      \
    WORKER_COUNTER(X, S, cpu_usec, "cpuUsec", "CPU time of the process in microseconds.")          \
    WORKER_COUNTER(X, S, packets_received, "packetsReceived",                                      \
                   "Datagrams and TCP frames received.")                                           \
    WORKER_COUNTER(X, S, packets_sent, "packetsSent", "Datagrams and TCP frames sent.")            \
    WORKER_COUNTER(X, S, bytes_received, "bytesReceived", "Bytes of these.")                       \
    WORKER_COUNTER(X, S, bytes_sent, "bytesSent", "Bytes of these.")                               \
    WORKER_COUNTER(X, S, receive_calls, "receiveCalls", "System calls that received.")             \
    WORKER_COUNTER(X, S, send_calls, "sendCalls", "System calls that sent.")                       \
    WORKER_COUNTER(X, S, dropped_malformed, "droppedMalformed", "Not STUN, DTLS, RTP or RTCP.")    \
    WORKER_COUNTER(X, S, dropped_unknown, "droppedUnknown",                                        \
                   "From an address that no transport knows.")                                     \
    WORKER_COUNTER(X, S, dropped_unauthentic, "droppedUnauthentic",                                \
                   "SRTP that did not authenticate.")                                              \
    WORKER_COUNTER(X, S, dropped_no_buffer, "droppedNoBuffer", "No packet buffer was free.")       \
    WORKER_COUNTER(X, S, dropped_send, "droppedSend", "The socket or the connection was full.")    \
    WORKER_COUNTER(X, S, packet_buffers_used, "packetBuffersUsed", "Packet buffers in use now.")   \
    WORKER_COUNTER(X, S, packet_buffers_total, "packetBuffersTotal", "Packet buffers allocated.")  \
    WORKER_COUNTER(X, S, pipe_queued_bytes, "pipeQueuedBytes",                                     \
                   "Bytes waiting for the controller now.")                                        \
    WORKER_COUNTER(X, S, routers, "routers", "Routers that there are now.")                        \
    WORKER_COUNTER(X, S, transports, "transports", "Transports that there are now.")               \
    WORKER_COUNTER(X, S, producers, "producers", "Producers that there are now.")                  \
    WORKER_COUNTER(X, S, consumers, "consumers", "Consumers that there are now.")                  \
    WORKER_COUNTER(X, S, data_producers, "dataProducers", "Data producers that there are now.")    \
    WORKER_COUNTER(X, S, data_consumers, "dataConsumers", "Data consumers that there are now.")
SHAPE_STRUCT(worker_get_metrics_response, WORKER_GET_METRICS_RESPONSE_FIELDS);

/* ---- routers ---- */

#define WORKER_CREATE_ROUTER_REQUEST_FIELDS(X, S)                                                  \
    X(S, str, router_id, "routerId", REQ, 1, ID_MAX, _, "Id of the new router.")
SHAPE_STRUCT(worker_create_router_request, WORKER_CREATE_ROUTER_REQUEST_FIELDS);

#define WORKER_CLOSE_ROUTER_REQUEST_FIELDS(X, S)                                                   \
    X(S, str, router_id, "routerId", REQ, 1, ID_MAX, _, "Which router, with all that it holds.")
SHAPE_STRUCT(worker_close_router_request, WORKER_CLOSE_ROUTER_REQUEST_FIELDS);

/* ---- WebRTC servers ---- */

#define WORKER_CREATE_WEBRTC_SERVER_REQUEST_FIELDS(X, S)                                           \
    X(S, str, web_rtc_server_id, "webRtcServerId", REQ, 1, ID_MAX, _, "Id of the new server.")     \
    X(S, objs, listen_infos, "listenInfos", REQ, 1, 64, listen_info, "Where it listens.")
SHAPE_STRUCT(worker_create_webrtc_server_request, WORKER_CREATE_WEBRTC_SERVER_REQUEST_FIELDS);

#define WORKER_CLOSE_WEBRTC_SERVER_REQUEST_FIELDS(X, S)                                            \
    X(S, str, web_rtc_server_id, "webRtcServerId", REQ, 1, ID_MAX, _,                              \
      "Which server, with the transports on it.")
SHAPE_STRUCT(worker_close_webrtc_server_request, WORKER_CLOSE_WEBRTC_SERVER_REQUEST_FIELDS);

#define IP_PORT_FIELDS(X, S)                                                                       \
    X(S, str, ip, "ip", REQ, 1, 45, _, "Bound address.")                                           \
    X(S, u16, port, "port", REQ, 0, UINT16_MAX, _, "Bound port.")
SHAPE_STRUCT(ip_port, IP_PORT_FIELDS);

#define ICE_USERNAME_FRAGMENT_FIELDS(X, S)                                                         \
    X(S, str, local_ice_username_fragment, "localIceUsernameFragment", REQ, 1, 256, _,             \
      "Username fragment that selects the transport.")                                             \
    X(S, str, web_rtc_transport_id, "webRtcTransportId", REQ, 1, ID_MAX, _, "The transport.")
SHAPE_STRUCT(ice_username_fragment, ICE_USERNAME_FRAGMENT_FIELDS);

#define WEBRTC_SERVER_DUMP_RESPONSE_FIELDS(X, S)                                                   \
    X(S, str, id, "id", REQ, 1, ID_MAX, _, "Id of the server.")                                    \
    X(S, objs, udp_sockets, "udpSockets", REQ, 0, 64, ip_port, "Bound UDP sockets.")               \
    X(S, objs, tcp_servers, "tcpServers", REQ, 0, 64, ip_port, "Bound TCP sockets.")               \
    X(S, strs, web_rtc_transport_ids, "webRtcTransportIds", REQ, 0, DUMP_IDS_MAX, _,               \
      "Transports on it.")                                                                         \
    X(S, objs, local_ice_username_fragments, "localIceUsernameFragments", REQ, 0, DUMP_IDS_MAX,    \
      ice_username_fragment, "How datagrams find their transport.")
SHAPE_STRUCT(webrtc_server_dump_response, WEBRTC_SERVER_DUMP_RESPONSE_FIELDS);

#endif
