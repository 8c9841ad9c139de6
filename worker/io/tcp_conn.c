#include "worker/io/tcp_conn.h"

#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "worker/io/udp.h"

struct tcp_conn *tcp_conn_find(struct tcp_io *io, uint32_t id)
{
    struct tcp_conn *c = NULL;
    HASH_FIND(hh, io->conns, &id, sizeof id, c);
    return c;
}

static void on_handle_closed(uv_handle_t *h)
{
    struct tcp_conn *c = h->data;
    free(c->pending);
    free(c);
}

void tcp_conn_close(struct tcp_conn *c, bool tell)
{
    struct tcp_io *io = c->io;
    if (!io)
        return;
    struct tuple tuple = c->tuple;
    HASH_DEL(io->conns, c);
    io->n_conns--;
    c->io = NULL;
    uv_close((uv_handle_t *)&c->handle, on_handle_closed);
    if (tell)
        io->on_closed(io->ctx, clock_now(), &tuple);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct tcp_conn *c = h->data;
    (void)suggested;
    *buf = uv_buf_init((char *)c->buf + c->have, READ_CAP - c->have);
}

static void deliver(struct tcp_conn *c, usec now, struct slice frame)
{
    struct tcp_io *io = c->io;
    struct packet *p = packet_get(io->pool);
    if (!p)
        return;
    memcpy(p->data, frame.p, frame.n);
    p->len = (uint32_t)frame.n;
    p->arrived_at = now;
    io->counters.frames_in++;
    io->counters.bytes_in += frame.n;
    struct tuple from = c->tuple;
    io->on_recv(io->ctx, now, &from, p);
    packet_unref(p);
}

/* Takes frames from n bytes; returns how many bytes are done with. c may be closed by a frame. */
static size_t take_frames(struct tcp_conn *c, usec now, size_t n)
{
    size_t at = 0;
    while (c->io) {
        if (c->skip > 0) {
            size_t step = c->skip < n - at ? c->skip : n - at;
            c->skip -= (uint32_t)step;
            at += step;
        }
        if (n - at < TCP_FRAME_HEAD)
            break;
        size_t len = (size_t)c->buf[at] << 8 | c->buf[at + 1];
        if (len > PACKET_CAP) {
            c->io->counters.oversized_in++;
            c->skip = (uint32_t)len;
            at += TCP_FRAME_HEAD;
            continue;
        }
        if (n - at - TCP_FRAME_HEAD < len)
            break;
        if (len > 0)
            deliver(c, now, slice_of(c->buf + at + TCP_FRAME_HEAD, len));
        at += TCP_FRAME_HEAD + len;
    }
    return at;
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct tcp_conn *c = s->data;
    (void)buf;
    if (n == 0)
        return;
    if (n < 0) {
        tcp_conn_close(c, true);
        return;
    }
    c->last_read_ms = uv_now(c->io->loop);
    size_t total = c->have + (size_t)n;
    size_t done = take_frames(c, clock_now(), total);
    if (!c->io)
        return;
    c->have = (uint32_t)(total - done);
    memmove(c->buf, c->buf + done, c->have);
}

static void on_written(uv_write_t *w, int status)
{
    struct tcp_conn *c = w->data;
    c->pending_at += c->in_write;
    c->in_write = 0;
    if (c->pending_at == c->pending_len)
        c->pending_at = c->pending_len = 0;
    if (!c->io)
        return;
    if (status < 0)
        tcp_conn_close(c, true);
    else
        tcp_conn_write_pending(c);
}

void tcp_conn_write_pending(struct tcp_conn *c)
{
    if (c->in_write > 0 || c->pending_len == c->pending_at)
        return;
    c->in_write = c->pending_len - c->pending_at;
    uv_buf_t buf = uv_buf_init((char *)c->pending + c->pending_at, c->in_write);
    c->write.data = c;
    if (uv_write(&c->write, (uv_stream_t *)&c->handle, &buf, 1, on_written) != 0)
        c->in_write = 0; /* the reader notices what is wrong with it */
}

void tcp_conn_accept(struct tcp_listener *l)
{
    struct tcp_io *io = l->io;
    struct tcp_conn *c = malloc(sizeof *c);
    if (!c)
        return;
    memset(c, 0, offsetof(struct tcp_conn, buf));
    if (uv_tcp_init(io->loop, &c->handle) != 0) {
        free(c);
        return;
    }
    c->handle.data = c;
    struct sockaddr_storage sa = {0};
    int n = sizeof sa;
    if (uv_accept((uv_stream_t *)&l->handle, (uv_stream_t *)&c->handle) != 0 ||
        uv_tcp_getpeername(&c->handle, (struct sockaddr *)&sa, &n) != 0 ||
        io->n_conns >= CONNS_MAX) {
        io->counters.refused++;
        uv_close((uv_handle_t *)&c->handle, on_handle_closed);
        return;
    }
    uv_tcp_nodelay(&c->handle, 1);
    c->io = io;
    c->id = io->next_id++;
    c->tuple = (struct tuple){
        .remote = addr_from_sockaddr(&sa), .conn = c->id, .sock = l->index, .proto = TUPLE_TCP};
    c->last_read_ms = uv_now(io->loop);
    io->counters.accepted++;
    io->n_conns++;
    HASH_ADD(hh, io->conns, id, sizeof c->id, c);
    if (uv_read_start((uv_stream_t *)&c->handle, on_alloc, on_read) != 0)
        tcp_conn_close(c, false);
}
