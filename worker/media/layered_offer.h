/* What a consumer of layers could be sent, as the list of bitrates that the estimate is shared out
 * by (worker/bwe/allocation.h), and which layers an entry of that list means. No IO. */
#ifndef WEIR_WORKER_MEDIA_LAYERED_OFFER_H
#define WEIR_WORKER_MEDIA_LAYERED_OFFER_H

#include "worker/bwe/allocation.h"
#include "worker/media/layered_state.h"

/* Fills priority, always, n_layers and layer_bps; the rest stays. */
void layered_offer(struct layered_consumer *s, usec now, struct alloc_consumer *out);
/* ALLOC_NONE: LAYERS_NONE. */
struct layers layered_offer_layers(const struct layered_consumer *s, int8_t layer);

#endif
