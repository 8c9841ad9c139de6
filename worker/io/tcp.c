#include "worker/io/tcp.h"

#include <stdlib.h>
#include <string.h>

#include "worker/io/tcp_conn.h"
#include "worker/io/udp.h"

enum { LISTENERS_MAX = 1024, BACKLOG = 256 };

static void on_sweep(uv_timer_t *timer)
{
    struct tcp_io *io = timer->data;
    uint64_t now = uv_now(io->loop);
    struct tcp_conn *c;
    struct tcp_conn *next;
    HASH_ITER(hh, io->conns, c, next)
    {
        if (now - c->last_read_ms > SILENCE_MS)
            tcp_conn_close(c, true);
    }
}

enum err tcp_io_init(struct tcp_io *io, uv_loop_t *loop, tcp_recv_fn *on_recv,
                     tcp_closed_fn *on_closed, void *ctx)
{
    *io = (struct tcp_io){
        .loop = loop, .on_recv = on_recv, .on_closed = on_closed, .ctx = ctx, .next_id = 1};
    io->sweep.data = io;
    if (uv_timer_init(loop, &io->sweep) != 0 ||
        uv_timer_start(&io->sweep, on_sweep, SWEEP_MS, SWEEP_MS) != 0)
        return ERR_IO;
    return OK;
}

void tcp_io_fini(struct tcp_io *io)
{
    for (uint16_t i = 0; i < io->n_listeners; i++)
        tcp_close(io, i);
    free(io->listeners);
    io->listeners = NULL;
    io->n_listeners = 0;
    uv_close((uv_handle_t *)&io->sweep, NULL);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct tcp_listener *l = stream->data;
    if (status == 0 && l->io)
        tcp_conn_accept(l);
}

static void on_listener_closed(uv_handle_t *h)
{
    free(h->data);
}

static enum err free_index(struct tcp_io *io, uint16_t *out)
{
    for (uint16_t i = 0; i < io->n_listeners; i++) {
        if (!io->listeners[i]) {
            *out = i;
            return OK;
        }
    }
    if (io->n_listeners == LISTENERS_MAX)
        return ERR_FULL;
    struct tcp_listener **grown =
        realloc(io->listeners, (size_t)(io->n_listeners + 1) * sizeof(struct tcp_listener *));
    if (!grown)
        return ERR_NOMEM;
    grown[io->n_listeners] = NULL;
    io->listeners = grown;
    *out = io->n_listeners++;
    return OK;
}

static enum err err_of_uv(int e)
{
    if (e == UV_EADDRINUSE || e == UV_EACCES)
        return ERR_BUSY;
    return e == UV_EADDRNOTAVAIL ? ERR_RANGE : ERR_IO;
}

/* libuv tells of a taken port only when it listens. */
static enum err listen_on(struct tcp_listener *l, const struct udp_listen *listen, uint16_t port)
{
    struct addr a = listen->ip;
    a.port = port;
    struct sockaddr_storage sa;
    addr_to_sockaddr(&a, a.family == 6, &sa);
    bool v6_only = a.family == 6 && (listen->ipv6_only || !addr_is_any(&listen->ip));
    unsigned flags = v6_only ? UV_TCP_IPV6ONLY : 0;
    int e = uv_tcp_bind(&l->handle, (struct sockaddr *)&sa, flags);
    if (e == 0)
        e = uv_listen((uv_stream_t *)&l->handle, BACKLOG, on_connection);
    return e == 0 ? OK : err_of_uv(e);
}

static enum err listener_open(struct tcp_io *io, const struct udp_listen *listen, uint16_t port,
                              struct tcp_listener **out)
{
    struct tcp_listener *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    if (uv_tcp_init(io->loop, &l->handle) != 0) {
        free(l);
        return ERR_IO;
    }
    l->io = io;
    l->handle.data = l;
    enum err e = listen_on(l, listen, port);
    if (e != OK)
        uv_close((uv_handle_t *)&l->handle, on_listener_closed);
    else
        *out = l;
    return e;
}

enum err tcp_open(struct tcp_io *io, const struct udp_listen *listen, uint16_t *sock,
                  uint16_t *port)
{
    uint16_t index = 0;
    enum err e = free_index(io, &index);
    if (e != OK)
        return e;
    struct tcp_listener *l = NULL;
    if (listen->ip.port != 0 || listen->port_min == 0) {
        e = listener_open(io, listen, listen->ip.port, &l);
    } else {
        e = ERR_BUSY;
        for (uint32_t p = listen->port_min; p <= listen->port_max && e == ERR_BUSY; p++)
            e = listener_open(io, listen, (uint16_t)p, &l);
    }
    if (e != OK)
        return e;
    struct sockaddr_storage sa;
    int n = sizeof sa;
    memset(&sa, 0, sizeof sa);
    uv_tcp_getsockname(&l->handle, (struct sockaddr *)&sa, &n);
    l->index = index;
    io->listeners[index] = l;
    *sock = index;
    *port = addr_from_sockaddr(&sa).port;
    return OK;
}

void tcp_close(struct tcp_io *io, uint16_t sock)
{
    struct tcp_listener *l = sock < io->n_listeners ? io->listeners[sock] : NULL;
    if (!l)
        return;
    struct tcp_conn *c;
    struct tcp_conn *next;
    HASH_ITER(hh, io->conns, c, next)
    {
        if (c->tuple.sock == sock)
            tcp_conn_close(c, false);
    }
    io->listeners[sock] = NULL;
    l->io = NULL;
    uv_close((uv_handle_t *)&l->handle, on_listener_closed);
}

