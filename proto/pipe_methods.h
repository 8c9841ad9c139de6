/* The table of the pipe protocol's requests: X(id, name, handler, request, response, doc). request
 * and response are shapes, or NULL where there is no data. */
#ifndef WEIR_PROTO_PIPE_METHODS_H
#define WEIR_PROTO_PIPE_METHODS_H

#define PIPE_WORKER_METHODS(X)                                                                     \
    X(METHOD_WORKER_PING, "worker.ping", HANDLER_WORKER, NULL, &worker_ping_response_shape,        \
      "The heartbeat: answered from the loop that carries the media.")                             \
    X(METHOD_WORKER_DUMP, "worker.dump", HANDLER_WORKER, NULL, &worker_dump_response_shape,        \
      "What the worker holds.")                                                                    \
    X(METHOD_WORKER_GET_RESOURCE_USAGE, "worker.getResourceUsage", HANDLER_WORKER, NULL,           \
      &worker_get_resource_usage_response_shape, "getrusage(2) of the process.")                   \
    X(METHOD_WORKER_GET_METRICS, "worker.getMetrics", HANDLER_WORKER, NULL,                        \
      &worker_get_metrics_response_shape, "Counters since the start, and what there is now.")      \
    X(METHOD_WORKER_UPDATE_SETTINGS, "worker.updateSettings", HANDLER_WORKER,                      \
      &worker_update_settings_request_shape, NULL, "Changes what is logged.")                      \
    X(METHOD_WORKER_CREATE_WEBRTC_SERVER, "worker.createWebRtcServer", HANDLER_WORKER,             \
      &worker_create_webrtc_server_request_shape, NULL,                                            \
      "Binds sockets that many WebRTC transports share.")                                          \
    X(METHOD_WORKER_CLOSE_WEBRTC_SERVER, "worker.closeWebRtcServer", HANDLER_WORKER,               \
      &worker_close_webrtc_server_request_shape, NULL,                                             \
      "Closes a WebRTC server and the transports on it.")                                          \
    X(METHOD_WORKER_CREATE_ROUTER, "worker.createRouter", HANDLER_WORKER,                          \
      &worker_create_router_request_shape, NULL, "Creates a router.")                              \
    X(METHOD_WORKER_CLOSE_ROUTER, "worker.closeRouter", HANDLER_WORKER,                            \
      &worker_close_router_request_shape, NULL, "Closes a router and all that it holds.")          \
    X(METHOD_WEBRTC_SERVER_DUMP, "webRtcServer.dump", HANDLER_WEBRTC_SERVER, NULL,                 \
      &webrtc_server_dump_response_shape, "Its sockets and transports.")

#define PIPE_ROUTER_METHODS(X)                                                                     \
    X(METHOD_ROUTER_DUMP, "router.dump", HANDLER_ROUTER, NULL, &router_dump_response_shape,        \
      "What the router holds, and who consumes what.")                                             \
    X(METHOD_ROUTER_CREATE_WEBRTC_TRANSPORT, "router.createWebRtcTransport", HANDLER_ROUTER,       \
      &router_create_webrtc_transport_request_shape, &transport_dump_response_shape,               \
      "Creates a WebRTC transport and tells how it is reached.")                                   \
    X(METHOD_ROUTER_CREATE_WEBRTC_TRANSPORT_WITH_SERVER, "router.createWebRtcTransportWithServer", \
      HANDLER_ROUTER, &router_create_webrtc_transport_request_shape,                               \
      &transport_dump_response_shape, "The same, with listen.type server.")                        \
    X(METHOD_ROUTER_CREATE_PLAIN_TRANSPORT, "router.createPlainTransport", HANDLER_ROUTER,         \
      &router_create_plain_transport_request_shape, &transport_dump_response_shape,                \
      "Creates a plain transport and binds its sockets.")                                          \
    X(METHOD_ROUTER_CREATE_PIPE_TRANSPORT, "router.createPipeTransport", HANDLER_ROUTER,           \
      &router_create_pipe_transport_request_shape, &transport_dump_response_shape,                 \
      "Creates a pipe transport and binds its socket.")                                            \
    X(METHOD_ROUTER_CREATE_DIRECT_TRANSPORT, "router.createDirectTransport", HANDLER_ROUTER,       \
      &router_create_direct_transport_request_shape, &transport_dump_response_shape,               \
      "Creates a direct transport.")                                                               \
    X(METHOD_ROUTER_CLOSE_TRANSPORT, "router.closeTransport", HANDLER_ROUTER,                      \
      &router_close_transport_request_shape, NULL, "Closes a transport and all that it carries.")  \
    X(METHOD_ROUTER_CREATE_ACTIVE_SPEAKER_OBSERVER, "router.createActiveSpeakerObserver",          \
      HANDLER_ROUTER, &router_create_active_speaker_observer_request_shape, NULL,                  \
      "Creates an observer that tells who speaks.")                                                \
    X(METHOD_ROUTER_CREATE_AUDIO_LEVEL_OBSERVER, "router.createAudioLevelObserver",                \
      HANDLER_ROUTER, &router_create_audio_level_observer_request_shape, NULL,                     \
      "Creates an observer that tells who is loud.")                                               \
    X(METHOD_ROUTER_CLOSE_RTP_OBSERVER, "router.closeRtpObserver", HANDLER_ROUTER,                 \
      &router_close_rtp_observer_request_shape, NULL, "Closes an observer.")

