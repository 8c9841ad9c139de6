/* The tables of the pipe protocol's notifications: X(id, name, handler, payload, doc). payload is a
 * shape, or NULL where there is no data. Events go from the worker to the controller, commands the
 * other way. */
#ifndef WEIR_PROTO_PIPE_EVENTS_H
#define WEIR_PROTO_PIPE_EVENTS_H

#define PIPE_EVENTS(X)                                                                             \
    X(EVENT_WORKER_RUNNING, "worker.running", HANDLER_WORKER, &worker_running_event_shape,         \
      "The first message: the worker is ready.")                                                   \
    X(EVENT_TRANSPORT_SCTP_STATE_CHANGE, "transport.sctpStateChange", HANDLER_TRANSPORT,           \
      &transport_sctp_state_change_event_shape, "The SCTP association changed.")                   \
    X(EVENT_TRANSPORT_SCTP_NEGOTIATED_CAPABILITIES, "transport.sctpNegotiatedCapabilities",        \
      HANDLER_TRANSPORT, &transport_sctp_negotiated_capabilities_event_shape,                      \
      "The SCTP handshake agreed on stream counts.")                                               \
    X(EVENT_TRANSPORT_TRACE, "transport.trace", HANDLER_TRANSPORT, &transport_trace_event_shape,   \
      "What enableTraceEvent asked for.")                                                          \
    X(EVENT_WEBRTC_TRANSPORT_ICE_SELECTED_TUPLE_CHANGE, "webRtcTransport.iceSelectedTupleChange",  \
      HANDLER_WEBRTC_TRANSPORT, &webrtc_transport_ice_selected_tuple_change_event_shape,           \
      "Media goes elsewhere.")                                                                     \
    X(EVENT_WEBRTC_TRANSPORT_ICE_STATE_CHANGE, "webRtcTransport.iceStateChange",                   \
      HANDLER_WEBRTC_TRANSPORT, &webrtc_transport_ice_state_change_event_shape, "ICE changed.")    \
    X(EVENT_WEBRTC_TRANSPORT_DTLS_STATE_CHANGE, "webRtcTransport.dtlsStateChange",                 \
      HANDLER_WEBRTC_TRANSPORT, &webrtc_transport_dtls_state_change_event_shape, "DTLS changed.")  \
    X(EVENT_PLAIN_TRANSPORT_TUPLE, "plainTransport.tuple", HANDLER_PLAIN_TRANSPORT,                \
      &plain_transport_tuple_event_shape, "Comedia learnt where the peer's RTP is from.")          \
    X(EVENT_PLAIN_TRANSPORT_RTCP_TUPLE, "plainTransport.rtcpTuple", HANDLER_PLAIN_TRANSPORT,       \
      &plain_transport_tuple_event_shape, "Comedia learnt where the peer's RTCP is from.")         \
    X(EVENT_DIRECT_TRANSPORT_RTCP, "directTransport.rtcp", HANDLER_DIRECT_TRANSPORT,               \
      &direct_transport_rtcp_event_shape, "RTCP for the controller.")                              \
    X(EVENT_PRODUCER_SCORE, "producer.score", HANDLER_PRODUCER, &producer_score_event_shape,       \
      "The quality of what is received changed.")                                                  \
    X(EVENT_PRODUCER_TRACE, "producer.trace", HANDLER_PRODUCER, &producer_trace_event_shape,       \
      "What enableTraceEvent asked for.")                                                          \
    X(EVENT_PRODUCER_VIDEO_ORIENTATION_CHANGE, "producer.videoOrientationChange",                  \
      HANDLER_PRODUCER, &producer_video_orientation_change_event_shape, "The camera was turned.")  \
    X(EVENT_PRODUCER_VIDEO_SIZE_CHANGE, "producer.videoSizeChange", HANDLER_PRODUCER,              \
      &producer_video_size_change_event_shape,                                                     \
      "Key frames of the largest stream have another size. Weir's own.")                           \
    X(EVENT_CONSUMER_PRODUCER_PAUSE, "consumer.producerPause", HANDLER_CONSUMER, NULL,             \
      "Its producer was paused.")                                                                  \
    X(EVENT_CONSUMER_PRODUCER_RESUME, "consumer.producerResume", HANDLER_CONSUMER, NULL,           \
      "Its producer was resumed.")                                                                 \
    X(EVENT_CONSUMER_PRODUCER_CLOSE, "consumer.producerClose", HANDLER_CONSUMER, NULL,             \
      "Its producer was closed, and so is it.")                                                    \
    X(EVENT_CONSUMER_LAYERS_CHANGE, "consumer.layersChange", HANDLER_CONSUMER,                     \
      &consumer_layers_change_event_shape, "Other layers are sent.")                               \
    X(EVENT_CONSUMER_RTP, "consumer.rtp", HANDLER_CONSUMER, &consumer_rtp_event_shape,             \
      "A packet of a consumer in a direct transport.")                                             \
    X(EVENT_CONSUMER_SCORE, "consumer.score", HANDLER_CONSUMER, &consumer_score_event_shape,       \
      "The quality of what is sent, or of its source, changed.")                                   \
    X(EVENT_CONSUMER_TRACE, "consumer.trace", HANDLER_CONSUMER, &consumer_trace_event_shape,       \
      "What enableTraceEvent asked for.")                                                          \
    X(EVENT_DATA_CONSUMER_BUFFERED_AMOUNT_LOW, "dataConsumer.bufferedAmountLow",                   \
      HANDLER_DATA_CONSUMER, &buffered_amount_shape, "What waits fell to the threshold.")          \
    X(EVENT_DATA_CONSUMER_SCTP_SENDBUFFER_FULL, "dataConsumer.sctpSendbufferFull",                 \
      HANDLER_DATA_CONSUMER, NULL, "A message was dropped: too much waits for sending.")           \
    X(EVENT_DATA_CONSUMER_DATA_PRODUCER_PAUSE, "dataConsumer.dataProducerPause",                   \
      HANDLER_DATA_CONSUMER, NULL, "Its data producer was paused.")                                \
    X(EVENT_DATA_CONSUMER_DATA_PRODUCER_RESUME, "dataConsumer.dataProducerResume",                 \
      HANDLER_DATA_CONSUMER, NULL, "Its data producer was resumed.")                               \
    X(EVENT_DATA_CONSUMER_DATA_PRODUCER_CLOSE, "dataConsumer.dataProducerClose",                   \
      HANDLER_DATA_CONSUMER, NULL, "Its data producer was closed, and so is it.")                  \
    X(EVENT_DATA_CONSUMER_MESSAGE, "dataConsumer.message", HANDLER_DATA_CONSUMER,                  \
      &data_consumer_message_event_shape, "A message of a data consumer in a direct transport.")   \
    X(EVENT_ACTIVE_SPEAKER_OBSERVER_DOMINANT_SPEAKER, "activeSpeakerObserver.dominantSpeaker",     \
      HANDLER_ACTIVE_SPEAKER_OBSERVER, &active_speaker_observer_dominant_speaker_event_shape,      \
      "Somebody else speaks.")                                                                     \
    X(EVENT_AUDIO_LEVEL_OBSERVER_SILENCE, "audioLevelObserver.silence",                            \
      HANDLER_AUDIO_LEVEL_OBSERVER, NULL, "Nobody is above the threshold any more.")               \
    X(EVENT_AUDIO_LEVEL_OBSERVER_VOLUMES, "audioLevelObserver.volumes",                            \
      HANDLER_AUDIO_LEVEL_OBSERVER, &audio_level_observer_volumes_event_shape,                     \
      "Who is above the threshold.")

#define PIPE_COMMANDS(X)                                                                           \
    X(COMMAND_WORKER_CLOSE, "worker.close", HANDLER_WORKER, NULL,                                  \
      "The worker closes everything and exits with 0.")                                            \
    X(COMMAND_TRANSPORT_SEND_RTCP, "transport.sendRtcp", HANDLER_DIRECT_TRANSPORT,                 \
      &transport_send_rtcp_command_shape, "RTCP from the controller.")                             \
    X(COMMAND_PRODUCER_SEND, "producer.send", HANDLER_PRODUCER, &producer_send_command_shape,      \
      "A packet for a producer in a direct transport.")                                            \
    X(COMMAND_DATA_PRODUCER_SEND, "dataProducer.send", HANDLER_DATA_PRODUCER,                      \
      &data_producer_send_command_shape, "A message for a data producer in a direct transport.")

#endif
