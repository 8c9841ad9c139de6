/* The inside of a WebRTC transport, for its own files only. */
#ifndef WEIR_WORKER_MEDIA_WEBRTC_STATE_H
#define WEIR_WORKER_MEDIA_WEBRTC_STATE_H

#include "proto/pipe_router.h"
#include "worker/engine/dtls.h"
#include "worker/engine/ice.h"
#include "worker/media/local_socket.h"
#include "worker/media/transport.h"

enum { WEBRTC_MAX_SOCKETS = 32 };

struct webrtc_transport {
    struct transport base;
    struct ice ice;
    struct dtls *dtls;   /* owned */
    struct tx_dest dest; /* of the selected tuple; base.rtp_dest points here while there is one */
    struct timer timer;  /* of ice and dtls */
    struct local_socket *sockets; /* owned */
    size_t n_sockets;
    struct webrtc_server *server; /* whose sockets these are; NULL: none. It closes us. */
    struct list in_server;
    bool ice_ready; /* initialised */
    bool connect_called;
    bool prefer_udp;
    bool prefer_tcp;
};

static inline struct webrtc_transport *webrtc_of(struct transport *t)
{
    return container_of(t, struct webrtc_transport, base);
}

/* ---- webrtc_sockets.c ---- */

/* Its sockets: the worker's, a WebRTC server's, or its own. */
MUST_CHECK enum err webrtc_take_sockets(struct webrtc_transport *t,
                                        const struct webrtc_transport_options *o,
                                        struct field_error *f);
/* Closes those of its own; fine for a half-initialised one. */
void webrtc_leave_sockets(struct webrtc_transport *t);
/* The socket by which a tuple came; NULL: none of ours. */
const struct worker_listen *webrtc_local(const struct webrtc_transport *t,
                                         const struct tuple *tuple);

/* ---- webrtc_dump.c ---- */

enum err webrtc_dump(struct transport *t, struct arena *arena, struct transport_dump_response *out);
enum err webrtc_stats(struct transport *t, struct arena *arena,
                      struct transport_get_stats_response *out);

#endif
