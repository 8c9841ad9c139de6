/* Packets of a stream that wait, while somebody needs a key frame, for the case that the key
 * frame's first packet was overtaken by those behind it, or lost and sent again. No IO. */
#ifndef WEIR_WORKER_MEDIA_HELD_H
#define WEIR_WORKER_MEDIA_HELD_H

#include <stddef.h>
#include <stdlib.h>

#include "common/packet.h"
#include "worker/rtp/simulcast.h"

/* A large key frame, and what follows it within a round trip. */
enum { HELD_MAX = SIMULCAST_HELD_MAX, HELD_AGE_US = 500 * 1000 };

/* Zeroed is empty. */
struct held {
    struct packet **packets; /* owned array of HELD_MAX refs, a ring; NULL: none held yet */
    size_t first;            /* oldest */
    size_t n;
};

/* Without memory nothing is held, and the key frame has to come again. */
static inline void held_add(struct held *h, struct packet *p)
{
    if (!h->packets && !(h->packets = malloc(HELD_MAX * sizeof(struct packet *))))
        return;
    while (h->n > 0 &&
           (h->n == HELD_MAX || p->arrived_at - h->packets[h->first]->arrived_at > HELD_AGE_US)) {
        packet_unref(h->packets[h->first]);
        h->first = (h->first + 1) % HELD_MAX;
        h->n--;
    }
    h->packets[(h->first + h->n++) % HELD_MAX] = packet_ref(p);
}

/* i < n, oldest first. */
static inline struct packet *held_at(const struct held *h, size_t i)
{
    return h->packets[(h->first + i) % HELD_MAX];
}

static inline void held_clear(struct held *h)
{
    for (size_t i = 0; i < h->n; i++)
        packet_unref(held_at(h, i));
    h->n = h->first = 0;
}

static inline void held_fini(struct held *h)
{
    held_clear(h);
    free(h->packets);
    h->packets = NULL;
}

#endif
