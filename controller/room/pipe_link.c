#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "controller/room/room_pipe.h"

/* Workers of one machine: nobody else hears what goes over it, so SRTP would only cost. */
static char loopback[] = "127.0.0.1";

static struct pipe_link *find(const struct room_router *a, const struct room_router *b)
{
    const struct list *links = &a->room->links;
    for (struct list *node = links->next; node != links; node = node->next) {
        struct pipe_link *l = container_of(node, struct pipe_link, node);
        if ((l->ends[0].router == a && l->ends[1].router == b) ||
            (l->ends[0].router == b && l->ends[1].router == a))
            return l;
    }
    return NULL;
}

/* ---- making ---- */

static void on_connected(void *ctx, enum err e, const char *reason, const void *data)
{
    struct pipe_link_end *end = ctx;
    (void)data;
    if (e != OK && e != ERR_CLOSED) /* of a lost worker, fleet's observer tells */
        pipe_link_failed(end->link, reason);
}

static void connect_ends(struct pipe_link *l)
{
    for (int i = 0; i < 2; i++) {
        struct pipe_link_end *end = &l->ends[i];
        struct pipe_transport_connect_request request = {
            .ip = loopback, .port = l->ends[1 - i].port, .has_port = true};
        enum err e = fleet_request(end->router->worker, METHOD_PIPE_TRANSPORT_CONNECT,
                                   end->transport_id, &request, on_connected, end);
        if (e != OK && e != ERR_CLOSED) {
            pipe_link_failed(l, err_text(e));
            return;
        }
    }
}

static void on_end_made(void *ctx, enum err e, const char *reason, const void *data)
{
    struct pipe_link_end *end = ctx;
    const struct transport_dump_response *dump = data;
    if (e == ERR_CLOSED)
        return; /* as above */
    if (e == OK && dump->tuple)
        end->port = dump->tuple->local_port;
    if (end->port == 0)
        pipe_link_failed(end->link, e == OK ? "it has no port" : reason);
    else if (end->link->ends[0].port != 0 && end->link->ends[1].port != 0)
        connect_ends(end->link);
}

static enum err make_end(struct pipe_link_end *end)
{
    struct listen_info listen = {
        .protocol = PARAM_PROTOCOL_UDP, .has_protocol = true, .ip = loopback};
    struct pipe_transport_options options = {.enable_sctp = true,
                                             .has_enable_sctp = true,
                                             .listen_info = &listen,
                                             .enable_rtx = true,
                                             .has_enable_rtx = true};
    struct router_create_pipe_transport_request request = {.transport_id = end->transport_id,
                                                           .options = &options};
    rng_uuid(end->link->room->rooms->config.rng, end->transport_id);
    enum err e = fleet_request(end->router->worker, METHOD_ROUTER_CREATE_PIPE_TRANSPORT,
                               end->router->id, &request, on_end_made, end);
    if (e == OK)
        fleet_worker_add_load(end->router->worker, 1);
    else
        end->transport_id[0] = '\0';
    return e;
}

enum err pipe_link_get(struct room_router *a, struct room_router *b, struct pipe_link **out)
{
    struct pipe_link *l = find(a, b);
    if (l) {
        *out = l;
        return OK;
    }
    l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->room = a->room;
    list_init(&l->piped);
    l->next_ssrc = 1;
    l->ends[0] = (struct pipe_link_end){.link = l, .router = a};
    l->ends[1] = (struct pipe_link_end){.link = l, .router = b};
    list_add(&a->room->links, &l->node);
    enum err e = make_end(&l->ends[0]);
    if (e == OK)
        e = make_end(&l->ends[1]);
    if (e != OK) {
        pipe_link_close(l);
        return e;
    }
    log_debug("room.piped", "room=%s workers=%u,%u", l->room->id, fleet_worker_index(a->worker),
              fleet_worker_index(b->worker));
    *out = l;
    return OK;
}

enum err pipe_link_take_stream(struct pipe_link *l, uint16_t *out)
{
    for (unsigned tried = 0; tried < DATA_STREAMS_MAX; tried++) {
        uint16_t stream = l->next_stream;
        l->next_stream = (uint16_t)((stream + 1) % DATA_STREAMS_MAX);
        bool taken = false;
        list_each (node, &l->piped) {
            const struct piped *x = container_of(node, struct piped, of_link);
            taken = taken || (x->data && x->stream == stream);
        }
        if (taken)
            continue;
        *out = stream;
        return OK;
    }
    return ERR_FULL;
}

/* ---- closing ---- */

static void close_end(struct pipe_link_end *end)
{
    struct fleet_worker *w = end->router->worker;
    if (!w || end->transport_id[0] == '\0')
        return;
    struct router_close_transport_request request = {.transport_id = end->transport_id};
    fleet_forget(w, end);
    (void)fleet_request(w, METHOD_ROUTER_CLOSE_TRANSPORT, end->router->id, &request, NULL, NULL);
    fleet_worker_add_load(w, -1);
}

void pipe_link_close(struct pipe_link *l)
{
    list_each (node, &l->piped) {
        piped_forget(container_of(node, struct piped, of_link));
    }
    close_end(&l->ends[0]);
    close_end(&l->ends[1]);
    list_remove(&l->node);
    free(l);
}

void pipe_link_release(struct pipe_link *l)
{
    if (list_empty(&l->piped))
        pipe_link_close(l);
}

void pipe_link_failed(struct pipe_link *l, const char *reason)
{
    struct room *room = l->room;
    struct room_router *origin = room_origin(room);
    log_warn("room.pipe_failed", "room=%s why=\"%s\"", room->id, reason);
    room->spread_after_ms = uv_now(room->rooms->config.loop) + SPREAD_RETRY_MS;
    room_router_lost(l->ends[l->ends[1].router == origin ? 0 : 1].router,
                     "the room has to be set up anew");
}

void pipe_links_close_of(struct room_router *r)
{
    list_each (node, &r->room->links) {
        struct pipe_link *l = container_of(node, struct pipe_link, node);
        if (l->ends[0].router == r || l->ends[1].router == r)
            pipe_link_close(l);
    }
}
