#include "test/lib/net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "worker/engine/seal.h"
#include "worker/io/udp.h"

enum { DATAGRAM_MAX = 2048, FRAMES_MAX = 256 * 1024, FRAME_LEN = 2, SOCKET_BUFFER = 4 << 20 };

struct net_frames {
    size_t n;
    uint8_t bytes[FRAMES_MAX];
};

static void die(const char *what)
{
    fprintf(stderr, "test net: %s: %s\n", what, strerror(errno));
    abort();
}

void net_init(struct net *net, const struct driver_options *options)
{
    static bool sealing;
    memset(net, 0, sizeof *net);
    rng_init_system(&net->rng);
    if (!sealing && seal_global_init() != OK)
        die("seal_global_init");
    sealing = true;
    (void)driver_start(&net->driver, options);
}

void net_fini(struct net *net)
{
    driver_discard(&net->driver);
}

/* ---- sockets ---- */

static void keep(struct net *net, struct net_socket *s)
{
    for (size_t i = 0; i < NET_SOCKETS; i++) {
        if (!net->sockets[i]) {
            net->sockets[i] = s;
            return;
        }
    }
    die("too many sockets");
}

/* Bound to ip and any port, aimed at remote_port of the same ip. */
static void open_socket(struct net *net, struct net_socket *s, const char *ip, uint16_t remote_port,
                        int type)
{
    struct sockaddr_storage sa;
    socklen_t n = sizeof sa;
    int size = SOCKET_BUFFER;
    memset(&sa, 0, sizeof sa);
    if (addr_parse(&s->local, ip, 0) != OK || addr_parse(&s->remote, ip, remote_port) != OK)
        die(ip);
    bool v6 = s->local.family == 6;
    s->fd = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        die("socket");
    setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    n = addr_to_sockaddr(&s->local, v6, &sa);
    if (bind(s->fd, (struct sockaddr *)&sa, n) < 0)
        die("bind");
    if (type == SOCK_STREAM) {
        n = addr_to_sockaddr(&s->remote, v6, &sa);
        if (connect(s->fd, (struct sockaddr *)&sa, n) < 0)
            die("connect");
    }
    n = sizeof sa;
    if (getsockname(s->fd, (struct sockaddr *)&sa, &n) < 0)
        die("getsockname");
    s->local = addr_from_sockaddr(&sa);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
    keep(net, s);
}

void net_open_udp(struct net *net, struct net_socket *s, const char *ip, uint16_t remote_port)
{
    open_socket(net, s, ip, remote_port, SOCK_DGRAM);
}

void net_open_tcp(struct net *net, struct net_socket *s, const char *ip, uint16_t remote_port)
{
    s->tcp = true;
    s->ended = false;
    s->frames = malloc(sizeof *s->frames);
    if (!s->frames)
        die("memory");
    s->frames->n = 0;
    open_socket(net, s, ip, remote_port, SOCK_STREAM);
}

void net_close(struct net *net, struct net_socket *s)
{
    for (size_t i = 0; i < NET_SOCKETS; i++) {
        if (net->sockets[i] == s)
            net->sockets[i] = NULL;
    }
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    free(s->frames);
    s->frames = NULL;
}

