/* Notifications from the controller: packets and messages for what is in direct transports. */
#include <string.h>

#include "common/base64.h"
#include "common/log.h"
#include "worker/api/call.h"
#include "worker/media/data_producer.h"
#include "worker/media/direct_transport.h"
#include "worker/media/fail.h"
#include "worker/media/sctp_link.h"
#include "worker/media/transport.h"

static enum err read_bytes(struct call *c, const char *text, struct slice *out)
{
    size_t cap = strlen(text) / 4 * 3 + 3;
    uint8_t *bytes = arena_alloc(&c->arena, cap);
    if (!bytes)
        return fail_plain(&c->fail, ERR_NOMEM);
    size_t n = base64_read(text, bytes, cap);
    if (n == BASE64_BAD)
        return fail(&c->fail, ERR_TYPE, "data", "not base64");
    *out = slice_of(bytes, n);
    return OK;
}

static enum err or_plain(struct call *c, enum err e)
{
    return e == OK         ? OK
           : e == ERR_TYPE ? fail(&c->fail, e, "handlerId", "not in a direct transport")
                           : fail_plain(&c->fail, e);
}

static enum err send_rtcp(struct call *c)
{
    const struct transport_send_rtcp_command *in = c->in;
    struct slice bytes;
    enum err e = read_bytes(c, in->data, &bytes);
    return e == OK ? or_plain(c, direct_transport_rtcp(c->transport, c->now, bytes)) : e;
}

static enum err send_rtp(struct call *c)
{
    const struct producer_send_command *in = c->in;
    struct slice bytes;
    enum err e = read_bytes(c, in->data, &bytes);
    return e == OK ? or_plain(c, direct_transport_rtp(c->producer, c->now, bytes)) : e;
}

static enum err send_message(struct call *c)
{
    const struct data_producer_send_command *in = c->in;
    struct data_producer *p = c->data_producer;
    struct data_message m = {.ppid = in->ppid,
                             .subchannels = in->subchannels,
                             .n_subchannels = in->n_subchannels,
                             .required = in->required_subchannel,
                             .has_required = in->has_required_subchannel,
                             .ignored = in->ignored_subchannel,
                             .has_ignored = in->has_ignored_subchannel};
    if (p->type != DATA_TYPE_DIRECT)
        return or_plain(c, ERR_TYPE);
    enum err e = read_bytes(c, in->data, &m.bytes);
    if (e != OK)
        return e;
    if (m.bytes.n > p->transport->max_receive_message_size)
        return fail(&c->fail, ERR_TOO_LARGE, "data", "larger than maxReceiveMessageSize");
    data_producer_message(p, c->now, &m);
    sctp_links_flush(c->worker, c->now);
    return OK;
}

static call_fn *const commands[PIPE_COMMAND_COUNT] = {
    [COMMAND_TRANSPORT_SEND_RTCP] = send_rtcp,
    [COMMAND_PRODUCER_SEND] = send_rtp,
    [COMMAND_DATA_PRODUCER_SEND] = send_message,
};

static enum err run(struct call *c, int command, json_t *data)
{
    const struct pipe_event_row *row = &pipe_commands[command];
    enum err e = call_find_handler(c, row->handler);
    if (e != OK)
        return e;
    void *in = arena_alloc(&c->arena, row->payload->size);
    if (!in)
        return fail_plain(&c->fail, ERR_NOMEM);
    c->in = in;
    if (!json_is_object(data))
        return fail(&c->fail, ERR_TYPE, "data", "missing or not an object");
    e = shape_decode(row->payload, data, in, &c->arena, &c->fail);
    return e == OK ? commands[command](c) : e;
}

void command_run(struct api *api, usec now, int command, const char *handler_id, json_t *data)
{
    enum { ARENA_MAX = 16 << 20 };
    struct call c = {.api = api, .worker = api->worker, .now = now, .handler_id = handler_id};
    arena_init(&c.arena, ARENA_MAX);
    if (commands[command] && run(&c, command, data) != OK)
        log_debug("pipe.command", "name=%s %s", pipe_commands[command].name, c.fail.reason);
    arena_fini(&c.arena);
}
