// Which of mediasoup's requests and events is which of Weir's, and in which table its answer or data stands.
'use strict';

const transportTable = (name) => (data) =>
    `${{ webrtc: 'WebRtcTransport', plain: 'PlainTransport', pipe: 'PipeTransport', direct: 'DirectTransport' }[data.type.split('-')[0]]}_${name}`;
const transportDump = transportTable('DumpResponse');
const transportStats = transportTable('GetStatsResponse');

// mediasoup's method: Weir's method, table of the response (or a function of the data; none: no data).
const METHODS = {
    WORKER_DUMP: ['worker.dump', 'Worker_DumpResponse'],
    WORKER_GET_RESOURCE_USAGE: ['worker.getResourceUsage', 'Worker_ResourceUsageResponse'],
    WORKER_UPDATE_SETTINGS: ['worker.updateSettings'],
    WORKER_CREATE_WEBRTCSERVER: ['worker.createWebRtcServer'],
    WORKER_CREATE_ROUTER: ['worker.createRouter'],
    WORKER_WEBRTCSERVER_CLOSE: ['worker.closeWebRtcServer'],
    WORKER_CLOSE_ROUTER: ['worker.closeRouter'],
    WEBRTCSERVER_DUMP: ['webRtcServer.dump', 'WebRtcServer_DumpResponse'],
    ROUTER_DUMP: ['router.dump', 'Router_DumpResponse'],
    ROUTER_CREATE_WEBRTCTRANSPORT: ['router.createWebRtcTransport', transportDump],
    ROUTER_CREATE_WEBRTCTRANSPORT_WITH_SERVER: ['router.createWebRtcTransportWithServer', transportDump],
    ROUTER_CREATE_PLAINTRANSPORT: ['router.createPlainTransport', transportDump],
    ROUTER_CREATE_PIPETRANSPORT: ['router.createPipeTransport', transportDump],
    ROUTER_CREATE_DIRECTTRANSPORT: ['router.createDirectTransport', transportDump],
    ROUTER_CLOSE_TRANSPORT: ['router.closeTransport'],
    ROUTER_CREATE_ACTIVESPEAKEROBSERVER: ['router.createActiveSpeakerObserver'],
    ROUTER_CREATE_AUDIOLEVELOBSERVER: ['router.createAudioLevelObserver'],
    ROUTER_CLOSE_RTPOBSERVER: ['router.closeRtpObserver'],
    TRANSPORT_DUMP: ['transport.dump', transportDump],
    TRANSPORT_GET_STATS: ['transport.getStats', transportStats],
    TRANSPORT_SET_MAX_INCOMING_BITRATE: ['transport.setMaxIncomingBitrate'],
    TRANSPORT_SET_MAX_OUTGOING_BITRATE: ['transport.setMaxOutgoingBitrate'],
    TRANSPORT_SET_MIN_OUTGOING_BITRATE: ['transport.setMinOutgoingBitrate'],
    TRANSPORT_RESTART_ICE: ['transport.restartIce', 'Transport_RestartIceResponse'],
    TRANSPORT_PRODUCE: ['transport.produce', 'Transport_ProduceResponse'],
    TRANSPORT_PRODUCE_DATA: ['transport.produceData', 'DataProducer_DumpResponse'],
    TRANSPORT_CONSUME: ['transport.consume', 'Transport_ConsumeResponse'],
    TRANSPORT_CONSUME_DATA: ['transport.consumeData', 'DataConsumer_DumpResponse'],
    TRANSPORT_ENABLE_TRACE_EVENT: ['transport.enableTraceEvent'],
    TRANSPORT_CLOSE_PRODUCER: ['transport.closeProducer'],
    TRANSPORT_CLOSE_CONSUMER: ['transport.closeConsumer'],
    TRANSPORT_CLOSE_DATAPRODUCER: ['transport.closeDataProducer'],
    TRANSPORT_CLOSE_DATACONSUMER: ['transport.closeDataConsumer'],
    PLAINTRANSPORT_CONNECT: ['plainTransport.connect', 'PlainTransport_ConnectResponse'],
    PIPETRANSPORT_CONNECT: ['pipeTransport.connect', 'PipeTransport_ConnectResponse'],
    WEBRTCTRANSPORT_CONNECT: ['webRtcTransport.connect', 'WebRtcTransport_ConnectResponse'],
    PRODUCER_DUMP: ['producer.dump', 'Producer_DumpResponse'],
    PRODUCER_GET_STATS: ['producer.getStats', 'Producer_GetStatsResponse'],
    PRODUCER_PAUSE: ['producer.pause'],
    PRODUCER_RESUME: ['producer.resume'],
    PRODUCER_ENABLE_TRACE_EVENT: ['producer.enableTraceEvent'],
    CONSUMER_DUMP: ['consumer.dump', 'Consumer_DumpResponse'],
    CONSUMER_GET_STATS: ['consumer.getStats', 'Consumer_GetStatsResponse'],
    CONSUMER_PAUSE: ['consumer.pause'],
    CONSUMER_RESUME: ['consumer.resume'],
    CONSUMER_SET_PREFERRED_LAYERS: ['consumer.setPreferredLayers', 'Consumer_SetPreferredLayersResponse'],
    CONSUMER_SET_PRIORITY: ['consumer.setPriority', 'Consumer_SetPriorityResponse'],
    CONSUMER_REQUEST_KEY_FRAME: ['consumer.requestKeyFrame'],
    CONSUMER_ENABLE_TRACE_EVENT: ['consumer.enableTraceEvent'],
    DATAPRODUCER_DUMP: ['dataProducer.dump', 'DataProducer_DumpResponse'],
    DATAPRODUCER_GET_STATS: ['dataProducer.getStats', 'DataProducer_GetStatsResponse'],
    DATAPRODUCER_PAUSE: ['dataProducer.pause'],
    DATAPRODUCER_RESUME: ['dataProducer.resume'],
    DATACONSUMER_DUMP: ['dataConsumer.dump', 'DataConsumer_DumpResponse'],
    DATACONSUMER_GET_STATS: ['dataConsumer.getStats', 'DataConsumer_GetStatsResponse'],
    DATACONSUMER_PAUSE: ['dataConsumer.pause'],
    DATACONSUMER_RESUME: ['dataConsumer.resume'],
    DATACONSUMER_GET_BUFFERED_AMOUNT: ['dataConsumer.getBufferedAmount', 'DataConsumer_GetBufferedAmountResponse'],
    DATACONSUMER_SET_BUFFERED_AMOUNT_LOW_THRESHOLD: ['dataConsumer.setBufferedAmountLowThreshold'],
    DATACONSUMER_SEND: ['dataConsumer.send', 'DataConsumer_SendResponse'],
    DATACONSUMER_SET_SUBCHANNELS: ['dataConsumer.setSubchannels', 'DataConsumer_SetSubchannelsResponse'],
    DATACONSUMER_ADD_SUBCHANNEL: ['dataConsumer.addSubchannel', 'DataConsumer_AddSubchannelResponse'],
    DATACONSUMER_REMOVE_SUBCHANNEL: ['dataConsumer.removeSubchannel', 'DataConsumer_RemoveSubchannelResponse'],
    RTPOBSERVER_PAUSE: ['rtpObserver.pause'],
    RTPOBSERVER_RESUME: ['rtpObserver.resume'],
    RTPOBSERVER_ADD_PRODUCER: ['rtpObserver.addProducer'],
    RTPOBSERVER_REMOVE_PRODUCER: ['rtpObserver.removeProducer'],
};

