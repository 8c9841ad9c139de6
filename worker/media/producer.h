/* What a peer sends of one track: its received streams, and the consumers that get them. Owned by a
 * transport. No IO. */
#ifndef WEIR_WORKER_MEDIA_PRODUCER_H
#define WEIR_WORKER_MEDIA_PRODUCER_H

#include "common/arena.h"
#include "common/fields.h"
#include "common/list.h"
#include "common/packet.h"
#include "proto/pipe_producer.h"
#include "proto/pipe_produce.h"
#include "worker/media/codec_table.h"
#include "worker/media/ext_layout.h"
#include "worker/media/gop_cache.h"
#include "worker/media/held.h"
#include "worker/media/object.h"
#include "worker/media/timers.h"
#include "worker/rtp/keyframe.h"
#include "worker/rtp/layer_packet.h"
#include "worker/rtp/layer_rate.h"
#include "worker/rtp/picture_size.h"
#include "worker/rtp/recv_stream.h"

enum { PRODUCER_MAX_STREAMS = 16, PRODUCER_MAX_CONSUMERS = 100000 };

struct transport;
struct consumer;
struct producer;

/* A sender report that came before the first packet. */
struct early_report {
    usec at; /* 0: none came */
    uint64_t ntp;
    uint32_t rtp_timestamp;
};

/* One encoding. Begins with its first packet. */
struct producer_stream {
    struct producer *producer; /* parent */
    uint8_t index;             /* of its encoding */
    bool started;              /* a packet came: recv is valid */
    struct picture_size size;  /* of its newest key frame; 0: unknown */
    bool has_ssrc;             /* announced or learnt; so is rtx */
    bool has_rtx_ssrc;
    uint8_t score; /* told last */
    uint8_t fir_seq;
    uint8_t behind;  /* see sibling_watch.h */
    uint8_t repeats; /* since the newest packet */
    uint32_t ssrc;
    uint32_t rtx_ssrc;
    uint32_t mapped_ssrc;
    struct early_report early_report;
    struct recv_stream recv;
    struct keyframe keyframe;
    struct held held;
    struct gop_cache gop;
    struct layer_stream layers;
    struct layer_rate layer_rate; /* while there are consumers of layers */
    struct timer timer;           /* NACK, inactivity, key-frame retries, age of gop */
};

struct producer {
    struct object object;
    struct transport *transport; /* parent, outlives us */
    struct list in_transport;
    enum media_kind kind;
    enum rtp_type type;
    bool paused;
    bool has_orientation;
    uint8_t orientation;      /* last byte of video-orientation */
    struct picture_size size; /* told last */
    uint32_t trace;           /* bit: enum producer_trace_type */
    struct ext_ids ext;
    struct codec_table codecs;
    uint8_t mapped_pt[128];          /* by payload type */
    struct producer_stream *streams; /* owned, one an encoding */
    size_t n_streams;
    struct consumer **consumers; /* owned array; consumers remove themselves */
    size_t n_consumers;
    size_t cap_consumers;
    size_t n_layered;      /* consumers that look at layers */
    struct list observers; /* struct observed.in_producer; they let go of it when it closes */
    struct arena keep;     /* of what follows */
    struct rtp_parameters *rtp_parameters;
    struct rtp_mapping *rtp_mapping;
};

/* A packet on its way to the consumers. */
struct media_packet {
    struct packet *packet; /* a consumer may take a reference */
    struct rtp_view view;
    struct ext_brought brought;
    struct producer_stream *stream;
    uint8_t payload_type; /* mapped */
    bool key_frame;
    bool restarted;    /* the sender's numbering began anew with this packet */
    bool late;         /* newer ones came before; see producer_stream.held */
    uint8_t padding;   /* that consumers with `pads` add, see burst_padding.h */
    bool padding_only; /* a probe: nothing to forward, but its number must close up */
    const struct layer_packet *layers; /* of video; NULL: no consumer looks at them */
};

MUST_CHECK enum err producer_open(struct transport *t, usec now,
                                  const struct transport_produce_request *in, struct producer **out,
                                  struct field_error *f);
/* Closes its consumers, which tell the controller so. */
void producer_close(struct producer *p, usec now);
struct producer *producer_of(struct object *o);

/* A packet of one of its streams; rtx: of the stream's RTX SSRC. The view's bytes may be changed.
 */
void producer_rtp(struct producer *p, usec now, struct producer_stream *s, bool rtx,
                  struct packet *packet, struct rtp_view *v);
/* One of s->held again; false: nothing to forward. */
bool media_packet_held(struct media_packet *m, struct producer_stream *s, struct packet *packet);
/* Reads m's layers into out, and sets m->layers. */
void producer_stream_layers(struct producer_stream *s, struct media_packet *m,
                            struct layer_packet *out);
void producer_stream_timeout(struct producer_stream *s, usec now);
void producer_pause(struct producer *p, usec now);
void producer_resume(struct producer *p, usec now);

/* A consumer needs a key frame of this stream: throttled and repeated here. */
void producer_request_key_frame(struct producer *p, usec now, struct producer_stream *s);
/* Anything is kept of its streams for consumers that start. */
bool producer_has_gop(const struct producer *p);
/* Whether a consumer that starts from nothing is served better by s->gop than by a request, which
 * would have to wait (keyFrameRequestDelay). pace_bps: what may be sent to it; 0: no limit. */
bool producer_may_replay(struct producer_stream *s, usec now, uint64_t pace_bps);
/* May come before the stream's first packet. The first one is passed on to consumers at once. */
void producer_sr(struct producer *p, usec now, struct producer_stream *s, const struct rtcp_sr *sr);
/* Report blocks of all streams; returns how many (at most 2 a stream). */
size_t producer_reports(struct producer *p, usec now, struct rtcp_report *out, size_t cap);
/* Tells scores that changed. */
void producer_check_scores(struct producer *p);
/* 0: nothing arrives. */
uint8_t producer_stream_score(const struct producer_stream *s);

MUST_CHECK enum err producer_attach(struct producer *p, struct consumer *c);
void producer_detach(struct producer *p, struct consumer *c);

void producer_trace(struct producer *p, const int *types, size_t n);
/* Strings are borrowed from the tree or the arena. */
MUST_CHECK enum err producer_dump(const struct producer *p, struct arena *arena,
                                  struct producer_dump_response *out);
MUST_CHECK enum err producer_stats(struct producer *p, usec now, struct arena *arena,
                                   struct producer_get_stats_response *out);

#endif
