/* Which data producer the messages of an SCTP stream belong to. No IO. */
#ifndef WEIR_WORKER_MEDIA_SCTP_LISTENER_H
#define WEIR_WORKER_MEDIA_SCTP_LISTENER_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct data_producer;
struct sctp_listener_entry;

struct sctp_listener {
    struct sctp_listener_entry *by_stream; /* owned hash */
};

/* ERR_EXISTS: the stream has one; ERR_NOMEM. */
MUST_CHECK enum err sctp_listener_add(struct sctp_listener *l, uint16_t stream,
                                      struct data_producer *p);
void sctp_listener_remove(struct sctp_listener *l, uint16_t stream);
/* NULL: none. */
struct data_producer *sctp_listener_find(const struct sctp_listener *l, uint16_t stream);
void sctp_listener_fini(struct sctp_listener *l);

#endif
