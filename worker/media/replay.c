#include "worker/media/replay.h"

#include "worker/media/consumer.h"
#include "worker/media/transport.h"
#include "worker/media/transport_bwe.h"

bool replay_helps(const struct consumer *c, struct producer_stream *s, usec now)
{
    const struct transport *t = c->transport;
    return t->ops->type == TRANSPORT_TYPE_WEBRTC &&
           producer_may_replay(s, now, transport_bwe_pace(t));
}

void replay_begin(struct replay *r, const struct gop_cache *g, bool has_rtx)
{
    *r = (struct replay){.newest = g->newest, .on = true, .has_rtx = has_rtx};
}

bool replay_packet(struct media_packet *m, struct producer_stream *s, size_t i)
{
    struct packet *p = s->gop.packets[i];
    if (!p || !media_packet_held(m, s, p))
        return false;
    m->key_frame = i == 0;
    m->padding_only = m->view.payload_len == 0;
    return true;
}

void replay_move_slow(struct replay *r, const struct media_packet **m, struct media_packet *copy)
{
    const struct media_packet *in = *m;
    int32_t ahead = seq32_diff(in->view.timestamp, r->newest);
    int64_t over = REPLAY_OVER_S * (int64_t)in->stream->recv.params.clock_rate;
    if (in->restarted || ahead > over || ahead < -over)
        r->on = false;
    if (!r->on || ahead >= 0)
        return;
    *copy = *in;
    copy->view.timestamp = replay_timestamp(r, in->view.timestamp);
    /* When it was captured does not fit its moved timestamp, and a receiver would reckon from it
     * when everything after it was. Without RTX it stays: what is sent again must be the very bytes
     * (see seal.h), and nobody remembers then that this was left out. */
    if (r->has_rtx)
        ext_brought_drop(&copy->brought, RTP_EXT_ABS_CAPTURE_TIME);
    *m = copy;
}
