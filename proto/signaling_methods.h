/* What clients may ask over /ws, and what is answered: payloads of every method (DESIGN 5). Structs
 * and tables only; no IO. Times are milliseconds, bit rates bits per second. */
#ifndef WEIR_PROTO_SIGNALING_METHODS_H
#define WEIR_PROTO_SIGNALING_METHODS_H

#include "proto/rtp_parameters.h"
#include "proto/signaling_chat.h"
#include "proto/transport_parameters.h"

enum { SIG_ID_MAX = 64, SIG_NAME_MAX = 64, SIG_TITLE_MAX = 140, SIG_TOKEN_MAX = 4096 };

#define SIG_ROLE_MAP(X)                                                                            \
    X(SIG_ROLE_PARTICIPANT, "participant", "One of many in a conversation.")                       \
    X(SIG_ROLE_BROADCASTER, "broadcaster", "Its producers are the room's stream.")                 \
    X(SIG_ROLE_VIEWER, "viewer", "Only receives; others are not told of it.")
CHOICE_ENUM(sig_role, SIG_ROLE_MAP);

/* ---- rooms ---- */

#define SIG_ROOM_HLS_FIELDS(X, S)                                                                  \
    X(S, flag, stream, "stream", OPT, 0, 0, _,                                                     \
      "The broadcaster's stream, at /live/<roomId>/index.m3u8.")                                   \
    X(S, flag, peers, "peers", OPT, 0, 0, _,                                                       \
      "Every peer for itself, at /live/<roomId>/<peerId>.m3u8, <peerId>-video.m3u8 and "           \
      "<peerId>-audio.m3u8.")                                                                      \
    X(S, flag, composite, "composite", OPT, 0, 0, _,                                               \
      "Up to eight peers on one canvas, their sound mixed, at /live/<roomId>/composite.m3u8.")     \
    X(S, flag, names, "names", OPT, 0, 0, _, "Names under the composite's pictures.")              \
    X(S, flag, low_bandwidth, "lowBandwidth", OPT, 0, 0, _,                                        \
      "A canvas of 256x144 and one thread, in every mode.")
SHAPE_STRUCT(sig_room_hls, SIG_ROOM_HLS_FIELDS);

#define SIG_CREATE_ROOM_FIELDS(X, S)                                                               \
    X(S, str, room_id, "roomId", OPT, 1, SIG_ID_MAX, _,                                            \
      "Letters, digits, - and _; the service chooses one if left out.")                            \
    X(S, obj, hls, "hls", OPT, 0, 0, sig_room_hls,                                                 \
      "Which HLS a new room has; what is left out is as configured.")
SHAPE_STRUCT(sig_create_room, SIG_CREATE_ROOM_FIELDS);

#define SIG_CREATE_ROOM_ANSWER_FIELDS(X, S)                                                        \
    X(S, str, room_id, "roomId", REQ, 1, SIG_ID_MAX, _, "The room.")
SHAPE_STRUCT(sig_create_room_answer, SIG_CREATE_ROOM_ANSWER_FIELDS);

#define SIG_JOIN_ROOM_FIELDS(X, S)                                                                 \
    X(S, str, room_id, "roomId", REQ, 1, SIG_ID_MAX, _,                                            \
      "Letters, digits, - and _; the room is made if it is not there.")                            \
    X(S, str, peer_id, "peerId", OPT, 1, SIG_ID_MAX, _,                                            \
      "Letters, digits, - and _; one that is in the room already is replaced if resumeToken "      \
      "fits.")                                                                                     \
    X(S, str, display_name, "displayName", OPT, 0, SIG_NAME_MAX, _, "What others see.")            \
    X(S, choice, role, "role", OPT, 0, 0, sig_role_names,                                          \
      "participant if left out; a room has one broadcaster at a time.")                            \
    X(S, str, title, "title", OPT, 0, SIG_TITLE_MAX, _, "Title of a broadcaster's stream.")        \
    X(S, str, resume_token, "resumeToken", OPT, 0, 64, _,                                          \
      "Of an earlier joinRoom: proves that peerId is one's own.")                                  \
    X(S, str, stream_key, "streamKey", OPT, 1, 64, _,                                              \
      "Of a stream that was created with the API: lets a broadcaster into its room; so does the "  \
      "log-in of its owner.")                                                                      \
    X(S, str, token, "token", OPT, 0, SIG_TOKEN_MAX, _,                                            \
      "Of an account, for clients that cannot send it as a cookie or bearer token.")
