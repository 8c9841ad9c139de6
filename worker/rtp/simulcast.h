/* What one consumer gets of a source with layers: several received streams of one picture
 * (simulcast), or one stream with layers in it (SVC), as one stream without seams. Chooses the
 * stream and the layers, switches on key frames, and gives each packet its number and timestamp.
 * Sans-IO: packets and events in; what to send, key frames to ask for and layers to report out.
 *
 * Spatial layers are the streams where there are several, else those inside of the stream. */
#ifndef WEIR_RTP_SIMULCAST_H
#define WEIR_RTP_SIMULCAST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/time.h"
#include "worker/rtp/layer_packet.h"
#include "worker/rtp/layer_selector.h"
#include "worker/rtp/layers.h"
#include "worker/rtp/seq.h"
#include "worker/rtp/sr_map.h"
#include "worker/rtp/timeline.h"

enum {
    SIMULCAST_STREAMS_MAX = 16,
    SIMULCAST_HELD_MAX = 512 /* packets that can be shown again after a late key frame */
};

struct simulcast_config {
    enum codec codec;
    uint32_t clock_rate;
    uint8_t n_streams;  /* 1..SIMULCAST_STREAMS_MAX, from low to high */
    uint8_t n_spatial;  /* as announced (scalabilityMode) for one stream, 1 with several */
    uint8_t n_temporal; /* as announced; 1: unknown, so nothing is left out */
    bool key_svc;
    bool lowest_spatial; /* of one stream, the receiver can put together no other layer */
    uint16_t first_seq;  /* first number given out */
};

struct simulcast {
    struct selector selector;
    struct seq_rewriter seq;
    struct timeline timeline;
    struct layers preferred; /* by the application; within what there is */
    struct layers max;       /* by the estimate */
    struct layers told;      /* last given by simulcast_layers_changed */
    uint64_t unknown;        /* bit k: packet unknown_first + k was not understood */
    uint16_t unknown_first;
    uint16_t alive;                         /* bit: stream from which something arrives */
    uint16_t want;                          /* bit: stream of which a key frame is needed */
    uint16_t seen;                          /* bit: newest is valid */
    uint16_t newest[SIMULCAST_STREAMS_MAX]; /* number, by stream */
    uint16_t waiting_from; /* newest of the target when waiting for its key frame began */
    int8_t waiting;        /* for a key frame of this stream, or LAYER_NONE */
    uint8_t n_streams;
    uint8_t n_spatial;
    uint8_t n_temporal;
    int8_t current; /* stream, or LAYER_NONE: the next packet sent begins a key frame */
    int8_t target;  /* stream, or LAYER_NONE */
    int8_t line;    /* stream whose timestamps the timeline maps, or LAYER_NONE */
    bool active;
    bool lowest_spatial;
    bool resync;   /* the current stream began its numbering anew */
    bool new_line; /* and its timestamps: reports from before do not tell how they go on */
    bool synced;   /* the last packet was the first after a sync */
};

void simulcast_init(struct simulcast *s, const struct simulcast_config *c);

/* ---- what is wanted ---- */

/* The consumer is active, or not: then nothing is sent. */
void simulcast_start(struct simulcast *s);
void simulcast_stop(struct simulcast *s);
/* Takes the nearest there is, and returns that. A temporal LAYER_NONE means the highest. */
struct layers simulcast_prefer(struct simulcast *s, struct layers preferred);
/* What the estimate allows: LAYERS_ANY at first; LAYERS_NONE stops sending. */
void simulcast_limit(struct simulcast *s, struct layers max);
/* Whether something arrives of a stream (its score is above 0). A packet says so too. */
void simulcast_alive(struct simulcast *s, uint8_t stream, bool alive);
/* A receiver asks for a key frame. */
void simulcast_key_frame(struct simulcast *s);

/* What follows of this stream begins anew with this number, though newer ones came: it was kept. */
void simulcast_rewind(struct simulcast *s, uint8_t stream, uint16_t seq);

/* ---- packets ---- */

enum simulcast_verdict {
    SIMULCAST_NOTHING,
    SIMULCAST_SEND,
    SIMULCAST_FILL /* without payload: this number was left open for a packet that is not wanted */
};

struct simulcast_in {
    const struct layer_packet *packet;
    const struct sr_map *sr;      /* of the packet's stream; NULL: not known */
    const struct sr_map *line_sr; /* of the stream simulcast_line, if there is one */
    uint8_t stream;
    bool restarted; /* its numbering began anew with this packet */
    bool again;     /* had come before and was held, see .replay */
    bool left_out;  /* of a stream that is silent: sent again, no sign of life */
};

struct simulcast_out {
    uint32_t timestamp;
    uint16_t seq;
    bool marker;
    bool replay; /* what came before this packet though it follows by number may be useful now:
                    show what was held since a key frame was asked for, with .again */
    layer_patch patch;
};

static inline int8_t simulcast_line(const struct simulcast *s)
{
    return s->line;
}

enum simulcast_verdict simulcast_packet(struct simulcast *s, usec now,
                                        const struct simulcast_in *in, struct simulcast_out *out);
/* The same for a packet that this consumer cannot get for other reasons: padding, another payload
 * type. NOTHING or FILL. */
enum simulcast_verdict simulcast_skip(struct simulcast *s, uint8_t stream, uint16_t seq,
                                      uint32_t timestamp, struct simulcast_out *out);

/* ---- what follows: to be asked after each of the above ---- */

/* A stream to ask for a key frame, or LAYER_NONE; call until that. The asking is throttled and
 * repeated by the stream (keyframe.h); this says so again with each packet in vain. */
int8_t simulcast_take_key_request(struct simulcast *s);
/* True once when the layers that are sent became others; LAYERS_NONE: none. */
bool simulcast_layers_changed(struct simulcast *s, struct layers *out);

/* For dumps. In terms of spatial and temporal layers of the source. */
struct layers simulcast_current_layers(const struct simulcast *s);
struct layers simulcast_target_layers(const struct simulcast *s);

#endif
