/* Methods of RTP observers. */
#include "worker/api/call.h"
#include "worker/media/active_speaker_observer.h"
#include "worker/media/audio_level_observer.h"
#include "worker/media/router.h"
#include "worker/media/rtp_observer.h"

enum err call_router_create_active_speaker_observer(struct call *c)
{
    return active_speaker_observer_open(c->router, c->now, c->in, &c->fail);
}

enum err call_router_create_audio_level_observer(struct call *c)
{
    return audio_level_observer_open(c->router, c->now, c->in, &c->fail);
}

enum err call_router_close_rtp_observer(struct call *c)
{
    const struct router_close_rtp_observer_request *in = c->in;
    return router_close_observer(c->router, in->rtp_observer_id, &c->fail);
}

enum err call_rtp_observer_pause(struct call *c)
{
    rtp_observer_pause(c->rtp_observer, c->now);
    return OK;
}

enum err call_rtp_observer_resume(struct call *c)
{
    rtp_observer_resume(c->rtp_observer, c->now);
    return OK;
}

enum err call_rtp_observer_add_producer(struct call *c)
{
    const struct rtp_observer_add_producer_request *in = c->in;
    return rtp_observer_add(c->rtp_observer, c->now, in->producer_id, &c->fail);
}

enum err call_rtp_observer_remove_producer(struct call *c)
{
    const struct rtp_observer_remove_producer_request *in = c->in;
    return rtp_observer_remove(c->rtp_observer, c->now, in->producer_id, &c->fail);
}
