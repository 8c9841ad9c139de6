/* Packets of a stream that wait, while somebody needs a key frame, for the case that the key
 * frame's first packet was overtaken by those behind it. No IO. */
#ifndef WEIR_WORKER_MEDIA_HELD_H
#define WEIR_WORKER_MEDIA_HELD_H

#include <stddef.h>

#include "common/packet.h"

enum { HELD_MAX = 32 };

/* Zeroed is empty. */
struct held {
    struct packet *packets[HELD_MAX]; /* refs; a ring, oldest at `next` when full */
    size_t n;
    size_t next;
};

static inline void held_add(struct held *h, struct packet *p)
{
    if (h->n == HELD_MAX)
        packet_unref(h->packets[h->next]);
    else
        h->n++;
    h->packets[h->next] = packet_ref(p);
    h->next = (h->next + 1) % HELD_MAX;
}

static inline void held_clear(struct held *h)
{
    for (size_t i = 0; i < h->n; i++)
        packet_unref(h->packets[i]);
    h->n = h->next = 0;
}

#endif
