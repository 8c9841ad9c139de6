/* A transport for ffmpeg, GStreamer and the like: RTP and RTCP on sockets of its own, to an address
 * that is given or learnt (comedia), with SRTP under given keys or without. No IO. */
#ifndef WEIR_WORKER_MEDIA_PLAIN_TRANSPORT_H
#define WEIR_WORKER_MEDIA_PLAIN_TRANSPORT_H

#include "common/fields.h"
#include "common/time.h"
#include "proto/pipe_router.h"
#include "proto/pipe_transport.h"

struct router;
struct transport;

MUST_CHECK enum err plain_transport_open(struct router *r, usec now,
                                         const struct router_create_plain_transport_request *in,
                                         struct transport **out, struct field_error *f);
/* Where the peer is (unless comedia), and what it sends with (with SRTP); once. */
MUST_CHECK enum err plain_transport_connect(struct transport *t, usec now,
                                            const struct plain_transport_connect_request *in,
                                            struct arena *arena,
                                            struct plain_transport_connect_response *out,
                                            struct field_error *f);

#endif
