/* Packets of one producer that came in one burst, on their way to its consumers: forwarded consumer
 * by consumer, so that what a consumer needs (state, keys, slots) is fetched into the cache once a
 * burst instead of once a packet. Owned by the worker, flushed at the end of a burst. No IO. */
#ifndef WEIR_WORKER_MEDIA_FORWARD_BATCH_H
#define WEIR_WORKER_MEDIA_FORWARD_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/time.h"
#include "worker/media/producer.h"

enum {
    FORWARD_BATCH_MAX = 32,
    /* So many slots are sent while they are still in a core's second-level cache; the first of them
     * wait for the last, so that few are sooner at the viewers. */
    FORWARD_SLOTS = 64
};

struct worker;

struct forward_batch {
    struct producer *producer; /* borrowed; of all packets */
    size_t n;
    struct media_packet packets[FORWARD_BATCH_MAX]; /* with a reference */
    struct layer_packet layers[FORWARD_BATCH_MAX];  /* where packets[i].layers points to */
};

/* Takes a packet; what waits of another producer goes out first. */
void forward_batch_add(struct worker *w, usec now, struct producer *p,
                       const struct media_packet *m);
/* Whether more of what waits is probably on its way: a frame whose end has not come. */
bool forward_batch_is_open(const struct worker *w);
/* Hands everything to the consumers. Before anything changes that they look at. */
void forward_batch_flush(struct worker *w, usec now);
/* The producer ends: what waits of it is dropped. */
void forward_batch_drop(struct worker *w, const struct producer *p);

#endif
