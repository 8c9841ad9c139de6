#include <stdlib.h>

#include "controller/room/room_state.h"

static void op_free(struct op *op)
{
    list_remove(&op->node);
    op->peer->n_ops--;
    json_decref(op->answer);
    free(op);
}

static void on_reply(void *ctx, enum err e, const char *reason, const void *data)
{
    struct op *op = ctx;
    /* Off the list first: done may close what the op is about, or the peer. */
    struct op now = *op;
    op->answer = NULL;
    op_free(op);
    /* To clients a worker that is lost is a service that is away for a moment, not their object
     * that is gone for good. */
    now.done(&now, e == ERR_CLOSED ? ERR_UNAVAILABLE : e, reason, data);
    json_decref(now.answer);
}

enum err op_start(struct room_peer *p, struct op_request request, enum pipe_method method,
                  const char *handler_id, const void *data, op_done_fn *done,
                  const struct op *about)
{
    struct fleet_worker *w = peer_worker(p);
    enum err e = OK;
    struct op *op = NULL;
    if (!w)
        e = ERR_UNAVAILABLE;
    else if (p->n_ops >= OPS_PER_PEER_MAX)
        e = ERR_FULL;
    else if (!(op = malloc(sizeof *op)))
        e = ERR_NOMEM;
    if (e != OK) {
        json_decref(about->answer);
        return e;
    }
    *op = *about;
    op->peer = p;
    op->worker = w;
    op->done = done;
    op->answers = request.answers;
    op->request_id = request.id;
    list_add(&p->ops, &op->node);
    p->n_ops++;
    e = fleet_request(w, method, handler_id, data, on_reply, op);
    if (e != OK)
        op_free(op);
    return e;
}

void op_reply(struct op *op, json_t *answer)
{
    if (op->answers && op->peer->session)
        session_answer(op->peer->session, op->request_id, answer);
    else
        json_decref(answer);
}

void op_fail(struct op *op, enum err e, const char *reason)
{
    if (op->answers && op->peer->session)
        session_fail(op->peer->session, op->request_id, e, reason);
}

void op_answer(struct op *op, enum err e, const char *reason, const void *data)
{
    (void)data;
    if (e == OK)
        op_reply(op, op->answer ? json_incref(op->answer) : json_object());
    else
        op_fail(op, e, reason);
}

void ops_end(struct room_peer *p, const void *about, enum err e, const char *reason)
{
    list_each (node, &p->ops) {
        struct op *op = container_of(node, struct op, node);
        if (about && op->transport != about && op->producer != about && op->consumer != about &&
            op->data_producer != about && op->data_consumer != about)
            continue;
        fleet_forget(op->worker, op);
        op_fail(op, e, reason);
        op_free(op);
    }
}
