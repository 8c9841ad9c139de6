#include "proto/pipe_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All keys of the three shapes; which of them must be there depends on the shape. */
#define ENVELOPE_FIELDS(X, S)                                                                      \
    X(S, u32, id, "id", OPT, 0, UINT32_MAX, _, "")                                                 \
    X(S, str, method, "method", OPT, 1, 64, _, "")                                                 \
    X(S, str, event, "event", OPT, 1, 64, _, "")                                                   \
    X(S, str, handler_id, "handlerId", OPT, 0, ID_MAX, _, "")                                      \
    X(S, flag, accepted, "accepted", OPT, 0, 0, _, "")                                             \
    X(S, str, error, "error", OPT, 1, 64, _, "")                                                   \
    X(S, str, reason, "reason", OPT, 0, 4096, _, "")                                               \
    X(S, json, data, "data", OPT, 0, 0, _, "")
SHAPE_STRUCT(envelope, ENVELOPE_FIELDS);
SHAPE_DEFINE(envelope, ENVELOPE_FIELDS)

static enum err fail(struct field_error *error, enum err err, const char *path, const char *reason)
{
    *error = (struct field_error){.err = err};
    snprintf(error->path, sizeof error->path, "%s", path);
    snprintf(error->reason, sizeof error->reason, "%s", reason);
    return err;
}

static enum err parse_json(json_t **out, struct slice frame, struct field_error *error)
{
    /* Without memory jansson may fail before it says so. */
    json_error_t why = {.text = ""};
    json_t *root = json_loadb((const char *)frame.p, frame.n, JSON_REJECT_DUPLICATES, &why);
    if (!root) {
        if (why.text[0] == '\0' || json_error_code(&why) == json_error_out_of_memory)
            return fail(error, ERR_NOMEM, "", "out of memory");
        char reason[sizeof error->reason];
        snprintf(reason, sizeof reason, "the message is not JSON, byte %d: %s", why.position,
                 why.text);
        /* The text quotes the input. */
        for (char *p = reason; *p; p++)
            if (*p < ' ' || *p > '~')
                *p = '?';
        return fail(error, ERR_MALFORMED, "", reason);
    }
    *out = root;
    return OK;
}

/* The shape by the keys that are there. */
static enum err classify(struct pipe_message *m, const struct envelope *e,
                         struct field_error *error)
{
    if (e->method && e->event)
        return fail(error, ERR_TYPE, "event", "method and event exclude each other");
    if (e->event) {
        m->kind = PIPE_NOTIFICATION;
    } else {
        if (!e->has_id)
            return fail(error, ERR_TYPE, "id", "id is missing, it must be an integer");
        m->kind = e->method ? PIPE_REQUEST : PIPE_RESPONSE;
    }
    if (m->kind == PIPE_RESPONSE && e->accepted == (e->error != NULL))
        return fail(error, ERR_TYPE, "accepted",
                    "a response must have either accepted: true or an error");
    if (e->data && !json_is_object(e->data))
        return fail(error, ERR_TYPE, "data", "data must be an object");
    return OK;
}

enum err pipe_message_parse(struct pipe_message *out, struct slice frame, struct field_error *error)
{
    *out = (struct pipe_message){.handler_id = "", .reason = ""};
    enum err err = parse_json(&out->root, frame, error);
    if (err)
        return err;
    if (!json_is_object(out->root))
        return fail(error, ERR_TYPE, "", "the message must be an object");
    /* No kind in the envelope needs memory. */
    struct arena arena;
    arena_init(&arena, 0);
    struct envelope e;
    err = shape_decode(&envelope_shape, out->root, &e, &arena, error);
    if (err) {
        /* id comes first in the table, so it has been read if it is good. */
        out->has_id = e.has_id;
        out->id = e.id;
        return err;
    }
    out->has_id = e.has_id;
    out->id = e.id;
    out->method = e.method;
    out->event = e.event;
    out->handler_id = e.handler_id ? e.handler_id : "";
    out->accepted = e.accepted;
    out->error = e.error;
    out->reason = e.reason ? e.reason : "";
    out->data = e.data;
    return classify(out, &e, error);
}

void pipe_message_fini(struct pipe_message *m)
{
    json_decref(m->root);
    *m = (struct pipe_message){.handler_id = "", .reason = ""};
}

enum err pipe_message_data(const struct pipe_message *m, const struct shape *shape, void *out,
                           struct arena *arena, struct field_error *error)
{
    if (!shape)
        return OK;
    if (m->data)
        return shape_decode(shape, m->data, out, arena, error);
    json_t *none = json_object();
    if (!none)
        return fail(error, ERR_NOMEM, "", "out of memory");
    enum err err = shape_decode(shape, none, out, arena, error);
    json_decref(none);
    return err;
}

/* ---- printing ---- */

struct text {
    char *p; /* owned */
    size_t n;
    size_t cap;
    bool bad; /* out of memory: sticky, as jansson does not look at every return value */
};

static int append(const char *bytes, size_t n, void *ctx)
{
    struct text *t = ctx;
    if (!t->bad && t->cap - t->n < n) {
        size_t cap = 2 * (t->n + n) + 512;
        char *larger = realloc(t->p, cap);
        if (larger) {
            t->p = larger;
            t->cap = cap;
        } else {
            t->bad = true;
        }
    }
    if (t->bad)
        return -1;
    memcpy(t->p + t->n, bytes, n);
    t->n += n;
    return 0;
}

/* shape and data: of the message's data; either may be NULL. */
static enum err push(struct frame_queue *q, struct envelope *e, const struct shape *shape,
                     const void *data)
{
    if (shape && data) {
        e->data = shape_encode(shape, data);
        if (!e->data)
            return ERR_NOMEM;
    }
    json_t *root = shape_encode(&envelope_shape, e);
    json_decref(e->data);
    if (!root)
        return ERR_NOMEM;
    struct text text = {0};
    int failed = json_dump_callback(root, append, &text, JSON_COMPACT);
    json_decref(root);
    enum err err = failed || text.bad ? ERR_NOMEM : frame_queue_push(q, text.p, text.n);
    free(text.p);
    return err;
}

enum err pipe_push_request(struct frame_queue *q, uint32_t id, enum pipe_method method,
                           const char *handler_id, const void *data)
{
    const struct pipe_method_row *row = &pipe_methods[method];
    struct envelope e = {.id = id, .has_id = true, .method = row->name, .handler_id = handler_id};
    return push(q, &e, row->request, data);
}

enum err pipe_push_response(struct frame_queue *q, uint32_t id, enum pipe_method method,
                            const void *data)
{
    struct envelope e = {.id = id, .has_id = true, .accepted = true, .has_accepted = true};
    return push(q, &e, pipe_methods[method].response, data);
}

enum err pipe_push_error(struct frame_queue *q, uint32_t id, const char *error, const char *reason)
{
    struct envelope e = {.id = id, .has_id = true, .error = error, .reason = reason};
    return push(q, &e, NULL, NULL);
}

enum err pipe_push_event(struct frame_queue *q, enum pipe_event event, const char *handler_id,
                         const void *data)
{
    const struct pipe_event_row *row = &pipe_events[event];
    struct envelope e = {.event = row->name, .handler_id = handler_id};
    return push(q, &e, row->payload, data);
}

enum err pipe_push_command(struct frame_queue *q, enum pipe_command command, const char *handler_id,
                           const void *data)
{
    const struct pipe_event_row *row = &pipe_commands[command];
    struct envelope e = {.event = row->name, .handler_id = handler_id};
    return push(q, &e, row->payload, data);
}
