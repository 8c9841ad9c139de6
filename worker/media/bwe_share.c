#include "worker/media/bwe_share.h"

#include <stdlib.h>

#include "worker/bwe/allocation.h"
#include "worker/media/consumer.h"
#include "worker/media/transport.h"

static bool has_layers(const struct consumer *c)
{
    return c->ops->offer && c->ops->allot;
}

static size_t count(const struct transport *t)
{
    size_t n = 0;
    list_each (node, &t->consumers) {
        n += has_layers(container_of(node, struct consumer, in_transport));
    }
    return n;
}

enum err bwe_share_reserve(struct bwe_share *s, const struct transport *t)
{
    size_t n = count(t);
    if (n <= s->cap)
        return OK;
    size_t cap = n < 2 * s->cap ? 2 * s->cap : n;
    struct consumer **who = realloc(s->who, cap * sizeof *who);
    if (!who)
        return ERR_NOMEM;
    s->who = who;
    struct alloc_consumer *alloc = realloc(s->alloc, cap * sizeof *alloc);
    if (!alloc)
        return ERR_NOMEM;
    s->alloc = alloc;
    s->cap = cap;
    return OK;
}

void bwe_share_fini(struct bwe_share *s)
{
    free(s->who);
    free(s->alloc);
    *s = (struct bwe_share){0};
}

/* Consumers are in the order in which they were made, here as in the transport, so one pass finds
 * what is remembered of each and closes the gaps of those that left. */
static void follow(struct bwe_share *s, const struct transport *t)
{
    size_t from = 0;
    size_t n = 0;
    list_each (node, &t->consumers) {
        struct consumer *c = container_of(node, struct consumer, in_transport);
        if (!has_layers(c) || n == s->cap)
            continue;
        while (from < s->n && s->who[from] != c)
            from++;
        if (from < s->n)
            s->alloc[n] = s->alloc[from++];
        else
            alloc_consumer_init(&s->alloc[n]);
        s->who[n++] = c;
    }
    s->n = n;
}

uint64_t bwe_share_gather(struct bwe_share *s, const struct transport *t, usec now)
{
    follow(s, t);
    for (size_t i = 0; i < s->n; i++)
        s->who[i]->ops->offer(s->who[i], now, &s->alloc[i]);
    return alloc_desired(s->alloc, s->n);
}

/* ALLOC_NONE: none flows. */
static int8_t lowest(const struct alloc_consumer *c)
{
    for (int8_t i = 0; i < (int8_t)c->n_layers; i++) {
        if (c->layer_bps[i] > 0)
            return i;
    }
    return ALLOC_NONE;
}

static void keep_one(struct bwe_share *s)
{
    struct alloc_consumer *best = NULL;
    for (size_t i = 0; i < s->n; i++) {
        struct alloc_consumer *c = &s->alloc[i];
        if (c->layer != ALLOC_NONE)
            return;
        if (lowest(c) != ALLOC_NONE && (!best || c->priority > best->priority))
            best = c;
    }
    if (best)
        best->layer = lowest(best);
}

void bwe_share_out(struct bwe_share *s, usec now, uint64_t bps, bool alone)
{
    (void)alloc_share(s->alloc, s->n, bps, now);
    if (alone)
        keep_one(s);
    for (size_t i = 0; i < s->n; i++) {
        /* What does not flow yet is not held back: it begins with whatever comes first. */
        if (lowest(&s->alloc[i]) != ALLOC_NONE)
            s->who[i]->ops->allot(s->who[i], now, s->alloc[i].layer);
    }
}
