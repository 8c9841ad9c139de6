/* The objects of a room and what they own. Private to room/.
 *
 *     rooms ─ room ─ peer ─ transport ─ producer, consumer, data producer, data consumer
 *                  ├ router, one a worker that the room uses
 *                  └ pipe link between two of its routers ─ what is piped over it (room_pipe.h)
 *
 * Ids are made here and told to the worker, which has the same tree. An object is announced to
 * others once the worker has accepted it; until then `ready` is false. When a peer goes, its
 * transports are closed in the worker, and what was asked but not answered is forgotten. */
#ifndef WEIR_CONTROLLER_ROOM_ROOM_STATE_H
#define WEIR_CONTROLLER_ROOM_ROOM_STATE_H

#include <uthash.h>
#include <uv.h>

#include "common/arena.h"
#include "controller/room/rooms.h"

struct session;

enum {
    /* Requests of one peer that may wait for the worker. */
    OPS_PER_PEER_MAX = 256,
    PARAMETERS_BYTES_MAX = 256 * 1024, /* of one producer's negotiated parameters */
    APP_DATA_BYTES_MAX = 4096,
    /* An empty room keeps its router for who comes back. */
    EMPTY_ROOM_MS = 30 * 1000,
    /* ICE is back within this after consent was lost, or the transport is given up. */
    LOST_TRANSPORT_MS = 15 * 1000,
    TICK_MS = 1000,
    UUID_LEN = 37,
    DATA_LABEL_MAX = 255,
    /* SCTP streams each way; browsers have 1024. */
    DATA_STREAMS_MAX = 1024,
    /* After a router or a pipe could not be made, the room stays on the workers that it has. */
    SPREAD_RETRY_MS = 30 * 1000
};

/* Of a room, in one worker. The first is the origin: the room's own peers and what taps it (HLS,
 * observers) are there. The others live as long as peers have their transports in them. */
struct room_router {
    struct list node;            /* in room->routers */
    struct room *room;           /* parent, outlives us */
    struct fleet_worker *worker; /* NULL: it is lost, and we go */
    char id[UUID_LEN];
    bool made;        /* the worker said so */
    unsigned n_peers; /* whose transports are here */
};

/* Something that needs a producer in a router that is not its own. */
struct pipe_user {
    struct list node;    /* in piped->users */
    struct piped *piped; /* ref; NULL: it does not */
};

struct room_producer {
    struct list node;                 /* in transport->producers */
    UT_hash_handle hh;                /* in room->producers, by id, once ready */
    struct room_transport *transport; /* parent, outlives us */
    char id[UUID_LEN];
    enum media_kind kind;
    enum rtp_type type;
    bool ready;
    bool paused;
    bool silent;
    struct producer_picture picture;
    bool clock_asked; /* its sender reports are traced */
    bool has_clock;
    uint64_t clock_ntp;
    uint32_t clock_rtp;
    struct arena arena; /* owned; holds consumable */
    struct rtp_parameters consumable;
    json_t *app_data; /* owned, or NULL */
    struct fleet_listener listener;
    bool observed;             /* features were told: it is in the origin, by itself or by home */
    struct list pipes;         /* of struct piped: its copies in other routers */
    struct pipe_user home;     /* its copy in the origin */
    room_produce_fn *own_done; /* of room_own_produce */
    void *own_ctx;
};

struct room_consumer {
    struct list node;                 /* in transport->consumers */
    struct room_transport *transport; /* parent, outlives us */
    char id[UUID_LEN];
    char producer_id[UUID_LEN];
    struct pipe_user pipe; /* if the producer is in another router */
    struct fleet_listener listener;
};

struct room_data_producer {
    struct list node;                 /* in transport->data_producers */
    UT_hash_handle hh;                /* in room->data_producers, by id, once ready */
    struct room_transport *transport; /* parent, outlives us */
    char id[UUID_LEN];
    bool ready;
    struct sctp_stream_parameters stream;
    char label[DATA_LABEL_MAX + 1];
    char protocol[DATA_LABEL_MAX + 1];
    json_t *app_data;  /* owned, or NULL */
    struct list pipes; /* of struct piped: its copies in other routers */
};

struct room_data_consumer {
    struct list node;                 /* in transport->data_consumers */
    struct room_transport *transport; /* parent, outlives us */
    char id[UUID_LEN];
    char data_producer_id[UUID_LEN];
    uint16_t stream_id;
    struct pipe_user pipe; /* if the data producer is in another router */
    struct fleet_listener listener;
};

enum transport_use { USE_PRODUCE, USE_CONSUME, USE_OWN };

struct room_transport {
    struct list node;       /* in peer->transports */
    struct room_peer *peer; /* parent, outlives us */
    char id[UUID_LEN];
    enum transport_use use;
    bool connected;    /* its connect was asked for */
    uint32_t next_mid; /* of consumers */
    uint64_t lost_ms;  /* since when ICE is disconnected; 0: it is not */
    struct list producers;
    struct list consumers;
    struct list data_producers;
    struct list data_consumers;
    uint16_t n_streams;   /* of data channels to the client; 0: without SCTP */
    uint16_t next_stream; /* that is tried first */
    struct fleet_listener listener;
};

