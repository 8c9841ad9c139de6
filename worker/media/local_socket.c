#include "worker/media/local_socket.h"

#include <stdio.h>
#include <string.h>

#include "worker/media/fail.h"
#include "worker/media/worker_state.h"

static enum err refuse(struct field_error *f, enum err e, const char *path, const char *member,
                       const char *why)
{
    char full[96];
    snprintf(full, sizeof full, "%.60s.%s", path, member);
    return fail(f, e, full, "%s", why);
}

static enum err read_info(const struct worker_config *config, const struct listen_info *info,
                          const char *path, struct udp_listen *listen, struct field_error *f)
{
    *listen = (struct udp_listen){.port_min = config->rtc_port_min,
                                  .port_max = config->rtc_port_max,
                                  .recv_buffer = info->recv_buffer_size,
                                  .send_buffer = info->send_buffer_size};
    if (addr_parse(&listen->ip, info->ip, info->port) != OK)
        return refuse(f, ERR_TYPE, path, "ip", "not an IP address");
    if (info->announced_address &&
        strlen(info->announced_address) >= sizeof((struct worker_listen *)0)->announced)
        return refuse(f, ERR_RANGE, path, "announcedAddress", "too long");
    /* 0 to 0 is no range. */
    if (info->port_range && (info->port_range->min != 0 || info->port_range->max != 0)) {
        listen->port_min = info->port_range->min;
        listen->port_max = info->port_range->max;
        if (listen->port_min > listen->port_max)
            return refuse(f, ERR_TYPE, path, "portRange", "min is greater than max");
    }
    if (info->flags) {
        listen->ipv6_only = info->flags->ipv6_only;
        listen->reuse_port = info->flags->udp_reuse_port;
    }
    return OK;
}

enum err local_socket_open(struct worker *w, const struct listen_info *info, const char *path,
                           struct local_socket *out, struct field_error *f)
{
    struct udp_listen listen;
    const struct worker_io *io = &w->config.io;
    uint16_t sock = 0;
    bool tcp = info->has_protocol && info->protocol == PARAM_PROTOCOL_TCP;
    enum err e = read_info(&w->config, info, path, &listen, f);
    if (e != OK)
        return e;
    struct addr bound = listen.ip;
    e = tcp ? io->open_tcp(io->ctx, &listen, &sock, &bound.port)
            : io->open_udp(io->ctx, &listen, &sock, &bound.port);
    if (e == ERR_BUSY)
        return refuse(f, e, path, "port", "in use");
    if (e == ERR_RANGE)
        return refuse(f, e, path, "ip", "not an address of this host");
    if (e != OK)
        return refuse(f, e, path, "ip", "cannot be bound");
    *out = (struct local_socket){.own = true, .expose_internal = info->expose_internal_ip};
    out->at.bound = bound;
    out->at.sock = sock;
    out->at.proto = tcp ? TUPLE_TCP : TUPLE_UDP;
    if (info->announced_address)
        snprintf(out->at.announced, sizeof out->at.announced, "%s", info->announced_address);
    return OK;
}

void local_socket_close(struct worker *w, struct local_socket *s)
{
    const struct worker_io *io = &w->config.io;
    if (!s->own)
        return;
    s->own = false;
    if (s->at.proto == TUPLE_TCP)
        io->close_tcp_listener(io->ctx, s->at.sock);
    else
        io->close_udp(io->ctx, s->at.sock);
}

const char *local_socket_address(const struct worker_listen *at, char *buf, size_t n)
{
    if (at->announced[0] != '\0')
        return at->announced;
    return addr_ip_text(&at->bound, buf, n);
}

void tuple_describe(struct tuple_text *out, const struct worker_listen *local,
                    const struct addr *remote)
{
    char ip[ADDR_TEXT_MAX];
    snprintf(out->local, sizeof out->local, "%s", local_socket_address(local, ip, sizeof ip));
    out->tuple = (struct transport_tuple){
        .local_address = out->local,
        .local_port = local->bound.port,
        .has_local_port = true,
        .protocol = local->proto == TUPLE_TCP ? PARAM_PROTOCOL_TCP : PARAM_PROTOCOL_UDP,
        .has_protocol = true};
    if (!remote || remote->family == 0)
        return;
    out->tuple.remote_ip = addr_ip_text(remote, out->remote, sizeof out->remote);
    out->tuple.remote_port = remote->port;
    out->tuple.has_remote_port = true;
}

struct transport_tuple *tuple_dump(struct arena *arena, const struct worker_listen *local,
                                   const struct addr *remote)
{
    struct tuple_text *text = arena_alloc(arena, sizeof *text);
    if (!text)
        return NULL;
    tuple_describe(text, local, remote);
    return &text->tuple;
}
