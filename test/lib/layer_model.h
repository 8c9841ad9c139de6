/* Synthetic encoders of layered video for tests: pictures with the dependencies that a mode allows,
 * chosen at random, packed as each codec's RTP payload. What every frame needs is kept as the truth
 * that a strict receiver is checked against. */
#ifndef WEIR_TEST_LAYER_MODEL_H
#define WEIR_TEST_LAYER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"
#include "common/time.h"
#include "proto/dd.h"
#include "proto/rtp.h"
#include "worker/rtp/codec.h"

enum {
    MODEL_STREAMS = 3,
    MODEL_SPATIAL = 3,
    MODEL_TEMPORAL = 3,
    MODEL_REFS = 4,
    MODEL_FRAME_PACKETS = 3,
    MODEL_PICTURE_PACKETS = MODEL_SPATIAL * MODEL_FRAME_PACKETS,
    MODEL_CLOCK = 90000
};

struct model_mode {
    const char *name;
    enum codec codec;
    uint8_t n_streams;
    uint8_t n_spatial; /* in one stream */
    uint8_t n_temporal;
    uint8_t id_bits;  /* picture ids of VP8 and VP9 */
    bool key_svc;     /* L.T._KEY */
    bool independent; /* S.T. */
    bool flexible;    /* VP9 */
    bool dd;
    bool no_temporal_marks; /* VP8 without TID */
};

/* The truth about one frame of one spatial layer. */
struct model_frame {
    uint32_t refs[MODEL_REFS]; /* frames, indices */
    usec captured;
    uint32_t picture; /* counts over all streams: equal for frames of one picture */
    uint8_t n_refs;
    uint8_t stream;
    uint8_t spatial;
    uint8_t temporal;
    uint8_t n_packets;
    bool key; /* of a key picture */
    uint16_t number;
};

struct model_packet {
    uint8_t data[128]; /* RTP */
    uint8_t dd[DD_LEN_MAX];
    size_t len;
    size_t dd_len;
    uint32_t frame;
    uint8_t index; /* in the frame */
    uint8_t stream;
    bool key_start; /* begins a key picture */
    bool last;      /* of the picture */
};

struct model_stream {
    uint32_t last[MODEL_SPATIAL][MODEL_TEMPORAL]; /* frame + 1, 0: none */
    uint32_t ts_offset;
    uint32_t position; /* in the temporal pattern */
    uint32_t since_key;
    uint16_t seq;
    uint16_t picture_id;
    uint16_t frame_number;
    uint8_t tl0;
    uint8_t template_offset;
    bool key_wanted;
    struct dd_structure structure;
};

struct model {
    struct model_mode mode;
    struct rng rng;
    struct model_stream streams[MODEL_STREAMS];
    struct model_frame *frames; /* owned */
    uint32_t n_frames;
    uint32_t cap_frames;
    uint32_t n_pictures;
};

/* wraps: numbers start right before their wraps. */
void model_init(struct model *m, const struct model_mode *mode, uint64_t seed, bool wraps);
void model_fini(struct model *m);
/* The next picture of a stream; returns how many packets. */
size_t model_picture(struct model *m, uint8_t stream, usec now,
                     struct model_packet out[MODEL_PICTURE_PACKETS]);
/* Which frame and packet of it a payload carries, whatever was patched before it. False: none. */
bool model_identify(const struct rtp_view *v, uint32_t *frame, uint8_t *index);

#endif
