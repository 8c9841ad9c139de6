/* What clients are told without asking: payloads of every event over /ws (DESIGN 5). Structs and
 * tables only; no IO. Times are milliseconds since 1970 UTC. */
#ifndef WEIR_PROTO_SIGNALING_EVENTS_H
#define WEIR_PROTO_SIGNALING_EVENTS_H

#include "proto/pipe_consumer.h"
#include "proto/pipe_producer.h"
#include "proto/signaling_methods.h"

#define SIG_PRODUCER_GONE_FIELDS(X, S)                                                             \
    X(S, str, producer_id, "producerId", REQ, 1, SIG_ID_MAX, _, "The producer.")                   \
    X(S, str, peer_id, "peerId", REQ, 1, SIG_ID_MAX, _, "Whose it was.")
SHAPE_STRUCT(sig_producer_gone, SIG_PRODUCER_GONE_FIELDS);

#define SIG_PRODUCERS_CHANGED_FIELDS(X, S)                                                         \
    X(S, objs, added, "added", REQ, 0, 65536, sig_producer_info,                                   \
      "New ones, and ones that were paused or resumed.")                                           \
    X(S, objs, removed, "removed", REQ, 0, 65536, sig_producer_gone,                               \
      "Ones that ended; their consumers are closed.")
SHAPE_STRUCT(sig_producers_changed, SIG_PRODUCERS_CHANGED_FIELDS);

#define SIG_DATA_PRODUCER_GONE_FIELDS(X, S)                                                        \
    X(S, str, data_producer_id, "dataProducerId", REQ, 1, SIG_ID_MAX, _, "The data producer.")     \
    X(S, str, peer_id, "peerId", REQ, 1, SIG_ID_MAX, _, "Whose it was.")
SHAPE_STRUCT(sig_data_producer_gone, SIG_DATA_PRODUCER_GONE_FIELDS);

#define SIG_DATA_PRODUCERS_CHANGED_FIELDS(X, S)                                                    \
    X(S, objs, added, "added", REQ, 0, 65536, sig_data_producer_info, "New ones.")                 \
    X(S, objs, removed, "removed", REQ, 0, 65536, sig_data_producer_gone,                          \
      "Ones that ended; their data consumers are closed.")
SHAPE_STRUCT(sig_data_producers_changed, SIG_DATA_PRODUCERS_CHANGED_FIELDS);

#define SIG_DATA_CONSUMER_CLOSED_FIELDS(X, S)                                                      \
    X(S, str, data_consumer_id, "dataConsumerId", REQ, 1, SIG_ID_MAX, _,                           \
      "An own data consumer that ended with its data producer.")                                   \
    X(S, str, data_producer_id, "dataProducerId", REQ, 1, SIG_ID_MAX, _, "The data producer.")
SHAPE_STRUCT(sig_data_consumer_closed, SIG_DATA_CONSUMER_CLOSED_FIELDS);

#define SIG_PEER_LEFT_FIELDS(X, S) X(S, str, peer_id, "peerId", REQ, 1, SIG_ID_MAX, _, "Who.")
SHAPE_STRUCT(sig_peer_left, SIG_PEER_LEFT_FIELDS);

#define SIG_PRODUCER_SCORE_FIELDS(X, S)                                                            \
    X(S, str, producer_id, "producerId", REQ, 1, SIG_ID_MAX, _, "An own producer.")                \
    X(S, json, score, "score", REQ, 0, 0, _,                                                       \
      "A list of {encodingIdx, ssrc, rid?, score}, scores 0 to 10.")
SHAPE_STRUCT(sig_producer_score, SIG_PRODUCER_SCORE_FIELDS);

#define SIG_CONSUMER_SCORE_FIELDS(X, S)                                                            \
    X(S, str, consumer_id, "consumerId", REQ, 1, SIG_ID_MAX, _, "An own consumer.")                \
    X(S, json, score, "score", REQ, 0, 0, _, "{score, producerScore, producerScores}, 0 to 10.")
SHAPE_STRUCT(sig_consumer_score, SIG_CONSUMER_SCORE_FIELDS);

#define SIG_LAYERS_CHANGED_FIELDS(X, S)                                                            \
    X(S, str, consumer_id, "consumerId", REQ, 1, SIG_ID_MAX, _, "An own consumer.")                \
    X(S, json, layers, "layers", REQ, 0, 0, _,                                                     \
      "{spatialLayer, temporalLayer}, or null: nothing is sent.")
