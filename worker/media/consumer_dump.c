/* What a consumer says of itself. */
#include "worker/media/consumer.h"
#include "worker/media/producer.h"
#include "worker/media/trace_types.h"

/* What is sent and what it is made of; of pipe, of each stream. */
enum { STATS_MAX = 2 * PRODUCER_MAX_STREAMS };

enum err consumer_dump(const struct consumer *c, struct arena *arena,
                       struct consumer_dump_response *out)
{
    *out = (struct consumer_dump_response){.id = c->object.id,
                                           .type = c->ops->type,
                                           .producer_id = c->producer->object.id,
                                           .kind = c->kind,
                                           .rtp_parameters = c->rtp_parameters,
                                           .consumable_rtp_encodings = c->consumable_encodings,
                                           .n_consumable_rtp_encodings = c->n_consumable_encodings,
                                           .paused = c->paused,
                                           .producer_paused = c->producer_paused,
                                           .priority = c->priority};
    out->supported_codec_payload_types = arena_alloc(arena, 128);
    if (!out->supported_codec_payload_types)
        return ERR_NOMEM;
    for (uint8_t pt = 0; pt < 128; pt++) {
        if (consumer_supports(c, pt))
            out->supported_codec_payload_types[out->n_supported_codec_payload_types++] = pt;
    }
    enum err e =
        trace_types_list(c->trace, arena, &out->trace_event_types, &out->n_trace_event_types);
    return e == OK ? c->ops->dump(c, arena, out) : e;
}

enum err consumer_stats(struct consumer *c, usec now, struct arena *arena,
                        struct consumer_get_stats_response *out)
{
    out->stats = arena_array(arena, STATS_MAX, sizeof *out->stats);
    if (!out->stats)
        return ERR_NOMEM;
    out->n_stats = c->ops->stats(c, now, out->stats, STATS_MAX);
    return OK;
}
