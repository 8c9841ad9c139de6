/* The codecs of a producer or a consumer by payload type, checked once when it is made. No IO. */
#ifndef WEIR_WORKER_MEDIA_CODEC_TABLE_H
#define WEIR_WORKER_MEDIA_CODEC_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/fields.h"
#include "proto/rtp.h"
#include "proto/rtp_parameters.h"
#include "worker/rtp/codec.h"
#include "worker/rtp/stream.h"

struct codec_entry {
    enum codec codec;
    uint32_t clock_rate;
    uint8_t payload_type;
    uint8_t apt; /* of RTX: the payload type that it repairs */
    bool nack;
    bool pli;
    bool fir;
    bool use_dtx; /* fmtp usedtx=1 */
    bool use_fec; /* fmtp useinbandfec=1 */
    bool remb;
    bool transport_cc;
};

enum { CODEC_TABLE_NONE = 0xff };

struct codec_table {
    struct codec_entry *entries; /* in the arena */
    size_t n;
    uint8_t index[128]; /* by payload type, or CODEC_TABLE_NONE */
};

/* ERR_TYPE naming the field under "rtpParameters": unknown MIME type, another kind, a payload type
 * twice, RTX without a codec to repair, no media codec, an encoding with an unknown codec. */
MUST_CHECK enum err codec_table_init(struct codec_table *t, const struct rtp_parameters *p,
                                     enum media_kind kind, struct arena *arena,
                                     struct field_error *f);

/* NULL: not negotiated. */
static inline const struct codec_entry *codec_table_get(const struct codec_table *t, uint8_t pt)
{
    uint8_t i = t->index[pt & 0x7f];
    return i == CODEC_TABLE_NONE ? NULL : &t->entries[i];
}

/* The media codec of an encoding: the one it names, else the first. */
const struct codec_entry *codec_table_of_encoding(const struct codec_table *t,
                                                  const struct rtp_encoding_parameters *e);
/* The RTX codec that repairs it, or NULL. */
const struct codec_entry *codec_table_rtx(const struct codec_table *t,
                                          const struct codec_entry *media);
/* What a stream of this encoding is like; SSRCs as the encoding says. cname is borrowed from p. */
void codec_table_stream_params(const struct codec_table *t, const struct rtp_parameters *p,
                               const struct rtp_encoding_parameters *e, struct stream_params *out);

/* Writes into p, of which t was made, what it left to us: the codec of each encoding, and codecs as
 * they are registered. */
void codec_table_complete(const struct codec_table *t, struct rtp_parameters *p);

#endif