SHAPE_STRUCT(sig_join_room, SIG_JOIN_ROOM_FIELDS);

#define SIG_PEER_INFO_FIELDS(X, S)                                                                 \
    X(S, str, peer_id, "peerId", REQ, 1, SIG_ID_MAX, _, "Who.")                                    \
    X(S, str, display_name, "displayName", REQ, 0, SIG_NAME_MAX, _, "Its name; may be empty.")     \
    X(S, choice, role, "role", REQ, 0, 0, sig_role_names, "Its role.")
SHAPE_STRUCT(sig_peer_info, SIG_PEER_INFO_FIELDS);

#define SIG_PRODUCER_INFO_FIELDS(X, S)                                                             \
    X(S, str, producer_id, "producerId", REQ, 1, SIG_ID_MAX, _, "The producer.")                   \
    X(S, str, peer_id, "peerId", REQ, 1, SIG_ID_MAX, _, "Whose.")                                  \
    X(S, choice, kind, "kind", REQ, 0, 0, media_kind_names, "Audio or video.")                     \
    X(S, flag, paused, "paused", REQ, 0, 0, _, "Whether its peer paused it.")                      \
    X(S, json, app_data, "appData", OPT, 0, 0, _, "What its peer gave with it.")
SHAPE_STRUCT(sig_producer_info, SIG_PRODUCER_INFO_FIELDS);

#define SIG_DATA_PRODUCER_INFO_FIELDS(X, S)                                                        \
    X(S, str, data_producer_id, "dataProducerId", REQ, 1, SIG_ID_MAX, _, "The data producer.")     \
    X(S, str, peer_id, "peerId", REQ, 1, SIG_ID_MAX, _, "Whose.")                                  \
    X(S, str, label, "label", REQ, 0, 255, _, "Label of the channel.")                             \
    X(S, str, protocol, "protocol", REQ, 0, 255, _, "Protocol of the channel.")                    \
    X(S, json, app_data, "appData", OPT, 0, 0, _, "What its peer gave with it.")
SHAPE_STRUCT(sig_data_producer_info, SIG_DATA_PRODUCER_INFO_FIELDS);

#define SIG_JOIN_ROOM_ANSWER_FIELDS(X, S)                                                          \
    X(S, str, room_id, "roomId", REQ, 1, SIG_ID_MAX, _, "The room.")                               \
    X(S, str, peer_id, "peerId", REQ, 1, SIG_ID_MAX, _, "The peer's own id, to come back with.")   \
    X(S, str, resume_token, "resumeToken", REQ, 1, 64, _,                                          \
      "Secret: send it with the next joinRoom to take this peer's place again.")                   \
    X(S, obj, rtp_capabilities, "rtpCapabilities", REQ, 0, 0, rtp_capabilities,                    \
      "What the room's router understands, for Device.load().")                                    \
    X(S, objs, peers, "peers", REQ, 0, 65536, sig_peer_info, "The others, viewers left out.")      \
    X(S, objs, producers, "producers", REQ, 0, 65536, sig_producer_info, "What can be consumed.")  \
    X(S, objs, data_producers, "dataProducers", OPT, 0, 65536, sig_data_producer_info,             \
      "Data channels that can be consumed.")                                                       \
    X(S, json, ice_servers, "iceServers", REQ, 0, 0, _,                                            \
      "RTCIceServer objects, for the client's transports.")                                        \
    X(S, str, hls_url, "hlsUrl", OPT, 1, 512, _,                                                   \
      "Path of the room's HLS playlist, where there is one.")
