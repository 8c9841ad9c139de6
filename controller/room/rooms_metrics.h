/* What /metrics tells of rooms. Private to room/. */
#ifndef WEIR_CONTROLLER_ROOM_ROOMS_METRICS_H
#define WEIR_CONTROLLER_ROOM_ROOMS_METRICS_H

#include "common/metrics.h"
#include "controller/room/room_state.h"

struct rooms_metrics {
    struct metric *rooms;
    struct metric *spread;       /* rooms with more than one router */
    struct metric *pipes;        /* pipe links between routers */
    struct metric *piped;        /* producers and data producers in them */
    struct metric *peers[3];     /* by enum room_role */
    struct metric *producers[2]; /* by enum media_kind */
    struct metric *consumers;
    struct metric *transports;
    struct metric *connections;
    struct metric *requests;
    struct metric *foreign; /* connections of other sites' pages */
    struct metric *refused; /* requests that were answered with an error */
};

MUST_CHECK enum err rooms_metrics_open(struct rooms *r);
void rooms_metrics_close(struct rooms *r);
/* Counts again what is there now. */
void rooms_metrics_update(struct rooms *r);

#endif