struct room_peer {
    struct list node;        /* in room->peers */
    UT_hash_handle hh;       /* in room->peers_by_id */
    struct room *room;       /* parent, outlives us */
    struct session *session; /* ref; NULL: the service's own */
    char id[PEER_ID_MAX + 1];
    char display_name[DISPLAY_NAME_MAX + 1];
    char title[STREAM_TITLE_MAX * 4 + 1];
    char resume_token[33];
    enum room_role role;
    struct api_user user; /* when known */
    bool known;
    struct room_router *router; /* ref; where its transports are; NULL: it has none */
    struct list transports;
    struct list ops; /* of struct op */
    bool left;       /* it asked to */
    unsigned n_transports;
    unsigned n_producers;
    unsigned n_consumers;
    unsigned n_data_producers;
    unsigned n_data_consumers;
    unsigned n_ops;
};

struct room {
    UT_hash_handle hh;   /* in rooms->rooms */
    struct rooms *rooms; /* parent, outlives us */
    char id[ROOM_ID_MAX + 1];
    struct list routers; /* the origin first; empty: no worker runs */
    struct list links;   /* of struct pipe_link */
    bool closing;
    uint64_t spread_after_ms; /* no further router before that */
    uint64_t empty_since_ms;  /* 0: somebody is in */
    struct list peers;
    struct room_peer *peers_by_id;
    struct room_producer *producers;           /* ready ones, of all peers */
    struct room_data_producer *data_producers; /* so too */
    unsigned n_peers;
    char hls_url[256];
    struct room_hls hls;
};

