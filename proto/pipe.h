/* The vocabulary of the pipe protocol between controller and worker: methods, events and commands,
 * each with the shape of its data. It follows mediasoup's channel; docs/pipe-protocol.md is made
 * from these tables. No IO. */
#ifndef WEIR_PROTO_PIPE_H
#define WEIR_PROTO_PIPE_H

#include "proto/pipe_consumer.h"
#include "proto/pipe_data.h"
#include "proto/pipe_events.h"
#include "proto/pipe_methods.h"
#include "proto/pipe_observer.h"
#include "proto/pipe_produce.h"
#include "proto/pipe_producer.h"
#include "proto/pipe_router.h"
#include "proto/pipe_transport.h"
#include "proto/pipe_transport_event.h"
#include "proto/pipe_worker.h"

/* Told in worker.running; goes up with every change that an older other side would not stand. */
enum { PIPE_PROTOCOL_VERSION = 1 };

/* What a handlerId must name. A transport of any kind takes HANDLER_TRANSPORT messages and those of
 * its own kind; an observer likewise. */
#define PIPE_HANDLER_MAP(X)                                                                        \
    X(HANDLER_WORKER, "worker", "The worker; handlerId is left out or empty.")                     \
    X(HANDLER_WEBRTC_SERVER, "webRtcServer", "A WebRTC server.")                                   \
    X(HANDLER_ROUTER, "router", "A router.")                                                       \
    X(HANDLER_TRANSPORT, "transport", "A transport of any kind.")                                  \
    X(HANDLER_WEBRTC_TRANSPORT, "webRtcTransport", "A WebRTC transport.")                          \
    X(HANDLER_PLAIN_TRANSPORT, "plainTransport", "A plain transport.")                             \
    X(HANDLER_PIPE_TRANSPORT, "pipeTransport", "A pipe transport.")                                \
    X(HANDLER_DIRECT_TRANSPORT, "directTransport", "A direct transport.")                          \
    X(HANDLER_PRODUCER, "producer", "A producer.")                                                 \
    X(HANDLER_CONSUMER, "consumer", "A consumer.")                                                 \
    X(HANDLER_DATA_PRODUCER, "dataProducer", "A data producer.")                                   \
    X(HANDLER_DATA_CONSUMER, "dataConsumer", "A data consumer.")                                   \
    X(HANDLER_RTP_OBSERVER, "rtpObserver", "An RTP observer of either kind.")                      \
    X(HANDLER_ACTIVE_SPEAKER_OBSERVER, "activeSpeakerObserver", "An active speaker observer.")     \
    X(HANDLER_AUDIO_LEVEL_OBSERVER, "audioLevelObserver", "An audio level observer.")
CHOICE_ENUM(pipe_handler, PIPE_HANDLER_MAP);

enum pipe_method {
#define X(id, name, handler, request, response, doc) id,
    PIPE_METHODS(X)
#undef X
        PIPE_METHOD_COUNT
};

enum pipe_event {
#define X(id, name, handler, payload, doc) id,
    PIPE_EVENTS(X)
#undef X
        PIPE_EVENT_COUNT
};

enum pipe_command {
#define X(id, name, handler, payload, doc) id,
    PIPE_COMMANDS(X)
#undef X
        PIPE_COMMAND_COUNT
};

struct pipe_method_row {
    const char *name;
    enum pipe_handler handler;
    const struct shape *request;  /* NULL: no data */
    const struct shape *response; /* NULL: no data */
    const char *doc;
};

struct pipe_event_row {
    const char *name;
    enum pipe_handler handler;
    const struct shape *payload; /* NULL: no data */
    const char *doc;
};

extern const struct pipe_method_row pipe_methods[PIPE_METHOD_COUNT];
extern const struct pipe_event_row pipe_events[PIPE_EVENT_COUNT];
extern const struct pipe_event_row pipe_commands[PIPE_COMMAND_COUNT];

/* enum pipe_method, or -1. name may be NULL. */
int pipe_method_find(const char *name);
/* enum pipe_event, or -1. */
int pipe_event_find(const char *name);
/* enum pipe_command, or -1. */
int pipe_command_find(const char *name);

#endif
