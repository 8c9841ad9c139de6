/* At which rate a probe cluster came out at the far end. Sans-IO. Owned by an estimator.
 *
 * A short one by the intervals between its packets: what the way carries. A long one by how the
 * least delay of its second half lies above that of its first and of the time before: what others
 * leave, since their bursts, and our own frames, come and go within these. */
#ifndef WEIR_BWE_PROBE_METER_H
#define WEIR_BWE_PROBE_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/time.h"

enum {
    PROBE_METER_CLUSTERS = 4,
    PROBE_METER_BEFORE_US = 50 * 1000 /* one to two of these before a cluster count */
};

/* The packet that waited least. */
struct probe_least {
    usec sent;
    usec delay;
    size_t bytes; /* of the cluster sent before it */
    bool known;
};

struct probe_tally {
    uint8_t id; /* 0: unused */
    usec duration;
    struct probe_least halves[2];
    usec second_least; /* delay, of the second half */
    size_t min_bytes;
    unsigned packets;
    size_t bytes;
    size_t lost;      /* bytes between packets that arrived */
    size_t lost_open; /* bytes since the last one that arrived */
    usec first_sent;
    usec last_sent;
    usec first_arrival;
    usec last_arrival;
    size_t last_sent_size;
    size_t first_arrival_size;
};

struct probe_result {
    bool ended;
    double bps; /* 0: too little of it arrived to tell */
    bool full;  /* less came out than went in: there is no more */
};

struct probe_meter {
    struct probe_tally tallies[PROBE_METER_CLUSTERS];
    unsigned next;
    struct probe_least recent[2]; /* before it, of packets that are no probe: spans, newest first */
    usec recent_end;
    uint8_t open; /* id of the cluster whose packets are arriving; 0: none */
};

void probe_meter_init(struct probe_meter *m);
/* Before the cluster's first packet is answered. */
void probe_meter_expect(struct probe_meter *m, uint8_t id, size_t min_bytes, usec duration);
/* Each packet that arrived, by number; id: 0 when it is no probe. When a cluster has ended before
 * it, *r becomes its result; that is told once. random: at most this share of it was lost at
 * random, and took its time on the way all the same. */
void probe_meter_add(struct probe_meter *m, uint8_t id, usec sent, usec arrival, size_t size,
                     double random, struct probe_result *r);
void probe_meter_lost(struct probe_meter *m, uint8_t id, size_t size);

#endif
