/* A transport whose peer is the controller: RTP, RTCP and messages come and go over the pipe. No
 * address, no keys; it is connected as long as it exists. No IO. */
#ifndef WEIR_WORKER_MEDIA_DIRECT_TRANSPORT_H
#define WEIR_WORKER_MEDIA_DIRECT_TRANSPORT_H

#include "common/bytes.h"
#include "common/fields.h"
#include "common/time.h"
#include "proto/pipe_router.h"
#include "proto/pipe_transport.h"

struct router;
struct transport;
struct producer;

MUST_CHECK enum err direct_transport_open(struct router *r, usec now,
                                          const struct router_create_direct_transport_request *in,
                                          struct transport **out, struct field_error *f);

/* From the controller. What does not parse is counted and dropped, as from any peer. ERR_NOMEM: no
 * packet is free. ERR_TOO_LARGE. ERR_TYPE: not of a direct transport. */
MUST_CHECK enum err direct_transport_rtp(struct producer *p, usec now, struct slice bytes);
MUST_CHECK enum err direct_transport_rtcp(struct transport *t, usec now, struct slice bytes);

#endif
