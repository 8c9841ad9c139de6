#include "worker/rtp/history.h"

#include <stdlib.h>

#include "common/prefetch.h"
#include "worker/rtp/seq.h"

enum { PREFETCH_ENTRIES = 10 }; /* a frame of 2.5 Mbit/s has nine */

void history_init(struct history *h, usec age)
{
    *h = (struct history){.age_ms = (uint32_t)(age / USEC_PER_MSEC)};
}

static uint32_t ms_of(usec t)
{
    return (uint32_t)(t / USEC_PER_MSEC);
}

static struct history_entry *slot(const struct history *h, uint16_t seq)
{
    return &h->ring[seq & (h->cap - 1)];
}

/* Slots outside first .. first + n have no packet, always. */
static void drop_first(struct history *h)
{
    struct history_entry *e = slot(h, h->first);
    packet_unref(e->packet);
    e->packet = NULL;
    h->first++;
    h->n--;
}

void history_clear(struct history *h)
{
    while (h->n > 0)
        drop_first(h);
}

void history_fini(struct history *h)
{
    history_clear(h);
    free(h->ring);
    h->ring = NULL;
    h->cap = 0;
}

void history_expire(struct history *h, usec now)
{
    while (h->n > 0) {
        const struct history_entry *e = slot(h, h->first);
        if (e->packet && ms_of(now) - e->sent_ms <= h->age_ms)
            return;
        drop_first(h);
    }
}

static bool grow(struct history *h)
{
    uint32_t cap = h->cap ? h->cap * 2 : HISTORY_START;
    if (cap > HISTORY_LIMIT)
        return false;
    struct history_entry *ring = calloc(cap, sizeof *ring);
    if (!ring)
        return false;
    for (uint32_t i = 0; i < h->n; i++) {
        uint16_t seq = (uint16_t)(h->first + i);
        ring[seq & (cap - 1)] = *slot(h, seq);
    }
    free(h->ring);
    h->ring = ring;
    h->cap = cap;
    return true;
}

/* Makes seq one of first .. first + n; false when it is too old for that. */
static bool cover(struct history *h, uint16_t seq)
{
    if (h->n == 0)
        h->first = seq;
    int32_t at = seq16_diff(seq, h->first);
    if (at < 0) {
        if (h->n + (uint32_t)-at > h->cap)
            return false;
        h->first = seq;
        h->n += (uint32_t)-at;
        return true;
    }
    uint32_t need = (uint32_t)at + 1;
    while (need > h->cap && grow(h))
        ;
    if (h->cap == 0)
        return false;
    while (need > h->cap && h->n > 0) {
        drop_first(h);
        need--;
    }
    if (h->n == 0) {
        h->first = seq;
        need = 1;
    }
    if (need > h->n)
        h->n = need;
    return true;
}

void history_add(struct history *h, usec now, uint16_t seq, struct packet *packet, uint32_t ts,
                 bool marker, uint32_t patch)
{
    history_expire(h, now);
    if (!cover(h, seq))
        return;
    struct history_entry *e = slot(h, seq);
    if (e->packet)
        return;
    *e = (struct history_entry){.packet = packet_ref(packet),
                                .ts = ts,
                                .patch = patch,
                                .sent_ms = ms_of(now),
                                .marker = marker};
}

void history_prefetch(const struct history *h)
{
    if (h->n == 0)
        return;
    prefetch(slot(h, h->first), PREFETCH_ENTRIES * sizeof(struct history_entry));
    prefetch(slot(h, (uint16_t)(h->first + h->n)), PREFETCH_ENTRIES * sizeof(struct history_entry));
}

struct history_entry *history_find(struct history *h, usec now, uint16_t seq)
{
    int32_t at = seq16_diff(seq, h->first);
    if (at < 0 || (uint32_t)at >= h->n)
        return NULL;
    struct history_entry *e = slot(h, seq);
    if (!e->packet || ms_of(now) - e->sent_ms > h->age_ms)
        return NULL;
    return e;
}

struct history_entry *history_newest(struct history *h, usec now, uint16_t *seq)
{
    for (uint32_t i = h->n; i > 0; i--) {
        *seq = (uint16_t)(h->first + i - 1);
        if (slot(h, *seq)->packet)
            return history_find(h, now, *seq);
    }
    return NULL;
}
