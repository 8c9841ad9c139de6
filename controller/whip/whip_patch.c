/* A session's resource: trickle ICE, ICE restarts, the end (RFC 9725 4.2, 4.3). The server is
 * ICE-lite: it takes checks from wherever they come with the right credentials, and needs no
 * candidates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "controller/sdp/sdp_frag.h"
#include "controller/whip/whip_state.h"

enum { FRAG_MAX = 8 * 1024 };

static const char frag_type[] = "application/trickle-ice-sdpfrag";

static struct whip_session *session_of(struct whip *w, struct http_request *req)
{
    struct whip_session *s = whip_find(w, http_param(req, "sessionId"));
    if (s && s->live && !s->ended)
        return s;
    whip_respond_error(w, req, 404, ERR_NOT_FOUND, "sessionId", "there is no such session");
    return NULL;
}

void whip_on_delete(struct http_request *req, void *user)
{
    struct whip_session *s = session_of(user, req);
    if (!s)
        return;
    s->by_client = true;
    whip_session_end(s, "its client ended it");
    whip_session_free(s);
    /* OBS takes nothing but 200 for success. */
    http_respond_empty(req, 200);
}

/* ---- ICE restart ---- */

static enum err write_restart(const struct whip_session *s, const struct ice_parameters *ice,
                              struct arena *arena, struct wr *w)
{
    struct sig_transport_answer transport;
    struct field_error error;
    const struct whip_track *first = &s->tracks[0];
    enum err e = shape_decode(&sig_transport_answer_shape, s->transport, &transport, arena, &error);
    if (e != OK)
        return e;
    return sdp_frag_write(ice, transport.ice_candidates, transport.n_ice_candidates, first->mid,
                          media_kind_names[first->kind], w);
}

static void on_restarted(void *ctx, enum err e, const char *reason, json_t *data)
{
    struct whip_session *s = ctx;
    struct http_request *req = s->patch;
    struct sig_restart_ice_answer answer;
    struct field_error error;
    struct arena arena;
    char text[FRAG_MAX];
    char tag[WHIP_ETAG_LEN - 2];
    struct wr w = wr_of(text, sizeof text);
    s->patch = NULL;
    if (e != OK) {
        whip_respond_error(s->whip, req, whip_status_of(e), e, NULL, reason);
        return;
    }
    arena_init(&arena, SDP_FRAG_ARENA_MAX);
    e = shape_decode(&sig_restart_ice_answer_shape, data, &answer, &arena, &error);
    if (e == OK)
        e = write_restart(s, answer.ice_parameters, &arena, &w);
    arena_fini(&arena);
    if (e != OK) {
        whip_respond_error(s->whip, req, 503, e, NULL, "the answer cannot be written");
        return;
    }
    rng_token(s->whip->config.rng, tag, sizeof tag);
    snprintf(s->etag, sizeof s->etag, "\"%s\"", tag);
    (void)http_set_header(req, "ETag", s->etag);
    http_respond(req, 200, frag_type, text, wr_len(&w));
}

static void restart(struct whip_session *s, struct http_request *req, const struct sdp_frag *frag)
{
    struct sig_on_transport in = {.transport_id = whip_transport_id(s)};
    if (frag->ufrag[0] == '\0') {
        whip_respond_error(s->whip, req, 400, ERR_MALFORMED, "a=ice-ufrag",
                           "a restart needs new credentials");
    } else if (s->patch) {
        whip_respond_error(s->whip, req, 409, ERR_STATE, NULL, "a restart is under way");
    } else {
        s->patch = req;
        room_client_ask(s->client, SIG_RESTART_ICE, &in, on_restarted, s);
    }
}

/* ---- PATCH ---- */

static bool is_frag(const char *type)
{
    size_t n = sizeof frag_type - 1;
    return type && strncasecmp(type, frag_type, n) == 0 &&
           (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

/* RFC 9725 prints the star in quotes, RFC 9110 has it without. */
static bool is_star(const char *match)
{
    return strcmp(match, "*") == 0 || strcmp(match, "\"*\"") == 0;
}

void whip_on_patch(struct http_request *req, void *user)
{
    struct whip *w = user;
    struct whip_session *s = session_of(w, req);
    struct sdp_frag frag;
    struct arena arena;
    if (!s)
        return; /* answered, and so gone */
    const char *match = http_header(req, "if-match");
    if (!is_frag(http_header(req, "content-type"))) {
        (void)http_set_header(req, "Accept-Patch", frag_type);
        whip_respond_error(w, req, 415, ERR_UNSUPPORTED, NULL,
                           "the body must be application/trickle-ice-sdpfrag");
        return;
    }
    if (!match) {
        whip_respond_error(w, req, 428, ERR_STATE, "If-Match",
                           "If-Match is missing: the session's ETag, or \"*\" to restart ICE");
        return;
    }
    arena_init(&arena, SDP_FRAG_ARENA_MAX);
    enum err e = sdp_frag_read(http_body(req), &arena, &frag);
    if (e != OK)
        whip_respond_error(w, req, whip_status_of(e), e, NULL,
                           "the body is no fragment of trickle ICE (RFC 8840)");
    else if (is_star(match))
        restart(s, req, &frag);
    else if (strcmp(match, s->etag) != 0)
        whip_respond_error(w, req, 412, ERR_STATE, "If-Match",
                           "If-Match is of another ICE session");
    else
        http_respond_empty(req, 204);
    arena_fini(&arena);
}
