#include "controller/room/room_state.h"

void rooms_observe(struct rooms *r, struct rooms_observer *o)
{
    list_add(&r->observers, &o->node);
}

void rooms_unobserve(struct rooms_observer *o)
{
    list_remove(&o->node);
}

/* Calls one member of every observer that has it. */
#define TELL(rooms, member, ...)                                                                   \
    list_each (node, &(rooms)->observers) {                                                        \
        struct rooms_observer *o = container_of(node, struct rooms_observer, node);                \
        if (o->member)                                                                             \
            o->member(o->ctx, __VA_ARGS__);                                                        \
    }

void observe_router(struct room *room, bool ready)
{
    if (ready)
        TELL(room->rooms, on_router, room)
    else
        TELL(room->rooms, on_router_lost, room)
}

void observe_closed(struct room *room)
{
    TELL(room->rooms, on_closed, room)
}

void observe_peer(struct room_peer *p, bool joined)
{
    if (joined)
        TELL(p->room->rooms, on_peer_joined, p->room, p)
    else
        TELL(p->room->rooms, on_peer_left, p->room, p)
}

void observe_entered(struct room_peer *p)
{
    TELL(p->room->rooms, on_peer_entered, p->room, p)
}

void observe_renamed(struct room_peer *p)
{
    TELL(p->room->rooms, on_peer_renamed, p->room, p)
}

void observe_producer(struct room_producer *p, bool added)
{
    struct room *room = p->transport->peer->room;
    if (added)
        TELL(room->rooms, on_producer_added, room, p)
    else
        TELL(room->rooms, on_producer_removed, room, p)
}

void observe_paused(struct room_producer *p, bool paused)
{
    struct room *room = p->transport->peer->room;
    TELL(room->rooms, on_producer_paused, room, p, paused)
}

void observe_silent(struct room_producer *p, bool silent)
{
    struct room *room = p->transport->peer->room;
    TELL(room->rooms, on_producer_silent, room, p, silent)
}

void observe_picture(struct room_producer *p)
{
    struct room *room = p->transport->peer->room;
    TELL(room->rooms, on_producer_picture, room, p)
}

void observe_hls(struct room *room)
{
    TELL(room->rooms, on_hls, room)
}
