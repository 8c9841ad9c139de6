/* When and how fast to probe: clusters of packets sent at more than the estimate, so that one round
 * trip shows what growing would take minutes to find. At the start 3 and 6 times the first
 * estimate; twice the result as long as it keeps up; later on request. Sans-IO. Owned by an
 * estimator. */
#ifndef WEIR_BWE_PROBE_H
#define WEIR_BWE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/time.h"

enum {
    PROBE_QUEUE = 2,
    PROBE_PACKETS_MIN = 5,
    PROBE_DURATION_US = 15 * 1000, /* to learn what the way carries at all */
    PROBE_LONG_US = 80 * 1000,     /* to learn what others leave: two frames of theirs */
    PROBE_LONG_PACKETS = 10,       /* fewer tell too little of others, however slow */
    PROBE_LONGEST_US = 400 * 1000,
    PROBE_PACKET_MIN = 200, /* bytes of padding at once */
    PROBE_PACKET_MAX = 1200,
    PROBE_ANSWER_US = 1000 * 1000,   /* after it a cluster's answer no longer starts another */
    PROBE_PATIENCE_US = 5000 * 1000, /* for the caller to send one at all */
    PROBE_RETRY_US = 10 * 1000       /* after padding was asked for and did not come */
};

struct probe_cluster {
    uint8_t id;
    double bps;
    size_t packet; /* bytes of one padding packet */
    size_t min_bytes;
    usec duration;
    size_t bytes; /* sent so far, media included */
    unsigned packets;
    usec created_at;
    usec started_at; /* valid if packets > 0 */
};

struct probe {
    unsigned n;
    uint8_t last_id;
    struct probe_cluster queue[PROBE_QUEUE]; /* n of them; the first is active */
    double cap_bps;                          /* no cluster above it */
    double further_bps; /* a result above it leads to the next; INFINITY: none */
    double last_bps;
    double factor; /* of the next beside the result */
    usec duration; /* of the next */
    usec sent_at;  /* of the last cluster's end; valid if ever */
    usec retry_at;
    bool ever;
};

void probe_init(struct probe *p);
void probe_set_cap(struct probe *p, double bps);
/* Exponential probing from a first estimate. */
void probe_start(struct probe *p, usec now, double start_bps);
/* One cluster at factor times bps, and on by that factor while results keep up. duration:
 * PROBE_DURATION_US or PROBE_LONG_US. Ignored while one waits or is being sent. */
void probe_request(struct probe *p, usec now, double bps, double factor, usec duration);
/* The last cluster once more. */
void probe_repeat(struct probe *p, usec now);
/* A cluster came out at this rate. */
void probe_answer(struct probe *p, usec now, double bps);
/* Clusters wait, are being sent, or may still be answered. */
bool probe_busy(const struct probe *p, usec now);
/* The cluster that a packet belongs to that is sent now; NULL: none. */
const struct probe_cluster *probe_active(const struct probe *p);
void probe_sent(struct probe *p, usec now, size_t size);
/* Size of the padding packet that is due; 0: none. */
size_t probe_padding(struct probe *p, usec now);
/* Drops what nobody could send. */
void probe_timeout(struct probe *p, usec now);
usec probe_deadline(const struct probe *p);

#endif
