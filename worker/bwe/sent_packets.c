#include "worker/bwe/sent_packets.h"

#include <assert.h>
#include <stdlib.h>

#include "common/prefetch.h"
#include "worker/rtp/seq.h"

/* Which most messages speak of: 100 ms at 3 Mbit/s. */
enum { FEEDBACK_PACKETS = 32 };

enum state { EMPTY, IN_FLIGHT, LOST, ARRIVED };

enum err sent_packets_init(struct sent_packets *s)
{
    *s = (struct sent_packets){.cap = SENT_PACKETS_MIN};
    s->ring = calloc(s->cap, sizeof *s->ring);
    return s->ring ? OK : ERR_NOMEM;
}

void sent_packets_fini(struct sent_packets *s)
{
    free(s->ring);
    *s = (struct sent_packets){0};
}

static struct sent_packet *at(const struct sent_packets *s, int64_t number)
{
    return &s->ring[(uint64_t)number & (s->cap - 1)];
}

static void start_at(struct sent_packets *s, int64_t number)
{
    s->oldest = number;
    s->newest = number - 1;
    s->in_flight = 0;
    s->started = true;
}

static void forget_oldest(struct sent_packets *s)
{
    const struct sent_packet *p = at(s, s->oldest);
    if (p->state == IN_FLIGHT) {
        s->in_flight -= p->size;
        s->crowded = s->cap < SENT_PACKETS_MAX;
    }
    s->oldest++;
}

void sent_packets_prefetch(const struct sent_packets *s)
{
    prefetch(at(s, s->newest + 1), CACHE_LINE);
}

void sent_packets_prefetch_feedback(const struct sent_packets *s)
{
    int64_t first = s->newest - FEEDBACK_PACKETS;
    if (first < s->oldest)
        first = s->oldest;
    for (int64_t i = first; i <= s->newest; i += CACHE_LINE / (int64_t)sizeof *s->ring)
        prefetch(at(s, i), sizeof *s->ring);
}

void sent_packets_add(struct sent_packets *s, usec now, uint16_t seq, uint16_t size,
                      uint8_t cluster)
{
    if (!s->started)
        start_at(s, 0x10000 + seq);
    else if ((uint16_t)(seq - (uint16_t)s->newest) != 1)
        start_at(s, s->newest + 0x10000 + (uint16_t)(seq - (uint16_t)s->newest));
    else if (now - s->newest_at > SENT_PACKETS_AGE_US)
        start_at(s, s->newest + 1);
    if (s->newest - s->oldest + 1 == (int64_t)s->cap)
        forget_oldest(s);
    s->newest++;
    s->newest_at = now;
    s->in_flight += size;
    *at(s, s->newest) = (struct sent_packet){
        .at = (uint32_t)now, .size = size, .cluster = cluster, .state = IN_FLIGHT};
}

/* Follows the 24-bit reference time. A jump away from our own clock is a restart: then time goes on
 * by one tick, so that what a peer claims cannot run to the end of the type. */
static bool follow_clock(struct sent_packets *s, usec now, int32_t reference)
{
    bool jump = false;
    if (s->clock_started) {
        int32_t ticks = (int32_t)((uint32_t)(reference - s->reference) << 8) / 256;
        usec step = ticks * TWCC_REFERENCE_TICK;
        usec drift = step - (now - s->clock_at);
        jump = drift > SENT_PACKETS_JUMP_US || drift < -SENT_PACKETS_JUMP_US;
        s->clock += jump ? TWCC_REFERENCE_TICK : step;
    }
    s->clock_started = true;
    s->clock_at = now;
    s->reference = reference;
    return jump;
}

bool sent_packets_report(struct sent_packets *s, usec now, const struct twcc *t,
                         struct sent_report *r)
{
    if (!s->started || s->newest < s->oldest || now - s->newest_at > SENT_PACKETS_AGE_US)
        return false;
    int64_t base = s->newest + seq16_diff(t->base_seq, (uint16_t)s->newest);
    int64_t last = base + t->count - 1;
    if (base > s->newest || last < s->oldest || s->oldest - base > SENT_PACKETS_SKIP_MAX)
        return false;
    bool jump = follow_clock(s, now, t->reference);
    *r = (struct sent_report){
        .clock = s->clock - t->reference * TWCC_REFERENCE_TICK,
        .number = base,
        .last = last < s->newest ? last : s->newest,
        .clock_jump = jump,
    };
    twcc_reader_init(&r->reader, t);
    return true;
}

static bool is_news(struct sent_packets *s, struct sent_packet *p, bool received)
{
    if (p->state == IN_FLIGHT)
        s->in_flight -= p->size;
    else if (p->state == ARRIVED || !received)
        return false;
    p->state = received ? ARRIVED : LOST;
    return true;
}

bool sent_packets_next(struct sent_packets *s, struct sent_report *r, struct packet_result *out)
{
    struct twcc_packet status;
    while (r->number <= r->last && twcc_next(&r->reader, &status)) {
        int64_t number = r->number++;
        if (number < s->oldest)
            continue;
        struct sent_packet *p = at(s, number);
        bool late = p->state == LOST;
        if (!is_news(s, p, status.received))
            continue;
        *out = (struct packet_result){
            .sent_at = s->newest_at - (usec)((uint32_t)s->newest_at - p->at),
            .arrived_at = status.received ? r->clock + status.at : USEC_NEVER,
            .size = p->size,
            .cluster = p->cluster,
            .late = late,
        };
        return true;
    }
    return false;
}

void sent_packets_grow(struct sent_packets *s)
{
    if (!s->crowded)
        return;
    s->crowded = false;
    uint32_t cap = 2 * s->cap;
    assert(cap <= SENT_PACKETS_MAX);
    struct sent_packet *ring = calloc(cap, sizeof *ring);
    if (!ring)
        return;
    for (int64_t i = s->oldest; i <= s->newest; i++)
        ring[(uint64_t)i & (cap - 1)] = *at(s, i);
    free(s->ring);
    s->ring = ring;
    s->cap = cap;
}
