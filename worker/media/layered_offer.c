#include "worker/media/layered_offer.h"

#include "worker/media/producer.h"

/* From low to high: all temporal layers of a spatial one, then those of the next. */
static uint8_t n_temporal(const struct layered_consumer *s)
{
    uint8_t n = s->simulcast.n_temporal;
    return n * s->simulcast.n_spatial > ALLOC_LAYERS_MAX ? 1 : n;
}

struct layers layered_offer_layers(const struct layered_consumer *s, int8_t layer)
{
    uint8_t n = n_temporal(s);
    if (layer < 0)
        return LAYERS_NONE;
    return (struct layers){.spatial = (int8_t)(layer / n),
                           .temporal = (int8_t)(n == 1 ? LAYER_ANY : layer % n)};
}

static uint32_t bps_of(struct layered_consumer *s, usec now, struct layers l)
{
    struct producer *p = s->base.producer;
    struct producer_stream *from = &p->streams[p->n_streams > 1 ? l.spatial : 0];
    if (producer_stream_score(from) == 0)
        return 0;
    if (p->n_streams > 1 || s->simulcast.n_spatial == 1)
        l.spatial = LAYER_ANY;
    return layer_rate_bps(&from->layer_rate, now, l);
}

void layered_offer(struct layered_consumer *s, usec now, struct alloc_consumer *out)
{
    const struct simulcast *sc = &s->simulcast;
    uint8_t n = n_temporal(s);
    int spatial = sc->lowest_spatial ? 0 : sc->preferred.spatial;
    if (spatial >= ALLOC_LAYERS_MAX / n)
        spatial = ALLOC_LAYERS_MAX / n - 1;
    int temporal = n == 1 ? 0 : sc->preferred.temporal;
    out->priority = s->base.priority;
    out->always = sc->n_spatial * n == 1;
    out->n_layers = 0;
    if (!s->base.active)
        return;
    out->n_layers = (uint8_t)(spatial * n + temporal + 1);
    for (int8_t i = 0; i < (int8_t)out->n_layers; i++) {
        struct layers l = layered_offer_layers(s, i);
        bool wanted = n == 1 || l.temporal <= temporal;
        out->layer_bps[i] = wanted ? bps_of(s, now, l) : 0;
    }
}
