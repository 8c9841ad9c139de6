/* Sessions from inside. Private to whip/.
 *
 * A session lives from its POST until its DELETE, or until its media is lost. It is never freed
 * within a call from rooms: whoever wants its end marks it, and the sweep does it. */
#ifndef WEIR_CONTROLLER_WHIP_WHIP_STATE_H
#define WEIR_CONTROLLER_WHIP_WHIP_STATE_H

#include <uthash.h>
#include <uv.h>

#include "common/addr.h"
#include "controller/room/room_client.h"
#include "controller/sdp/sdp_answer.h"
#include "controller/sdp/sdp_offer.h"
#include "controller/stream/stream_store.h"
#include "controller/whip/whip.h"
#include "proto/signaling.h"

enum {
    WHIP_ID_LEN = 33,
    WHIP_ETAG_LEN = 20,
    WHIP_KEY_MAX = 64,
    WHIP_SWEEP_MS = 1000,
    WHIP_ARENA_MAX = SDP_OFFER_ARENA_MAX + 1024 * 1024,
    /* RFC 9725 4.2 leaves it open; about as long as a broadcaster takes to start. */
    WHIP_RETRY_S = 3
};

enum whip_use { WHIP_PUBLISH, WHIP_PLAY, WHIP_USES };

/* One of the offer's sections that is used. */
struct whip_track {
    struct whip_session *session; /* parent, outlives us */
    size_t media;                 /* index in the offer */
    enum media_kind kind;
    struct rtp_parameters parameters; /* in the session's arena while it negotiates */
    bool made;
    /* Of what is played. */
    char mid[MID_MAX + 1];
    char producer_id[37]; /* "": none now */
    uint8_t payload_type; /* that was answered */
};

struct whip_session {
    UT_hash_handle hh; /* in whip->sessions */
    struct whip *whip; /* parent, outlives us */
    enum whip_use use;
    char id[WHIP_ID_LEN];
    char etag[WHIP_ETAG_LEN];
    struct addr address; /* without port */
    char room_id[ROOM_ID_MAX + 1];
    char key[WHIP_KEY_MAX + 1]; /* of a broadcaster */
    struct room_client *client; /* owned; NULL: not yet, or not any more */
    struct http_request *post;  /* answered once the answer is written */
    struct http_request *patch; /* of an ICE restart under way; NULL: none */
    char *offer_text;           /* owned */
    size_t offer_n;
    struct arena arena; /* of the negotiation */
    struct sdp_offer offer;
    json_t *transport;   /* owned: sig_transport_answer, with what points into it below */
    json_t *ice_servers; /* owned */
    struct whip_track tracks[SDP_MEDIA_MAX];
    size_t n_tracks;
    unsigned waiting; /* answers that are to come before ours */
    bool was_ended;   /* its stream's row said so */
    bool live;        /* answered with 201 */
    bool ended;       /* the sweep frees it */
    bool by_client;   /* it asked for the end */
    char why[128];
};

struct whip {
    struct whip_config config;
    struct whip_session *sessions; /* owned, by id */
    uv_timer_t sweep;
    unsigned lookups; /* answers of the database that are to come */
    bool closing;
    bool timer_closed;
    struct metric *count[WHIP_USES];
    struct metric *started[WHIP_USES];
    struct metric *refused;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- whip.c ---- */
void whip_sweep_soon(struct whip *w);
void whip_hold(struct whip *w);
void whip_release(struct whip *w);
struct whip_session *whip_find(struct whip *w, const char *id);

/* ---- whip_lookup.c ---- */
/* Those of stream_store.h. */
typedef enum err whip_ask_fn(struct db *db, const char *text, stream_row_fn *done, void *ctx);
/* row is NULL unless e is OK. ERR_NOT_FOUND: there is none. */
typedef void whip_found_fn(struct whip_session *s, enum err e, const struct stream_row *row);
/* found is called once, perhaps from inside; not at all when the session ends before. */
void whip_lookup(struct whip_session *s, whip_ask_fn *ask, const char *text, whip_found_fn *found);

/* ---- whip_session.c ---- */
/* A new session for a POST whose offer could be read; NULL: the request is answered. */
struct whip_session *whip_session_open(struct whip *w, enum whip_use use,
                                       struct http_request *post);
/* Answers the POST with an error, and ends. field may be NULL. */
void whip_session_fail(struct whip_session *s, int status, enum err e, const char *field,
                       const char *reason);
void whip_session_end(struct whip_session *s, const char *why);
void whip_session_free(struct whip_session *s);
/* Into its room, and on to a transport; then whip_publish_go or whip_play_go. */
void whip_session_join(struct whip_session *s, enum room_role role, const char *title);
/* One of the answers that were waited for; the last one lets the session answer. */
void whip_session_answered(struct whip_session *s);
void whip_session_connect(struct whip_session *s);
const char *whip_transport_id(const struct whip_session *s);

/* ---- whip_publish.c, whip_play.c ---- */
void whip_publish_find(struct whip_session *s);
void whip_publish_go(struct whip_session *s);
void whip_play_find(struct whip_session *s);
void whip_play_go(struct whip_session *s);
/* Producers came or went. */
void whip_play_follow(struct whip_session *s);

/* ---- whip_respond.c ---- */
void whip_respond_created(struct whip_session *s);
void whip_respond_error(struct whip *w, struct http_request *req, int status, enum err e,
                        const char *field, const char *reason);
int whip_status_of(enum err e);

/* ---- whip_patch.c ---- */
http_handler whip_on_patch, whip_on_delete;

/* ---- whip_routes.c ---- */
MUST_CHECK enum err whip_add_routes(struct whip *w);

#endif