void tcp_close_conn(struct tcp_io *io, const struct tuple *tuple)
{
    struct tcp_conn *c = tcp_conn_find(io, tuple->conn);
    if (c)
        tcp_conn_close(c, false);
}

/* Appends a frame to what is pending, or drops it whole. */
static void queue_frame(struct tcp_conn *c, const uint8_t head[TCP_FRAME_HEAD],
                        const uint8_t *bytes, uint32_t len)
{
    if (!c->pending && !(c->pending = malloc(PENDING_CAP))) {
        c->io->counters.dropped_out++;
        return;
    }
    if (c->in_write == 0 && c->pending_at > 0) {
        memmove(c->pending, c->pending + c->pending_at, c->pending_len - c->pending_at);
        c->pending_len -= c->pending_at;
        c->pending_at = 0;
    }
    if (c->pending_len + TCP_FRAME_HEAD + len > PENDING_CAP) {
        c->io->counters.dropped_out++;
        return;
    }
    memcpy(c->pending + c->pending_len, head, TCP_FRAME_HEAD);
    memcpy(c->pending + c->pending_len + TCP_FRAME_HEAD, bytes, len);
    c->pending_len += TCP_FRAME_HEAD + len;
    c->io->counters.frames_out++;
    c->io->counters.bytes_out += len;
}

/* The kernel took `taken` bytes of the frame: the rest of it must follow, whatever happens. */
static bool queue_rest(struct tcp_conn *c, const uint8_t *head, const uint8_t *bytes, uint32_t len,
                       uint32_t taken)
{
    if (!c->pending && !(c->pending = malloc(PENDING_CAP)))
        return false;
    c->pending_at = c->pending_len = 0;
    if (taken < TCP_FRAME_HEAD) {
        memcpy(c->pending, head + taken, TCP_FRAME_HEAD - taken);
        c->pending_len = TCP_FRAME_HEAD - taken;
        taken = TCP_FRAME_HEAD;
    }
    memcpy(c->pending + c->pending_len, bytes + (taken - TCP_FRAME_HEAD),
           len - (taken - TCP_FRAME_HEAD));
    c->pending_len += len - (taken - TCP_FRAME_HEAD);
    c->io->counters.frames_out++;
    c->io->counters.bytes_out += len;
    return true;
}

enum { WRITE_FRAMES = 32 };

struct write_run {
    unsigned n;
    uint8_t heads[WRITE_FRAMES][TCP_FRAME_HEAD];
    uv_buf_t bufs[2 * WRITE_FRAMES];
};

static void add_frame(struct write_run *r, uint8_t *bytes, uint32_t len)
{
    put_u16(r->heads[r->n], (uint16_t)len);
    r->bufs[2 * r->n] = uv_buf_init((char *)r->heads[r->n], TCP_FRAME_HEAD);
    r->bufs[2 * r->n + 1] = uv_buf_init((char *)bytes, len);
    r->n++;
}

/* Writes a run of frames; false: the connection is broken. */
static bool write_run(struct tcp_conn *c, struct write_run *r)
{
    if (r->n == 0)
        return true;
    int wrote = uv_try_write((uv_stream_t *)&c->handle, r->bufs, 2 * r->n);
    if (wrote < 0 && wrote != UV_EAGAIN)
        return false;
    uint32_t taken = wrote > 0 ? (uint32_t)wrote : 0;
    for (unsigned i = 0; i < r->n; i++) {
        const uint8_t *bytes = (const uint8_t *)r->bufs[2 * i + 1].base;
        uint32_t len = (uint32_t)r->bufs[2 * i + 1].len;
        uint32_t whole = TCP_FRAME_HEAD + len;
        if (taken >= whole) {
            taken -= whole;
            c->io->counters.frames_out++;
            c->io->counters.bytes_out += len;
        } else if (taken > 0) {
            if (!queue_rest(c, r->heads[i], bytes, len, taken))
                return false;
            taken = 0;
        } else {
            queue_frame(c, r->heads[i], bytes, len);
        }
    }
    r->n = 0;
    return true;
}

void tcp_send(struct tcp_io *io, struct txq *q, const struct tx_dest *d)
{
    struct tcp_conn *c = tcp_conn_find(io, d->to.conn);
    if (!c) {
        io->counters.dropped_out += d->count;
        return;
    }
    struct write_run run = {0};
    bool alive = true;
    for (uint32_t slot = d->first; slot != TX_NONE && alive; slot = q->slots[slot].next) {
        if (c->pending_len > c->pending_at) {
            uint8_t head[TCP_FRAME_HEAD];
            put_u16(head, (uint16_t)q->slots[slot].len);
            queue_frame(c, head, txq_bytes(q, slot), q->slots[slot].len);
            continue;
        }
        add_frame(&run, txq_bytes(q, slot), q->slots[slot].len);
        if (run.n == WRITE_FRAMES)
            alive = write_run(c, &run);
    }
    /* A broken connection is noticed by its reader, in the loop's next turn; not here, in the
     * middle of a drain. */
    if (alive && write_run(c, &run))
        tcp_conn_write_pending(c);
}
