/* Shares the estimate out over consumers: first a lowest layer for each, by priority; then upgrades
 * in rounds, as many for each as its priority says; an upgrade must fit with a margin, what is
 * already sent need only fit. Pure. Used by a transport. */
#ifndef WEIR_BWE_ALLOCATION_H
#define WEIR_BWE_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/time.h"

enum {
    ALLOC_LAYERS_MAX = 16, /* spatial times temporal */
    ALLOC_NONE = -1,
    ALLOC_CAREFUL_US = 10 * 1000 * 1000 /* after a downgrade, upgrades want a wider margin */
};

struct alloc_consumer {
    /* ---- asked ---- */
    uint8_t priority; /* 1 to 255; 0 counts as 1 */
    bool always;      /* is sent whatever the estimate: audio, video of one layer */
    uint8_t n_layers; /* up to the preferred one; 0: wants nothing */
    uint32_t layer_bps[ALLOC_LAYERS_MAX]; /* with all lower ones; 0: does not flow, is left out */
    /* ---- answered, and remembered for the next time ---- */
    int8_t layer;    /* index; ALLOC_NONE before the first time */
    usec lowered_at; /* of the last downgrade; -ALLOC_CAREFUL_US before the first */
    int8_t choice;   /* internal, while choosing */
};

void alloc_consumer_init(struct alloc_consumer *c);
/* Chooses c[i].layer for all. Returns what they take together; more than bps only by those that
 * are always sent. */
uint64_t alloc_share(struct alloc_consumer *c, size_t n, uint64_t bps, usec now);
/* What all of them could use: for est_set_desired. */
uint64_t alloc_desired(const struct alloc_consumer *c, size_t n);

#endif
