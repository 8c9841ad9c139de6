/* One client's signaling connection, and the table of what it may ask. Private to room/. */
#ifndef WEIR_CONTROLLER_ROOM_SESSION_H
#define WEIR_CONTROLLER_ROOM_SESSION_H

#include "controller/net/ws.h"
#include "controller/room/room_state.h"

struct session;

/* Where what is said to a client goes that has no connection here (room_client.h). */
struct session_sink {
    /* data is borrowed; NULL unless e is OK. */
    void (*answer)(struct session *s, uint32_t id, enum err e, const char *reason, json_t *data);
    void (*event)(struct session *s, enum sig_event event, const void *data);
    void (*end)(struct session *s, const char *reason); /* may free it */
};

struct session {
    struct list node;                  /* in rooms->sessions */
    struct rooms *rooms;               /* parent, outlives us */
    struct ws_conn *conn;              /* borrowed until its close callback */
    const struct session_sink *sink;   /* instead of conn; NULL: it has a connection */
    struct room_peer *peer;            /* ref; NULL: in no room */
    struct join *join;                 /* ref; a joinRoom that waits; NULL: none */
    struct session_identity *identity; /* ref; who it belongs to is asked for; NULL: not so */
    struct api_user user;              /* when known */
    bool known;
    double tokens; /* requests that it may make now */
    uint64_t tokens_at_ms;
    uint64_t serial; /* of no other session */
    bool ending;
};

/* One request, decoded: data is the method's request struct. */
struct sig_call {
    struct session *session;
    uint32_t id;
    const void *data;
    struct op_request request;
};

/* Answers now (session_answer, session_fail), or starts an op that does. */
typedef void sig_handler(struct sig_call *call);

/* Table by method, in handlers.c. needs_peer: refused with 409 outside a room. */
struct sig_handler_row {
    sig_handler *handle;
    bool needs_peer;
};
extern const struct sig_handler_row sig_handlers[SIG_METHOD_COUNT];

/* A request of the method, decoded. */
void session_run(struct session *s, uint32_t request_id, enum sig_method method, const void *data);
/* join.c: asks who the connection belongs to. */
void session_identify(struct session *s, const struct http_request *req);
/* handlers_room.c: joinRoom when all is known; user NULL: anonymous. */
void join_enter(struct sig_call *call, const struct sig_join_room *in, const struct api_user *user);

void sig_fail(struct sig_call *call, enum err e, const char *reason);
/* With a new reference; {} for NULL. */
void sig_answer(struct sig_call *call, json_t *data);
/* The struct of the method's answer. */
void sig_answer_struct(struct sig_call *call, const struct shape *shape, const void *answer);

/* handlers by subject */
sig_handler on_create_room, on_join_room, on_leave_room, on_change_display_name, on_set_room_hls;
sig_handler on_create_producer_transport, on_create_consumer_transport, on_connect_transport,
    on_restart_ice, on_get_transport_stats;
sig_handler on_produce, on_pause_producer, on_resume_producer, on_close_producer,
    on_get_producer_stats;
sig_handler on_consume, on_pause_consumer, on_resume_consumer, on_close_consumer,
    on_request_consumer_key_frame, on_set_consumer_preferred_layers, on_set_consumer_priority,
    on_get_consumer_stats;
sig_handler on_produce_data, on_consume_data, on_close_data_producer, on_close_data_consumer;

/* appData: an object of at most APP_DATA_BYTES_MAX, or none. */
bool app_data_fits(json_t *app_data);

#endif
