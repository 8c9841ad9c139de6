/* Methods of WebRTC servers. */
#include "worker/api/call.h"
#include "worker/media/fail.h"
#include "worker/media/webrtc_server.h"
#include "worker/media/worker_dump.h"

enum err call_worker_create_webrtc_server(struct call *c)
{
    struct webrtc_server *s;
    return webrtc_server_open(c->worker, c->in, &s, &c->fail);
}

enum err call_worker_close_webrtc_server(struct call *c)
{
    const struct worker_close_webrtc_server_request *in = c->in;
    struct webrtc_server *s = worker_find_webrtc_server(c->worker, in->web_rtc_server_id);
    if (!s)
        return fail(&c->fail, ERR_NOT_FOUND, "webRtcServerId", "no such WebRTC server");
    webrtc_server_close(s, c->now);
    return OK;
}

enum err call_webrtc_server_dump(struct call *c)
{
    return webrtc_server_dump(c->webrtc_server, &c->arena, c->out) == OK
               ? OK
               : fail_plain(&c->fail, ERR_NOMEM);
}
