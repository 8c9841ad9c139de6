/* Events from inside. Private to events/. */
#ifndef WEIR_CONTROLLER_EVENTS_EVENTS_STATE_H
#define WEIR_CONTROLLER_EVENTS_EVENTS_STATE_H

#include <uv.h>

#include "controller/events/event_ring.h"
#include "controller/events/events.h"
#include "controller/events/webhook.h"

enum { WEBHOOKS_MAX = 8 };

/* One answer to /api/events that goes on. */
struct listener {
    struct list node;             /* in events->listeners */
    struct events *events;        /* parent, outlives us */
    struct http_request *req;     /* owed an end */
    char room_id[EVENT_ROOM_LEN]; /* "": of all rooms */
};

struct events {
    struct events_config config;
    struct event_ring ring;
    struct list listeners;
    unsigned n_listeners;
    uv_timer_t tick;
    struct streams_observer observer;
    struct webhook *webhooks[WEBHOOKS_MAX]; /* owned */
    size_t n_webhooks;
    bool closing;
    bool tick_closed;
    void (*closed)(void *ctx);
    void *closed_ctx;
    struct metric *listening;
    struct metric *delivered;
    struct metric *failed;
    struct metric *dropped;
};

/* events_listen.c */
MUST_CHECK enum err events_add_routes(struct events *e);
void events_tell(struct events *e, const struct event *event);
/* A comment, so that proxies keep the connection. */
void events_ping(struct events *e);
void events_end_all(struct events *e);

#endif
