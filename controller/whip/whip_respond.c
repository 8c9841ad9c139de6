#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "controller/whip/whip_state.h"

enum { ANSWER_MAX = 64 * 1024, LINK_MAX = 768, LINKS_BYTES_MAX = 3000 };

/* ---- errors: the API's one form ---- */

/* What is well formed and cannot be done is 422, as RFC 9725 4.2 has it for offers. */
int whip_status_of(enum err e)
{
    if (e == ERR_UNSUPPORTED)
        return 422;
    return e == ERR_CLOSED || e == ERR_NOMEM ? 503 : http_status_of(e);
}

void whip_respond_error(struct whip *w, struct http_request *req, int status, enum err e,
                        const char *field, const char *reason)
{
    char seconds[16];
    snprintf(seconds, sizeof seconds, "%d", WHIP_RETRY_S);
    if (status == 503 || status == 429 || status == 409)
        (void)http_set_header(req, "Retry-After", seconds);
    if (status == 401) /* RFC 6750 3 */
        (void)http_set_header(req, "WWW-Authenticate", "Bearer realm=\"weir\"");
    if (status == 415)
        (void)http_set_header(req, "Accept-Post", "application/sdp");
    metric_add(w->refused, 1);
    http_respond_error(req, status, err_name(e), field && field[0] ? field : NULL, reason);
}

/* ---- ICE servers, RFC 9725 4.6 ---- */

/* What would end a quoted string is not in credentials that this service makes. */
static bool is_quotable(const char *s)
{
    return !s || (!strpbrk(s, "\"\\") && strlen(s) < LINK_MAX / 4);
}

static size_t put_link(struct http_request *req, const char *url, const char *username,
                       const char *credential)
{
    char text[LINK_MAX];
    bool turn = username && credential && username[0] && credential[0];
    if (!is_quotable(username) || !is_quotable(credential) || strpbrk(url, "<> \""))
        return 0;
    int n = turn ? snprintf(text, sizeof text,
                            "<%s>; rel=\"ice-server\"; username=\"%s\"; credential=\"%s\"; "
                            "credential-type=\"password\"",
                            url, username, credential)
                 : snprintf(text, sizeof text, "<%s>; rel=\"ice-server\"", url);
    if (n <= 0 || n >= (int)sizeof text)
        return 0;
    (void)http_set_header(req, "Link", text);
    return (size_t)n;
}

static void put_links(struct http_request *req, const json_t *servers)
{
    size_t used = 0;
    size_t i;
    size_t k;
    json_t *server;
    json_t *url;
    json_array_foreach(servers, i, server)
    {
        json_t *urls = json_object_get(server, "urls");
        const char *username = json_string_value(json_object_get(server, "username"));
        const char *credential = json_string_value(json_object_get(server, "credential"));
        if (json_is_string(urls))
            used += put_link(req, json_string_value(urls), username, credential);
        json_array_foreach(urls, k, url)
        {
            if (json_is_string(url) && used < LINKS_BYTES_MAX)
                used += put_link(req, json_string_value(url), username, credential);
        }
    }
}

/* ---- 201 ---- */

static enum err write_answer(struct whip_session *s, struct wr *w)
{
    struct sig_transport_answer transport;
    struct field_error error;
    struct sdp_answer_media media[SDP_MEDIA_MAX] = {0};
    enum err e =
        shape_decode(&sig_transport_answer_shape, s->transport, &transport, &s->arena, &error);
    if (e != OK)
        return e;
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct whip_track *t = &s->tracks[i];
        if (t->made)
            media[t->media] = (struct sdp_answer_media){
                .parameters = &t->parameters,
                .direction = s->use == WHIP_PUBLISH ? SDP_RECVONLY : SDP_SENDONLY};
    }
    struct sdp_answer answer = {.session_id = rng_u64(s->whip->config.rng) >> 1,
                                .ice = transport.ice_parameters,
                                .candidates = transport.ice_candidates,
                                .n_candidates = transport.n_ice_candidates,
                                .dtls = transport.dtls_parameters,
                                .media = media,
                                .stream = s->room_id};
    return sdp_answer_write(&s->offer, &answer, &s->arena, w);
}

void whip_respond_created(struct whip_session *s)
{
    char location[64];
    char *text = arena_alloc(&s->arena, ANSWER_MAX);
    struct wr w = wr_of(text, text ? ANSWER_MAX : 0);
    enum err e = text ? write_answer(s, &w) : ERR_NOMEM;
    if (e != OK) {
        whip_session_fail(s, 503, e, NULL, "the answer cannot be written");
        return;
    }
    struct http_request *req = s->post;
    s->post = NULL;
    s->live = true;
    snprintf(location, sizeof location, "/%s/session/%s", s->use == WHIP_PUBLISH ? "whip" : "whep",
             s->id);
    (void)http_set_header(req, "Location", location);
    (void)http_set_header(req, "ETag", s->etag);
    (void)http_set_header(req, "Accept-Patch", "application/trickle-ice-sdpfrag");
    put_links(req, s->ice_servers);
    metric_add(s->whip->count[s->use], 1);
    metric_add(s->whip->started[s->use], 1);
    log_info("whip.started", "use=%s room=%s", s->use == WHIP_PLAY ? "play" : "publish",
             s->room_id);
    http_respond(req, 201, "application/sdp", text, wr_len(&w));
}
