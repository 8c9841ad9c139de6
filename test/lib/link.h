/* One direction of a network path in virtual time: rate, delay, jitter, loss, reordering,
 * duplication, a drop-tail queue. Repeatable from its seed. For simulations only. */
#ifndef WEIR_TEST_LINK_H
#define WEIR_TEST_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"
#include "common/time.h"

struct link_config {
    uint64_t rate_bps;  /* 0: unlimited */
    size_t queue_bytes; /* waiting for the rate; more is dropped; 0: unlimited */
    usec delay;
    usec jitter;    /* 0 .. jitter more, in order */
    double loss;    /* probabilities */
    double reorder; /* of being held back by reorder_by, so that others overtake */
    usec reorder_by;
    double duplicate;
    /* Loss in bursts (Gilbert-Elliott): with each packet, the chance of a good spell's end, of a
     * bad spell's end, and of loss in a bad spell. Beside loss. */
    double burst_begin; /* 0: none */
    double burst_end;
    double burst_loss;
};

struct link_stats {
    uint64_t sent;
    uint64_t lost;
    uint64_t queue_dropped;
    uint64_t duplicated;
    uint64_t delivered;
};

struct link_packet;

struct link {
    struct link_config config; /* may be changed at any time */
    struct link_stats stats;
    struct rng rng;
    bool bad_spell;
    usec idle_at;             /* when the rate's queue will be empty */
    usec last_at;             /* newest regular delivery: the order is kept */
    uint64_t order;           /* of packets with equal times */
    struct link_packet *heap; /* owned; by time of delivery */
    size_t n;
    size_t cap;
};

void link_init(struct link *l, struct link_config config, uint64_t seed);
void link_fini(struct link *l);
/* data is copied; at most 2048 bytes. */
void link_send(struct link *l, usec now, const void *data, size_t len);
/* The next packet that has arrived by now; false when there is none. out: 2048 bytes. */
bool link_receive(struct link *l, usec now, uint8_t *out, size_t *len);
/* When the next one arrives, or USEC_NEVER. */
usec link_deadline(const struct link *l);
/* How long a packet that is sent now would wait for the rate. */
usec link_queue_delay(const struct link *l, usec now);

#endif
