#include "controller/room/room_state.h"

#include "controller/rtc/ortc.h"

enum err room_own_peer_open(struct rooms *r, const char *id, const char *peer,
                            const char *display_name, enum room_role role, const char *title,
                            struct room_peer **out)
{
    if (!id_is_valid(id, ROOM_ID_MAX) || !id_is_valid(peer, PEER_ID_MAX))
        return ERR_RANGE;
    struct room *room;
    enum err e = room_get(r, id, &room);
    if (e != OK)
        return e;
    struct peer_join join = {
        .peer_id = peer, .display_name = display_name, .title = title, .role = role};
    return peer_open(room, &join, out);
}

void room_own_peer_close(struct room_peer *p)
{
    peer_close(p, "closed by the service");
}

enum err room_own_produce(struct room_peer *p, const char *transport_id, enum media_kind kind,
                          struct rtp_parameters *parameters, room_produce_fn *done, void *ctx,
                          struct field_error *error)
{
    struct room_transport *t = transport_find(p, transport_id);
    if (!t && peer_enter_router(p) != OK) {
        *error = (struct field_error){.err = ERR_UNAVAILABLE,
                                      .reason = "the media worker is away, try again"};
        return ERR_UNAVAILABLE;
    }
    if (!t)
        t = transport_new(p, USE_OWN, transport_id);
    if (!t) {
        if (p->n_transports == 0)
            peer_leave_router(p);
        *error = (struct field_error){.err = ERR_NOMEM, .reason = "out of memory"};
        return ERR_NOMEM;
    }
    struct room_producer *producer = NULL;
    enum err e =
        producer_open(t, (struct op_request){0}, kind, parameters, false, NULL, &producer, error);
    if (e == OK) {
        producer->own_done = done;
        producer->own_ctx = ctx;
    }
    return e;
}
