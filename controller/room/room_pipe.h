/* Producers of one router of a room in its other routers, by mediasoup's pattern of pipeToRouter: a
 * pair of pipe transports between two routers, made for the first producer that is needed on the
 * other side and closed with the last; over it a pipe consumer here and a producer of the same id
 * there, for as long as somebody there uses it. Private to room/.
 *
 * Nothing waits for an answer: the ids are ours and a worker takes requests in order, so what is
 * asked of a copy behind its making finds it. When a worker refuses after all, the pipe cannot be
 * trusted and one of its routers is given up (room_router_lost). */
#ifndef WEIR_CONTROLLER_ROOM_ROOM_PIPE_H
#define WEIR_CONTROLLER_ROOM_ROOM_PIPE_H

#include "controller/room/room_state.h"

struct pipe_link_end {
    struct pipe_link *link;     /* that it is part of */
    struct room_router *router; /* ref; it closes its links before it goes */
    char transport_id[UUID_LEN];
    uint16_t port; /* of UDP on loopback; 0: not told yet */
};

struct pipe_link {
    struct list node;  /* in room->links */
    struct room *room; /* parent, outlives us */
    struct pipe_link_end ends[2];
    struct list piped;
    uint32_t next_ssrc;
    uint16_t next_stream; /* that is tried first; one space for both directions, since closing a
                             stream resets both of its directions (RFC 6525) */
};

/* One producer or data producer in another router. */
struct piped {
    struct list of_link;     /* in link->piped */
    struct list of_producer; /* in the producer's pipes */
    struct pipe_link *link;  /* parent, outlives us */
    unsigned to;             /* index of the end that has the copy */
    bool data;
    char producer_id[UUID_LEN]; /* at both ends */
    char consumer_id[UUID_LEN]; /* at the end that sends */
    uint16_t stream;            /* of data */
    struct list users;          /* of struct pipe_user */
};

/* ---- pipe_link.c ---- */

/* Between two routers of a room, made if it is not there. ERR_NOMEM, or as fleet_request. */
MUST_CHECK enum err pipe_link_get(struct room_router *a, struct room_router *b,
                                  struct pipe_link **out);
void pipe_link_close(struct pipe_link *l);
/* Closes it if nothing is piped. */
void pipe_link_release(struct pipe_link *l);
/* A worker refused something of it: a router is given up, and l with it. */
void pipe_link_failed(struct pipe_link *l, const char *reason);
/* All that end in a router. */
void pipe_links_close_of(struct room_router *r);
/* A stream for data; ERR_FULL: none is free. */
MUST_CHECK enum err pipe_link_take_stream(struct pipe_link *l, uint16_t *out);

/* ---- piped.c ---- */

/* p is in its own router and is to be in another: from now on it is, until pipe_release or until p
 * closes, whatever is first. */
MUST_CHECK enum err pipe_producer(struct room_producer *p, struct room_router *to,
                                  struct pipe_user *user);
MUST_CHECK enum err pipe_data_producer(struct room_data_producer *p, struct room_router *to,
                                       struct pipe_user *user);
/* Also for one that uses nothing. */
void pipe_release(struct pipe_user *user);
/* The producer closes or its router is gone: so do its copies. pipes: as of the producer. */
void pipes_close(struct list *pipes);
void pipes_set_paused(const struct list *pipes, bool paused);
/* Without what goes with the link. */
void piped_forget(struct piped *x);

#endif
