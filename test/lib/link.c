#include "test/lib/link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PACKET_MAX = 2048 };

struct link_packet {
    usec at;
    uint64_t order;
    size_t len;
    uint8_t *data; /* owned */
};

void link_init(struct link *l, struct link_config config, uint64_t seed)
{
    *l = (struct link){.config = config};
    rng_init_seeded(&l->rng, seed);
}

void link_fini(struct link *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->heap[i].data);
    free(l->heap);
    l->heap = NULL;
    l->n = l->cap = 0;
}

static double chance(struct link *l)
{
    return (double)(rng_u64(&l->rng) >> 11) / (double)(1ULL << 53);
}

static bool before(const struct link_packet *a, const struct link_packet *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct link *l, struct link_packet p)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->heap = realloc(l->heap, l->cap * sizeof *l->heap);
        assert(l->heap);
    }
    size_t i = l->n++;
    while (i > 0 && before(&p, &l->heap[(i - 1) / 2])) {
        l->heap[i] = l->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    l->heap[i] = p;
}

static struct link_packet pop(struct link *l)
{
    struct link_packet top = l->heap[0];
    struct link_packet last = l->heap[--l->n];
    size_t i = 0;
    for (size_t child = 1; child < l->n; child = 2 * i + 1) {
        if (child + 1 < l->n && before(&l->heap[child + 1], &l->heap[child]))
            child++;
        if (!before(&l->heap[child], &last))
            break;
        l->heap[i] = l->heap[child];
        i = child;
    }
    l->heap[i] = last;
    return top;
}

static void deliver(struct link *l, usec at, const void *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert(copy);
    memcpy(copy, data, len);
    push(l, (struct link_packet){.at = at, .order = l->order++, .len = len, .data = copy});
}

/* When the packet leaves the sender's queue, or USEC_NEVER: it did not fit in. */
static usec through_queue(struct link *l, usec now, size_t len)
{
    if (l->config.rate_bps == 0)
        return now;
    if (l->idle_at < now)
        l->idle_at = now;
    uint64_t waiting = (uint64_t)(l->idle_at - now) * l->config.rate_bps / 8000000;
    if (l->config.queue_bytes > 0 && waiting + len > l->config.queue_bytes)
        return USEC_NEVER;
    l->idle_at += (usec)(len * 8000000 / l->config.rate_bps);
    return l->idle_at;
}

/* A spell of bad or good, and whether it takes this packet. Draws nothing when there are none. */
static bool lost_in_burst(struct link *l)
{
    if (l->config.burst_begin <= 0)
        return false;
    double change = l->bad_spell ? l->config.burst_end : l->config.burst_begin;
    if (chance(l) < change)
        l->bad_spell = !l->bad_spell;
    return l->bad_spell && chance(l) < l->config.burst_loss;
}

void link_send(struct link *l, usec now, const void *data, size_t len)
{
    assert(len <= PACKET_MAX);
    l->stats.sent++;
    usec at = through_queue(l, now, len);
    if (at == USEC_NEVER) {
        l->stats.queue_dropped++;
        return;
    }
    bool burst = lost_in_burst(l);
    if (chance(l) < l->config.loss || burst) {
        l->stats.lost++;
        return;
    }
    at += l->config.delay;
    if (l->config.jitter > 0)
        at += (usec)(chance(l) * (double)l->config.jitter);
    if (at < l->last_at)
        at = l->last_at;
    if (chance(l) < l->config.reorder)
        at += l->config.reorder_by;
    else
        l->last_at = at;
    deliver(l, at, data, len);
    if (chance(l) < l->config.duplicate) {
        l->stats.duplicated++;
        deliver(l, at, data, len);
    }
}

bool link_receive(struct link *l, usec now, uint8_t *out, size_t *len)
{
    if (link_deadline(l) > now)
        return false;
    struct link_packet p = pop(l);
    memcpy(out, p.data, p.len);
    *len = p.len;
    free(p.data);
    l->stats.delivered++;
    return true;
}

usec link_deadline(const struct link *l)
{
    return l->n > 0 ? l->heap[0].at : USEC_NEVER;
}

usec link_queue_delay(const struct link *l, usec now)
{
    return l->idle_at > now ? l->idle_at - now : 0;
}
