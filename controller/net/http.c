/* The server: opening and closing, and where a request belongs. */
#include "controller/net/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/metrics.h"
#include "controller/net/gzip.h"

enum { GZIP_CACHE_BYTES = 16 * 1024 * 1024 };

/* ---- routes ---- */

enum err http_route_add(struct http_server *s, const struct http_route *route)
{
    return router_add(&s->router, route);
}

static bool take_params(struct http_request *req, const struct route_match *m)
{
    for (size_t i = 0; i < m->n_params; i++) {
        const struct route_param *p = &m->params[i];
        struct req_text *t = &req->params[i];
        t->name = arena_strndup(&req->arena, p->name, p->name_n);
        t->value = arena_strndup(&req->arena, p->value, p->value_n);
        if (!t->name || !t->value)
            return false;
        req->n_params = i + 1;
    }
    return true;
}

static unsigned bit(enum http_method m)
{
    return 1U << m;
}

/* Finds the route, the endpoint or the mount. False: it was answered. */
static bool find_place(struct conn *c, struct http_request *req)
{
    struct http_server *s = c->server;
    struct route_match m;
    router_match(&s->router, req->method, req->path, &m);
    bool ws = ws_path_known(s, req->path);
    req->methods = m.methods | (ws ? bit(HTTP_GET) | bit(HTTP_OPTIONS) : 0);
    req->cors = m.cors;
    req->cors_listed = m.cors_listed;
    if (ws && req->upgrade && req->method == HTTP_GET)
        return true;
    req->upgrade = false;
    if (m.route) {
        req->route = &m.route->def;
        req->cors = m.route->def.cors;
        req->cors_listed = m.route->def.cors_listed;
        if (m.route->def.max_body > 0)
            req->max_body = m.route->def.max_body;
        if (take_params(req, &m))
            return true;
        http_respond_error(req, 503, err_name(ERR_NOMEM), NULL, err_text(ERR_NOMEM));
        return false;
    }
    if (req->methods == 0) {
        req->mount = files_find(s, req->path);
        if (req->mount) {
            req->methods = bit(HTTP_GET) | bit(HTTP_HEAD) | bit(HTTP_OPTIONS);
            req->cors = files_mount_cors(req->mount);
            if (req->method == HTTP_GET || req->method == HTTP_HEAD)
                return true;
        }
    }
    if (req->method == HTTP_OPTIONS && (req->methods != 0 || strcmp(req->path, "*") == 0))
        respond_preflight(req);
    else if (ws && req->method == HTTP_GET) {
        (void)http_set_header(req, "Upgrade", "websocket");
        http_respond_error(req, 426, err_name(ERR_UNSUPPORTED), NULL,
                           "this path takes WebSocket connections only");
    } else if (req->methods != 0)
        respond_method_not_allowed(req);
    else
        http_respond_error(req, 404, err_name(ERR_NOT_FOUND), NULL,
                           "there is nothing at this path");
    return false;
}

bool http_admit(struct conn *c, struct http_request *req, const struct http_head *h)
{
    if (!find_place(c, req))
        return false;
    if (h->has_length && h->length > req->max_body) {
        http_respond_error(req, 413, err_name(ERR_TOO_LARGE), NULL, "the body is too large");
        return false;
    }
    return true;
}

void http_dispatch(struct http_request *req)
{
    if (req->conn->server->refusing)
        http_respond_error(req, 503, err_name(ERR_UNAVAILABLE), NULL, "the service is closing");
    else if (req->upgrade)
        ws_upgrade(req->conn, req);
    else if (req->route)
        req->route->handler(req, req->route->user);
    else
        files_serve(req);
}

/* ---- life ---- */

static bool copy_string(const char **member)
{
    if (!*member)
        return true;
    *member = strdup(*member);
    return *member != NULL;
}

static void config_fini(struct http_config *config)
{
    free((char *)(uintptr_t)config->cors_origin);
    free((char *)(uintptr_t)config->page_csp);
}

