/* What a peer, or the controller, gets of one data producer. Owned by a transport. No IO. */
#ifndef WEIR_WORKER_MEDIA_DATA_CONSUMER_H
#define WEIR_WORKER_MEDIA_DATA_CONSUMER_H

#include "common/bytes.h"
#include "common/fields.h"
#include "common/list.h"
#include "common/time.h"
#include "proto/pipe_data.h"
#include "proto/pipe_produce.h"
#include "worker/media/object.h"

struct arena;
struct transport;
struct data_producer;
struct data_message;

struct data_consumer {
    struct object object;
    struct transport *transport;    /* parent, outlives us */
    struct data_producer *producer; /* outlives us: it closes its data consumers */
    struct list in_transport;
    struct list in_producer;
    enum data_type type;
    struct sctp_stream_parameters stream; /* with DATA_TYPE_SCTP */
    char *label;                          /* owned */
    char *protocol;                       /* owned */
    uint16_t *subchannels;                /* owned, SUBCHANNELS_MAX at most, each once */
    size_t n_subchannels;
    uint32_t low_threshold;
    bool paused;
    bool producer_paused;
    uint64_t messages;
    uint64_t bytes;
};

MUST_CHECK enum err data_consumer_open(struct transport *t, struct data_producer *p,
                                       const struct transport_consume_data_request *in,
                                       struct data_consumer **out, struct field_error *f);
/* Leaves its data producer, resets its SCTP stream, and frees it. */
void data_consumer_close(struct data_consumer *c, usec now);
struct data_consumer *data_consumer_of(struct object *o);

void data_consumer_pause(struct data_consumer *c);
void data_consumer_resume(struct data_consumer *c);

/* ---- from its data producer ---- */
void data_consumer_message(struct data_consumer *c, usec now, const struct data_message *m);
void data_consumer_producer_paused(struct data_consumer *c, bool paused);
/* Tells the controller, and closes. */
void data_consumer_producer_closed(struct data_consumer *c, usec now);

/* ---- from SCTP ---- */
void data_consumer_buffered_low(struct transport *t, uint16_t stream, uint32_t buffered);

/* ---- requests ---- */

/* A message of the controller's own. ERR_TYPE: direct; ERR_STATE: not connected; ERR_TOO_LARGE;
 * ERR_FULL. */
MUST_CHECK enum err data_consumer_send(struct data_consumer *c, usec now, uint32_t ppid,
                                       struct slice message, struct field_error *f);
MUST_CHECK enum err data_consumer_set_low_threshold(struct data_consumer *c, uint32_t bytes,
                                                    struct field_error *f);
/* Replaces all; duplicates count once. ERR_NOMEM. */
MUST_CHECK enum err data_consumer_set_subchannels(struct data_consumer *c, const uint16_t *list,
                                                  size_t n, struct field_error *f);
MUST_CHECK enum err data_consumer_add_subchannel(struct data_consumer *c, uint16_t subchannel,
                                                 struct field_error *f);
void data_consumer_remove_subchannel(struct data_consumer *c, uint16_t subchannel);
uint32_t data_consumer_buffered(const struct data_consumer *c);

/* Strings and lists are borrowed. */
void data_consumer_dump(const struct data_consumer *c, struct data_consumer_dump_response *out);
void data_consumer_stats(const struct data_consumer *c, usec now,
                         struct data_consumer_get_stats_response *out);

#endif
