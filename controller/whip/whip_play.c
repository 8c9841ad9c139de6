/* WHEP: a player gets the sound and the picture of the broadcaster in a room. Its answer is fixed;
 * a broadcaster that goes on with other producers is followed within it. */
#include <stdio.h>
#include <string.h>

#include "common/fields_clone.h"
#include "controller/sdp/sdp_rtp.h"
#include "controller/whip/whip_state.h"

static const struct stream *on_air(struct whip_session *s)
{
    struct stream *stream = streams_of_room(s->whip->config.streams, s->room_id);
    bool sends = stream && (stream_producer(stream, MEDIA_KIND_VIDEO) ||
                            stream_producer(stream, MEDIA_KIND_AUDIO));
    return sends ? stream : NULL;
}

static void not_now(struct whip_session *s)
{
    whip_session_fail(s, 409, ERR_STATE, "streamId", "that stream is not on the air now");
}

/* ---- which stream ---- */

static void on_found(struct whip_session *s, enum err e, const struct stream_row *row)
{
    if (e == ERR_NOT_FOUND || (e == OK && row->status == STREAM_ENDED)) {
        whip_session_fail(s, 404, ERR_NOT_FOUND, "streamId",
                          e == OK ? "that stream has ended" : "there is no such stream");
    } else if (e != OK) {
        whip_session_fail(s, 503, ERR_UNAVAILABLE, NULL, "the stream cannot be found now");
    } else {
        snprintf(s->room_id, sizeof s->room_id, "%s", row->room_id);
        if (on_air(s))
            whip_session_join(s, ROLE_VIEWER, NULL);
        else
            not_now(s);
    }
}

void whip_play_find(struct whip_session *s)
{
    if (on_air(s))
        whip_session_join(s, ROLE_VIEWER, NULL);
    else if (rooms_find(s->whip->config.rooms, s->room_id))
        not_now(s);
    else
        whip_lookup(s, stream_store_get, s->room_id, on_found);
}

/* ---- consumers ---- */

/* The parameters' strings are the JSON's: copied. */
static enum err keep_parameters(struct whip_track *t, json_t *data)
{
    struct sig_consume_answer answer;
    struct field_error error;
    struct arena scratch;
    arena_init(&scratch, WHIP_ARENA_MAX);
    enum err e = shape_decode(&sig_consume_answer_shape, data, &answer, &scratch, &error);
    if (e == OK && answer.rtp_parameters->n_codecs == 0)
        e = ERR_UNSUPPORTED;
    if (e == OK)
        e = shape_clone(&rtp_parameters_shape, answer.rtp_parameters, &t->parameters,
                        &t->session->arena);
    if (e == OK)
        snprintf(t->producer_id, sizeof t->producer_id, "%s", answer.producer_id);
    arena_fini(&scratch);
    return e;
}

/* A section whose codec the player does not have is rejected; the other one may do. */
static void on_consumed(void *ctx, enum err e, const char *reason, json_t *data)
{
    struct whip_track *t = ctx;
    struct whip_session *s = t->session;
    if (e == OK)
        e = keep_parameters(t, data);
    if (e == OK) {
        t->made = true;
        t->payload_type = t->parameters.codecs[0].payload_type;
    } else if (e != ERR_UNSUPPORTED) {
        whip_session_fail(s, whip_status_of(e), e, NULL, reason);
        return;
    }
    whip_session_answered(s);
}

/* Only of a session that is answered already. */
static void on_followed(void *ctx, enum err e, const char *reason, json_t *data)
{
    struct whip_track *t = ctx;
    struct whip_session *s = t->session;
    (void)reason;
    if (e == OK)
        e = keep_parameters(t, data);
    /* The answer cannot be changed: the player comes again, and negotiates anew. */
    if (e == OK && t->parameters.codecs[0].payload_type != t->payload_type)
        e = ERR_UNSUPPORTED;
    if (e == ERR_UNSUPPORTED)
        whip_session_end(s, "the broadcaster changed its codec");
    else if (e != OK)
        t->producer_id[0] = '\0';
    arena_fini(&s->arena);
    arena_init(&s->arena, WHIP_ARENA_MAX);
}

static enum err consume(struct whip_track *t, const struct sdp_offer *offer,
                        const struct room_producer *p, room_answer_fn *done)
{
    struct whip_session *s = t->session;
    struct rtp_capabilities caps;
    enum err e = sdp_consumer_capabilities(&offer->media[t->media], &s->arena, &caps);
    if (e != OK)
        return e;
    snprintf(t->producer_id, sizeof t->producer_id, "%s", producer_id(p));
    struct sig_consume in = {.producer_id = t->producer_id,
                             .rtp_capabilities = &caps,
                             .transport_id = whip_transport_id(s),
                             .has_paused = true,
                             .mid = t->mid[0] ? t->mid : NULL,
                             .own_numbers = true,
                             .has_own_numbers = true};
    room_client_ask(s->client, SIG_CONSUME, &in, done, t);
    return OK;
}

/* The first section of each kind. */
static void choose_tracks(struct whip_session *s)
{
    bool taken[2] = {false, false};
    for (size_t i = 0; i < s->offer.n_media; i++) {
        const struct sdp_offer_media *m = &s->offer.media[i];
        if (!m->usable || !m->receives || taken[m->kind])
            continue;
        taken[m->kind] = true;
        struct whip_track *t = &s->tracks[s->n_tracks++];
        *t = (struct whip_track){.session = s, .media = i, .kind = m->kind};
        snprintf(t->mid, sizeof t->mid, "%s", m->mid);
    }
}

void whip_play_go(struct whip_session *s)
{
    const struct stream *stream = on_air(s);
    choose_tracks(s);
    struct room_producer *p[SDP_MEDIA_MAX] = {NULL};
    for (size_t i = 0; stream && i < s->n_tracks; i++) {
        p[i] = stream_producer(stream, s->tracks[i].kind);
        s->waiting += p[i] != NULL;
    }
    if (!stream) {
        not_now(s);
        return;
    }
    if (s->waiting == 0) {
        whip_session_fail(s, 422, ERR_UNSUPPORTED,
                          "m=", "the offer receives nothing that the stream has");
        return;
    }
    whip_session_connect(s);
    for (size_t i = 0; i < s->n_tracks && !s->ended; i++) {
        enum err e = p[i] ? consume(&s->tracks[i], &s->offer, p[i], on_consumed) : OK;
        if (e != OK)
            whip_session_fail(s, 503, e, NULL, "out of memory");
    }
}

void whip_play_follow(struct whip_session *s)
{
    struct sdp_offer offer;
    struct field_error error;
    const struct stream *stream = on_air(s);
    bool read = false;
    for (size_t i = 0; stream && i < s->n_tracks && !s->ended; i++) {
        struct whip_track *t = &s->tracks[i];
        const struct room_producer *p = t->made ? stream_producer(stream, t->kind) : NULL;
        if (!p || strcmp(producer_id(p), t->producer_id) == 0)
            continue;
        if (!read &&
            sdp_offer_read(slice_of(s->offer_text, s->offer_n), &s->arena, &offer, &error) != OK)
            return;
        read = true;
        if (consume(t, &offer, p, on_followed) != OK)
            t->producer_id[0] = '\0';
    }
}
