/* A consumer of a source with layers, of type simulcast (several streams) or svc (one stream with
 * layers in it): forwards the stream and the layers that its preference and the estimate allow, as
 * one stream without seams. No IO. */
#ifndef WEIR_WORKER_MEDIA_LAYERED_CONSUMER_H
#define WEIR_WORKER_MEDIA_LAYERED_CONSUMER_H

#include "worker/media/consumer.h"

/* in->type: simulcast or svc. */
MUST_CHECK enum err layered_consumer_open(struct transport *t, struct producer *p,
                                          const struct transport_consume_request *in,
                                          struct consumer **out, struct field_error *f);

#endif
