/* A transport's estimate shared out over its consumers with layers, by priority and what each could
 * be sent (worker/bwe/allocation.h). Owned by transport_bwe.c. No IO. */
#ifndef WEIR_WORKER_MEDIA_BWE_SHARE_H
#define WEIR_WORKER_MEDIA_BWE_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/time.h"

struct consumer;
struct transport;
struct alloc_consumer;

struct bwe_share {
    struct consumer **who;        /* owned array, borrowed until the next bwe_share_gather */
    struct alloc_consumer *alloc; /* owned array, beside who */
    size_t n;
    size_t cap;
};

/* Makes room for all that t has now. ERR_NOMEM: as before. */
MUST_CHECK enum err bwe_share_reserve(struct bwe_share *s, const struct transport *t);
void bwe_share_fini(struct bwe_share *s);

/* Asks them; returns what all together could use. */
uint64_t bwe_share_gather(struct bwe_share *s, const struct transport *t, usec now);
/* Tells each its layers, right after bwe_share_gather. alone: nothing else is sent, so one of them
 * keeps its lowest layer whatever the estimate: without packets no feedback would ever raise it. */
void bwe_share_out(struct bwe_share *s, usec now, uint64_t bps, bool alone);

#endif
