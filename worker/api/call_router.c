/* Methods of routers. */
#include "worker/api/call.h"
#include "worker/media/direct_transport.h"
#include "worker/media/fail.h"
#include "worker/media/pipe_transport.h"
#include "worker/media/plain_transport.h"
#include "worker/media/router.h"
#include "worker/media/transport.h"
#include "worker/media/webrtc_transport.h"

enum err call_router_dump(struct call *c)
{
    return router_dump(c->router, &c->arena, c->out) == OK ? OK : fail_plain(&c->fail, ERR_NOMEM);
}

/* What a new transport answers with is its dump. */
static enum err answer(struct call *c, struct transport *t)
{
    if (transport_dump(t, &c->arena, c->out) == OK)
        return OK;
    t->ops->close(t, c->now);
    return fail_plain(&c->fail, ERR_NOMEM);
}

enum err call_router_create_webrtc_transport(struct call *c)
{
    struct transport *t;
    enum err e = webrtc_transport_open(c->router, c->now, c->in, &t, &c->fail);
    return e == OK ? answer(c, t) : e;
}

enum err call_router_create_plain_transport(struct call *c)
{
    struct transport *t;
    enum err e = plain_transport_open(c->router, c->now, c->in, &t, &c->fail);
    return e == OK ? answer(c, t) : e;
}

enum err call_router_create_pipe_transport(struct call *c)
{
    struct transport *t;
    enum err e = pipe_transport_open(c->router, c->now, c->in, &t, &c->fail);
    return e == OK ? answer(c, t) : e;
}

enum err call_router_create_direct_transport(struct call *c)
{
    struct transport *t;
    enum err e = direct_transport_open(c->router, c->now, c->in, &t, &c->fail);
    return e == OK ? answer(c, t) : e;
}

enum err call_router_close_transport(struct call *c)
{
    const struct router_close_transport_request *in = c->in;
    return router_close_transport(c->router, c->now, in->transport_id, &c->fail);
}
