/* Which stream of which producer a received packet belongs to: by SSRC, else by what the packet
 * says of itself (MID, RID; RFC 8843 9.2, RFC 8852), which is then remembered. Part of transport.
 * No IO. */
#ifndef WEIR_WORKER_MEDIA_RTP_LISTENER_H
#define WEIR_WORKER_MEDIA_RTP_LISTENER_H

#include "common/fields.h"
#include "proto/rtp.h"
#include "worker/media/producer.h"
#include "worker/media/transport.h"

/* Registers the SSRCs that a new producer announced. ERR_EXISTS naming the field when a MID, an
 * SSRC, or (without MID) a RID is another producer's already; nothing is registered then. */
MUST_CHECK enum err rtp_listener_add(struct transport *t, struct producer *p,
                                     struct field_error *f);
void rtp_listener_remove(struct transport *t, const struct producer *p);

/* NULL: nobody's. */
struct producer_stream *rtp_listener_find(struct transport *t, const struct rtp_view *v);

static inline bool rtp_is_rtx(const struct producer_stream *s, const struct rtp_view *v)
{
    return s->has_rtx_ssrc && v->ssrc == s->rtx_ssrc;
}

#endif
