#include "controller/fleet/fleet_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/log.h"
#include "proto/pipe_message.h"

/* The largest message is a dump: one decoded is bounded by this. */
enum { DECODE_BYTES_MAX = 32 * 1024 * 1024 };

/* ---- listeners ---- */

static struct list *bucket_of(struct fleet_worker *w, const char *handler_id)
{
    /* FNV-1a; ids are random. */
    uint32_t h = 2166136261u;
    for (const char *c = handler_id; *c; c++)
        h = (h ^ (unsigned char)*c) * 16777619u;
    return &w->listeners[h & (LISTENER_BUCKETS - 1)];
}

void fleet_listen(struct fleet_listener *l, struct fleet_worker *w, const char *handler_id,
                  fleet_event_fn *on_event, void *ctx)
{
    *l = (struct fleet_listener){.worker = w, .on_event = on_event, .ctx = ctx};
    snprintf(l->handler_id, sizeof l->handler_id, "%s", handler_id);
    list_add(bucket_of(w, l->handler_id), &l->same_hash);
}

void fleet_unlisten(struct fleet_listener *l)
{
    if (!l->worker)
        return;
    list_remove(&l->same_hash);
    l->worker = NULL;
}

/* ---- calls ---- */

static void answer(struct fleet_worker *w, struct pipe_call *call, enum err e, const char *reason,
                   const void *data)
{
    fleet_reply_fn *reply = call->reply;
    void *ctx = call->ctx;
    HASH_DEL(w->calls, call);
    free(call);
    if (reply)
        reply(ctx, e, reason, data);
}

void fleet_channel_fail_calls(struct fleet_worker *w)
{
    /* A reply may ask again: that fails at once, since the worker does not run. */
    while (w->calls)
        answer(w, w->calls, ERR_CLOSED, "the media worker was lost", NULL);
}

void fleet_channel_expire(struct fleet_worker *w, uint64_t now_ms)
{
    unsigned late = 0;
    enum pipe_method method = 0;
    /* Oldest first; what is not late ends the walk. */
    while (w->calls && now_ms - w->calls->sent_ms > w->fleet->config.limits.request_ms) {
        method = w->calls->method;
        late++;
        answer(w, w->calls, ERR_TIMEOUT, "the media worker did not answer in time", NULL);
    }
    if (late > 0)
        log_warn("fleet.requests_late", "worker=%u n=%u last=%s", w->index, late,
                 pipe_methods[method].name);
}

enum err fleet_request(struct fleet_worker *w, enum pipe_method method, const char *handler_id,
                       const void *data, fleet_reply_fn *reply, void *ctx)
{
    if (w->state != WORKER_RUNNING)
        return ERR_CLOSED;
    struct pipe_call *call = malloc(sizeof *call);
    if (!call)
        return ERR_NOMEM;
    *call = (struct pipe_call){.id = w->next_id++,
                               .method = method,
                               .sent_ms = uv_now(w->fleet->config.loop),
                               .reply = reply,
                               .ctx = ctx};
    enum err e = pipe_push_request(&w->proc->pipe.queue, call->id, method,
                                   handler_id ? handler_id : "", data);
    if (e != OK) {
        free(call);
        /* Full: the worker does not read. Its heartbeat finds that out. */
        return e == ERR_FULL ? ERR_UNAVAILABLE : e;
    }
    HASH_ADD(hh, w->calls, id, sizeof call->id, call);
    frame_pipe_flush(&w->proc->pipe);
    return OK;
}

void fleet_forget(struct fleet_worker *w, const void *ctx)
{
    for (struct pipe_call *c = w->calls; c; c = c->hh.next) {
        if (c->ctx == ctx) {
            c->reply = NULL;
            c->ctx = NULL;
        }
    }
}

/* ---- messages from the worker ---- */

static enum err err_of_name(const char *name)
{
    for (int e = 1; e < ERR_COUNT; e++) {
        if (strcmp(name, err_name((enum err)e)) == 0)
            return (enum err)e;
    }
    return ERR_IO;
}

