/* Rooms as other features see them: who is in, what is produced, on which worker and router. A room
 * begins with one router, the origin, in the least loaded worker; when the workers that it uses
 * have enough to do, further peers get a router in another one, and producers go between routers
 * over pipe transports. Features see the origin only: every producer is there, by itself or piped,
 * under its id. When a worker is lost its clients are told to re-create their transports, and if it
 * had the origin, another router becomes that. Single thread, the controller's loop. */
#ifndef WEIR_CONTROLLER_ROOM_ROOMS_H
#define WEIR_CONTROLLER_ROOM_ROOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/blob.h"
#include "common/err.h"
#include "common/list.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "controller/api/api.h"
#include "controller/fleet/fleet.h"
#include "controller/net/http.h"
#include "controller/net/origin.h"
#include "controller/rtc/ice_servers.h"
#include "proto/rtp_parameters.h"
#include "proto/signaling.h"

struct rooms;
struct room;
struct room_peer;
struct room_producer;

enum { ROOM_ID_MAX = 64, PEER_ID_MAX = 64, DISPLAY_NAME_MAX = 64, STREAM_TITLE_MAX = 140 };

/* broadcaster: the one whose producers are the room's stream; viewer: only receives and is not
 * announced to others; participant: one of many in a conversation. */
enum room_role { ROLE_PARTICIPANT, ROLE_BROADCASTER, ROLE_VIEWER };

/* Which HLS a room has: modes, any of them together, and how. */
struct room_hls {
    bool stream;    /* its broadcaster's */
    bool peers;     /* every peer for itself */
    bool composite; /* all on one canvas */
    bool names;     /* under the composite's pictures */
    bool low_bandwidth;
};

struct rooms_config {
    struct uv_loop_s *loop;
    struct fleet *fleet;
    struct http_server *http; /* gets the /ws endpoints */
    struct api *api;          /* gets /api/rooms/...; NULL: none */
    struct metrics *metrics;  /* NULL: none */
    struct rng *rng;
    unsigned rooms_max;
    unsigned peers_per_room_max;  /* viewers included */
    unsigned requests_per_second; /* of one connection, on average */
    unsigned requests_burst;      /* and at once */
    size_t message_bytes_max;
    size_t send_queue_bytes_max; /* what may wait for one slow client */
    unsigned idle_s;             /* silence after which a client is gone */
    unsigned transports_per_peer_max;
    unsigned producers_per_peer_max;
    unsigned consumers_per_peer_max;
    /* Load of a worker (fleet_worker_load) from which on rooms in it spread to others. */
    unsigned worker_load_max;
    bool tcp; /* transports have TCP candidates */
    uint32_t initial_outgoing_bps;
    uint32_t min_outgoing_bps; /* of one transport, as the next two; 0: no limit */
    uint32_t max_outgoing_bps;
    uint32_t max_incoming_bps;
    struct ice_servers_config ice_servers; /* for joinRoom's iceServers */
    struct origin_policy origins;
    struct room_hls hls; /* of new rooms */
};

MUST_CHECK enum err rooms_open(const struct rooms_config *config, struct rooms **out);
/* Closes connections with 1001 and all rooms; closed is called once, when nothing is left. */
void rooms_close(struct rooms *r, void (*closed)(void *ctx), void *ctx);

/* No new rooms from now on; those that are open go on. */
void rooms_drain(struct rooms *r);

/* ---- looking ---- */

struct room *rooms_find(struct rooms *r, const char *room_id);
size_t rooms_count(const struct rooms *r);
/* In no order; the room of the call may be closed in it. */
void rooms_each(struct rooms *r, void (*each)(void *ctx, struct room *room), void *ctx);

const char *room_id(const struct room *room);
/* Of the origin: NULL when no worker runs. */
const char *room_router_id(const struct room *room);
struct fleet_worker *room_worker(const struct room *room);
const struct rtp_capabilities *room_rtp_capabilities(const struct room *room);
/* Peers with a role; viewers are the ones that only receive. */
/* Peers that are clients, not the service's own. */
size_t room_clients(const struct room *room);
size_t room_count(const struct room *room, enum room_role role);

