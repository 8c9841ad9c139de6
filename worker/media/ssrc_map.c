#include "worker/media/ssrc_map.h"

#include <stdlib.h>

enum { SLOTS_AT_FIRST = 8 };

void ssrc_map_fini(struct ssrc_map *m)
{
    free(m->slots);
    *m = (struct ssrc_map){0};
}

/* There is always an empty slot. */
static void put(struct ssrc_map *m, uint32_t ssrc, void *value)
{
    uint32_t i = ssrc_hash(ssrc) & m->mask;
    while (m->slots[i].value)
        i = (i + 1) & m->mask;
    m->slots[i] = (struct ssrc_slot){.ssrc = ssrc, .value = value};
}

static enum err grow(struct ssrc_map *m)
{
    size_t n = m->slots ? ((size_t)m->mask + 1) * 2 : SLOTS_AT_FIRST;
    struct ssrc_map bigger = {
        .slots = calloc(n, sizeof *bigger.slots), .mask = (uint32_t)(n - 1), .used = m->used};
    if (!bigger.slots)
        return ERR_NOMEM;
    for (size_t i = 0; m->slots && i <= m->mask; i++) {
        if (m->slots[i].value)
            put(&bigger, m->slots[i].ssrc, m->slots[i].value);
    }
    free(m->slots);
    *m = bigger;
    return OK;
}

enum err ssrc_map_add(struct ssrc_map *m, uint32_t ssrc, void *value)
{
    if (ssrc_map_get(m, ssrc))
        return ERR_EXISTS;
    if (!m->slots || (m->used + 1) * 2 > m->mask + 1) {
        enum err e = grow(m);
        if (e != OK)
            return e;
    }
    put(m, ssrc, value);
    m->used++;
    return OK;
}

void ssrc_map_remove(struct ssrc_map *m, uint32_t ssrc)
{
    if (!ssrc_map_get(m, ssrc))
        return;
    uint32_t hole = ssrc_hash(ssrc) & m->mask;
    while (m->slots[hole].ssrc != ssrc || !m->slots[hole].value)
        hole = (hole + 1) & m->mask;
    m->used--;
    /* Linear probing without tombstones: later members of the run move up into the hole. */
    for (uint32_t i = (hole + 1) & m->mask; m->slots[i].value; i = (i + 1) & m->mask) {
        uint32_t home = ssrc_hash(m->slots[i].ssrc) & m->mask;
        if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct ssrc_slot){0};
}
