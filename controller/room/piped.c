#include <stdio.h>
#include <stdlib.h>

#include "controller/room/room_pipe.h"
#include "controller/rtc/ortc.h"

static struct room_router *from_router(const struct piped *x)
{
    return x->link->ends[1 - x->to].router;
}

static struct room_router *to_router(const struct piped *x)
{
    return x->link->ends[x->to].router;
}

static const char *from_transport(const struct piped *x)
{
    return x->link->ends[1 - x->to].transport_id;
}

static const char *to_transport(const struct piped *x)
{
    return x->link->ends[x->to].transport_id;
}

static struct piped *find(const struct list *pipes, const struct room_router *to)
{
    for (struct list *node = pipes->next; node != pipes; node = node->next) {
        struct piped *x = container_of(node, struct piped, of_producer);
        if (to_router(x) == to)
            return x;
    }
    return NULL;
}

/* ---- making ---- */

static void on_answer(void *ctx, enum err e, const char *reason, const void *data)
{
    struct piped *x = ctx;
    (void)data;
    if (e != OK && e != ERR_CLOSED) /* of a lost worker, fleet's observer tells */
        pipe_link_failed(x->link, reason);
}

static enum err ask_from(struct piped *x, enum pipe_method method, const void *request)
{
    return fleet_request(from_router(x)->worker, method, from_transport(x), request, on_answer, x);
}

static enum err ask_to(struct piped *x, enum pipe_method method, const void *request)
{
    return fleet_request(to_router(x)->worker, method, to_transport(x), request, on_answer, x);
}

static enum err start_media(struct piped *x, const struct room_producer *p)
{
    struct arena arena;
    struct rtp_parameters parameters;
    struct rtp_mapping mapping;
    arena_init(&arena, PARAMETERS_BYTES_MAX);
    uint32_t ssrc = x->link->next_ssrc;
    enum err e = ortc_pipe(&p->consumable, ssrc, &arena, &parameters, &mapping);
    struct transport_consume_request consume = {.consumer_id = x->consumer_id,
                                                .producer_id = x->producer_id,
                                                .kind = (int)p->kind,
                                                .rtp_parameters = &parameters,
                                                .type = RTP_TYPE_PIPE,
                                                .consumable_rtp_encodings = p->consumable.encodings,
                                                .n_consumable_rtp_encodings =
                                                    p->consumable.n_encodings};
    /* Key-frame requests are spaced out where they reach the client. */
    struct transport_produce_request produce = {.producer_id = x->producer_id,
                                                .kind = (int)p->kind,
                                                .rtp_parameters = &parameters,
                                                .rtp_mapping = &mapping,
                                                .paused = p->paused,
                                                .has_paused = true};
    if (e == OK) {
        /* A media and an RTX stream each. */
        x->link->next_ssrc += 2 * (uint32_t)p->consumable.n_encodings;
        e = ask_from(x, METHOD_TRANSPORT_CONSUME, &consume);
    }
    if (e == OK)
        e = ask_to(x, METHOD_TRANSPORT_PRODUCE, &produce);
    arena_fini(&arena);
    return e;
}

static enum err start_data(struct piped *x, struct room_data_producer *p)
{
    enum err e = pipe_link_take_stream(x->link, &x->stream);
    if (e != OK)
        return e;
    struct sctp_stream_parameters stream = p->stream;
    stream.stream_id = x->stream;
    struct transport_consume_data_request consume = {.data_consumer_id = x->consumer_id,
                                                     .data_producer_id = x->producer_id,
                                                     .type = DATA_TYPE_SCTP,
                                                     .has_type = true,
                                                     .sctp_stream_parameters = &stream,
                                                     .label = p->label,
                                                     .protocol = p->protocol};
    struct transport_produce_data_request produce = {.data_producer_id = x->producer_id,
                                                     .type = DATA_TYPE_SCTP,
                                                     .has_type = true,
                                                     .sctp_stream_parameters = &stream,
                                                     .label = p->label,
                                                     .protocol = p->protocol};
    e = ask_from(x, METHOD_TRANSPORT_CONSUME_DATA, &consume);
    return e == OK ? ask_to(x, METHOD_TRANSPORT_PRODUCE_DATA, &produce) : e;
}

static enum err piped_new(struct room_router *from, struct room_router *to, const char *producer_id,
                          struct list *pipes, struct piped **out)
{
    struct pipe_link *link;
    if (!from->worker || !to->worker)
        return ERR_UNAVAILABLE;
    enum err e = pipe_link_get(from, to, &link);
    if (e != OK)
        return e;
    struct piped *x = calloc(1, sizeof *x);
    if (!x) {
        pipe_link_release(link);
        return ERR_NOMEM;
    }
    x->link = link;
    x->to = link->ends[1].router == to;
    list_init(&x->users);
    list_add(&link->piped, &x->of_link);
    list_add(pipes, &x->of_producer);
    snprintf(x->producer_id, sizeof x->producer_id, "%s", producer_id);
    rng_uuid(link->room->rooms->config.rng, x->consumer_id);
    *out = x;
    return OK;
}