bool net_send_raw(struct net_socket *s, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    while (n > 0) {
        ssize_t wrote = send(s->fd, p, n, MSG_NOSIGNAL);
        if (wrote < 0 && errno == EAGAIN) {
            struct pollfd room = {.fd = s->fd, .events = POLLOUT};
            poll(&room, 1, 100);
            continue;
        }
        if (wrote < 0)
            return false;
        p += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

void net_send(struct net_socket *s, const void *bytes, size_t n)
{
    struct sockaddr_storage sa;
    if (s->fd < 0)
        return;
    if (s->tcp) {
        uint8_t frame[FRAME_LEN + DATAGRAM_MAX];
        if (n > DATAGRAM_MAX)
            die("a frame that is too long");
        put_u16(frame, (uint16_t)n);
        memcpy(frame + FRAME_LEN, bytes, n);
        (void)net_send_raw(s, frame, FRAME_LEN + n);
        return;
    }
    socklen_t len = addr_to_sockaddr(&s->remote, s->remote.family == 6, &sa);
    (void)sendto(s->fd, bytes, n, 0, (struct sockaddr *)&sa, len);
}

static void receive(struct net_socket *s, const uint8_t *bytes, size_t n)
{
    uint8_t copy[DATAGRAM_MAX]; /* exactly as large as sanitizers like it */
    if (n > sizeof copy)
        die("a datagram that is too long");
    memcpy(copy, bytes, n);
    s->received++;
    if (s->receive)
        s->receive(s, copy, n);
}

static void read_udp(struct net_socket *s)
{
    uint8_t buf[DATAGRAM_MAX];
    ssize_t n;
    while (s->fd >= 0 && (n = recv(s->fd, buf, sizeof buf, MSG_DONTWAIT)) >= 0)
        receive(s, buf, (size_t)n);
}

static void take_frames(struct net_socket *s)
{
    struct net_frames *f = s->frames;
    size_t at = 0;
    while (s->frames && f->n - at >= FRAME_LEN) {
        size_t len = (size_t)f->bytes[at] << 8 | f->bytes[at + 1];
        if (f->n - at - FRAME_LEN < len)
            break;
        receive(s, f->bytes + at + FRAME_LEN, len);
        at += FRAME_LEN + len;
    }
    if (!s->frames)
        return; /* closed by a frame */
    f->n -= at;
    memmove(f->bytes, f->bytes + at, f->n);
}

static void read_tcp(struct net_socket *s)
{
    while (s->fd >= 0 && !s->ended) {
        struct net_frames *f = s->frames;
        ssize_t n = recv(s->fd, f->bytes + f->n, FRAMES_MAX - f->n, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        s->ended = n <= 0;
        if (n > 0)
            f->n += (size_t)n;
        take_frames(s);
    }
}

/* ---- the loop ---- */

void net_add_timer(struct net *net, struct net_timer *t)
{
    for (size_t i = 0; i < NET_SOCKETS; i++) {
        if (!net->timers[i]) {
            net->timers[i] = t;
            return;
        }
    }
    die("too many timers");
}

void net_remove_timer(struct net *net, struct net_timer *t)
{
    for (size_t i = 0; i < NET_SOCKETS; i++) {
        if (net->timers[i] == t)
            net->timers[i] = NULL;
    }
}

static usec next_deadline(const struct net *net)
{
    usec at = USEC_NEVER;
    for (size_t i = 0; i < NET_SOCKETS; i++) {
        if (net->timers[i])
            at = usec_min(at, net->timers[i]->deadline(net->timers[i]->ctx));
    }
    return at;
}

static void run_timers(struct net *net)
{
    usec now = clock_now();
    for (size_t i = 0; i < NET_SOCKETS; i++) {
        struct net_timer *t = net->timers[i];
        if (t && t->deadline(t->ctx) <= now)
            t->timeout(t->ctx, now);
    }
}

void net_step(struct net *net, usec wait)
{
    struct pollfd fds[NET_SOCKETS + 1];
    struct net_socket *of[NET_SOCKETS];
    nfds_t n = 0;
    usec now = clock_now();
    usec until = usec_min(now + wait, next_deadline(net));
    int ms = until > now ? (int)((until - now + 999) / 1000) : 0;
    for (size_t i = 0; i < NET_SOCKETS; i++) {
        struct net_socket *s = net->sockets[i];
        if (!s || s->ended)
            continue;
        of[n] = s;
        fds[n++] = (struct pollfd){.fd = s->fd, .events = POLLIN};
    }
    fds[n] = (struct pollfd){.fd = net->driver.ended ? -1 : net->driver.from, .events = POLLIN};
    if (poll(fds, n + 1, ms) < 0 && errno != EINTR)
        die("poll");
    for (nfds_t i = 0; i < n; i++) {
        if (fds[i].revents == 0)
            continue;
        if (of[i]->tcp)
            read_tcp(of[i]);
        else
            read_udp(of[i]);
    }
    if (fds[n].revents != 0)
        (void)driver_poll(&net->driver, 0);
    run_timers(net);
}

void net_pass(struct net *net, usec time)
{
    usec end = clock_now() + time;
    for (usec now = clock_now(); now < end; now = clock_now())
        net_step(net, end - now);
}

bool net_late(struct net *net, usec since, const char *what)
{
    if (clock_now() - since < DRIVER_PATIENCE)
        return false;
    fprintf(stderr, "did not happen: %s\n---- the worker's log:\n%s----\n", what,
            driver_log(&net->driver));
    return true;
}

/* ---- JSON ---- */

json_t *json_at(const json_t *root, const char *path)
{
    const json_t *at = root;
    while (at && *path != '\0') {
        char key[64];
        size_t n = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)n, path);
        at = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10))
                               : json_object_get(at, key);
        path += n + (path[n] == '.');
    }
    return (json_t *)(uintptr_t)at;
}

const char *json_text_at(const json_t *root, const char *path)
{
    const char *text = json_string_value(json_at(root, path));
    return text ? text : "";
}

int64_t json_number_at(const json_t *root, const char *path)
{
    const json_t *v = json_at(root, path);
    return json_is_integer(v) ? json_integer_value(v) : -1;
}
