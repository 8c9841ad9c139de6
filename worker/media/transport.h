/* What all transports have in common: producers and consumers, RTP and RTCP in and out, header
 * extensions, statistics. The kinds (webrtc_transport.h, plain_transport.h) embed it and say by
 * their ops how bytes come and go. No IO. */
#ifndef WEIR_WORKER_MEDIA_TRANSPORT_H
#define WEIR_WORKER_MEDIA_TRANSPORT_H

#include "common/fields.h"
#include "common/list.h"
#include "common/packet.h"
#include "proto/pipe_produce.h"
#include "proto/pipe_transport.h"
#include "worker/bwe/remb.h"
#include "worker/bwe/twcc_receiver.h"
#include "worker/engine/seal.h"
#include "worker/media/ext_layout.h"
#include "worker/media/object.h"
#include "worker/media/ssrc_map.h"
#include "worker/media/timers.h"
#include "worker/media/txq.h"
#include "worker/rtp/codec.h"
#include "worker/rtp/layers.h"
#include "worker/rtp/rate.h"

enum {
    TRANSPORT_MAX_PRODUCERS = 1024,
    TRANSPORT_MAX_CONSUMERS = 2000, /* each has up to two of the SEAL_SSRC_MAX SSRCs */
    RTCP_MTU = 1200                 /* bytes of an RTCP compound packet before SRTP */
};

struct worker;
struct router;
struct producer;
struct consumer;
struct sctp_link;
struct transport_bwe;
struct transport_pace;
struct paced;
struct transport;

struct transport_ops {
    enum transport_type type;
    enum transport_stat_type stat_type;
    /* A datagram from one of its tuples or sockets. */
    void (*datagram)(struct transport *t, usec now, const struct tuple *from, struct packet *p);
    void (*tcp_closed)(struct transport *t, usec now, const struct tuple *tuple);
    /* Sends one SCTP packet if it can; called by sctp_link.c alone. NULL: never with SCTP. */
    void (*sctp_packet)(struct transport *t, usec now, struct slice packet);
    /* Packets for the controller, of a kind that has no rtp_dest; NULL: never. */
    void (*take_rtp)(struct transport *t, uint32_t ssrc, struct slice bytes);
    void (*take_rtcp)(struct transport *t, struct slice bytes);
    /* What the kind has more to tell; strings from the arena or the transport. */
    enum err (*dump)(struct transport *t, struct arena *arena, struct transport_dump_response *out);
    enum err (*stats)(struct transport *t, struct arena *arena,
                      struct transport_get_stats_response *out);
    /* Ends and frees the whole, base included, by transport_fini. */
    void (*close)(struct transport *t, usec now);
};

/* Bytes since the start, and lately. */
struct flow {
    uint64_t bytes;
    struct rate rate;
};

struct transport {
    struct object object;
    const struct transport_ops *ops;
    struct worker *worker; /* parent's parent, outlives us */
    struct router *router; /* parent, outlives us */
    struct list in_router;
    struct list producers; /* owned, struct producer.in_transport */
    struct list consumers; /* owned, struct consumer.in_transport */
    size_t n_producers;
    size_t n_consumers;

    /* ---- data channels: transport_data.h ---- */
    struct sctp_link *sctp;     /* owned; NULL: without SCTP */
    struct list data_producers; /* owned, struct data_producer.in_transport */
    struct list data_consumers; /* owned, struct data_consumer.in_transport */
    size_t n_data_producers;
    size_t n_data_consumers;

    struct timer feedback_timer; /* transport-wide feedback, REMB */

    /* ---- out ---- */
    struct timer rtcp_timer;     /* reports; looked at with each burst */
    struct tx_dest *rtp_dest;    /* in the kind; NULL: nowhere to send to now */
    struct tx_dest *rtcp_dest;   /* the same where RTCP is multiplexed */
    struct sealer *sealer;       /* owned; NULL: plain RTP, or not keyed yet */
    bool connected;              /* media may flow */
    bool batch;                  /* sealing RTP with others' pays: see seal_batch.h */
    uint16_t twcc_number;        /* next transport-wide sequence number */
    struct transport_bwe *bwe;   /* owned; NULL: nothing is estimated, see transport_bwe.h */
    struct transport_pace *pace; /* owned; NULL: nothing waits, see transport_pace.h */
    struct flow rtp_sent;
    struct ssrc_map ssrcs; /* of consumers, RTX too -> struct consumer */

    /* ---- in ---- */
    struct opener *opener;      /* owned */
    struct ssrc_map listener;   /* -> struct producer_stream, see rtp_listener.h */
    struct ext_ids recv_ext;    /* of what its producers announced */
    struct twcc_receiver *twcc; /* owned, once a packet with the extension came */
    uint32_t twcc_ssrc;         /* of the last packet with it */
    struct remb remb;
    bool use_remb;
    uint32_t local_ssrc; /* that RTCP of our own comes from */