static void on_response(struct fleet_worker *w, const struct pipe_message *m)
{
    struct pipe_call *call = NULL;
    HASH_FIND(hh, w->calls, &m->id, sizeof m->id, call);
    if (!call)
        return; /* it came after its time */
    if (!m->accepted) {
        answer(w, call, err_of_name(m->error), m->reason, NULL);
        return;
    }
    const struct shape *shape = pipe_methods[call->method].response;
    if (!shape || !call->reply) {
        answer(w, call, OK, "", NULL);
        return;
    }
    struct arena arena;
    struct field_error error;
    arena_init(&arena, DECODE_BYTES_MAX);
    void *data = arena_alloc(&arena, shape->size);
    enum err e = data ? pipe_message_data(m, shape, data, &arena, &error) : ERR_NOMEM;
    if (e == OK) {
        answer(w, call, OK, "", data);
    } else {
        log_warn("fleet.bad_answer", "worker=%u method=%s why=\"%s\"", w->index,
                 pipe_methods[call->method].name, data ? error.reason : err_text(e));
        answer(w, call, e, data ? error.reason : "out of memory", NULL);
    }
    arena_fini(&arena);
}

static void on_running(struct fleet_worker *w, const struct worker_running_event *event)
{
    if (w->state != WORKER_STARTING)
        return;
    if (event->protocol_version != PIPE_PROTOCOL_VERSION) {
        snprintf(w->last_words, sizeof w->last_words,
                 "weir-worker speaks protocol version %u, not %u", event->protocol_version,
                 (unsigned)PIPE_PROTOCOL_VERSION);
        log_error("fleet.wrong_version", "worker=%u theirs=%u ours=%u", w->index,
                  event->protocol_version, (unsigned)PIPE_PROTOCOL_VERSION);
        fleet_worker_lost(w, "wrong protocol version");
        return;
    }
    w->state = WORKER_RUNNING;
    w->ran = true;
    fleet_worker_watch(w);
    fleet_on_running(w);
}

static void dispatch(struct fleet_worker *w, const char *handler_id, enum pipe_event event,
                     const void *data)
{
    if (event == EVENT_WORKER_RUNNING) {
        on_running(w, data);
        return;
    }
    struct list *bucket = bucket_of(w, handler_id);
    list_each (node, bucket) {
        struct fleet_listener *l = container_of(node, struct fleet_listener, same_hash);
        if (strcmp(l->handler_id, handler_id) == 0) {
            l->on_event(l->ctx, event, data);
            return; /* one listener a handler; the event may have changed the list */
        }
    }
}

static void on_notification(struct fleet_worker *w, const struct pipe_message *m)
{
    int event = pipe_event_find(m->event);
    if (event < 0)
        return; /* of a newer worker */
    const struct shape *shape = pipe_events[event].payload;
    struct arena arena;
    struct field_error error;
    arena_init(&arena, DECODE_BYTES_MAX);
    void *data = shape ? arena_alloc(&arena, shape->size) : NULL;
    enum err e = OK;
    if (shape)
        e = data ? pipe_message_data(m, shape, data, &arena, &error) : ERR_NOMEM;
    if (e == OK)
        dispatch(w, m->handler_id, (enum pipe_event)event, data);
    else
        log_warn("fleet.bad_event", "worker=%u event=%s why=\"%s\"", w->index, m->event,
                 data ? error.reason : err_text(e));
    arena_fini(&arena);
}

void fleet_channel_frame(void *ctx, struct slice frame)
{
    struct worker_proc *p = ctx;
    struct fleet_worker *w = p->worker;
    if (!w || (w->state != WORKER_STARTING && w->state != WORKER_RUNNING))
        return;
    struct pipe_message m;
    struct field_error error;
    enum err e = pipe_message_parse(&m, frame, &error);
    if (e != OK) {
        fleet_worker_lost(w, error.reason);
    } else if (m.kind == PIPE_RESPONSE) {
        on_response(w, &m);
    } else if (m.kind == PIPE_NOTIFICATION) {
        on_notification(w, &m);
    } else {
        fleet_worker_lost(w, "it sent a request");
    }
    pipe_message_fini(&m);
}

void fleet_channel_broken(void *ctx, const char *why)
{
    struct worker_proc *p = ctx;
    if (p->worker)
        fleet_worker_lost(p->worker, why);
}