void room_each_producer(struct room *room, void (*each)(void *ctx, struct room_producer *p),
                        void *ctx);
const char *producer_id(const struct room_producer *p);
enum media_kind producer_kind(const struct room_producer *p);
bool producer_paused(const struct room_producer *p);
/* It sent, and does not now, though it is not paused: the worker's score of all its streams is 0.
 */
bool producer_silent(const struct room_producer *p);
/* What its sender's newest report says: a time of day and the RTP timestamp of the same moment (RFC
 * 3550 6.4.1). False: none came since this was asked for first, or it sends several streams. */
bool producer_clock(struct room_producer *p, uint64_t *ntp, uint32_t *rtp_timestamp);
/* As the worker saw it last in key frames and header extensions (urn:3gpp:video-orientation). */
struct producer_picture {
    uint16_t width; /* pixels as they are encoded; 0: unknown yet */
    uint16_t height;
    uint16_t rotation; /* clockwise degrees that turn it upright: 0, 90, 180 or 270 */
};
const struct producer_picture *producer_picture(const struct room_producer *p);
/* Not a camera: its appData says so (source: "screen", or share: true). */
bool producer_is_screen(const struct room_producer *p);
struct room_peer *producer_peer(const struct room_producer *p);
/* What consumers can be offered (controller/rtc/ortc.h, ortc_consumable). */
const struct rtp_parameters *producer_consumable(const struct room_producer *p);

const char *peer_id(const struct room_peer *p);
const char *peer_display_name(const struct room_peer *p);
enum room_role peer_role(const struct room_peer *p);
/* The resume token of the room's broadcaster: the secret that shows who owns its stream; NULL: no
 * broadcaster is there. */
const char *room_broadcaster_token(const struct room *room);
/* The secret of a peer that it takes its place again with, also on another controller. */
const char *peer_resume_token(const struct room_peer *p);
/* Where its connection comes from; NULL: the service's own. */
const struct addr *peer_addr(const struct room_peer *p);
/* The account that it joined with; NULL: anonymous. */
const struct api_user *peer_user(const struct room_peer *p);
/* Ends its connection, with 4001, and frees it. */
void peer_dismiss(struct room_peer *p, const char *reason);
/* What a broadcaster called its stream; "" when it did not. */
const char *peer_title(const struct room_peer *p);

/* It asked to leave; false: its connection broke, or the service closed it. */
bool peer_left_by_itself(const struct room_peer *p);

/* ---- being told ---- */

/* In its owner's memory; NULL members are not called. Objects are valid in the call. */
struct rooms_observer {
    /* The origin is there: for the first time, or again after a loss. */
    void (*on_router)(void *ctx, struct room *room);
    /* Its worker was lost, and with it every transport and consumer that a feature had in it.
     * Producers were removed (and told) before; they come back when their clients do, or with the
     * next origin where their clients' worker goes on. */
    void (*on_router_lost)(void *ctx, struct room *room);
    void (*on_closed)(void *ctx, struct room *room);
    void (*on_peer_joined)(void *ctx, struct room *room, struct room_peer *peer);
    /* Its joinRoom is answered: what is sent to it now comes behind that. */
    void (*on_peer_entered)(void *ctx, struct room *room, struct room_peer *peer);
    void (*on_peer_renamed)(void *ctx, struct room *room, struct room_peer *peer);
    void (*on_peer_left)(void *ctx, struct room *room, struct room_peer *peer);
    void (*on_producer_added)(void *ctx, struct room *room, struct room_producer *p);
    void (*on_producer_removed)(void *ctx, struct room *room, struct room_producer *p);
    void (*on_producer_paused)(void *ctx, struct room *room, struct room_producer *p, bool paused);
    /* It fell silent, or sends again. */
    void (*on_producer_silent)(void *ctx, struct room *room, struct room_producer *p, bool silent);
    /* Its picture's size or rotation is another one, or known now. */
    void (*on_producer_picture)(void *ctx, struct room *room, struct room_producer *p);
    void (*on_hls)(void *ctx, struct room *room); /* room_hls changed */
    void *ctx;                                    /* borrowed */
    struct list node;
};