    uint64_t max_incoming_bps; /* 0: not set, as those below */
    uint64_t max_outgoing_bps;
    uint64_t min_outgoing_bps;
    uint64_t initial_outgoing_bps;
    uint32_t max_send_message_size;
    uint32_t max_receive_message_size;
    uint32_t trace; /* bit: enum transport_trace_type */

    struct flow received; /* everything */
    struct flow sent;     /* all but RTP and RTX, which are counted apart */
    struct flow rtp_received;
    struct flow rtx_received;
    struct flow rtx_sent;
};

static inline void flow_add(struct flow *f, usec now, size_t bytes)
{
    f->bytes += bytes;
    rate_add(&f->rate, now, bytes);
}

/* ---- life cycle, for the kinds and the router ---- */

MUST_CHECK enum err transport_init(struct transport *t, const struct transport_ops *ops,
                                   struct router *router, const char *id, usec now,
                                   struct field_error *f);
/* Closes consumers and producers; fine for a half-initialised one. */
void transport_fini(struct transport *t, usec now);
struct transport *transport_of(struct object *o);

/* Media may flow from now on, or no longer: consumers start with a key frame. */
void transport_set_connected(struct transport *t, usec now, bool connected);

/* ---- in: transport_in.c, transport_rtcp_in.c ---- */

/* An RTP or RTCP packet from a tuple that may send; opened in place. True: it was authentic (or
 * there is no SRTP) and well formed. */
bool transport_rtp(struct transport *t, usec now, struct packet *p);
bool transport_rtcp(struct transport *t, usec now, struct packet *p);
/* Sends transport-wide feedback or REMB if due, and sets the timer for the next. */
void transport_feedback(struct transport *t, usec now);

/* ---- out: transport_out.c, transport_rtcp_out.c ---- */

/* One RTP packet made from a received one. */
struct rtp_out {
    const struct rtp_view *view; /* where payload and CSRC-less rest come from */
    const struct ext_layout *layout;
    const struct ext_brought *brought;
    usec time; /* for abs-send-time */
    uint32_t ssrc;
    uint32_t timestamp;
    uint16_t seq;
    uint16_t number;   /* transport-wide, with layout->number_at */
    uint16_t osn;      /* with rtx */
    layer_patch patch; /* of the payload, by codec; 0: none */
    enum codec codec;
    uint8_t payload_type;
    uint8_t padding; /* bytes behind the payload, their count included */
    bool marker;
    bool probe;    /* sent for its size: it counts as neither media nor retransmission */
    bool rtx;      /* RFC 4588: the original number goes in front of the payload */
    bool may_wait; /* part of a burst that is to be spread: transport_pace.h */
    bool again;    /* the very packet that was sent before, byte for byte */
};

/* Bytes of the RTP packet (before SRTP), or 0: not sent. */
size_t transport_send_rtp(struct transport *t, usec now, const struct rtp_out *o);
/* One that had to wait, with the time and number of now. */
void transport_send_paced(struct transport *t, usec now, const struct paced *p);
/* Number for the next packet with transport-wide-cc. */
static inline uint16_t transport_next_number(struct transport *t)
{
    return t->twcc_number++;
}
/* A compound packet of at most RTCP_MTU bytes; not connected: dropped. */
void transport_send_rtcp(struct transport *t, usec now, const struct wr *w);
void transport_rtcp_reports(struct transport *t, usec now);
/* A burst was just sent: a report that is nearly due goes along. */
void transport_reports_along(struct transport *t, usec now);
/* The reports go within 50 ms, once: a receiver can play what it gets in step as soon as it has a
 * sender report of both (RFC 6051 2: rapid synchronisation). */
void transport_report_soon(struct transport *t, usec now);

/* ---- requests ---- */

MUST_CHECK enum err transport_produce(struct transport *t, usec now,
                                      const struct transport_produce_request *in,
                                      struct producer **out, struct field_error *f);
MUST_CHECK enum err transport_consume(struct transport *t, usec now,
                                      const struct transport_consume_request *in,
                                      struct consumer **out, struct field_error *f);
MUST_CHECK enum err transport_close_producer(struct transport *t, usec now, const char *id,
                                             struct field_error *f);
MUST_CHECK enum err transport_close_consumer(struct transport *t, usec now, const char *id,
                                             struct field_error *f);
MUST_CHECK enum err transport_set_max_incoming(struct transport *t, usec now, uint64_t bps,
                                               struct field_error *f);
MUST_CHECK enum err transport_set_max_outgoing(struct transport *t, uint64_t bps,
                                               struct field_error *f);
MUST_CHECK enum err transport_set_min_outgoing(struct transport *t, uint64_t bps,
                                               struct field_error *f);
void transport_trace(struct transport *t, const int *types, size_t n);

/* Strings are borrowed from the tree or the arena: use before anything changes. */
MUST_CHECK enum err transport_dump(struct transport *t, struct arena *arena,
                                   struct transport_dump_response *out);
MUST_CHECK enum err transport_stats(struct transport *t, usec now, struct arena *arena,
                                    struct transport_get_stats_response *out);

#endif
