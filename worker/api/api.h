/* The worker's end of the pipe protocol (DESIGN 3): one frame in, one call, one frame out; and
 * events to frames. Sans-IO: frames go into the owner's queue. */
#ifndef WEIR_WORKER_API_API_H
#define WEIR_WORKER_API_API_H

#include <stdbool.h>

#include "common/bytes.h"
#include "common/err.h"
#include "common/frame.h"
#include "common/time.h"
#include "proto/pipe_worker.h"
#include "worker/media/worker.h"

struct api {
    struct worker *worker;   /* borrowed; set once it is open, before the first frame */
    struct frame_queue *out; /* borrowed; its limit bounds what waits for the controller */
    /* Adds the counters of io to worker.getMetrics; may be NULL. */
    void (*fill_metrics)(void *ctx, struct worker_get_metrics_response *out);
    void *ctx;           /* borrowed */
    const char *version; /* for worker.running; may be NULL */
    bool closing;        /* worker.close came */
    enum err failed;     /* the queue is full or out of memory: the pipe is lost. Sticky */
};

/* A frame from the controller. A request is always answered, with an error naming what is wrong if
 * need be; what is not JSON is answered with id null. */
void api_frame(struct api *api, usec now, struct slice frame);

/* As worker_config.notify, with ctx a struct api. */
void api_notify(void *ctx, const char *handler_id, int event, const void *data);

/* The first message: worker.running. */
void api_running(struct api *api);

#endif