// mediasoup's notifications to the worker: Weir's commands.
const COMMANDS = {
    WORKER_CLOSE: 'worker.close',
    TRANSPORT_SEND_RTCP: 'transport.sendRtcp',
    PRODUCER_SEND: 'producer.send',
    DATAPRODUCER_SEND: 'dataProducer.send',
};

// Weir's events: mediasoup's notification, table of its data.
const EVENTS = {
    'transport.sctpStateChange': ['TRANSPORT_SCTP_STATE_CHANGE', 'Transport_SctpStateChangeNotification'],
    'transport.sctpNegotiatedCapabilities':
        ['TRANSPORT_SCTP_NEGOTIATED_CAPABILITIES', 'Transport_SctpNegotiatedCapabilitiesNotification'],
    'transport.trace': ['TRANSPORT_TRACE', 'Transport_TraceNotification'],
    'webRtcTransport.iceSelectedTupleChange':
        ['WEBRTCTRANSPORT_ICE_SELECTED_TUPLE_CHANGE', 'WebRtcTransport_IceSelectedTupleChangeNotification'],
    'webRtcTransport.iceStateChange':
        ['WEBRTCTRANSPORT_ICE_STATE_CHANGE', 'WebRtcTransport_IceStateChangeNotification'],
    'webRtcTransport.dtlsStateChange':
        ['WEBRTCTRANSPORT_DTLS_STATE_CHANGE', 'WebRtcTransport_DtlsStateChangeNotification'],
    'plainTransport.tuple': ['PLAINTRANSPORT_TUPLE', 'PlainTransport_TupleNotification'],
    'plainTransport.rtcpTuple': ['PLAINTRANSPORT_RTCP_TUPLE', 'PlainTransport_RtcpTupleNotification'],
    'directTransport.rtcp': ['DIRECTTRANSPORT_RTCP', 'DirectTransport_RtcpNotification'],
    'producer.score': ['PRODUCER_SCORE', 'Producer_ScoreNotification'],
    'producer.trace': ['PRODUCER_TRACE', 'Producer_TraceNotification'],
    'producer.videoOrientationChange':
        ['PRODUCER_VIDEO_ORIENTATION_CHANGE', 'Producer_VideoOrientationChangeNotification'],
    'consumer.producerPause': ['CONSUMER_PRODUCER_PAUSE'],
    'consumer.producerResume': ['CONSUMER_PRODUCER_RESUME'],
    'consumer.producerClose': ['CONSUMER_PRODUCER_CLOSE'],
    'consumer.layersChange': ['CONSUMER_LAYERS_CHANGE', 'Consumer_LayersChangeNotification'],
    'consumer.rtp': ['CONSUMER_RTP', 'Consumer_RtpNotification'],
    'consumer.score': ['CONSUMER_SCORE', 'Consumer_ScoreNotification'],
    'consumer.trace': ['CONSUMER_TRACE', 'Consumer_TraceNotification'],
    'dataConsumer.bufferedAmountLow':
        ['DATACONSUMER_BUFFERED_AMOUNT_LOW', 'DataConsumer_BufferedAmountLowNotification'],
    'dataConsumer.sctpSendbufferFull': ['DATACONSUMER_SCTP_SENDBUFFER_FULL'],
    'dataConsumer.dataProducerPause': ['DATACONSUMER_DATAPRODUCER_PAUSE'],
    'dataConsumer.dataProducerResume': ['DATACONSUMER_DATAPRODUCER_RESUME'],
    'dataConsumer.dataProducerClose': ['DATACONSUMER_DATAPRODUCER_CLOSE'],
    'dataConsumer.message': ['DATACONSUMER_MESSAGE', 'DataConsumer_MessageNotification'],
    'activeSpeakerObserver.dominantSpeaker':
        ['ACTIVESPEAKEROBSERVER_DOMINANT_SPEAKER', 'ActiveSpeakerObserver_DominantSpeakerNotification'],
    'audioLevelObserver.silence': ['AUDIOLEVELOBSERVER_SILENCE'],
    'audioLevelObserver.volumes': ['AUDIOLEVELOBSERVER_VOLUMES', 'AudioLevelObserver_VolumesNotification'],
};

// mediasoup's library knows two errors by name; what is out of bounds is a TypeError for it, too.
const ERRORS = { TypeError: 'TypeError', RangeError: 'TypeError', NotFound: 'NotFoundError' };

module.exports = { METHODS, COMMANDS, EVENTS, ERRORS };
