/* A transport for browsers: ICE-lite, DTLS and SRTP composed, on the worker's shared sockets or on
 * its own. Only tuples that ICE validated may speak DTLS or media, and media only once DTLS
 * verified the peer's fingerprint. No IO. */
#ifndef WEIR_WORKER_MEDIA_WEBRTC_TRANSPORT_H
#define WEIR_WORKER_MEDIA_WEBRTC_TRANSPORT_H

#include "common/fields.h"
#include "common/time.h"
#include "proto/pipe_router.h"
#include "proto/pipe_transport.h"

struct router;
struct transport;

MUST_CHECK enum err webrtc_transport_open(struct router *r, usec now,
                                          const struct router_create_webrtc_transport_request *in,
                                          struct transport **out, struct field_error *f);
/* The peer's fingerprints and role; once. */
MUST_CHECK enum err webrtc_transport_connect(struct transport *t, usec now,
                                             const struct webrtc_transport_connect_request *in,
                                             struct webrtc_transport_connect_response *out,
                                             struct field_error *f);
/* Strings are the transport's, valid until the next restart. */
MUST_CHECK enum err webrtc_transport_restart_ice(struct transport *t, usec now,
                                                 struct ice_parameters *out, struct field_error *f);

#endif
