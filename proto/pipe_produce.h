/* Payloads of the pipe protocol: what is created and closed in a transport (producers, consumers,
 * data producers, data consumers). Structs and tables only; no IO. */
#ifndef WEIR_PROTO_PIPE_PRODUCE_H
#define WEIR_PROTO_PIPE_PRODUCE_H

#include "proto/pipe_common.h"
#include "proto/pipe_consumer.h"
#include "proto/pipe_data.h"

#define TRANSPORT_PRODUCE_REQUEST_FIELDS(X, S)                                                     \
    X(S, str, producer_id, "producerId", REQ, 1, ID_MAX, _, "Id of the new producer.")             \
    X(S, choice, kind, "kind", REQ, 0, 0, media_kind_names, "Audio or video.")                     \
    X(S, obj, rtp_parameters, "rtpParameters", REQ, 0, 0, rtp_parameters, "What the peer sends.")  \
    X(S, obj, rtp_mapping, "rtpMapping", REQ, 0, 0, rtp_mapping,                                   \
      "Payload types and SSRCs inside the router.")                                                \
    X(S, flag, paused, "paused", OPT, 0, 0, _, "Starts paused; false if left out.")                \
    X(S, u32, key_frame_request_delay, "keyFrameRequestDelay", OPT, 0, 3600000, _,                 \
      "Milliseconds between key-frame requests at least; 0 if left out.")                          \
    X(S, flag, enable_mediasoup_packet_id_header_extension,                                        \
      "enableMediasoupPacketIdHeaderExtension", OPT, 0, 0, _, "Accepted, without effect.")
SHAPE_STRUCT(transport_produce_request, TRANSPORT_PRODUCE_REQUEST_FIELDS);

#define TRANSPORT_PRODUCE_RESPONSE_FIELDS(X, S)                                                    \
    X(S, choice, type, "type", REQ, 0, 0, rtp_type_names, "simple, simulcast or svc.")
SHAPE_STRUCT(transport_produce_response, TRANSPORT_PRODUCE_RESPONSE_FIELDS);

#define TRANSPORT_CONSUME_REQUEST_FIELDS(X, S)                                                     \
    X(S, str, consumer_id, "consumerId", REQ, 1, ID_MAX, _, "Id of the new consumer.")             \
    X(S, str, producer_id, "producerId", REQ, 1, ID_MAX, _, "What is consumed.")                   \
    X(S, choice, kind, "kind", REQ, 0, 0, media_kind_names, "Audio or video.")                     \
    X(S, obj, rtp_parameters, "rtpParameters", REQ, 0, 0, rtp_parameters, "What the peer gets.")   \
    X(S, choice, type, "type", REQ, 0, 0, rtp_type_names, "The producer's type, or pipe.")         \
    X(S, objs, consumable_rtp_encodings, "consumableRtpEncodings", REQ, 1, 16,                     \
      rtp_encoding_parameters, "The producer's encodings with their SSRCs inside the router.")     \
    X(S, flag, paused, "paused", OPT, 0, 0, _, "Starts paused; false if left out.")                \
    X(S, obj, preferred_layers, "preferredLayers", OPT, 0, 0, consumer_layers,                     \
      "Of simulcast and svc; the highest if left out.")                                            \
    X(S, flag, ignore_dtx, "ignoreDtx", OPT, 0, 0, _, "DTX packets of Opus are not forwarded.")    \
    X(S, objs, payload_types, "payloadTypes", OPT, 0, 64, rtp_codec_mapping,                       \
      "Where rtpParameters have payload types of the peer's choosing: payloadType is the "         \
      "router's, mappedPayloadType the peer's. Weir's own.")
SHAPE_STRUCT(transport_consume_request, TRANSPORT_CONSUME_REQUEST_FIELDS);

#define TRANSPORT_CONSUME_RESPONSE_FIELDS(X, S)                                                    \
    X(S, flag, paused, "paused", REQ, 0, 0, _, "Whether it is paused.")                            \
    X(S, flag, producer_paused, "producerPaused", REQ, 0, 0, _, "Whether its producer is.")        \
    X(S, obj, score, "score", REQ, 0, 0, consumer_score, "Scores at the start.")                   \
    X(S, obj, preferred_layers, "preferredLayers", OPT, 0, 0, consumer_layers,                     \
      "Of simulcast and svc: what counts.")
