#include "worker/rtp/timeline.h"

#include "worker/rtp/seq.h"

enum {
    /* Arrival times are this much wrong at most: more ahead than that, and the reports are. */
    AHEAD_SLACK_US = 250 * 1000,
    /* A source may be behind by what its encoder and its path take longer than the other's. */
    BEHIND_MAX_US = 1000 * 1000,
    ELAPSED_MAX_US = 1800 * 1000 * 1000 /* half an hour: further than any receiver looks */
};

void timeline_init(struct timeline *t, uint32_t clock_rate)
{
    *t = (struct timeline){.clock_rate = clock_rate};
}

static int64_t ticks(const struct timeline *t, usec d)
{
    return d * (int64_t)t->clock_rate / USEC_PER_SEC;
}

void timeline_switch(struct timeline *t, usec now, uint32_t timestamp, const struct sr_map *from,
                     const struct sr_map *to)
{
    uint32_t between;
    t->lag = 0;
    if (!t->started)
        return;
    usec passed = now - t->last_at;
    int64_t elapsed = ticks(t, passed > 0 ? usec_min(passed, ELAPSED_MAX_US) : 0);
    if (from && to && sr_map_offset(from, to, &between)) {
        uint32_t offset = t->offset + between;
        int64_t ahead = seq32_diff(timestamp + offset, t->last);
        if (ahead >= -ticks(t, BEHIND_MAX_US) && ahead <= elapsed + ticks(t, AHEAD_SLACK_US)) {
            t->offset = offset;
            if (ahead <= 0) {
                t->catch_from = timestamp;
                t->lag = (uint32_t)(1 - ahead);
            }
            return;
        }
    }
    t->offset = t->last + (uint32_t)(elapsed > 0 ? elapsed : 1) - timestamp;
}

/* What is behind goes on right after what was sent, at half speed until the lag is gone. */
uint32_t timeline_map(const struct timeline *t, uint32_t timestamp)
{
    uint32_t out = timestamp + t->offset;
    uint32_t since = timestamp - t->catch_from;
    if (t->lag == 0 || since >= 2 * t->lag)
        return out;
    return out + t->lag - since / 2;
}

void timeline_sent(struct timeline *t, usec now, uint32_t outgoing)
{
    if (t->started && !seq32_after(outgoing, t->last))
        return;
    t->started = true;
    t->last = outgoing;
    t->last_at = now;
    /* Before the numbers come around again. */
    if (t->lag > 0 && outgoing - t->offset - t->catch_from > UINT32_MAX / 4)
        t->lag = 0;
}
