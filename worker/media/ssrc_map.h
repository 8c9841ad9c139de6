/* SSRC -> pointer, by open addressing: looked up for every packet. Bounded, as peers and
 * controllers name SSRCs. No IO. */
#ifndef WEIR_WORKER_MEDIA_SSRC_MAP_H
#define WEIR_WORKER_MEDIA_SSRC_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct ssrc_slot {
    uint32_t ssrc;
    void *value; /* borrowed; NULL: the slot is empty */
};

/* Zeroed is a valid empty map. */
struct ssrc_map {
    struct ssrc_slot *slots; /* owned, a power of two; NULL while empty */
    uint32_t mask;
    uint32_t used;
};

void ssrc_map_fini(struct ssrc_map *m);
/* value is not NULL. ERR_EXISTS, ERR_NOMEM. */
MUST_CHECK enum err ssrc_map_add(struct ssrc_map *m, uint32_t ssrc, void *value);
/* Unknown is fine. */
void ssrc_map_remove(struct ssrc_map *m, uint32_t ssrc);

static inline uint32_t ssrc_hash(uint32_t ssrc)
{
    uint32_t h = ssrc * UINT32_C(0x9e3779b1);
    return h ^ h >> 16;
}

static inline void *ssrc_map_get(const struct ssrc_map *m, uint32_t ssrc)
{
    if (!m->slots)
        return NULL;
    for (uint32_t i = ssrc_hash(ssrc) & m->mask; m->slots[i].value; i = (i + 1) & m->mask) {
        if (m->slots[i].ssrc == ssrc)
            return m->slots[i].value;
    }
    return NULL;
}

#endif
