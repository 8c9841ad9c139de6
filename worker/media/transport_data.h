/* Data producers and data consumers of a transport. No IO. */
#ifndef WEIR_WORKER_MEDIA_TRANSPORT_DATA_H
#define WEIR_WORKER_MEDIA_TRANSPORT_DATA_H

#include "common/fields.h"
#include "common/time.h"
#include "proto/pipe_produce.h"
#include "proto/pipe_transport.h"

enum { TRANSPORT_MAX_DATA_PRODUCERS = 1024, TRANSPORT_MAX_DATA_CONSUMERS = 2000 };

struct transport;
struct data_producer;
struct data_consumer;

void transport_data_init(struct transport *t);
/* Closes data consumers, data producers and SCTP; fine when done before. While SCTP's layer below
 * still stands, so that the peer hears of it. */
void transport_data_close(struct transport *t, usec now);
/* The data consumers alone, silently: all of the router is going. */
void transport_data_close_consumers(struct transport *t, usec now);

MUST_CHECK enum err transport_produce_data(struct transport *t,
                                           const struct transport_produce_data_request *in,
                                           struct data_producer **out, struct field_error *f);
MUST_CHECK enum err transport_consume_data(struct transport *t,
                                           const struct transport_consume_data_request *in,
                                           struct data_consumer **out, struct field_error *f);
MUST_CHECK enum err transport_close_data_producer(struct transport *t, usec now, const char *id,
                                                  struct field_error *f);
MUST_CHECK enum err transport_close_data_consumer(struct transport *t, usec now, const char *id,
                                                  struct field_error *f);

/* Ids, and SCTP's part. */
MUST_CHECK enum err transport_data_dump(const struct transport *t, struct arena *arena,
                                        struct transport_dump_response *out);

#endif