SHAPE_STRUCT(transport_consume_response, TRANSPORT_CONSUME_RESPONSE_FIELDS);

#define TRANSPORT_PRODUCE_DATA_REQUEST_FIELDS(X, S)                                                \
    X(S, str, data_producer_id, "dataProducerId", REQ, 1, ID_MAX, _, "Id of the new one.")         \
    X(S, choice, type, "type", REQ, 0, 0, data_type_names, "direct only in direct transports.")    \
    X(S, obj, sctp_stream_parameters, "sctpStreamParameters", OPT, 0, 0, sctp_stream_parameters,   \
      "Required for sctp.")                                                                        \
    X(S, str, label, "label", OPT, 0, LABEL_MAX, _, "Label of the data channel.")                  \
    X(S, str, protocol, "protocol", OPT, 0, LABEL_MAX, _, "Subprotocol of the data channel.")      \
    X(S, flag, paused, "paused", OPT, 0, 0, _, "Starts paused; false if left out.")
SHAPE_STRUCT(transport_produce_data_request, TRANSPORT_PRODUCE_DATA_REQUEST_FIELDS);

#define TRANSPORT_CONSUME_DATA_REQUEST_FIELDS(X, S)                                                \
    X(S, str, data_consumer_id, "dataConsumerId", REQ, 1, ID_MAX, _, "Id of the new one.")         \
    X(S, str, data_producer_id, "dataProducerId", REQ, 1, ID_MAX, _, "What is consumed.")          \
    X(S, choice, type, "type", REQ, 0, 0, data_type_names, "direct only in direct transports.")    \
    X(S, obj, sctp_stream_parameters, "sctpStreamParameters", OPT, 0, 0, sctp_stream_parameters,   \
      "Required for sctp.")                                                                        \
    X(S, str, label, "label", OPT, 0, LABEL_MAX, _, "Label of the data channel.")                  \
    X(S, str, protocol, "protocol", OPT, 0, LABEL_MAX, _, "Subprotocol of the data channel.")      \
    X(S, flag, paused, "paused", OPT, 0, 0, _, "Starts paused; false if left out.")                \
    X(S, u16s, subchannels, "subchannels", OPT, 0, SUBCHANNELS_MAX, _,                             \
      "Its subchannels; none if left out.")
SHAPE_STRUCT(transport_consume_data_request, TRANSPORT_CONSUME_DATA_REQUEST_FIELDS);

#define TRANSPORT_CLOSE_PRODUCER_REQUEST_FIELDS(X, S)                                              \
    X(S, str, producer_id, "producerId", REQ, 1, ID_MAX, _, "Which; its consumers close too.")
SHAPE_STRUCT(transport_close_producer_request, TRANSPORT_CLOSE_PRODUCER_REQUEST_FIELDS);

#define TRANSPORT_CLOSE_CONSUMER_REQUEST_FIELDS(X, S)                                              \
    X(S, str, consumer_id, "consumerId", REQ, 1, ID_MAX, _, "Which consumer.")
SHAPE_STRUCT(transport_close_consumer_request, TRANSPORT_CLOSE_CONSUMER_REQUEST_FIELDS);

#define TRANSPORT_CLOSE_DATA_PRODUCER_REQUEST_FIELDS(X, S)                                         \
    X(S, str, data_producer_id, "dataProducerId", REQ, 1, ID_MAX, _,                               \
      "Which; its data consumers close too.")
SHAPE_STRUCT(transport_close_data_producer_request, TRANSPORT_CLOSE_DATA_PRODUCER_REQUEST_FIELDS);

#define TRANSPORT_CLOSE_DATA_CONSUMER_REQUEST_FIELDS(X, S)                                         \
    X(S, str, data_consumer_id, "dataConsumerId", REQ, 1, ID_MAX, _, "Which data consumer.")
SHAPE_STRUCT(transport_close_data_consumer_request, TRANSPORT_CLOSE_DATA_CONSUMER_REQUEST_FIELDS);

#endif