SHAPE_STRUCT(sig_join_room_answer, SIG_JOIN_ROOM_ANSWER_FIELDS);

/* ---- transports ---- */

#define SIG_CREATE_TRANSPORT_FIELDS(X, S)                                                          \
    X(S, flag, force_tcp, "forceTcp", OPT, 0, 0, _, "Only TCP candidates; false if left out.")     \
    X(S, obj, sctp_capabilities, "sctpCapabilities", OPT, 0, 0, sctp_capabilities,                 \
      "With it, the transport carries data channels.")
SHAPE_STRUCT(sig_create_transport, SIG_CREATE_TRANSPORT_FIELDS);

#define SIG_TRANSPORT_ANSWER_FIELDS(X, S)                                                          \
    X(S, str, id, "id", REQ, 1, SIG_ID_MAX, _, "The transport.")                                   \
    X(S, obj, ice_parameters, "iceParameters", REQ, 0, 0, ice_parameters, "Of the server.")        \
    X(S, objs, ice_candidates, "iceCandidates", REQ, 0, 64, ice_candidate, "Where it is reached.") \
    X(S, obj, dtls_parameters, "dtlsParameters", REQ, 0, 0, dtls_parameters, "Of the server.")     \
    X(S, obj, sctp_parameters, "sctpParameters", OPT, 0, 0, sctp_parameters, "Of the server.")
SHAPE_STRUCT(sig_transport_answer, SIG_TRANSPORT_ANSWER_FIELDS);

#define SIG_CONNECT_TRANSPORT_FIELDS(X, S)                                                         \
    X(S, str, transport_id, "transportId", REQ, 1, SIG_ID_MAX, _, "Which.")                        \
    X(S, obj, dtls_parameters, "dtlsParameters", REQ, 0, 0, dtls_parameters, "Of the client.")
SHAPE_STRUCT(sig_connect_transport, SIG_CONNECT_TRANSPORT_FIELDS);

#define SIG_CONNECT_TRANSPORT_ANSWER_FIELDS(X, S)                                                  \
    X(S, flag, connected, "connected", REQ, 0, 0, _, "Always true.")
SHAPE_STRUCT(sig_connect_transport_answer, SIG_CONNECT_TRANSPORT_ANSWER_FIELDS);

#define SIG_ON_TRANSPORT_FIELDS(X, S)                                                              \
    X(S, str, transport_id, "transportId", REQ, 1, SIG_ID_MAX, _, "Which.")
SHAPE_STRUCT(sig_on_transport, SIG_ON_TRANSPORT_FIELDS);

#define SIG_RESTART_ICE_ANSWER_FIELDS(X, S)                                                        \
    X(S, obj, ice_parameters, "iceParameters", REQ, 0, 0, ice_parameters, "The new ones.")
SHAPE_STRUCT(sig_restart_ice_answer, SIG_RESTART_ICE_ANSWER_FIELDS);

/* ---- producers and consumers ---- */

#define SIG_PRODUCE_FIELDS(X, S)                                                                   \
    X(S, str, transport_id, "transportId", REQ, 1, SIG_ID_MAX, _, "A producer transport.")         \
    X(S, choice, kind, "kind", REQ, 0, 0, media_kind_names, "Audio or video.")                     \
    X(S, obj, rtp_parameters, "rtpParameters", REQ, 0, 0, rtp_parameters, "What will be sent.")    \
    X(S, flag, paused, "paused", OPT, 0, 0, _, "Starts paused; false if left out.")                \
    X(S, json, app_data, "appData", OPT, 0, 0, _, "Handed on to others; an object of at most 4 kB.")
SHAPE_STRUCT(sig_produce, SIG_PRODUCE_FIELDS);

#define SIG_ID_ANSWER_FIELDS(X, S) X(S, str, id, "id", REQ, 1, SIG_ID_MAX, _, "What was made.")
SHAPE_STRUCT(sig_id_answer, SIG_ID_ANSWER_FIELDS);

