/* What the worker says of itself, and how requests find its objects. No IO. */
#ifndef WEIR_WORKER_MEDIA_WORKER_DUMP_H
#define WEIR_WORKER_MEDIA_WORKER_DUMP_H

#include "proto/pipe_worker.h"
#include "worker/media/worker.h"

struct webrtc_server;
struct router;
struct transport;
struct producer;
struct consumer;
struct data_producer;
struct data_consumer;
struct rtp_observer;

/* Strings are borrowed from the tree; pid is the caller's. */
MUST_CHECK enum err worker_dump(const struct worker *w, struct arena *arena,
                                struct worker_dump_response *out);

/* NULL: no such object. */
struct webrtc_server *worker_find_webrtc_server(const struct worker *w, const char *id);
struct router *worker_find_router(const struct worker *w, const char *id);
struct transport *worker_find_transport(const struct worker *w, const char *id);
struct producer *worker_find_producer(const struct worker *w, const char *id);
struct consumer *worker_find_consumer(const struct worker *w, const char *id);
struct data_producer *worker_find_data_producer(const struct worker *w, const char *id);
struct data_consumer *worker_find_data_consumer(const struct worker *w, const char *id);
struct rtp_observer *worker_find_rtp_observer(const struct worker *w, const char *id);

#endif
