#include "worker/media/transport_pace.h"

#include <stdlib.h>

#include "common/bytes.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

static struct paced *oldest(struct transport_pace *p)
{
    return &p->ring[p->first];
}

/* The caller gives the packet back. */
static struct paced take(struct transport_pace *p)
{
    struct paced o = *oldest(p);
    p->first = (p->first + 1) % PACE_PACKETS_MAX;
    p->n--;
    p->bytes -= o.packet->len;
    return o;
}

static void release_one(struct transport_pace *p, usec now)
{
    struct paced o = take(p);
    transport_send_paced(p->transport, now, &o);
    packet_unref(o.packet);
}

static void arm(struct transport_pace *p, usec now)
{
    if (p->n == 0) {
        timer_set(&p->timer, USEC_NEVER);
        return;
    }
    usec at = pacer_next(&p->pacer, now, p->bytes);
    timer_set(&p->timer, at > now + PACE_TICK_US ? at : now + PACE_TICK_US);
}

static bool is_due(struct transport_pace *p, usec now)
{
    return pacer_may_send(&p->pacer, now, p->bytes) ||
           now - oldest(p)->packet->arrived_at >= PACER_QUEUE_US;
}

static void on_timer(struct timer *timer, usec now)
{
    struct transport_pace *p = container_of(timer, struct transport_pace, timer);
    while (p->n > 0 && is_due(p, now))
        release_one(p, now);
    arm(p, now);
}

struct packet *transport_pace_room(struct transport_pace *p, usec now)
{
    if (!p->ring)
        p->ring = malloc(PACE_PACKETS_MAX * sizeof *p->ring);
    struct packet *room = p->ring ? packet_get(&p->transport->worker->pool) : NULL;
    while (p->n > 0 && (!room || p->n == PACE_PACKETS_MAX || p->bytes >= PACE_BYTES_MAX))
        release_one(p, now);
    return room;
}

void transport_pace_put(struct transport_pace *p, usec now, const struct paced *what)
{
    what->packet->arrived_at = now;
    p->ring[(p->first + p->n++) % PACE_PACKETS_MAX] = *what;
    p->bytes += what->packet->len;
    if (timer_at(&p->timer) == USEC_NEVER)
        arm(p, now);
}

/* ---- for the transport ---- */

enum err transport_pace_open(struct transport *t)
{
    struct transport_pace *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->transport = t;
    pacer_init(&p->pacer, PACE_DEPTH_US);
    enum err e = timer_add(&t->worker->timers, &p->timer, on_timer);
    if (e != OK) {
        free(p);
        return e;
    }
    t->pace = p;
    return OK;
}

void transport_pace_close(struct transport *t)
{
    struct transport_pace *p = t->pace;
    if (!p)
        return;
    transport_pace_clear(t);
    timer_drop(&p->timer);
    free(p->ring);
    free(p);
    t->pace = NULL;
}

void transport_pace_target(struct transport *t, usec now, uint64_t bps, uint64_t source_bps)
{
    /* Who cannot be slowed down must not pile up here, and its frames leave whole. */
    if (t->pace)
        pacer_set_target(&t->pace->pacer, now, bps > source_bps ? bps : source_bps);
}

void transport_pace_clear(struct transport *t)
{
    struct transport_pace *p = t->pace;
    if (!p)
        return;
    while (p->n > 0)
        packet_unref(take(p).packet);
    timer_set(&p->timer, USEC_NEVER);
}

static uint32_t ssrc_of(const struct packet *p)
{
    struct rd r = rd_slice(slice_of(p->data + 8, 4));
    return rd_u32(&r);
}

void transport_pace_forget(struct transport *t, uint32_t ssrc)
{
    struct transport_pace *p = t->pace;
    size_t n = p ? p->n : 0;
    for (size_t i = 0; i < n; i++) {
        struct paced o = take(p);
        if (ssrc_of(o.packet) == ssrc) {
            packet_unref(o.packet);
            continue;
        }
        p->ring[(p->first + p->n++) % PACE_PACKETS_MAX] = o;
        p->bytes += o.packet->len;
    }
}
