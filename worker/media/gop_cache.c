#include "worker/media/gop_cache.h"

#include <stdlib.h>

#include "worker/rtp/seq.h"

void gop_cache_clear(struct gop_cache *g)
{
    for (size_t i = 0; i < g->n; i++) {
        packet_unref(g->packets[i]);
        g->packets[i] = NULL;
    }
    g->n = 0;
    g->bytes = 0;
}

void gop_cache_fini(struct gop_cache *g)
{
    gop_cache_clear(g);
    free(g->packets);
    g->packets = NULL;
}

static void put(struct gop_cache *g, size_t at, struct packet *p)
{
    g->packets[at] = packet_ref(p);
    g->bytes += p->len;
}

void gop_cache_begin(struct gop_cache *g, usec now, uint16_t seq, uint32_t timestamp,
                     struct packet *p)
{
    gop_cache_clear(g);
    if (!g->packets)
        g->packets = calloc(GOP_CACHE_PACKETS, sizeof(struct packet *));
    if (!g->packets)
        return;
    g->began = now;
    g->first = seq;
    g->timestamp = g->newest = timestamp;
    g->n = 1;
    put(g, 0, p);
}

void gop_cache_add(struct gop_cache *g, uint16_t seq, uint32_t timestamp, struct packet *p)
{
    int32_t at = seq16_diff(seq, g->first);
    if (g->n == 0 || at < 0)
        return;
    if (at >= GOP_CACHE_PACKETS || g->bytes + p->len > GOP_CACHE_BYTES) {
        gop_cache_clear(g);
        return;
    }
    if (g->packets[at])
        return;
    if ((size_t)at >= g->n)
        g->n = (size_t)at + 1;
    if (seq32_after(timestamp, g->newest))
        g->newest = timestamp;
    put(g, (size_t)at, p);
}
