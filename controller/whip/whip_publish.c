/* WHIP: an encoder becomes the broadcaster of the room that its stream key is for. */
#include <stdio.h>
#include <string.h>

#include "common/fields_clone.h"
#include "controller/sdp/sdp_rtp.h"
#include "controller/whip/whip_state.h"

/* ---- the key ---- */

/* Who comes back before the loss of its connection was seen takes its own place. */
static void end_earlier(struct whip_session *s)
{
    struct whip_session *other;
    struct whip_session *next;
    HASH_ITER(hh, s->whip->sessions, other, next)
    {
        bool same = other != s && other->use == WHIP_PUBLISH && strcmp(other->key, s->key) == 0 &&
                    other->room_id[0] != '\0';
        if (!same)
            continue;
        whip_session_end(other, "another session came with its stream key");
        whip_session_free(other);
    }
}

static void on_found(struct whip_session *s, enum err e, const struct stream_row *row)
{
    if (e == ERR_NOT_FOUND) {
        whip_session_fail(s, 401, ERR_AUTH, NULL, "the stream key is not known");
    } else if (e != OK) {
        whip_session_fail(s, 503, ERR_UNAVAILABLE, NULL, "the stream key cannot be checked now");
    } else if (row->status == STREAM_ENDED && !row->user_id) {
        /* Of those of accounts, the room knows better: what a crash cut off may go on. */
        whip_session_fail(s, 403, ERR_DENIED, NULL, "that stream has ended");
    } else {
        s->was_ended = row->status == STREAM_ENDED;
        end_earlier(s);
        snprintf(s->room_id, sizeof s->room_id, "%s", row->room_id);
        whip_session_join(s, ROLE_BROADCASTER, row->title);
    }
}

void whip_publish_find(struct whip_session *s)
{
    whip_lookup(s, stream_store_get_by_key, s->key, on_found);
}

/* ---- producers ---- */

static void on_produced(void *ctx, enum err e, const char *reason, json_t *data)
{
    struct whip_track *t = ctx;
    struct whip_session *s = t->session;
    (void)data;
    if (e != OK) {
        whip_session_fail(s, whip_status_of(e), e, NULL, reason);
        return;
    }
    t->made = true;
    whip_session_answered(s);
}

/* Negotiation changes what it is given, and the answer is about what was offered. */
static void produce(struct whip_session *s, struct whip_track *t)
{
    struct rtp_parameters copy;
    struct sig_produce in = {.transport_id = whip_transport_id(s),
                             .kind = (int)t->kind,
                             .has_kind = true,
                             .rtp_parameters = &copy};
    if (shape_clone(&rtp_parameters_shape, &t->parameters, &copy, &s->arena) != OK)
        whip_session_fail(s, 503, ERR_NOMEM, NULL, "out of memory");
    else
        room_client_ask(s->client, SIG_PRODUCE, &in, on_produced, t);
}

static bool choose_tracks(struct whip_session *s)
{
    const struct room_peer *peer = room_client_peer(s->client);
    const struct rtp_capabilities *router = peer ? room_rtp_capabilities(peer_room(peer)) : NULL;
    for (size_t i = 0; router && i < s->offer.n_media; i++) {
        const struct sdp_offer_media *m = &s->offer.media[i];
        struct whip_track *t = &s->tracks[s->n_tracks];
        struct field_error error;
        if (!m->usable || !m->sends)
            continue;
        *t = (struct whip_track){.session = s, .media = i, .kind = m->kind};
        enum err e = sdp_producer_parameters(m, router, &s->arena, &t->parameters, &error);
        if (e != OK) {
            whip_session_fail(s, whip_status_of(e), e, error.path, error.reason);
            return false;
        }
        snprintf(t->mid, sizeof t->mid, "%s", m->mid);
        s->n_tracks++;
    }
    if (s->n_tracks > 0)
        return true;
    whip_session_fail(s, 422, ERR_UNSUPPORTED, "m=", "the offer sends no audio and no video");
    return false;
}

void whip_publish_go(struct whip_session *s)
{
    if (!choose_tracks(s))
        return;
    s->waiting = (unsigned)s->n_tracks;
    whip_session_connect(s);
    for (size_t i = 0; i < s->n_tracks && !s->ended; i++)
        produce(s, &s->tracks[i]);
}
