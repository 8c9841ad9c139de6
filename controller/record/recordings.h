/* Recordings of live streams, and clips of them: started and stopped by whoever owns the stream, or
 * with it (not of MPEG-TS, whose segments are no fragments of MP4); written while the stream runs,
 * then finished, listed, served, deleted. What a crash interrupted is finished at the next start.
 * Observes streams and their presentations; single thread, the controller's loop. */
#ifndef WEIR_CONTROLLER_RECORD_RECORDINGS_H
#define WEIR_CONTROLLER_RECORD_RECORDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "common/time.h"
#include "controller/data/db.h"
#include "controller/live/live.h"
#include "controller/api/api.h"
#include "controller/storage/storage.h"
#include "controller/stream/streams.h"

struct uv_loop_s;
struct recordings;

/* Strings are borrowed and outlive it. */
struct recordings_config {
    struct uv_loop_s *loop;
    struct streams *streams;
    struct live *live;
    struct db *db;
    struct api *api;         /* gets /api/recordings..., /recordings/... */
    struct metrics *metrics; /* NULL: none */
    struct rng *rng;
    const char *dir;               /* a folder a recording */
    const char *ffmpeg;            /* the program */
    bool automatic;                /* every stream is recorded from its beginning */
    usec max_age;                  /* recordings older than that are deleted; 0: never */
    uint64_t max_bytes;            /* the oldest are deleted beyond it; 0: no limit */
    struct storage_config storage; /* without loop and metrics */
    /* One is finished; NULL: nobody wants to know. */
    void (*ready)(void *ctx, const char *id, const char *room_id, const char *stream_id);
    void *ctx; /* borrowed */
};

MUST_CHECK enum err recordings_open(const struct recordings_config *config,
                                    struct recordings **out);
/* To be closed before live and streams. What is being recorded is closed properly, and finished at
 * the next start; closed is called once, later. */
void recordings_close(struct recordings *r, void (*closed)(void *ctx), void *ctx);

#endif
