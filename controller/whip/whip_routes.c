#include <stdio.h>
#include <string.h>

#include "controller/sdp/sdp_frag.h"
#include "controller/whip/whip_state.h"

static void take_offer(struct http_request *req, struct whip *w, const char *key)
{
    if (!key || !key[0] || strlen(key) > WHIP_KEY_MAX) {
        whip_respond_error(w, req, 401, ERR_AUTH, NULL,
                           key && key[0] ? "the stream key is not known"
                                         : "the stream key is missing: Authorization: Bearer");
        return;
    }
    struct whip_session *s = whip_session_open(w, WHIP_PUBLISH, req);
    if (!s)
        return;
    snprintf(s->key, sizeof s->key, "%s", key);
    whip_publish_find(s);
}

static void on_publish(struct http_request *req, void *user)
{
    take_offer(req, user, http_bearer(req));
}

static void on_publish_by_path(struct http_request *req, void *user)
{
    take_offer(req, user, http_param(req, "streamKey"));
}

static void on_play(struct http_request *req, void *user)
{
    const char *id = http_param(req, "streamId");
    struct whip *w = user;
    if (strlen(id) > ROOM_ID_MAX) {
        whip_respond_error(w, req, 404, ERR_NOT_FOUND, "streamId", "there is no such stream");
        return;
    }
    struct whip_session *s = whip_session_open(w, WHIP_PLAY, req);
    if (!s)
        return;
    snprintf(s->room_id, sizeof s->room_id, "%s", id);
    whip_play_find(s);
}

#define SDP_TYPE "application/sdp"
#define FRAG_TYPE "application/trickle-ice-sdpfrag"

static const struct api_route routes[] = {
    {.method = HTTP_POST,
     .path = "/whip",
     .id = "publishByWhip",
     .tag = "WHIP and WHEP",
     .summary = "Broadcast by an SDP offer (RFC 9725); the bearer token is the stream key.",
     .auth = API_SECRET,
     .limit = API_LIMIT_GENERAL,
     .answers = {{201, NULL, "The SDP answer; Location is the session.", SDP_TYPE},
                 {401, NULL, "The stream key is missing or not known."},
                 {403, NULL, "That stream has ended."},
                 {409, NULL, "Somebody else broadcasts in that room."},
                 {415, NULL, "The body is no application/sdp."},
                 {422, NULL, "The offer cannot be answered; the reason says why."}},
     .raw = on_publish,
     .max_body = SDP_OFFER_TEXT_MAX,
     .open = true},
    {.method = HTTP_POST,
     .path = "/whip/:streamKey",
     .id = "publishByWhipWithKey",
     .tag = "WHIP and WHEP",
     .summary = "As publishByWhip, for encoders that cannot send a bearer token.",
     .auth = API_SECRET,
     .limit = API_LIMIT_GENERAL,
     .answers = {{201, NULL, "The SDP answer; Location is the session.", SDP_TYPE},
                 {401, NULL, "The stream key is not known."},
                 {403, NULL, "That stream has ended."},
                 {409, NULL, "Somebody else broadcasts in that room."},
                 {415, NULL, "The body is no application/sdp."},
                 {422, NULL, "The offer cannot be answered; the reason says why."}},
     .raw = on_publish_by_path,
     .max_body = SDP_OFFER_TEXT_MAX,
     .open = true},
    {.method = HTTP_POST,
     .path = "/whep/:streamId",
     .id = "playByWhep",
     .tag = "WHIP and WHEP",
     .summary = "Watch by an SDP offer (WHEP); the id of a stream, or of its room.",
     .limit = API_LIMIT_GENERAL,
     .answers = {{201, NULL, "The SDP answer; Location is the session.", SDP_TYPE},
                 {404, NULL, "There is no such stream."},
                 {409, NULL, "It is not on the air now; Retry-After."},
                 {415, NULL, "The body is no application/sdp."},
                 {422, NULL, "The offer cannot be answered; the reason says why."}},
     .raw = on_play,
     .max_body = SDP_OFFER_TEXT_MAX,
     .open = true},
#define SESSION_ROUTES(protocol, name)                                                             \
    {.method = HTTP_PATCH,                                                                         \
     .path = "/" protocol "/session/:sessionId",                                                   \
     .id = "patch" name "Session",                                                                 \
     .tag = "WHIP and WHEP",                                                                       \
     .summary = "Trickle ICE, or restart it with If-Match: \"*\" (RFC 9725 4.3).",                 \
     .auth = API_SECRET,                                                                           \
     .limit = API_LIMIT_GENERAL,                                                                   \
     .answers = {{200, NULL, "Restarted: the new credentials; ETag.", FRAG_TYPE},                  \
                 {204, NULL, "Taken."},                                                            \
                 {404, NULL, "There is no such session."},                                         \
                 {412, NULL, "If-Match is not the session's ETag."},                               \
                 {415, NULL, "The body is no " FRAG_TYPE "."},                                     \
                 {428, NULL, "If-Match is missing."}},                                             \
     .raw = whip_on_patch,                                                                         \
     .max_body = SDP_FRAG_TEXT_MAX,                                                                \
     .open = true},                                                                                \
    {                                                                                              \
        .method = HTTP_DELETE, .path = "/" protocol "/session/:sessionId",                         \
        .id = "end" name "Session", .tag = "WHIP and WHEP", .summary = "Ends the session.",        \
        .auth = API_SECRET, .limit = API_LIMIT_GENERAL,                                            \
        .answers = {{200, NULL, "Ended."}, {404, NULL, "There is no such session."}},              \
        .raw = whip_on_delete, .open = true                                                        \
    }
    SESSION_ROUTES("whip", "Whip"),
    SESSION_ROUTES("whep", "Whep"),
};

enum err whip_add_routes(struct whip *w)
{
    return api_add(w->config.api, routes, sizeof routes / sizeof routes[0], w);
}
