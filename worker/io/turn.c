#include "worker/io/turn.h"

#include <stdio.h>

#include "common/clock.h"

static void drain(void *ctx, struct txq *q)
{
    struct turn *t = ctx;
    list_each (node, &q->dirty) {
        const struct tx_dest *d = container_of(node, struct tx_dest, dirty);
        if (d->to.proto == TUPLE_UDP)
            udp_send(&t->udp, q, d);
        else
            tcp_send(&t->tcp, q, d);
    }
    udp_flush(&t->udp);
    txq_reset(q);
}

static void drain_if_any(struct turn *t)
{
    struct txq *q = worker_txq(t->worker);
    if (!list_empty(&q->dirty))
        drain(t, q);
}

static void on_timer(uv_timer_t *timer)
{
    struct turn *t = timer->data;
    t->armed_for = USEC_NEVER;
    worker_timeout(t->worker, clock_now());
}

/* libuv's clock is in milliseconds: round up, so that the deadline has come when the timer fires.
 */
static void arm(struct turn *t)
{
    usec deadline = worker_deadline(t->worker);
    if (deadline == t->armed_for)
        return;
    t->armed_for = deadline;
    if (deadline == USEC_NEVER) {
        uv_timer_stop(&t->timer);
        return;
    }
    usec wait = deadline - clock_now();
    uint64_t ms = wait > 0 ? (uint64_t)((wait + USEC_PER_MSEC - 1) / USEC_PER_MSEC) : 0;
    uv_update_time(t->loop);
    uv_timer_start(&t->timer, on_timer, ms, 0);
}

static void on_before_poll(uv_prepare_t *h)
{
    struct turn *t = h->data;
    drain_if_any(t);
    arm(t);
}

static void on_after_poll(uv_check_t *h)
{
    drain_if_any(h->data);
}

static void on_datagram(void *ctx, usec now, const struct tuple *from, struct packet *p)
{
    struct turn *t = ctx;
    worker_datagram(t->worker, now, from, p);
}

static void on_ahead(void *ctx, const struct tuple *from, struct packet *const *p, size_t n,
                     size_t at)
{
    struct turn *t = ctx;
    worker_fetch_ahead(t->worker, from, p, n, at);
}

static bool on_burst(void *ctx, usec now, bool last)
{
    struct turn *t = ctx;
    if (!last && worker_burst_is_open(t->worker))
        return false;
    worker_burst_end(t->worker, now);
    return true;
}

/* A stream has no bursts. */
static void on_frame(void *ctx, usec now, const struct tuple *from, struct packet *p)
{
    on_datagram(ctx, now, from, p);
    (void)on_burst(ctx, now, true);
}

static void on_tcp_closed(void *ctx, usec now, const struct tuple *tuple)
{
    struct turn *t = ctx;
    worker_tcp_closed(t->worker, now, tuple);
}

static enum err io_open_udp(void *ctx, const struct udp_listen *l, uint16_t *sock, uint16_t *port)
{
    return udp_open(&((struct turn *)ctx)->udp, l, sock, port);
}

static enum err io_open_tcp(void *ctx, const struct udp_listen *l, uint16_t *sock, uint16_t *port)
{
    return tcp_open(&((struct turn *)ctx)->tcp, l, sock, port);
}

/* What is queued for a socket leaves before it closes: a BYE is often the last packet. */
static void io_close_udp(void *ctx, uint16_t sock)
{
    struct turn *t = ctx;
    if (t->worker)
        drain_if_any(t);
    udp_close(&t->udp, sock);
}

static void io_close_tcp_listener(void *ctx, uint16_t sock)
{
    tcp_close(&((struct turn *)ctx)->tcp, sock);
}

static void io_close_tcp(void *ctx, const struct tuple *tuple)
{
    tcp_close_conn(&((struct turn *)ctx)->tcp, tuple);
}

enum err turn_init(struct turn *t, uv_loop_t *loop)
{
    *t = (struct turn){.loop = loop, .armed_for = USEC_NEVER};
    enum err e = udp_io_init(&t->udp, loop, on_datagram, on_ahead, on_burst, t);
    if (e == OK)
        e = tcp_io_init(&t->tcp, loop, on_frame, on_tcp_closed, t);
    uv_prepare_init(loop, &t->before_poll);
    uv_check_init(loop, &t->after_poll);
    uv_timer_init(loop, &t->timer);
    t->before_poll.data = t->after_poll.data = t->timer.data = t;
    return e;
}

static enum err add_listen(struct worker_config *config, const struct addr *bound, uint16_t sock,
                           enum tuple_proto proto, const char *announced)
{
    if (config->n_listens == WORKER_MAX_LISTENS)
        return ERR_FULL;
    struct worker_listen *l = &config->listens[config->n_listens++];
    *l = (struct worker_listen){.bound = *bound, .sock = sock, .proto = (uint8_t)proto};
    snprintf(l->announced, sizeof l->announced, "%s", announced);
    return OK;
}

enum err turn_listen(struct turn *t, struct worker_config *config, const struct addr *ip,
                     const char *announced)
{
    struct udp_listen listen = {.ip = *ip, .ipv6_only = true};
    struct addr bound = *ip;
    uint16_t sock = 0;
    enum err e = udp_open(&t->udp, &listen, &sock, &bound.port);
    if (e == OK)
        e = add_listen(config, &bound, sock, TUPLE_UDP, announced);
    if (e == OK)
        e = tcp_open(&t->tcp, &listen, &sock, &bound.port);
    if (e == OK)
        e = add_listen(config, &bound, sock, TUPLE_TCP, announced);
    return e;
}

enum err turn_start(struct turn *t, struct worker_config *config)
{
    config->io = (struct worker_io){.ctx = t,
                                    .open_udp = io_open_udp,
                                    .open_tcp = io_open_tcp,
                                    .close_udp = io_close_udp,
                                    .close_tcp_listener = io_close_tcp_listener,
                                    .close_tcp = io_close_tcp};
    enum err e = worker_open(config, clock_now(), clock_wall(), &t->worker);
    if (e != OK)
        return e;
    t->udp.pool = t->tcp.pool = worker_pool(t->worker);
    struct txq *q = worker_txq(t->worker);
    q->drain = drain;
    q->drain_ctx = t;
    uv_prepare_start(&t->before_poll, on_before_poll);
    uv_check_start(&t->after_poll, on_after_poll);
    return OK;
}

void turn_fini(struct turn *t)
{
    uv_close((uv_handle_t *)&t->before_poll, NULL);
    uv_close((uv_handle_t *)&t->after_poll, NULL);
    uv_close((uv_handle_t *)&t->timer, NULL);
    /* The worker says goodbye while there are sockets. They hold buffers of its pool, which it
     * takes with it. */
    udp_io_release(&t->udp);
    worker_close(t->worker);
    t->worker = NULL;
    udp_io_fini(&t->udp);
    tcp_io_fini(&t->tcp);
}
