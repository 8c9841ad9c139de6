#include "worker/bwe/allocation.h"

#include <assert.h>

enum {
    MARGIN_PERCENT = 15,
    MARGIN_CAREFUL_PERCENT = 30 /* soon after a downgrade */
};

void alloc_consumer_init(struct alloc_consumer *c)
{
    *c = (struct alloc_consumer){
        .priority = 1, .layer = ALLOC_NONE, .lowered_at = -ALLOC_CAREFUL_US};
}

static unsigned priority_of(const struct alloc_consumer *c)
{
    return c->priority > 0 ? c->priority : 1;
}

static uint64_t cost_of(const struct alloc_consumer *c, int layer)
{
    return layer == ALLOC_NONE ? 0 : c->layer_bps[layer];
}

/* The next layer that flows, or ALLOC_NONE. */
static int next_layer(const struct alloc_consumer *c, int layer)
{
    for (int i = layer + 1; i < c->n_layers; i++)
        if (c->layer_bps[i] > 0)
            return i;
    return ALLOC_NONE;
}

/* One run of sharing out. */
struct sharing {
    struct alloc_consumer *c;
    size_t n;
    uint64_t left;
    usec now;
};

static bool fits(const struct sharing *s, const struct alloc_consumer *c, int layer, uint64_t more)
{
    if (layer <= c->layer)
        return more <= s->left;
    bool careful = s->now - c->lowered_at < ALLOC_CAREFUL_US;
    uint64_t percent = careful ? MARGIN_CAREFUL_PERCENT : MARGIN_PERCENT;
    return more + cost_of(c, layer) * percent / 100 <= s->left;
}

/* One layer up, if it fits. */
static bool upgrade(struct sharing *s, struct alloc_consumer *c)
{
    int layer = next_layer(c, c->choice);
    if (layer == ALLOC_NONE)
        return false;
    uint64_t old = cost_of(c, c->choice), cost = cost_of(c, layer);
    uint64_t more = cost > old ? cost - old : 0;
    if (!fits(s, c, layer, more))
        return false;
    s->left -= more;
    c->choice = (int8_t)layer;
    return true;
}

/* Those that are always sent take theirs first. */
static void take_always(struct sharing *s)
{
    uint64_t taken = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct alloc_consumer *c = &s->c[i];
        assert(c->n_layers <= ALLOC_LAYERS_MAX);
        c->choice = ALLOC_NONE;
        if (!c->always || c->n_layers == 0)
            continue;
        c->choice = 0;
        taken += c->layer_bps[0];
    }
    s->left = s->left > taken ? s->left - taken : 0;
}

/* The next priority below that any consumer has; 0: none. */
static unsigned next_priority(const struct sharing *s, unsigned below)
{
    unsigned next = 0;
    for (size_t i = 0; i < s->n; i++) {
        unsigned p = priority_of(&s->c[i]);
        if (p < below && p > next)
            next = p;
    }
    return next;
}

/* By falling priority, each consumer as many layers as the round gives it; false: none fitted. */
static bool round_of(struct sharing *s, bool base)
{
    bool any = false;
    for (unsigned p = next_priority(s, UINT8_MAX + 1); p > 0; p = next_priority(s, p)) {
        for (size_t i = 0; i < s->n; i++) {
            struct alloc_consumer *c = &s->c[i];
            if (priority_of(c) != p || (base && c->choice != ALLOC_NONE))
                continue;
            for (unsigned k = 0; k < (base ? 1 : p) && upgrade(s, c); k++)
                any = true;
        }
    }
    return any;
}

uint64_t alloc_share(struct alloc_consumer *c, size_t n, uint64_t bps, usec now)
{
    struct sharing s = {.c = c, .n = n, .left = bps, .now = now};
    uint64_t taken = 0;
    take_always(&s);
    (void)round_of(&s, true);
    while (round_of(&s, false))
        ;
    for (size_t i = 0; i < n; i++) {
        /* Layers that are gone or not wanted any more are no sign of a narrow way. */
        if (c[i].choice < c[i].layer && c[i].layer < c[i].n_layers &&
            c[i].layer_bps[c[i].layer] > 0)
            c[i].lowered_at = now;
        c[i].layer = c[i].choice;
        taken += cost_of(&c[i], c[i].layer);
    }
    return taken;
}

uint64_t alloc_desired(const struct alloc_consumer *c, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t most = 0;
        for (unsigned k = 0; k < c[i].n_layers; k++)
            most = c[i].layer_bps[k] > most ? c[i].layer_bps[k] : most;
        sum += most;
    }
    return sum;
}
