/* Tells who is loud: of each interval the producers whose average volume reaches a threshold, the
 * loudest first. By the audio level of packets (RFC 6464), not by decoding. No IO. */
#ifndef WEIR_WORKER_MEDIA_AUDIO_LEVEL_OBSERVER_H
#define WEIR_WORKER_MEDIA_AUDIO_LEVEL_OBSERVER_H

#include "common/fields.h"
#include "common/time.h"
#include "proto/pipe_router.h"

struct router;

MUST_CHECK enum err
audio_level_observer_open(struct router *r, usec now,
                          const struct router_create_audio_level_observer_request *in,
                          struct field_error *f);

#endif
