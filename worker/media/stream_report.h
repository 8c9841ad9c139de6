/* How one RTP stream, received or sent, shows in dumps and statistics. No IO. */
#ifndef WEIR_WORKER_MEDIA_STREAM_REPORT_H
#define WEIR_WORKER_MEDIA_STREAM_REPORT_H

#include "common/arena.h"
#include "proto/pipe_common.h"
#include "worker/media/codec_table.h"
#include "worker/rtp/stream.h"

/* Strings are borrowed from params, which stays with its stream. */
MUST_CHECK enum err stream_report_dump(struct rtp_stream_dump *out, struct arena *arena,
                                       const struct stream_params *params,
                                       const struct codec_table *codecs,
                                       const struct rtp_encoding_parameters *e, uint32_t index,
                                       uint8_t score);

/* rid may be NULL. */
void stream_report_stat(struct rtp_stream_stat *out, enum rtp_stat_type type, usec now,
                        const struct stream_params *params, enum media_kind kind, const char *rid,
                        const struct stream_stats *stats);

#endif
