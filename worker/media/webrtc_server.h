/* Sockets that many WebRTC transports share: datagrams find their transport by ICE username
 * fragment and by tuple (demux.h). Owned by the worker. No IO of its own. */
#ifndef WEIR_WORKER_MEDIA_WEBRTC_SERVER_H
#define WEIR_WORKER_MEDIA_WEBRTC_SERVER_H

#include "common/fields.h"
#include "common/list.h"
#include "proto/pipe_worker.h"
#include "worker/media/local_socket.h"
#include "worker/media/object.h"

enum { WORKER_MAX_WEBRTC_SERVERS = 1024 };

struct worker;

struct webrtc_server {
    struct object object;
    struct worker *worker; /* parent, outlives us */
    struct list in_worker;
    struct list transports; /* ref: struct webrtc_transport.in_server */
    size_t n_transports;
    struct local_socket *sockets; /* owned */
    size_t n_sockets;
};

MUST_CHECK enum err webrtc_server_open(struct worker *w,
                                       const struct worker_create_webrtc_server_request *in,
                                       struct webrtc_server **out, struct field_error *f);
/* Closes the transports on it first. */
void webrtc_server_close(struct webrtc_server *s, usec now);
struct webrtc_server *webrtc_server_of(struct object *o);

/* Strings are borrowed from the tree or the arena. */
MUST_CHECK enum err webrtc_server_dump(const struct webrtc_server *s, struct arena *arena,
                                       struct webrtc_server_dump_response *out);

#endif
