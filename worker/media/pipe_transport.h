/* A transport between routers: of one worker, of two, or of two hosts. One UDP socket, one peer at
 * a given address; RTP, RTCP and SCTP side by side on it; RTX and SRTP optional. No IO. */
#ifndef WEIR_WORKER_MEDIA_PIPE_TRANSPORT_H
#define WEIR_WORKER_MEDIA_PIPE_TRANSPORT_H

#include "common/fields.h"
#include "common/time.h"
#include "proto/pipe_router.h"
#include "proto/pipe_transport.h"

struct router;
struct transport;

MUST_CHECK enum err pipe_transport_open(struct router *r, usec now,
                                        const struct router_create_pipe_transport_request *in,
                                        struct transport **out, struct field_error *f);
/* Where the peer is, and what it sends with (with SRTP); once. */
MUST_CHECK enum err pipe_transport_connect(struct transport *t, usec now,
                                           const struct pipe_transport_connect_request *in,
                                           struct arena *arena,
                                           struct pipe_transport_connect_response *out,
                                           struct field_error *f);

#endif