#define SIG_CONSUME_FIELDS(X, S)                                                                   \
    X(S, str, producer_id, "producerId", REQ, 1, SIG_ID_MAX, _, "Which producer.")                 \
    X(S, obj, rtp_capabilities, "rtpCapabilities", REQ, 0, 0, rtp_capabilities,                    \
      "Of the client's device.")                                                                   \
    X(S, str, transport_id, "transportId", OPT, 1, SIG_ID_MAX, _,                                  \
      "A consumer transport; the newest one of the peer if left out.")                             \
    X(S, flag, paused, "paused", OPT, 0, 0, _, "Starts paused; true if left out.")                 \
    X(S, str, mid, "mid", OPT, 1, MID_MAX, _,                                                      \
      "Its media id in the transport; counted up if left out.")                                    \
    X(S, flag, own_numbers, "ownNumbers", OPT, 0, 0, _,                                            \
      "rtpParameters have the payload types and extension ids of rtpCapabilities instead of the "  \
      "room's: for clients that made an SDP offer.")
SHAPE_STRUCT(sig_consume, SIG_CONSUME_FIELDS);

#define SIG_CONSUME_ANSWER_FIELDS(X, S)                                                            \
    X(S, str, id, "id", REQ, 1, SIG_ID_MAX, _, "The consumer.")                                    \
    X(S, str, producer_id, "producerId", REQ, 1, SIG_ID_MAX, _, "What it consumes.")               \
    X(S, choice, kind, "kind", REQ, 0, 0, media_kind_names, "Audio or video.")                     \
    X(S, obj, rtp_parameters, "rtpParameters", REQ, 0, 0, rtp_parameters,                          \
      "What will be received.")                                                                    \
    X(S, choice, type, "type", REQ, 0, 0, rtp_type_names, "simple, simulcast or svc.")             \
    X(S, flag, producer_paused, "producerPaused", REQ, 0, 0, _, "Whether its producer is paused.")
SHAPE_STRUCT(sig_consume_answer, SIG_CONSUME_ANSWER_FIELDS);

#define SIG_ON_PRODUCER_FIELDS(X, S)                                                               \
    X(S, str, producer_id, "producerId", REQ, 1, SIG_ID_MAX, _, "Which.")
SHAPE_STRUCT(sig_on_producer, SIG_ON_PRODUCER_FIELDS);

#define SIG_ON_CONSUMER_FIELDS(X, S)                                                               \
    X(S, str, consumer_id, "consumerId", REQ, 1, SIG_ID_MAX, _, "Which.")
SHAPE_STRUCT(sig_on_consumer, SIG_ON_CONSUMER_FIELDS);

#define SIG_PREFERRED_LAYERS_FIELDS(X, S)                                                          \
    X(S, str, consumer_id, "consumerId", REQ, 1, SIG_ID_MAX, _, "Which.")                          \
    X(S, u8, spatial_layer, "spatialLayer", REQ, 0, 8, _, "At most this one.")                     \
    X(S, u8, temporal_layer, "temporalLayer", OPT, 0, 8, _, "At most this one; all if left out.")
SHAPE_STRUCT(sig_preferred_layers, SIG_PREFERRED_LAYERS_FIELDS);

#define SIG_PRIORITY_FIELDS(X, S)                                                                  \
    X(S, str, consumer_id, "consumerId", REQ, 1, SIG_ID_MAX, _, "Which.")                          \
    X(S, u8, priority, "priority", REQ, 1, 255, _,                                                 \
      "Against the peer's other consumers; 1 is least.")
SHAPE_STRUCT(sig_priority, SIG_PRIORITY_FIELDS);

/* ---- data channels ---- */

#define SIG_PRODUCE_DATA_FIELDS(X, S)                                                              \
    X(S, str, transport_id, "transportId", REQ, 1, SIG_ID_MAX, _,                                  \
      "A producer transport with SCTP.")                                                           \
    X(S, obj, sctp_stream_parameters, "sctpStreamParameters", REQ, 0, 0, sctp_stream_parameters,   \
      "The stream and how reliable it is.")                                                        \
    X(S, str, label, "label", OPT, 0, 255, _, "Label of the channel.")                             \
    X(S, str, protocol, "protocol", OPT, 0, 255, _, "Protocol of the channel.")                    \
    X(S, json, app_data, "appData", OPT, 0, 0, _, "Handed on to others.")