void rooms_observe(struct rooms *r, struct rooms_observer *o);
void rooms_unobserve(struct rooms_observer *o);

/* Sends an event to all clients in a room; data is the event's struct (proto/signaling.h). It is
 * made into bytes once. */
void room_notify(struct room *room, enum sig_event event, const void *data);
/* An event as its bytes, for many: data is the JSON of its payload. NULL: out of memory; one
 * reference. */
struct blob *rooms_event_bytes(enum sig_event event, const char *data, size_t n);
/* Clients in process (room_client.h) do not get these. */
void room_notify_bytes(struct room *room, struct blob *bytes);
void peer_notify_bytes(struct room_peer *p, struct blob *bytes);
void peer_notify(struct room_peer *p, enum sig_event event, const void *data);
void room_each_peer(struct room *room, void (*each)(void *ctx, struct room_peer *p), void *ctx);

/* ---- methods that a feature answers (chat) ---- */

/* A client's request. To answer it later, keep a copy with peer and data NULL. */
struct room_call {
    struct room_peer *peer; /* for the call only */
    const void *data;
    uint64_t session; /* who asked: answers to one that is gone go nowhere */
    uint32_t id;
};
/* Owes exactly one answer. The client is in a room. */
typedef void room_call_fn(void *ctx, const struct room_call *call);
/* NULL: from now on nobody answers it. */
void rooms_answer_method(struct rooms *r, enum sig_method method, room_call_fn *fn, void *ctx);
/* A new reference, stolen; {} for NULL. */
void room_call_answer(struct rooms *r, const struct room_call *call, json_t *data);
void room_call_fail(struct rooms *r, const struct room_call *call, enum err e, const char *reason);
const struct room_hls *room_hls(const struct room *room);
/* joinRoom's hlsUrl for peers that join from now on; NULL: none. Copied. */
void room_set_hls_url(struct room *room, const char *url);

/* ---- being asked ---- */

/* Who wants in. */
struct rooms_join {
    const char *room_id;
    enum room_role role;
    const struct api_user *user; /* NULL: anonymous */
    const char *stream_key;      /* NULL: none, as the next */
    const char *resume_token;
};

/* reason: a sentence for who is refused; NULL: the error's own. */
typedef void rooms_verdict_fn(void *ctx, enum err e, const char *reason);

/* Asked before a client joins a room by its id; calls done exactly once, now or later. The
 * service's own peers are not asked for. */
struct rooms_gate {
    void (*ask)(void *self, const struct rooms_join *join, rooms_verdict_fn *done, void *ctx);
    void *self; /* borrowed */
};

/* NULL: everybody may. Copied. */
void rooms_set_gate(struct rooms *r, const struct rooms_gate *gate);

/* RTCIceServer objects for one client; see ice_servers.h. */
json_t *rooms_ice_servers(const struct rooms *r, const char *name);

/* ---- the service's own peers (test card, RTP ingest) ---- */

/* Makes the room if it is not there; the peer keeps it open. ERR_EXISTS: the id is in use. */
MUST_CHECK enum err room_own_peer_open(struct rooms *r, const char *room_id, const char *peer_id,
                                       const char *display_name, enum room_role role,
                                       const char *title, struct room_peer **out);
void room_own_peer_close(struct room_peer *p);
struct room *peer_room(const struct room_peer *p);

/* Announces a producer on a transport that the caller made in the room's router (a plain one,
 * comedia). Its parameters are negotiated as a client's are. done is called once, unless the peer
 * is closed before; e is not OK when the worker refuses or is lost. */
typedef void room_produce_fn(void *ctx, enum err e, const char *reason, struct room_producer *p);
MUST_CHECK enum err room_own_produce(struct room_peer *p, const char *transport_id,
                                     enum media_kind kind, struct rtp_parameters *parameters,
                                     room_produce_fn *done, void *ctx, struct field_error *error);

#endif
