#include "worker/bwe/probe_meter.h"

#include <math.h>

#include "worker/bwe/probe.h"

#define ARRIVED_MIN 0.8 /* of the cluster's packets and bytes */
#define FASTER_MAX 2.0  /* what arrives so much faster than it was sent was held up elsewhere */
/* When less comes out than went in, the link is full: stay a little below it. */
#define FULL 0.9
#define WHOLE 0.85 /* of a long one must be there */
#define APART 0.25 /* of it the least of both halves must lie apart */
#define FULL_SHARE 0.95

enum {
    INTERVAL_MAX_US = 1000 * 1000,
    ALIKE = 20 /* delays that differ by less than this part of a cluster */
};

void probe_meter_init(struct probe_meter *m)
{
    *m = (struct probe_meter){0};
}

void probe_meter_expect(struct probe_meter *m, uint8_t id, size_t min_bytes, usec duration)
{
    m->tallies[m->next] =
        (struct probe_tally){.id = id, .min_bytes = min_bytes, .duration = duration};
    m->next = (m->next + 1) % PROBE_METER_CLUSTERS;
}

static struct probe_tally *find(struct probe_meter *m, uint8_t id)
{
    for (unsigned i = 0; i < PROBE_METER_CLUSTERS; i++)
        if (m->tallies[i].id == id)
            return &m->tallies[i];
    return NULL;
}

static void lower(struct probe_least *l, usec sent, usec delay, size_t bytes, usec alike)
{
    if (!l->known || delay < l->delay - alike)
        *l = (struct probe_least){.sent = sent, .delay = delay, .bytes = bytes, .known = true};
}

/* Of those that waited about as little, the last. */
static void lower_later(struct probe_least *l, usec *least, usec sent, usec delay, size_t bytes,
                        usec alike)
{
    if (!l->known || delay < *least)
        *least = delay;
    if (delay <= *least + alike)
        *l = (struct probe_least){.sent = sent, .delay = delay, .bytes = bytes, .known = true};
}

/* Packets that are no probe, while none is under way. */
static void before(struct probe_meter *m, usec sent, usec delay)
{
    if (sent >= m->recent_end) {
        bool follows = sent < m->recent_end + PROBE_METER_BEFORE_US;
        m->recent[1] = follows ? m->recent[0] : (struct probe_least){0};
        m->recent[0] = (struct probe_least){0};
        m->recent_end = sent + PROBE_METER_BEFORE_US;
    }
    lower(&m->recent[0], sent, delay, 0, 0);
}

static void start_from_before(const struct probe_meter *m, struct probe_tally *t, usec sent)
{
    bool fresh = sent < m->recent_end + PROBE_METER_BEFORE_US;
    for (unsigned i = 0; i < 2 && fresh; i++)
        if (m->recent[i].known)
            lower(&t->halves[0], sent, m->recent[i].delay, 0, 0);
}

static void tally(struct probe_tally *t, usec sent, usec arrival, size_t size)
{
    if (t->packets == 0 || sent < t->first_sent)
        t->first_sent = sent;
    if (t->packets == 0 || sent >= t->last_sent) {
        t->last_sent = sent;
        t->last_sent_size = size;
    }
    if (t->packets == 0 || arrival < t->first_arrival) {
        t->first_arrival = arrival;
        t->first_arrival_size = size;
    }
    if (t->packets == 0 || arrival > t->last_arrival)
        t->last_arrival = arrival;
    t->lost += t->lost_open;
    t->lost_open = 0;
    /* Apart as far as can be: what a packet's size makes of its delay is then a small part. */
    usec alike = t->duration / ALIKE;
    if (sent - t->first_sent < t->duration / 2)
        lower(&t->halves[0], sent, arrival - sent, t->bytes + t->lost, alike);
    else
        lower_later(&t->halves[1], &t->second_least, sent, arrival - sent, t->bytes + t->lost,
                    alike);
    t->packets++;
    t->bytes += size;
}

/* By intervals. random: see probe_meter_add. */
static double rate_by_intervals(const struct probe_tally *t, double passed, double out)
{
    usec arrival = t->last_arrival - t->first_arrival;
    if (arrival <= 0 || arrival > INTERVAL_MAX_US)
        return 0;
    double in = (passed - (double)t->first_arrival_size) * 8 * USEC_PER_SEC / (double)arrival;
    return in > FASTER_MAX * out ? 0 : in;
}

/* Between the two packets that waited least; *out becomes the rate of sending between them. */
static double rate_by_delay(const struct probe_tally *t, double *out)
{
    const struct probe_least *first = &t->halves[0], *second = &t->halves[1];
    if (!first->known || !second->known ||
        (double)(t->last_sent - t->first_sent) < WHOLE * (double)t->duration)
        return 0;
    double sent = (double)(second->sent - first->sent);
    double arrival = fmax(sent + (double)(second->delay - first->delay), sent);
    if (sent < APART * (double)t->duration)
        return 0;
    double bits = 8 * (double)(second->bytes - first->bytes) * USEC_PER_SEC;
    *out = bits / sent;
    return bits / arrival;
}

static struct probe_result result(const struct probe_tally *t, double random)
{
    usec sent = t->last_sent - t->first_sent;
    double bytes = (double)t->bytes;
    double passed = fmin(bytes + (double)t->lost, bytes / (1 - random));
    double expected = ARRIVED_MIN * bytes / passed;
    if (t->packets < expected * PROBE_PACKETS_MIN || bytes < expected * (double)t->min_bytes)
        return (struct probe_result){.ended = true};
    if (sent <= 0 || sent > INTERVAL_MAX_US)
        return (struct probe_result){.ended = true};
    /* The last packet sent, and the first that arrived, lie outside of the intervals. */
    double out = (passed - (double)t->last_sent_size) * 8 * USEC_PER_SEC / (double)sent;
    bool is_long = t->duration >= PROBE_LONG_US;
    double in = is_long ? rate_by_delay(t, &out) : rate_by_intervals(t, passed, out);
    bool full = in < FULL * out;
    return (struct probe_result){
        .ended = true, .bps = full ? FULL_SHARE * in : fmin(in, out), .full = full};
}

void probe_meter_add(struct probe_meter *m, uint8_t id, usec sent, usec arrival, size_t size,
                     double random, struct probe_result *r)
{
    if (m->open != 0 && m->open != id) {
        struct probe_tally *last = find(m, m->open);
        if (last) {
            *r = result(last, random);
            last->id = 0;
        }
        m->open = 0;
    }
    struct probe_tally *t = id == 0 ? NULL : find(m, id);
    if (id == 0)
        before(m, sent, arrival - sent);
    if (t) {
        m->open = id;
        if (t->packets == 0)
            start_from_before(m, t, sent);
        tally(t, sent, arrival, size);
    }
}

void probe_meter_lost(struct probe_meter *m, uint8_t id, size_t size)
{
    struct probe_tally *t = id == 0 ? NULL : find(m, id);
    if (t && t->packets > 0)
        t->lost_open += size;
}
