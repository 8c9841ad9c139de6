#include "controller/net/sock.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "controller/net/certificate.h"
#include "controller/net/listen.h"
#include "controller/net/sock_state.h"

enum { ACCEPTS_PER_TURN = 64, TLS_HANDSHAKE_S = 10, TEARDOWN_MS = 1, PROTOCOL_TEXT_MAX = 160 };

/* ---- lws's callback ---- */

static int on_received(struct sock *s, const uint8_t *p, size_t n)
{
    if (s->doomed || !s->conn)
        return -1;
    if (!s->greeted) {
        s->greeted = true;
        /* After a TLS handshake lws arms a timer that only its own HTTP role disarms. */
        lws_set_timeout(s->wsi, NO_PENDING_TIMEOUT, 0);
    }
    return s->server->events.received(s->conn, p, n) && !s->doomed ? 0 : -1;
}

static int on_writable(struct sock *s)
{
    if (s->doomed || !s->conn)
        return -1;
    sock_apply_reading(s);
    s->full = lws_partial_buffered(s->wsi);
    return s->server->events.writable(s->conn) && !s->doomed ? 0 : -1;
}

static void on_closed(struct sock *s)
{
    s->wsi = NULL;
    if (s->adopting)
        return; /* accept_one frees it */
    list_remove(&s->node);
    list_remove(&s->soon);
    s->server->count--;
    if (s->conn)
        s->server->events.closed(s->conn);
    free(s);
}

static struct sock_server *server_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

static int lws_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t n)
{
    (void)user;
    struct sock *s;
    switch ((int)reason) {
    case LWS_CALLBACK_WSI_CREATE:
        server_of(wsi)->n_wsi++;
        break;
    case LWS_CALLBACK_WSI_DESTROY:
        server_of(wsi)->n_wsi--;
        break;
    case LWS_CALLBACK_RAW_RX:
        s = lws_get_opaque_user_data(wsi);
        return s ? on_received(s, in, n) : -1;
    case LWS_CALLBACK_RAW_WRITEABLE:
        s = lws_get_opaque_user_data(wsi);
        return s ? on_writable(s) : -1;
    case LWS_CALLBACK_RAW_CLOSE:
        s = lws_get_opaque_user_data(wsi);
        lws_set_opaque_user_data(wsi, NULL);
        if (s)
            on_closed(s);
        break;
    default:
        break;
    }
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "weir", .callback = lws_event, .tx_packet_size = SOCK_RECORD_MAX},
    {0},
};

/* The last thing that lws complained about: the reason behind a failing open. */
static char complaint[PROTOCOL_TEXT_MAX];

static void lws_log(int level, const char *line)
{
    (void)level;
    const char *text = strchr(line, ']'); /* behind lws's own time stamp */
    text = text ? text + 1 : line;
    text += strspn(text, " EWN:");
    snprintf(complaint, sizeof complaint, "%.*s", (int)strcspn(text, "\n"), text);
    char quoted[PROTOCOL_TEXT_MAX * 2];
    log_debug("net.lws", "text=%s", log_quote(complaint, quoted, sizeof quoted));
}

/* ---- accepting ---- */

