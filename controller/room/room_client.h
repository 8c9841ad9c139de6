/* Clients that do not come by /ws: what WHIP, WHEP and others ask on behalf of their clients, in
 * the words of signaling (proto/signaling.h) and with the same rules. To rooms and to others in
 * them such a client is like any other, but that its media is all that shows whether it is still
 * there. Controller's loop, one thread. */
#ifndef WEIR_CONTROLLER_ROOM_ROOM_CLIENT_H
#define WEIR_CONTROLLER_ROOM_ROOM_CLIENT_H

#include <jansson.h>

#include "common/err.h"
#include "controller/room/rooms.h"
#include "proto/signaling.h"

struct room_client;

struct room_client_config {
    /* data is the event's struct, valid in the call. The client may not be closed in it. */
    void (*on_event)(void *ctx, enum sig_event event, const void *data);
    /* It is not wanted any more, its peer is gone: the owner closes it, now or later. */
    void (*on_end)(void *ctx, const char *reason);
    void *ctx; /* borrowed */
};

/* ERR_UNAVAILABLE: the rooms are closing. */
MUST_CHECK enum err room_client_open(struct rooms *r, const struct room_client_config *config,
                                     struct room_client **out);
/* Leaves its room as a connection that breaks does; nothing is called any more. */
void room_client_close(struct room_client *c, const char *reason);

/* data: the answer's JSON (sig_methods[].answer), valid in the call; NULL unless e is OK. */
typedef void room_answer_fn(void *ctx, enum err e, const char *reason, json_t *data);

/* data: the method's request struct, not needed after the call; what it points at may be changed by
 * the call. done is called exactly once, now or later, unless the client is closed before. */
void room_client_ask(struct room_client *c, enum sig_method method, const void *data,
                     room_answer_fn *done, void *ctx);

/* NULL: it is in no room. */
struct room_peer *room_client_peer(const struct room_client *c);

#endif
