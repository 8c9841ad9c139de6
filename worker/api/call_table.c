/* Which function answers which method. Methods without a row are part of the vocabulary and not
 * supported yet: they are refused by name. */
#include "worker/api/call.h"

call_fn *const call_table[PIPE_METHOD_COUNT] = {
    [METHOD_WORKER_PING] = call_worker_ping,
    [METHOD_WORKER_DUMP] = call_worker_dump,
    [METHOD_WORKER_GET_RESOURCE_USAGE] = call_worker_get_resource_usage,
    [METHOD_WORKER_GET_METRICS] = call_worker_get_metrics,
    [METHOD_WORKER_UPDATE_SETTINGS] = call_worker_update_settings,
    [METHOD_WORKER_CREATE_ROUTER] = call_worker_create_router,
    [METHOD_WORKER_CLOSE_ROUTER] = call_worker_close_router,

    [METHOD_ROUTER_DUMP] = call_router_dump,
    [METHOD_ROUTER_CREATE_WEBRTC_TRANSPORT] = call_router_create_webrtc_transport,
    [METHOD_ROUTER_CREATE_PLAIN_TRANSPORT] = call_router_create_plain_transport,
    [METHOD_ROUTER_CLOSE_TRANSPORT] = call_router_close_transport,

    [METHOD_TRANSPORT_DUMP] = call_transport_dump,
    [METHOD_TRANSPORT_GET_STATS] = call_transport_get_stats,
    [METHOD_TRANSPORT_SET_MAX_INCOMING_BITRATE] = call_transport_set_max_incoming_bitrate,
    [METHOD_TRANSPORT_SET_MAX_OUTGOING_BITRATE] = call_transport_set_max_outgoing_bitrate,
    [METHOD_TRANSPORT_SET_MIN_OUTGOING_BITRATE] = call_transport_set_min_outgoing_bitrate,
    [METHOD_TRANSPORT_RESTART_ICE] = call_transport_restart_ice,
    [METHOD_TRANSPORT_PRODUCE] = call_transport_produce,
    [METHOD_TRANSPORT_CONSUME] = call_transport_consume,
    [METHOD_TRANSPORT_ENABLE_TRACE_EVENT] = call_transport_enable_trace_event,
    [METHOD_TRANSPORT_CLOSE_PRODUCER] = call_transport_close_producer,
    [METHOD_TRANSPORT_CLOSE_CONSUMER] = call_transport_close_consumer,
    [METHOD_WEBRTC_TRANSPORT_CONNECT] = call_webrtc_transport_connect,
    [METHOD_PLAIN_TRANSPORT_CONNECT] = call_plain_transport_connect,

    [METHOD_PRODUCER_DUMP] = call_producer_dump,
    [METHOD_PRODUCER_GET_STATS] = call_producer_get_stats,
    [METHOD_PRODUCER_PAUSE] = call_producer_pause,
    [METHOD_PRODUCER_RESUME] = call_producer_resume,
    [METHOD_PRODUCER_ENABLE_TRACE_EVENT] = call_producer_enable_trace_event,
    [METHOD_CONSUMER_DUMP] = call_consumer_dump,
    [METHOD_CONSUMER_GET_STATS] = call_consumer_get_stats,
    [METHOD_CONSUMER_PAUSE] = call_consumer_pause,
    [METHOD_CONSUMER_RESUME] = call_consumer_resume,
    [METHOD_CONSUMER_SET_PREFERRED_LAYERS] = call_consumer_set_preferred_layers,
    [METHOD_CONSUMER_SET_PRIORITY] = call_consumer_set_priority,
    [METHOD_CONSUMER_REQUEST_KEY_FRAME] = call_consumer_request_key_frame,
    [METHOD_CONSUMER_ENABLE_TRACE_EVENT] = call_consumer_enable_trace_event,
};
