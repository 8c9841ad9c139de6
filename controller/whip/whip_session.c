#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "controller/whip/whip_state.h"

/* ---- ending ---- */

void whip_session_end(struct whip_session *s, const char *why)
{
    if (s->ended)
        return;
    s->ended = true;
    snprintf(s->why, sizeof s->why, "%s", why);
    whip_sweep_soon(s->whip);
}

void whip_session_fail(struct whip_session *s, int status, enum err e, const char *field,
                       const char *reason)
{
    if (s->post)
        whip_respond_error(s->whip, s->post, status, e, field, reason);
    s->post = NULL;
    whip_session_end(s, reason);
}

static void on_left(void *ctx, enum err e, const char *reason, json_t *data)
{
    (void)ctx;
    (void)e;
    (void)reason;
    (void)data;
}

void whip_session_free(struct whip_session *s)
{
    struct whip *w = s->whip;
    if (s->post)
        whip_respond_error(w, s->post, 503, ERR_UNAVAILABLE, NULL, s->why);
    if (s->patch)
        whip_respond_error(w, s->patch, 404, ERR_NOT_FOUND, NULL, "the session has ended");
    if (s->client && s->by_client)
        room_client_ask(s->client, SIG_LEAVE_ROOM, NULL, on_left, NULL);
    room_client_close(s->client, s->why);
    if (s->live) {
        metric_add(w->count[s->use], -1);
        log_info("whip.ended", "use=%s room=%s why=\"%s\"",
                 s->use == WHIP_PLAY ? "play" : "publish", s->room_id, s->why);
    }
    json_decref(s->transport);
    json_decref(s->ice_servers);
    arena_fini(&s->arena);
    free(s->offer_text);
    HASH_DEL(w->sessions, s);
    free(s);
}

/* ---- a POST ---- */

/* Of IPv6 the network counts: a client has all its addresses. */
static struct addr counted(const struct addr *peer)
{
    struct addr a = *peer;
    a.port = 0;
    if (a.family == 6)
        memset(a.ip + 8, 0, 8);
    return a;
}

static bool is_full(struct whip *w, const struct addr *address, struct http_request *req)
{
    unsigned same = 0;
    for (const struct whip_session *s = w->sessions; s; s = s->hh.next)
        same += addr_eq(&s->address, address);
    bool theirs = same >= w->config.sessions_per_address_max;
    if (!theirs && HASH_COUNT(w->sessions) < w->config.sessions_max)
        return false;
    whip_respond_error(w, req, theirs ? 429 : 503, theirs ? ERR_FULL : ERR_UNAVAILABLE, NULL,
                       theirs ? "this address has as many sessions as it may have"
                              : "the service has as many sessions as it allows");
    return true;
}

