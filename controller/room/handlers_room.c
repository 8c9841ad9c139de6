#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "controller/room/session.h"

enum {
    MADE_ID_LEN = 11
}; /* ten letters and digits: 51 bits, enough not to be guessed or met twice */

static enum err find_or_make(struct sig_call *call, const char *id, struct room **out)
{
    struct rooms *r = call->session->rooms;
    char made[MADE_ID_LEN];
    if (!id) {
        rng_token(r->config.rng, made, sizeof made);
        id = made;
    }
    if (!id_is_valid(id, ROOM_ID_MAX)) {
        sig_fail(call, ERR_RANGE, "roomId may only have letters, digits, - and _");
        return ERR_RANGE;
    }
    enum err e = room_get(r, id, out);
    if (e == ERR_FULL)
        sig_fail(call, e, "there are as many rooms as the service allows");
    else if (e != OK)
        sig_fail(call, e, "no room can be made now");
    return e;
}

void on_create_room(struct sig_call *call)
{
    const struct sig_create_room *in = call->data;
    struct room *room;
    bool there = in->room_id && rooms_find(call->session->rooms, in->room_id);
    if (find_or_make(call, in->room_id, &room) != OK)
        return;
    /* One that is there is not somebody else's to change. */
    if (in->hls && !there)
        room_change_hls(room, in->hls);
    struct sig_create_room_answer out = {.room_id = room->id};
    sig_answer_struct(call, &sig_create_room_answer_shape, &out);
}

static size_t list_peers(const struct room_peer *self, struct sig_peer_info *out)
{
    size_t n = 0;
    list_each (node, &self->room->peers) {
        const struct room_peer *p = container_of(node, struct room_peer, node);
        if (p != self && p->role != ROLE_VIEWER)
            out[n++] = (struct sig_peer_info){
                .peer_id = p->id, .display_name = p->display_name, .role = (int)p->role};
    }
    return n;
}

static size_t list_producers(const struct room *room, struct sig_producer_info *out)
{
    size_t n = 0;
    for (const struct room_producer *p = room->producers; p; p = p->hh.next)
        producer_describe(p, &out[n++]);
    return n;
}

static size_t list_data_producers(const struct room *room, struct sig_data_producer_info *out)
{
    size_t n = 0;
    for (const struct room_data_producer *p = room->data_producers; p; p = p->hh.next)
        data_producer_describe(p, &out[n++]);
    return n;
}

static void answer_join(struct sig_call *call, struct room_peer *p)
{
    struct room *room = p->room;
    struct rooms *r = room->rooms;
    struct sig_join_room_answer out = {
        .room_id = room->id,
        .peer_id = p->id,
        .resume_token = p->resume_token,
        .rtp_capabilities = &r->capabilities,
        .peers = calloc(room->n_peers + 1, sizeof *out.peers),
        .producers = calloc(HASH_COUNT(room->producers) + 1, sizeof *out.producers),
        .data_producers = calloc(HASH_COUNT(room->data_producers) + 1, sizeof *out.data_producers),
        .ice_servers = ice_servers(&r->config.ice_servers, p->id, clock_wall() / USEC_PER_SEC),
        .hls_url = room->hls_url[0] ? room->hls_url : NULL};
    if (out.peers && out.producers && out.data_producers && out.ice_servers) {
        out.n_peers = list_peers(p, out.peers);
        out.n_producers = list_producers(room, out.producers);
        out.n_data_producers = list_data_producers(room, out.data_producers);
        sig_answer_struct(call, &sig_join_room_answer_shape, &out);
    } else {
        sig_fail(call, ERR_NOMEM, "out of memory");
    }
    free(out.peers);
    free(out.producers);
    free(out.data_producers);
    json_decref(out.ice_servers);
}

void join_enter(struct sig_call *call, const struct sig_join_room *in, const struct api_user *user)
{
    struct session *s = call->session;
    struct room *room;
    if (in->peer_id && !id_is_valid(in->peer_id, PEER_ID_MAX)) {
        sig_fail(call, ERR_RANGE, "peerId may only have letters, digits, - and _");
        return;
    }
    if (find_or_make(call, in->room_id, &room) != OK)
        return;
    struct peer_join join = {.peer_id = in->peer_id,
                             .display_name = in->display_name,
                             .title = in->title,
                             .resume_token = in->resume_token,
                             .role = in->has_role ? (enum room_role)in->role : ROLE_PARTICIPANT,
                             .user = user,
                             .session = s};
    struct room_peer *p;
    enum err e = peer_open(room, &join, &p);
    if (e == ERR_EXISTS) {
        sig_fail(call, e, "peerId is in use, and resumeToken is not its");
    } else if (e != OK) {
        sig_fail(call, e,
                 e == ERR_FULL   ? "the room is full"
                 : e == ERR_BUSY ? "role: the room has a broadcaster already"
                                 : "");
    } else {
        s->peer = p;
        answer_join(call, p);
        observe_entered(p);
    }
}

void on_set_room_hls(struct sig_call *call)
{
    struct room_peer *p = call->session->peer;
    struct sig_room_hls out;
    if (p->role == ROLE_VIEWER) {
        sig_fail(call, ERR_DENIED, "viewers do not change the room");
        return;
    }
    room_change_hls(p->room, call->data);
    room_describe_hls(p->room, &out);
    sig_answer_struct(call, &sig_room_hls_shape, &out);
}

void on_leave_room(struct sig_call *call)
{
    call->session->peer->left = true;
    peer_close(call->session->peer, "left");
    sig_answer(call, NULL);
}

void on_change_display_name(struct sig_call *call)
{
    const struct sig_change_display_name *in = call->data;
    struct room_peer *p = call->session->peer;
    snprintf(p->display_name, sizeof p->display_name, "%s", in->display_name);
    if (p->role != ROLE_VIEWER) {
        struct sig_peer_info info = {
            .peer_id = p->id, .display_name = p->display_name, .role = (int)p->role};
        room_notify_others(p->room, p, SIG_EVENT_PEER_JOINED, &info);
    }
    sig_answer(call, NULL);
    observe_renamed(p);
}