SHAPE_STRUCT(sig_produce_data, SIG_PRODUCE_DATA_FIELDS);

#define SIG_CONSUME_DATA_FIELDS(X, S)                                                              \
    X(S, str, data_producer_id, "dataProducerId", REQ, 1, SIG_ID_MAX, _, "Which data producer.")   \
    X(S, str, transport_id, "transportId", OPT, 1, SIG_ID_MAX, _,                                  \
      "A consumer transport with SCTP; the newest one of the peer if left out.")
SHAPE_STRUCT(sig_consume_data, SIG_CONSUME_DATA_FIELDS);

#define SIG_ON_DATA_PRODUCER_FIELDS(X, S)                                                          \
    X(S, str, data_producer_id, "dataProducerId", REQ, 1, SIG_ID_MAX, _, "An own data producer.")
SHAPE_STRUCT(sig_on_data_producer, SIG_ON_DATA_PRODUCER_FIELDS);

#define SIG_ON_DATA_CONSUMER_FIELDS(X, S)                                                          \
    X(S, str, data_consumer_id, "dataConsumerId", REQ, 1, SIG_ID_MAX, _, "An own data consumer.")
SHAPE_STRUCT(sig_on_data_consumer, SIG_ON_DATA_CONSUMER_FIELDS);

#define SIG_CONSUME_DATA_ANSWER_FIELDS(X, S)                                                       \
    X(S, str, id, "id", REQ, 1, SIG_ID_MAX, _, "The data consumer.")                               \
    X(S, str, data_producer_id, "dataProducerId", REQ, 1, SIG_ID_MAX, _, "What it consumes.")      \
    X(S, obj, sctp_stream_parameters, "sctpStreamParameters", REQ, 0, 0, sctp_stream_parameters,   \
      "The stream that it comes on.")                                                              \
    X(S, str, label, "label", REQ, 0, 255, _, "Label of the channel.")                             \
    X(S, str, protocol, "protocol", REQ, 0, 255, _, "Protocol of the channel.")
SHAPE_STRUCT(sig_consume_data_answer, SIG_CONSUME_DATA_ANSWER_FIELDS);

/* ---- peers ---- */

#define SIG_CHANGE_DISPLAY_NAME_FIELDS(X, S)                                                       \
    X(S, str, display_name, "displayName", REQ, 0, SIG_NAME_MAX, _, "What others see from now on.")
SHAPE_STRUCT(sig_change_display_name, SIG_CHANGE_DISPLAY_NAME_FIELDS);

/* id, name, request shape or NULL, answer shape or NULL ({}), doc. Statistics are answered with the
 * worker's list. */
