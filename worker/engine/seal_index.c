#include "worker/engine/seal_index.h"

#include <stdlib.h>
#include <string.h>

uint64_t seal_index_guess(const struct seal_window *w, uint16_t seq)
{
    if (!w->started)
        return seq;
    uint64_t roc = w->top >> 16;
    uint32_t last = w->top & 0xffff;
    /* RFC 3711 appendix A */
    if (last < 0x8000) {
        if (seq > last && seq - last > 0x8000 && roc > 0)
            roc--;
    } else if (last - 0x8000 > seq) {
        roc++;
    }
    return roc << 16 | seq;
}

void seal_window_take(struct seal_window *w, uint64_t index)
{
    if (!w->started || index > w->top) {
        uint64_t ahead = w->started ? index - w->top : SEAL_REPLAY_WINDOW;
        if (ahead >= SEAL_REPLAY_WINDOW) {
            memset(w->seen, 0, sizeof w->seen);
        } else {
            for (uint64_t i = w->top + 1; i < index; i++) {
                uint64_t skipped = i % SEAL_REPLAY_WINDOW;
                w->seen[skipped / 64] &= ~((uint64_t)1 << (skipped % 64));
            }
        }
        w->top = index;
        w->started = true;
    } else if (w->top - index >= SEAL_REPLAY_WINDOW) {
        return;
    }
    uint64_t bit = index % SEAL_REPLAY_WINDOW;
    w->seen[bit / 64] |= (uint64_t)1 << (bit % 64);
}

enum { SLOTS_MIN = 8 };

/* A peer chooses its SSRCs, so that probes could be made long: at most SEAL_SSRC_MAX of them. */
static size_t slot_of(const struct seal_streams *t, uint32_t ssrc)
{
    uint64_t h = ssrc * 0x9E3779B97F4A7C15u; /* Fibonacci hashing: the upper bits are mixed */
    return (size_t)(h >> 32) & (t->slot_count - 1);
}

static void place(struct seal_streams *t, struct seal_stream *s)
{
    size_t i = slot_of(t, s->ssrc);
    while (t->slots[i])
        i = (i + 1) & (t->slot_count - 1);
    t->slots[i] = s;
}

static enum err grow(struct seal_streams *t)
{
    struct seal_stream **old = t->slots;
    size_t old_count = t->slot_count;
    size_t count = old_count ? old_count * 2 : SLOTS_MIN;
    struct seal_stream **slots = calloc(count, sizeof(struct seal_stream *));
    if (!slots)
        return ERR_NOMEM;
    t->slots = slots;
    t->slot_count = count;
    for (size_t i = 0; i < old_count; i++)
        if (old[i])
            place(t, old[i]);
    free(old);
    return OK;
}

void seal_streams_fini(struct seal_streams *t)
{
    for (size_t i = 0; i < t->slot_count; i++)
        free(t->slots[i]);
    free(t->slots);
    memset(t, 0, sizeof *t);
}

struct seal_stream *seal_streams_find(struct seal_streams *t, uint32_t ssrc)
{
    if (t->last && t->last->ssrc == ssrc)
        return t->last;
    if (t->slot_count == 0)
        return NULL;
    for (size_t i = slot_of(t, ssrc); t->slots[i]; i = (i + 1) & (t->slot_count - 1)) {
        if (t->slots[i]->ssrc == ssrc) {
            t->last = t->slots[i];
            return t->last;
        }
    }
    return NULL;
}

enum err seal_streams_get(struct seal_streams *t, uint32_t ssrc, struct seal_stream **out)
{
    struct seal_stream *s = seal_streams_find(t, ssrc);
    if (s) {
        *out = s;
        return OK;
    }
    if (t->count >= SEAL_SSRC_MAX)
        return ERR_FULL;
    if ((t->count + 1) * 2 > t->slot_count) {
        enum err e = grow(t);
        if (e != OK)
            return e;
    }
    s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->ssrc = ssrc;
    place(t, s);
    t->count++;
    t->last = s;
    *out = s;
    return OK;
}

void seal_streams_remove(struct seal_streams *t, uint32_t ssrc)
{
    struct seal_stream *s = seal_streams_find(t, ssrc);
    t->last = NULL;
    if (!s)
        return;
    size_t mask = t->slot_count - 1;
    size_t i = slot_of(t, ssrc);
    while (t->slots[i] != s)
        i = (i + 1) & mask;
    t->slots[i] = NULL;
    t->count--;
    free(s);
    /* What follows in the same run of slots may have been pushed on by it: place it again. */
    for (size_t j = (i + 1) & mask; t->slots[j]; j = (j + 1) & mask) {
        struct seal_stream *moved = t->slots[j];
        t->slots[j] = NULL;
        place(t, moved);
    }
}
