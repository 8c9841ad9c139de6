/* One request on its way through the method table. For the files of api only. */
#ifndef WEIR_WORKER_API_CALL_H
#define WEIR_WORKER_API_CALL_H

#include <jansson.h>

#include "common/arena.h"
#include "common/fields.h"
#include "proto/pipe.h"
#include "worker/api/api.h"

struct webrtc_server;
struct router;
struct transport;
struct producer;
struct consumer;
struct data_producer;
struct data_consumer;
struct rtp_observer;

struct call {
    struct api *api;
    struct worker *worker;
    usec now;
    const char *handler_id;
    struct webrtc_server
        *webrtc_server; /* the one that the method's handler kind asks for is set */
    struct router *router;
    struct transport *transport;
    struct producer *producer;
    struct consumer *consumer;
    struct data_producer *data_producer;
    struct data_consumer *data_consumer;
    struct rtp_observer *rtp_observer;
    const void *in; /* as the method's request shape says; NULL without one */
    void *out;      /* zeroed, as its response shape says; NULL without one */
    struct arena arena;
    struct field_error fail;
};

/* OK, or what call->fail says. */
typedef enum err call_fn(struct call *c);

/* By enum pipe_method; NULL: not supported yet. */
extern call_fn *const call_table[PIPE_METHOD_COUNT];

/* Finds what handler_id names for a method of this kind of handler. */
MUST_CHECK enum err call_find_handler(struct call *c, enum pipe_handler kind);

/* A notification from the controller that a handler takes; what is wrong with it is logged, as
 * nobody waits for an answer. */
void command_run(struct api *api, usec now, int command, const char *handler_id, json_t *data);

call_fn call_worker_ping;
call_fn call_worker_dump;
call_fn call_worker_get_resource_usage;
call_fn call_worker_get_metrics;
call_fn call_worker_update_settings;
call_fn call_worker_create_router;
call_fn call_worker_close_router;

call_fn call_worker_create_webrtc_server;
call_fn call_worker_close_webrtc_server;
call_fn call_webrtc_server_dump;

call_fn call_router_dump;
call_fn call_router_create_webrtc_transport;
call_fn call_router_create_plain_transport;
call_fn call_router_create_pipe_transport;
call_fn call_router_create_direct_transport;
call_fn call_router_close_transport;

call_fn call_router_create_active_speaker_observer;
call_fn call_router_create_audio_level_observer;
call_fn call_router_close_rtp_observer;
call_fn call_rtp_observer_pause;
call_fn call_rtp_observer_resume;
call_fn call_rtp_observer_add_producer;
call_fn call_rtp_observer_remove_producer;

call_fn call_transport_dump;
call_fn call_transport_get_stats;
call_fn call_transport_set_max_incoming_bitrate;
call_fn call_transport_set_max_outgoing_bitrate;
call_fn call_transport_set_min_outgoing_bitrate;
call_fn call_transport_restart_ice;
call_fn call_transport_produce;
call_fn call_transport_consume;
call_fn call_transport_enable_trace_event;
call_fn call_transport_close_producer;
call_fn call_transport_close_consumer;
call_fn call_webrtc_transport_connect;
call_fn call_plain_transport_connect;
call_fn call_pipe_transport_connect;

call_fn call_producer_dump;
call_fn call_producer_get_stats;
call_fn call_producer_pause;
call_fn call_producer_resume;
call_fn call_producer_enable_trace_event;
call_fn call_consumer_dump;
call_fn call_consumer_get_stats;
call_fn call_consumer_pause;
call_fn call_consumer_resume;
call_fn call_consumer_set_preferred_layers;
call_fn call_consumer_set_priority;
call_fn call_consumer_request_key_frame;
call_fn call_consumer_enable_trace_event;

call_fn call_transport_produce_data;
call_fn call_transport_consume_data;
call_fn call_transport_close_data_producer;
call_fn call_transport_close_data_consumer;
call_fn call_data_producer_dump;
call_fn call_data_producer_get_stats;
call_fn call_data_producer_pause;
call_fn call_data_producer_resume;
call_fn call_data_consumer_dump;
call_fn call_data_consumer_get_stats;
call_fn call_data_consumer_pause;
call_fn call_data_consumer_resume;
call_fn call_data_consumer_get_buffered_amount;
call_fn call_data_consumer_set_buffered_amount_low_threshold;
call_fn call_data_consumer_send;
call_fn call_data_consumer_set_subchannels;
call_fn call_data_consumer_add_subchannel;
call_fn call_data_consumer_remove_subchannel;

#endif
