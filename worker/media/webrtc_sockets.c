/* How a WebRTC transport is reached: by the worker's shared ports, by a WebRTC server's, or by
 * sockets of its own. */
#include <stdio.h>
#include <stdlib.h>

#include "worker/media/fail.h"
#include "worker/media/webrtc_server.h"
#include "worker/media/webrtc_state.h"
#include "worker/media/worker_state.h"

static const char NOTHING_LEFT[] = "neither UDP nor TCP is left to be reached by";

const struct worker_listen *webrtc_local(const struct webrtc_transport *t,
                                         const struct tuple *tuple)
{
    for (size_t i = 0; i < t->n_sockets; i++) {
        const struct worker_listen *l = &t->sockets[i].at;
        if (l->sock == tuple->sock && l->proto == tuple->proto)
            return l;
    }
    return NULL;
}

static bool wanted(const struct webrtc_transport_options *o, uint8_t proto)
{
    return proto == TUPLE_TCP ? !o->has_enable_tcp || o->enable_tcp
                              : !o->has_enable_udp || o->enable_udp;
}

static enum err use_workers(struct webrtc_transport *t, const struct webrtc_transport_options *o,
                            struct field_error *f)
{
    const struct worker_config *c = &t->base.worker->config;
    t->sockets = calloc(c->n_listens + 1, sizeof *t->sockets);
    if (!t->sockets)
        return fail_plain(f, ERR_NOMEM);
    for (size_t i = 0; i < c->n_listens; i++) {
        if (wanted(o, c->listens[i].proto))
            t->sockets[t->n_sockets++].at = c->listens[i];
    }
    return t->n_sockets > 0 ? OK : fail(f, ERR_TYPE, "options.enableUdp", "%s", NOTHING_LEFT);
}

static enum err use_servers(struct webrtc_transport *t, const struct webrtc_transport_options *o,
                            struct field_error *f)
{
    const char *id = o->listen->web_rtc_server_id;
    if (!id)
        return fail(f, ERR_TYPE, "options.listen.webRtcServerId", "missing");
    struct webrtc_server *s =
        webrtc_server_of(object_find(&t->base.worker->objects, OBJECT_WEBRTC_SERVER, id));
    if (!s)
        return fail(f, ERR_NOT_FOUND, "options.listen.webRtcServerId", "no such WebRTC server");
    t->sockets = calloc(s->n_sockets, sizeof *t->sockets);
    if (!t->sockets)
        return fail_plain(f, ERR_NOMEM);
    for (size_t i = 0; i < s->n_sockets; i++) {
        if (!wanted(o, s->sockets[i].at.proto))
            continue;
        t->sockets[t->n_sockets] = s->sockets[i];
        t->sockets[t->n_sockets++].own = false;
    }
    if (t->n_sockets == 0)
        return fail(f, ERR_TYPE, "options.enableUdp", "%s", NOTHING_LEFT);
    t->server = s;
    list_add(&s->transports, &t->in_server);
    s->n_transports++;
    return OK;
}

/* The listenInfos say which protocols: enableUdp and enableTcp choose among sockets that others
 * opened. */
static enum err open_own(struct webrtc_transport *t, const struct webrtc_transport_options *o,
                         struct field_error *f)
{
    const struct webrtc_listen *l = o->listen;
    if (l->n_listen_infos == 0 || l->n_listen_infos > WEBRTC_MAX_SOCKETS)
        return fail(f, ERR_TYPE, "options.listen.listenInfos", "missing or too many");
    t->sockets = calloc(l->n_listen_infos, sizeof *t->sockets);
    if (!t->sockets)
        return fail_plain(f, ERR_NOMEM);
    for (size_t i = 0; i < l->n_listen_infos; i++) {
        char path[64];
        snprintf(path, sizeof path, "options.listen.listenInfos[%zu]", i);
        enum err e =
            local_socket_open(t->base.worker, &l->listen_infos[i], path, &t->sockets[i], f);
        if (e != OK)
            return e;
        t->n_sockets++;
    }
    return OK;
}

enum err webrtc_take_sockets(struct webrtc_transport *t, const struct webrtc_transport_options *o,
                             struct field_error *f)
{
    if (!o->listen)
        return use_workers(t, o, f);
    switch ((enum webrtc_listen_type)o->listen->type) {
    case WEBRTC_LISTEN_WORKER:
        return use_workers(t, o, f);
    case WEBRTC_LISTEN_SERVER:
        return use_servers(t, o, f);
    case WEBRTC_LISTEN_INDIVIDUAL:
        break;
    }
    return open_own(t, o, f);
}

void webrtc_leave_sockets(struct webrtc_transport *t)
{
    for (size_t i = 0; i < t->n_sockets; i++)
        local_socket_close(t->base.worker, &t->sockets[i]);
    free(t->sockets);
    t->sockets = NULL;
    t->n_sockets = 0;
    if (!t->server)
        return;
    list_remove(&t->in_server);
    t->server->n_transports--;
    t->server = NULL;
}
