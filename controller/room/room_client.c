#include "controller/room/room_client.h"

#include <stdlib.h>

#include "controller/room/session.h"

struct pending {
    struct list node; /* in client->pending */
    uint32_t id;
    room_answer_fn *done;
    void *ctx;
};

struct room_client {
    struct session session;
    struct room_client_config config;
    struct list pending;
    uint32_t next_id;
};

static struct room_client *of(struct session *s)
{
    return container_of(s, struct room_client, session);
}

/* ---- what a session says to its client ---- */

static void on_answer(struct session *s, uint32_t id, enum err e, const char *reason, json_t *data)
{
    list_each (node, &of(s)->pending) {
        struct pending *p = container_of(node, struct pending, node);
        if (p->id != id)
            continue;
        struct pending now = *p;
        list_remove(&p->node);
        free(p);
        now.done(now.ctx, e, reason, data);
        return;
    }
}

static void on_event(struct session *s, enum sig_event event, const void *data)
{
    struct room_client *c = of(s);
    if (c->config.on_event)
        c->config.on_event(c->config.ctx, event, data);
}

static void on_end(struct session *s, const char *reason)
{
    struct room_client *c = of(s);
    c->config.on_end(c->config.ctx, reason);
}

static const struct session_sink sink = {.answer = on_answer, .event = on_event, .end = on_end};

/* ---- life ---- */

enum err room_client_open(struct rooms *r, const struct room_client_config *config,
                          struct room_client **out)
{
    if (r->closing)
        return ERR_UNAVAILABLE;
    struct room_client *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->session.rooms = r;
    c->session.sink = &sink;
    c->config = *config;
    list_init(&c->pending);
    list_add(&r->sessions, &c->session.node);
    *out = c;
    return OK;
}

void room_client_close(struct room_client *c, const char *reason)
{
    if (!c)
        return;
    struct rooms *r = c->session.rooms;
    list_each (node, &c->pending) {
        list_remove(node);
        free(container_of(node, struct pending, node));
    }
    c->config.on_event = NULL;
    if (c->session.peer)
        peer_close(c->session.peer, reason);
    list_remove(&c->session.node);
    free(c);
    rooms_finish_close(r);
}

struct room_peer *room_client_peer(const struct room_client *c)
{
    return c->session.peer;
}

void room_client_ask(struct room_client *c, enum sig_method method, const void *data,
                     room_answer_fn *done, void *ctx)
{
    struct pending *p = calloc(1, sizeof *p);
    if (!p) {
        done(ctx, ERR_NOMEM, "out of memory", NULL);
        return;
    }
    p->id = c->next_id++;
    p->done = done;
    p->ctx = ctx;
    list_add(&c->pending, &p->node);
    session_run(&c->session, p->id, method, data);
}
