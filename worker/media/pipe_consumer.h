/* A consumer of all streams of a producer, each as it is: what a pipe transport carries to another
 * router. No IO. */
#ifndef WEIR_WORKER_MEDIA_PIPE_CONSUMER_H
#define WEIR_WORKER_MEDIA_PIPE_CONSUMER_H

#include "worker/media/consumer.h"

MUST_CHECK enum err pipe_consumer_open(struct transport *t, struct producer *p,
                                       const struct transport_consume_request *in,
                                       struct consumer **out, struct field_error *f);

#endif
