/* Many rooms at once in one worker: WebRTC senders of video at 30 frames a second and their
 * viewers, of whom a few are read by this process and the others are not. What a worker carries
 * whose load is to be set. Does IO; aborts where it cannot. */
#ifndef WEIR_TEST_BENCH_ROOMS_H
#define WEIR_TEST_BENCH_ROOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/bench/probe.h"
#include "test/bench/sender.h"
#include "test/bench/viewers.h"

enum { ROOMS_SAMPLED = 10 /* viewers that are read, about */ };

struct rooms_plan {
    const char *label;
    size_t senders; /* of a room */
    size_t viewers; /* of a room; each gets all senders but the one with its own number */
    bool own;       /* viewer k is sender k, and does not get itself */
};

struct rooms {
    struct rooms_plan plan;
    struct worker_driver driver;
    size_t n; /* rooms */
    size_t active;
    struct sender *senders; /* owned, n * plan.senders */
    uint32_t *phases;       /* owned: of each sender, in microseconds of a frame's time */
    struct viewers crowd;   /* not read */
    struct viewers sampled; /* read by this process */
    struct sender straight; /* sends to `direct`; only its worker is none */
    struct probe direct;
    void (*on_latency)(void *ctx, bool direct, double us);
    void *ctx; /* borrowed */
};

/* Opens the worker and everybody, lets each sender send a few frames that all viewers read, and
 * then lets the crowd stop reading. on_latency: from a frame's handing over to the kernel until a
 * packet of it is at a viewer's socket, or straight at a socket. */
void rooms_open(struct rooms *r, const struct rooms_plan *plan, size_t n,
                void (*on_latency)(void *ctx, bool direct, double us), void *ctx);
/* The first r->active rooms play. Returns the worker's load: CPU time of its thread by time. */
double rooms_play(struct rooms *r, double seconds);
/* When in a frame's time each sender sends is drawn anew. */
void rooms_shuffle(struct rooms *r);
void rooms_close(struct rooms *r);

/* This process to one core and the worker to another, both in front of other work where the system
 * allows that; where there is one core alone, nothing. */
void rooms_pin(const struct worker_driver *driver);

#endif