static enum err config_copy(struct http_config *out, const struct http_config *in)
{
    *out = *in;
    out->host = out->cert_file = out->key_file = NULL; /* needed at opening only */
    out->trusted_proxies = NULL;                       /* copied, see below */
    out->cors_origin = out->page_csp = NULL;
    if (out->max_connections == 0)
        out->max_connections = HTTP_DEFAULT_MAX_CONNECTIONS;
    if (out->max_body == 0)
        out->max_body = HTTP_DEFAULT_MAX_BODY;
    if (out->request_timeout_s == 0)
        out->request_timeout_s = 15;
    if (out->idle_timeout_s == 0)
        out->idle_timeout_s = 60;
    if (out->write_timeout_s == 0)
        out->write_timeout_s = 30;
    out->cors_origin = in->cors_origin;
    if (!copy_string(&out->cors_origin))
        return ERR_NOMEM;
    out->page_csp = in->page_csp;
    return copy_string(&out->page_csp) ? OK : ERR_NOMEM;
}

static void copy_proxies(struct http_server *s, const struct http_config *config)
{
    s->proxies.n = config->n_trusted_proxies < FORWARDED_PROXIES_MAX ? config->n_trusted_proxies
                                                                     : FORWARDED_PROXIES_MAX;
    for (size_t i = 0; i < s->proxies.n; i++)
        s->proxies.ranges[i] = config->trusted_proxies[i];
}

static void server_free(struct http_server *s)
{
    if (!s)
        return;
    router_fini(&s->router);
    files_mounts_free(s);
    ws_routes_free(s);
    gzip_cache_close(s->gzip);
    ip_limit_fini(&s->ips);
    config_fini(&s->config);
    free(s);
}

static void register_metrics(struct http_server *s)
{
    struct metrics *m = s->config.metrics;
    s->metrics.connections = metric_gauge(m, "http_connections", "Connections open now.", NULL, 0);
    s->metrics.ws_connections = metric_gauge(m, "ws_connections", "WebSockets open now.", NULL, 0);
    s->metrics.refused_ip =
        metric_counter(m, "http_refused_per_address_total",
                       "Connections refused since their address had too many.", NULL, 0);
    s->metrics.received =
        metric_counter(m, "http_received_bytes_total", "Bytes received from clients.", NULL, 0);
    s->metrics.sent = metric_counter(m, "http_sent_bytes_total", "Bytes sent to clients.", NULL, 0);
}

enum err http_server_open(struct http_server **out, struct uv_loop_s *loop,
                          const struct http_config *config, char *error, size_t error_size)
{
    if (!config->cert_file != !config->key_file) {
        snprintf(error, error_size, "TLS needs a certificate file and a key file, not one of them");
        return ERR_MALFORMED;
    }
    struct http_server *s = calloc(1, sizeof *s);
    enum err e = s ? config_copy(&s->config, config) : ERR_NOMEM;
    if (e == OK)
        e = gzip_cache_open(&s->gzip, GZIP_CACHE_BYTES);
    if (e != OK) {
        snprintf(error, error_size, "%s", err_text(e));
        server_free(s);
        return e;
    }
    s->ips.max = config->max_connections_per_ip;
    copy_proxies(s, config);
    list_init(&s->conns);
    register_metrics(s);
    struct sock_config sc = {
        .host = config->host,
        .port = config->port,
        .cert_file = config->cert_file,
        .key_file = config->key_file,
        .max_connections = s->config.max_connections,
        .events = &conn_events,
        .owner = s,
    };
    e = sock_server_open(&s->socks, loop, &sc, error, error_size);
    if (e != OK) {
        server_free(s);
        return e;
    }
    s->port = sock_server_port(s->socks);
    *out = s;
    return OK;
}

static void on_socks_closed(void *user)
{
    struct http_server *s = user;
    void (*done)(void *user) = s->done;
    void *done_user = s->done_user;
    server_free(s);
    if (done)
        done(done_user);
}

void http_server_close(struct http_server *s, void (*done)(void *user), void *user)
{
    if (!s) {
        if (done)
            done(user);
        return;
    }
    if (s->closing)
        return;
    s->closing = true;
    s->done = done;
    s->done_user = user;
    list_each (node, &s->conns) {
        struct conn *c = container_of(node, struct conn, node);
        if (c->state == CONN_DEAD)
            continue;
        if (c->state == CONN_WS)
            ws_going_away(c);
        conn_flush(c); /* what is ready still goes out, as far as the kernel takes it */
    }
    sock_server_close(s->socks, on_socks_closed, s);
}

void http_server_refuse(struct http_server *s)
{
    s->refusing = true;
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}

unsigned http_server_connections(const struct http_server *s)
{
    return sock_server_count(s->socks);
}