#define SIGNALING_METHODS(X)                                                                       \
    X(SIG_CREATE_ROOM, "createRoom", &sig_create_room_shape, &sig_create_room_answer_shape,        \
      "Makes a room, or finds the one with this id. It goes when nobody joins it for a while.")    \
    X(SIG_JOIN_ROOM, "joinRoom", &sig_join_room_shape, &sig_join_room_answer_shape,                \
      "Enters a room. A connection is in one room at a time.")                                     \
    X(SIG_LEAVE_ROOM, "leaveRoom", NULL, NULL, "Leaves it; the connection stays.")                 \
    X(SIG_SET_ROOM_HLS, "setRoomHls", &sig_room_hls_shape, &sig_room_hls_shape,                    \
      "Changes which HLS the room has; what is left out stays. Not for viewers.")                  \
    X(SIG_CREATE_PRODUCER_TRANSPORT, "createProducerTransport", &sig_create_transport_shape,       \
      &sig_transport_answer_shape, "Makes a transport for sending to the server.")                 \
    X(SIG_CREATE_CONSUMER_TRANSPORT, "createConsumerTransport", &sig_create_transport_shape,       \
      &sig_transport_answer_shape, "Makes a transport for receiving.")                             \
    X(SIG_CONNECT_PRODUCER_TRANSPORT, "connectProducerTransport", &sig_connect_transport_shape,    \
      &sig_connect_transport_answer_shape, "Starts DTLS with the client's parameters.")            \
    X(SIG_CONNECT_CONSUMER_TRANSPORT, "connectConsumerTransport", &sig_connect_transport_shape,    \
      &sig_connect_transport_answer_shape, "The same for a consumer transport.")                   \
    X(SIG_RESTART_ICE, "restartIce", &sig_on_transport_shape, &sig_restart_ice_answer_shape,       \
      "New ICE credentials, after the network changed.")                                           \
    X(SIG_PRODUCE, "produce", &sig_produce_shape, &sig_id_answer_shape, "Sends a track.")          \
    X(SIG_CONSUME, "consume", &sig_consume_shape, &sig_consume_answer_shape,                       \
      "Receives a producer. Starts paused: resume it when the client is ready.")                   \
    X(SIG_PAUSE_PRODUCER, "pauseProducer", &sig_on_producer_shape, NULL,                           \
      "Pauses an own producer.")                                                                   \
    X(SIG_RESUME_PRODUCER, "resumeProducer", &sig_on_producer_shape, NULL, "Resumes it.")          \
    X(SIG_CLOSE_PRODUCER, "closeProducer", &sig_on_producer_shape, NULL, "Ends it.")               \
    X(SIG_PAUSE_CONSUMER, "pauseConsumer", &sig_on_consumer_shape, NULL,                           \
      "Pauses an own consumer.")                                                                   \
    X(SIG_RESUME_CONSUMER, "resumeConsumer", &sig_on_consumer_shape, NULL,                         \
      "Resumes it, from a key frame.")                                                             \
    X(SIG_CLOSE_CONSUMER, "closeConsumer", &sig_on_consumer_shape, NULL, "Ends it.")               \
    X(SIG_REQUEST_CONSUMER_KEY_FRAME, "requestConsumerKeyFrame", &sig_on_consumer_shape, NULL,     \
      "Asks its producer for a key frame.")                                                        \
    X(SIG_SET_CONSUMER_PREFERRED_LAYERS, "setConsumerPreferredLayers",                             \
      &sig_preferred_layers_shape, NULL, "The most that it wants of simulcast or SVC.")            \
    X(SIG_SET_CONSUMER_PRIORITY, "setConsumerPriority", &sig_priority_shape, NULL,                 \
      "Its share when bandwidth is short.")                                                        \
    X(SIG_PRODUCE_DATA, "produceData", &sig_produce_data_shape, &sig_id_answer_shape,              \
      "Sends on a data channel.")                                                                  \
    X(SIG_CONSUME_DATA, "consumeData", &sig_consume_data_shape, &sig_consume_data_answer_shape,    \
      "Receives a data channel.")                                                                  \
    X(SIG_CLOSE_DATA_PRODUCER, "closeDataProducer", &sig_on_data_producer_shape, NULL,             \
      "Ends an own data producer.")                                                                \
    X(SIG_CLOSE_DATA_CONSUMER, "closeDataConsumer", &sig_on_data_consumer_shape, NULL,             \
      "Ends an own data consumer.")                                                                \
    X(SIG_GET_TRANSPORT_STATS, "getTransportStats", &sig_on_transport_shape, NULL,                 \
      "Statistics of an own transport, a list.")                                                   \
    X(SIG_GET_PRODUCER_STATS, "getProducerStats", &sig_on_producer_shape, NULL,                    \
      "Statistics of an own producer, a list.")                                                    \
    X(SIG_GET_CONSUMER_STATS, "getConsumerStats", &sig_on_consumer_shape, NULL,                    \
      "Statistics of an own consumer, a list.")                                                    \
    X(SIG_CHANGE_DISPLAY_NAME, "changeDisplayName", &sig_change_display_name_shape, NULL,          \
      "Changes what others see.")                                                                  \
    SIGNALING_CHAT_METHODS(X)

#endif