SHAPE_STRUCT(sig_layers_changed, SIG_LAYERS_CHANGED_FIELDS);

#define SIG_CONSUMER_CLOSED_FIELDS(X, S)                                                           \
    X(S, str, consumer_id, "consumerId", REQ, 1, SIG_ID_MAX, _,                                    \
      "An own consumer that ended with its producer.")                                             \
    X(S, str, producer_id, "producerId", REQ, 1, SIG_ID_MAX, _, "The producer.")
SHAPE_STRUCT(sig_consumer_closed, SIG_CONSUMER_CLOSED_FIELDS);

#define SIG_VIEWER_COUNT_FIELDS(X, S)                                                              \
    X(S, u32, count, "count", REQ, 0, UINT32_MAX, _, "Who watches now.")                           \
    X(S, u32, peak, "peak", OPT, 0, UINT32_MAX, _, "The most so far.")
SHAPE_STRUCT(sig_viewer_count, SIG_VIEWER_COUNT_FIELDS);

#define SIG_HLS_READY_FIELDS(X, S)                                                                 \
    X(S, str, hls_url, "hlsUrl", REQ, 1, 512, _, "Path of the playlist, which plays now.")
SHAPE_STRUCT(sig_hls_ready, SIG_HLS_READY_FIELDS);

#define SIG_STREAM_ENDED_FIELDS(X, S)                                                              \
    X(S, str, room_id, "roomId", REQ, 1, SIG_ID_MAX, _, "The room.")                               \
    X(S, str, stream_id, "streamId", OPT, 1, SIG_ID_MAX, _, "The stream that ended.")              \
    X(S, str, reason, "reason", OPT, 0, 255, _, "Why, for people.")
SHAPE_STRUCT(sig_stream_ended, SIG_STREAM_ENDED_FIELDS);

#define SIG_RECONNECT_FIELDS(X, S)                                                                 \
    X(S, str, reason, "reason", REQ, 1, 255, _,                                                    \
      "Why: the media worker was lost, the service drains.")
SHAPE_STRUCT(sig_reconnect, SIG_RECONNECT_FIELDS);

/* id, name, payload shape, doc */
#define SIGNALING_EVENTS(X)                                                                        \
    X(SIG_EVENT_PRODUCERS_CHANGED, "roomProducersChanged", &sig_producers_changed_shape,           \
      "Producers came, went, were paused or resumed.")                                             \
    X(SIG_EVENT_PEER_JOINED, "peerJoined", &sig_peer_info_shape,                                   \
      "Somebody came, or changed name.")                                                           \
    X(SIG_EVENT_PEER_LEFT, "peerLeft", &sig_peer_left_shape, "Somebody left.")                     \
    X(SIG_EVENT_PRODUCER_SCORE, "producerScore", &sig_producer_score_shape,                        \
      "How well an own producer is received.")                                                     \
    X(SIG_EVENT_CONSUMER_SCORE, "consumerScore", &sig_consumer_score_shape,                        \
      "How well an own consumer gets through.")                                                    \
    X(SIG_EVENT_LAYERS_CHANGED, "consumerLayersChanged", &sig_layers_changed_shape,                \
      "Other layers are sent to an own consumer.")                                                 \
    X(SIG_EVENT_CONSUMER_CLOSED, "consumerClosed", &sig_consumer_closed_shape,                     \
      "An own consumer ended.")                                                                    \
    X(SIG_EVENT_DATA_PRODUCERS_CHANGED, "roomDataProducersChanged",                                \
      &sig_data_producers_changed_shape, "Others' data channels came or went.")                    \
    X(SIG_EVENT_DATA_CONSUMER_CLOSED, "dataConsumerClosed", &sig_data_consumer_closed_shape,       \
      "An own data consumer ended.")                                                               \
    X(SIG_EVENT_VIEWER_COUNT, "viewerCount", &sig_viewer_count_shape,                              \
      "The number of viewers changed.")                                                            \
    X(SIG_EVENT_HLS_READY, "hlsReady", &sig_hls_ready_shape, "The room's HLS playlist plays.")     \
    X(SIG_EVENT_STREAM_ENDED, "streamEnded", &sig_stream_ended_shape, "The room's stream ended.")  \
    X(SIG_EVENT_RECONNECT_REQUIRED, "reconnectRequired", &sig_reconnect_shape,                     \
      "All transports of this peer are gone: create them anew.")                                   \
    SIGNALING_CHAT_EVENTS(X)

#endif
