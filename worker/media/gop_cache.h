/* What a producer's stream brought since its last key frame (a group of pictures), for viewers that
 * join before the next one may be asked for (docs/adr/0055). References to packets, by number; no
 * packet is copied. Owned by a producer_stream. No IO. */
#ifndef WEIR_WORKER_MEDIA_GOP_CACHE_H
#define WEIR_WORKER_MEDIA_GOP_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/packet.h"
#include "common/time.h"

enum {
    GOP_CACHE_PACKETS = 1024, /* numbers; as far back as a consumer's numbers can be mapped, too */
    GOP_CACHE_BYTES = 2 * 1024 * 1024
};

/* Zeroed is empty. */
struct gop_cache {
    struct packet **packets; /* owned, GOP_CACHE_PACKETS refs by number - first, NULL where none
                                came; the array itself is made with the first key frame */
    size_t n;                /* numbers from first to the newest; 0: empty */
    size_t bytes;
    usec began;         /* when the key frame did */
    uint32_t timestamp; /* of the key frame */
    uint32_t newest;    /* timestamp of the newest packet */
    uint16_t first;     /* number that the key frame begins with */
};

void gop_cache_fini(struct gop_cache *g);
/* Forgets all; keeps the array. */
void gop_cache_clear(struct gop_cache *g);

/* The packet begins a key frame: all before it is forgotten. Without memory nothing is kept. */
void gop_cache_begin(struct gop_cache *g, usec now, uint16_t seq, uint32_t timestamp,
                     struct packet *p);
/* Any other packet, in any order; one from before the key frame is left out. With more than fits
 * all is forgotten. */
void gop_cache_add(struct gop_cache *g, uint16_t seq, uint32_t timestamp, struct packet *p);

static inline bool gop_cache_empty(const struct gop_cache *g)
{
    return g->n == 0;
}

#endif
