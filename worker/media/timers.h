/* Timers of the worker's objects: a binary heap of intrusive nodes, ordered by time. No IO, no
 * clock. Setting a timer never allocates and never fails: room is made when a timer is added. */
#ifndef WEIR_WORKER_MEDIA_TIMERS_H
#define WEIR_WORKER_MEDIA_TIMERS_H

#include <stddef.h>

#include "common/err.h"
#include "common/time.h"

struct timer {
    struct timers *heap; /* parent, outlives us; NULL: never added */
    usec at;             /* when set */
    size_t index;        /* in the heap, or TIMER_UNSET */
    void (*fire)(struct timer *timer, usec now);
};

#define TIMER_UNSET ((size_t)-1)

/* The time stands here too: timers lie scattered over the memory of their owners, and ordering them
 * must not fetch it. */
struct timer_slot {
    usec at;
    struct timer *timer; /* borrowed */
};

struct timers {
    struct timer_slot *heap; /* owned array */
    size_t set;              /* timers in the heap */
    size_t added;            /* timers that exist */
    size_t capacity;
};

void timers_init(struct timers *heap);
/* All timers must be gone. */
void timers_fini(struct timers *heap);

/* Earliest time, USEC_NEVER when none is set. */
usec timers_deadline(const struct timers *heap);
/* Fires everything that is due, earliest first. A timer is unset before it fires; it may set itself
 * again and may free its owner. Timers set to a time that has come while firing wait for the next
 * call, so this always ends. */
void timers_run(struct timers *heap, usec now);

/* Makes room. The timer starts unset. */
MUST_CHECK enum err timer_add(struct timers *heap, struct timer *timer,
                              void (*fire)(struct timer *timer, usec now));
/* Unsets it and gives its room back; fine for a zeroed timer that was never added. */
void timer_drop(struct timer *timer);
/* Sets or moves it; USEC_NEVER unsets. */
void timer_set(struct timer *timer, usec at);
/* Moves it only forward in time towards now: to the earlier of what is set and `at`. */
void timer_set_earlier(struct timer *timer, usec at);

static inline usec timer_at(const struct timer *timer)
{
    return timer->index == TIMER_UNSET ? USEC_NEVER : timer->at;
}

#endif
