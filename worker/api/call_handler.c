/* From a handlerId to the object that it names. */
#include "worker/api/call.h"
#include "worker/media/fail.h"
#include "worker/media/transport.h"
#include "worker/media/worker_dump.h"

static enum err find_transport(struct call *c, int type)
{
    c->transport = worker_find_transport(c->worker, c->handler_id);
    if (!c->transport)
        return fail(&c->fail, ERR_NOT_FOUND, "handlerId", "no transport \"%.64s\"", c->handler_id);
    if (type >= 0 && (int)c->transport->ops->type != type)
        return fail(&c->fail, ERR_TYPE, "handlerId", "not a %s transport",
                    transport_type_names[type]);
    return OK;
}

enum err call_find_handler(struct call *c, enum pipe_handler kind)
{
    bool found = true;
    switch (kind) {
    case HANDLER_WORKER:
        return c->handler_id[0] == '\0'
                   ? OK
                   : fail(&c->fail, ERR_TYPE, "handlerId", "must be empty or left out");
    case HANDLER_TRANSPORT:
        return find_transport(c, -1);
    case HANDLER_WEBRTC_TRANSPORT:
        return find_transport(c, TRANSPORT_TYPE_WEBRTC);
    case HANDLER_PLAIN_TRANSPORT:
        return find_transport(c, TRANSPORT_TYPE_PLAIN);
    case HANDLER_PIPE_TRANSPORT:
        return find_transport(c, TRANSPORT_TYPE_PIPE);
    case HANDLER_DIRECT_TRANSPORT:
        return find_transport(c, TRANSPORT_TYPE_DIRECT);
    case HANDLER_WEBRTC_SERVER:
        c->webrtc_server = worker_find_webrtc_server(c->worker, c->handler_id);
        found = c->webrtc_server != NULL;
        break;
    case HANDLER_ROUTER:
        c->router = worker_find_router(c->worker, c->handler_id);
        found = c->router != NULL;
        break;
    case HANDLER_PRODUCER:
        c->producer = worker_find_producer(c->worker, c->handler_id);
        found = c->producer != NULL;
        break;
    case HANDLER_CONSUMER:
        c->consumer = worker_find_consumer(c->worker, c->handler_id);
        found = c->consumer != NULL;
        break;
    case HANDLER_DATA_PRODUCER:
        c->data_producer = worker_find_data_producer(c->worker, c->handler_id);
        found = c->data_producer != NULL;
        break;
    case HANDLER_DATA_CONSUMER:
        c->data_consumer = worker_find_data_consumer(c->worker, c->handler_id);
        found = c->data_consumer != NULL;
        break;
    case HANDLER_RTP_OBSERVER:
    case HANDLER_ACTIVE_SPEAKER_OBSERVER:
    case HANDLER_AUDIO_LEVEL_OBSERVER:
        c->rtp_observer = worker_find_rtp_observer(c->worker, c->handler_id);
        found = c->rtp_observer != NULL;
        break;
    }
    return found ? OK
                 : fail(&c->fail, ERR_NOT_FOUND, "handlerId", "no %s \"%.64s\"",
                        pipe_handler_names[kind], c->handler_id);
}
