#include "worker/api/api.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/api/call.h"
#include "worker/media/fail.h"
#include "worker/media/sctp_link.h"

enum {
    REQUEST_DEPTH_MAX = 32,       /* nesting of a request's JSON */
    REQUEST_ARENA_MAX = 32 << 20, /* bytes that one request and its response may take decoded */
    ADDRESS_MAX = 64
};

/* ---- out ---- */

static void send_json(struct api *api, json_t *message)
{
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    json_decref(message);
    enum err e = text ? frame_queue_push(api->out, text, strlen(text)) : ERR_NOMEM;
    free(text);
    if (e != OK && api->failed == OK)
        api->failed = e;
}

/* id: a new reference. A reason can quote what the controller sent, cut in the middle of a
 * character: then the error's own text stands in. */
static void respond_error(struct api *api, json_t *id, const struct field_error *f)
{
    json_t *reason = json_string(f->reason);
    if (!reason)
        reason = json_string(err_text(f->err));
    send_json(api,
              json_pack("{s:o, s:s, s:o}", "id", id, "error", err_name(f->err), "reason", reason));
}

static void respond(struct api *api, json_t *id, const struct shape *shape, const void *out)
{
    json_t *data = shape ? shape_encode(shape, out) : NULL;
    if (shape && !data) {
        struct field_error f;
        (void)fail_plain(&f, ERR_NOMEM);
        respond_error(api, id, &f);
        return;
    }
    json_t *message = json_pack("{s:o, s:b}", "id", id, "accepted", 1);
    if (message && data)
        json_object_set_new(message, "data", data);
    send_json(api, message);
}

void api_notify(void *ctx, const char *handler_id, int event, const void *data)
{
    struct api *api = ctx;
    const struct pipe_event_row *row = &pipe_events[event];
    json_t *message = json_pack("{s:s, s:s}", "handlerId", handler_id, "event", row->name);
    json_t *body = row->payload && data ? shape_encode(row->payload, data) : NULL;
    if (message && body)
        json_object_set_new(message, "data", body);
    else
        json_decref(body);
    send_json(api, message);
}

void api_running(struct api *api)
{
    const struct worker_config *config = worker_get_config(api->worker);
    struct worker_socket sockets[WORKER_MAX_LISTENS];
    char ips[WORKER_MAX_LISTENS][ADDRESS_MAX];
    struct worker_running_event event = {.protocol_version = PIPE_PROTOCOL_VERSION,
                                         .has_protocol_version = true,
                                         .pid = (uint32_t)getpid(),
                                         .has_pid = true,
                                         .version = api->version,
                                         .sockets = sockets};
    for (size_t i = 0; i < config->n_listens; i++) {
        const struct worker_listen *l = &config->listens[i];
        sockets[event.n_sockets++] = (struct worker_socket){
            .protocol = l->proto == TUPLE_TCP ? PARAM_PROTOCOL_TCP : PARAM_PROTOCOL_UDP,
            .has_protocol = true,
            .ip = addr_ip_text(&l->bound, ips[i], sizeof ips[i]),
            .port = l->bound.port,
            .has_port = true,
            .announced_address = l->announced[0] != '\0' ? l->announced : NULL};
    }
    api_notify(api, "", EVENT_WORKER_RUNNING, &event);
}

/* ---- in ---- */

static enum err decode(struct call *c, const struct pipe_method_row *row, json_t *data)
{
    if (row->response) {
        c->out = arena_alloc(&c->arena, row->response->size);
        if (!c->out)
            return fail_plain(&c->fail, ERR_NOMEM);
    }
    if (!row->request)
        return OK;
    void *in = arena_alloc(&c->arena, row->request->size);
    if (!in)
        return fail_plain(&c->fail, ERR_NOMEM);
    c->in = in;
    if (!json_is_object(data))
        return fail(&c->fail, ERR_TYPE, "data", "missing or not an object");
    return shape_decode(row->request, data, in, &c->arena, &c->fail);
}

static enum err run(struct call *c, int method, json_t *data)
{
    const struct pipe_method_row *row = &pipe_methods[method];
    if (!call_table[method])
        return fail(&c->fail, ERR_UNSUPPORTED, "method", "%s is not supported yet", row->name);
    enum err e = call_find_handler(c, row->handler);
    if (e == OK)
        e = decode(c, row, data);
    return e == OK ? call_table[method](c) : e;
}

static void on_request(struct api *api, usec now, json_t *message, json_t *id)
{
    struct call c = {.api = api, .worker = api->worker, .now = now};
    const char *name = json_string_value(json_object_get(message, "method"));
    json_t *handler = json_object_get(message, "handlerId");
    int method = pipe_method_find(name);
    enum err e = OK;
    arena_init(&c.arena, REQUEST_ARENA_MAX);
    c.handler_id = json_is_string(handler) ? json_string_value(handler) : "";
    if (!name)
        e = fail(&c.fail, ERR_TYPE, "method", "missing or not a string");
    else if (method < 0)
        e = fail(&c.fail, ERR_UNSUPPORTED, "method", "unknown method \"%.64s\"", name);
    else if (handler && !json_is_string(handler) && !json_is_null(handler))
        e = fail(&c.fail, ERR_TYPE, "handlerId", "not a string");
    if (e == OK)
        e = run(&c, method, json_object_get(message, "data"));
    if (e == OK)
        respond(api, json_incref(id), pipe_methods[method].response, c.out);
    else
        respond_error(api, json_incref(id), &c.fail);
    arena_fini(&c.arena);
    /* Whatever it was may have made SCTP packets. */
    sctp_links_flush(api->worker, now);
}

static void on_command(struct api *api, usec now, json_t *message)
{
    const char *name = json_string_value(json_object_get(message, "event"));
    const char *handler = json_string_value(json_object_get(message, "handlerId"));
    int command = name ? pipe_command_find(name) : -1;
    if (command == COMMAND_WORKER_CLOSE)
        api->closing = true;
    else if (command >= 0)
        command_run(api, now, command, handler ? handler : "", json_object_get(message, "data"));
    else
        log_warn("pipe.command", "not supported: %.64s", name ? name : "(none)");
}

/* Depth is checked before the parser recurses; brackets in strings count too, which only makes the
 * bound stricter. */
static bool too_deep(struct slice frame)
{
    int depth = 0;
    for (size_t i = 0; i < frame.n; i++) {
        uint8_t b = frame.p[i];
        if (b == '{' || b == '[')
            depth++;
        else if (b == '}' || b == ']')
            depth--;
        if (depth > REQUEST_DEPTH_MAX)
            return true;
    }
    return false;
}

void api_frame(struct api *api, usec now, struct slice frame)
{
    json_error_t parse;
    struct field_error f;
    json_t *message = NULL;
    if (!too_deep(frame))
        message = json_loadb((const char *)frame.p, frame.n, JSON_REJECT_DUPLICATES, &parse);
    json_t *id = json_object_get(message, "id");
    if (!json_is_object(message)) {
        (void)fail(&f, ERR_MALFORMED, "", "not a JSON object");
        respond_error(api, json_null(), &f);
    } else if (!id && json_object_get(message, "event")) {
        on_command(api, now, message);
    } else if (!json_is_integer(id) || json_integer_value(id) < 0) {
        (void)fail(&f, ERR_TYPE, "id", "missing or not a number from 0");
        respond_error(api, json_null(), &f);
    } else {
        on_request(api, now, message, id);
    }
    json_decref(message);
}
