/* Senders with estimators behind one bottleneck, in virtual time: sources that follow the estimate,
 * transport-wide feedback as real bytes over a way back, a TCP-like flow beside. Records a time
 * series. For simulations only. */
#ifndef WEIR_TEST_BWE_SIM_H
#define WEIR_TEST_BWE_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"
#include "common/time.h"
#include "test/lib/link.h"
#include "worker/bwe/allocation.h"
#include "worker/bwe/estimator.h"
#include "worker/bwe/pacer.h"
#include "worker/bwe/twcc_receiver.h"

enum {
    BWE_FLOWS = 4,
    BWE_STEPS = 8,
    BWE_SAMPLE_US = 100 * 1000,
    BWE_SAMPLES = 1800,
    BWE_WAITING = 16384, /* packets in a pacer's queue */
    BWE_TCP_WINDOW = 8192,
    BWE_LAYERS = 8
};

struct bwe_step {
    usec at;
    uint64_t bps;
};

struct bwe_flow_config {
    usec start;
    usec stop;                   /* 0: never */
    uint64_t initial_bps;        /* 0: default */
    uint64_t source_bps;         /* 0: as much as the estimate */
    uint64_t desired_bps;        /* 0: no bound */
    uint32_t layers[BWE_LAYERS]; /* bit/s; the source has these, and the estimate chooses */
    bool no_padding;             /* probes are not sent */
    bool no_pacer;
    usec pacer_depth; /* 0: PACER_BURST_US */
    bool no_feedback;
    double key_frame; /* size of one every 5 s, in average frames; 0: none */
    usec back_delay;  /* extra, on the way back */
    double back_loss;
};

struct bwe_config {
    struct bwe_step capacity[BWE_STEPS]; /* the first at 0; bps 0 ends the list */
    usec rtt;
    usec queue; /* of the bottleneck, in time at its first rate; 0: 300 ms */
    double loss;
    double burst_length; /* packets; > 1: the loss comes in bursts */
    usec jitter;
    usec duration;
    uint64_t seed;
    struct bwe_flow_config flows[BWE_FLOWS];
    unsigned n_flows;
    usec tcp_start; /* 0: no TCP */
    usec tcp_stop;
};

struct bwe_flow {
    struct bwe_flow_config config;
    struct estimator est; /* owned */
    struct pacer pacer;
    struct alloc_consumer consumer;
    unsigned switches; /* of layers */
    struct twcc_receiver receiver;
    struct link back;
    uint16_t seq;
    usec next_frame;
    usec key_at;
    double debt; /* bytes that a key frame took from the frames after it */
    uint16_t waiting[BWE_WAITING];
    unsigned head;
    unsigned n_waiting;
    size_t queued;
    usec stop;
    /* of the present sample */
    uint64_t sent_bytes;
    uint64_t arrived_bytes;
    /* in all */
    uint64_t padding_bytes;
    uint64_t media_bytes;
    usec longest_pacing; /* time to empty the pacer's queue */
};

struct bwe_tcp {
    bool running;
    double window; /* packets */
    double threshold;
    uint32_t next;
    uint32_t highest; /* acknowledged */
    uint32_t recover;
    uint32_t in_flight;
    uint8_t state[BWE_TCP_WINDOW];
    usec heard_at;
    struct link back;
    uint64_t arrived_bytes;
};

struct bwe_sample {
    double at; /* s */
    double capacity;
    double target[BWE_FLOWS]; /* bit/s */
    double sent[BWE_FLOWS];
    double arrived[BWE_FLOWS];
    double tcp;
    double queue_max; /* ms, within the sample */
    double queue_min;
};

struct bwe_sim {
    struct bwe_config config;
    usec now;
    struct link there;
    struct bwe_flow flows[BWE_FLOWS];
    struct bwe_tcp tcp;
    struct rng rng;
    struct bwe_sample samples[BWE_SAMPLES];
    unsigned n;
    usec sample_at;
    double queue_max;
    double queue_min;
};

/* One flow over one link. */
struct bwe_config bwe_sim_plain(uint64_t rate, int rtt_ms, double seconds, uint64_t seed);
/* Runs it from beginning to end. s is large: static. */
void bwe_sim_run(struct bwe_sim *s, const struct bwe_config *c);

struct bwe_result {
    double share;          /* mean target over mean capacity */
    double share_low;      /* least over a second */
    double share_high;     /* greatest over a second */
    double goodput;        /* mean arrived over mean capacity */
    double queue_standing; /* ms: the greatest of the least within half a second */
    double queue_max;      /* ms */
    double settled; /* s from `from` until it is, and for three seconds on average stays, within 80
                       to 105 %; 999: never */
};

/* Of one flow between two times in seconds. */
struct bwe_result bwe_sim_result(const struct bwe_sim *s, unsigned flow, double from, double to);
/* Seconds after from until the target is at least this share of capacity, over half a second; 999:
 * never. */
double bwe_sim_reaches(const struct bwe_sim *s, unsigned flow, double from, double to,
                       double share);
/* Comma-separated values, one line a sample. */
void bwe_sim_print(const struct bwe_sim *s);

#endif