/* Parameters, as of charset, do not matter. */
static bool is_sdp(const char *type)
{
    static const char sdp[] = "application/sdp";
    size_t n = sizeof sdp - 1;
    return type && strncasecmp(type, sdp, n) == 0 &&
           (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static struct whip_session *session_new(struct whip *w, enum whip_use use, struct slice offer)
{
    struct whip_session *s = calloc(1, sizeof *s);
    char tag[WHIP_ETAG_LEN - 2];
    if (!s)
        return NULL;
    s->offer_text = malloc(offer.n + 1);
    if (!s->offer_text) {
        free(s);
        return NULL;
    }
    memcpy(s->offer_text, offer.p, offer.n);
    s->offer_n = offer.n;
    s->whip = w;
    s->use = use;
    rng_token(w->config.rng, s->id, sizeof s->id);
    rng_token(w->config.rng, tag, sizeof tag);
    snprintf(s->etag, sizeof s->etag, "\"%s\"", tag);
    arena_init(&s->arena, WHIP_ARENA_MAX);
    HASH_ADD_STR(w->sessions, id, s);
    return s;
}

struct whip_session *whip_session_open(struct whip *w, enum whip_use use, struct http_request *post)
{
    struct field_error error;
    struct slice body = http_body(post);
    struct addr address = counted(http_peer(post));
    if (w->closing) {
        whip_respond_error(w, post, 503, ERR_UNAVAILABLE, NULL, "the service is closing");
        return NULL;
    }
    if (!is_sdp(http_header(post, "content-type"))) {
        whip_respond_error(w, post, 415, ERR_UNSUPPORTED, NULL, "the body must be application/sdp");
        return NULL;
    }
    if (is_full(w, &address, post))
        return NULL;
    struct whip_session *s = body.n > 0 ? session_new(w, use, body) : NULL;
    if (!s) {
        whip_respond_error(w, post, body.n > 0 ? 503 : 400, body.n > 0 ? ERR_NOMEM : ERR_TRUNCATED,
                           NULL, body.n > 0 ? "out of memory" : "the body must be an SDP offer");
        return NULL;
    }
    s->address = address;
    s->post = post;
    enum err e = sdp_offer_read(slice_of(s->offer_text, s->offer_n), &s->arena, &s->offer, &error);
    if (e == OK)
        return s;
    whip_session_fail(s, whip_status_of(e), e, error.path, error.reason);
    return NULL;
}

/* ---- what rooms say ---- */

static void on_event(void *ctx, enum sig_event event, const void *data)
{
    struct whip_session *s = ctx;
    if (event == SIG_EVENT_RECONNECT_REQUIRED) {
        const struct sig_reconnect *r = data;
        whip_session_end(s, r->reason);
    } else if (event == SIG_EVENT_STREAM_ENDED && s->use == WHIP_PLAY) {
        whip_session_end(s, "the stream ended");
    } else if (event == SIG_EVENT_PRODUCERS_CHANGED && s->use == WHIP_PLAY) {
        whip_sweep_soon(s->whip); /* which follows */
    }
}

static void on_end(void *ctx, const char *reason)
{
    whip_session_end(ctx, reason);
}

/* ---- steps ---- */

/* Of what comes in an answer's place. */
static bool refused(struct whip_session *s, enum err e, const char *reason)
{
    if (e != OK)
        whip_session_fail(s, whip_status_of(e), e, NULL, reason);
    return e != OK || s->ended;
}

static void on_transport(void *ctx, enum err e, const char *reason, json_t *data)
{
    struct whip_session *s = ctx;
    if (refused(s, e, reason))
        return;
    s->transport = json_incref(data);
    if (s->use == WHIP_PUBLISH)
        whip_publish_go(s);
    else
        whip_play_go(s);
}

static void on_joined(void *ctx, enum err e, const char *reason, json_t *data)
{
    struct whip_session *s = ctx;
    struct sig_create_transport in = {0};
    if (e == ERR_STATE && s->was_ended) {
        whip_session_fail(s, 403, ERR_DENIED, NULL, "that stream has ended");
        return;
    }
    if (refused(s, e, reason))
        return;
    s->ice_servers = json_incref(json_object_get(data, "iceServers"));
    room_client_ask(s->client,
                    s->use == WHIP_PUBLISH ? SIG_CREATE_PRODUCER_TRANSPORT
                                           : SIG_CREATE_CONSUMER_TRANSPORT,
                    &in, on_transport, s);
}

void whip_session_join(struct whip_session *s, enum room_role role, const char *title)
{
    struct room_client_config config = {.on_event = on_event, .on_end = on_end, .ctx = s};
    struct sig_join_room in = {.room_id = s->room_id,
                               .role = (int)role,
                               .has_role = true,
                               .title = title,
                               /* Rooms of accounts' streams ask for it. */
                               .stream_key = role == ROLE_BROADCASTER ? s->key : NULL};
    enum err e = room_client_open(s->whip->config.rooms, &config, &s->client);
    if (e != OK)
        whip_session_fail(s, 503, e, NULL, "no room can be entered now");
    else
        room_client_ask(s->client, SIG_JOIN_ROOM, &in, on_joined, s);
}

const char *whip_transport_id(const struct whip_session *s)
{
    const char *id = json_string_value(json_object_get(s->transport, "id"));
    return id ? id : "";
}

static void on_connected(void *ctx, enum err e, const char *reason, json_t *data)
{
    struct whip_session *s = ctx;
    (void)data;
    if (!refused(s, e, reason))
        whip_session_answered(s);
}

void whip_session_connect(struct whip_session *s)
{
    struct sig_connect_transport in = {.transport_id = whip_transport_id(s),
                                       .dtls_parameters = &s->offer.dtls};
    s->waiting++;
    room_client_ask(s->client, SIG_CONNECT_PRODUCER_TRANSPORT, &in, on_connected, s);
}

void whip_session_answered(struct whip_session *s)
{
    bool any = false;
    if (--s->waiting > 0 || s->ended)
        return;
    for (size_t i = 0; i < s->n_tracks; i++)
        any = any || s->tracks[i].made;
    if (!any) {
        whip_session_fail(s, 422, ERR_UNSUPPORTED,
                          "m=", "the offer has no codec in common with the stream");
        return;
    }
    whip_respond_created(s);
    /* What is needed later is read again from the offer's text: it is far smaller. */
    arena_fini(&s->arena);
    arena_init(&s->arena, WHIP_ARENA_MAX);
    s->offer = (struct sdp_offer){0};
}
