/* What a peer, or the controller, sends on one data channel, and the data consumers that get it.
 * Owned by a transport. No IO. */
#ifndef WEIR_WORKER_MEDIA_DATA_PRODUCER_H
#define WEIR_WORKER_MEDIA_DATA_PRODUCER_H

#include "common/bytes.h"
#include "common/fields.h"
#include "common/list.h"
#include "common/time.h"
#include "proto/pipe_data.h"
#include "proto/pipe_produce.h"
#include "worker/media/object.h"

struct transport;
struct data_consumer;

enum { DATA_PRODUCER_MAX_CONSUMERS = 20000 };

/* As it arrived: an empty message has one byte, and the PPID says that it is empty (RFC 8831 6.6).
 */
struct data_message {
    uint32_t ppid;
    struct slice bytes;
    const uint16_t *subchannels; /* only data consumers with one of these; none: all */
    size_t n_subchannels;
    uint16_t required; /* with has_required: only data consumers with this one */
    uint16_t ignored;  /* with has_ignored: none with this one */
    bool has_required;
    bool has_ignored;
};

struct data_producer {
    struct object object;
    struct transport *transport; /* parent, outlives us */
    struct list in_transport;
    struct list consumers; /* ref: struct data_consumer.in_producer */
    size_t n_consumers;
    enum data_type type;
    struct sctp_stream_parameters stream; /* with DATA_TYPE_SCTP */
    char *label;                          /* owned */
    char *protocol;                       /* owned */
    bool paused;
    uint64_t messages;
    uint64_t bytes;
};

MUST_CHECK enum err data_producer_open(struct transport *t,
                                       const struct transport_produce_data_request *in,
                                       struct data_producer **out, struct field_error *f);
/* Tells and closes its data consumers first. */
void data_producer_close(struct data_producer *p, usec now);
struct data_producer *data_producer_of(struct object *o);

void data_producer_pause(struct data_producer *p);
void data_producer_resume(struct data_producer *p);

/* To all data consumers that want it. What SCTP then has to send: sctp_links_flush. */
void data_producer_message(struct data_producer *p, usec now, const struct data_message *m);

/* Strings are borrowed. */
void data_producer_dump(const struct data_producer *p, struct data_producer_dump_response *out);
void data_producer_stats(const struct data_producer *p, usec now,
                         struct data_producer_get_stats_response *out);

#endif
