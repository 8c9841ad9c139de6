/* Tells who speaks: the one dominant speaker among its producers, when that changes. No IO. */
#ifndef WEIR_WORKER_MEDIA_ACTIVE_SPEAKER_OBSERVER_H
#define WEIR_WORKER_MEDIA_ACTIVE_SPEAKER_OBSERVER_H

#include "common/fields.h"
#include "common/time.h"
#include "proto/pipe_router.h"

struct router;

MUST_CHECK enum err
active_speaker_observer_open(struct router *r, usec now,
                             const struct router_create_active_speaker_observer_request *in,
                             struct field_error *f);

#endif
