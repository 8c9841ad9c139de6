#define HASH_NONFATAL_OOM 1
#include "worker/media/demux.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/prefetch.h"

enum { SLOTS_AT_FIRST = 256 };

struct demux_ufrag {
    char ufrag[DEMUX_UFRAG_MAX];
    struct transport *transport; /* borrowed */
    UT_hash_handle hh;
};

enum err demux_init(struct demux *d, uint64_t salt)
{
    *d = (struct demux){.mask = SLOTS_AT_FIRST - 1, .salt = salt};
    d->slots = calloc(SLOTS_AT_FIRST, sizeof *d->slots);
    d->sockets = calloc(DEMUX_SOCKETS, sizeof *d->sockets);
    if (!d->slots || !d->sockets) {
        demux_fini(d);
        return ERR_NOMEM;
    }
    return OK;
}

void demux_fini(struct demux *d)
{
    assert(d->used == 0 && !d->ufrags);
    free(d->slots);
    free(d->sockets);
    *d = (struct demux){0};
}

static uint64_t hash_of(const struct demux *d, const struct tuple *tuple)
{
    uint64_t h = (tuple_hash(tuple) ^ d->salt) * UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1;
}

/* The tuple's slot, or the empty one where it would go. */
static struct demux_slot *find(const struct demux *d, const struct tuple *tuple, uint64_t hash)
{
    uint32_t tag = tag_of(hash);
    for (size_t i = hash & d->mask;; i = (i + 1) & d->mask) {
        struct demux_slot *slot = &d->slots[i];
        if (slot->tag == 0 || (slot->tag == tag && tuple_eq(&slot->tuple, tuple)))
            return slot;
    }
}

static enum err grow(struct demux *d)
{
    size_t n = (d->mask + 1) * 2;
    struct demux_slot *slots = calloc(n, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    struct demux_slot *old = d->slots;
    size_t n_old = d->mask + 1;
    d->slots = slots;
    d->mask = n - 1;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].tag != 0)
            *find(d, &old[i].tuple, hash_of(d, &old[i].tuple)) = old[i];
    }
    free(old);
    return OK;
}

enum err demux_add_tuple(struct demux *d, const struct tuple *tuple, struct transport *transport)
{
    if ((d->used + 1) * 2 > d->mask + 1) {
        enum err e = grow(d);
        if (e != OK)
            return e;
    }
    uint64_t hash = hash_of(d, tuple);
    struct demux_slot *slot = find(d, tuple, hash);
    if (slot->tag == 0)
        d->used++;
    *slot = (struct demux_slot){.tuple = *tuple, .tag = tag_of(hash), .transport = transport};
    return OK;
}

void demux_remove_tuple(struct demux *d, const struct tuple *tuple,
                        const struct transport *transport)
{
    struct demux_slot *slot = find(d, tuple, hash_of(d, tuple));
    if (slot->tag == 0 || slot->transport != transport)
        return;
    d->used--;
    /* Linear probing without tombstones: later members of the run move up into the hole. */
    size_t hole = (size_t)(slot - d->slots);
    for (size_t i = (hole + 1) & d->mask; d->slots[i].tag != 0; i = (i + 1) & d->mask) {
        size_t home = hash_of(d, &d->slots[i].tuple) & d->mask;
        if (((i - home) & d->mask) >= ((i - hole) & d->mask)) {
            d->slots[hole] = d->slots[i];
            hole = i;
        }
    }
    d->slots[hole] = (struct demux_slot){0};
}

struct transport *demux_by_tuple(const struct demux *d, const struct tuple *tuple)
{
    const struct demux_slot *slot = find(d, tuple, hash_of(d, tuple));
    return slot->tag ? slot->transport : NULL;
}

void demux_prefetch(const struct demux *d, const struct tuple *tuple)
{
    prefetch(&d->slots[hash_of(d, tuple) & d->mask], sizeof d->slots[0]);
}

static struct demux_ufrag *find_ufrag(const struct demux *d, const void *ufrag, size_t n)
{
    struct demux_ufrag *u;
    HASH_FIND(hh, d->ufrags, ufrag, (unsigned)n, u);
    return u;
}

enum err demux_add_ufrag(struct demux *d, const char *ufrag, struct transport *transport)
{
    size_t n = strlen(ufrag);
    if (n >= DEMUX_UFRAG_MAX)
        return ERR_TOO_LARGE;
    if (find_ufrag(d, ufrag, n))
        return ERR_EXISTS;
    struct demux_ufrag *u = calloc(1, sizeof *u);
    if (!u)
        return ERR_NOMEM;
    memcpy(u->ufrag, ufrag, n + 1);
    u->transport = transport;
    HASH_ADD_KEYPTR(hh, d->ufrags, u->ufrag, n, u);
    if (!u->hh.tbl) {
        free(u);
        return ERR_NOMEM;
    }
    return OK;
}

void demux_remove_ufrag(struct demux *d, const char *ufrag)
{
    struct demux_ufrag *u = find_ufrag(d, ufrag, strlen(ufrag));
    if (!u)
        return;
    HASH_DEL(d->ufrags, u);
    free(u);
}

struct transport *demux_by_ufrag(const struct demux *d, const void *ufrag, size_t n)
{
    if (n == 0 || n >= DEMUX_UFRAG_MAX)
        return NULL;
    struct demux_ufrag *u = find_ufrag(d, ufrag, n);
    return u ? u->transport : NULL;
}