#define PIPE_TRANSPORT_METHODS(X)                                                                  \
    X(METHOD_TRANSPORT_DUMP, "transport.dump", HANDLER_TRANSPORT, NULL,                            \
      &transport_dump_response_shape, "What the transport is and carries.")                        \
    X(METHOD_TRANSPORT_GET_STATS, "transport.getStats", HANDLER_TRANSPORT, NULL,                   \
      &transport_get_stats_response_shape, "Its statistics.")                                      \
    X(METHOD_TRANSPORT_SET_MAX_INCOMING_BITRATE, "transport.setMaxIncomingBitrate",                \
      HANDLER_TRANSPORT, &transport_set_max_incoming_bitrate_request_shape, NULL,                  \
      "Limits what the peer may send.")                                                            \
    X(METHOD_TRANSPORT_SET_MAX_OUTGOING_BITRATE, "transport.setMaxOutgoingBitrate",                \
      HANDLER_TRANSPORT, &transport_set_max_outgoing_bitrate_request_shape, NULL,                  \
      "Limits what the peer is sent.")                                                             \
    X(METHOD_TRANSPORT_SET_MIN_OUTGOING_BITRATE, "transport.setMinOutgoingBitrate",                \
      HANDLER_TRANSPORT, &transport_set_min_outgoing_bitrate_request_shape, NULL,                  \
      "Keeps the send-side estimate from going lower.")                                            \
    X(METHOD_TRANSPORT_RESTART_ICE, "transport.restartIce", HANDLER_WEBRTC_TRANSPORT, NULL,        \
      &ice_parameters_shape, "Makes new ICE credentials; the old ones end when these are used.")   \
    X(METHOD_TRANSPORT_PRODUCE, "transport.produce", HANDLER_TRANSPORT,                            \
      &transport_produce_request_shape, &transport_produce_response_shape,                         \
      "Takes media from the peer.")                                                                \
    X(METHOD_TRANSPORT_CONSUME, "transport.consume", HANDLER_TRANSPORT,                            \
      &transport_consume_request_shape, &transport_consume_response_shape,                         \
      "Sends a producer's media to the peer.")                                                     \
    X(METHOD_TRANSPORT_PRODUCE_DATA, "transport.produceData", HANDLER_TRANSPORT,                   \
      &transport_produce_data_request_shape, &data_producer_dump_response_shape,                   \
      "Takes messages from the peer.")                                                             \
    X(METHOD_TRANSPORT_CONSUME_DATA, "transport.consumeData", HANDLER_TRANSPORT,                   \
      &transport_consume_data_request_shape, &data_consumer_dump_response_shape,                   \
      "Sends a data producer's messages to the peer.")                                             \
    X(METHOD_TRANSPORT_ENABLE_TRACE_EVENT, "transport.enableTraceEvent", HANDLER_TRANSPORT,        \
      &transport_enable_trace_event_request_shape, NULL, "Chooses what transport.trace tells.")    \
    X(METHOD_TRANSPORT_CLOSE_PRODUCER, "transport.closeProducer", HANDLER_TRANSPORT,               \
      &transport_close_producer_request_shape, NULL, "Closes a producer and its consumers.")       \
    X(METHOD_TRANSPORT_CLOSE_CONSUMER, "transport.closeConsumer", HANDLER_TRANSPORT,               \
      &transport_close_consumer_request_shape, NULL, "Closes a consumer.")                         \
    X(METHOD_TRANSPORT_CLOSE_DATA_PRODUCER, "transport.closeDataProducer", HANDLER_TRANSPORT,      \
      &transport_close_data_producer_request_shape, NULL,                                          \
      "Closes a data producer and its data consumers.")                                            \
    X(METHOD_TRANSPORT_CLOSE_DATA_CONSUMER, "transport.closeDataConsumer", HANDLER_TRANSPORT,      \
      &transport_close_data_consumer_request_shape, NULL, "Closes a data consumer.")               \
    X(METHOD_WEBRTC_TRANSPORT_CONNECT, "webRtcTransport.connect", HANDLER_WEBRTC_TRANSPORT,        \
      &webrtc_transport_connect_request_shape, &webrtc_transport_connect_response_shape,           \
      "Gives the peer's DTLS parameters; once only.")                                              \
    X(METHOD_PLAIN_TRANSPORT_CONNECT, "plainTransport.connect", HANDLER_PLAIN_TRANSPORT,           \
      &plain_transport_connect_request_shape, &plain_transport_connect_response_shape,             \
      "Gives the peer's address, unless comedia, and its keys; once only.")                        \
    X(METHOD_PIPE_TRANSPORT_CONNECT, "pipeTransport.connect", HANDLER_PIPE_TRANSPORT,              \
      &pipe_transport_connect_request_shape, &pipe_transport_connect_response_shape,               \
      "Gives the peer's address and keys; once only.")

