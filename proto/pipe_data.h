/* Payloads of the pipe protocol: data producers and data consumers. Structs and tables only; no
 * IO. */
#ifndef WEIR_PROTO_PIPE_DATA_H
#define WEIR_PROTO_PIPE_DATA_H

#include "proto/pipe_common.h"

enum { SUBCHANNELS_MAX = 1024, LABEL_MAX = 65535 };

#define DATA_TYPE_MAP(X)                                                                           \
    X(DATA_TYPE_SCTP, "sctp", "Over an SCTP stream.")                                              \
    X(DATA_TYPE_DIRECT, "direct", "From or to the controller, over this pipe.")
CHOICE_ENUM(data_type, DATA_TYPE_MAP);

/* ---- data producers ---- */

#define DATA_PRODUCER_DUMP_RESPONSE_FIELDS(X, S)                                                   \
    X(S, str, id, "id", REQ, 1, ID_MAX, _, "Id of the data producer.")                             \
    X(S, choice, type, "type", REQ, 0, 0, data_type_names, "sctp or direct.")                      \
    X(S, obj, sctp_stream_parameters, "sctpStreamParameters", OPT, 0, 0, sctp_stream_parameters,   \
      "Which SCTP stream; only of sctp.")                                                          \
    X(S, str, label, "label", REQ, 0, LABEL_MAX, _, "Label of the data channel.")                  \
    X(S, str, protocol, "protocol", REQ, 0, LABEL_MAX, _, "Subprotocol of the data channel.")      \
    X(S, flag, paused, "paused", REQ, 0, 0, _, "Whether it is paused.")
SHAPE_STRUCT(data_producer_dump_response, DATA_PRODUCER_DUMP_RESPONSE_FIELDS);

#define DATA_PRODUCER_GET_STATS_RESPONSE_FIELDS(X, S)                                              \
    X(S, str, type, "type", REQ, 1, 32, _, "Always data-producer.")                                \
    X(S, u64, timestamp, "timestamp", REQ, 0, SAFE_INTEGER_MAX, _,                                 \
      "When this was read: milliseconds on the worker's monotonic clock.")                         \
    X(S, str, label, "label", REQ, 0, LABEL_MAX, _, "Label of the data channel.")                  \
    X(S, str, protocol, "protocol", REQ, 0, LABEL_MAX, _, "Subprotocol of the data channel.")      \
    X(S, u64, messages_received, "messagesReceived", REQ, 0, SAFE_INTEGER_MAX, _,                  \
      "Messages, whole ones.")                                                                     \
    X(S, u64, bytes_received, "bytesReceived", REQ, 0, SAFE_INTEGER_MAX, _,                        \
      "Bytes of these messages.")
SHAPE_STRUCT(data_producer_get_stats_response, DATA_PRODUCER_GET_STATS_RESPONSE_FIELDS);

#define DATA_PRODUCER_SEND_COMMAND_FIELDS(X, S)                                                    \
    X(S, u32, ppid, "ppid", REQ, 0, UINT32_MAX, _,                                                 \
      "SCTP payload protocol id (RFC 8831 8): 51 text, 53 binary, 56 and 57 empty.")               \
    X(S, str, data, "data", REQ, 0, MESSAGE_BASE64_MAX, _, "The message in base64.")               \
    X(S, u16s, subchannels, "subchannels", OPT, 0, SUBCHANNELS_MAX, _,                             \
      "Only data consumers with one of these get it; all if left out or empty.")                   \
    X(S, u16, required_subchannel, "requiredSubchannel", OPT, 0, UINT16_MAX, _,                    \
      "Only data consumers with this one get it.")                                                 \
    X(S, u16, ignored_subchannel, "ignoredSubchannel", OPT, 0, UINT16_MAX, _,                      \
      "Data consumers with this one do not get it.")
SHAPE_STRUCT(data_producer_send_command, DATA_PRODUCER_SEND_COMMAND_FIELDS);

/* ---- data consumers ---- */

#define DATA_CONSUMER_DUMP_RESPONSE_FIELDS(X, S)                                                   \
    X(S, str, id, "id", REQ, 1, ID_MAX, _, "Id of the data consumer.")                             \
    X(S, str, data_producer_id, "dataProducerId", REQ, 1, ID_MAX, _, "What is consumed.")          \
    X(S, choice, type, "type", REQ, 0, 0, data_type_names, "sctp or direct.")                      \
    X(S, obj, sctp_stream_parameters, "sctpStreamParameters", OPT, 0, 0, sctp_stream_parameters,   \
      "Which SCTP stream; only of sctp.")                                                          \
    X(S, str, label, "label", REQ, 0, LABEL_MAX, _, "Label of the data channel.")                  \
    X(S, str, protocol, "protocol", REQ, 0, LABEL_MAX, _, "Subprotocol of the data channel.")      \
    X(S, u32, buffered_amount, "bufferedAmount", REQ, 0, UINT32_MAX, _,                            \
      "Bytes that wait for sending.")                                                              \
    X(S, u32, buffered_amount_low_threshold, "bufferedAmountLowThreshold", REQ, 0, UINT32_MAX, _,  \
      "Bytes at which bufferedAmountLow is told.")                                                 \
    X(S, flag, paused, "paused", REQ, 0, 0, _, "Whether it is paused.")                            \
    X(S, flag, data_producer_paused, "dataProducerPaused", REQ, 0, 0, _,                           \
      "Whether its data producer is.")                                                             \
    X(S, u16s, subchannels, "subchannels", REQ, 0, SUBCHANNELS_MAX, _, "Its subchannels.")
