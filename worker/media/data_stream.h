/* SCTP stream parameters of data producers and data consumers: what must hold, and what they mean.
 * No IO. */
#ifndef WEIR_WORKER_MEDIA_DATA_STREAM_H
#define WEIR_WORKER_MEDIA_DATA_STREAM_H

#include "common/fields.h"
#include "proto/pipe_data.h"
#include "worker/engine/sctp.h"

struct transport;

/* p may be NULL. Errors name `type` or a field below sctpStreamParameters. */
MUST_CHECK enum err data_stream_check(const struct transport *t, enum data_type type,
                                      const struct sctp_stream_parameters *p,
                                      struct field_error *f);

struct assoc_sending data_stream_sending(const struct sctp_stream_parameters *p, uint32_t ppid);

#endif