#define PIPE_MEDIA_METHODS(X)                                                                      \
    X(METHOD_PRODUCER_DUMP, "producer.dump", HANDLER_PRODUCER, NULL,                               \
      &producer_dump_response_shape, "What the producer is.")                                      \
    X(METHOD_PRODUCER_GET_STATS, "producer.getStats", HANDLER_PRODUCER, NULL,                      \
      &producer_get_stats_response_shape, "Statistics of what is received.")                       \
    X(METHOD_PRODUCER_PAUSE, "producer.pause", HANDLER_PRODUCER, NULL, NULL,                       \
      "Nothing of it is forwarded any more; its consumers are told.")                              \
    X(METHOD_PRODUCER_RESUME, "producer.resume", HANDLER_PRODUCER, NULL, NULL,                     \
      "It is forwarded again, video from a key frame on.")                                         \
    X(METHOD_PRODUCER_ENABLE_TRACE_EVENT, "producer.enableTraceEvent", HANDLER_PRODUCER,           \
      &producer_enable_trace_event_request_shape, NULL, "Chooses what producer.trace tells.")      \
    X(METHOD_CONSUMER_DUMP, "consumer.dump", HANDLER_CONSUMER, NULL,                               \
      &consumer_dump_response_shape, "What the consumer is.")                                      \
    X(METHOD_CONSUMER_GET_STATS, "consumer.getStats", HANDLER_CONSUMER, NULL,                      \
      &consumer_get_stats_response_shape, "Statistics of what is sent, and of its source.")        \
    X(METHOD_CONSUMER_PAUSE, "consumer.pause", HANDLER_CONSUMER, NULL, NULL,                       \
      "Nothing is sent any more.")                                                                 \
    X(METHOD_CONSUMER_RESUME, "consumer.resume", HANDLER_CONSUMER, NULL, NULL,                     \
      "Sends again, video from a key frame on.")                                                   \
    X(METHOD_CONSUMER_SET_PREFERRED_LAYERS, "consumer.setPreferredLayers", HANDLER_CONSUMER,       \
      &consumer_set_preferred_layers_request_shape, &consumer_set_preferred_layers_response_shape, \
      "Wishes for layers, the most that is sent.")                                                 \
    X(METHOD_CONSUMER_SET_PRIORITY, "consumer.setPriority", HANDLER_CONSUMER,                      \
      &consumer_set_priority_request_shape, &consumer_set_priority_response_shape,                 \
      "Weighs it against the transport's other consumers.")                                        \
    X(METHOD_CONSUMER_REQUEST_KEY_FRAME, "consumer.requestKeyFrame", HANDLER_CONSUMER, NULL, NULL, \
      "Asks the producer for a key frame.")                                                        \
    X(METHOD_CONSUMER_ENABLE_TRACE_EVENT, "consumer.enableTraceEvent", HANDLER_CONSUMER,           \
      &consumer_enable_trace_event_request_shape, NULL, "Chooses what consumer.trace tells.")