SHAPE_STRUCT(data_consumer_dump_response, DATA_CONSUMER_DUMP_RESPONSE_FIELDS);

#define DATA_CONSUMER_GET_STATS_RESPONSE_FIELDS(X, S)                                              \
    X(S, str, type, "type", REQ, 1, 32, _, "Always data-consumer.")                                \
    X(S, u64, timestamp, "timestamp", REQ, 0, SAFE_INTEGER_MAX, _,                                 \
      "When this was read: milliseconds on the worker's monotonic clock.")                         \
    X(S, str, label, "label", REQ, 0, LABEL_MAX, _, "Label of the data channel.")                  \
    X(S, str, protocol, "protocol", REQ, 0, LABEL_MAX, _, "Subprotocol of the data channel.")      \
    X(S, u64, messages_sent, "messagesSent", REQ, 0, SAFE_INTEGER_MAX, _, "Messages, whole ones.") \
    X(S, u64, bytes_sent, "bytesSent", REQ, 0, SAFE_INTEGER_MAX, _, "Bytes of these messages.")    \
    X(S, u32, buffered_amount, "bufferedAmount", REQ, 0, UINT32_MAX, _,                            \
      "Bytes that wait for sending.")
SHAPE_STRUCT(data_consumer_get_stats_response, DATA_CONSUMER_GET_STATS_RESPONSE_FIELDS);

/* Of dataConsumer.getBufferedAmount, dataConsumer.send and dataConsumer.bufferedAmountLow. */
#define BUFFERED_AMOUNT_FIELDS(X, S)                                                               \
    X(S, u32, buffered_amount, "bufferedAmount", REQ, 0, UINT32_MAX, _,                            \
      "Bytes that wait for sending.")
SHAPE_STRUCT(buffered_amount, BUFFERED_AMOUNT_FIELDS);

#define DATA_CONSUMER_SET_BUFFERED_AMOUNT_LOW_THRESHOLD_REQUEST_FIELDS(X, S)                       \
    X(S, u32, threshold, "threshold", REQ, 0, UINT32_MAX, _,                                       \
      "Bytes at which bufferedAmountLow is told.")
SHAPE_STRUCT(data_consumer_set_buffered_amount_low_threshold_request,
             DATA_CONSUMER_SET_BUFFERED_AMOUNT_LOW_THRESHOLD_REQUEST_FIELDS);

#define DATA_CONSUMER_SEND_REQUEST_FIELDS(X, S)                                                    \
    X(S, u32, ppid, "ppid", REQ, 0, UINT32_MAX, _, "SCTP payload protocol id (RFC 8831 8).")       \
    X(S, str, data, "data", REQ, 0, MESSAGE_BASE64_MAX, _, "The message in base64.")
SHAPE_STRUCT(data_consumer_send_request, DATA_CONSUMER_SEND_REQUEST_FIELDS);

/* Of dataConsumer.setSubchannels, and the response of the three that change them. */
#define SUBCHANNELS_FIELDS(X, S)                                                                   \
    X(S, u16s, subchannels, "subchannels", REQ, 0, SUBCHANNELS_MAX, _, "All subchannels.")
SHAPE_STRUCT(subchannels, SUBCHANNELS_FIELDS);

/* Of dataConsumer.addSubchannel and dataConsumer.removeSubchannel. */
#define SUBCHANNEL_FIELDS(X, S)                                                                    \
    X(S, u16, subchannel, "subchannel", REQ, 0, UINT16_MAX, _, "Which subchannel.")
SHAPE_STRUCT(subchannel, SUBCHANNEL_FIELDS);

#define DATA_CONSUMER_MESSAGE_EVENT_FIELDS(X, S)                                                   \
    X(S, u32, ppid, "ppid", REQ, 0, UINT32_MAX, _, "SCTP payload protocol id (RFC 8831 8).")       \
    X(S, str, data, "data", REQ, 0, MESSAGE_BASE64_MAX, _, "The message in base64.")
SHAPE_STRUCT(data_consumer_message_event, DATA_CONSUMER_MESSAGE_EVENT_FIELDS);

#endif