/* Takes over fd. */
static void accept_one(struct sock_server *server, int fd, const struct sockaddr_storage *from)
{
    struct sock *s = server->count < server->max_connections ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        close(fd);
        return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    s->server = server;
    s->reading = s->flowing = true;
    s->adopting = true;
    list_init(&s->node);
    list_init(&s->soon);
    lws_adopt_desc_t desc = {
        .vh = server->vhost,
        .type = LWS_ADOPT_SOCKET | LWS_ADOPT_ALLOW_SSL,
        .fd.sockfd = fd,
        .vh_prot_name = protocols[0].name,
        .opaque = s,
    };
    s->wsi = lws_adopt_descriptor_vhost_via_info(&desc);
    s->adopting = false;
    if (!s->wsi) { /* lws closed fd */
        free(s);
        return;
    }
    server->count++;
    list_add(&server->socks, &s->node);
    struct addr peer = listen_addr(from);
    s->conn = server->events.opened(server->owner, s, &peer);
    if (!s->conn)
        sock_close(s);
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct sock_server *server = poll->data;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage from;
        socklen_t from_n = sizeof from;
        int fd = accept4(server->listen_fd, (struct sockaddr *)&from, &from_n,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accept_one(server, fd, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            log_warn("net.accept", "error=%s", strerrorname_np(errno));
            server->accept_paused = true;
            uv_poll_stop(&server->listener);
        }
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

/* ---- teardown ---- */

static void kill_sock(struct sock *s)
{
    s->doomed = true;
    lws_set_timeout(s->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC); /* ends in on_closed */
}

/* Killing takes place here, never inside a callback of lws. */
static void on_reap(uv_timer_t *timer)
{
    struct sock_server *server = timer->data;
    while (!list_empty(&server->doomed))
        kill_sock(container_of(server->doomed.next, struct sock, node));
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct sock_server *server = handle->data;
    if (--server->handles > 0)
        return;
    void (*done)(void *user) = server->done;
    void *user = server->done_user;
    free(server);
    if (done)
        done(user);
}

static void close_handles(struct sock_server *server)
{
    server->phase = CLOSING_HANDLES;
    uv_close((uv_handle_t *)&server->timer, on_handle_closed);
    uv_close((uv_handle_t *)&server->reaper, on_handle_closed);
    uv_close((uv_handle_t *)&server->turn, on_handle_closed);
}

static void on_teardown(uv_timer_t *timer)
{
    struct sock_server *server = timer->data;
    switch (server->phase) {
    case CLOSING_SOCKETS:
        on_reap(timer);
        while (!list_empty(&server->socks))
            kill_sock(container_of(server->socks.next, struct sock, node));
        if (server->n_wsi > 0)
            return;
        server->phase = CLOSING_CONTEXT;
        lws_context_destroy(server->context);
        return;
    case CLOSING_CONTEXT:
        /* lws closed its handles in the turn before; on a foreign loop nobody but us finishes. */
        if (server->context && !server->context_done) {
            server->context_done = true;
            return;
        }
        if (server->context)
            lws_context_destroy(server->context);
        if (!server->context)
            close_handles(server);
        return;
    case RUNNING:
    case CLOSING_HANDLES:
        return;
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct sock_server *server = timer->data;
    if (server->accept_paused) {
        server->accept_paused = false;
        uv_poll_start(&server->listener, UV_READABLE, on_acceptable);
    }
    server->events.tick(server->owner);
}

static void stop_listening(struct sock_server *server)
{
    uv_poll_stop(&server->listener);
    uv_close((uv_handle_t *)&server->listener, on_handle_closed);
    close(server->listen_fd);
    server->listen_fd = -1;
}

void sock_server_close(struct sock_server *server, void (*done)(void *user), void *user)
{
    if (server->phase != RUNNING)
        return;
    server->phase = CLOSING_SOCKETS;
    server->done = done;
    server->done_user = user;
    stop_listening(server);
    uv_timer_start(&server->timer, on_teardown, 0, TEARDOWN_MS);
}

/* ---- opening ---- */

/* lws unloads its libuv plugin at the end of a context, which may be inside the plugin's own
 * function; so it is told to stay. */
static int pin_plugin(struct dl_phdr_info *info, size_t n, void *user)
{
    (void)n;
    (void)user;
    if (info->dlpi_name && strstr(info->dlpi_name, "evlib_uv")) {
        void *h = dlopen(info->dlpi_name, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
        if (h)
            dlclose(h);
    }
    return 0;
}

static enum err open_context(struct sock_server *server, const struct sock_config *config,
                             char *error, size_t error_size)
{
    void *loops[] = {server->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_ADOPT_APPLY_LISTEN_ACCEPT_CONFIG,
        .foreign_loops = loops,
        .pcontext = &server->context,
        .user = server,
        .pt_serv_buf_size = SOCK_READ_MAX + LWS_PRE,
        .timeout_secs = TLS_HANDSHAKE_S,
        .vhost_name = "weir",
    };
    if (server->tls) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = config->cert_file;
        info.ssl_private_key_filepath = config->key_file;
        info.alpn = "http/1.1";
    }
    lws_set_log_level(LLL_ERR | LLL_WARN, lws_log);
    complaint[0] = '\0';
    server->context = lws_create_context(&info);
    if (!server->context) {
        snprintf(error, error_size, "libwebsockets does not start: %s", complaint);
        return ERR_IO;
    }
    dl_iterate_phdr(pin_plugin, NULL);
    server->vhost = lws_create_vhost(server->context, &info);
    if (server->vhost)
        return OK;
    if (server->tls)
        snprintf(error, error_size, "the certificate %s or its key %s cannot be used: %s",
                 config->cert_file, config->key_file, complaint);
    else
        snprintf(error, error_size, "libwebsockets does not start: %s", complaint);
    return ERR_IO;
}

/* lws sizes its tables by the limit of descriptors, so that is raised first. */
static void raise_descriptor_limit(unsigned max_connections)
{
    struct rlimit r;
    rlim_t want = 2 * (rlim_t)max_connections + 256;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= want)
        return;
    r.rlim_cur = r.rlim_max < want ? r.rlim_max : want;
    if (setrlimit(RLIMIT_NOFILE, &r) != 0)
        log_warn("net.limit", "nofile=%lu", (unsigned long)r.rlim_cur);
}

enum err sock_server_open(struct sock_server **out, struct uv_loop_s *loop,
                          const struct sock_config *config, char *error, size_t error_size)
{
    bool tls = config->cert_file != NULL;
    enum err e = OK;
    if (tls)
        e = certificate_check(config->cert_file, config->key_file, error, error_size);
    if (e != OK)
        return e;
    struct sock_server *server = calloc(1, sizeof *server);
    if (!server) {
        snprintf(error, error_size, "out of memory");
        return ERR_NOMEM;
    }
    server->events = *config->events;
    server->owner = config->owner;
    server->loop = loop;
    server->tls = tls;
    server->max_connections = config->max_connections;
    list_init(&server->socks);
    list_init(&server->doomed);
    list_init(&server->soon);
    raise_descriptor_limit(config->max_connections);
    e = listen_tcp(config->host, config->port, &server->listen_fd, &server->port, error,
                   error_size);
    if (e != OK) {
        free(server);
        return e;
    }
    uv_timer_init(loop, &server->timer);
    uv_timer_init(loop, &server->reaper);
    uv_idle_init(loop, &server->turn);
    uv_poll_init(loop, &server->listener, server->listen_fd);
    server->timer.data = server->reaper.data = server->turn.data = server;
    server->listener.data = server;
    server->handles = 4;
    e = open_context(server, config, error, error_size);
    if (e != OK) { /* in later turns; nobody is told */
        server->phase = CLOSING_SOCKETS;
        stop_listening(server);
        if (server->context)
            uv_timer_start(&server->timer, on_teardown, 0, TEARDOWN_MS);
        else
            close_handles(server);
        return e;
    }
    uv_poll_start(&server->listener, UV_READABLE, on_acceptable);
    uv_timer_start(&server->timer, on_tick, SOCK_TICK_MS, SOCK_TICK_MS);
    *out = server;
    return OK;
}

uint16_t sock_server_port(const struct sock_server *server)
{
    return server->port;
}

unsigned sock_server_count(const struct sock_server *server)
{
    return server->count;
}

int64_t sock_server_now(const struct sock_server *server)
{
    return (int64_t)uv_now(server->loop) * 1000;
}

/* ---- one socket ---- */

void sock_set_reading(struct sock *s, bool on)
{
    s->reading = on;
    if (!s->doomed)
        sock_apply_reading(s);
}

void sock_shutdown(struct sock *s)
{
    if (s->doomed)
        return;
    if (s->server->tls && s->greeted)
        SSL_shutdown(lws_get_ssl(s->wsi)); /* close_notify: lws sends none in the raw role */
    shutdown(lws_get_socket_fd(s->wsi), SHUT_WR);
}

void sock_close(struct sock *s)
{
    if (s->doomed)
        return;
    s->doomed = true;
    list_remove(&s->node);
    list_remove(&s->soon);
    list_add(&s->server->doomed, &s->node);
    uv_timer_start(&s->server->reaper, on_reap, 0, 0);
}

bool sock_is_tls(const struct sock *s)
{
    return s->server->tls;
}
