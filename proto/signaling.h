/* The signaling vocabulary between clients and the controller (DESIGN 5): methods and events with
 * the shapes of their data. docs/signaling.md is made from these tables. No IO. */
#ifndef WEIR_PROTO_SIGNALING_H
#define WEIR_PROTO_SIGNALING_H

#include "proto/signaling_events.h"
#include "proto/signaling_methods.h"

enum sig_method {
#define X(id, name, request, answer, doc) id,
    SIGNALING_METHODS(X)
#undef X
        SIG_METHOD_COUNT
};

enum sig_event {
#define X(id, name, payload, doc) id,
    SIGNALING_EVENTS(X)
#undef X
        SIG_EVENT_COUNT
};

struct sig_method_row {
    const char *name;
    const struct shape *request; /* NULL: no data */
    const struct shape *answer;  /* NULL: {} */
    const char *doc;
};

struct sig_event_row {
    const char *name;
    const struct shape *payload;
    const char *doc;
};

extern const struct sig_method_row sig_methods[SIG_METHOD_COUNT];
extern const struct sig_event_row sig_events[SIG_EVENT_COUNT];

/* enum sig_method, or -1. */
int sig_method_find(const char *name);

#endif
