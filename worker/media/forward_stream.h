/* One stream of a producer on its way to one consumer, unchanged but for SSRC, payload type and
 * header extensions, with a sequence without holes, video from a key frame on. A simple consumer
 * has one, a pipe consumer one an encoding. No IO. */
#ifndef WEIR_WORKER_MEDIA_FORWARD_STREAM_H
#define WEIR_WORKER_MEDIA_FORWARD_STREAM_H

#include "common/arena.h"
#include "common/bytes.h"
#include "common/err.h"
#include "proto/pipe_common.h"
#include "proto/rtcp_fb.h"
#include "worker/media/replay.h"
#include "worker/rtp/send_stream.h"
#include "worker/rtp/seq.h"

struct consumer;
struct producer_stream;
struct media_packet;

struct forward_stream {
    struct consumer *consumer;      /* parent */
    struct producer_stream *source; /* in the producer, which outlives us */
    size_t index;                   /* of its encoding, in producer and consumer */
    uint32_t ts_offset;             /* outgoing - incoming timestamp */
    uint32_t last_ts;               /* outgoing */
    usec last_at;                   /* when that was sent */
    bool sent;                      /* anything yet: last_* are valid */
    bool need_sync;                 /* the next packet forwarded must be one to start with */
    bool new_timeline;              /* the sender restarted: its timestamps go on from anywhere */
    struct replay replay;
    struct seq_rewriter seq;
    struct send_stream send;
};

/* From encoding `index` of the consumer's parameters and the producer's stream of that index. */
void forward_stream_init(struct forward_stream *s, struct consumer *c, size_t index);
void forward_stream_fini(struct forward_stream *s);

/* A packet of its source. */
void forward_stream_rtp(struct forward_stream *s, usec now, const struct media_packet *m);

/* ---- the peer's RTCP, about its SSRC ---- */
void forward_stream_nack(struct forward_stream *s, usec now, const struct rtcp_nack *nack);
void forward_stream_key_frame(struct forward_stream *s, usec now, bool fir);

/* About `size` bytes of a datagram on its RTX SSRC, for a probe: its newest packet once more where
 * that fits, and padding. False: it has no RTX, or sent nothing yet. */
bool forward_stream_probe(struct forward_stream *s, usec now, size_t size);

/* Its newest packet once more on its RTX SSRC, unasked. */
void forward_stream_repeat(struct forward_stream *s, usec now);

/* Sender reports and descriptions of it and its RTX; false: nothing to report. */
bool forward_stream_report(struct forward_stream *s, usec now, struct wr *w);

/* ---- state ---- */
void forward_stream_start(struct forward_stream *s, usec now);
void forward_stream_stop(struct forward_stream *s);
/* Asks the producer for a key frame. */
void forward_stream_ask(struct forward_stream *s, usec now);

/* ---- what it is ---- */
MUST_CHECK enum err forward_stream_dump(const struct forward_stream *s, struct arena *arena,
                                        struct rtp_stream_dump *out);
void forward_stream_stats(struct forward_stream *s, usec now, struct rtp_stream_stat *out);
/* Of what it is made of; false: nothing came yet. */
bool forward_stream_source_stats(struct forward_stream *s, usec now, struct rtp_stream_stat *out);

#endif