/* ---- closing ---- */

void piped_forget(struct piped *x)
{
    list_each (node, &x->users) {
        struct pipe_user *user = container_of(node, struct pipe_user, node);
        list_remove(&user->node);
        user->piped = NULL;
    }
    struct fleet_worker *workers[2] = {from_router(x)->worker, to_router(x)->worker};
    for (int i = 0; i < 2; i++) {
        if (!workers[i])
            continue;
        fleet_forget(workers[i], x);
        if (!x->data)
            fleet_worker_add_load(workers[i], -1);
    }
    list_remove(&x->of_link);
    list_remove(&x->of_producer);
    free(x);
}

static void tell_media_closed(const struct piped *x)
{
    struct transport_close_consumer_request consumer = {.consumer_id = x->consumer_id};
    struct transport_close_producer_request producer = {.producer_id = x->producer_id};
    if (from_router(x)->worker)
        (void)fleet_request(from_router(x)->worker, METHOD_TRANSPORT_CLOSE_CONSUMER,
                            from_transport(x), &consumer, NULL, NULL);
    if (to_router(x)->worker)
        (void)fleet_request(to_router(x)->worker, METHOD_TRANSPORT_CLOSE_PRODUCER, to_transport(x),
                            &producer, NULL, NULL);
}

static void tell_data_closed(const struct piped *x)
{
    struct transport_close_data_consumer_request consumer = {.data_consumer_id = x->consumer_id};
    struct transport_close_data_producer_request producer = {.data_producer_id = x->producer_id};
    if (from_router(x)->worker)
        (void)fleet_request(from_router(x)->worker, METHOD_TRANSPORT_CLOSE_DATA_CONSUMER,
                            from_transport(x), &consumer, NULL, NULL);
    if (to_router(x)->worker)
        (void)fleet_request(to_router(x)->worker, METHOD_TRANSPORT_CLOSE_DATA_PRODUCER,
                            to_transport(x), &producer, NULL, NULL);
}

static void piped_close(struct piped *x)
{
    struct pipe_link *link = x->link;
    if (x->data)
        tell_data_closed(x);
    else
        tell_media_closed(x);
    piped_forget(x);
    pipe_link_release(link);
}

/* ---- use ---- */

static void use(struct piped *x, struct pipe_user *user)
{
    user->piped = x;
    list_add(&x->users, &user->node);
}

enum err pipe_producer(struct room_producer *p, struct room_router *to, struct pipe_user *user)
{
    struct room_router *from = p->transport->peer->router;
    struct piped *x = find(&p->pipes, to);
    if (x) {
        use(x, user);
        return OK;
    }
    enum err e = piped_new(from, to, p->id, &p->pipes, &x);
    if (e != OK)
        return e;
    fleet_worker_add_load(from->worker, 1);
    fleet_worker_add_load(to->worker, 1);
    e = start_media(x, p);
    if (e == OK)
        use(x, user);
    else
        piped_close(x);
    return e;
}

enum err pipe_data_producer(struct room_data_producer *p, struct room_router *to,
                            struct pipe_user *user)
{
    struct piped *x = find(&p->pipes, to);
    if (x) {
        use(x, user);
        return OK;
    }
    enum err e = piped_new(p->transport->peer->router, to, p->id, &p->pipes, &x);
    if (e != OK)
        return e;
    x->data = true;
    e = start_data(x, p);
    if (e == OK)
        use(x, user);
    else
        piped_close(x);
    return e;
}

void pipe_release(struct pipe_user *user)
{
    struct piped *x = user->piped;
    if (!x)
        return;
    list_remove(&user->node);
    user->piped = NULL;
    if (list_empty(&x->users))
        piped_close(x);
}

void pipes_close(struct list *pipes)
{
    list_each (node, pipes) {
        piped_close(container_of(node, struct piped, of_producer));
    }
}

void pipes_set_paused(const struct list *pipes, bool paused)
{
    for (struct list *node = pipes->next; node != pipes; node = node->next) {
        struct piped *x = container_of(node, struct piped, of_producer);
        if (to_router(x)->worker)
            (void)fleet_request(to_router(x)->worker,
                                paused ? METHOD_PRODUCER_PAUSE : METHOD_PRODUCER_RESUME,
                                x->producer_id, NULL, NULL, NULL);
    }
}
