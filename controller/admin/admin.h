/* What operators look at: GET /healthz and GET /metrics. */
#ifndef WEIR_CONTROLLER_ADMIN_ADMIN_H
#define WEIR_CONTROLLER_ADMIN_ADMIN_H

#include <stdbool.h>

#include "common/err.h"
#include "common/metrics.h"
#include "controller/data/db.h"
#include "controller/fleet/fleet.h"
#include "controller/api/api.h"

struct admin {
    struct metrics *metrics; /* borrowed */
    struct fleet *fleet;     /* borrowed; NULL until it is open */
    struct db *db;           /* borrowed; NULL until it is open */
    bool metrics_public;     /* else only to loopback addresses */
    bool ready;              /* everything was started */
    bool draining;
};

/* a must outlive the API. */
MUST_CHECK enum err admin_add_routes(struct admin *a, struct api *api);

#endif
