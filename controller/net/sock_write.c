/* What is sent, and when. A socket without TLS is written to directly, from where the bytes are: no
 * copy waits in lws, and files go by sendfile. */
#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/net/sock_state.h"

bool sock_can_write(const struct sock *s)
{
    return !s->doomed && !s->full;
}

void sock_apply_reading(struct sock *s)
{
    bool flow = s->reading && !lws_partial_buffered(s->wsi);
    if (flow != s->flowing) {
        s->flowing = flow;
        lws_rx_flow_control(s->wsi, flow ? 1 : 0);
    }
}

/* ---- TLS: joined, and encrypted by lws ---- */

static uint8_t joined[SOCK_RECORD_MAX];

static long send_encrypted(struct sock *s, size_t n)
{
    if (lws_write(s->wsi, joined, n, LWS_WRITE_RAW) < 0) {
        sock_close(s);
        return -1;
    }
    s->full = lws_partial_buffered(s->wsi);
    sock_apply_reading(s);
    return (long)n;
}

static long send_joined(struct sock *s, const struct iovec *pieces, size_t n_pieces)
{
    size_t n = 0;
    for (size_t i = 0; i < n_pieces && n < sizeof joined; i++) {
        size_t room = sizeof joined - n;
        size_t take = pieces[i].iov_len < room ? pieces[i].iov_len : room;
        memcpy(joined + n, pieces[i].iov_base, take);
        n += take;
    }
    return send_encrypted(s, n);
}

static long send_read(struct sock *s, int fd, uint64_t offset, size_t n)
{
    ssize_t got = pread(fd, joined, n < sizeof joined ? n : sizeof joined, (off_t)offset);
    if (got > 0)
        return send_encrypted(s, (size_t)got);
    sock_close(s);
    return -1;
}

/* ---- without ---- */

/* sent: of want bytes, or -1 with errno. */
static long taken(struct sock *s, ssize_t sent, size_t want)
{
    if (sent > 0) {
        s->full = (size_t)sent < want;
        return sent;
    }
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
        s->full = true;
        return 0;
    }
    sock_close(s); /* also when a file ends too early */
    return -1;
}

long sock_send(struct sock *s, const struct iovec *pieces, size_t n_pieces, bool more)
{
    if (s->doomed)
        return -1;
    if (s->full)
        return 0;
    if (s->server->tls)
        return send_joined(s, pieces, n_pieces);
    size_t want = 0;
    for (size_t i = 0; i < n_pieces; i++)
        want += pieces[i].iov_len;
    /* The kernel does not change the bytes; the struct lacks the const. */
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = n_pieces};
    int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
    return taken(s, sendmsg(lws_get_socket_fd(s->wsi), &m, flags), want);
}

long sock_send_file(struct sock *s, int fd, uint64_t offset, size_t n)
{
    if (s->doomed)
        return -1;
    if (s->full)
        return 0;
    if (s->server->tls)
        return send_read(s, fd, offset, n);
    off_t at = (off_t)offset;
    return taken(s, sendfile(lws_get_socket_fd(s->wsi), fd, &at, n), n);
}

/* ---- when ---- */

void sock_want_write(struct sock *s)
{
    if (s->doomed)
        return;
    if (s->full) { /* three calls into the kernel, so only when one has to wait */
        lws_callback_on_writable(s->wsi);
        return;
    }
    list_remove(&s->soon);
    list_add(&s->server->soon, &s->soon);
    uv_idle_start(&s->server->turn, sock_on_turn);
}

void sock_on_turn(uv_idle_t *turn)
{
    struct sock_server *server = turn->data;
    struct list now;
    list_init(&now);
    while (!list_empty(&server->soon)) { /* who is added from here on waits for the next turn */
        struct list *node = server->soon.next;
        list_remove(node);
        list_add(&now, node);
    }
    uv_idle_stop(turn);
    while (!list_empty(&now)) {
        struct sock *s = container_of(now.next, struct sock, soon);
        list_remove(&s->soon);
        if (s->conn && !server->events.writable(s->conn))
            sock_close(s);
    }
}
