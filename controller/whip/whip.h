/* WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): broadcasting and watching by one SDP offer over
 * HTTP, for encoders and players that speak no signaling. A session is a client in process
 * (room/room_client.h): in its room it is a broadcaster or a viewer as any other. Does no IO of its
 * own; controller's loop, one thread. */
#ifndef WEIR_CONTROLLER_WHIP_WHIP_H
#define WEIR_CONTROLLER_WHIP_WHIP_H

#include "common/err.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "controller/api/api.h"
#include "controller/data/db.h"
#include "controller/room/rooms.h"
#include "controller/stream/streams.h"

struct whip;

struct whip_config {
    struct uv_loop_s *loop;
    struct rooms *rooms;
    struct streams *streams;
    struct db *db;
    struct api *api;         /* gets /whip/... and /whep/... */
    struct metrics *metrics; /* NULL: none */
    struct rng *rng;
    unsigned sessions_max;
    unsigned sessions_per_address_max;
};

MUST_CHECK enum err whip_open(const struct whip_config *config, struct whip **out);
/* Ends all sessions as a lost connection does; closed is called later, once. */
void whip_close(struct whip *w, void (*closed)(void *ctx), void *ctx);

#endif
