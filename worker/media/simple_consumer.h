/* A consumer of one stream without layers: forwards it with its own SSRC and a sequence without
 * holes, video from a key frame on. No IO. */
#ifndef WEIR_WORKER_MEDIA_SIMPLE_CONSUMER_H
#define WEIR_WORKER_MEDIA_SIMPLE_CONSUMER_H

#include "worker/media/consumer.h"

MUST_CHECK enum err simple_consumer_open(struct transport *t, struct producer *p,
                                         const struct transport_consume_request *in,
                                         struct consumer **out, struct field_error *f);

#endif