struct rooms {
    struct rooms_config config;
    struct room *rooms;
    unsigned n_rooms;
    struct arena arena; /* holds capabilities */
    struct rtp_capabilities capabilities;
    struct list observers;
    struct list sessions;
    struct fleet_observer fleet_observer;
    uv_timer_t tick;
    struct rooms_metrics *metrics; /* owned; NULL: none */
    struct rooms_method {
        room_call_fn *fn; /* NULL: room/ answers it itself, or nobody */
        void *ctx;
    } methods[SIG_METHOD_COUNT];
    uint64_t next_session;
    struct rooms_gate gate;
    unsigned n_questions; /* of join.c, that wait for an answer */
    bool draining;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- a request to the worker on behalf of a peer (op.c) ---- */

/* What is to be done when the worker has answered; data as of fleet_reply_fn. Takes part of the op:
 * it is freed after. */
struct op;
typedef void op_done_fn(struct op *op, enum err e, const char *reason, const void *data);

struct op {
    struct list node; /* in peer->ops */
    struct room_peer *peer;
    struct fleet_worker *worker;
    op_done_fn *done;
    bool answers;        /* a client waits for it */
    uint32_t request_id; /* of that client's request */
    /* What the request is about. Objects outlive their ops: closing one forgets its ops first. */
    struct room_transport *transport;
    struct room_producer *producer;
    struct room_consumer *consumer;
    struct room_data_producer *data_producer;
    struct room_data_consumer *data_consumer;
    json_t *answer; /* owned; what the client gets if the worker accepts */
};

/* A request that a client waits for (request_id of its session), or nobody (answers false). */
struct op_request {
    bool answers;
    uint32_t id;
};

/* Asks the worker. Not OK: done is not called and nothing is left behind; answer is stolen in any
 * case. */
MUST_CHECK enum err op_start(struct room_peer *p, struct op_request request,
                             enum pipe_method method, const char *handler_id, const void *data,
                             op_done_fn *done, const struct op *about);
/* done for requests whose answer is op->answer, or {}. */
op_done_fn op_answer;
/* Ends ops about an object that goes, or all of a peer's (about NULL): who waits is told why. */
void ops_end(struct room_peer *p, const void *about, enum err e, const char *reason);
/* Answers the client that waits for op, if one does. */
void op_reply(struct op *op, json_t *answer);
void op_fail(struct op *op, enum err e, const char *reason);

/* ---- rooms.c, room.c ---- */
MUST_CHECK enum err room_get(struct rooms *r, const char *id, struct room **out);
/* Closes what is left of it and frees it. */
void room_close(struct room *room);
void rooms_finish_close(struct rooms *r);
bool id_is_valid(const char *id, size_t max);

/* ---- room_routers.c ---- */
/* NULL: there is none. */
struct room_router *room_origin(const struct room *room);
/* In that worker; NULL: the room has none there. */
struct room_router *room_router_in(const struct room *room, const struct fleet_worker *w);
/* Makes the origin, if there is none and a worker runs. */
void room_start_router(struct room *room);
/* Its worker was lost, or it cannot be used: it goes with all that is in it, peers that had their
 * transports there are told to make them anew, and the next router becomes the origin if it was
 * that. */
void room_router_lost(struct room_router *r, const char *reason);
void room_close_routers(struct room *room);
/* Gives a peer without one a router: one of the room's, or a new one in another worker when those
 * that the room uses have as much as they may. ERR_UNAVAILABLE: no worker runs. */
MUST_CHECK enum err peer_enter_router(struct room_peer *p);
/* Its last transport is gone. */
void peer_leave_router(struct room_peer *p);
/* NULL: it has no router, or that is lost. */
struct fleet_worker *peer_worker(const struct room_peer *p);

/* ---- peer.c ---- */
struct peer_join {
    const char *peer_id; /* NULL: one is made */
    const char *display_name;
    const char *title;
    const char *resume_token;
    enum room_role role;
    const struct api_user *user; /* NULL: anonymous */
    struct session *session;
};
/* ERR_EXISTS: the id is in use and resume_token is not its; ERR_FULL: the room is;
 * ERR_BUSY: it has a broadcaster. */
MUST_CHECK enum err peer_open(struct room *room, const struct peer_join *join,
                              struct room_peer **out);
/* Closes its transports, tells others and the observers, frees it. */
void peer_close(struct room_peer *p, const char *reason);
/* The worker is gone: local objects go without telling it. */
void peer_drop_media(struct room_peer *p);
/* To all clients but one (or NULL). */
void room_notify_others(struct room *room, const struct room_peer *except, enum sig_event event,
                        const void *data);

/* ---- transport.c ---- */
/* p has a router. */
struct room_transport *transport_new(struct room_peer *p, enum transport_use use, const char *id);
/* tell_worker: false when the worker has closed it or is gone. */
void transport_close(struct room_transport *t, bool tell_worker);
struct room_transport *transport_find(struct room_peer *p, const char *id);

/* ---- producer.c, consumer.c ---- */
MUST_CHECK enum err producer_open(struct room_transport *t, struct op_request request,
                                  enum media_kind kind, struct rtp_parameters *parameters,
                                  bool paused, json_t *app_data, struct room_producer **out,
                                  struct field_error *error);
void producer_close(struct room_producer *p, bool tell_worker);
struct room_producer *producer_of_peer(struct room_peer *p, const char *id);
/* Tells features of a producer once it is in the origin, if need be by a pipe. */
void producer_show(struct room_producer *p);
/* To features it is gone, since the origin is; clients have it still. */
void producer_hide(struct room_producer *p);
void producer_describe(const struct room_producer *p, struct sig_producer_info *out);
void producers_changed(struct room *room, const struct room_producer *added,
                       const struct room_producer *removed);

MUST_CHECK enum err consumer_open(struct room_transport *t, struct op_request request,
                                  struct room_producer *producer, const struct sig_consume *in,
                                  struct field_error *error);
void consumer_close(struct room_consumer *c, bool tell_worker);
struct room_consumer *consumer_of_peer(struct room_peer *p, const char *id);

/* ---- data_producer.c, data_consumer.c ---- */
MUST_CHECK enum err data_producer_open(struct room_transport *t, struct op_request request,
                                       const struct sig_produce_data *in);
void data_producer_close(struct room_data_producer *p, bool tell_worker);
struct room_data_producer *data_producer_of_peer(struct room_peer *p, const char *id);
void data_producer_describe(const struct room_data_producer *p, struct sig_data_producer_info *out);

/* ERR_FULL: no stream of the transport is free. */
MUST_CHECK enum err data_consumer_open(struct room_transport *t, struct op_request request,
                                       struct room_data_producer *producer);
void data_consumer_close(struct room_data_consumer *c, bool tell_worker);
struct room_data_consumer *data_consumer_of_peer(struct room_peer *p, const char *id);

/* ---- observers.c ---- */
void observe_router(struct room *room, bool ready);
void observe_closed(struct room *room);
void observe_peer(struct room_peer *p, bool joined);
void observe_entered(struct room_peer *p);
void observe_renamed(struct room_peer *p);
void observe_producer(struct room_producer *p, bool added);
void observe_paused(struct room_producer *p, bool paused);
void observe_hls(struct room *room);
void observe_silent(struct room_producer *p, bool silent);
void observe_picture(struct room_producer *p);

/* ---- session.c ---- */
MUST_CHECK enum err sessions_open(struct rooms *r);
void sessions_close(struct rooms *r, int code, const char *reason);
bool sessions_empty(const struct rooms *r);
/* Its peer is gone: the connection stays. */
void session_forget_peer(struct session *s);
void session_answer(struct session *s, uint32_t request_id, json_t *data);
void session_fail(struct session *s, uint32_t request_id, enum err e, const char *reason);
void session_bytes(struct session *s, struct blob *bytes);
const struct addr *session_addr(const struct session *s);
void session_end(struct session *s, int code, const char *reason);

/* ---- room_hls.c ---- */
/* What is given replaces what was; observers are told when that is a change. */
void room_change_hls(struct room *room, const struct sig_room_hls *given);
void room_describe_hls(const struct room *room, struct sig_room_hls *out);
/* GET and PUT /api/rooms/:roomId/hls. */
MUST_CHECK enum err rooms_add_hls_routes(struct rooms *r);

#endif
