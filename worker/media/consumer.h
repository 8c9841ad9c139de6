/* What a peer gets of one producer: the base of all types of consumers, which embed it and forward
 * by their ops. Owned by a transport. No IO. */
#ifndef WEIR_WORKER_MEDIA_CONSUMER_H
#define WEIR_WORKER_MEDIA_CONSUMER_H

#include "common/arena.h"
#include "common/fields.h"
#include "common/list.h"
#include "proto/pipe_consumer.h"
#include "proto/pipe_produce.h"
#include "proto/rtcp_fb.h"
#include "proto/rtcp_report.h"
#include "proto/rtcp_xr.h"
#include "worker/media/codec_table.h"
#include "worker/media/ext_layout.h"
#include "worker/media/object.h"

struct transport;
struct producer;
struct producer_stream;
struct media_packet;
struct consumer;
struct alloc_consumer;
struct send_stream;

struct consumer_ops {
    enum rtp_type type;
    /* ---- hot ---- */
    void (*rtp)(struct consumer *c, usec now, const struct media_packet *m);
    /* The stream that it sends on; NULL: it has several. For fetching it ahead of time. */
    const struct send_stream *(*sends)(const struct consumer *c);
    /* ---- the peer's RTCP ---- */
    void (*nack)(struct consumer *c, usec now, const struct rtcp_nack *nack);
    void (*report)(struct consumer *c, usec now, const struct rtcp_report *r);
    void (*receiver_time)(struct consumer *c, usec now, uint64_t ntp);
    void (*key_frame)(struct consumer *c, usec now, uint32_t ssrc, bool fir);
    /* About `size` bytes of a datagram for a probe, by padding or an old packet on its RTX SSRC;
     * false: it cannot now. NULL: it never can. */
    bool (*probe)(struct consumer *c, usec now, size_t size);
    /* A stream of the producer fell silent: its newest packet once more, where a receiver cannot
     * know that it was lost. NULL: never. */
    void (*repeat)(struct consumer *c, usec now, const struct producer_stream *s);
    /* ---- ours: sender reports and descriptions, as much as fits ---- */
    bool (*sender_report)(struct consumer *c, usec now, struct wr *w);
    bool (*dlrr)(struct consumer *c, usec now, struct rtcp_dlrr *out);
    /* ---- state ---- */
    void (*started)(struct consumer *c, usec now); /* became active: sync, key frame */
    void (*stopped)(struct consumer *c, usec now); /* became inactive */
    void (*request_key_frame)(struct consumer *c, usec now);
    uint8_t (*score)(const struct consumer *c);
    struct producer_stream *(*source)(const struct consumer *c);
    /* ---- of types with layers; NULL for the others ---- */
    /* Scores of the producer's streams changed. */
    void (*producer_scores)(struct consumer *c);
    /* in: NULL only asks. out: what counts now. */
    void (*prefer)(struct consumer *c, usec now, const struct consumer_layers *in,
                   struct consumer_layers *out);
    /* What could be sent, for sharing out the estimate (worker/bwe/allocation.h), and what came of
     * it: an index of that list, or ALLOC_NONE. Without a call, everything is sent. */
    void (*offer)(struct consumer *c, usec now, struct alloc_consumer *out);
    void (*allot)(struct consumer *c, usec now, int8_t layer);
    /* ---- what it is ---- */
    enum err (*dump)(const struct consumer *c, struct arena *arena,
                     struct consumer_dump_response *out);
    /* At most cap entries; returns how many. */
    size_t (*stats)(struct consumer *c, usec now, struct rtp_stream_stat *out, size_t cap);
    /* Frees the whole, base included by consumer_fini. */
    void (*close)(struct consumer *c);
};

struct consumer {
    struct object object;
    const struct consumer_ops *ops;
    struct transport *transport; /* parent, outlives us */
    struct producer *producer;   /* outlives us: it closes its consumers */
    struct list in_transport;
    size_t producer_slot; /* in producer->consumers */
    enum media_kind kind;
    bool paused;
    bool producer_paused;
    bool active; /* neither, and the transport is connected */
    bool ignore_dtx;
    bool pads; /* what it sends may be padded: its peer is what a browser is */
    uint8_t priority;
    uint8_t told_score; /* in the last event; with told_producer_score */
    uint8_t told_producer_score;
    bool told;
    uint32_t trace;        /* bit: enum consumer_trace_type */
    uint64_t supported[2]; /* bit: payload type that is forwarded, as the router has it */
    uint8_t *renamed;      /* in keep: the peer's payload types by the router's; NULL: the same */
    struct ext_layout layout;
    struct codec_table codecs;
    struct arena keep; /* of what follows, and of codecs */
    struct rtp_parameters *rtp_parameters;
    struct rtp_encoding_parameters *consumable_encodings;
    size_t n_consumable_encodings;
};

/* Makes one of the type that the request names. */
MUST_CHECK enum err consumer_open(struct transport *t, struct producer *p,
                                  const struct transport_consume_request *in, struct consumer **out,
                                  struct field_error *f);
/* Leaves producer and transport, and frees it. */
void consumer_close(struct consumer *c);
struct consumer *consumer_of(struct object *o);

/* ---- for the types ---- */
/* Bytes of padding for this packet. Without RTX it may be asked for and sent again byte for byte,
 * and there is no room to keep its padding. */
uint8_t consumer_padding(const struct consumer *c, const struct media_packet *m,
                         const struct send_stream *s);
MUST_CHECK enum err consumer_init(struct consumer *c, const struct consumer_ops *ops,
                                  struct transport *t, struct producer *p,
                                  const struct transport_consume_request *in,
                                  struct field_error *f);
void consumer_fini(struct consumer *c);

void consumer_pause(struct consumer *c, usec now);
void consumer_resume(struct consumer *c, usec now);
/* The producer paused or resumed, or the transport connected or not: see what follows from it. */
void consumer_producer_paused(struct consumer *c, usec now, bool paused);
void consumer_update(struct consumer *c, usec now);
/* Tells the controller if a score changed. */
void consumer_check_score(struct consumer *c);
/* The producer is going: tells the controller and closes. */
void consumer_producer_closed(struct consumer *c);

static inline bool consumer_supports(const struct consumer *c, uint8_t pt)
{
    return (c->supported[pt >> 6 & 1] >> (pt & 63) & 1) != 0;
}

/* What the peer calls it. */
static inline uint8_t consumer_payload_type(const struct consumer *c, uint8_t pt)
{
    return c->renamed ? c->renamed[pt & 0x7f] : pt;
}

void consumer_trace(struct consumer *c, const int *types, size_t n);
MUST_CHECK enum err consumer_score_now(const struct consumer *c, struct arena *arena,
                                       struct consumer_score *out);
MUST_CHECK enum err consumer_dump(const struct consumer *c, struct arena *arena,
                                  struct consumer_dump_response *out);
MUST_CHECK enum err consumer_stats(struct consumer *c, usec now, struct arena *arena,
                                   struct consumer_get_stats_response *out);

#endif
