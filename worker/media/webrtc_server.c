#include "worker/media/webrtc_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "worker/media/fail.h"
#include "worker/media/webrtc_state.h"
#include "worker/media/worker_state.h"

struct webrtc_server *webrtc_server_of(struct object *o)
{
    return o ? container_of(o, struct webrtc_server, object) : NULL;
}

static enum err open_sockets(struct webrtc_server *s, const struct listen_info *infos, size_t n,
                             struct field_error *f)
{
    if (n == 0)
        return fail(f, ERR_TYPE, "listenInfos", "empty");
    s->sockets = calloc(n, sizeof *s->sockets);
    if (!s->sockets)
        return fail_plain(f, ERR_NOMEM);
    for (size_t i = 0; i < n; i++) {
        char path[48];
        snprintf(path, sizeof path, "listenInfos[%zu]", i);
        enum err e = local_socket_open(s->worker, &infos[i], path, &s->sockets[i], f);
        if (e != OK)
            return e;
        s->n_sockets++;
    }
    return OK;
}

enum err webrtc_server_open(struct worker *w, const struct worker_create_webrtc_server_request *in,
                            struct webrtc_server **out, struct field_error *f)
{
    if (w->n_webrtc_servers >= WORKER_MAX_WEBRTC_SERVERS)
        return fail(f, ERR_FULL, "", "too many WebRTC servers");
    struct webrtc_server *s = calloc(1, sizeof *s);
    if (!s)
        return fail_plain(f, ERR_NOMEM);
    enum err e = object_init(&s->object, &w->objects, OBJECT_WEBRTC_SERVER, in->web_rtc_server_id);
    if (e != OK) {
        free(s);
        return e == ERR_EXISTS ? fail(f, e, "webRtcServerId", "an object with this id exists")
                               : fail_plain(f, e);
    }
    s->worker = w;
    list_init(&s->transports);
    list_add(&w->webrtc_servers, &s->in_worker);
    w->n_webrtc_servers++;
    e = open_sockets(s, in->listen_infos, in->n_listen_infos, f);
    if (e != OK) {
        webrtc_server_close(s, USEC_NEVER);
        return e;
    }
    *out = s;
    return OK;
}

void webrtc_server_close(struct webrtc_server *s, usec now)
{
    struct worker *w = s->worker;
    while (!list_empty(&s->transports)) {
        struct transport *t =
            &container_of(s->transports.next, struct webrtc_transport, in_server)->base;
        t->ops->close(t, now);
    }
    for (size_t i = 0; i < s->n_sockets; i++)
        local_socket_close(w, &s->sockets[i]);
    free(s->sockets);
    list_remove(&s->in_worker);
    w->n_webrtc_servers--;
    object_fini(&s->object);
    free(s);
}

static enum err dump_sockets(const struct webrtc_server *s, struct arena *arena,
                             struct webrtc_server_dump_response *out)
{
    out->udp_sockets = arena_array(arena, s->n_sockets, sizeof *out->udp_sockets);
    out->tcp_servers = arena_array(arena, s->n_sockets, sizeof *out->tcp_servers);
    if (!out->udp_sockets || !out->tcp_servers)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_sockets; i++) {
        const struct worker_listen *l = &s->sockets[i].at;
        char *ip = arena_alloc(arena, ADDR_TEXT_MAX);
        if (!ip)
            return ERR_NOMEM;
        struct ip_port *at = l->proto == TUPLE_TCP ? &out->tcp_servers[out->n_tcp_servers++]
                                                   : &out->udp_sockets[out->n_udp_sockets++];
        *at = (struct ip_port){.ip = addr_ip_text(&l->bound, ip, ADDR_TEXT_MAX),
                               .port = l->bound.port,
                               .has_port = true};
    }
    return OK;
}

enum err webrtc_server_dump(const struct webrtc_server *s, struct arena *arena,
                            struct webrtc_server_dump_response *out)
{
    *out = (struct webrtc_server_dump_response){.id = s->object.id};
    out->web_rtc_transport_ids =
        arena_array(arena, s->n_transports, sizeof *out->web_rtc_transport_ids);
    /* Two while a restart of ICE is under way. */
    out->local_ice_username_fragments =
        arena_array(arena, 2 * s->n_transports, sizeof *out->local_ice_username_fragments);
    if (!out->web_rtc_transport_ids || !out->local_ice_username_fragments)
        return ERR_NOMEM;
    list_each (node, &s->transports) {
        const struct webrtc_transport *t = container_of(node, struct webrtc_transport, in_server);
        const char *const ufrags[] = {ice_old_ufrag(&t->ice), ice_ufrag(&t->ice)};
        const char *id = t->base.object.id;
        out->web_rtc_transport_ids[out->n_web_rtc_transport_ids++] = id;
        for (size_t i = 0; i < 2; i++) {
            if (ufrags[i][0] != '\0')
                out->local_ice_username_fragments[out->n_local_ice_username_fragments++] =
                    (struct ice_username_fragment){.local_ice_username_fragment = ufrags[i],
                                                   .web_rtc_transport_id = id};
        }
    }
    return dump_sockets(s, arena, out);
}
