/* The inside of struct worker, for the object tree only; io and api use worker.h. */
#ifndef WEIR_WORKER_MEDIA_WORKER_STATE_H
#define WEIR_WORKER_MEDIA_WORKER_STATE_H

#include "worker/engine/dtls.h"
#include "worker/engine/sctp.h"
#include "worker/engine/sink.h"
#include "worker/media/demux.h"
#include "worker/media/forward_batch.h"
#include "worker/media/object.h"
#include "worker/media/seal_batch.h"
#include "worker/media/timers.h"
#include "worker/media/worker.h"

enum {
    WORKER_STRAY_DESTS = 256, /* answers to addresses that no transport sends to, between drains */
    WORKER_MAX_ROUTERS = 100000
};

struct worker {
    struct worker_config config;
    struct txq txq;
    struct packet_pool pool;
    struct timers timers;
    struct assoc_group sctp_group;
    struct timer sctp_timer; /* of all associations, see sctp_link.h */
    struct demux demux;
    struct objects objects;
    struct list routers; /* owned, struct router.in_worker */
    size_t n_routers;
    struct list webrtc_servers; /* owned, struct webrtc_server.in_worker */
    size_t n_webrtc_servers;
    struct worker_counters counters;
    struct forward_batch forward_batch; /* flushed before a burst ends */
    struct seal_batch seal_batch;       /* flushed before an entry point returns */
    struct dtls_identity *identity;     /* owned */
    struct tx_dest *strays;             /* owned, WORKER_STRAY_DESTS */
    size_t next_stray;
    usec started_at;
    usec wall_offset; /* wall clock minus monotonic clock, at the start */
    struct sink ice_sink;
    struct sink dtls_sink; /* apart, as an ICE event can start DTLS while ICE's sink is drained */
};

void worker_notify(struct worker *w, const char *id, int event, const void *data);
/* One datagram to an address that no transport has as its destination, such as an answer to a
 * connectivity check. */
void worker_send_stray(struct worker *w, const struct tuple *to, struct slice bytes);
/* 32.32 s since 1900. */
uint64_t worker_ntp(const struct worker *w, usec now);

#endif
