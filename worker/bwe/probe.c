#include "worker/bwe/probe.h"

#include <math.h>
#include <string.h>

#define START_FIRST 3.0
#define START_SECOND 6.0
#define FURTHER 2.0
#define KEPT_UP 0.7           /* of the probe's rate */
#define PROBE_BPS_MIN 10000.0 /* nobody who wants so little needs to know */
#define PACKET_MS 3.0         /* five packets make PROBE_DURATION_US */

void probe_init(struct probe *p)
{
    *p = (struct probe){.cap_bps = INFINITY, .further_bps = INFINITY};
}

void probe_set_cap(struct probe *p, double bps)
{
    p->cap_bps = bps;
}

static void enqueue(struct probe *p, usec now, double bps, usec duration)
{
    bps = fmin(bps, p->cap_bps);
    if (p->n == PROBE_QUEUE || bps < PROBE_BPS_MIN)
        return;
    p->last_id = p->last_id == UINT8_MAX ? 1 : (uint8_t)(p->last_id + 1);
    p->last_bps = bps;
    if (duration >= PROBE_LONG_US) {
        double least = PROBE_LONG_PACKETS * PROBE_PACKET_MIN * 8.0 * USEC_PER_SEC / bps;
        duration = (usec)fmin(fmax((double)duration, least), PROBE_LONGEST_US);
    }
    double packet = bps * PACKET_MS / 8000;
    p->queue[p->n++] = (struct probe_cluster){
        .id = p->last_id,
        .bps = bps,
        .packet = (size_t)fmin(fmax(packet, PROBE_PACKET_MIN), PROBE_PACKET_MAX),
        .min_bytes = (size_t)(bps * (double)duration / 8 / USEC_PER_SEC),
        .duration = duration,
        .created_at = now,
    };
}

/* A result near the cap is as good as the cap: there is nothing further to find. */
static void expect_further(struct probe *p, double bps)
{
    p->further_bps = bps < p->cap_bps ? KEPT_UP * bps : INFINITY;
}

void probe_start(struct probe *p, usec now, double start_bps)
{
    enqueue(p, now, START_FIRST * start_bps, PROBE_DURATION_US);
    if (START_FIRST * start_bps < p->cap_bps)
        enqueue(p, now, START_SECOND * start_bps, PROBE_DURATION_US);
    p->factor = FURTHER;
    p->duration = PROBE_DURATION_US;
    expect_further(p, START_SECOND * start_bps);
}

void probe_request(struct probe *p, usec now, double bps, double factor, usec duration)
{
    if (p->n > 0)
        return;
    p->factor = factor;
    p->duration = duration;
    enqueue(p, now, factor * bps, duration);
    expect_further(p, factor * bps);
}

void probe_answer(struct probe *p, usec now, double bps)
{
    if (p->n > 0 || bps < p->further_bps)
        return;
    enqueue(p, now, p->factor * bps, p->duration);
    expect_further(p, p->factor * bps);
}

void probe_repeat(struct probe *p, usec now)
{
    enqueue(p, now, p->last_bps, p->duration);
}

bool probe_busy(const struct probe *p, usec now)
{
    return p->n > 0 || (p->ever && now - p->sent_at < PROBE_ANSWER_US);
}

const struct probe_cluster *probe_active(const struct probe *p)
{
    return p->n > 0 ? &p->queue[0] : NULL;
}

static void dequeue(struct probe *p)
{
    p->n--;
    memmove(p->queue, p->queue + 1, p->n * sizeof p->queue[0]);
}

void probe_sent(struct probe *p, usec now, size_t size)
{
    if (p->n == 0)
        return;
    struct probe_cluster *c = &p->queue[0];
    if (c->packets == 0)
        c->started_at = now;
    c->packets++;
    c->bytes += size;
    p->retry_at = now;
    if (c->bytes < c->min_bytes || c->packets < PROBE_PACKETS_MIN ||
        now - c->started_at < c->duration - c->duration / 10)
        return;
    p->ever = true;
    p->sent_at = now;
    dequeue(p);
}

/* When the next packet of the active cluster is due. */
static usec due(const struct probe *p)
{
    const struct probe_cluster *c = &p->queue[0];
    usec at = c->created_at;
    if (c->packets > 0)
        at = c->started_at + (usec)((double)c->bytes * 8 * USEC_PER_SEC / c->bps);
    return at > p->retry_at ? at : p->retry_at;
}

size_t probe_padding(struct probe *p, usec now)
{
    if (p->n == 0 || now < due(p))
        return 0;
    p->retry_at = now + PROBE_RETRY_US;
    return p->queue[0].packet;
}

void probe_timeout(struct probe *p, usec now)
{
    while (p->n > 0 && now - p->queue[0].created_at >= PROBE_PATIENCE_US) {
        p->further_bps = INFINITY;
        dequeue(p);
    }
}

usec probe_deadline(const struct probe *p)
{
    return p->n > 0 ? due(p) : USEC_NEVER;
}