#define PIPE_DATA_METHODS(X)                                                                       \
    X(METHOD_DATA_PRODUCER_DUMP, "dataProducer.dump", HANDLER_DATA_PRODUCER, NULL,                 \
      &data_producer_dump_response_shape, "What the data producer is.")                            \
    X(METHOD_DATA_PRODUCER_GET_STATS, "dataProducer.getStats", HANDLER_DATA_PRODUCER, NULL,        \
      &data_producer_get_stats_response_shape, "Its statistics.")                                  \
    X(METHOD_DATA_PRODUCER_PAUSE, "dataProducer.pause", HANDLER_DATA_PRODUCER, NULL, NULL,         \
      "Its messages are dropped; its data consumers are told.")                                    \
    X(METHOD_DATA_PRODUCER_RESUME, "dataProducer.resume", HANDLER_DATA_PRODUCER, NULL, NULL,       \
      "Its messages are forwarded again.")                                                         \
    X(METHOD_DATA_CONSUMER_DUMP, "dataConsumer.dump", HANDLER_DATA_CONSUMER, NULL,                 \
      &data_consumer_dump_response_shape, "What the data consumer is.")                            \
    X(METHOD_DATA_CONSUMER_GET_STATS, "dataConsumer.getStats", HANDLER_DATA_CONSUMER, NULL,        \
      &data_consumer_get_stats_response_shape, "Its statistics.")                                  \
    X(METHOD_DATA_CONSUMER_PAUSE, "dataConsumer.pause", HANDLER_DATA_CONSUMER, NULL, NULL,         \
      "Messages for it are dropped.")                                                              \
    X(METHOD_DATA_CONSUMER_RESUME, "dataConsumer.resume", HANDLER_DATA_CONSUMER, NULL, NULL,       \
      "Messages are sent again.")                                                                  \
    X(METHOD_DATA_CONSUMER_GET_BUFFERED_AMOUNT, "dataConsumer.getBufferedAmount",                  \
      HANDLER_DATA_CONSUMER, NULL, &buffered_amount_shape, "What waits for sending.")              \
    X(METHOD_DATA_CONSUMER_SET_BUFFERED_AMOUNT_LOW_THRESHOLD,                                      \
      "dataConsumer.setBufferedAmountLowThreshold", HANDLER_DATA_CONSUMER,                         \
      &data_consumer_set_buffered_amount_low_threshold_request_shape, NULL,                        \
      "Chooses when bufferedAmountLow is told.")                                                   \
    X(METHOD_DATA_CONSUMER_SEND, "dataConsumer.send", HANDLER_DATA_CONSUMER,                       \
      &data_consumer_send_request_shape, &buffered_amount_shape,                                   \
      "Sends a message of the controller's own.")                                                  \
    X(METHOD_DATA_CONSUMER_SET_SUBCHANNELS, "dataConsumer.setSubchannels", HANDLER_DATA_CONSUMER,  \
      &subchannels_shape, &subchannels_shape, "Replaces its subchannels.")                         \
    X(METHOD_DATA_CONSUMER_ADD_SUBCHANNEL, "dataConsumer.addSubchannel", HANDLER_DATA_CONSUMER,    \
      &subchannel_shape, &subchannels_shape, "Adds a subchannel.")                                 \
    X(METHOD_DATA_CONSUMER_REMOVE_SUBCHANNEL, "dataConsumer.removeSubchannel",                     \
      HANDLER_DATA_CONSUMER, &subchannel_shape, &subchannels_shape, "Removes a subchannel.")

#define PIPE_OBSERVER_METHODS(X)                                                                   \
    X(METHOD_RTP_OBSERVER_PAUSE, "rtpObserver.pause", HANDLER_RTP_OBSERVER, NULL, NULL,            \
      "It is silent.")                                                                             \
    X(METHOD_RTP_OBSERVER_RESUME, "rtpObserver.resume", HANDLER_RTP_OBSERVER, NULL, NULL,          \
      "It observes again.")                                                                        \
    X(METHOD_RTP_OBSERVER_ADD_PRODUCER, "rtpObserver.addProducer", HANDLER_RTP_OBSERVER,           \
      &rtp_observer_add_producer_request_shape, NULL, "Observes a producer.")                      \
    X(METHOD_RTP_OBSERVER_REMOVE_PRODUCER, "rtpObserver.removeProducer", HANDLER_RTP_OBSERVER,     \
      &rtp_observer_remove_producer_request_shape, NULL, "Leaves a producer alone.")

#define PIPE_METHODS(X)                                                                            \
    PIPE_WORKER_METHODS(X)                                                                         \
    PIPE_ROUTER_METHODS(X)                                                                         \
    PIPE_TRANSPORT_METHODS(X)                                                                      \
    PIPE_MEDIA_METHODS(X)                                                                          \
    PIPE_DATA_METHODS(X)                                                                           \
    PIPE_OBSERVER_METHODS(X)

#endif
