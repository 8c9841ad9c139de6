#include "worker/rtp/reception.h"

#include <string.h>

#include "worker/rtp/seq.h"

/* A packet that the first one overtook is still taken when it is at most this much before it. */
enum { MAX_BEFORE_FIRST = 100 };

void reception_init(struct reception *r, uint32_t clock_rate)
{
    *r = (struct reception){.clock_rate = clock_rate};
}

static bool seen(const struct reception *r, int64_t n)
{
    uint64_t bit = (uint64_t)n % RECEPTION_WINDOW;
    return r->seen[bit / 64] >> (bit % 64) & 1;
}

static void mark(struct reception *r, int64_t n)
{
    uint64_t bit = (uint64_t)n % RECEPTION_WINDOW;
    r->seen[bit / 64] |= (uint64_t)1 << (bit % 64);
}

static void advance(struct reception *r, int64_t to)
{
    if (to - r->highest >= RECEPTION_WINDOW)
        memset(r->seen, 0, sizeof r->seen);
    else
        for (int64_t n = r->highest + 1; n <= to; n++) {
            uint64_t bit = (uint64_t)n % RECEPTION_WINDOW;
            r->seen[bit / 64] &= ~((uint64_t)1 << (bit % 64));
        }
    r->highest = to;
}

/* Extended numbers go on growing over a restart; reports count cycles from `origin`. */
static int64_t start(struct reception *r, uint16_t seq)
{
    r->origin = r->started ? (r->highest / 65536 + 2) * 65536 : 65536;
    r->base = r->highest = r->origin + seq;
    r->started = true;
    r->probing = false;
    r->has_transit = false;
    r->received = 1;
    r->expected_prior = r->received_prior = 0;
    memset(r->seen, 0, sizeof r->seen);
    mark(r, r->base);
    return r->base;
}

static void restart(struct reception *r)
{
    int64_t expected = r->highest - r->base + 1;
    r->expected_past += expected;
    r->lost_past += expected - r->received;
}

/* Where a packet in reach of the highest belongs. counts: it came in its own time. */
static enum reception_verdict place(struct reception *r, int64_t n, bool counts)
{
    if (n > r->highest) {
        advance(r, n);
        mark(r, n);
        r->received += counts;
        return RECEPTION_NEW;
    }
    if (n < r->base) {
        if (!counts || r->base - n > MAX_BEFORE_FIRST || r->highest - n >= RECEPTION_WINDOW)
            return RECEPTION_OLD;
        r->base = n;
    }
    if (seen(r, n))
        return RECEPTION_DUPLICATE;
    mark(r, n);
    r->received += counts;
    return RECEPTION_LATE;
}

enum reception_verdict reception_input(struct reception *r, uint16_t seq, int64_t *out)
{
    if (!r->started) {
        *out = start(r, seq);
        return RECEPTION_NEW;
    }
    int32_t ahead = seq16_diff(seq, (uint16_t)r->highest);
    if (ahead < RECEPTION_MAX_DROPOUT && ahead > -RECEPTION_MAX_MISORDER) {
        if (ahead > 0)
            r->probing = false;
        *out = r->highest + ahead;
        return place(r, *out, true);
    }
    /* RFC 3550 A.1: "Two sequential packets -- assume that the other side restarted without
     * telling us so just re-sync". */
    if (r->probing && seq == r->probe) {
        restart(r);
        *out = start(r, seq);
        return RECEPTION_RESTARTED;
    }
    r->probing = true;
    r->probe = (uint16_t)(seq + 1);
    return RECEPTION_JUMP;
}

enum reception_verdict reception_repair(struct reception *r, uint16_t seq, int64_t *out)
{
    if (!r->started)
        return RECEPTION_JUMP;
    int32_t ahead = seq16_diff(seq, (uint16_t)r->highest);
    if (ahead >= RECEPTION_MAX_DROPOUT || ahead <= -RECEPTION_MAX_MISORDER)
        return RECEPTION_JUMP;
    *out = r->highest + ahead;
    return place(r, *out, false);
}

void reception_timing(struct reception *r, usec now, uint32_t rtp_timestamp)
{
    /* RFC 3550 A.8, scaled by 16 to keep the fraction. */
    uint32_t arrival = (uint32_t)((uint64_t)now * r->clock_rate / 1000000);
    uint32_t transit = arrival - rtp_timestamp;
    int32_t d = seq32_diff(transit, r->transit);
    bool first = !r->has_transit;
    r->transit = transit;
    r->has_transit = true;
    /* A jump of the timestamps by 10 s is not jitter. */
    if (first || d == INT32_MIN || (uint32_t)(d < 0 ? -d : d) > 10 * r->clock_rate)
        return;
    uint32_t deviation = (uint32_t)(d < 0 ? -d : d);
    r->jitter_q4 += deviation - ((r->jitter_q4 + 8) >> 4);
}

int64_t reception_expected(const struct reception *r)
{
    return r->expected_past + (r->started ? r->highest - r->base + 1 : 0);
}

int64_t reception_lost(const struct reception *r)
{
    return r->lost_past + (r->started ? r->highest - r->base + 1 - r->received : 0);
}

uint32_t reception_jitter(const struct reception *r)
{
    return r->jitter_q4 >> 4;
}

void reception_report(struct reception *r, struct rtcp_report *out)
{
    int64_t expected = r->started ? r->highest - r->base + 1 : 0;
    int64_t expected_interval = expected - r->expected_prior;
    int64_t lost_interval = expected_interval - (r->received - r->received_prior);
    r->expected_prior = expected;
    r->received_prior = r->received;
    r->fraction_lost = 0;
    if (expected_interval > 0 && lost_interval > 0) {
        int64_t fraction = lost_interval * 256 / expected_interval;
        r->fraction_lost = (uint8_t)(fraction > 255 ? 255 : fraction);
    }
    int64_t lost = reception_lost(r);
    *out = (struct rtcp_report){
        .lost = (int32_t)(lost > 0x7fffff ? 0x7fffff : lost),
        .fraction_lost = r->fraction_lost,
        .highest_seq = (uint32_t)(r->highest - r->origin),
        .jitter = reception_jitter(r),
    };
}
