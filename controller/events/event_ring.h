/* The newest events, for listeners that come back and say which one they had last. Ids count up and
 * begin with an epoch, so that ids of an earlier life of the service are told apart. Pure. Private
 * to events/. */
#ifndef WEIR_CONTROLLER_EVENTS_EVENT_RING_H
#define WEIR_CONTROLLER_EVENTS_EVENT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { EVENT_RING_MAX = 512, EVENT_EPOCH_LEN = 9, EVENT_ID_MAX = 32, EVENT_ROOM_LEN = 65 };

struct event {
    uint64_t number;
    char room_id[EVENT_ROOM_LEN];
    const char *name; /* static */
    char *data;       /* owned; JSON in one line */
};

struct event_ring {
    char epoch[EVENT_EPOCH_LEN];
    struct event events[EVENT_RING_MAX]; /* by number modulo the size */
    uint64_t next;                       /* number of the next one; the first is 1 */
};

/* epoch: letters and digits, fewer than EVENT_EPOCH_LEN. */
void event_ring_init(struct event_ring *r, const char *epoch);
void event_ring_fini(struct event_ring *r);

/* Copies data; name is borrowed for good. NULL: out of memory. Valid until the next call. */
const struct event *event_ring_add(struct event_ring *r, const char *name, const char *room_id,
                                   const char *data);
/* "k3v9x2ab-17". */
void event_ring_id(const struct event_ring *r, uint64_t number, char out[EVENT_ID_MAX]);
/* The number of the first event after the one with this id. False: it is not an id of this ring, or
 * what came after it is partly gone; then *after is the oldest that is there. */
bool event_ring_after(const struct event_ring *r, const char *id, uint64_t *after);
/* NULL: gone, or not there yet. */
const struct event *event_ring_get(const struct event_ring *r, uint64_t number);

#endif
